"""ISO weeks, as people write them and as planning counts them."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.planning.weeks import (
    Weeks,
    monday,
    parse_week,
    parse_weeks,
    week_name,
)


@given(st.dates(date(1990, 1, 1), date(2100, 1, 1)))
def test_a_weeks_name_is_read_as_its_monday(day: date) -> None:
    assert parse_week(week_name(day)) == parse_week(day.isoformat()) == monday(day)
    assert monday(day).weekday() == 0


def test_the_last_days_of_a_year_may_be_in_the_first_week_of_the_next() -> None:
    assert week_name(date(2024, 12, 30)) == "2025-W01"
    assert week_name(date(2027, 1, 1)) == "2026-W53"


@pytest.mark.parametrize("text", ["", "W49", "2026-W54", "2026-W00", "next week", "2026-13-01"])
def test_what_is_no_week_is_an_error(text: str) -> None:
    with pytest.raises(InvalidValue, match="not a week"):
        parse_week(text)


@pytest.mark.parametrize(("text", "weeks"), [("4w", 4), ("-2w", -2), ("28d", 4), ("0w", 0)])
def test_time_is_written_in_weeks_or_days(text: str, weeks: int) -> None:
    assert parse_weeks(text) == weeks


@pytest.mark.parametrize("text", ["", "4", "w", "3d", "1y", "99999w"])
def test_time_that_is_not_whole_weeks_is_an_error(text: str) -> None:
    with pytest.raises(InvalidValue):
        parse_weeks(text)


def test_weeks_are_numbered_from_the_first() -> None:
    weeks = Weeks(date(2026, 11, 23), 3)
    assert [weeks.index(week) for week in weeks] == [0, 1, 2]
    assert weeks.index(date(2026, 11, 22)) == -1
    assert weeks.last == date(2026, 12, 7)


@pytest.mark.parametrize(("first", "count"), [(date(2026, 11, 24), 1), (date(2026, 11, 23), 0)])
def test_weeks_begin_on_a_monday_and_are_at_least_one(first: date, count: int) -> None:
    with pytest.raises(ValueError, match=r"Monday|weeks"):
        Weeks(first, count)
