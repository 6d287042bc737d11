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
from taiga_pipeline.planning.forecast.record import Flags, Floats
from taiga_pipeline.planning.shock import before_shock

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
FEW_WINS: Final = 50
"""Values of so many wins are drawn one by one; what more of them bring together is nearly
log-normal, whatever single ones are like."""
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

    Deals whose value is known have no variance. Of the others a part ``nothing`` brings nothing,
    and what is expected of them may be off for all of them, by the part ``doubt`` (a standard
    deviation).
    """

    mean: Floats
    variance: Floats
    doubt: float = 0.0
    nothing: float = 0.0


def simulate_open(
    chances: tuple[Floats, Floats],
    prices: Mapping[str, Prices],
    factor: Floats,
    random: np.random.Generator,
    off: Floats | None = None,
) -> Sums:
    """Returns sums over deals whose chances to be won and decided in a period are given.

    ``chances`` are those `under_shock`, ``factor`` is what multiplies them in each trial: see
    `draw_factors`. Guessed values of a trial are ``off`` by so many standard deviations, as those
    of new deals are (None: it is drawn).
    """
    off = random.standard_normal(len(factor)) if off is None else off
    won, decided = chances
    # One matrix product sums wins, values and their variances at once.
    columns = [np.ones_like(won)]
    for price in prices.values():
        guessed = price.variance > 0
        columns += [price.mean * ~guessed, price.mean * guessed, price.variance]
    per_win = np.column_stack(columns).astype(np.float32)
    totals = np.zeros((len(factor), per_win.shape[1]))
    taken = np.zeros(len(factor))
    few = [name for name, price in prices.items() if _has_few_guessed(price, won, factor)]
    each_win = {name: np.zeros(len(factor)) for name in few}
    shared = np.maximum(factor, _LEAST).astype(np.float32)[:, None]
    possible = np.flatnonzero(decided > 1e-9)
    for start in range(0, len(possible), _CHUNK):
        some = possible[start : start + _CHUNK]
        draws = random.random((len(factor), len(some)), dtype=np.float32) / shared
        wins = draws < won[some].astype(np.float32)
        totals += wins.astype(np.float32) @ per_win[some]
        taken += np.count_nonzero(draws < decided[some].astype(np.float32), axis=1)
        for name in few:
            each_win[name] += _one_by_one(prices[name], wins, some, random)
    value = {}
    for place, (name, price) in enumerate(prices.items()):
        known, mean, variance = totals[:, 1 + 3 * place : 4 + 3 * place].T
        total = each_win[name] if name in few else _around(mean, variance, random)
        value[name] = known + total * _factor(price.doubt, off)
    return Sums(totals[:, 0], taken, value)


def _has_few_guessed(price: Prices, won: Floats, factor: Floats) -> bool:
    expected = float(np.minimum(won[price.variance > 0], 1.0).sum() * factor.mean())
    return 0 < expected < FEW_WINS


def _one_by_one(price: Prices, wins: Flags, deals: Counts, random: np.random.Generator) -> Floats:
    """Returns what the wins among some deals (second axis) bring whose values are guessed."""
    trial, at = np.nonzero(wins & (price.variance[deals] > 0))
    won = deals[at]
    drawn = _drawn(price.mean[won], price.variance[won], price.nothing, random)
    return np.asarray(np.bincount(trial, drawn, len(wins)), dtype=np.float64)


def _drawn(mean: Floats, variance: Floats, nothing: float, random: np.random.Generator) -> Floats:
    """Draws single values with these means and variances: a part is ``nothing``, others are
    log-normal."""
    there = 1.0 - nothing
    square = (1.0 + variance / np.maximum(mean, _TINY) ** 2) * there
    varies = np.log(np.maximum(square, 1.0))
    values = mean / there * np.exp(np.sqrt(varies) * random.standard_normal(len(mean)) - varies / 2)
    return np.asarray(np.where(random.random(len(mean)) < there, values, 0.0))


def _around(mean: Floats, variance: Floats, random: np.random.Generator) -> Floats:
    """Draws sums of values with these means and variances: log-normal, as sums of log-normal values
    nearly are (Fenton 1960)."""
    varies = np.log1p(variance / np.maximum(mean, _TINY) ** 2)
    return np.asarray(
        mean * np.exp(np.sqrt(varies) * random.standard_normal(len(mean)) - varies / 2)
    )


def _factor(doubt: float, off: Floats) -> Floats:
    """Returns the factors on guessed values that are ``off`` by so many times the ``doubt``.

    What is expected is as likely too low as too high: of values with a long tail few that are known
    have mostly missed the largest.
    """
    return np.asarray(np.exp(np.sqrt(np.log1p(doubt**2)) * off))


@dataclass(frozen=True, slots=True)
class NewPrice:
    """What new wins bring in one currency: see `Prices`. ``share`` is the part of the wins that
    come in it."""

    mean: float
    variance: float
    share: float = 1.0
    doubt: float = 0.0
    nothing: float = 0.0

    def of(self, wins: Counts, random: np.random.Generator, off: Floats) -> Floats:
        """Draws what numbers of wins bring together; ``off``: see `simulate_open`."""
        mine = np.asarray(random.binomial(wins, min(self.share, 1.0)), dtype=np.int64)
        return self._sums(mine, random) * _factor(self.doubt, off)

    def _sums(self, wins: Counts, random: np.random.Generator) -> Floats:
        if not self.variance or wins.mean() >= FEW_WINS:
            number = wins.astype(np.float64)
            return _around(number * self.mean, number * self.variance, random)
        each = np.ones(int(wins.sum()))
        drawn = _drawn(self.mean * each, self.variance * each, self.nothing, random)
        future = np.repeat(np.arange(len(wins)), wins)
        return np.asarray(np.bincount(future, drawn, len(wins)), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Newcomers:
    """What is expected of deals that are not there yet."""

    won: float
    decided: float
    dispersion: float
    prices: Mapping[str, NewPrice]


def simulate_new(
    expected: Newcomers,
    factor: Floats,
    random: np.random.Generator,
    off: Floats | None = None,
) -> Sums:
    """Returns sums over deals to come: counts vary ``dispersion`` times as much as Poisson.

    ``factor`` and ``off`` are those of `simulate_open`.
    """
    off = random.standard_normal(len(factor)) if off is None else off
    decided = _counts(expected.decided * factor, expected.dispersion, random)
    share = expected.won / expected.decided if expected.decided > 0 else 0.0
    won = random.binomial(decided, min(share, 1.0))
    value = {name: price.of(won, random, off) for name, price in expected.prices.items()}
    return Sums(won.astype(float), decided.astype(float), value)


def under_shock(chances: Floats, common_shock: CommonShock) -> Floats:
    """Returns what the factors of `draw_factors` are to multiply, so that over all trials each deal
    comes as often as its chance and what past forecasts were off by say, and never more than
    surely."""
    off = np.exp(common_shock.mean)
    before = before_shock(np.minimum(chances * off, 1.0), common_shock.sd)
    return np.asarray(before / off)


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
