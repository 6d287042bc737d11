"""Open deals as rows to simulate, one by one and as columns. Needs numpy (the extra ``planning``).

A profile is kept as its *steps* (+30 hours in week 2, -30 in week 12), which are added up over
the weeks at the end: a project of ten weeks costs two additions, not ten.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Single = NDArray[np.float32]
Integers = NDArray[np.intp]
Small = NDArray[np.uint16]
Flags = NDArray[np.bool_]

Step = tuple[int, int, float]
"""Role (by number), week from the start, and by how many hours the week's demand changes.

A row has at most one for each role and week."""


@dataclass(frozen=True, slots=True)
class Row:
    """A deal in the simulation. ``starts`` are week numbers (0: the first) with chances."""

    probability: float
    starts: tuple[tuple[int, float], ...]
    steps: tuple[Step, ...]

    @property
    def most_hours(self) -> float:
        """The most hours of a week in one role."""
        by_role: dict[int, float] = {}
        most = 0.0
        for role, _, change in sorted(self.steps):
            by_role[role] = by_role.get(role, 0.0) + change
            most = max(most, by_role[role])
        return most


@dataclass(frozen=True, slots=True)
class Shape:
    """How many roles and weeks there are, and the common shock."""

    roles: int
    weeks: int
    common_shock_sd: float = 0.25
    bias: float = 0.0

    @property
    def never(self) -> int:
        """Stands for the begin of a row that does not begin; so late that nothing reaches it."""
        return 2 * self.weeks


@dataclass(frozen=True, slots=True)
class Table:
    """Rows as columns.

    ``probability`` and ``start`` are by row; ``begins[start]`` are the chances that a row which is
    won begins in each week (deals share them: few are different). Each step has its ``row``,
    ``role``, ``late`` (weeks from the start) and ``hours``; steps are in the order of rows.
    """

    probability: Floats
    start: Integers
    begins: Floats
    row: Integers
    role: Integers
    late: Integers
    hours: Floats

    @classmethod
    def of(cls, rows: Sequence[Row], weeks: int) -> Table:
        """Returns the columns of ``rows``, of which ``weeks`` weeks are looked at."""
        places: dict[int, int] = {}
        distinct: list[tuple[tuple[int, float], ...]] = []
        start = np.empty(len(rows), dtype=np.intp)
        for number, each in enumerate(rows):
            place = places.get(id(each.starts))
            if place is None:
                place = places[id(each.starts)] = len(distinct)
                distinct.append(each.starts)
            start[number] = place
        counts = [len(each.steps) for each in rows]
        flat = chain.from_iterable(chain.from_iterable(each.steps for each in rows))
        steps = np.fromiter(flat, np.float64, 3 * sum(counts)).reshape(-1, 3)
        return cls(
            probability=np.array([each.probability for each in rows], dtype=np.float64),
            start=start,
            begins=_begins(distinct, weeks),
            row=np.repeat(np.arange(len(rows)), counts),
            role=steps[:, 0].astype(np.intp),
            late=steps[:, 1].astype(np.intp),
            hours=steps[:, 2],
        )

    def replaced(self, numbers: Sequence[int], rows: Sequence[Row]) -> Table:
        """Returns the table with other rows in the places ``numbers``; the steps of those come
        last."""
        some = np.array(numbers, dtype=np.intp)
        new, kept = Table.of(rows, self.begins.shape[1]), ~np.isin(self.row, some)
        probability, start = self.probability.copy(), self.start.copy()
        probability[some] = new.probability
        start[some] = new.start + len(self.begins)
        return Table(
            probability=probability,
            start=start,
            begins=np.concatenate([self.begins, new.begins]),
            row=np.concatenate([self.row[kept], some[new.row]]),
            role=np.concatenate([self.role[kept], new.role]),
            late=np.concatenate([self.late[kept], new.late]),
            hours=np.concatenate([self.hours[kept], new.hours]),
        )

    def of_roles(self, roles: Sequence[int]) -> Table:
        """Returns the table with what is asked of some roles."""
        return self._with(np.isin(self.role, list(roles)))

    def if_won_at(self, weeks: Sequence[int]) -> Table:
        """Returns the table with all rows won that may be, each beginning in the given week."""
        last = self.begins.shape[1]
        start = np.clip(np.array(weeks, dtype=np.intp), 0, last)
        begins = np.eye(last + 1, last)
        return replace(self, probability=np.sign(self.probability), start=start, begins=begins)

    def only(self, wanted: NDArray[np.bool_]) -> Table:
        """Returns the table with the steps of those rows that are wanted; rows keep their numbers,
        the others ask for nothing."""
        return self._with(wanted[self.row])

    def _with(self, kept: NDArray[np.bool_]) -> Table:
        return replace(
            self,
            row=self.row[kept],
            role=self.role[kept],
            late=self.late[kept],
            hours=self.hours[kept],
        )


def _begins(distinct: Sequence[tuple[tuple[int, float], ...]], weeks: int) -> Floats:
    number = np.repeat(np.arange(len(distinct)), [len(starts) for starts in distinct])
    count = len(number)
    week = np.fromiter((week for starts in distinct for week, _ in starts), np.intp, count)
    chance = np.fromiter((chance for starts in distinct for _, chance in starts), float, count)
    inside = week < weeks
    cell = number[inside] * weeks + np.maximum(week[inside], 0)
    summed = np.bincount(cell, chance[inside], len(distinct) * weeks)
    return summed.astype(np.float64, copy=False).reshape(len(distinct), weeks)


def expected_hours(table: Table, shape: Shape) -> Iterator[tuple[Integers, Floats]]:
    """Yields for each role the rows that ask for it, and their hours by week times their chances.

    The shared factor is not in it: this is what summing probability times hours gives.
    """
    for rows, hours in hours_if_won(table, shape):
        yield rows, hours * table.probability[rows, None]


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked of one role: the rows that do, and their steps.

    ``place`` says which of the rows a step is of; a row's steps are in the order of their weeks.
    ``reached`` are the chances that a row has begun by a week (row x week).
    """

    rows: Integers
    place: Integers
    late: Integers
    hours: Floats
    reached: Floats

    def by_week(self) -> Floats:
        """Adds the steps up."""
        return _by_week(self.place, self.late, self.hours, self.reached)

    def to_a_power(self, power: int) -> _Asked:
        """Returns the steps of the profiles' powers."""
        is_new = _is_new(self.place)
        level = np.cumsum(self.hours)
        # What the rows before have come to (nothing, unless they never end) is none of this one's.
        before = np.concatenate([np.zeros(min(1, len(level))), level[:-1]])
        level -= before[is_new][np.cumsum(is_new) - 1]
        raised = level**power
        changes = np.diff(raised, prepend=0.0)
        changes[is_new] = raised[is_new]
        return replace(self, hours=changes)

    def only(self, wanted: NDArray[np.bool_]) -> _Asked:
        """Returns some of the rows."""
        kept, place = wanted[self.place], np.cumsum(wanted) - 1
        return _Asked(
            self.rows[wanted],
            place[self.place[kept]],
            self.late[kept],
            self.hours[kept],
            self.reached[wanted],
        )


def hours_if_won(table: Table, shape: Shape, power: int = 1) -> Iterator[tuple[Integers, Floats]]:
    """Yields for each role the rows that ask for it, and the mean of their hours by week (or of a
    power of them), supposed that they are won."""
    for asked in _asked(table, shape):
        raised = asked if power == 1 else asked.to_a_power(power)
        yield asked.rows, raised.by_week()


def three_powers(table: Table, shape: Shape) -> Iterator[tuple[Integers, tuple[Floats, ...]]]:
    """Yields what `hours_if_won` does for the powers 1, 2 and 3 together."""
    for asked in _asked(table, shape):
        first = asked.by_week()
        # Nearly all rows ask for the same hours from beginning to end, whose powers are plain.
        is_new = _is_new(asked.place)
        count = len(asked.rows)
        steps, end = np.bincount(asked.place, minlength=count), np.zeros(count)
        np.add.at(end, asked.place, asked.hours)
        is_odd = (steps > 2) | ((steps == 2) & (np.abs(end) > 1e-9))
        level = asked.hours[is_new][:, None]
        found = [first, first * level, first * level**2]
        if is_odd.any():
            odd = asked.only(is_odd)
            for power in (2, 3):
                found[power - 1][is_odd] = odd.to_a_power(power).by_week()
        yield asked.rows, tuple(found)


def _asked(table: Table, shape: Shape) -> Iterator[_Asked]:
    reached = np.cumsum(table.begins, axis=1)
    order = np.lexsort((table.late, table.row, table.role))
    ends = np.searchsorted(table.role[order], np.arange(shape.roles + 1)).tolist()
    for first, after in pairwise(ends):
        steps = order[first:after]
        row = table.row[steps]
        is_new = _is_new(row)
        rows, place = row[is_new], np.cumsum(is_new) - 1
        by_row = reached[table.start[rows]]
        yield _Asked(rows, place, table.late[steps], table.hours[steps], by_row)


def _is_new(values: Integers) -> NDArray[np.bool_]:
    """Returns where another value begins."""
    found = np.ones(len(values), dtype=bool)
    found[1:] = values[1:] != values[:-1]
    return found


def _by_week(place: Integers, late: Integers, hours: Floats, reached: Floats) -> Floats:
    """Adds steps up: each counts from ``late`` weeks after its row's begin, whose chance to have
    come by a week is ``reached`` (row x week)."""
    found = np.zeros_like(reached)
    weeks = reached.shape[1]
    for week in sorted(set(late.tolist())):
        now = late == week
        at, more = place[now], hours[now, None]
        if week < 0:
            # Whatever would come before the first week, is there from the first week on.
            early = np.minimum(np.arange(weeks) - week, weeks - 1)
            found[at] += more * reached[at[:, None], early]
        elif week < weeks:
            found[at, week:] += more * reached[at, : weeks - week]
    return found
