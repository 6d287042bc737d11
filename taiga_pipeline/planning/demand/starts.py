"""When a deal's project begins: one rule for capacity, staffing and scenarios.

The first day is where delivery's milestones have moved it; else as the deal states it; else its
close plus the lead time. One at a weekend counts as the Monday after: nobody works before it. A
deal that is still to be won is held to one more rule, once: its project begins at the earliest the
time from the win to the start after today.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from math import floor
from typing import Final

from taiga_pipeline.mapping.dates import project_start
from taiga_pipeline.mapping.rules import Rules, StageRule
from taiga_pipeline.mapping.values import DealView, Values
from taiga_pipeline.pipeline.model import Category, Deal
from taiga_pipeline.planning.demand.milestones import Milestones, TimeLine, time_line
from taiga_pipeline.planning.weeks import WEEK, monday, working_day

_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Beginning:
    """When a deal's project begins.

    ``first`` is its first day, None if nothing tells; ``is_fixed`` says that the deal or delivery
    names it, so that it does not move with the close. ``lead_weeks`` pass from the win to the start
    at least. ``line`` tells how the project's time runs, None as planned. ``is_open``: the deal is
    still to be won.
    """

    first: date | None
    lead_weeks: int
    is_open: bool
    is_fixed: bool = False
    line: TimeLine | None = None

    def day(self, today: date, delay_weeks: int = 0) -> date | None:
        """Returns the first day as it counts in a plan of ``today``; None if nothing tells.

        ``delay_weeks`` are supposed on top of it.
        """
        if self.first is None:
            return None
        first = working_day(self.first)
        if not self.is_open:
            return first + WEEK * delay_weeks
        return max(max(first, today + WEEK * self.lead_weeks) + WEEK * delay_weeks, today)

    def soonest(self, today: date) -> date:
        """Returns the Monday of the first week in which the project can still begin; a week that
        has begun is over for that."""
        if self.is_open and self.lead_weeks:
            return monday(today + WEEK * self.lead_weeks)
        return monday(today) + WEEK * bool(today.weekday())


def beginning(deal: Deal, rules: Rules, stage: StageRule, milestones: Milestones) -> Beginning:
    """Returns when a deal's project begins. ``milestones`` are those that delivery reported."""
    is_open = not stage.category.is_closed
    won = stage.category is Category.WON
    planned = project_start(deal, won=won, lead_time_weeks=rules.lead_time_weeks)
    if planned is None:
        return Beginning(None, rules.lead_time_weeks, is_open)
    line = _line(deal, rules, stage, planned, milestones) if milestones else None
    first = planned if line is None else planned + _DAY * floor(line.actual_day(0))
    close = deal.expected_close or first
    apart = max(0, (monday(first) - monday(close)).days // 7)
    is_fixed = deal.start is not None or line is not None
    lead = min(rules.lead_time_weeks, apart) if is_fixed else rules.lead_time_weeks
    return Beginning(first, lead, is_open, is_fixed, line)


def _line(
    deal: Deal, rules: Rules, stage: StageRule, planned: date, milestones: Milestones
) -> TimeLine | None:
    chance = stage.chance(deal.probability)
    view = DealView(deal, stage.name, stage.category, planned, chance)
    return time_line(rules, Values(view, rules.placeholders), planned, milestones)
