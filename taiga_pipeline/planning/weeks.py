"""Time in planning: ISO weeks. A week is named by the date of its Monday."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Final

from taiga_pipeline.pipeline.errors import InvalidValue

WEEK: Final = timedelta(weeks=1)
SATURDAY: Final = 5
_ISO_WEEK: Final = re.compile(r"(\d{4})-?W(\d{1,2})", re.IGNORECASE)
_DURATION: Final = re.compile(r"([+-]?\d{1,4})\s*([dw])")


def monday(day: date) -> date:
    """Returns the Monday of a day's ISO week."""
    return day - timedelta(days=day.weekday())


def working_day(day: date) -> date:
    """Returns the day, or the Monday after it if it is a Saturday or a Sunday."""
    return day if day.weekday() < SATURDAY else monday(day) + WEEK


@cache
def week_name(week: date) -> str:
    """Returns an ISO week as people write it: ``2026-W49``."""
    year, number, _ = week.isocalendar()
    return f"{year}-W{number:02}"


def parse_week(text: str) -> date:
    """Reads ``2026-W49`` or any date in the week; returns the Monday.

    :raises InvalidValue: it is neither.
    """
    written = text.strip()
    found = _ISO_WEEK.fullmatch(written)
    try:
        if found:
            return date.fromisocalendar(int(found[1]), int(found[2]), 1)
        return monday(date.fromisoformat(written))
    except (ValueError, OverflowError):
        raise InvalidValue(
            f"{text!r} is not a week; write 2026-W49, or a date such as 2026-12-01"
        ) from None


def parse_weeks(text: str) -> int:
    """Reads a duration in whole weeks: ``4w``, ``-2w`` or ``28d``.

    :raises InvalidValue: it is not a duration, or days that are not whole weeks.
    """
    found = _DURATION.fullmatch(text.strip())
    if not found:
        raise InvalidValue(f"{text!r} is not a time; write weeks, such as 4w or -2w")
    weeks, rest = divmod(int(found[1]), 1 if found[2] == "w" else 7)
    if rest:
        raise InvalidValue(f"{text!r}: planning counts in whole weeks; write 4w, or 28d")
    return weeks


@dataclass(frozen=True, slots=True)
class Weeks:
    """``count`` weeks in a row from the Monday ``first`` on."""

    first: date
    count: int

    def __post_init__(self) -> None:
        if self.first.weekday():
            raise ValueError(f"{self.first} is not a Monday")
        if self.count < 1:
            raise ValueError(f"{self.count} weeks")

    def __iter__(self) -> Iterator[date]:
        return (self.first + WEEK * number for number in range(self.count))

    def __len__(self) -> int:
        return self.count

    @property
    def last(self) -> date:
        """The Monday of the last week."""
        return self.first + WEEK * (self.count - 1)

    def at(self, number: int) -> date:
        """Returns the Monday of a week by its number, as `index` tells it."""
        return self.first + WEEK * number

    def index(self, day: date) -> int:
        """Returns the number of a day's week, from 0; negative before, ``count`` or more after."""
        return (day - self.first).days // 7
