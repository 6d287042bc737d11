"""Quantiles of what was drawn: a number of hours that was drawn, never one in between.

They are numpy's ``inverted_cdf``, several of them for the price of one: capacity needs thousands.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def place_of(count: int, share: float) -> int:
    """Returns the place, from 0, of a quantile among ``count`` values in order."""
    return max(0, ceil(count * share - 1))


def at_places(values: NDArray[np.float64], places: Sequence[int]) -> list[float]:
    """Returns the values at these places of the order."""
    ordered = np.partition(values, sorted(set(places)))
    return [float(ordered[place]) for place in places]
