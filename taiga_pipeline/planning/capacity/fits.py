"""The earliest start of a deal that takes no hours from any other.

A deal fits where, in each week, each role has the hours that it asks for free: of its capacity,
what the demand of all others leaves at the chosen quantile. Hours per week are those of full weeks
and shrink with public holidays, as everybody's do. Needs numpy (the extra ``planning``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from taiga_pipeline.mapping.demand import deal_demand
from taiga_pipeline.mapping.mapping_set import MappingSet
from taiga_pipeline.mapping.text import normalise
from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.pipeline.model import Deal, RoleDemand
from taiga_pipeline.planning.attendance import Attendance
from taiga_pipeline.planning.capacity.find import Options, find_capacity
from taiga_pipeline.planning.capacity.result import CapacityReport
from taiga_pipeline.planning.demand.deals import Situation
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
    asked: tuple[RoleDemand, ...]
    planned: Start
    earliest: Start | None
    sure: Start | None
    best: Start
    looked: Weeks


def fit_of(
    deal: Deal,
    planned: date,
    situation: Situation,
    plan: tuple[MappingSet, Outlooks],
    asked: tuple[Options, Attendance],
) -> Fit:
    """Returns when a deal fits. ``planned`` is the Monday of its planned start.

    The options' weeks are those in which it may begin, and reach to its end after the last of
    them; the attendance is for them.

    :raises InvalidValue: the deal states no roles, and its mapping has none for it.
    """
    mappings, outlooks = plan
    options, attendance = asked
    rules = mappings.stage_of(deal)[0]
    roles = tuple(deal_demand(deal, rules))
    if not any(role.hours_per_week and role.weeks for role in roles):
        raise InvalidValue(
            f"{deal.key} states no roles, and {rules.file} has none for it, so it fits anywhere; "
            f'say what it needs with: pipeline-sync deals edit {deal.key} --roles "Back:30h x10w"'
        )
    length = max(role.start_week + role.weeks for role in roles)
    others = replace(
        situation, deals=tuple(each for each in situation.deals if each.key != deal.key)
    )
    report = find_capacity(others, mappings, outlooks, replace(options, with_drivers=False))
    last = len(options.weeks) - length
    if last < 0:
        raise InvalidValue(
            f"{deal.key} takes {length} weeks, and {len(options.weeks)} are looked at; add --weeks"
        )
    free, left = _free(report), _left(report)
    starts = [
        _start(week, number, roles, free, attendance)
        for number, week in enumerate(options.weeks)
        if number <= last
    ]
    sure = [
        _start(week, number, roles, left, attendance)
        for number, week in enumerate(options.weeks)
        if number <= last
    ]
    at = min(max(0, options.weeks.index(planned)), last)
    return Fit(
        deal,
        options.quantile,
        roles,
        starts[at],
        next((each for each in starts if not each.missing), None),
        next((each for each in sure if not each.missing), None),
        min(starts, key=lambda each: each.hours),
        Weeks(options.weeks.first, last + 1),
    )


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


def _start(
    week: date, number: int, roles: Iterable[RoleDemand], free: _Free, attendance: Attendance
) -> Start:
    needed: dict[tuple[str, int], float] = {}
    names: dict[str, str] = {}
    for role in roles:
        name = normalise(role.role)
        names.setdefault(name, role.role)
        for at in range(number + role.start_week, number + role.start_week + role.weeks):
            if at >= 0:
                part = attendance.role_part(role.role, week + WEEK * (at - number))
                place = name, at
                needed[place] = needed.get(place, 0.0) + float(role.hours_per_week) * part
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
