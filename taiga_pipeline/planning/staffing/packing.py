"""What people's weeks can hold: whole and half shares of requests, not any hours.

In each week of a worker there are *items*: requests that the worker could be on, each with the
hours of the whole and of a half. At a price per hour of each item, the most valuable choice is
found for all weeks of all workers at once, by dynamic programming over the hours that are used
(in steps of ``unit`` hours). Hours are rounded down in it: it may hold too much, never too little.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from taiga_pipeline.planning.staffing.problem import TOLERANCE

if TYPE_CHECKING:
    from taiga_pipeline.planning.staffing.pricing import Block
    from taiga_pipeline.planning.staffing.tables import Flags, Floats, Integers, Tables

UNITS: Final = (4.0, 2.0, 1.0, 0.5)
"""Steps of hours to choose from, the longest of which all hours are multiples."""
USUAL_UNIT: Final = 1.0
"""The step where there is none."""
ROUNDING: Final = 1e-9
SHARES: Final = (0, 1)
"""Positions of a half and of the whole in arrays of shares."""


class Packing:
    """The items of blocks' offers, and what weeks can hold of them.

    ``index`` are arrays like the places of the blocks: the item of each offer, candidate and
    week. The starts of a request share its items where they give the same hours. ``weeks`` are the
    places of the items: positions in flat arrays of workers x weeks.
    """

    def __init__(self, tables: Tables, blocks: list[Block]) -> None:
        self._charge = tables.problem.terms.overtime_cost
        self.index, self.weeks, self.hours = _items(blocks, tables.free.size)
        used, self._rows = np.unique(self.weeks, return_inverse=True)
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
        and how many hours of each item they hold then: none of those without a price."""
        rows, slots = self._slots(np.flatnonzero(prices > 0))
        sums = np.full((len(rows), 2 * self._most + 1), -np.inf)
        sums[:, self._most] = 0.0
        steps = [(items, self._add(sums, items, prices)) for items in slots]
        totals = sums[:, self._most :] - self._ends[rows]
        at = totals.argmax(axis=1)
        value = float(totals[np.arange(len(at)), at].sum())
        return value, self._trace(steps, prices, sums[:, self._most :], at)

    def _slots(self, items: Integers) -> tuple[Integers, list[Integers]]:
        """Returns the weeks that have any of these items, those that have most first, and the
        first items of them, their second ones, and so on."""
        count = np.bincount(self._rows[items], minlength=len(self._ends))
        busiest = np.argsort(-count, kind="stable")
        place_of = np.empty_like(busiest)
        place_of[busiest] = np.arange(len(busiest))
        items = items[np.argsort(place_of[self._rows[items]], kind="stable")]
        rows = busiest[: np.count_nonzero(count)]
        firsts = np.cumsum(count[rows]) - count[rows]
        most = int(count.max(initial=0))
        slots = [items[firsts[count[rows] > number] + number] for number in range(most)]
        return rows, slots

    def _add(self, sums: Floats, items: Integers, prices: Floats) -> Floats:
        """Lets weeks have another item; returns what their hours were worth before."""
        here = sums[: len(items)]
        before = here[:, self._most :].copy()
        best, rows = before.copy(), np.arange(len(items))
        # What is left of each sum of hours once an item is taken off it.
        rests = sliding_window_view(here, self._most + 1, axis=1)
        for share in SHARES:
            sizes = self._sizes[share][items]
            fits = np.minimum(sizes, self._most)
            other = rests[rows, self._most - fits]
            other += self._worth(share, items, prices)[:, None]
            np.maximum(best, other, out=best)
        here[:, self._most :] = best
        return before

    def _worth(self, share: int, items: Integers, prices: Floats) -> Floats:
        """Returns what a share of items is worth; what no week has room for is worth nothing."""
        worth = prices[items] * self.hours[share][items]
        return np.where(self._sizes[share][items] > self._most, -np.inf, worth)

    def _trace(
        self, steps: list[tuple[Integers, Floats]], prices: Floats, sums: Floats, used: Integers
    ) -> Floats:
        """Returns the hours of each item: from the last step back, what made the sums of ``used``
        hours worth what they are."""
        held = np.zeros(self.hours.shape[1])
        left = used.copy()
        reached = sums[np.arange(len(used)), used]
        for items, before in reversed(steps):
            rows, here, value = np.arange(len(items)), left[: len(items)], reached[: len(items)]
            is_new = before[rows, here] != value
            for share in SHARES:
                rest = here - self._sizes[share][items]
                others = before[rows, np.maximum(rest, 0)] + self._worth(share, items, prices)
                chosen = np.flatnonzero(is_new & (rest >= 0) & (others == value))
                held[items[chosen]] = self.hours[share][items[chosen]]
                here[chosen] = rest[chosen]
                is_new[chosen] = False
            value[:] = before[rows, here]
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
