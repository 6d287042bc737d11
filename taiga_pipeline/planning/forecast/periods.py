"""The months and quarters that a forecast speaks of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True, slots=True)
class Period:
    """Days ``first`` to ``last`` ahead of the forecast's date (1: the day after).

    ``begun`` says that a part of the named month or quarter is over already: ``passed`` days, the
    forecast's date the last of them.
    """

    name: str
    first: int
    last: int
    begun: bool = False
    passed: int = 0


def months(day: date, number: int) -> list[Period]:
    """Returns the rest of this month and the next ones, ``number`` in all."""
    return list(_periods(day, number, 1))


def quarters(day: date, number: int) -> list[Period]:
    """Returns the quarters that lie wholly within ``number`` months, the rest of this one first."""
    tomorrow = day + timedelta(days=1)
    months_touched = (tomorrow.month - 1) % 3 + number
    return list(_periods(day, months_touched // 3, 3))


def _periods(day: date, number: int, length: int) -> Iterator[Period]:
    tomorrow = day + timedelta(days=1)
    start = date(tomorrow.year, tomorrow.month - (tomorrow.month - 1) % length, 1)
    for _ in range(number):
        after = _later(start, length)
        first = max((start - day).days, 1)
        passed = max((tomorrow - start).days, 0)
        yield Period(_name(start, length), first, (after - day).days - 1, passed > 0, passed)
        start = after


def _later(start: date, months: int) -> date:
    total = start.year * 12 + start.month - 1 + months
    return date(total // 12, total % 12 + 1, 1)


def _name(start: date, length: int) -> str:
    return f"{start:%Y-%m}" if length == 1 else f"{start.year} Q{(start.month + 2) // 3}"
