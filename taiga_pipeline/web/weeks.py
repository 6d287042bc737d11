"""Roles over weeks, as bars that a template draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

from taiga_pipeline.planning.weeks import WEEK, monday, week_name

if TYPE_CHECKING:
    from taiga_pipeline.pipeline.model import RoleDemand

MOST_WEEKS: Final = 104
_EVERY: Final = 4


@dataclass(frozen=True, slots=True)
class Bar:
    """A role: from which week on (0 is the first), how many, and how high its bar is (0 to 1)."""

    role: RoleDemand
    first: int
    weeks: int
    height: float


@dataclass(frozen=True, slots=True)
class Drawn:
    """Bars over ``weeks`` weeks; ``names`` are places and names of some of them."""

    bars: tuple[Bar, ...]
    weeks: int
    names: tuple[tuple[int, str], ...]


def drawn(roles: Sequence[RoleDemand], start: date | None) -> Drawn:
    """Returns the bars of a deal that begins at ``start``; None names weeks by their number."""
    end = min(max((each.start_week + each.weeks for each in roles), default=0), MOST_WEEKS)
    most = max((each.hours_per_week for each in roles), default=1)
    bars = tuple(
        Bar(
            each,
            min(each.start_week, end),
            max(0, min(each.start_week + each.weeks, end) - each.start_week),
            float(each.hours_per_week / most),
        )
        for each in roles
    )
    names = tuple((n, _name(start, n)) for n in range(0, end, max(_EVERY, end // 8)))
    return Drawn(bars, end, names)


def _name(start: date | None, number: int) -> str:
    if start is None:
        return f"+{number}"
    try:
        return week_name(monday(start) + number * WEEK)
    except OverflowError:  # beyond the last day that there is
        return f"+{number}"
