"""One deal in several projects: a project for each of its phases.

The project of the phase that keeps it is the deal's own: its group has the deal's key, as that of
a deal without phases. Thus nothing is made twice where a mapping gets phases, or loses them. Every
other phase has a group of its own (`taiga_pipeline.records.phase_key`). Pure, as
`taiga_pipeline.mapping.desired` is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from sync.records.model import DesiredGroup
from taiga_pipeline.mapping.dates import project_start, shift
from taiga_pipeline.mapping.demand import Staffing, days_of, named, phase_demand
from taiga_pipeline.mapping.desired import InPhase, desired_group
from taiga_pipeline.mapping.rules import PhaseRule, Rules, StageRule
from taiga_pipeline.mapping.several.phase_dates import (
    Became,
    Dates,
    Span,
    as_moved,
    as_planned,
    spans,
)
from taiga_pipeline.mapping.text import iso, normalise, one_line
from taiga_pipeline.people.model import Allocation
from taiga_pipeline.pipeline.model import Category, Deal, RoleDemand
from taiga_pipeline.records import phase_key


@dataclass(frozen=True, slots=True)
class Placed:
    """A phase of a deal in the calendar.

    ``start`` is the day from which its milestones are asked for; ``first`` and ``last`` are its
    days as people have moved them. All are None where the deal's start is unknown. ``followed``
    is off for one that a person stopped following.
    """

    rule: PhaseRule
    key: str
    demand: tuple[RoleDemand, ...]
    start: date | None
    first: date | None
    last: date | None
    followed: bool = True

    @property
    def summary(self) -> str:
        """Name and days, in a line."""
        days = [iso(day) for day in (self.first, self.last) if day is not None]
        return f"{one_line(self.rule.name)}{': ' if days else ''}{' – '.join(days)}"


def key_of(deal: str, phase: PhaseRule) -> str:
    """Returns the key of the project of a deal's phase."""
    return deal if phase.keeps_project else phase_key(deal, phase.id)


def keys_of(deal: Deal, rules: Rules | None) -> tuple[str, ...]:
    """Returns the keys of the projects of a deal's phases; none for a deal without any."""
    return tuple(key_of(deal.key, phase) for phase in rules.phases) if rules else ()


def placed(
    deal: Deal, rules: Rules, stage: StageRule, dates: Mapping[str, Dates]
) -> tuple[Placed, ...]:
    """Returns the phases of a deal in the order of its mapping.

    ``dates`` are those of milestones in the projects that are there, by the projects' keys.
    """
    won = stage.category is Category.WON
    start = project_start(deal, won=won, lead_time_weeks=rules.lead_time_weeks)
    demands = {phase.id: phase_demand(deal, rules, phase) for phase in rules.phases}
    days = {phase.id: days_of(demands[phase.id], phase.rules) for phase in rules.phases}
    became: Became = as_planned
    if start is not None:
        became = as_moved(start, lambda phase: dates.get(key_of(deal.key, phase)))
    found = spans(rules.phases, days, became)
    return tuple(
        replace(
            _placed(phase, key_of(deal.key, phase), demands[phase.id], start, found[phase.id]),
            followed=dates.get(key_of(deal.key, phase), Dates()).followed,
        )
        for phase in rules.phases
    )


def _placed(
    rule: PhaseRule, key: str, demand: tuple[RoleDemand, ...], start: date | None, span: Span
) -> Placed:
    last = None if span.after == span.first else shift(start, span.after - 1)
    return Placed(rule, key, demand, shift(start, span.planned), shift(start, span.first), last)


def phase_groups(  # noqa: PLR0913, PLR0917 - a deal, all that is known of it, and its projects
    deal: Deal,
    rules: Rules,
    stage: StageRule,
    staffing: Staffing,
    today: date,
    dates: Mapping[str, Dates],
) -> list[DesiredGroup]:
    """Returns the records that a deal with phases asks for, a group for each phase."""
    return [
        desired_group(deal, phase.rule.rules, stage, people, today, phase)
        for phase, people in in_phases(deal, rules, stage, staffing, dates)
    ]


def in_phases(
    deal: Deal, rules: Rules, stage: StageRule, staffing: Staffing, dates: Mapping[str, Dates]
) -> list[tuple[InPhase, Staffing]]:
    """Returns the phases of a deal, each with who is put on it."""
    there = placed(deal, rules, stage, dates)
    return [
        (
            InPhase(
                each.rule,
                each.key,
                each.demand,
                each.start,
                each.first,
                _listed(each, there, rules),
            ),
            _staffing(each, there, staffing),
        )
        for each in there
    ]


def _listed(this: Placed, there: Sequence[Placed], rules: Rules) -> tuple[str, ...]:
    """Returns the phases of the deal as the page in one of their projects tells of them."""
    mine = f" ({rules.words.this_project})"
    return tuple(f"{each.summary}{mine if each is this else ''}" for each in there if each.followed)


def _staffing(this: Placed, there: Sequence[Placed], staffing: Staffing) -> Staffing:
    """Returns who of a deal is put on one of its phases."""
    mine = tuple(each for each in named(staffing) if this in _phases_of(each, there, staffing))
    return replace(staffing, allocations=mine)


def _phases_of(
    allocation: Allocation, there: Sequence[Placed], staffing: Staffing
) -> Sequence[Placed]:
    """Returns the phases that someone works in: those that need the role, in the days of the work.

    Where no phase needs it, the days alone decide; where they fit none, it is the one that keeps
    the project.
    """
    person = staffing.people.get(normalise(allocation.email))
    role = normalise(allocation.role or (person.role if person else ""))
    then = [each for each in there if _overlap(allocation, each)]
    needing = [each for each in then if role in {normalise(item.role) for item in each.demand}]
    return needing or then or [each for each in there if each.rule.keeps_project]


def _overlap(allocation: Allocation, phase: Placed) -> bool:
    """Whether someone's days touch those of a phase; what is unknown touches all."""
    if phase.first is None:
        return True
    begins = allocation.start or date.min
    ends = allocation.end or date.max
    last = phase.last or phase.first
    return begins <= last and ends >= phase.first
