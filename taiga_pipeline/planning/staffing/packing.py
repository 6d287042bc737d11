"""What people's weeks can hold: whole and half shares of requests, not any hours.

In each week of a worker there are *items*: requests that the worker could be on, each with the
hours of the whole and of a half. At a price per hour of each item, the most valuable choice is
found for all weeks of all workers at once, by dynamic programming over the hours that are used
(in steps of ``unit`` hours). Hours are rounded down in it: it may hold too much, never too little.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from taiga_pipeline.planning.staffing.problem import TOLERANCE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from taiga_pipeline.planning.staffing.pricing import Block
    from taiga_pipeline.planning.staffing.tables import Flags, Floats, Integers, Tables

    Choices = NDArray[np.int8]

UNITS: Final = (4.0, 2.0, 1.0, 0.5)
"""Steps of hours to choose from, the longest of which all hours are multiples."""
USUAL_UNIT: Final = 1.0
"""The step where there is none."""
ROUNDING: Final = 1e-9


class Packing:
    """The items of blocks' offers, and what weeks can hold of them.

    ``index`` are arrays like the places of the blocks: the item of each offer, candidate and
    week. The starts of a request share its items where they give the same hours. ``weeks`` are the
    places of the items: positions in flat arrays of workers x weeks.
    """

    def __init__(self, tables: Tables, blocks: list[Block]) -> None:
        self._charge = tables.problem.terms.overtime_cost
        self.index, weeks, hours = _items(blocks, tables.free.size)
        # Items stand in the order of their weeks, those weeks that have most items first.
        count = np.bincount(weeks, minlength=tables.free.size)
        busiest = np.argsort(-count, kind="stable")
        row_of = np.empty_like(busiest)
        row_of[busiest] = np.arange(len(busiest))
        order = np.argsort(row_of[weeks], kind="stable")
        place_of = np.empty_like(order)
        place_of[order] = np.arange(len(order))
        self.index = [place_of[each] for each in self.index]
        self.weeks: Integers = weeks[order]
        self.hours: Floats = hours[:, order]
        used = busiest[: int((count > 0).sum())]
        self._firsts: Integers = np.concatenate([[0], np.cumsum(count[used])])
        self._counts = count[used]
        unit = _unit(self.hours)
        self._sizes: Integers = np.floor(self.hours / unit + ROUNDING).astype(np.intp)
        limit = np.floor((tables.limit.ravel()[used] + 2 * TOLERANCE) / unit).astype(np.intp)
        self._most = int(limit.max(initial=0))
        sums = np.arange(self._most + 1)
        regular = np.maximum(tables.regular.ravel()[used], 0.0)
        overtime = np.maximum(sums * unit - regular[:, None], 0.0) * self._charge
        self._ends: Floats = np.where(sums > limit[:, None], np.inf, overtime)

    def fill(self, prices: Floats) -> tuple[float, Floats]:
        """Returns what the weeks are worth at most at these prices of items' hours, less overtime,
        and how many hours of each item they hold then."""
        width = self._most + 1
        sums = np.full((len(self._counts), width + self._most), -np.inf)
        sums[:, self._most] = 0.0
        choices = [self._add(sums, number, prices) for number in range(self._slots())]
        totals = sums[:, self._most :] - self._ends
        at = totals.argmax(axis=1)
        value = float(totals[np.arange(len(at)), at].sum())
        return value, self._trace(choices, at)

    def _slots(self) -> int:
        return int(self._counts[0]) if len(self._counts) else 0

    def _of_slot(self, number: int) -> Integers:
        """Returns the items that are of this number in their weeks."""
        rows = int(np.searchsorted(-self._counts, -number, side="left"))
        return self._firsts[:rows] + number

    def _add(self, sums: Floats, number: int, prices: Floats) -> Choices:
        """Lets weeks have another item; returns the choices (0, or a share) by hours used."""
        items = self._of_slot(number)
        here = sums[: len(items)]
        reach = np.arange(self._most, here.shape[1])
        rows = np.arange(len(items))[:, None]
        best = here[:, self._most :].copy()
        choice = np.zeros(best.shape, dtype=np.int8)
        for share, sizes in enumerate(self._sizes, 1):
            fits = np.minimum(sizes[items], self._most)
            worth = np.where(sizes[items] > self._most, -np.inf, 0.0)
            worth = worth + prices[items] * self.hours[share - 1][items]
            other = here[rows, reach - fits[:, None]] + worth[:, None]
            is_better = other > best
            np.copyto(best, other, where=is_better)
            choice[is_better] = share
        here[:, self._most :] = best
        return choice

    def _trace(self, choices: list[Choices], at: Integers) -> Floats:
        held = np.zeros(self.hours.shape[1])
        at = at.copy()
        for number in reversed(range(len(choices))):
            items = self._of_slot(number)
            share = choices[number][np.arange(len(items)), at[: len(items)]]
            for each in (1, 2):
                chosen = np.flatnonzero(share == each)
                held[items[chosen]] = self.hours[each - 1][items[chosen]]
                at[chosen] -= self._sizes[each - 1][items[chosen]]
        return held


def _items(blocks: list[Block], weeks: int) -> tuple[list[Integers], Integers, Floats]:
    """Returns the item of each offer, candidate and week, and the weeks and hours of the items.

    Hours are those of a half, and of the whole.
    """
    keys = [(block.requests[:, None, None] * weeks + block.places).ravel() for block in blocks]
    hours = np.concatenate([block.gives.reshape(2, -1) for block in blocks], axis=1)
    key = np.where(hours[1] > 0, np.concatenate(keys), -1)
    # Where hours depend on the start, each start has an item of its own.
    _, inverse = np.unique(key, return_inverse=True)
    highest = np.full((2, inverse.max() + 1), -np.inf)
    lowest = -highest
    for share in (0, 1):
        np.maximum.at(highest[share], inverse, hours[share])
        np.minimum.at(lowest[share], inverse, hours[share])
    differs: Flags = np.any(highest > lowest, axis=0)
    differs = differs[inverse]
    inverse = np.where(differs, highest.shape[1] + np.arange(len(key)), inverse)
    _, first, inverse = np.unique(inverse, return_index=True, return_inverse=True)
    ends = np.cumsum([len(each) for each in keys])[:-1]
    parts = np.split(inverse, ends)
    indices = [part.reshape(block.places.shape) for part, block in zip(parts, blocks, strict=True)]
    return indices, key[first] % weeks, hours[:, first]


def _unit(hours: Floats) -> float:
    """Returns by which steps hours are counted."""
    for unit in UNITS:
        if np.allclose(hours / unit, np.round(hours / unit), atol=TOLERANCE):
            return unit
    return USUAL_UNIT
