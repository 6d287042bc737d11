"""The deals behind a gap: what each adds to the hours that are missing.

What a deal adds is the expected gap less the expected gap if that deal were lost, in the same
trials. What deals add does not sum up to the gap: each is seen as the last one that came.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from taiga_pipeline.planning.capacity.simulation import (
    Floats,
    Futures,
    Integers,
    Row,
    Shape,
)

SHOWN: Final = 5
PER_WEEK: Final = 10
PER_ROLE: Final = 15
MOST_WATCHED: Final = 1_000
"""Deals whose begins are kept for each trial; at 10,000 trials each takes 20 kB."""
TOLERANCE: Final = 1e-3
"""Hours below which a difference is rounding."""


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


@dataclass(frozen=True, slots=True)
class Drawn:
    """Rows and what was drawn of them. The futures' hours have confirmed hours in them."""

    rows: Sequence[Row]
    futures: Futures
    expected: Expected
    shape: Shape


class RoleDrivers:
    """What rows add to the gaps of one role. ``capacity`` is by week.

    So is ``parts``, what public holidays leave of each week: hours of the rows are those of full
    weeks, those of ``drawn`` are not. None: there are no public holidays.
    """

    def __init__(
        self, role: int, drawn: Drawn, capacity: Floats, parts: Floats | None = None
    ) -> None:
        rows, futures, expected, shape = drawn.rows, drawn.futures, drawn.expected, drawn.shape
        self._hours = futures.hours[role]
        self._begins = futures.begins
        self._capacity = capacity
        self._parts = np.ones(shape.weeks) if parts is None else parts
        self._never = shape.never
        numbers, hours = expected[role]
        self._rows = [at for at, row in enumerate(numbers.tolist()) if row in self._begins]
        self._numbers, self._weighted = numbers, hours
        self._profiles = {at: profile(rows[numbers[at]], role, shape) for at in self._rows}
        totals = hours.sum(axis=1)
        self._leading = sorted(self._rows, key=lambda at: -totals[at])[:PER_ROLE]
        self._known: dict[int, dict[int, float]] = {}

    def of_week(self, week: int) -> tuple[Added, ...]:
        """Returns the rows that add most to the gap of one week, the largest first."""
        added = self._added(week)
        return self._largest(added, self._weighted[:, week])

    def of_all(self, weeks: Sequence[int]) -> tuple[Added, ...]:
        """Returns the rows that add most to the gaps of some weeks together."""
        added = dict.fromkeys(self._leading, 0.0)
        for week in weeks:
            found = self._added(week)
            for at in self._leading:
                added[at] += found.get(at, 0.0)
        return self._largest(added, self._weighted[:, list(weeks)].sum(axis=1))

    def _added(self, week: int) -> dict[int, float]:
        """Returns the hours that the candidates add to the gap of a week."""
        if week not in self._known:
            weighted = self._weighted[:, week]
            largest = sorted(self._rows, key=lambda at: -weighted[at])[:PER_WEEK]
            rows = dict.fromkeys(largest + self._leading)
            asking = [at for at in rows if weighted[at] > TOLERANCE]
            self._known[week] = self._count(week, asking)
        return self._known[week]

    def _count(self, week: int, rows: Sequence[int]) -> dict[int, float]:
        over = self._hours[week] - np.float32(self._capacity[week])
        short = np.flatnonzero(over > TOLERANCE)
        gap, trials = over[short], self._hours.shape[1]
        added: dict[int, float] = {}
        for at in rows:
            begin = self._begins[int(self._numbers[at])].take(short)
            hours = self._profiles[at].take(np.uint16(week + self._never) - begin)
            hours = hours * self._parts[week]
            added[at] = float(np.minimum(hours, gap).sum()) / trials
        return added

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
