"""Who fills what: people's allocations on a deal, week by week, and what they leave open."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from taiga_pipeline.mapping.text import normalise
from taiga_pipeline.people.calendar import WORKING_DAYS
from taiga_pipeline.people.model import Allocation
from taiga_pipeline.planning.attendance import Attendance
from taiga_pipeline.planning.weeks import WEEK, Weeks, monday

_LITTLE: Final = 1e-9

Place = tuple[str, date]
"""A role and the Monday of a week."""


@dataclass(frozen=True, slots=True)
class Part:
    """One week of an allocation.

    ``asked`` and ``filled`` are hours of a full week, without public holidays: what it was meant to
    fill, and what it fills as far as the person is there. ``hours`` are those that are worked.
    """

    deal_key: str
    email: str
    role: str
    week: date
    asked: float
    filled: float
    hours: float


@dataclass(frozen=True, slots=True)
class Taken:
    """An allocation as it counts in a plan: in which role, from which day to which (None: no end),
    on a project that begins on ``begin``.

    ``size`` multiplies its hours; of someone who ``left`` the project, nothing is filled.
    """

    allocation: Allocation
    role: str
    first: date
    last: date | None
    begin: date
    size: float = 1.0
    left: bool = False


def parts(taken: Taken, weeks: Weeks, attendance: Attendance) -> Iterator[Part]:
    """Yields the weeks of an allocation.

    A project asks for its first week as a whole, and so does whoever is there from its first day
    on.
    """
    key, email = taken.allocation.deal_key, taken.allocation.email
    full, first = float(taken.allocation.hours_per_week) * taken.size, taken.first
    if first <= taken.begin and monday(first) == monday(taken.begin):
        first = monday(first)
    final = weeks.count - 1 if taken.last is None else weeks.index(taken.last)
    for number in range(max(0, weeks.index(first)), min(final + 1, weeks.count)):
        week = weeks.first + WEEK * number
        days = attendance.days(email, week, first, taken.last)
        if not (days.span and full):
            continue
        filled = 0.0 if taken.left else full * days.filled
        hours = 0.0 if taken.left else full * days.worked
        asked = full * days.span / WORKING_DAYS
        yield Part(key, email, taken.role, week, asked, filled, hours)


def unfilled(needed: Mapping[Place, float], there: Iterable[Part]) -> dict[Place, float]:
    """Returns what is left open, in hours of a full week.

    Where a deal states nothing for a role and week, it asks for what people were allocated to.
    """
    open_: dict[Place, float] = {}
    spelled: dict[Place, Place] = {}
    filled: dict[Place, float] = {}
    asked: dict[Place, float] = {}
    for (role, week), hours in needed.items():
        place = spelled.setdefault((normalise(role), week), (role, week))
        open_[place] = open_.get(place, 0.0) + hours
    for part in there:
        place = normalise(part.role), part.week
        filled[place] = filled.get(place, 0.0) + part.filled
        asked[place] = asked.get(place, 0.0) + part.asked
        if place not in spelled:
            spelled[place] = part.role, part.week
    for place, hours in filled.items():
        name = spelled[place]
        open_[name] = open_.get(name, asked[place]) - hours
    return {place: hours for place, hours in open_.items() if hours > _LITTLE}
