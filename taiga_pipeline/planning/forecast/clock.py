"""A clock that runs at the speed of decisions: ``F'(d) = F(T(d))``.

Chances are learnt in days; where decisions fall on some days more than on others, days ahead are
counted as decisions do. ``T(d)`` is the sum of the weights of the days up to ``d``.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from typing import Final

import numpy as np

from taiga_pipeline.planning.forecast.curves import Curves
from taiga_pipeline.planning.forecast.month_ends import month_end_weights
from taiga_pipeline.planning.forecast.record import Floats, Record
from taiga_pipeline.planning.forecast.times_of_year import year_weights

_MOST_AHEAD: Final = 365


def on_days_of_decisions(
    record: Record, curves_of: Callable[[int], Curves], horizon: int
) -> Curves:
    """Returns curves on the days on which this pipeline decides."""
    found = (month_end_weights(record, horizon), year_weights(record, horizon))
    known = [each for each in found if each is not None]
    if not known:
        return curves_of(horizon)
    clock = np.cumsum(np.prod(known, axis=0))
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
