"""Decisions that fall on the ends of months, or of one month in three.

Many pipelines close their deals on the last days of a month or of a quarter. The weights of days
(see `clock`) are 1 on average over each month, or quarter: ninety days that hold two ends of months
out of three then count for about sixty.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from math import lgamma, sqrt
from typing import Final

import numpy as np

from taiga_pipeline.planning.forecast.record import Days, Flags, Floats, Record

EVEN_DECISIONS: Final = 3.0
"""That the days of a month are alike counts as so many decisions, and so does that months are."""
LAST_DAYS: Final = 3
"""The last working day of a month is one of its last three days."""
UNLIKELY: Final = 0.001
LONGEST: Final = 31
"""Days of the longest month."""
_MANY: Final = 50
_FAR: Final = 3.09
"""What lies so many standard deviations above the mean is as unlikely as `UNLIKELY`."""
_MONTH: Final = 365.25 / 12
_QUARTER: Final = 3


@dataclass(frozen=True, slots=True)
class Ends:
    """What days weigh ``by_day``, how far the end of the month is (0: its last day), and
    ``by_month``, the month of the quarter."""

    by_day: Floats
    by_month: Floats

    @classmethod
    def of(cls, days: Days) -> Ends | None:
        """Learns from the days on which something fell; None unless more of it fell on the last
        days of months than chance explains (`UNLIKELY`).

        Months are alike unless more of that fell in one of three than chance explains.
        """
        left, month = _days_left(days)
        is_late = left < LAST_DAYS
        late = int(is_late.sum())
        if not _is_unlikely(late, len(days), LAST_DAYS / _MONTH):
            return None
        counts = np.bincount(left, minlength=LONGEST)[:LONGEST]
        by_day = (counts + EVEN_DECISIONS / _MONTH) * _MONTH / (len(days) + EVEN_DECISIONS)
        in_month = np.bincount(month[is_late] % _QUARTER, minlength=_QUARTER)
        by_month: Floats = np.ones(_QUARTER)
        if _is_unlikely(int(in_month.max()), late, 1 / _QUARTER):
            by_month += (_QUARTER * in_month - late) / (late + EVEN_DECISIONS)
        return cls(np.asarray(by_day), by_month)

    def weights(self, days: Days) -> Floats:
        """Returns what days weigh: 1 on average over each whole month, or quarter."""
        left, month = _days_left(days)
        lengths = _first_day(month + 1) - _first_day(month)
        scale = lengths / np.cumsum(self.by_day)[lengths - 1]
        return np.asarray(self.by_day[left] * scale * self.by_month[month % _QUARTER])


def ends_of(record: Record) -> Ends | None:
    """Learns when decisions fall."""
    return Ends.of(record.closed[~record.is_open])


def is_end(days: Days) -> Flags:
    """Tells which days are among the last of their month."""
    return np.asarray(_days_left(days)[0] < LAST_DAYS)


def end_of(days: Days) -> Days:
    """Returns the last day of the month for its last days, other days as they are."""
    left, _ = _days_left(days)
    return np.where(left < LAST_DAYS, days + left, days)


def _days_left(days: Days) -> tuple[Days, Days]:
    """Returns how many days of its month come after each day, and its month."""
    month = (days - _EPOCH).astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return np.asarray(_first_day(month + 1) - 1 - days), month


def _first_day(month: Days) -> Days:
    day = month.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    return np.asarray(day + _EPOCH)


_EPOCH: Final = date(1970, 1, 1).toordinal()


def _is_unlikely(late: int, number: int, share: float) -> bool:
    """Tells if so many or more of a number, each of this chance, are too many: binomial, or of many
    the normal distribution that it comes to."""
    mean = number * share
    if mean > _MANY:
        return late - mean > _FAR * sqrt(mean * (1 - share))
    some = np.arange(late, number + 1)
    ways = [lgamma(number + 1) - lgamma(k + 1) - lgamma(number - k + 1) for k in some.tolist()]
    logs = np.array(ways) + some * np.log(share) + (number - some) * np.log1p(-share)
    return float(np.exp(logs).sum()) < UNLIKELY
