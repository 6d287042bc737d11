"""Many small deals drawn together, in place of one by one.

Given the shared factor, deals are independent, and the sum of many small ones is close to a normal
distribution, a little skewed. So what matters of them is worked out exactly, for each role and week
and for several factors: mean, variance and third cumulant of their sum. Normal numbers, correlated
as the deals tie roles and weeks together, are bent to these by Wilson and Hilferty's cube ("The
distribution of chi-square", PNAS 17, 1931). Deals that stand out in a role and week, and all where
there are few, are drawn one by one (`simulation`). Needs numpy (the extra ``planning``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from taiga_pipeline.planning.capacity.rows import (
    Floats,
    Integers,
    Shape,
    Single,
    Table,
    hours_if_won,
    three_powers,
)
from taiga_pipeline.planning.shock import before_shock

FEWEST: Final = 500
"""Deals below which pooling does not pay."""
MOST_SKEWED: Final = 1.0
"""The third cumulant that a pool may have in a role and week, for a spread of 1 of all deals."""
MOST_OF_ONE: Final = 0.1
"""The part of the variance of a role and week that one deal of a pool may have."""
SAMPLE: Final = 1024
"""Deals that tell how roles and weeks move together."""
UNTIED: Final = 1e-4
"""The part of the variance that moves by itself: keeps the correlations well conditioned."""
NODES: Final = 33
"""Factors for which cumulants are worked out."""

Chosen = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Moments:
    """Means of a role's hours and of their second and third powers, by row and week, supposed that
    the rows are won. ``rows`` are their numbers."""

    rows: Integers
    first: Floats
    second: Floats
    third: Floats

    def only(self, chosen: Chosen) -> _Moments:
        """Returns those of some rows."""
        kept = chosen[self.rows]
        if kept.all():
            return self
        return _Moments(self.rows[kept], self.first[kept], self.second[kept], self.third[kept])

    def cumulants(self, chance: Floats) -> tuple[Floats, Floats, Floats]:
        """Returns the sums of the rows' first three cumulants, by factor and week. ``chance`` is
        that of each row (factor x row)."""
        twice = chance**2
        first, cubed = self.first, self.first**3
        mean = chance @ first
        variance = chance @ self.second - twice @ first**2
        third = chance @ self.third - 3 * (twice @ (first * self.second))
        return mean, variance, third + 2 * ((twice * chance) @ cubed)


def _moments(table: Table, shape: Shape) -> list[_Moments]:
    return [_Moments(rows, *powers) for rows, powers in three_powers(table, shape)]


def _shaken(before: Floats, factors: Floats) -> Floats:
    """Returns the chances of rows (`before_shock`) under factors (factor x row)."""
    return np.minimum(1.0, factors[:, None] * before)


@dataclass(frozen=True, slots=True)
class Choice:
    """Which rows are drawn together, and their moments by role if they were worked out for that."""

    chosen: Chosen
    moments: Sequence[_Moments] = ()

    def __post_init__(self) -> None:
        moments = [each.only(self.chosen) for each in self.moments]
        object.__setattr__(self, "moments", moments)


def choose(table: Table, shape: Shape) -> Choice:
    """Returns which rows may be drawn together: none where that does not pay.

    Those are left that would bring more than `MOST_SKEWED` into a role and week, or `MOST_OF_ONE`.
    """
    chosen = table.probability > 0
    if chosen.sum() < FEWEST or not _pays(table, chosen, shape):
        return Choice(np.zeros(len(chosen), dtype=bool))
    by_role = _moments(table, shape)
    for moments, most_hours in zip(by_role, _most_hours(table, shape), strict=True):
        chosen[moments.rows[_stands_out(moments, most_hours, table, shape)]] = False
    if chosen.sum() < FEWEST or not _pays(table, chosen, shape):
        return Choice(np.zeros(len(chosen), dtype=bool))
    return Choice(chosen, by_role)


def _pays(table: Table, chosen: Chosen, shape: Shape) -> bool:
    """Compares what a trial costs, in nanoseconds as measured on one machine."""
    cells = shape.roles * shape.weeks
    kept = chosen[table.row]
    alone = 3.0 * chosen.sum() + 8.0 * table.probability[table.row[kept]].sum()
    return bool(alone > cells * (15.0 + cells / 40.0))


def _most_hours(table: Table, shape: Shape) -> Iterator[float]:
    """Yields for each role hours that no row exceeds in a week."""
    for role in range(shape.roles):
        rises = (table.role == role) & (table.hours > 0)
        yield float(np.bincount(table.row[rises], table.hours[rises]).max(initial=0.0))


def _stands_out(moments: _Moments, most_hours: float, table: Table, shape: Shape) -> Chosen:
    """Returns the rows of a role that are to be drawn by themselves."""
    found = np.zeros(len(moments.rows), dtype=bool)
    middle = np.exp([shape.bias])
    before = before_shock(table.probability[moments.rows], shape.common_shock_sd)
    chance = _shaken(before, middle)[0]
    hours = moments.first
    mean = chance @ hours
    own = chance @ moments.second - np.einsum("i,ij,ij->j", chance**2, hours, hours)
    variance = np.maximum(own + (shape.common_shock_sd * mean) ** 2, 0)
    most = MOST_SKEWED * np.sqrt(variance) ** 3
    # A deal's variance is at most a quarter of its most hours squared, and third cumulants are at
    # most the most hours times the variance: most weeks need no closer look.
    may = (most_hours**2 / 4 > MOST_OF_ONE * variance) | (most_hours * own > most)
    for week in np.flatnonzero(may).tolist():
        first, second = hours[:, week], moments.second[:, week]
        found |= chance * second - (chance * first) ** 2 > MOST_OF_ONE * variance[week]
        lean = chance * (moments.third[:, week] - 3 * chance * first * second)
        third = np.abs(lean + 2 * (chance * first) ** 3)
        order = np.argsort(third, kind="stable")
        found[order[np.cumsum(third[order]) > most[week]]] = True
    return found


@dataclass(frozen=True, slots=True)
class Cumulants:
    """Of pooled rows, by factor (rising), role and week: mean, by how much it grows with the
    factor, variance and third cumulant. All are sums over rows."""

    mean: Floats
    growth: Floats
    variance: Floats
    third: Floats

    def __add__(self, other: Cumulants) -> Cumulants:
        return Cumulants(
            self.mean + other.mean,
            self.growth + other.growth,
            self.variance + other.variance,
            self.third + other.third,
        )

    @property
    def spread(self) -> Floats:
        """The standard deviation."""
        return np.sqrt(np.maximum(self.variance, 0))

    @property
    def lean(self) -> Floats:
        """A sixth of the skewness; 0 where there is nothing."""
        spread = self.spread
        return np.where(spread > 1e-6, self.third / np.maximum(spread, 1e-6) ** 3 / 6, 0.0)

    def __sub__(self, other: Cumulants) -> Cumulants:
        return Cumulants(
            self.mean - other.mean,
            self.growth - other.growth,
            self.variance - other.variance,
            self.third - other.third,
        )


class Pool:
    """Rows that are drawn together, for trials with the given shared ``factors``, which rise."""

    def __init__(self, table: Table, choice: Choice, shape: Shape, factors: Single) -> None:
        self._shape = shape
        self._factors = factors
        self._nodes, self._ends = _nodes(factors)
        pooled = table.only(choice.chosen)
        self._cumulants = self._sums(table, choice.moments or _moments(pooled, shape))
        self._tied = _correlated(pooled, choice.chosen, shape)

    def cumulants(self, table: Table) -> Cumulants:
        """Returns the cumulants of a table's rows under the pool's factors."""
        return self._sums(table, _moments(table, self._shape))

    def _sums(self, table: Table, by_role: Sequence[_Moments]) -> Cumulants:
        parts = []
        for moments in by_role:
            before = before_shock(table.probability[moments.rows], self._shape.common_shock_sd)
            chance = _shaken(before, self._nodes)
            grows = np.where(chance < 1, before, 0.0)
            mean, variance, third = moments.cumulants(chance)
            parts.append((mean, grows @ moments.first, variance, third))
        return Cumulants(*(np.stack(each, axis=1) for each in zip(*parts, strict=True)))

    def unit(self, seed: int) -> Single:
        """Draws the hours less their mean, for a spread of 1 at the middle factor of each node
        (role, week, trial).

        Trials of about the same factor get opposite normal numbers.
        """
        source = np.random.Generator(np.random.SFC64([seed, 2]))
        cells, trials = len(self._tied), len(self._factors)
        half = self._tied @ source.standard_normal((cells, (trials + 1) // 2), dtype=np.float32)
        both = np.empty((cells, trials), dtype=np.float32)
        both[:, ::2] = half
        np.negative(half[:, : trials // 2], out=both[:, 1::2])
        found = both.reshape(self._shape.roles, self._shape.weeks, trials)
        lean = self._cumulants.lean
        for at, span in self._spans():
            bent = found[..., span]
            bent -= _column(lean[at])
            bend = bent * _column(lean[at])
            bent *= np.sqrt(self._factors[span] / np.float32(self._nodes[at]))
            more = bend / 3  # 1 + bend * (1 + bend / 3), in place
            more += 1
            more *= bend
            more += 1
            bent *= more
        return found

    def _spans(self) -> Iterator[tuple[int, slice]]:
        for at, ends in enumerate(pairwise(self._ends)):
            yield at, slice(*ends)

    def hours(self, unit: Single) -> Single:
        """Makes the hours of ``unit``, in its place."""
        of = self._cumulants
        for at, span in self._spans():
            part, more = unit[..., span], self._factors[span] - np.float32(self._nodes[at])
            part *= _column(of.spread[at])
            part += _column(of.growth[at]) * more
            part += _column(of.mean[at])
        return np.maximum(unit, 0, out=unit)

    def add_change(
        self, hours: Single, unit: Single, roles: Sequence[int], change: Cumulants
    ) -> None:
        """Adds to ``hours`` what those of some roles change by, if the pool's cumulants do. The
        lean stays as it is: the pool has many other rows."""
        before = self._cumulants
        spread = (before + change).spread - before.spread
        for at, span in self._spans():
            more = self._factors[span] - np.float32(self._nodes[at])
            for role in roles:
                part = unit[role, :, span] * _column(spread[at, role])
                part += _column(change.growth[at, role]) * more
                part += _column(change.mean[at, role])
                hours[role, :, span] += part


def _column(values: Floats) -> Single:
    return values[..., None].astype(np.float32)


def _nodes(factors: Single) -> tuple[Floats, list[int]]:
    """Returns factors in equal steps of their logarithms, and where the trials (rising factors) of
    each begin, with the end of the last."""
    logs = np.log(factors.astype(np.float64))
    edges = np.linspace(logs[0], logs[-1], NODES + 1)
    ends = np.searchsorted(logs, edges[1:-1]).tolist()
    return np.exp((edges[1:] + edges[:-1]) / 2), [0, *ends, len(factors)]


def _correlated(table: Table, chosen: Chosen, shape: Shape) -> Single:
    """Returns what makes independent normal numbers move as the deals tie them (cell x cell): the
    root of the correlations, which some of the deals tell."""
    numbers = np.flatnonzero(chosen)
    some = np.zeros(len(chosen), dtype=bool)
    some[numbers[:: max(1, -(-len(numbers) // SAMPLE))]] = True
    covariance = _covariance(table.only(some), shape)
    spread = np.sqrt(np.maximum(np.diag(covariance), 0))
    spread[spread <= 1e-9] = np.inf
    correlation = covariance / spread[:, None] / spread
    correlation *= 1 - UNTIED
    np.fill_diagonal(correlation, 1.0)
    root: Single = np.linalg.cholesky(correlation).astype(np.float32)
    return root


def _covariance(table: Table, shape: Shape) -> Floats:
    """Returns the covariances of a table's rows at the shared factor's median (cell x cell)."""
    cells = shape.roles * shape.weeks
    rows = np.flatnonzero(np.bincount(table.row))  # np.unique would load masked arrays
    before = before_shock(table.probability, shape.common_shock_sd)
    chance = _shaken(before, np.exp([shape.bias]))[0]
    mean = np.zeros((len(rows), shape.roles, shape.weeks))
    for role, (asking, hours) in enumerate(hours_if_won(table, shape)):
        mean[np.searchsorted(rows, asking), role] = hours
    flat = mean.reshape(len(rows), cells) * chance[rows, None]
    found: Floats = _second_moments(table, chance, shape) - flat.T @ flat
    return found


def _second_moments(table: Table, chance: Floats, shape: Shape) -> Floats:
    """Returns the mean products of the hours of two cells, summed over rows (cell x cell).

    Each pair of steps of a row counts in the two weeks in which they come, whenever it begins.
    """
    wide = shape.weeks + 1
    size = shape.roles * wide
    left, right = _pairs(table)
    row, begin = table.row[left], np.arange(shape.weeks)[:, None]
    # Each pair stands for both of its orders: what is found is added to its own mirror image.
    weight = chance[row] * table.hours[left] * table.hours[right] * np.where(left == right, 0.5, 1)
    share = weight * table.begins.T[:, table.start[row]]
    share *= np.maximum(table.late[left], table.late[right]) < shape.weeks - begin
    first = table.role * wide + table.late
    # A week later, both steps come in the cell after.
    cell = first[left] * size + first[right] + begin * (size + 1)
    if (table.late < 0).any():  # and what would come before the first week, comes in it
        cell += np.maximum(-table.late - begin, 0)[:, left] * size
        cell += np.maximum(-table.late - begin, 0)[:, right]
    found = np.bincount(cell.ravel(), share.ravel(), size * size)[: size * size]
    square = found.astype(np.float64, copy=False).reshape(size, size)
    both = (square + square.T).reshape(shape.roles, wide, shape.roles, wide)
    for before, week in pairwise(both.transpose(1, 0, 2, 3)):  # as in `simulation`
        np.add(week, before, out=week)
    summed = np.cumsum(both, axis=3)[:, :-1, :, :-1]
    return summed.reshape(2 * (shape.roles * shape.weeks,))


def _pairs(table: Table) -> tuple[Integers, Integers]:
    """Returns all pairs of steps of the same row, by their places in the table: each step with
    itself, and with those of its row that come before it."""
    steps = np.arange(len(table.row))
    is_new = np.diff(table.row, prepend=-1) != 0
    first = steps[is_new][np.cumsum(is_new) - 1]
    width = steps - first + 1
    left = np.repeat(steps, width)
    return left, np.arange(len(left)) - np.repeat(np.cumsum(width) - width - first, width)
