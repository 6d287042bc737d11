"""Planned revenue, cost and margin by quarter, as ranges over many futures.

Won deals count as they are planned. Open deals are drawn as for capacity: won or not, sooner or
later, with a common shock on all chances; if one is won, its weeks' money comes as many weeks later
as its project begins. A week belongs to the quarter of its Thursday. Needs numpy (the extra
``planning``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

import numpy as np

from taiga_pipeline.planning.capacity.drivers import profile
from taiga_pipeline.planning.capacity.pool import FEWEST
from taiga_pipeline.planning.capacity.rows import Floats, Row, Shape, Small, Step
from taiga_pipeline.planning.capacity.simulation import Simulation
from taiga_pipeline.planning.demand.deals import OpenDemand
from taiga_pipeline.planning.money.deals import DealMoney
from taiga_pipeline.planning.outlook import Outlooks
from taiga_pipeline.planning.weeks import WEEK, Weeks, monday

SHARES: Final = (0.2, 0.5, 0.8)
COUNT: Final = 4
"""Quarters that are looked at, this one among them."""
_ROUNDING: Final = 1e-5
"""Amounts below this part of the largest one are what rounding left."""
_LARGE: Final = 2e6
"""Money of one week above which single precision is not enough for the others beside it."""
_UNPRICED: Final = 0.05
"""Fewer hours without a rate than this are what rounding left."""
_THURSDAY: Final = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Spread:
    """P20, P50, P80 and mean over the futures; ``sure`` is what won deals alone come to."""

    sure: float
    low: float
    middle: float
    high: float
    expected: float


@dataclass(frozen=True, slots=True)
class QuarterMoney:
    """A quarter (``2026-Q4``) in one currency. ``hours`` are of all currencies together.

    ``margin`` is None where some hours that may fall into the quarter have no cost rate, or no bill
    rate and no stated value: then ``cost`` or ``revenue`` is not the whole of it.
    """

    quarter: str
    currency: str
    hours: Spread
    revenue: Spread
    cost: Spread
    margin: Spread | None


def quarter_of(week: date) -> str:
    """Returns the quarter that a week belongs to: ``2026-Q4``."""
    day = week + _THURSDAY
    return f"{day.year}-Q{(day.month + 2) // 3}"


def quarters_from(today: date, count: int = COUNT) -> tuple[str, ...]:
    """Returns the quarter of a day and those after it."""
    number = today.year * 4 + (today.month - 1) // 3
    return tuple(f"{each // 4}-Q{each % 4 + 1}" for each in range(number, number + count))


def weeks_of(today: date, count: int = COUNT) -> Weeks:
    """Returns the weeks from the first of this quarter to the last of the last quarter."""
    wanted = set(quarters_from(today, count))
    week = monday(date(today.year, 3 * ((today.month - 1) // 3) + 1, 1)) - WEEK
    while quarter_of(week) not in wanted:
        week += WEEK
    first = week
    while quarter_of(week) in wanted:
        week += WEEK
    return Weeks(first, (week - first).days // 7)


@dataclass(frozen=True, slots=True)
class Draws:
    """How many futures are drawn, and from which seed."""

    trials: int = 10_000
    seed: int = 1


def quarters_money(
    deals: Sequence[DealMoney],
    starts: Mapping[str, OpenDemand],
    outlooks: Outlooks,
    today: date,
    draws: Draws,
) -> tuple[QuarterMoney, ...]:
    """Returns each quarter in each currency, this quarter first.

    ``starts`` say when the projects of open deals may begin, by key, and when they are planned to.
    """
    weeks = weeks_of(today)
    currencies = sorted({each for deal in deals for each in (*deal.revenue, *deal.cost)})
    if not currencies:
        return ()
    plan = _Plan(weeks, currencies)
    sure = plan.sure(deal for deal in deals if deal.won)
    rows = [
        plan.row(deal, starts[deal.deal.key])
        for deal in deals
        if not deal.won and deal.deal.key in starts
    ]
    shape = Shape(plan.kinds, len(weeks), outlooks.common_shock_sd, outlooks.median)
    large = [at for at, row in enumerate(rows) if plan.is_large(row)] if len(rows) < FEWEST else []
    light = [plan.without_money(row) if at in large else row for at, row in enumerate(rows)]
    futures = Simulation(light, shape).run(draws.trials, draws.seed, large)
    apart = {at: (rows[at], futures.begins[at]) for at in large}
    drawn = _Drawn(futures.hours.astype(np.float64), tuple(apart.values()), shape)
    return tuple(plan.quarters(sure, drawn, quarters_from(today)))


@dataclass(frozen=True, slots=True)
class _Drawn:
    """What was drawn by kind, week and trial, without what rows in ``apart`` come to in money: that
    is added up in double precision. With them stands the week in which they begin by trial."""

    amounts: Floats
    apart: Sequence[tuple[Row, Small]]
    shape: Shape

    def of_kind(self, kind: int, weeks: Sequence[int]) -> Floats:
        """Returns what all rows come to in some weeks, by trial."""
        total = _cleaned(self.amounts[kind, weeks].sum(axis=0))
        for row, begin in self.apart if 0 < kind < self.shape.roles - 1 else ():
            by_late = profile(row, kind, self.shape)
            for week in weeks:
                total = total + by_late.take(np.uint16(week + self.shape.never) - begin)
        return total


class _Plan:
    """Money by week, laid out as the simulation has hours: a row of weeks for the hours, one
    for each currency's revenue and cost, and one for the hours without a rate."""

    def __init__(self, weeks: Weeks, currencies: Sequence[str]) -> None:
        self._weeks = weeks
        self._currencies = currencies
        self.kinds = 2 + 2 * len(currencies)

    def _amounts(self, deal: DealMoney) -> dict[tuple[int, date], float]:
        found: dict[tuple[int, date], float] = {}
        for week in deal.weeks:
            found[0, week.week] = week.hours
            found[self.kinds - 1, week.week] = week.unpriced
            for at, currency in enumerate(self._currencies):
                found[1 + 2 * at, week.week] = week.revenue.get(currency, 0.0)
                found[2 + 2 * at, week.week] = week.cost.get(currency, 0.0)
        return found

    def sure(self, deals: Iterable[DealMoney]) -> Floats:
        total = np.zeros((self.kinds, len(self._weeks)))
        for deal in deals:
            for (kind, week), amount in self._amounts(deal).items():
                at = self._weeks.index(week)
                if 0 <= at < len(self._weeks):
                    total[kind, at] += amount
        return total

    def row(self, deal: DealMoney, open_: OpenDemand) -> Row:
        """Returns an open deal for the simulation; its weeks are counted from its planned start."""
        begin = open_.entered
        steps: dict[tuple[int, int], float] = {}
        for (kind, week), amount in self._amounts(deal).items():
            at = (week - begin).days // 7
            for place, change in (((kind, at), amount), ((kind, at + 1), -amount)):
                steps[place] = steps.get(place, 0.0) + change
        kept: tuple[Step, ...] = tuple(
            (*place, steps[place]) for place in sorted(steps) if abs(steps[place]) > 1e-9
        )
        starts = tuple((self._weeks.index(week), chance) for week, chance in open_.starts)
        return Row(open_.probability, starts, kept)

    def is_large(self, row: Row) -> bool:
        """Whether single precision would lose the money of others beside that of a row."""
        return any(abs(amount) > _LARGE for kind, _, amount in row.steps if self._is_money(kind))

    def without_money(self, row: Row) -> Row:
        """Returns a row with its hours alone."""
        return replace(row, steps=tuple(each for each in row.steps if not self._is_money(each[0])))

    def _is_money(self, kind: int) -> bool:
        return 0 < kind < self.kinds - 1

    def quarters(self, sure: Floats, drawn: _Drawn, names: Sequence[str]) -> Iterable[QuarterMoney]:
        of_week = [quarter_of(week) for week in self._weeks]
        for name in names:
            at = [number for number, each in enumerate(of_week) if each == name]
            known = sure[:, at].sum(axis=1)
            every = [drawn.of_kind(kind, at) for kind in range(self.kinds)]
            kinds = np.array(every) + known[:, None]
            most, rest = kinds[0].max(initial=0.0), kinds[-1].max(initial=0.0)
            is_priced = rest < max(_UNPRICED, _ROUNDING * most)
            for number, currency in enumerate(self._currencies):
                revenue, cost = 1 + 2 * number, 2 + 2 * number
                yield QuarterMoney(
                    name,
                    currency,
                    _spread(kinds[0], known[0]),
                    _spread(kinds[revenue], known[revenue]),
                    _spread(kinds[cost], known[cost]),
                    _spread(kinds[revenue] - kinds[cost], known[revenue] - known[cost])
                    if is_priced
                    else None,
                )


def _cleaned(amounts: Floats) -> Floats:
    # What is added and taken off again in single precision leaves a rest that is no money.
    rest = np.abs(amounts) < _ROUNDING * np.abs(amounts).max(initial=0.0)
    return np.where(rest, 0.0, amounts)


def _spread(amounts: Floats, sure: float) -> Spread:
    low, middle, high = np.quantile(amounts, SHARES, method="inverted_cdf").tolist()
    return Spread(float(sure), low, middle, high, float(amounts.mean()))
