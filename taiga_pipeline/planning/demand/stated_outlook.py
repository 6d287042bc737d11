"""What to expect of open deals when nothing was learnt from history yet.

The chance to win is the deal's own, else its stage's, else a usual one of the stage's category.
The week of the decision spreads around the expected close: decisions come late more often than
early. These are plain guesses, kept for pipelines with little history; a forecast from the
pipeline's own history takes their place where there is one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Final

from taiga_pipeline.mapping.errors import NotMapped
from taiga_pipeline.mapping.mapping_set import MappingSet
from taiga_pipeline.mapping.rules import StageRule
from taiga_pipeline.pipeline.model import Category, Deal
from taiga_pipeline.planning.outlook import Outlook, Outlooks
from taiga_pipeline.planning.weeks import WEEK, monday

USUAL_PROBABILITY: Final[Mapping[Category, float]] = {
    Category.LEAD: 0.1,
    Category.QUALIFIED: 0.2,
    Category.NEEDS: 0.35,
    Category.PROPOSAL: 0.5,
}
"""The chance to win of deals for which neither they nor their mapping state one."""

SLIPPAGE: Final = (
    (-1, 0.10),
    (0, 0.30),
    (1, 0.18),
    (2, 0.12),
    (4, 0.12),
    (8, 0.10),
    (13, 0.08),
)
"""Weeks from the expected close to the decision, with the chance of each."""


def plain_outlooks(deals: Iterable[Deal], mappings: MappingSet, as_of: date) -> Outlooks:
    """Returns what to expect of each open deal that has a close or a start.

    A close that has passed counts from the week of ``as_of`` on: the decision is still to come.
    """
    return Outlooks({outlook.deal_key: outlook for outlook in _each(deals, mappings, as_of)})


def _each(deals: Iterable[Deal], mappings: MappingSet, as_of: date) -> Iterator[Outlook]:
    now = monday(as_of)
    spreads: dict[date, tuple[tuple[date, float], ...]] = {}
    for deal in deals:
        try:
            rules, stage = mappings.stage_of(deal)
        except NotMapped:
            continue
        close = close_week(deal, rules.lead_time_weeks)
        if stage.category.is_closed or close is None:
            continue
        week = max(close, now)
        if week not in spreads:
            spreads[week] = spread(week, now)
        yield Outlook(deal.key, probability_of(deal, stage), spreads[week])


def probability_of(deal: Deal, stage: StageRule) -> float:
    """Returns the chance to win a deal, 0 to 1; of one that is decided, 1 or 0."""
    chance = stage.chance(deal.probability)
    if chance is None:
        return USUAL_PROBABILITY.get(stage.category, 0.0)
    return min(1.0, max(0.0, float(chance)))


def close_week(deal: Deal, lead_time_weeks: int) -> date | None:
    """Returns the week in which a decision is expected; from the start if no close is stated."""
    if deal.expected_close is not None:
        return monday(deal.expected_close)
    if deal.start is not None:
        return monday(deal.start) - WEEK * lead_time_weeks
    return None


def spread(close: date, now: date) -> tuple[tuple[date, float], ...]:
    """Returns the weeks of a decision around ``close`` with their chances, none before ``now``."""
    chances: dict[date, float] = {}
    for late, chance in SLIPPAGE:
        week = max(close + WEEK * late, now)
        chances[week] = chances.get(week, 0.0) + chance
    return tuple(sorted(chances.items()))
