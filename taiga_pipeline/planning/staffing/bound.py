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
from operator import itemgetter
from typing import TYPE_CHECKING

import numpy as np

from taiga_pipeline.planning.staffing.problem import HALF, WHOLE

if TYPE_CHECKING:
    from taiga_pipeline.planning.staffing.tables import Floats, Integers, Tables

MEMORY = 0.7
"""How much of the last step's direction goes into the next one. Without it, steps zigzag: after 120
of them on 100 people the bound is at 150,000 instead of 234,000 (of a plan that costs 550,000)."""
STEP_CUT = 0.7
STEPS_BEFORE_CUT = 6
"""Steps without a better bound after which steps get shorter by `STEP_CUT`."""


def lower_bound(
    tables: Tables, cost: float, rounds: int, elapsed: Callable[[], float] = lambda: 0.0
) -> float:
    """Returns a lower bound of every plan's cost, after at most ``rounds`` steps; fewer when
    ``elapsed``, the part of the time that is used, comes to 1.

    ``cost`` is that of a known plan, which the length of the steps is made of.
    """
    prices = _Prices(tables)
    best, length, waited = prices.bound(), 1.0, 0
    for _ in range(rounds):
        if elapsed() >= 1 or best >= cost:
            break
        prices.step(length, cost)
        bound = prices.bound()
        if bound > best:
            best, waited = bound, 0
        else:
            waited += 1
        if waited >= STEPS_BEFORE_CUT:
            length, waited = length * STEP_CUT, 0
    return min(best, cost)


_Use = tuple["Integers", slice, "Floats"]
"""Workers, weeks, and hours per worker and week."""


class _Prices:
    """A price per hour of each worker and week, what all costs then, and who would do what."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._problem = tables.problem
        self._prices: Floats = np.zeros(tables.free.shape)
        self._regular = np.maximum(tables.regular, 0.0)
        self._overtime = np.maximum(tables.limit - self._regular, 0.0)
        self._used: Floats = np.zeros(tables.free.shape)
        self._direction: Floats = np.zeros(tables.free.shape)
        self._split = tables.problem.terms.split_cost
        self._value = 0.0

    def bound(self) -> float:
        """Returns the bound at the present prices, and remembers the hours that are used."""
        charge = self._problem.terms.overtime_cost
        over = np.maximum(self._prices - charge, 0.0)
        supply = float((self._prices * self._regular + over * self._overtime).sum())
        self._used = np.zeros(self._prices.shape)
        self._value = sum(map(self._project, range(len(self._problem.projects)))) - supply
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

    def _project(self, number: int) -> float:
        """Returns the cost of a project at its cheapest start."""
        project = self._problem.projects[number]
        best, uses = np.inf, list[_Use]()
        for delay in range(project.max_delay + 1):
            total, used = project.delay_cost * delay, list[_Use]()
            for request in self._problem.requests_of[number]:
                total += self._request(request, delay, used)
            if total < best:
                best, uses = total, used
        for workers, weeks, hours in uses:
            self._used[workers, weeks] += hours
        return float(best)

    def _request(self, number: int, delay: int, used: list[_Use]) -> float:
        """Returns the least that a request can cost: unmet, one person, two halves, or more parts.

        Parts are taken from whoever is cheapest in each week (or the two that are cheapest at a
        half each), and charged for as one hand-over only: a relaxation of every other way.
        """
        ask = self._tables.asks[number]
        if not len(ask.workers):
            return ask.ideal
        begin = ask.first + delay
        weeks = slice(begin, begin + ask.weeks)
        net_value = ask.weight - self._prices[ask.workers, weeks]
        whole = self._tables.offer(number, begin, WHOLE).gives
        half = self._tables.offer(number, begin, HALF).gives
        least_charge = ask.handover_cost + float(ask.penalties.min())
        ways = (
            _persons(net_value * whole, whole, ask.penalties, 1),
            _persons(net_value * half, half, ask.penalties + self._split, 2),
            _in_parts((net_value * whole, whole), (net_value * half, half), least_charge),
        )
        value, rows, hours = max(ways, key=itemgetter(0))
        if value <= 0:
            return ask.ideal
        used.append((ask.workers[rows], weeks, hours))
        return ask.ideal - value


_Way = tuple[float, "Integers", "Floats"]
"""What it is worth, the candidates (by position) and their hours per week."""


def _persons(values: Floats, hours: Floats, charges: Floats, count: int) -> _Way:
    """Returns the best ``count`` people, those only who are worth their charge."""
    totals = values.sum(axis=1) - charges
    best = np.argsort(-totals, kind="stable")[:count]
    best = best[totals[best] > 0]
    return float(totals[best].sum()), best, hours[best]


def _in_parts(wholes: tuple[Floats, Floats], halves: tuple[Floats, Floats], charge: float) -> _Way:
    """Returns for each week the best person, or the best two with a half each.

    ``wholes`` and ``halves`` are what the shares are worth, and their hours.
    """
    columns = np.arange(wholes[0].shape[1])
    best = wholes[0].argmax(axis=0)
    value_alone = np.maximum(wholes[0][best, columns], 0.0)
    pairs = np.argsort(-halves[0], axis=0, kind="stable")[:2]
    value_of_each = np.maximum(halves[0][pairs, columns], 0.0)
    value_shared = value_of_each.sum(axis=0)
    shared = value_shared > value_alone
    hours = np.zeros(wholes[0].shape)
    alone = ~shared & (value_alone > 0)
    hours[best[alone], columns[alone]] = wholes[1][best[alone], columns[alone]]
    for row, net_value in zip(pairs, value_of_each, strict=True):
        good = shared & (net_value > 0)
        hours[row[good], columns[good]] = halves[1][row[good], columns[good]]
    rows = np.flatnonzero(hours.any(axis=1))
    return float(np.maximum(value_alone, value_shared).sum()) - charge, rows, hours[rows]
