"""Rules of repetition that no time off has, and that would take too long to unfold."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, datetime
from typing import Any, Final

from taiga_pipeline.days import FIRST_YEAR
from taiga_pipeline.pipeline.errors import InvalidValue

_TOO_OFTEN: Final = ("SECONDLY", "MINUTELY", "HOURLY")
_TIMES_OF_DAY: Final = ("BYHOUR", "BYMINUTE", "BYSECOND")
_LEAP_YEAR: Final = 2028
_RARE: Final = ("BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYSETPOS")


def check_rule(event: Any) -> None:
    """Refuses an event that repeats in a way that no time off does.

    :raises InvalidValue: it repeats several times a day, began before anyone worked, or asks for
        days that there are not; says which.
    """
    rules = event.get("RRULE", [])
    for rule in rules if isinstance(rules, list) else [rules]:
        if hasattr(rule, "get"):
            _check(rule, event)


def _check(rule: Any, event: Any) -> None:
    frequency = str(next(iter(_list(rule, "FREQ")), "")).upper()
    if frequency in _TOO_OFTEN:
        raise InvalidValue(f"repeats {frequency.lower()}, which is not time off")
    if any(len(_list(rule, name)) > 1 for name in _TIMES_OF_DAY):
        raise InvalidValue("repeats several times a day, which is not time off")
    begin = getattr(event.get("DTSTART"), "dt", None)
    day = begin.date() if isinstance(begin, datetime) else begin
    if isinstance(day, date) and day.year < FIRST_YEAR:
        raise InvalidValue(f"repeats since {day}, which is not time off")
    if frequency in ("DAILY", "WEEKLY") and any(_list(rule, name) for name in _RARE):
        raise InvalidValue("repeats by an unusual rule of days and months")
    if _never(rule):
        raise InvalidValue("repeats on a day that no month has")


def _never(rule: Any) -> bool:
    """Whether the days and months of a rule never come together, such as 30 February."""
    months = [int(str(each).rstrip("L")) for each in _list(rule, "BYMONTH")] or [1]
    days = [abs(int(each)) for each in _list(rule, "BYMONTHDAY")]
    lengths = [monthrange(_LEAP_YEAR, each)[1] for each in months if 1 <= each <= 12]
    return bool(days) and not any(day <= length for day in days for length in lengths)


def _list(rule: Any, name: str) -> list[Any]:
    found = rule.get(name, [])
    return list(found) if isinstance(found, list | tuple) else [found]
