"""What deals that the pipeline does not hold yet may ask for.

How many of them will be won, and when, is forecast from how deals came in lately. What each asks
for is what wins of the past asked for: every one of them stands for a part of the wins to come,
with its own roles and its own time from the win to the start.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil
from typing import Final

from taiga_pipeline.mapping.dates import project_start
from taiga_pipeline.mapping.demand import deal_demand
from taiga_pipeline.mapping.errors import NotMapped
from taiga_pipeline.mapping.mapping_set import MappingSet
from taiga_pipeline.mapping.text import normalise
from taiga_pipeline.pipeline.model import Category, Deal
from taiga_pipeline.planning.demand.deals import OpenDemand
from taiga_pipeline.planning.demand.milestones import Stretch
from taiga_pipeline.planning.weeks import WEEK, Weeks, monday

LOOK_BACK: Final = timedelta(days=365)
"""Wins of so long tell what the next ones will ask for."""
CHANCE: Final = 0.1
"""Each future win is ten chances of a tenth: so many independent ones vary nearly as those of a
Poisson process do."""
MOST_ROWS: Final = 5_000


@dataclass(frozen=True, slots=True)
class PastWin:
    """What a won deal asked for; ``lag_weeks`` after the win it began."""

    stretches: tuple[Stretch, ...]
    lag_weeks: int


@dataclass(frozen=True, slots=True)
class Unseen:
    """What deals to come may ask for, as rows to simulate.

    ``wins`` are expected from now to the last week, ``past`` were looked at for what they asked.
    """

    wins: float
    past: int
    rows: tuple[OpenDemand, ...]


def past_wins(
    deals: Iterable[Deal], mappings: MappingSet, as_of: date, team: str = ""
) -> tuple[list[PastWin], float]:
    """Returns what the wins of the past year asked for, and which part of all wins is of ``team``.

    A win that states no roles, and for which the mapping has none, asked for nothing.
    """
    found, everybody = [], 0
    for deal in deals:
        win = _past_win(deal, mappings, as_of)
        if win is None:
            continue
        everybody += 1
        if not team or normalise(deal.team) == normalise(team):
            found.append(win)
    return found, len(found) / everybody if everybody else 0.0


def _past_win(deal: Deal, mappings: MappingSet, as_of: date) -> PastWin | None:
    closed = deal.closed_on
    if closed is None or not as_of - LOOK_BACK < closed <= as_of:
        return None
    try:
        rules, stage = mappings.stage_of(deal)
    except NotMapped:
        return None
    if stage.category is not Category.WON:
        return None
    start = project_start(deal, won=True, lead_time_weeks=rules.lead_time_weeks) or closed
    stretches = tuple(
        Stretch(role.role, float(role.hours_per_week), role.start_week, role.weeks)
        for role in deal_demand(deal, rules)
        if role.hours_per_week > 0 and role.weeks > 0
    )
    return PastWin(stretches, max(0, (monday(start) - monday(closed)).days // 7))


def unseen_demand(
    coming: Sequence[tuple[date, float]], past: Sequence[PastWin], share: float, weeks: Weeks
) -> Unseen:
    """Returns what deals to come ask for in ``weeks``.

    ``coming`` are Mondays with the wins that are expected in their weeks; ``share`` is the part of
    them that is meant.
    """
    ahead = [(week, wins * share) for week, wins in coming if weeks.index(week) < len(weeks)]
    wins = sum(each for _, each in ahead)
    if not past or wins <= 0:
        return Unseen(wins, len(past), ())
    samples = past[:: ceil(len(past) / MOST_ROWS)]
    copies = min(ceil(wins / CHANCE / len(samples)), MOST_ROWS // len(samples))
    chance = min(1.0, wins / (copies * len(samples)))
    rows = [_row(win, ahead, wins, chance) for win in samples if win.stretches]
    return Unseen(wins, len(past), tuple(rows * copies))


def _row(
    win: PastWin, ahead: Sequence[tuple[date, float]], wins: float, chance: float
) -> OpenDemand:
    """Returns the demand of wins to come that are like one of the past."""
    later = WEEK * win.lag_weeks
    starts = tuple((week + later, each / wins) for week, each in ahead if each > 0)
    return OpenDemand("", chance, starts, starts[0][0], win.stretches)
