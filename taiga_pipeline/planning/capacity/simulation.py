"""Many possible futures of a pipeline, drawn at random: the hours that they ask for.

In each trial one factor multiplies the chances of all deals: good and bad times hit all of them
together, so that the spread of the whole does not average out (`Outlooks.common_shock_sd`). A deal
is won where a uniform number is below its chance (`shock`) times that factor; given that, where the
number lies below it is uniform again, and tells the week in which the project begins. The factors
are stratified: one from each of as many equal parts of their distribution as there are trials.

Where deals are many, the small ones among them are drawn together (`pool`), the others one by one.
Those are gathered by their number of steps, so that each may have a profile of its own. Deals and
trials are done in blocks that fit the processor's cache. Needs numpy (the extra ``planning``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from operator import itemgetter
from statistics import NormalDist
from typing import Final

import numpy as np

from taiga_pipeline.planning.capacity.pool import Choice, Pool, choose
from taiga_pipeline.planning.capacity.rows import (
    Floats,
    Integers,
    Row,
    Shape,
    Single,
    Small,
    Table,
)
from taiga_pipeline.planning.shock import before_shock

SLOTS: Final = 512
"""A deal's starts are kept as so many equally likely weeks: chances are rounded to 1/512."""
BLOCK: Final = 2048
"""Rows that are drawn together."""
BATCH: Final = 1 << 17
"""Uniform numbers that are drawn at a time."""
MOST_AT_ONCE: Final = 128
"""Trials for which steps are added up at a time, so that they stay in the processor's cache."""
SPAN: Final = 2500
"""Trials that a thread does at a time."""


@dataclass(frozen=True, slots=True)
class Futures:
    """What was drawn.

    ``hours`` has the axes role, week, trial. ``begins`` holds, for each row that was watched, the
    week in which it begins in each trial, `Shape.never` standing for "not at all, or later"; of a
    row that was drawn together with others, that is not known. ``factors`` are the trials' shared
    factors.
    """

    hours: Single
    begins: Mapping[int, Small]
    watched: tuple[int, ...]
    factors: Single


@dataclass(frozen=True, slots=True)
class _Group:
    """Rows with equally many steps (after padding).

    ``rows`` are ``first`` to ``after``. ``cells[row * (weeks + 1) + start]`` are the places (week x
    role) of the steps if the row begins in that week, ``hours[row]`` their sizes.
    """

    first: int
    after: int
    cells: Integers | Small
    hours: Floats


class Simulation:
    """Rows made ready to draw futures of.

    The rows are drawn in an order that depends on their numbers of steps alone, so that a row
    meets the same chances again when probabilities, starts or hours change. ``table`` are the rows
    as columns, if that is known already; ``pooled`` are those to draw together (None: it is found
    out).
    """

    def __init__(
        self,
        rows: Sequence[Row],
        shape: Shape,
        table: Table | None = None,
        pooled: Choice | None = None,
    ) -> None:
        self._shape = shape
        self._rows = tuple(rows)
        self._table = table or Table.of(rows, shape.weeks)
        self._choice = pooled or choose(self._table, shape)
        self._pooled = self._choice.chosen
        self._pool: tuple[Pool, Single] | None = None
        alone = np.flatnonzero(~self._pooled).tolist()
        order = sorted(alone, key=lambda number: _padded(rows[number]))
        self._blocks = [
            _Block(order[first : first + BLOCK], rows, shape)
            for first in range(0, len(order), BLOCK)
        ]

    def run(
        self,
        trials: int,
        seed: int,
        watched: Sequence[int] = (),
        workers: int = 2,
        *,
        keep: bool = False,
    ) -> Futures:
        """Draws futures. ``watched`` are the rows whose begin is to be kept for each trial.

        ``workers`` threads share the work; the result does not depend on their number. ``keep``
        keeps what `change` needs.
        """
        shape = self._shape
        factors = self._factors(trials, seed)
        begins = {
            row: np.full(trials, shape.never, dtype=np.uint16)
            for row in watched
            if not self._pooled[row]
        }
        hours = self._draw_pool(factors, seed, keep=keep)
        self._draw_alone(hours, factors, seed, begins, workers)
        return Futures(hours, begins, tuple(watched), factors)

    def _draw_pool(self, factors: Single, seed: int, *, keep: bool) -> Single:
        """Draws the rows that are drawn together."""
        shape = self._shape
        if not self._pooled.any():
            return np.zeros((shape.roles, shape.weeks, len(factors)), dtype=np.float32)
        pool = Pool(self._table, self._choice, shape, factors)
        unit = pool.unit(seed)
        if keep:
            self._pool = pool, unit.copy()
        return pool.hours(unit)

    def _draw_alone(
        self, hours: Single, factors: Single, seed: int, begins: Mapping[int, Small], workers: int
    ) -> None:
        """Adds the rows that are drawn one by one to ``hours``, and fills in the begins of those
        watched."""

        def draw(first: int) -> None:
            span = slice(first, first + SPAN)
            own = {row: begin[span] for row, begin in begins.items()}
            for number, block in enumerate(self._blocks):
                source = np.random.Generator(np.random.SFC64([seed, first, number]))
                block.draw(factors[span], source, hours[..., span], own)

        if self._blocks:
            with ThreadPoolExecutor(workers) as threads:
                for _ in threads.map(draw, range(0, len(factors), SPAN)):
                    pass

    def _factors(self, trials: int, seed: int) -> Single:
        factors = _factors(trials, seed, self._shape)
        # A pool takes them in order, and those that are drawn one by one do not mind.
        return np.sort(factors) if self._pooled.any() else factors

    def like(self, rows: Sequence[Row]) -> Simulation:
        """Returns a simulation of as many other rows, the same of which are drawn together."""
        return Simulation(rows, self._shape, pooled=Choice(self._pooled))

    def changed(self, rows: Sequence[Row]) -> list[int] | None:
        """Returns which of ``rows`` are others than those of the simulation.

        None if they would meet other chances, so that all has to be drawn again: there are more or
        fewer of them, one has another number of steps, or one grew too large to be drawn together
        with others.
        """
        if len(rows) != len(self._rows):
            return None
        pairs = zip(self._rows, rows, strict=True)
        found = [number for number, (old, new) in enumerate(pairs) if old is not new and old != new]
        return found if all(self._has_place(number, rows[number]) for number in found) else None

    def _has_place(self, number: int, row: Row) -> bool:
        if self._pooled[number]:
            return row.most_hours <= self._most_pooled
        return _padded(self._rows[number]) == _padded(row)

    @cached_property
    def _most_pooled(self) -> float:
        return max(self._rows[number].most_hours for number in np.flatnonzero(self._pooled))

    def change(self, rows: Sequence[Row], changed: Sequence[int], trials: int, seed: int) -> Single:
        """Returns by how much hours change (role, week, trial) when the rows ``changed`` are those
        of ``rows``, which meet the same chances as in `run` with these trials and this seed.

        The run has kept what this needs."""
        shape = self._shape
        alone = any(block.places(changed) for block in self._blocks)
        found = (
            self._change_alone(rows, changed, trials, seed)
            if alone
            else np.zeros((shape.roles, shape.weeks, trials), dtype=np.float32)
        )
        together = [number for number in changed if self._pooled[number]]
        if together:
            self._change_pool(found, rows, together)
        return found

    def _change_alone(
        self, rows: Sequence[Row], changed: Sequence[int], trials: int, seed: int
    ) -> Single:
        """Returns what changes of those that are drawn one by one."""
        shape = self._shape
        factors = self._factors(trials, seed)
        hours = np.zeros((shape.roles, shape.weeks, trials), dtype=np.float32)
        for number, block in enumerate(self._blocks):
            places = block.places(changed)
            if not places:
                continue
            old = _Block(list(places), self._rows, shape)
            new = _Block(list(places), rows, shape)
            at = np.array(list(places.values()), dtype=np.intp)
            for first in range(0, trials, SPAN):
                span = slice(first, first + SPAN)
                source = np.random.Generator(np.random.SFC64([seed, first, number]))
                for part, drawn in block.draws(factors[span], source):
                    own, some = drawn[at], factors[span][part]
                    more = new.hours(own, some) - old.hours(own, some)
                    hours[..., span][..., part] += more
        return hours

    def _change_pool(self, hours: Single, rows: Sequence[Row], changed: Sequence[int]) -> None:
        """Adds to ``hours`` what changes of those that are drawn together."""
        assert self._pool is not None
        pool, unit = self._pool
        old, new = ([each[number] for number in changed] for each in (self._rows, rows))
        roles = sorted({role for row in (*old, *new) for role, _, _ in row.steps})
        weeks = self._shape.weeks
        after, before = (pool.cumulants(Table.of(each, weeks)) for each in (new, old))
        pool.add_change(hours, unit, roles, after - before)


class _Block:
    """Some of the rows, with tables that are small enough for the processor's cache."""

    def __init__(self, order: Sequence[int], rows: Sequence[Row], shape: Shape) -> None:
        ordered = [rows[number] for number in order]
        self._shape = shape
        self._place = {number: at for at, number in enumerate(order)}
        chances = np.array([row.probability for row in ordered], dtype=np.float64)
        self._chances = before_shock(chances, shape.common_shock_sd).astype(np.float32)
        self._begins = _begin_table(ordered, shape.weeks)
        self._groups = tuple(_groups(ordered, shape))
        self._ends = [group.after for group in self._groups]

    def places(self, rows: Iterable[int]) -> dict[int, int]:
        """Returns where those of the rows are that are in the block, by their order there."""
        found = {row: self._place[row] for row in rows if row in self._place}
        return dict(sorted(found.items(), key=itemgetter(1)))

    def draws(self, factors: Single, source: np.random.Generator) -> Iterator[tuple[slice, Single]]:
        """Yields the trials of each batch, and the uniform numbers of the rows (row, trial)."""
        width = max(1, min(BATCH // len(self._chances), MOST_AT_ONCE))
        uniform = np.empty((len(self._chances), width), dtype=np.float32)
        for first in range(0, len(factors), width):
            source.random(out=uniform, dtype=np.float32)
            part = slice(first, min(first + width, len(factors)))
            yield part, uniform[:, : part.stop - first]

    def hours(self, drawn: Single, factors: Single) -> Floats:
        """Returns the hours of a batch, with the axes role, week, trial."""
        shape, width = self._shape, drawn.shape[1]
        row, trial, begin = self._won(drawn, factors)
        places, sizes, start = [], [], 0
        ends = np.searchsorted(row, self._ends).tolist()
        for group, end in zip(self._groups, ends, strict=True):
            inside = row[start:end] - group.first
            sizes.append(group.hours.take(inside, axis=0).ravel())
            inside *= shape.weeks + 1
            inside += begin[start:end]
            cell = group.cells.take(inside, axis=0)
            # Adding flat arrays is faster than broadcasting along so short an axis.
            place = cell.ravel().astype(np.intp) * width
            place += np.repeat(trial[start:end], cell.shape[1])
            places.append(place)
            start = end
        size = shape.weeks + 1, shape.roles, width
        steps = np.bincount(np.concatenate(places), np.concatenate(sizes), int(np.prod(size)))
        # Where nothing is won, they are integers.
        by_week = np.asarray(steps, dtype=np.float64).reshape(size)
        for before, week in pairwise(by_week):  # many times as fast as numpy's cumsum
            np.add(week, before, out=week)
        return by_week[:-1].transpose(1, 0, 2)

    def _won(self, drawn: Single, factors: Single) -> tuple[Integers, Integers, Small]:
        """Returns what is won of a batch: rows, trials, and the weeks in which they begin."""
        width = drawn.shape[1]
        # Few are won of those that seldom are: only what may be is held against its very chance.
        may = np.flatnonzero(drawn < (self._chances * factors.max())[:, None])
        row = may // width
        trial = may - row * width
        uniform = drawn.ravel().take(may)
        limit = np.minimum(self._chances.take(row) * factors.take(trial), 1)
        won = np.flatnonzero(uniform < limit)
        row, trial = row.take(won), trial.take(won)
        return row, trial, self._begin(row, uniform.take(won), limit.take(won))

    def draw(
        self,
        factors: Single,
        source: np.random.Generator,
        hours: Single,
        begins: Mapping[int, Small],
    ) -> None:
        """Adds the hours of the rows to ``hours``, and fills in the begins of those watched."""
        watched = [row for row in begins if row in self._place]
        at = np.array([self._place[row] for row in watched], dtype=np.intp)
        for part, drawn in self.draws(factors, source):
            hours[..., part] += self.hours(drawn, factors[part])
            limit = np.minimum(self._chances[at, None] * factors[part], 1)
            for row, begin in zip(watched, self._watch(drawn[at], limit, at), strict=True):
                begins[row][part] = begin

    def _begin(self, row: Integers, uniform: Single, limit: Single) -> Small:
        slot = (uniform / limit * SLOTS).astype(np.intp)
        slot += row * (SLOTS + 1)
        return self._begins.ravel().take(slot)

    def _watch(self, uniform: Single, limit: Single, at: Integers) -> Small:
        begin = self._begin(at[:, None], uniform, np.where(uniform < limit, limit, np.inf))
        begin[(uniform >= limit) | (begin == self._shape.weeks)] = self._shape.never
        return begin


def _factors(trials: int, seed: int, shape: Shape) -> Single:
    """Returns the shared factor of each trial, in random order."""
    generator = np.random.Generator(np.random.SFC64([seed, 1]))
    parts = (np.arange(trials) + generator.random(trials)) / trials
    inverse = NormalDist().inv_cdf
    normal = np.array([inverse(min(max(part, 1e-12), 1 - 1e-12)) for part in parts.tolist()])
    generator.shuffle(normal)
    return np.exp(shape.bias + shape.common_shock_sd * normal).astype(np.float32)


def _padded(row: Row) -> int:
    """Returns the number of a row's steps, rounded up where steps are many."""
    count = max(1, len(row.steps))
    return count if count <= 8 else 1 << (count - 1).bit_length()


def _groups(rows: Sequence[Row], shape: Shape) -> Iterator[_Group]:
    first = 0
    while first < len(rows):
        width = _padded(rows[first])
        after = first
        while after < len(rows) and _padded(rows[after]) == width:
            after += 1
        yield _group(rows[first:after], first, width, shape)
        first = after


def _group(rows: Sequence[Row], first: int, width: int, shape: Shape) -> _Group:
    padding = ((0, shape.weeks, 0.0),)  # nothing, beyond the last week
    steps = np.array([row.steps + padding * (width - len(row.steps)) for row in rows])
    role, late = steps[:, :, 0].astype(np.intp), steps[:, :, 1].astype(np.intp)
    begin = np.arange(shape.weeks + 1)[None, :, None]
    week = np.clip(late[:, None, :] + begin, 0, shape.weeks)
    week[:, -1, :] = shape.weeks  # a row that begins beyond the last week asks for nothing
    cells = (week * shape.roles + role[:, None, :]).reshape(-1, width)
    if shape.roles * (shape.weeks + 1) < np.iinfo(np.uint16).max:
        cells = cells.astype(np.uint16)  # a fraction of the memory traffic
    return _Group(first, first + len(rows), cells, np.ascontiguousarray(steps[:, :, 2]))


def _begin_table(rows: Sequence[Row], weeks: int) -> Small:
    """Returns equally likely begins of each row; one more at the end takes up rounding."""
    number, week, chance = _starts(rows)
    counts = np.bincount(number, minlength=len(rows))
    at = np.arange(len(number)) - np.repeat(np.cumsum(counts) - counts, counts)
    most = max(1, int(counts.max(initial=0)))
    begins = np.full((len(rows), most), weeks, dtype=np.uint16)
    chances = np.zeros((len(rows), most))
    begins[number, at] = np.clip(week, 0, weeks)
    chances[number, at] = chance
    chances[chances.sum(axis=1) == 0, -1] = 1.0  # without a start it never begins
    edges = np.cumsum(chances, axis=1)
    slots = np.diff(np.rint(edges / edges[:, -1:] * SLOTS), axis=1, prepend=0.0).astype(np.intp)
    table = np.repeat(begins.ravel(), slots.ravel()).reshape(len(rows), SLOTS)
    return np.concatenate([table, table[:, -1:]], axis=1)


def _starts(rows: Sequence[Row]) -> tuple[Integers, Integers, Floats]:
    """Returns the starts of all rows as columns: the row's number, the week, and the chance."""
    number = np.repeat(np.arange(len(rows)), [len(row.starts) for row in rows])
    count = len(number)
    week = np.fromiter((week for row in rows for week, _ in row.starts), np.intp, count)
    chance = np.fromiter((chance for row in rows for _, chance in row.starts), np.float64, count)
    return number, week, chance
