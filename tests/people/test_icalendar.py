"""Time off from calendar files, and back."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taiga_pipeline.people.icalendar import CalendarReading, read_time_off, write_time_off
from taiga_pipeline.people.model import TimeOff
from taiga_pipeline.problems import ProblemsError

ANA = "ana@example.org"
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
FIRST, LAST = date(2026, 1, 1), date(2027, 12, 31)


def event(*lines: str, start: str = "DTSTART;VALUE=DATE:20261221") -> str:
    return "\r\n".join(["BEGIN:VEVENT", "UID:1", start, *lines, "END:VEVENT"])


def read(*events: str, email: str = ANA) -> CalendarReading:
    text = "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", *events, "END:VCALENDAR", ""])
    return read_time_off(text.encode(), first=FIRST, last=LAST, known={ANA}, email=email)


def days(reading: CalendarReading) -> list[tuple[date, date]]:
    return [(each.first, each.last) for each in reading.time_off]


def test_the_end_of_a_whole_day_event_is_the_day_after_the_last() -> None:
    reading = read(event("DTEND;VALUE=DATE:20261224", "SUMMARY:Skiing\\, far away"))
    assert reading.time_off == (
        TimeOff(ANA, date(2026, 12, 21), date(2026, 12, 23), "Skiing, far away"),
    )


def test_an_event_without_an_end_is_one_day() -> None:
    assert days(read(event())) == [(date(2026, 12, 21), date(2026, 12, 21))]


def test_midnight_to_midnight_is_a_whole_day_in_any_time_zone() -> None:
    whole = event("DTEND:20261223T000000Z", start="DTSTART:20261221T000000Z")
    local = event("DTEND:20261223T000000", start="DTSTART:20261221T000000")
    assert days(read(whole)) == days(read(local)) == [(date(2026, 12, 21), date(2026, 12, 22))]


def test_part_of_a_day_is_left_out_and_said() -> None:
    reading = read(
        event("DTEND:20261221T120000", "SUMMARY:Dentist", start="DTSTART:20261221T080000")
    )
    assert reading.time_off == ()
    assert "'Dentist' on 2026-12-21 08:00 takes part of a day" in reading.left_out[0]


def test_events_that_repeat_are_unfolded_less_their_exceptions() -> None:
    weekly = event("RRULE:FREQ=WEEKLY;COUNT=3", "EXDATE;VALUE=DATE:20261228")
    assert [first for first, _ in days(read(weekly))] == [date(2026, 12, 21), date(2027, 1, 4)]


def test_events_that_repeat_for_ever_end_with_the_time_span() -> None:
    yearly = event("RRULE:FREQ=YEARLY", start="DTSTART;VALUE=DATE:20100501")
    assert [first for first, _ in days(read(yearly))] == [date(2026, 5, 1), date(2027, 5, 1)]


@pytest.mark.parametrize("frequency", ["SECONDLY", "MINUTELY", "HOURLY"])
def test_events_that_repeat_all_day_are_refused_at_once(frequency: str) -> None:
    reading = read(event(f"RRULE:FREQ={frequency}", "SUMMARY:Bomb"))
    assert reading.left_out == (f"'Bomb' repeats {frequency.lower()}, which is no time off",)


def test_organizer_and_attendees_say_whose_it_is() -> None:
    named = event("ORGANIZER:mailto:boss@example.org", "ATTENDEE:MAILTO:Ana@Example.org")
    assert [each.email for each in read(named, email="").time_off] == [ANA]


def test_an_event_of_nobody_on_the_roster_is_left_out_and_said() -> None:
    reading = read(event("ORGANIZER:mailto:eve@example.org", "SUMMARY:Off"), email="")
    assert reading.time_off == ()
    assert "names eve@example.org, who is not on the roster" in reading.left_out[0]


def test_cancelled_events_are_none() -> None:
    assert read(event("STATUS:CANCELLED")) == CalendarReading(())


@pytest.mark.parametrize(
    "broken",
    [
        event(start="DTSTART:yesterday"),
        event(start="SUMMARY:no start"),
        event("RRULE:FREQ=SOMETIMES"),
        event("DTEND;VALUE=DATE:20261201"),
        event("DTEND;VALUE=DATE:29991201"),
    ],
)
def test_a_broken_event_is_said_and_the_others_are_kept(broken: str) -> None:
    reading = read(broken.replace("UID:1", "UID:2"), event("SUMMARY:fine"))
    assert [each.reason for each in reading.time_off] == ["fine"]
    assert len(reading.left_out) == 1


@pytest.mark.parametrize("content", [b"", b"hello", b"\xff\xfe\x00", b"BEGIN:VEVENT\r\nEND:VEVENT"])
def test_what_is_no_calendar_is_an_error(content: bytes) -> None:
    with pytest.raises(ProblemsError, match="no iCalendar file"):
        read_time_off(content, first=FIRST, last=LAST)


dates = st.dates(date(2026, 1, 5), date(2027, 12, 1))
words = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cf", "Z"]), max_size=20)
off = st.tuples(dates, st.integers(0, 30), words).map(
    lambda each: TimeOff(
        ANA, each[0], date.fromordinal(each[0].toordinal() + each[1]), each[2] or "off"
    )
)


@given(st.lists(off, unique_by=lambda each: (each.first, each.last), max_size=5))
def test_what_is_written_is_read_again(time_off: list[TimeOff]) -> None:
    content = write_time_off(time_off, now=NOW)
    reading = read_time_off(content, first=FIRST, last=date(2028, 1, 31), known={ANA})
    assert reading.left_out == ()
    found = {(each.email, each.first, each.last) for each in reading.time_off}
    assert found == {(each.email, each.first, each.last) for each in time_off}


def test_time_off_up_to_the_last_day_of_the_calendar_can_be_written() -> None:
    written = write_time_off([TimeOff("ana@example.org", date.min, date.max)], now=NOW)
    assert b"DTEND;VALUE=DATE:99991231" in written


def test_the_same_time_off_has_the_same_identity_in_every_export() -> None:
    time_off = [TimeOff(ANA, FIRST, LAST)]
    assert write_time_off(time_off, now=NOW) == write_time_off(time_off, now=NOW)
