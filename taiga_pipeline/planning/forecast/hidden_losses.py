"""What wins and open deals tell where losses are not recorded.

How many moved on, of those that had the time for it, tells the chance ``a`` of moving on, as in a
model with a cured part (Boag 1949): ``P(moved on by t) = a F(t)``. That is so if deals that were
lost stay open. If they are taken out of the record instead, what is left either moved on or is
still under way, ``P(moved on by t | left) = a F(t) / (a F(t) + 1 - F(t))``: then next to nothing
that is left is old.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import factorial
from typing import Final

import numpy as np

from taiga_pipeline.planning.forecast.record import LOST, STAYS, Days, Flags, Floats, Record

UNLIKELY: Final = 0.01
LONG_DAYS: Final = 90
USUAL_DECISIONS: Final = 6.0
"""That half of the decisions are losses counts as so many, when a run of wins is judged."""

_BINS: Final = 50
_NEVER_SURE: Final = 1e-6


def unrecorded_losses(record: Record) -> int | None:
    """Returns the day from which on losses seem not to be recorded, None if they are.

    That is so after `LONG_DAYS` without one, if so many wins in a row are too unlikely
    (`UNLIKELY`), as often as deals were lost before.
    """
    decided = ~record.is_open
    lost = decided & ~record.won
    last = int(record.closed[lost].max()) if lost.any() else record.start
    if record.today - last < LONG_DAYS:
        return None
    before = int((record.won & (record.closed <= last)).sum()) if lost.any() else 0
    run = int(record.won[decided].sum()) - before
    usual = (before + USUAL_DECISIONS / 2) / (before + int(lost.sum()) + USUAL_DECISIONS)
    return last if usual**run < UNLIKELY else None


@dataclass(frozen=True, slots=True)
class HiddenLosses:
    """Counts by group (stage, or one for whole deals) and by share of stays that end in the time
    that there was: of what moved on in it, and of what did not."""

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
    def of_deals(cls, record: Record, leaves: float, stages: int, since: int) -> HiddenLosses:
        """Counts whole deals, which pass so many stages at the same rate a day."""
        began = np.maximum(np.maximum(record.entered, since), record.start)
        mean = leaves * np.maximum(record.today - began, 0)
        passed = 1.0 - np.exp(-mean) * sum(mean**k / factorial(k) for k in range(stages))
        won = record.won & ~record.is_open
        known = (record.is_open | won) & (np.minimum(record.closed, record.today) > since)
        return cls._count(np.zeros(len(won), dtype=np.int64), passed, won, known, 1)

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

        ``chances`` are by group (first axis); so is what is returned.
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
        """Returns the same if lost deals are taken out; ``chances`` are by group."""
        moving = chances[:, None] * _ENDED
        share = moving / (moving + 1.0 - _ENDED)
        return float((self.moved * np.log(share) + self.stayed * np.log1p(-share)).sum())


_ENDED: Final = ((np.arange(_BINS) + 0.5) / _BINS).clip(_NEVER_SURE, 1.0 - _NEVER_SURE)
