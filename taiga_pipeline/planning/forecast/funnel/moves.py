"""Moves of deals through the stages of a funnel, as counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from taiga_pipeline.planning.forecast.hazards import months_of
from taiga_pipeline.planning.forecast.record import LOST, WON, Days, Flags, Floats, Record, Stays

MONTH_CORRELATION: Final = 0.01
"""How alike the outcomes of two departures of one month are."""
_NEXT_DEALS: Final = 2.0


def order_of(believed: Floats, stays: Stays) -> Days:
    """Returns the stages in the order of the funnel: as likely as the mapping says they win, those
    that it does not tell apart as late as deals come into them."""
    if len(believed) == 1:
        return np.zeros(1, dtype=np.int64)
    begins = np.searchsorted(stays.deal, stays.deal)
    before = np.bincount(stays.stage, np.arange(len(begins)) - begins, len(believed))
    number = np.bincount(stays.stage, minlength=len(believed))
    known = np.lexsort((before[1:] / np.maximum(number[1:], 1), believed[1:])) + 1
    return np.concatenate([[0], known])


@dataclass(frozen=True, slots=True)
class Moves:
    """Stays in stages: arrays of stays, and how many went from each stage to each (last: won)."""

    stage: Days
    days: Floats
    on: Floats
    off: Floats
    weight: Floats
    to: Floats
    first: Days
    first_deal: Days
    last: Days

    @classmethod
    def of(cls, record: Record, order: Days, silent: int | None) -> Moves:
        """Reads the stays of a record. Of deals that moved back nothing but their days counts."""
        stays = record.stays
        number = len(record.stages)
        rank = np.argsort(order)
        won = stays.after == WON
        forward = won | ((stays.after > 0) & (rank[np.maximum(stays.after, 0)] > rank[stays.stage]))
        lost = stays.after == LOST
        begin = min(record.staged_since, record.today)
        days = np.maximum(stays.last - np.maximum(stays.first, begin), 0)
        in_record = stays.last >= begin
        to = np.zeros((number, number + 1))
        goal = np.where(won, number, np.maximum(stays.after, 0))
        np.add.at(to, (stays.stage[forward], goal[forward]), 1.0)
        usable = in_record if silent is None else in_record & (stays.last <= silent)
        weight = by_month(stays.last, usable & (forward | lost))
        begins = np.unique(stays.deal, return_index=True)[1]
        return cls(
            stays.stage, days.astype(float), (forward & in_record).astype(float),
            (lost & in_record).astype(float), weight, to, stays.stage[begins],
            stays.deal[begins], stays.last,
        )  # fmt: skip

    def likelihood(self, chance: Floats) -> Floats:
        """Returns the logarithm of how likely the moves are, less its maximum over each stage, for
        chances of moving on (stages on the first axis)."""
        on, off = (self.sums(self.weight * each)[:, None, None] for each in (self.on, self.off))
        seen = on * np.log(chance) + off * np.log1p(-chance)
        return np.asarray(seen - seen.max(axis=(1, 2), keepdims=True))

    def sums(self, values: Floats) -> Floats:
        """Returns the sums of stays' values by stage."""
        return np.asarray(np.bincount(self.stage, weights=values, minlength=len(self.to)), float)


def by_month(day: Days, counts: Flags) -> Floats:
    """Returns what each departure weighs: m of one month as m / (1 + (m - 1) rho) (Kish 1965)."""
    month = months_of(day) - months_of(day.min(initial=1)[None])
    number = np.bincount(month, weights=counts)[month]
    return np.asarray(counts / (1 + np.maximum(number - 1, 0) * MONTH_CORRELATION))


def next_shares(to: Floats, order: Days) -> Floats:
    """Returns the share of those who move on from each stage to each: the next, before it shows."""
    prior = np.zeros_like(to)
    for here, after in zip(order.tolist(), [*order[1:].tolist(), len(order)], strict=True):
        prior[here, after] = _NEXT_DEALS
    if len(order) > 1:  # A deal whose stage is not known is decided from there.
        prior[0] = 0.0
        prior[0, -1] = _NEXT_DEALS
    total = to + prior
    return np.asarray(total / total.sum(axis=1, keepdims=True))


def chances_of(moves_on: Floats, moves_to: Floats, order: Days) -> Floats:
    """Returns the chance to be won of each stage (first axis; others are kept)."""
    chances = np.zeros_like(moves_on)
    for stage in reversed(order.tolist()):
        later = np.tensordot(moves_to[stage, :-1], chances, axes=1) + moves_to[stage, -1]
        chances[stage] = moves_on[stage] * later
    return chances


def through_of(moves_on: Floats, moves_to: Floats, order: Days) -> Floats:
    """Returns how many of the deals in each stage (first axis) come into each stage."""
    through = np.eye(len(moves_on))
    for stage in reversed(order.tolist()):
        through[stage] += moves_on[stage] * (moves_to[stage, :-1] @ through)
    return through
