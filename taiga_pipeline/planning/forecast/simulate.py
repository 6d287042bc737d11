"""Ranges of sums: seeded trials of what may come, with the common shock of all deals.

Draws are never independent alone: every trial draws the common shock first, then the deals.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from taiga_pipeline.planning.forecast.common_shock import CommonShock
from taiga_pipeline.planning.forecast.record import Floats

TRIALS: Final = 2_000
Counts = npt.NDArray[np.int64]
_CHUNK: Final = 1_000
QUANTILES: Final = (0.1, 0.9)
HELD: Final = QUANTILES[1] - QUANTILES[0]
_FEW: Final = 60
_ALONE: Final = 0.75
"""One number alone is a range only if it is nearly as sure as a range is."""
_LOPSIDED: Final = 0.1
"""What a point of difference between a range's tails costs, in points off `HELD`."""
_TINY: Final = 1e-9
_LEAST: Final = 1e-30
"""A factor of chances below this is none: no draw is below what it leaves of them."""


@dataclass(frozen=True, slots=True)
class Range:
    """A median and the range that holds 80 of 100 futures: see `range_of`.

    ``any`` is the chance that it is more than nothing: what a median of 0 does not tell.
    """

    low: float
    middle: float
    high: float
    any: float = 1.0

    def plus(self, sure: float) -> Range:
        """Returns the range with something sure added."""
        some = 1.0 if sure else self.any
        return Range(self.low + sure, self.middle + sure, self.high + sure, some)


@dataclass(frozen=True, slots=True)
class Sums:
    """The trials' sums over a period: wins, decisions, and won value by currency."""

    won: Floats
    decided: Floats
    value: Mapping[str, Floats] = field(default_factory=dict)

    def __add__(self, other: Sums) -> Sums:
        value = {name: self.value[name] + other.value[name] for name in self.value}
        return Sums(self.won + other.won, self.decided + other.decided, value)


@dataclass(frozen=True, slots=True)
class Prices:
    """What deals bring if won, and the variance of that, in one currency.

    Deals whose value is known have no variance. What is expected of the others may be off for all
    of them, by the part ``doubt`` (a standard deviation).
    """

    mean: Floats
    variance: Floats
    doubt: float = 0.0


def simulate_open(
    chances: tuple[Floats, Floats],
    prices: Mapping[str, Prices],
    factor: Floats,
    random: np.random.Generator,
) -> Sums:
    """Returns sums over deals whose chances to be won and decided in a period are given.

    ``factor`` multiplies all chances of a trial: see `draw_factors`.
    """
    won, decided = chances
    # One matrix product sums wins, values and their variances at once.
    columns = [np.ones_like(won)]
    for price in prices.values():
        guessed = price.variance > 0
        columns += [price.mean * ~guessed, price.mean * guessed, price.variance]
    per_win = np.column_stack(columns).astype(np.float32)
    totals = np.zeros((len(factor), per_win.shape[1]))
    taken = np.zeros(len(factor))
    shared = np.maximum(factor, _LEAST).astype(np.float32)[:, None]
    possible = np.flatnonzero(decided > 1e-9)
    for start in range(0, len(possible), _CHUNK):
        some = possible[start : start + _CHUNK]
        draws = random.random((len(factor), len(some)), dtype=np.float32) / shared
        totals += (draws < won[some].astype(np.float32)).astype(np.float32) @ per_win[some]
        taken += np.count_nonzero(draws < decided[some].astype(np.float32), axis=1)
    value = {}
    for place, (name, price) in enumerate(prices.items()):
        known, mean, variance = totals[:, 1 + 3 * place : 4 + 3 * place].T
        value[name] = known + _around(mean, variance, price.doubt, random)
    return Sums(totals[:, 0], taken, value)


def _around(mean: Floats, variance: Floats, doubt: float, random: np.random.Generator) -> Floats:
    """Draws sums of values with these means and variances, where what is expected may be off by the
    part ``doubt``: log-normal, as sums of log-normal values nearly are (Fenton 1960).

    Variation does not move the mean. What is expected is as likely too low as too high: of values
    with a long tail few that are known have mostly missed the largest.
    """
    varies = np.log1p(variance / np.maximum(mean, _TINY) ** 2)
    wide = np.sqrt(varies + np.log1p(doubt**2))
    return np.asarray(mean * np.exp(wide * random.standard_normal(len(mean)) - varies / 2))


@dataclass(frozen=True, slots=True)
class Newcomers:
    """What is expected of deals that are not there yet; ``prices`` are mean, variance, the share of
    wins that come in this currency, and what the mean may be off by (in parts of it)."""

    won: float
    decided: float
    dispersion: float
    prices: Mapping[str, tuple[float, float, float, float]]


def simulate_new(expected: Newcomers, factor: Floats, random: np.random.Generator) -> Sums:
    """Returns sums over deals to come: counts vary ``dispersion`` times as much as Poisson."""
    decided = _counts(expected.decided * factor, expected.dispersion, random)
    share = expected.won / expected.decided if expected.decided > 0 else 0.0
    won = random.binomial(decided, min(share, 1.0))
    value = {}
    for name, (mean, variance, part, doubt) in expected.prices.items():
        mine = random.binomial(won, min(part, 1.0)).astype(np.float64)
        value[name] = _around(mine * mean, mine * variance, doubt, random)
    return Sums(won.astype(float), decided.astype(float), value)


def draw_factors(common_shock: CommonShock, random: np.random.Generator, trials: int) -> Floats:
    """Draws the factor that all chances of a trial share."""
    return np.asarray(
        np.exp(common_shock.median + common_shock.sd * random.standard_normal(trials))
    )


def _counts(mean: Floats, dispersion: float, random: np.random.Generator) -> Counts:
    """Draws gamma-Poisson (negative binomial) counts whose variance is dispersion x mean."""
    if dispersion > 1.0:
        mean = random.gamma(np.maximum(mean, 1e-12) / (dispersion - 1.0), dispersion - 1.0)
    return random.poisson(mean)


def range_of(trials: Floats) -> Range:
    """Returns the range that holds 80 of 100 trials, and their median.

    Its ends are P10 and P90. Where few different numbers come, these would hold many more than
    that: then each end may be the next number farther in, whichever range holds the share nearest
    to 80 %. With a chance of 47 % for no win and of 35 % for one, it is 0 to 1. So a range holds
    more than 80 here and less there, and about 80 of 100 over many.
    """
    values, counts = np.unique(trials, return_counts=True)
    middle, some = float(np.median(trials)), float((trials > 0).mean())
    if len(values) <= _FEW:
        low, high = _few(values, counts / len(trials))
        return Range(min(low, middle), middle, max(high, middle), some)
    least = counts[0] / len(trials)
    low, high = np.quantile(trials, QUANTILES if least < QUANTILES[0] else (0.0, HELD))
    return Range(float(low), middle, float(high), some)


def _few(values: Floats, shares: Floats) -> tuple[float, float]:
    """Returns the ends of the range of a few values with these shares: P10 and P90, or the next
    value farther in."""
    after = np.cumsum(shares)
    low, high = (int(np.searchsorted(after, each - _TINY)) for each in QUANTILES)
    pairs = ((first, last) for first in (low, low + 1) for last in (low, high - 1, high))
    ends = [
        (first, last)
        for first, last in pairs
        if first < last or (first == last and shares[first] >= _ALONE)
    ] or [(low, high)]

    def cost(ends: tuple[int, int]) -> float:
        below, above = after[ends[0]] - shares[ends[0]], 1.0 - after[ends[1]]
        return float(abs(1.0 - below - above - HELD) + _LOPSIDED * abs(below - above))

    first, last = min(ends, key=cost)
    return float(values[first]), float(values[last])
