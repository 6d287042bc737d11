"""A clock that runs at the speed of decisions: ``F'(d) = F(T(d))``.

Chances are learnt in days; where decisions fall on some days more than on others, days ahead are
counted as decisions do. ``T(d)`` is the sum of the weights of the days up to ``d``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import Final

import numpy as np

from taiga_pipeline.planning.forecast import times_of_year
from taiga_pipeline.planning.forecast.curves import Curves
from taiga_pipeline.planning.forecast.month_ends import Ends, ends_of
from taiga_pipeline.planning.forecast.record import Floats, Record

_MOST_AHEAD: Final = 365


@dataclass(frozen=True, slots=True)
class Clock:
    """What days weigh from ``today`` on: by how far the end of the month is, and by the half month
    of the year; None where days are alike."""

    today: int
    month: Ends | None
    year: Floats | None

    @classmethod
    def of(cls, record: Record) -> Clock:
        """Learns from a record when decisions fall."""
        ends = ends_of(record)
        return cls(record.today, ends, times_of_year.half_months_of(record, ends))

    def read(self, curves_of: Callable[[int], Curves], horizon: int) -> Curves:
        """Returns curves on the days on which this pipeline decides."""
        weights = np.ones(horizon)
        if self.month is not None:
            days = np.arange(self.today + 1, self.today + 1 + horizon)
            weights = weights * self.month.weights(days)
        if self.year is not None:
            weights = weights * times_of_year.weights_ahead(self.today, self.year, horizon)
        if self.month is None and self.year is None:
            return curves_of(horizon)
        clock = np.cumsum(weights)
        ahead = float((clock - np.arange(1, horizon + 1)).max())
        return _read(curves_of(horizon + min(max(ceil(ahead), 1), _MOST_AHEAD)), clock)


def _read(curves: Curves, clock: Floats) -> Curves:
    """Returns curves as far as a clock reads, from ones that reach farther."""
    won, decided = (
        np.diff(_at(clock, each), axis=0, prepend=0.0)
        for each in (curves.kinds_won, curves.kinds_decided)
    )
    return Curves(won, decided, curves.place)


def _at(clock: Floats, daily: Floats) -> Floats:
    """Returns what has come by each reading of the clock; it runs on between whole days."""
    total = np.concatenate([np.zeros((1, daily.shape[1])), np.cumsum(daily, axis=0)])
    whole = np.minimum(clock.astype(np.int64), len(daily) - 1)
    part = np.minimum(clock - whole, 1.0)[:, None]
    return np.asarray((1 - part) * total[whole] + part * total[whole + 1])
