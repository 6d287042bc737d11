"""Decisions that fall on the ends of months.

Many pipelines close their deals on the last days of a month. The weights of days (see `clock`) are
1 on average over each month: ninety days that hold two ends of months out of three then count for
about sixty.
"""

from __future__ import annotations

from datetime import date
from math import lgamma, sqrt
from typing import Final

import numpy as np

from taiga_pipeline.planning.forecast.record import Days, Floats, Record

EVEN_DECISIONS: Final = 10.0
"""That the days of a month are alike counts as so many decisions."""
LAST_DAYS: Final = 3
"""The last working day of a month is one of its last three days."""
UNLIKELY: Final = 0.001
LONGEST: Final = 31
"""Days of the longest month."""
_MANY: Final = 50
_FAR: Final = 3.09
"""What lies so many standard deviations above the mean is as unlikely as `UNLIKELY`."""
_MONTH: Final = 365.25 / 12


def weights_of(record: Record) -> Floats | None:
    """Returns what days weigh by how far the end of the month is (0: its last day), None unless
    more decisions fell on the last days of months than chance explains (`UNLIKELY`)."""
    left = _days_left(record.closed[~record.is_open])
    late = int((left < LAST_DAYS).sum())
    if not _is_unlikely(late, len(left), LAST_DAYS / _MONTH):
        return None
    counts = np.bincount(left, minlength=LONGEST)[:LONGEST]
    return np.asarray((counts + EVEN_DECISIONS / _MONTH) * _MONTH / (len(left) + EVEN_DECISIONS))


def weights_ahead(today: int, weights: Floats, days: int) -> Floats:
    """Returns the weights of the days ahead: 1 on average over each whole month."""
    ahead = np.arange(today + 1, today + days + LONGEST + 1)
    left = _days_left(ahead)
    lengths = np.array([date.fromordinal(int(day)).day for day in ahead + left])
    scale = lengths / np.cumsum(weights)[lengths - 1]
    return np.asarray((weights[left] * scale)[:days])


def _days_left(days: Days) -> Days:
    """Returns how many days of its month come after each day."""
    months = (np.asarray(days) - _EPOCH).astype("datetime64[D]").astype("datetime64[M]")
    first_of_next = (months + 1).astype("datetime64[D]").astype(np.int64) + _EPOCH
    return np.asarray(first_of_next - 1 - days)


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
