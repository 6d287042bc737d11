"""The exact distribution of a role's hours in a week, where few deals ask for it.

Where demand comes from a handful of deals, it jumps in steps as large as a deal, and a sampled
quantile may land a step too high or too low. Given the shared factor, deals are independent:
the distribution of their sum is the convolution of theirs, and the factor is integrated over by
Gauss-Hermite quadrature. With many deals sampling is close enough, and convolving too slow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import gcd
from typing import Final

import numpy as np

from taiga_pipeline.planning.capacity.drivers import profile
from taiga_pipeline.planning.capacity.rows import Floats, Integers, Row, Shape
from taiga_pipeline.planning.shock import before_shock

MOST_DEALS: Final = 40
MOST_WORK: Final = 300_000
"""Numbers that are kept for one role and week at most: factors times possible sums times deals."""
NODES: Final = 16
QUARTERS: Final = 4
"""Hours are counted in quarters; a deal whose hours are finer is rounded to them."""

_Outcomes = dict[int, float]
"""Quarters of an hour that a deal asks for if it is won, with their chances."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """Possible hours, rising, and their chances."""

    hours: Floats
    chances: Floats

    def quantile(self, share: float) -> float:
        """Returns the fewest hours that suffice with a chance of ``share``."""
        place = int(np.searchsorted(np.cumsum(self.chances), share - 1e-9))
        return float(self.hours[min(place, len(self.hours) - 1)])

    def expected_over(self, capacity: float) -> float:
        """Returns how many hours above ``capacity`` are expected."""
        return float(np.maximum(self.hours - capacity, 0) @ self.chances)

    def chance_over(self, capacity: float) -> float:
        """Returns the chance of more hours than ``capacity``."""
        return float(min(1.0, self.chances[self.hours > capacity + 1e-6].sum()))


class ExactRole:
    """One role's distributions.

    ``numbers`` are the rows that ask for the role, ``expected`` their expected hours by week.
    ``parts`` are what public holidays leave of each week; None: there are none.
    """

    def __init__(
        self,
        role: int,
        rows: Sequence[Row],
        shape: Shape,
        expected: tuple[Integers, Floats],
        parts: Floats | None = None,
    ) -> None:
        self._role = role
        self._rows = rows
        self._shape = shape
        self._numbers, self._expected = expected
        chances = np.array([rows[number].probability for number in self._numbers.tolist()])
        self._before = before_shock(chances, shape.common_shock_sd).tolist()
        self._parts = np.ones(shape.weeks) if parts is None else parts
        self._asking: Integers = np.count_nonzero(self._expected > 0, axis=0)
        self._hours: dict[int, Floats] = {}
        nodes, self._weights = _quadrature()
        self._factors: Floats = np.exp(shape.bias + shape.common_shock_sd * nodes)

    def of_week(self, week: int) -> Distribution | None:
        """Returns the distribution in a week, None where too many deals or sums are possible."""
        if self._asking[week] > MOST_DEALS:
            return None
        asking = [
            (self._before[at], self._outcomes(int(self._numbers[at]), week))
            for at in np.flatnonzero(self._expected[:, week] > 0).tolist()
        ]
        unit = gcd(*(quarters for _, outcomes in asking for quarters in outcomes)) or 1
        most = sum(max(outcomes) for _, outcomes in asking) // unit
        if most * NODES * len(asking) > MOST_WORK:
            return None
        sums = np.zeros((NODES, most + 1))
        sums[:, 0] = 1.0
        reached = 0
        for before, outcomes in asking:
            sums = self._with(sums, reached, before, outcomes, unit)
            reached += max(outcomes) // unit
        hours = np.arange(most + 1, dtype=np.float64) * (unit / QUARTERS * self._parts[week])
        return Distribution(hours, np.asarray(self._weights @ sums, dtype=np.float64))

    def _outcomes(self, number: int, week: int) -> _Outcomes:
        row = self._rows[number]
        if number not in self._hours:
            of_role = profile(row, self._role, self._shape)
            self._hours[number] = _by_start(row, of_role, self._shape)
        return _outcomes(row, self._hours[number][:, week])

    def _with(
        self, sums: Floats, reached: int, before: float, outcomes: _Outcomes, unit: int
    ) -> Floats:
        """Returns the chances of all sums with one deal more; up to ``reached`` they are set."""
        won = np.minimum(1.0, self._factors * before)[:, None]
        without = sums[:, : reached + 1]
        found: Floats = np.zeros_like(sums)
        np.multiply(without, 1 - won, out=found[:, : reached + 1])
        for quarters, chance in outcomes.items():
            step = quarters // unit
            found[:, step : step + reached + 1] += won * chance * without
        return found


@cache
def _quadrature() -> tuple[Floats, Floats]:
    """Returns the places and weights (together 1) at which the shared factor is looked at."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
    return nodes, weights / weights.sum()


def _by_start(row: Row, hours: Floats, shape: Shape) -> Floats:
    """Returns a won row's hours with the axes start, week."""
    starts = np.array([start for start, _ in row.starts], dtype=np.intp)
    since = np.arange(shape.weeks) - np.clip(starts, 0, shape.weeks)[:, None]
    found: Floats = hours[since + shape.never]
    found[starts >= shape.weeks] = 0
    return found


def _outcomes(row: Row, hours: Floats) -> _Outcomes:
    found: _Outcomes = {}
    for (_, chance), each in zip(row.starts, hours.tolist(), strict=True):
        quarters = round(each * QUARTERS)
        found[quarters] = found.get(quarters, 0.0) + chance
    return found
