"""Chances in good and bad times: what the factor that all deals share does to them.

Forecasts and plans share this. Nothing is surer than sure: where a chance times the factor exceeds
1, the rest is cut off. So that the chance is right all the same, on average over all futures, it is
a little higher to begin with: with a factor of spread 0.25, a chance of 0.9 counts as 1.0 times the
factor. Needs numpy (the extra ``planning``).
"""

from __future__ import annotations

from functools import lru_cache
from math import log
from statistics import NormalDist
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_PLACES: Final = 400
_LEAST: Final = 2.5
"""So many standard deviations below 1, next to nothing of a chance is cut off."""
_MOST: Final = 6.0
"""So many above 1, next to nothing is left of it."""


def before_shock(probability: Floats, sd: float) -> Floats:
    """Returns what the shared factor is to multiply, by row, so that the mean over all futures of
    what comes of it, none above 1, is the chance of the row.

    ``sd`` is the spread of the factor's logarithm; its mean is 1. What is certain is infinite, so
    that it stays so in bad times.
    """
    before = np.array(probability, dtype=np.float64)
    if sd > 0:
        chances, means = _means(sd)
        cut = before > means[0]
        before[cut] = np.interp(before[cut], means, chances)
    before[np.asarray(probability) >= 1] = np.inf
    return before


@lru_cache(maxsize=8)
def _means(sd: float) -> tuple[Floats, Floats]:
    """Returns chances before the shock, and their means after it; both rise."""
    chances = np.exp(np.linspace(-_LEAST * sd, _MOST * sd, _PLACES))
    return chances, np.array([_mean(chance, sd) for chance in chances.tolist()])


def _mean(chance: float, sd: float) -> float:
    """Returns the mean of a chance times the factor, none above 1."""
    below, most = NormalDist().cdf, log(1 / chance)
    return chance * below((most - sd**2 / 2) / sd) + below(-(most + sd**2 / 2) / sd)
