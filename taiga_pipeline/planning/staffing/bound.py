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
from typing import TYPE_CHECKING

import numpy as np

from taiga_pipeline.planning.staffing.pricing import blocks

if TYPE_CHECKING:
    from taiga_pipeline.planning.staffing.problem import Problem
    from taiga_pipeline.planning.staffing.tables import Floats, Integers, Tables

MEMORY = 0.7
"""How much of the last step's direction goes into the next one. Without it, steps zigzag: after 120
of them on 100 people the bound is at 150,000 instead of 234,000 (of a plan that costs 550,000)."""
STEP_CUT = 0.7
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
    prices, patience = _Prices(tables), max(LEAST_PATIENCE, int(rounds * PART_OF_PATIENCE))
    best, length, waited = Priced(prices.bound(), prices.table()), 1.0, 0
    for _ in range(rounds):
        if best.bound >= cost:
            break
        if elapsed() >= 1:
            best = replace(best, in_time=False)
            break
        prices.step(length, (best.bound + cost) / 2)
        bound = prices.bound()
        if bound > best.bound:
            best, waited = Priced(bound, prices.table()), 0
        else:
            waited += 1
        if waited >= patience:
            length, waited = length * STEP_CUT, 0
    return replace(best, bound=min(best.bound, cost))


class _Prices:
    """A price per hour of each worker and week, what all costs then, and who would do what."""

    def __init__(self, tables: Tables) -> None:
        self._problem = tables.problem
        self._shape = tables.free.shape
        self._blocks = blocks(tables)
        self._prices: Floats = np.zeros(tables.free.size)
        self._regular = np.maximum(tables.regular, 0.0).ravel()
        self._overtime = np.maximum(tables.limit.ravel() - self._regular, 0.0)
        self._used: Floats = np.zeros(tables.free.size)
        self._direction: Floats = np.zeros(tables.free.size)
        self._projects: Integers = np.array([ask.project for ask in tables.asks], dtype=np.intp)
        self._delay_costs = _delay_costs(self._problem)
        self._ideal = sum(ask.ideal for ask in tables.asks)
        self._value = 0.0

    def table(self) -> Floats:
        """Returns the present prices by worker and week."""
        return self._prices.reshape(self._shape).copy()

    def bound(self) -> float:
        """Returns the bound at the present prices, and remembers the hours that are used.

        Each project begins when that is cheapest.
        """
        charge = self._problem.terms.overtime_cost
        over = np.maximum(self._prices - charge, 0.0)
        supply = float((self._prices * self._regular + over * self._overtime).sum())
        looks = [block.look(self._prices) for block in self._blocks]
        costs = self._delay_costs.copy()
        for block, look in zip(self._blocks, looks, strict=True):
            places = self._projects[block.requests], block.delays
            np.subtract.at(costs, places, look.max(axis=1))
        starts = costs.argmin(axis=1)
        self._used = np.zeros(len(self._prices))
        for block, look in zip(self._blocks, looks, strict=True):
            rows = np.flatnonzero(starts[self._projects[block.requests]] == block.delays)
            block.use(rows, look[rows].argmax(axis=1), self._used)
        self._value = self._ideal + float(costs.min(axis=1).sum()) - supply
        return self._value

    def step(self, length: float, cost: float) -> None:
        """Raises prices where more hours are used than there are, and lowers the others."""
        charge = self._problem.terms.overtime_cost
        there = self._regular + np.where(self._prices > charge, self._overtime, 0.0)
        slope = self._used - there
        self._direction = slope + MEMORY * self._direction
        self._direction[(self._prices <= 0) & (self._direction < 0)] = 0.0
        steepness = float((self._direction**2).sum())
        if steepness > 0:
            self._prices += length * (cost - self._value) / steepness * self._direction
            np.maximum(self._prices, 0.0, out=self._prices)


def _delay_costs(problem: Problem) -> Floats:
    """Returns what each project's delays cost by themselves, infinite where they are too long."""
    longest = max((project.max_delay for project in problem.projects), default=0)
    weeks = np.arange(longest + 1)
    rows = [
        np.where(weeks <= project.max_delay, project.delay_cost * weeks, np.inf)
        for project in problem.projects
    ]
    return np.array(rows).reshape(len(rows), longest + 1)
