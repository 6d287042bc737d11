"""Whether more or fewer deals move on since some day than before.

A firm that raises prices, or whose best seller leaves, wins less from then on, and the years before
say little of it. One change is looked for, on each day of a grid, as the odds of moving on before
and after it: the score of a logistic model with a normal prior on the change, and Laplace's
approximation of how likely the record is with it and without (Kass and Raftery 1995). What all days
say is averaged, with that there was none.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from taiga_pipeline.planning.forecast.record import Days, Floats

CHANGED: Final = 0.3
"""How likely it is without data that something changed in the time on record."""
CHANGE_SD: Final = 0.8
"""By how much, in log-odds (a standard deviation)."""
FEWEST: Final = 8.0
"""So many departures must have come before a change and after it, to tell it from luck."""
_STEP_DAYS: Final = 30


def latest_change(day: Days, on: Floats, off: Floats, chance: Floats) -> tuple[float, float]:
    """Returns by how much the log-odds of moving on are now higher than the ``chance`` that the
    whole record tells, and the variance of that.

    Arrays are by stay: the day on which it ended, and how far it counts as moved ``on`` or lost.
    """
    seen = np.flatnonzero(on + off > 0)
    seen = seen[np.argsort(day[seen], kind="stable")]
    number = on[seen] + off[seen]
    if number.sum() < 2 * FEWEST:
        return 0.0, 0.0
    share = chance[seen]
    count, more, spread = (
        np.concatenate([[0.0], np.cumsum(each)])
        for each in (number, on[seen] - number * share, number * share * (1 - share))
    )
    grid = np.arange(int(day[seen[0]]) + _STEP_DAYS, int(day[seen[-1]]) + 1, _STEP_DAYS)
    at = np.searchsorted(day[seen], grid)
    at = at[(count[at] >= FEWEST) & (count[-1] - count[at] >= FEWEST)]
    if not len(at):
        return 0.0, 0.0
    before = spread[at] / spread[-1]
    after = 1.0 - before
    score = after * more[-1] - (more[-1] - more[at])
    known = before * after * spread[-1]
    precision = known + CHANGE_SD**-2
    likely = 0.5 * (score**2 / precision - np.log(precision * CHANGE_SD**2))
    weight = np.exp(likely) * CHANGED / len(at)
    weight /= weight.sum() + 1.0 - CHANGED
    shift = -score / precision * before
    mean = float(weight @ shift)
    return mean, float(weight @ (shift**2 + before**2 / precision)) - mean**2
