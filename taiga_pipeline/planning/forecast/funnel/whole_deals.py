"""What decided deals tell as a whole, where their stages are not on record.

Losses are quick and wins are slow: of deals that came in a short time ago, those that are decided
are mostly lost. A deal that had the time ``t`` and is decided was won with the odds
``P / (1 - P) * F_won(t) / F_lost(t)``, with the times that a won and a lost deal take.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from taiga_pipeline.planning.forecast.funnel.moves import by_month
from taiga_pipeline.planning.forecast.record import Days, Flags, Floats, Record

_BINS: Final = 20
_LEAST: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Path:
    """How new deals pass the stages: ``length`` is how many a won one passes, ``lost`` the chance
    to be lost in each of them (the first one first), ``rate`` how many pass a day."""

    length: int
    lost: Floats
    rate: float

    @property
    def passed_if_lost(self) -> float:
        """How many stages end in a deal that is lost, on average."""
        number = np.arange(1, len(self.lost) + 1)
        return float(number @ self.lost / max(float(self.lost.sum()), _LEAST))

    def relative_odds(self, days: Days) -> Floats:
        """Returns how many times more often wins have come by then than losses, of those that come:
        less than 1, as they take longer."""
        won = _passed(self.rate * np.maximum(days, 1), self.length)[:, -1]
        return np.asarray(won / np.maximum(self.lost_by(days), _LEAST)).clip(_LEAST, 1.0)

    def lost_by(self, days: Days) -> Floats:
        """Returns what part of the losses has come so many days after deals came in."""
        by_stage = _passed(self.rate * np.maximum(days, 1), len(self.lost))
        return np.asarray(by_stage @ self.lost / max(float(self.lost.sum()), _LEAST))


def _passed(mean: Floats, stages: int) -> Floats:
    """Returns the chance that so many stages (second axis, from 1) are passed in the time in which
    ``mean`` would be."""
    number = np.arange(stages)
    steps = np.concatenate([np.ones((len(mean), 1)), mean[:, None] / np.maximum(number[1:], 1)], 1)
    return np.asarray(1.0 - np.cumsum(np.exp(-mean)[:, None] * np.cumprod(steps, 1), axis=1))


@dataclass(frozen=True, slots=True)
class WholeDeals:
    """Decided deals, by how likely wins have come by then, beside losses: their number, which were
    ``won`` and which ``lost``; ``odds`` is the middle of each group."""

    odds: Floats
    won: Floats
    lost: Floats

    @classmethod
    def of(cls, record: Record, which: Flags, until: int, path: Path) -> WholeDeals:
        """Counts some deals that were decided before the day ``until``."""
        weight = by_month(np.minimum(record.closed, record.today), which)
        odds = path.relative_odds(until - record.entered[which])
        place = np.minimum((odds * _BINS).astype(np.int64), _BINS - 1)
        won = record.won[which]
        counts = (
            np.bincount(place, weight[which] * each, minlength=_BINS).astype(float)
            for each in (won, ~won)
        )
        return cls((np.arange(_BINS) + 0.5) / _BINS, *counts)

    def likelihood(self, chance: Floats) -> Floats:
        """Returns the logarithm of how likely these outcomes are, for chances to be won of a new
        deal."""
        odds = self.odds[:, None] * chance / (1.0 - chance)
        return np.asarray(self.won @ np.log(odds / (1 + odds)) - self.lost @ np.log1p(odds))
