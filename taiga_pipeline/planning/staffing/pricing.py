"""What the requests of a problem cost at least, at a price per hour of each worker and week.

All requests, at each of their possible starts, are looked at together, as arrays: *offers* (n),
candidates (c), weeks (t). Offers of as many weeks are in one `Block`.

A request can be met in these ways, and what each is worth at most is found for each offer:

- ``WHOLE``: one person takes all of it.
- ``HALVES``: one or two people take a half each, for all of its weeks.
- ``STRETCH``: one person takes some of its weeks.
- ``STOOD_IN``: one person takes all of it, and others stand in for each time that this person is
  away.
- ``HALF_AND_PARTS``: one person takes a half for all of its weeks, others take parts.
- ``PARTS``: anything else. In each week the best person, or the two best at a half each, are taken,
  and two assignments of some weeks are charged for.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator
from enum import IntEnum
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from taiga_pipeline.planning.staffing.tables import Flags, Floats, Integers, Tables

    _Rows = Integers | slice

NUMBERS_AT_ONCE: Final = 200_000
"""So many numbers of an array are in a processor's cache."""
ALL: Final = slice(None)


class Way(IntEnum):
    """How a request is met, in the order of `Block.look`'s columns."""

    UNMET = 0
    WHOLE = 1
    HALVES = 2
    STRETCH = 3
    STOOD_IN = 4
    HALF_AND_PARTS = 5
    PARTS = 6


def blocks(tables: Tables) -> list[Block]:
    """Returns all offers of a problem. Each is a request and a delay of its project."""
    by_weeks: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for number, ask in enumerate(tables.asks):
        if len(ask.workers):
            delays = range(tables.problem.projects[ask.project].max_delay + 1)
            by_weeks[ask.weeks] += [(number, delay) for delay in delays]
    return [
        Block(tables, part)
        for weeks, offers in sorted(by_weeks.items())
        for part in _parts(tables, weeks, offers)
    ]


def _parts(
    tables: Tables, weeks: int, offers: list[tuple[int, int]]
) -> Iterator[list[tuple[int, int]]]:
    """Yields offers with about as many candidates, few enough to be looked at together."""
    offers = sorted(offers, key=lambda offer: len(tables.asks[offer[0]].workers))
    while offers:
        most = len(tables.asks[offers[-1][0]].workers)
        count = max(1, NUMBERS_AT_ONCE // (most * weeks))
        yield offers[-count:]
        offers = offers[:-count]


class Block:
    """Offers (n) of as many weeks (t), with their candidates (c, at least two; some are no one).

    ``requests`` and ``delays`` say which offers these are, ``places`` where each candidate and week
    is in flat arrays of workers x weeks.
    """

    def __init__(self, tables: Tables, offers: list[tuple[int, int]]) -> None:
        asks = [tables.asks[number] for number, _ in offers]
        shape = len(offers), max(2, *(len(ask.workers) for ask in asks)), asks[0].weeks
        self.requests: Integers = np.array([number for number, _ in offers], dtype=np.intp)
        self.delays: Integers = np.array([delay for _, delay in offers], dtype=np.intp)
        self._whole: Floats = np.zeros(shape)
        self._half: Floats = np.zeros(shape)
        meets_of_half, meets_of_whole = np.zeros(shape), np.zeros(shape)
        self._penalties: Floats = np.full(shape[:2], np.inf)
        self.places: Integers = np.zeros(shape, dtype=np.intp)
        for at, (ask, (number, delay)) in enumerate(zip(asks, offers, strict=True)):
            here, begin = slice(len(ask.workers)), ask.first + delay
            offer = tables.offer(number, begin)
            self._half[at, here], self._whole[at, here] = offer.gives
            meets_of_half[at, here], meets_of_whole[at, here] = offer.meets
            self._penalties[at, here] = ask.penalties
            self.places[at, here] = offer.places
        weight = np.array([ask.weight for ask in asks])[:, None, None]
        self._worth_of_half: Floats = weight * meets_of_half
        self._worth_of_whole: Floats = weight * meets_of_whole
        self._handover: Floats = np.array([ask.handover_cost for ask in asks])
        self._split = tables.problem.terms.split_cost
        self._least_charge: Floats = self._handover + self._penalties.min(axis=1)
        """What an assignment of some weeks is charged for at least."""
        self._absences = _Absences(meets_of_whole)
        self._values_of_whole: Floats = self._whole
        self._values_of_half: Floats = self._half

    @property
    def gives(self) -> Floats:
        """Hours of the halves, and of the wholes: 2 x n x c x t."""
        return np.stack([self._half, self._whole])

    def look(self, prices: Floats) -> Floats:
        """Returns what each way is worth at most, by offer and `Way`; ``prices`` are per hour, of
        each offer, candidate and week."""
        self._values_of_whole = _less(self._worth_of_whole, prices * self._whole)
        self._values_of_half = _less(self._worth_of_half, prices * self._half)
        patchwork = self._patchwork(ALL)
        columns = {
            Way.WHOLE: self._of_whole(ALL).max(axis=1),
            Way.HALVES: np.maximum(_two_best(self._of_half(ALL)), 0.0).sum(axis=1),
            Way.STRETCH: self._of_stretch().max(axis=1),
            Way.STOOD_IN: self._of_stood_in(patchwork, ALL).max(axis=1),
            Way.HALF_AND_PARTS: self._of_half_and_parts(patchwork),
            Way.PARTS: patchwork.sum(axis=1) - 2 * self._least_charge,
        }
        unmet = np.zeros(len(self._whole))
        return np.stack([columns.get(way, unmet) for way in Way], axis=1)

    def _patchwork(self, rows: _Rows) -> Floats:
        """Returns for each week what the best person, or the two best at a half, are worth."""
        alone = np.maximum(self._values_of_whole[rows].max(axis=1), 0.0)
        pair = np.maximum(_two_best(self._values_of_half[rows]), 0.0)
        return np.asarray(np.maximum(alone, pair.sum(axis=1)))

    def _of_whole(self, rows: _Rows) -> Floats:
        return np.asarray(self._values_of_whole[rows].sum(axis=2) - self._penalties[rows])

    def _of_half(self, rows: _Rows) -> Floats:
        charge = self._penalties[rows] + self._split
        return np.asarray(self._values_of_half[rows].sum(axis=2) - charge)

    def _of_stretch(self) -> Floats:
        """Returns the best stretch of each candidate, whole or half."""
        best = _best_stretch(self._of_shares(ALL))
        count = self._whole.shape[1]
        return np.maximum(best[:, :count], best[:, count:]) - self._stretch_charge(ALL)

    def _of_shares(self, rows: _Rows) -> Floats:
        """Returns what shares are worth by week: those of candidates, then their halves."""
        return np.concatenate([self._values_of_whole[rows], self._values_of_half[rows]], axis=1)

    def _stretch_charge(self, rows: _Rows) -> Floats:
        return np.asarray(self._penalties[rows] + self._handover[rows][:, None])

    def _of_stood_in(self, patchwork: Floats, rows: _Rows) -> Floats:
        worth = self._absences.worth(patchwork, self._least_charge[rows], rows)
        return np.asarray(self._of_whole(rows) + worth.sum(axis=2))

    def _of_half_and_parts(self, patchwork: Floats) -> Floats:
        """Beside a half, others give at most a half, and all while that person is away."""
        half = self._values_of_half
        second, best = np.moveaxis(np.maximum(_two_best(half), 0.0), 1, 0)
        beside = np.where(half >= best[:, None, :], second[:, None, :], best[:, None, :])
        others = np.where(self._absences.away, patchwork[:, None, :], beside).sum(axis=2)
        return np.asarray((self._of_half(ALL) + others).max(axis=1) - self._least_charge)

    def use(self, rows: Integers, ways: Integers, index: Integers, used: Floats) -> None:
        """Adds to ``used`` the hours of some offers that are met in these ways; ``index`` says
        where, by offer, candidate and week."""
        makers = {
            Way.WHOLE: self._hours_of_whole,
            Way.HALVES: self._hours_of_halves,
            Way.STRETCH: self._hours_of_stretch,
            Way.STOOD_IN: self._hours_of_stood_in,
            Way.HALF_AND_PARTS: self._hours_of_parts,
            Way.PARTS: self._hours_of_parts,
        }
        for way, make in makers.items():
            some = rows[ways == way]
            if len(some):
                places, hours = index[some], make(some)
                used += np.bincount(places.ravel(), hours.ravel(), minlength=len(used))

    def _hours_of_whole(self, rows: Integers) -> Floats:
        who = self._of_whole(rows).argmax(axis=1)
        return np.where(self._are(who)[:, :, None], self._whole[rows], 0.0)

    def _hours_of_halves(self, rows: Integers) -> Floats:
        values = self._of_half(rows)
        taken = (values >= _two_best(values).min(axis=1, keepdims=True)) & (values > 0)
        return np.where(_first(taken, 2)[:, :, None], self._half[rows], 0.0)

    def _hours_of_stretch(self, rows: Integers) -> Floats:
        values = self._of_shares(rows)
        charge = np.tile(self._stretch_charge(rows), 2)
        who = (_best_stretch(values) - charge).argmax(axis=1)[:, None]
        first, end = _stretches(np.take_along_axis(values, who[:, :, None], 1))
        weeks, count = np.arange(self._whole.shape[2]), self._whole.shape[1]
        within = (weeks >= first) & (weeks < end)
        share = np.where((who < count)[:, :, None], self._whole[rows], self._half[rows])
        return np.where(self._are(who[:, 0] % count)[:, :, None] & within[:, None, :], share, 0.0)

    def _hours_of_stood_in(self, rows: Integers) -> Floats:
        patchwork = self._patchwork(rows)
        who = self._of_stood_in(patchwork, rows).argmax(axis=1)
        filled = self._absences.filled(patchwork, self._least_charge[rows], rows, who)
        others = np.where(filled[:, None, :], self._hours_of_parts(rows), 0.0)
        return np.where(self._are(who)[:, :, None], self._whole[rows], others)

    def _hours_of_parts(self, rows: Integers) -> Floats:
        whole, half = self._values_of_whole[rows], self._values_of_half[rows]
        best = whole.max(axis=1, keepdims=True)
        pair = _two_best(half)
        is_shared = np.maximum(pair, 0.0).sum(axis=1, keepdims=True) > np.maximum(best, 0.0)
        alone = _first((whole >= best) & (whole > 0) & ~is_shared, 1)
        shared = _first((half >= pair.min(axis=1, keepdims=True)) & (half > 0) & is_shared, 2)
        return np.where(alone, self._whole[rows], np.where(shared, self._half[rows], 0.0))

    def _are(self, who: Integers) -> Flags:
        """Returns which candidate is meant, by row."""
        return np.asarray(np.arange(self._whole.shape[1]) == who[:, None])


class _Absences:
    """When each candidate would give nothing: times for which others can stand in.

    Someone else's stretch of weeks that goes on while this candidate is back is another stretch,
    unless that other one gives nothing meanwhile: where there is such a one, all times are taken
    for one.
    """

    def __init__(self, whole: Floats) -> None:
        self.away: Flags = whole <= 0
        padded = np.pad(self.away, ((0, 0), (0, 0), (0, 1)))
        self._ends: Flags = padded[:, :, :-1] & ~padded[:, :, 1:]
        joined = _can_be_bridged(self.away, self._ends)
        self._ends[joined] = False
        self._ends[joined, -1] = True

    def worth(self, patchwork: Floats, charge: Floats, rows: _Rows) -> Floats:
        """Returns what it is worth to stand in, by candidate, in the last week of each time."""
        ends = self._ends[rows]
        sums = np.cumsum(np.where(self.away[rows], patchwork[:, None, :], 0.0), axis=2)
        until = np.maximum.accumulate(np.where(ends, sums, 0.0), axis=2)
        before = np.concatenate([np.zeros((*until.shape[:2], 1)), until[:, :, :-1]], axis=2)
        return np.where(ends, np.maximum(sums - before - charge[:, None, None], 0.0), 0.0)

    def filled(self, patchwork: Floats, charge: Floats, rows: Integers, who: Integers) -> Flags:
        """Returns in which weeks others stand in for the chosen candidates, by row."""
        worth = self.worth(patchwork, charge, rows)[np.arange(len(rows)), who][:, ::-1]
        is_end, away = self._ends[rows, who][:, ::-1], self.away[rows, who]
        # From the last week backwards, each week belongs to the time that ends next.
        last = np.maximum.accumulate(np.where(is_end, np.arange(is_end.shape[1]), -1), axis=1)
        is_worth = np.take_along_axis(worth > 0, np.maximum(last, 0), 1) & (last >= 0)
        return np.asarray(is_worth[:, ::-1] & away)


def _can_be_bridged(away: Flags, ends: Flags) -> Flags:
    """Returns for which candidates someone is away throughout a time between two of theirs."""
    found = np.zeros(away.shape[:2], dtype=bool)
    never: Flags = np.asarray(away.all(axis=2))
    for offer, who in np.argwhere(ends.sum(axis=2) > 1).tolist():
        lasts = np.flatnonzero(ends[offer, who, :])
        for last, following in itertools.pairwise(lasts.tolist()):
            weeks = np.arange(last + 1, following + 1)
            between = weeks[~away[offer, who, weeks]]
            others = np.take(away[offer], between, axis=1)
            if np.any(others.all(axis=1) & ~never[offer]):
                found[offer, who] = True
                break
    return found


def _less(values: Floats, costs: Floats) -> Floats:
    """Returns values less costs, in the place of the costs: these arrays are large."""
    return np.subtract(values, costs, out=costs)


def _two_best(values: Floats) -> Floats:
    """Returns the two highest values of candidates (axis 1), the higher one last."""
    return np.asarray(np.partition(values, values.shape[1] - 2, axis=1)[:, -2:])


def _first(chosen: Flags, count: int) -> Flags:
    """Returns the first ``count`` candidates of those chosen: of equal ones not more."""
    return np.asarray(chosen & (np.cumsum(chosen, axis=1) <= count))


def _best_stretch(values: Floats) -> Floats:
    """Returns the highest sum of consecutive weeks."""
    sums = _sums(values)
    lowest = np.minimum.accumulate(sums[:, :, :-1], axis=2)
    return np.asarray((sums[:, :, 1:] - lowest).max(axis=2))


def _stretches(values: Floats) -> tuple[Integers, Integers]:
    """Returns the first week of each best stretch and the one after the last."""
    sums = _sums(values)
    lowest = np.minimum.accumulate(sums[:, :, :-1], axis=2)
    last = (sums[:, :, 1:] - lowest).argmax(axis=2)
    before = np.take_along_axis(lowest, last[:, :, None], 2)
    return (sums[:, :, :-1] == before).argmax(axis=2), last + 1


def _sums(values: Floats) -> Floats:
    """Returns the sums of the weeks before each, and of all."""
    sums: Floats = np.zeros((*values.shape[:2], values.shape[2] + 1), values.dtype)
    np.cumsum(values, axis=2, out=sums[:, :, 1:])
    return sums
