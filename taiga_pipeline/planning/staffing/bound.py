"""A cost that no plan can go below, to tell how much better a plan could be at most.

Lagrangian relaxation: hours of workers get prices, and each project is staffed by itself at these
prices, in the cheapest way. Whatever the prices, the sum is a lower bound; subgradient steps look
for prices that make it high. See Fisher, "The Lagrangian relaxation method for solving integer
programming problems", Management Science 27 (1981), and Camerini, Fratta and Maffioli, "On
improving relaxation methods by modified gradient techniques" (1975). The rule of at most so many
projects at once is left out, which can only lower the bound.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from taiga_pipeline.planning.staffing.packing import Packing
from taiga_pipeline.planning.staffing.pricing import blocks

if TYPE_CHECKING:
    from taiga_pipeline.planning.staffing.pricing import Block
    from taiga_pipeline.planning.staffing.problem import Problem
    from taiga_pipeline.planning.staffing.tables import Floats, Integers, Tables

MEMORY = 0.7
"""How much of the last step's direction goes into the next one. Without it, steps zigzag: after 120
of them on 100 people the bound is at 150,000 instead of 234,000 (of a plan that costs 550,000)."""
STEP_CUT = 0.7
FIRST_LENGTH = 0.07
"""Of the first step from prices that are good already."""
LEAST_PATIENCE = 3
PART_OF_PATIENCE = 1 / 30
"""Steps without a better bound, as a part of all, after which they get shorter by `STEP_CUT`. Who
has few of them cannot wait; who has many finds better prices."""


@dataclass(frozen=True, slots=True)
class Priced:
    """A lower bound of every plan's cost, and the prices per hour that give it, by worker and week
    (p x w). ``in_time`` is False when the clock ended the steps."""

    bound: float
    prices: Floats
    in_time: bool = True


def price_hours(
    tables: Tables, cost: float, rounds: int, elapsed: Callable[[], float] = lambda: 0.0
) -> Priced:
    """Looks for prices that make the bound high, in at most ``rounds`` steps; fewer when
    ``elapsed``, the part of the time that is used, comes to 1.

    ``cost`` is that of a known plan. The least cost is taken to be half way from the bound to it:
    the length of the steps is made of that.
    """
    offers = blocks(tables)
    index = [block.places for block in offers]
    prices = _Prices(tables, offers, _AnyHours(tables), index, np.zeros(tables.free.size))
    found = _climb(prices, cost, rounds, 1.0, elapsed)
    return replace(found, prices=found.prices.reshape(tables.free.shape))


def pack_hours(
    tables: Tables,
    priced: Priced,
    cost: float,
    rounds: int,
    elapsed: Callable[[], float] = lambda: 0.0,
) -> Priced:
    """Raises a bound by what weeks can hold (see `packing`): from ``priced`` on, whose prices stay.

    The other arguments are those of `price_hours`.
    """
    offers = blocks(tables)
    if not offers:
        return priced
    packing = Packing(tables, offers)
    start = priced.prices.ravel()[packing.weeks]
    prices = _Prices(tables, offers, packing, packing.index, start)
    found = _climb(prices, cost, rounds, FIRST_LENGTH, elapsed)
    bound = max(found.bound, priced.bound)
    return replace(priced, bound=bound, in_time=priced.in_time and found.in_time)


def _climb(
    prices: _Prices, cost: float, rounds: int, length: float, elapsed: Callable[[], float]
) -> Priced:
    patience = max(LEAST_PATIENCE, int(rounds * PART_OF_PATIENCE))
    best, waited = Priced(prices.bound(), prices.prices), 0
    for _ in range(rounds):
        if best.bound >= cost:
            break
        if elapsed() >= 1:
            best = replace(best, in_time=False)
            break
        prices.step(length, (best.bound + cost) / 2)
        bound = prices.bound()
        if bound > best.bound:
            best, waited = Priced(bound, prices.prices), 0
        else:
            waited += 1
        if waited >= patience:
            length, waited = length * STEP_CUT, 0
    return replace(best, bound=min(best.bound, cost))


class _Supply(Protocol):
    """What people have: hours at prices."""

    def fill(self, prices: Floats) -> tuple[float, Floats]:
        """Returns what all hours are worth at most at these prices, less the cost of overtime, and
        the hours that are sold then."""
        ...


class _AnyHours:
    """All hours of people's weeks, in any parts: one price for each place."""

    def __init__(self, tables: Tables) -> None:
        self._charge = tables.problem.terms.overtime_cost
        self._regular = np.maximum(tables.regular, 0.0).ravel()
        self._overtime = np.maximum(tables.limit.ravel() - self._regular, 0.0)

    def fill(self, prices: Floats) -> tuple[float, Floats]:
        over = np.maximum(prices - self._charge, 0.0)
        worth = float((prices * self._regular + over * self._overtime).sum())
        return worth, self._regular + np.where(prices > self._charge, self._overtime, 0.0)


class _Prices:
    """A price per hour of each worker and week (or of each item in it), what all costs then, and
    who would do what. ``index`` says which price is whose, by block."""

    def __init__(
        self,
        tables: Tables,
        offers: list[Block],
        supply: _Supply,
        index: list[Integers],
        prices: Floats,
    ) -> None:
        self._problem = tables.problem
        self._blocks = offers
        self._index = index
        self._supply = supply
        self.prices = prices
        self._slope: Floats = np.zeros(len(prices))
        self._direction: Floats = np.zeros(len(prices))
        self._projects: Integers = np.array([ask.project for ask in tables.asks], dtype=np.intp)
        self._start_costs = _start_costs(self._problem)
        self._value = 0.0

    def bound(self) -> float:
        """Returns the bound at the present prices, and remembers which hours lack.

        Each project begins when that is cheapest.
        """
        worth, sold = self._supply.fill(self.prices)
        pairs = list(zip(self._blocks, self._index, strict=True))
        looks = [block.look(self.prices[index]) for block, index in pairs]
        costs = self._start_costs.copy()
        for (block, _), look in zip(pairs, looks, strict=True):
            places = self._projects[block.requests], block.delays
            np.subtract.at(costs, places, look.max(axis=1))
        starts = costs.argmin(axis=1)
        used: Floats = np.zeros(len(self.prices))
        for (block, index), look in zip(pairs, looks, strict=True):
            rows = np.flatnonzero(starts[self._projects[block.requests]] == block.delays)
            block.use(rows, look[rows].argmax(axis=1), index, used)
        self._slope = used - sold
        self._value = float(costs.min(axis=1).sum()) - worth
        return self._value

    def step(self, length: float, cost: float) -> None:
        """Raises prices where more hours are used than there are, and lowers the others."""
        self._direction = self._slope + MEMORY * self._direction
        self._direction[(self.prices <= 0) & (self._direction < 0)] = 0.0
        steepness = float((self._direction**2).sum())
        if steepness > 0:
            self.prices = self.prices + length * (cost - self._value) / steepness * self._direction
            np.maximum(self.prices, 0.0, out=self.prices)


def _start_costs(problem: Problem) -> Floats:
    """Returns what each project costs by its start as long as nobody is on it, infinite where it
    would begin too late."""
    longest = max((project.max_delay for project in problem.projects), default=0)
    costs: Floats = np.full((len(problem.projects), longest + 1), np.inf)
    for number, project in enumerate(problem.projects):
        for weeks in range(project.max_delay + 1):
            costs[number, weeks] = problem.unstaffed_cost(number, weeks)
    return costs
