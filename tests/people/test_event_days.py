"""Which whole days the hours of an event take."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from taiga_pipeline.people.event_days import DaysTaken, days_taken
from taiga_pipeline.pipeline.errors import InvalidValue

BERLIN = ZoneInfo("Europe/Berlin")
JANUARY_4 = date(2027, 1, 4)  # a Monday


def at(text: str, zone: timezone | ZoneInfo | None = None) -> datetime:
    return datetime.fromisoformat(f"2027-{text}").replace(tzinfo=zone)


def taken(start: str, end: str, zone: timezone | ZoneInfo | None = None) -> DaysTaken:
    return days_taken(at(start, zone), at(end, zone), BERLIN)


def test_days_as_such_end_with_the_day_before_the_last_or_on_their_only_day() -> None:
    week = days_taken(JANUARY_4, date(2027, 1, 9), UTC)
    assert (week.first, week.last) == (JANUARY_4, date(2027, 1, 8))
    assert days_taken(JANUARY_4, JANUARY_4, UTC) == DaysTaken(JANUARY_4, JANUARY_4)


@pytest.mark.parametrize(
    ("start", "end", "first", "last"),
    [
        ("01-04 00:00", "01-05 00:00", 4, 4),
        ("01-04 00:00", "01-04 23:59", 4, 4),
        ("01-04 00:00", "01-05 23:59:59", 4, 5),
        ("01-04 08:00", "01-08 17:00", 4, 8),
        ("01-04 09:00", "01-04 17:00", 4, 4),
        ("01-04 08:00", "01-04 16:00", 4, 4),
        ("01-04 10:00", "01-04 18:00", 4, 4),
        ("01-04 00:01", "01-04 23:58", 4, 4),
        ("01-01 17:00", "01-04 08:00", 2, 3),
    ],
)
def test_office_hours_are_whole_days(start: str, end: str, first: int, last: int) -> None:
    days = DaysTaken(date(2027, 1, first), date(2027, 1, last))
    assert taken(start, end) == taken(start, end, BERLIN) == days


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("01-04 08:00", "01-04 12:00"),
        ("01-04 13:00", "01-04 17:00"),
        ("01-04 12:00", "01-05 00:00"),
        ("01-04 00:00", "01-04 12:00"),
        ("01-04 16:00", "01-04 17:00"),
        ("01-04 08:00", "01-04 14:00"),
    ],
)
def test_half_a_day_is_part_of_one(start: str, end: str) -> None:
    assert taken(start, end) == DaysTaken(None, None, (JANUARY_4,))


def test_a_half_day_before_and_after_whole_ones_is_distinguished() -> None:
    days = taken("01-04 12:00", "01-08 12:00")
    assert days == DaysTaken(date(2027, 1, 5), date(2027, 1, 7), (JANUARY_4, date(2027, 1, 8)))


def test_the_evening_and_the_weekend_are_no_working_time() -> None:
    assert taken("01-04 22:00", "01-05 06:00") == DaysTaken(None, None)
    assert taken("01-09 08:00", "01-09 12:00") == DaysTaken(None, None)


@pytest.mark.parametrize("hours", [23, 5, 0, 8])
def test_utc_midnights_of_any_time_zone_are_whole_days_in_any_pipeline(hours: int) -> None:
    start = at("01-04 00:00", UTC) + timedelta(hours=hours - 24 if hours > 12 else hours)
    for zone in (UTC, BERLIN):
        for is_all_day in (True, False):
            days = days_taken(start, start + timedelta(days=2), zone, is_all_day=is_all_day)
            assert (days.first, days.last) == (JANUARY_4, date(2027, 1, 5))


def test_the_pipelines_time_zone_decides_on_which_day_a_night_in_utc_is() -> None:
    start, end = at("01-03 23:00", UTC), at("01-04 22:59", UTC)
    assert days_taken(start, end, BERLIN).first == JANUARY_4
    assert days_taken(start, end, ZoneInfo("Asia/Tokyo")).part == ()
    tokyo = days_taken(at("01-03 15:00", UTC), at("01-04 15:00", UTC), ZoneInfo("Asia/Tokyo"))
    assert (tokyo.first, tokyo.last) == (JANUARY_4, JANUARY_4)


def test_days_on_which_the_clocks_change_are_whole_days() -> None:
    for first, offset in ((date(2027, 3, 28), 23), (date(2027, 10, 31), 25)):
        start = datetime(first.year, first.month, first.day, tzinfo=BERLIN).astimezone(UTC)
        end = start + timedelta(hours=offset)
        for is_all_day in (True, False):
            assert days_taken(start, end, BERLIN, is_all_day=is_all_day).first == first
            assert days_taken(start, end, BERLIN, is_all_day=is_all_day).last == first


def test_an_event_marked_as_of_whole_days_is_one_whatever_its_hours() -> None:
    start = at("01-04 09:00", BERLIN)
    for end in (start, at("01-04 10:00", BERLIN)):
        days = days_taken(start, end, BERLIN, is_all_day=True)
        assert (days.first, days.last) == (JANUARY_4, JANUARY_4)


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        ("01-04 09:00", "01-04 09:00", "no length"),
        ("01-04 09:00", "01-03 09:00", "ends before it begins"),
    ],
)
def test_what_cannot_be_is_said(start: str, end: str, message: str) -> None:
    with pytest.raises(InvalidValue, match=message):
        taken(start, end)


def test_ten_years_are_no_time_off() -> None:
    for first, last in ((date.min, date.max), (at("01-04 09:00"), datetime.max)):
        with pytest.raises(InvalidValue, match="which is not time off"):
            days_taken(first, last, UTC)
