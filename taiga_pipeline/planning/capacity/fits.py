"""The earliest start of a deal that takes no hours from any other.

A deal fits where, in each week, each role has the hours that it asks for free: of its capacity,
what the demand of all others leaves at the chosen quantile. What it asks for is as in capacity:
people who are allocated or reserved use the hours of their own role, the rest those of its roles,
and both lie as far apart as delivery moved them. Hours per week are those of full weeks
and shrink with public holidays, as everybody's do. Of a deal that asks for no roles, whoever is on
it beyond the weeks that are looked at, or without a last day, stays to their end, from whichever
week it begins. Needs numpy (the extra ``planning``).
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Self

from taiga_pipeline.mapping.demand import deal_demand
from taiga_pipeline.mapping.mapping_set import MappingSet
from taiga_pipeline.mapping.text import normalise
from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.pipeline.model import Deal
from taiga_pipeline.planning.attendance import Attendance
from taiga_pipeline.planning.capacity.find import Options, find_capacity
from taiga_pipeline.planning.capacity.result import CapacityReport
from taiga_pipeline.planning.demand.deals import Situation, find_stretches
from taiga_pipeline.planning.demand.milestones import Stretch
from taiga_pipeline.planning.outlook import Outlooks
from taiga_pipeline.planning.weeks import WEEK, Weeks

_ROUNDING = 0.05


@dataclass(frozen=True, slots=True)
class Missing:
    """Hours of a role that a start in some week would lack, and in how many weeks."""

    role: str
    hours: float
    weeks: int


@dataclass(frozen=True, slots=True)
class Start:
    """A start in a week, and what it would lack; nothing if the deal fits."""

    week: date
    missing: tuple[Missing, ...] = ()

    @property
    def hours(self) -> float:
        """The hours that it would lack, of all roles."""
        return sum(each.hours for each in self.missing)


@dataclass(frozen=True, slots=True)
class Fit:
    """When a deal fits.

    ``planned`` is its start as it is planned, ``earliest`` the first week in which it fits beside
    the demand of others at the quantile, ``sure`` beside that of won deals alone; both None if in
    none of the ``looked`` weeks. ``best`` is the start that lacks least.
    """

    deal: Deal
    quantile: float
    planned: Start
    earliest: Start | None
    sure: Start | None
    best: Start
    looked: Weeks


def fit_of(
    deal: Deal,
    starts: tuple[date, date],
    situation: Situation,
    plan: tuple[MappingSet, Outlooks],
    asked: tuple[Options, Attendance],
) -> Fit:
    """Returns when a deal fits. ``starts`` are the Mondays of its planned start, and of the first
    week in which it can still begin.

    The options' weeks are those in which it may begin, and reach to its end after the last of
    them; the attendance is for them.

    :raises InvalidValue: the deal states no roles, and its mapping has none for it.
    """
    mappings, outlooks = plan
    options, attendance = asked
    rules = mappings.stage_of(deal)[0]
    stretches = find_stretches(deal.key, situation, mappings, options.weeks, attendance)
    if not stretches:
        word = shlex.quote(deal.key)
        raise InvalidValue(
            f"{deal.key} states no roles, and {rules.file} has none for it, so it fits anywhere; "
            f'say what it needs with: pipeline-sync deals edit {word} --roles "Back:30h x10w"'
        )
    own = {person.email: person.role for person in situation.people}
    count = len(options.weeks)
    goes_on = not deal_demand(deal, rules)
    if goes_on:
        stretches = tuple(_to_the_end(stretches, count, options.weeks.index(starts[0])))
    asked_for = tuple(
        _Need.of(each, own, attendance) for each in stretches if own.get(each.email, " ")
    )
    # Of who stays to the end of the weeks, half of them at least is looked at.
    length = max(
        count // 2 if goes_on and each.after == count else each.after for each in stretches
    )
    others = replace(
        situation, deals=tuple(each for each in situation.deals if each.key != deal.key)
    )
    report = find_capacity(others, mappings, outlooks, replace(options, with_drivers=False))
    last = count - length
    if last < 0:
        raise InvalidValue(
            f"{deal.key} takes {length} weeks, and {count} are looked at; add --weeks"
        )
    free, left = _free(report), _left(report)
    at, begin = (min(max(0, options.weeks.index(each)), last) for each in starts)
    looked = Weeks(options.weeks.first + WEEK * begin, last + 1 - begin)
    possible = [_start(week, n, asked_for, free, count) for n, week in enumerate(looked, begin)]
    sure = [_start(week, n, asked_for, left, count) for n, week in enumerate(looked, begin)]
    return Fit(
        deal,
        options.quantile,
        _start(options.weeks.first + WEEK * at, at, asked_for, free, count),
        next((each for each in possible if not each.missing), None),
        next((each for each in sure if not each.missing), None),
        min(possible, key=lambda each: each.hours),
        looked,
    )


def _to_the_end(stretches: Iterable[Stretch], count: int, begin: int) -> Iterator[Stretch]:
    """Yields stretches, those that reach the last of ``count`` weeks if the deal begins in the week
    ``begin`` as long as all weeks: so they reach it from wherever it begins."""
    for each in stretches:
        reaches = each.after + begin >= count
        yield replace(each, weeks=count - each.first) if reaches else each


_Free = Mapping[str, Sequence[float]]


def _free(report: CapacityReport) -> _Free:
    """Returns the hours that demand at the quantile leaves, by role."""
    return {
        normalise(role.role): [max(0.0, each.capacity - each.quantile) for each in role.weeks]
        for role in report.roles
    }


def _left(report: CapacityReport) -> _Free:
    """Returns the hours that won deals leave, by role."""
    return {
        normalise(role.role): [max(0.0, each.capacity - each.confirmed) for each in role.weeks]
        for role in report.roles
    }


@dataclass(frozen=True, slots=True)
class _Need:
    """A stretch with the role that bears it, and what public holidays leave of a week's hours."""

    role: str
    stretch: Stretch
    part: Callable[[date], float]

    @classmethod
    def of(cls, stretch: Stretch, own: Mapping[str, str], attendance: Attendance) -> Self:
        email = stretch.email
        if email in own:
            return cls(own[email], stretch, partial(attendance.person_part, email))
        return cls(stretch.role, stretch, partial(attendance.role_part, stretch.role))


def _start(week: date, number: int, needs: Iterable[_Need], free: _Free, count: int) -> Start:
    needed: dict[tuple[str, int], float] = {}
    names: dict[str, str] = {}
    for need in needs:
        name = normalise(need.role)
        names.setdefault(name, need.role)
        for at in range(number + need.stretch.first, min(number + need.stretch.after, count)):
            if at >= 0:
                hours = need.stretch.hours * need.part(week + WEEK * (at - number))
                needed[name, at] = needed.get((name, at), 0.0) + hours
    missing: dict[str, list[float]] = {}
    for (name, at), hours in needed.items():
        there = free.get(name)
        over = hours - (there[at] if there and at < len(there) else 0.0)
        if over > _ROUNDING:
            missing.setdefault(name, []).append(over)
    return Start(
        week,
        tuple(Missing(names[name], sum(over), len(over)) for name, over in missing.items()),
    )
