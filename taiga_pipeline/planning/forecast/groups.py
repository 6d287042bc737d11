"""A period's wins by group, such as team or service, and the chance to reach a goal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

import numpy as np

from taiga_pipeline.planning.forecast.forecast import Ground, prices_of, simulate_period
from taiga_pipeline.planning.forecast.periods import Period
from taiga_pipeline.planning.forecast.record import Floats
from taiga_pipeline.planning.forecast.simulate import (
    TRIALS,
    Range,
    Sums,
    draw_factors,
    range_of,
    simulate_open,
    under_shock,
)
from taiga_pipeline.planning.history.model import PastDeal

MOST_GROUPS: Final = 40
"""Groups that are looked at: those with the most deals."""


@dataclass(frozen=True, slots=True)
class GroupOutlook:
    """A group's wins of a period. ``won_value`` and ``value`` are by currency.

    ``won`` and ``won_value`` are of its days that are over, ``rest`` and ``value`` are expected of
    the ``open`` deals that are there now: deals that are still to come are in no group.
    """

    name: str
    open: int
    won: int
    won_value: Mapping[str, float]
    rest: Range
    value: Mapping[str, Range]


@dataclass(frozen=True, slots=True)
class Trials:
    """Futures of what is won in a whole period: so far, and in its rest. ``value`` is by currency.

    With ``open`` alone, deals that are still to come are left out.
    """

    won: Floats
    value: Mapping[str, Floats]

    def reached(self, goal: float, currency: str | None) -> tuple[Range, float]:
        """Returns the range of the value in a currency (None: of the number of wins), and the share
        of futures in which it reaches a goal."""
        none = np.zeros(len(self.won))
        found = self.won if currency is None else self.value.get(currency, none)
        return range_of(found), float((found >= goal).mean())


def groups_of(
    ground: Ground, period: Period, group: Callable[[str], str], seed: int = 0
) -> tuple[GroupOutlook, ...]:
    """Returns the wins of each group, those that bring most first. ``group`` names that of a deal
    by its key."""
    won = won_so_far(ground, period)
    counted = Counter(group(deal.key) for deal in (*ground.deals, *won))
    names = [name for name, _ in counted.most_common(MOST_GROUPS)]
    found = [_group(ground, period, name, group, seed) for name in names]
    return tuple(sorted(found, key=lambda each: (-_weight(each), each.name)))


def _weight(each: GroupOutlook) -> float:
    so_far = max(each.won_value.values(), default=0.0)
    return so_far + max((span.middle for span in each.value.values()), default=0.0)


def _group(
    ground: Ground, period: Period, name: str, group: Callable[[str], str], seed: int
) -> GroupOutlook:
    mine = [deal for deal in won_so_far(ground, period) if group(deal.key) == name]
    sums, number = _open_sums(ground, period, lambda key: group(key) == name, seed)
    value = {currency: range_of(each) for currency, each in sums.value.items()}
    return GroupOutlook(name, number, len(mine), values_of(mine), range_of(sums.won), value)


def won_so_far(ground: Ground, period: Period) -> list[PastDeal]:
    """Returns the deals that were won in the days of a period that are over."""
    before = ground.view.day - timedelta(days=period.passed)
    known = (*ground.history.decided, *ground.history.outcomes)
    return [deal for deal in known if deal.won and deal.closed and deal.closed > before]


def values_of(deals: Iterable[PastDeal]) -> dict[str, float]:
    """Returns what deals are worth, by currency."""
    found: dict[str, float] = {}
    for deal in deals:
        if deal.value:
            found[deal.currency] = found.get(deal.currency, 0.0) + float(deal.value)
    return dict(sorted(found.items()))


def _open_sums(
    ground: Ground, period: Period, is_in: Callable[[str], bool], seed: int
) -> tuple[Sums, int]:
    """Returns trials of some of the open deals, and how many those are."""
    view = ground.view
    mask = np.array([is_in(deal.key) for deal in ground.deals], dtype=bool)
    won, decided = view.open.within(period.first, period.last)
    prices = {
        name: replace(each, mean=each.mean[mask], variance=each.variance[mask])
        for name, each in prices_of(ground).items()
    }
    random = np.random.default_rng(seed)
    shock = ground.common_shock(period.first, period.last, "open")
    factor = draw_factors(shock, random, TRIALS)
    before = under_shock(won[mask], shock), under_shock(decided[mask], shock)
    return simulate_open(before, prices, factor, random), int(mask.sum())


def trials_of(
    ground: Ground, period: Period, is_in: Callable[[str], bool] | None = None, seed: int = 0
) -> Trials:
    """Returns futures of a period; with ``is_in``, of the deals that are there now and in it."""
    if is_in is None:
        sums = simulate_period(ground, period.first, period.last, seed)["all"]
        done = won_so_far(ground, period)
    else:
        sums, _ = _open_sums(ground, period, is_in, seed)
        done = [deal for deal in won_so_far(ground, period) if is_in(deal.key)]
    so_far = values_of(done)
    width = len(sums.won)
    value = {
        name: sums.value.get(name, np.zeros(width)) + so_far.get(name, 0.0)
        for name in dict.fromkeys((*sums.value, *so_far))
    }
    return Trials(sums.won + len(done), value)
