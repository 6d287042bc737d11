"""What wins and open deals tell where losses are not recorded.

How many moved on, of those that had the time for it, tells the chance ``a`` of moving on, as in a
model with a cured part (Boag 1949): ``P(moved on by t) = a F(t)``. That is so if deals that were
lost stay open. If they are taken out of the record instead, what is left either moved on or is
still under way, ``P(moved on by t | left) = a F(t) / (a F(t) + 1 - F(t))``: then next to nothing
that is left is old.

Where stays are not on record, the stages that open deals are in today tell as much: how many are in
a later one, or won, of those that came into a stage.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import factorial
from typing import Final

import numpy as np

from taiga_pipeline.planning.forecast.record import LOST, STAYS, Days, Flags, Floats, Record

UNLIKELY: Final = 0.01
LONG_DAYS: Final = 90
SOME_WINS: Final = 2
"""So many wins without a loss show that decisions are still recorded."""
BULK: Final = 3
"""So many losses of one day may be a clean-up."""
BULK_APART: Final = 45
"""Clean-ups are at least so many days apart: months that end with decisions are not."""
MOSTLY: Final = 0.8
"""The share of losses that clean-ups bring, at least."""
GROWTH: Final = 0.3
"""How much more or less may come in each year (standard deviation of the logarithm)."""
USUAL_DECISIONS: Final = 6.0
"""That half of the decisions are losses counts as so many, when a run of wins is judged."""

_BINS: Final = 50
_NEVER_SURE: Final = 1e-6
_SELDOM: Final = 1e-9


def unrecorded_losses(record: Record) -> int | None:
    """Returns the day from which on losses seem not to be recorded, None if they are.

    That is so after `LONG_DAYS` without one, if so many wins in a row are too unlikely
    (`UNLIKELY`), as often as deals were lost before; or if there were some, and so many losses were
    due of the deals that were open. It is so since the last clean-up, where lost
    deals are closed many at a time.
    """
    decided = ~record.is_open
    lost = decided & ~record.won
    cleaned = last_clean_up(record)
    if cleaned is not None:
        return cleaned
    last = int(record.closed[lost].max()) if lost.any() else record.start
    if record.today - last < LONG_DAYS:
        return None
    before = int((record.won & (record.closed <= last)).sum()) if lost.any() else 0
    run = int(record.won[decided].sum()) - before
    usual = (before + USUAL_DECISIONS / 2) / (before + int(lost.sum()) + USUAL_DECISIONS)
    if usual**run < UNLIKELY:
        return last
    return last if run >= SOME_WINS and _no_loss(record, last, int(lost.sum())) < UNLIKELY else None


def _no_loss(record: Record, last: int, number: int) -> float:
    """Returns how likely no loss is since the ``last`` one, with so many before it: a Poisson
    number whose rate is known from the days that deals were open (Gelman et al. 2013, ch. 2.6)."""

    def open_days(first: int, end: int) -> float:
        days = np.minimum(record.closed, end) - np.maximum(record.entered, first)
        return float(np.maximum(days, 0).sum())

    before, since = open_days(record.start, last), open_days(last, record.today)
    return float((before / max(before + since, 1.0)) ** number) if number else 1.0


def last_clean_up(record: Record) -> int | None:
    """Returns the day on which lost deals were last closed many at a time, None if they are closed
    one by one.

    They are closed in clean-ups if most losses, and few of the wins, are of days with at least
    `BULK` losses, of which there are at least two and which are `BULK_APART` days apart on average.
    """
    decided = ~record.is_open
    lost, won = record.closed[decided & ~record.won], record.closed[record.won]
    if len(lost) < 2 * BULK:
        return None
    first = int(lost.min())
    number = np.bincount(lost - first)
    bulk = np.flatnonzero(number >= BULK) + first
    if len(bulk) < 2 or (bulk[-1] - bulk[0]) < BULK_APART * (len(bulk) - 1):
        return None
    most = number[bulk - first].sum() >= MOSTLY * len(lost)
    few = np.isin(won, bulk).mean() <= 1 - MOSTLY if len(won) else True
    return int(bulk[-1]) if most and few else None


@dataclass(frozen=True, slots=True)
class HiddenLosses:
    """Counts by stage and by share of stays that end in the time that there was: of what moved on
    in it, and of what did not."""

    moved: Floats
    stayed: Floats

    @classmethod
    def of_stays(cls, record: Record, forward: Flags, leaves: Floats, since: int) -> HiddenLosses:
        """Counts stays by stage; ``leaves`` are rates a day, losses are hidden after day ``since``.

        Of a deal that moved back nothing is known.
        """
        stays = record.stays
        began = np.maximum(np.maximum(stays.first, since), record.start)
        known = (stays.last > since) & (forward | (stays.after == STAYS)) & (stays.after != LOST)
        ended = 1.0 - np.exp(-leaves[stays.stage] * np.maximum(record.today - began, 0))
        return cls._count(stays.stage, ended, forward, known, len(leaves))

    @classmethod
    def of_deals(
        cls, record: Record, path: Days, rate: float, since: int, *, steps: int = 1
    ) -> HiddenLosses:
        """Counts deals by stage where only today's stage is on record: a deal in a later one, or
        won, has left those before it.

        ``path`` are the stages that new deals pass, in order, at the same ``rate`` a day, each in
        so many ``steps``. Of deals that came into the stage k in the time there was,
        ``P(N > k) / P(N >= k)`` left it or were lost in it, with N a Poisson number.
        """
        groups = len(record.stages)
        began = np.maximum(np.maximum(record.entered, since), record.start)
        mean = rate * np.maximum(record.today - began, 0)
        won = record.won & ~record.is_open
        known = (record.is_open | won) & (np.minimum(record.closed, record.today) > since)
        place = np.zeros(groups, dtype=np.int64)
        place[path] = np.arange(len(path))
        reached = np.where(won, len(path), place[record.stage])
        came, total = np.ones(len(won)), cls(*np.zeros((2, groups, _BINS)))
        for at, stage in enumerate(path.tolist()):
            left = _at_least((at + 1) * steps, mean)
            ended = np.where(came > _SELDOM, left / np.maximum(came, _SELDOM), 0.0)
            group = np.full(len(won), stage)
            total += cls._count(group, ended, reached > at, known & (reached >= at), groups)
            came = left
        return total

    def __add__(self, other: HiddenLosses) -> HiddenLosses:
        return HiddenLosses(self.moved + other.moved, self.stayed + other.stayed)

    @classmethod
    def _count(
        cls, group: Days, ended: Floats, moved: Flags, known: Flags, groups: int
    ) -> HiddenLosses:
        place = group * _BINS + np.minimum((ended * _BINS).astype(np.int64), _BINS - 1)
        counts = (
            np.bincount(place[which], minlength=groups * _BINS).reshape(groups, _BINS)
            for which in (known & moved, known & ~moved)
        )
        return cls(*(each.astype(float) for each in counts))

    def if_open(self, chances: Floats) -> Floats:
        """Returns the logarithm of how likely the counts are if lost deals stay open.

        ``chances`` are of moving on, by stage (first axis); so is what is returned.
        """
        likely = np.zeros_like(chances)
        for at, ended in enumerate(_ENDED):
            moved, stayed = (
                each[:, at].reshape(-1, *np.ones(chances.ndim - 1, dtype=int))
                for each in (self.moved, self.stayed)
            )
            if moved.any() or stayed.any():
                share = chances * ended
                likely += moved * np.log(share) + stayed * np.log1p(-share)
        return likely

    def if_removed(self, chances: Floats) -> float:
        """Returns the same if lost deals are taken out; ``chances`` are by stage."""
        moving = chances[:, None] * _ENDED
        share = moving / (moving + 1.0 - _ENDED)
        return float((self.moved * np.log(share) + self.stayed * np.log1p(-share)).sum())


@dataclass(frozen=True, slots=True)
class LeftOver:
    """What is left of the deals that came in, where lost ones are taken out: ``number`` by week,
    and the ``lost`` part of the losses that have come by now.

    Of those that came in lately most are left, of those of years ago only the won ones: that tells
    how many are won. That fewer came in then explains it as well, by how much a year is not known
    either (`GROWTH`).
    """

    weeks: Floats
    number: Floats
    lost: Floats

    @classmethod
    def of(cls, record: Record, since: int, lost_by: Callable[[Days], Floats]) -> LeftOver:
        """Counts the deals that came in after a day, and after the first one on record."""
        arrived = record.entered[record.arrived]
        first = max(since, int(arrived.min(initial=record.today)))
        weeks_ago = (record.today - arrived[arrived > first]) // 7
        weeks = np.arange(max((record.today - first) // 7, 1))
        number = np.bincount(weeks_ago, minlength=len(weeks))[: len(weeks)]
        return cls(np.asarray(weeks + 0.5, float), number.astype(float), lost_by(7 * weeks + 3))

    def likelihood(self, chance: Floats) -> Floats:
        """Returns the logarithm of how likely that is, for chances to be won of a new deal."""
        left = 1.0 - self.lost[:, None] * (1.0 - chance)
        growth = _GROWTH_STEPS * GROWTH
        came = np.exp(-growth[:, None] * self.weeks / 52)
        trend = -growth * float(self.number @ self.weeks) / 52 - _GROWTH_STEPS**2 / 2
        each = trend[:, None] - self.number.sum() * np.log(came @ left)
        most = each.max(axis=0)
        return np.asarray(
            self.number @ np.log(left) + most + np.log(np.exp(each - most).sum(axis=0))
        )


def _at_least(number: int, mean: Floats) -> Floats:
    """Returns the chance of a Poisson number to be at least a ``number``."""
    below = sum((mean**k / factorial(k) for k in range(number)), np.zeros(len(mean)))
    return np.asarray(1.0 - np.exp(-mean) * below)


_GROWTH_STEPS: Final = np.linspace(-2.0, 2.0, 9)
_ENDED: Final = ((np.arange(_BINS) + 0.5) / _BINS).clip(_NEVER_SURE, 1.0 - _NEVER_SURE)
