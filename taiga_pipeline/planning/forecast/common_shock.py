"""How far off forecasts have been: the common shock of all deals in one future.

Good and bad times hit all deals together, so that the spread of a sum does not average out as it
would for independent deals. ``log(actual / expected)`` of completed past windows is taken as normal
with mean `CommonShock.mean` and standard deviation `CommonShock.sd`; both are shrunk, the mean to 0
and the deviation to a prior, since there are few independent windows. What few deals vary by
chance is not a common shock: it is taken off the squares that are seen. Windows of few deals are
tempered, show a part of a shock only, and count for as much (`Window.tells`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

PRIOR_SD: Final = 0.10
PRIOR_WINDOWS: Final = 3.0
"""The prior deviation counts as this many independent windows."""
BIAS_SD: Final = 0.15
"""How far off a forecast may be for good, before its own windows show it."""
WHOLE_PRIOR_SD: Final = PRIOR_SD / math.sqrt(2)
"""Of open and new deals together: two parts of the same size, each with a shock of its own."""
_HALF_DEALS: Final = 2.0


@dataclass(frozen=True, slots=True)
class Window:
    """What was expected of a past period, and what came. The forecast was made on day ``made``."""

    made: int
    expected: float
    actual: float

    @property
    def log_ratio(self) -> float:
        """How much more came than expected, as a logarithm; tempered where both are small."""
        return math.log((self.actual + _HALF_DEALS) / (self.expected + _HALF_DEALS))

    @property
    def noise(self) -> float:
        """What the square of `log_ratio` is by chance alone: of a Poisson number (delta method)."""
        return self.expected / (self.expected + _HALF_DEALS) ** 2

    @property
    def tells(self) -> float:
        """Which part of the square of a common shock shows in that of `log_ratio` (0 to 1): as far
        as `log_ratio` is tempered, it does not."""
        return (self.expected / (self.expected + _HALF_DEALS)) ** 2


@dataclass(frozen=True, slots=True)
class CommonShock:
    """A log-normal factor on expected numbers, from ``windows`` independent ones.

    Its expectation is exp(``mean``): what chances are multiplied by wherever there is one number.
    ``sd`` is the standard deviation of its logarithm.
    """

    mean: float = 0.0
    sd: float = PRIOR_SD
    windows: float = 0.0

    @property
    def median(self) -> float:
        """The logarithm of the factor's median."""
        return self.mean - self.sd**2 / 2


def independent_windows(made: Sequence[int], length: int) -> float:
    """Returns how many windows of ``length`` days fit between forecasts made on these days.

    Windows that overlap show the same decisions.
    """
    return 1.0 + (max(made) - min(made)) / max(length, 1) if made else 0.0


def learn_common_shock(
    windows: Sequence[Window], length: int, prior_sd: float = PRIOR_SD
) -> CommonShock:
    """Returns the common shock of past windows, ``length`` days after their forecasts' dates."""
    if not windows:
        return CommonShock(0.0, math.hypot(prior_sd, BIAS_SD), 0.0)
    number = independent_windows([window.made for window in windows], length)
    square = sum(window.log_ratio**2 for window in windows) / len(windows)
    noise = sum(window.noise for window in windows) / len(windows)
    tells = sum(window.tells for window in windows) / len(windows)
    shared = max(square - noise, 0.0)
    variance = (PRIOR_WINDOWS * prior_sd**2 + number * shared) / (PRIOR_WINDOWS + number * tells)
    whole = Window(
        max(window.made for window in windows),
        number * sum(window.expected for window in windows) / len(windows),
        number * sum(window.actual for window in windows) / len(windows),
    )
    trust = BIAS_SD**2 / (BIAS_SD**2 + variance / number + whole.noise)
    mean = trust * whole.log_ratio
    return CommonShock(mean, math.sqrt(variance + BIAS_SD**2 * (1.0 - trust)), number)
