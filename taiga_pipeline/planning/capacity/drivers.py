"""The deals behind a gap: what each adds to the hours that are missing.

What a deal adds is the expected gap less the expected gap if that deal were lost, in the same
trials. What deals add does not sum up to the gap: each is seen as the last one that came.
Of a deal that was drawn together with others (`pool`) it is not known in which trials it is won:
there, each trial counts with the chance of that, and what it asks for on average is taken off the
trial's hours to see them without it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from taiga_pipeline.planning.capacity.rows import (
    Floats,
    Integers,
    Row,
    Shape,
    Single,
    Table,
    hours_if_won,
)
from taiga_pipeline.planning.capacity.simulation import Futures
from taiga_pipeline.planning.shock import before_shock

SHOWN: Final = 5
PER_WEEK: Final = 10
PER_ROLE: Final = 15
MOST_WATCHED: Final = 1_000
"""Deals whose begins are kept for each trial; at 10,000 trials each takes 20 kB."""
TOLERANCE: Final = 1e-3
"""Hours below which a difference is rounding."""
MOST_TRIALS: Final = 1_000
"""Trials that are looked at, of those that are short or nearly so, for deals drawn together."""


@dataclass(frozen=True, slots=True)
class Added:
    """What a row adds to a gap (hours), and what it asks for there on average (hours)."""

    row: int
    hours: float
    weighted: float


Expected = Sequence[tuple[Integers, Floats]]
"""For each role the rows that ask for it, and their expected hours by week."""


def driver_candidates(expected: Expected) -> tuple[int, ...]:
    """Returns the rows that may add most to a gap.

    No deal can add more to a gap than the hours that it asks for on average, so the largest of
    those are the candidates, for each role and week and for each role over all weeks.
    """
    largest: dict[int, float] = {}
    for rows, hours in expected:
        if not len(rows):
            continue
        totals = hours.sum(axis=1, keepdims=True)
        for values, count in ((hours, PER_WEEK), (totals, PER_ROLE)):
            kept = min(count, len(rows))
            top = np.argpartition(-values, kept - 1, axis=0)[:kept]
            for row, each in zip(
                rows[top].ravel(), np.take_along_axis(values, top, 0).ravel(), strict=True
            ):
                if each > TOLERANCE:
                    largest[int(row)] = max(largest.get(int(row), 0.0), float(each))
    return tuple(sorted(largest, key=lambda row: (-largest[row], row))[:MOST_WATCHED])


@dataclass(frozen=True)
class Drawn:
    """Rows (and their table) and what was drawn of them. The futures' hours have confirmed hours in
    them."""

    rows: Sequence[Row]
    table: Table
    futures: Futures
    expected: Expected
    shape: Shape

    @cached_property
    def squares(self) -> Sequence[tuple[Integers, Floats]]:
        """For each role, those of the rows that were drawn together with others and are watched,
        and the mean of their squared hours by week, supposed that they are won."""
        pooled = np.zeros(len(self.rows), dtype=bool)
        pooled[[row for row in self.futures.watched if row not in self.futures.begins]] = True
        return list(hours_if_won(self.table.only(pooled), self.shape, 2))


class RoleDrivers:
    """What rows add to the gaps of one role. ``capacity`` is by week.

    So is ``parts``, what public holidays leave of each week: hours of the rows are those of full
    weeks, those of ``drawn`` are not. None: there are no public holidays.
    """

    def __init__(
        self, role: int, drawn: Drawn, capacity: Floats, parts: Floats | None = None
    ) -> None:
        self._role, self._drawn = role, drawn
        self._hours = drawn.futures.hours[role]
        self._begins = drawn.futures.begins
        self._capacity = capacity
        self._parts = np.ones(drawn.shape.weeks) if parts is None else parts
        self._numbers, self._weighted = drawn.expected[role]
        self._rows = np.flatnonzero(np.isin(self._numbers, drawn.futures.watched))
        totals = self._weighted[self._rows].sum(axis=1)
        self._leading = self._rows[np.argsort(-totals, kind="stable")[:PER_ROLE]].tolist()
        # The largest candidates of each week.
        order = np.argsort(-self._weighted[self._rows], axis=0, kind="stable")[:PER_WEEK]
        self._top = self._rows[order].T.tolist()
        candidates = zip(self._rows.tolist(), self._numbers[self._rows].tolist(), strict=True)
        self._begin_of = {at: self._begins[row] for at, row in candidates if row in self._begins}
        self._profiles: dict[tuple[int, float], Single] = {}
        self._known: dict[int, dict[int, float]] = {}
        self._is_leading = frozenset(self._leading)

    def of_week(self, week: int) -> tuple[Added, ...]:
        """Returns the rows that add most to the gap of one week, the largest first."""
        added = self._added(week)
        return self._largest(added, self._weighted[:, week])

    def of_all(self, weeks: Sequence[int]) -> tuple[Added, ...]:
        """Returns the rows that add most to the gaps of some weeks together."""
        added = dict.fromkeys(self._leading, 0.0)
        for week in weeks:
            found = self._known.get(week)
            if found is None:  # nobody asked for the week itself
                found = self._count(week, self._asking(week), self._is_leading)
            for at in self._leading:
                added[at] += found.get(at, 0.0)
        return self._largest(added, self._weighted[:, list(weeks)].sum(axis=1))

    def _added(self, week: int) -> dict[int, float]:
        """Returns the hours that the candidates add to the gap of a week."""
        if week not in self._known:
            asking = self._asking(week)
            self._known[week] = self._count(week, asking, frozenset(asking))
        return self._known[week]

    def _asking(self, week: int) -> list[int]:
        """Returns the candidates that ask for something in a week."""
        rows = list(dict.fromkeys([*self._top[week], *self._leading]))
        asks = self._weighted[rows, week] > TOLERANCE
        return [at for at, is_asking in zip(rows, asks.tolist(), strict=True) if is_asking]

    def _count(self, week: int, rows: Sequence[int], wanted: Collection[int]) -> dict[int, float]:
        """Returns what those of the rows add that are wanted. All of them together decide which
        trials are looked at."""
        if not rows:
            return {}
        over = self._hours[week] - np.float32(self._capacity[week])
        alone = [at for at in rows if at in self._begin_of]
        added = self._count_alone(week, over, [at for at in alone if at in wanted])
        if len(alone) < len(rows):
            pooled = [at for at in rows if at not in self._begin_of]
            added |= self._count_pooled(week, over, pooled, wanted)
        return {at: added[at] for at in rows if at in wanted}

    def _count_alone(self, week: int, over: Single, rows: Sequence[int]) -> dict[int, float]:
        if not rows:
            return {}
        short = np.flatnonzero(over > TOLERANCE)
        gap, part = over.take(short), float(self._parts[week])
        latest = np.uint16(week + self._drawn.shape.never)
        added: dict[int, float] = {}
        for at in rows:
            late = latest - self._begin_of[at].take(short)
            hours = self._profile(at, part).take(late)
            np.minimum(hours, gap, out=hours)
            added[at] = float(hours.sum(dtype=np.float64)) / len(over)
        return added

    def _profile(self, at: int, part: float) -> Single:
        """Returns a row's hours by weeks since its begin, of which a week has a ``part``."""
        if (at, part) not in self._profiles:
            row = self._drawn.rows[self._numbers[at]]
            hours = profile(row, self._role, self._drawn.shape) * part
            self._profiles[at, part] = hours.astype(np.float32)
        return self._profiles[at, part]

    def _count_pooled(
        self, week: int, over: Single, rows: Sequence[int], wanted: Collection[int]
    ) -> dict[int, float]:
        """Returns what those of the rows that are wanted add that were drawn with others.

        A row that is won counts as one that asks for the same hours or for none: the hours and the
        chance of them are those that have the row's mean and mean square.
        """
        numbers, squares = self._drawn.squares[self._role]
        part, probability = self._parts[week], self._drawn.table.probability[self._numbers[rows]]
        mean = self._weighted[rows, week] / probability
        place = np.searchsorted(numbers, self._numbers[rows])
        hours = (squares[place, week] * part**2 / mean).astype(np.float32)
        near = np.flatnonzero(over > -hours.max(initial=0))
        every = max(1, -(-len(near) // MOST_TRIALS))
        some = near[::every]
        kept = [number for number, at in enumerate(rows) if at in wanted]
        probability, mean, hours = probability[kept], mean[kept], hours[kept, None]
        before = before_shock(probability, self._drawn.shape.common_shock_sd)
        won = before[:, None].astype(np.float32) * self._factors[some]
        np.minimum(won, 1, out=won)
        more = won * mean.astype(np.float32)[:, None]
        np.subtract(over[some], more, out=more)
        more += hours
        np.minimum(np.maximum(more, 0, out=more), hours, out=more)
        chance = mean / hours[:, 0] * len(near) / max(1, len(some)) / len(over)
        found = np.einsum("ij,ij->i", won, more, dtype=np.float64) * chance
        return dict(zip([rows[number] for number in kept], found.tolist(), strict=True))

    @property
    def _factors(self) -> Single:
        return self._drawn.futures.factors

    def _largest(self, added: Mapping[int, float], weighted: Floats) -> tuple[Added, ...]:
        order = sorted(added, key=lambda at: (-added[at], self._numbers[at]))
        return tuple(
            Added(int(self._numbers[at]), added[at], float(weighted[at]))
            for at in order[:SHOWN]
            if added[at] > TOLERANCE
        )


def profile(row: Row, role: int, shape: Shape) -> Floats:
    """Returns a row's hours in a role by weeks since its begin, from ``-shape.never`` on.

    What is earlier than all weeks that are looked at is 0: it stands for a row that never begins.
    """
    changes = np.zeros(shape.never + shape.weeks + 1)
    for each, late, hours in row.steps:
        if each == role and late <= shape.weeks:
            changes[max(late, -shape.weeks) + shape.never] += hours
    return np.cumsum(changes)
