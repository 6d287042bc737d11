"""Whom a deal needs, phase by phase: each phase's weeks where its own project has them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from math import floor

from taiga_pipeline.mapping.demand import days_of, deal_demand, phase_demand
from taiga_pipeline.mapping.rules import PhaseRule, Rules, StageRule
from taiga_pipeline.mapping.several.phase_dates import Span, as_planned, spans
from taiga_pipeline.mapping.several.phases import key_of
from taiga_pipeline.mapping.values import DealView, Values
from taiga_pipeline.pipeline.model import Deal, RoleDemand
from taiga_pipeline.planning.demand.milestones import Milestones, TimeLine, time_line
from taiga_pipeline.planning.demand.starts import Beginning
from taiga_pipeline.planning.weeks import monday, working_day


@dataclass(frozen=True, slots=True)
class Stint:
    """Demand that runs by one time line: a deal's, or one of its phases'.

    ``weeks`` lie between the week of the deal's start and the one in which it begins. ``line``
    tells how its time runs, None as planned.
    """

    demand: tuple[RoleDemand, ...]
    line: TimeLine | None = None
    weeks: int = 0


def stints(
    deal: Deal,
    rules: Rules,
    stage: StageRule,
    begins: Beginning,
    milestones: Mapping[str, Milestones],
) -> Iterator[Stint]:
    """Yields whom a deal needs. ``milestones`` are those that delivery reported, by the projects'
    keys: a phase begins where people moved it, and so do those that come after it."""
    if not rules.phases or begins.first is None:
        yield Stint(deal_demand(deal, rules), begins.line)
        return
    start = begins.first
    demands = {phase.id: phase_demand(deal, rules, phase) for phase in rules.phases}
    days = {phase.id: days_of(demands[phase.id], phase.rules) for phase in rules.phases}
    lines: dict[str, TimeLine] = {}
    became = partial(_became, lines, DealView(deal, stage.name, stage.category, start, None))
    found = spans(
        rules.phases,
        days,
        lambda phase, planned, length: became(
            phase, planned, length, milestones.get(key_of(deal.key, phase), ())
        ),
    )
    for phase in rules.phases:
        first = start + timedelta(days=found[phase.id].first)
        weeks = (monday(working_day(first)) - monday(working_day(start))).days // 7
        yield Stint(demands[phase.id], lines.get(phase.id), weeks)


def _became(  # noqa: PLR0913, PLR0917 - a phase, and what is known of its project
    lines: dict[str, TimeLine],
    view: DealView,
    phase: PhaseRule,
    planned: int,
    days: int,
    milestones: Milestones,
) -> Span:
    """Returns what became of a phase, and notes the time line of one that was moved."""
    start: date = (view.start or date.min) + timedelta(days=planned)
    values = Values(view, phase.rules.placeholders)
    line = time_line(phase.rules, values, start, milestones) if milestones else None
    if line is None:
        return as_planned(phase, planned, days)
    lines[phase.id] = line
    return Span(
        planned, planned + floor(line.actual_day(0)), planned + floor(line.actual_day(days))
    )
