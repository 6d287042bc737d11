"""Exact distributions of demand, worked out by convolution: what the simulation is held against.

Given the shared factor, deals are independent of each other, so that the distribution of their sum
is the convolution of theirs. The factor is integrated over its quantiles. Only for whole hours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from taiga_pipeline.planning.capacity.rows import Floats, Row, Shape

NODES = 200


@dataclass(frozen=True)
class Exact:
    """A distribution over 0, ``unit``, 2 ``unit`` ... hours."""

    chances: Floats
    unit: int

    @property
    def hours(self) -> Floats:
        return np.arange(len(self.chances)) * float(self.unit)

    def mean(self) -> float:
        return float(self.hours @ self.chances)

    def quantile(self, share: float) -> float:
        place = int(np.searchsorted(np.cumsum(self.chances), share - 1e-12))
        return float(self.hours[min(place, len(self.chances) - 1)])

    def below(self, hours: float) -> float:
        """The chance of fewer hours."""
        return float(self.chances[self.hours < hours - 1e-9].sum())

    def expected_over(self, capacity: float) -> float:
        return float(np.maximum(self.hours - capacity, 0) @ self.chances)

    def chance_over(self, capacity: float) -> float:
        return float(self.chances[self.hours > capacity + 1e-9].sum())


def exact(
    rows: Sequence[Row], shape: Shape, role: int, week: int, unit: int = 4, nodes: int = NODES
) -> Exact:
    """Returns the distribution of a role's hours in a week."""
    asked = [(row.probability, outcomes(row, role, week, shape.weeks)) for row in rows]
    asked = [(p, of) for p, of in asked if any(hours for hours in of)]
    most = sum(max(of) for _, of in asked)
    size = 1 << int(most // unit + 1).bit_length()
    waves = np.exp(-2j * np.pi * np.arange(size // 2 + 1) / size)
    normal = [NormalDist().inv_cdf((node + 0.5) / nodes) for node in range(nodes)]
    factors = np.exp(shape.bias + shape.common_shock_sd * np.array(normal))
    usual = factors / np.exp(shape.bias + shape.common_shock_sd**2 / 2)
    product = np.ones((nodes, size // 2 + 1), dtype=complex)
    powers: dict[int, Floats] = {}
    for probability, of in asked:
        own = np.zeros(size // 2 + 1, dtype=complex)
        for hours, chance in of.items():
            lattice = round(hours / unit)
            assert abs(lattice * unit - hours) < 1e-9, "hours off the lattice"
            if lattice not in powers:
                powers[lattice] = waves**lattice
            own += chance * (powers[lattice] - 1)
        won = np.minimum(1, factors * before(probability, usual))
        product *= 1 + won[:, None] * own
    return Exact(np.maximum(np.fft.irfft(product, size, axis=1).mean(axis=0), 0), unit)


def before(probability: float, factors: Floats) -> float:
    """Returns the chance that is ``probability`` in the mean over the factors, none above 1.

    The factors are 1 in the mean."""
    low, high = 0.0, 1e9
    while high - low > 1e-9 * high:
        middle = (low + high) / 2
        below = np.minimum(1, factors * middle).mean() < probability
        low, high = (middle, high) if below else (low, middle)
    return high


def outcomes(row: Row, role: int, week: int, weeks: int) -> dict[float, float]:
    """Returns a won deal's hours in a role and week, with their chances."""
    found: dict[float, float] = {}
    for start, chance in row.starts:
        begin = max(start, 0)
        hours = sum(
            change
            for each, late, change in row.steps
            if each == role and max(begin + late, 0) <= week and begin < weeks
        )
        found[hours] = found.get(hours, 0.0) + chance
    return found
