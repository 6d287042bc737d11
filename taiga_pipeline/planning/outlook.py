"""What is expected of open deals: the numbers that a forecast hands to capacity planning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is expected of one open deal.

    ``probability`` is the chance that it is ever won (0 to 1). ``closes`` are Mondays of ISO weeks
    with the chance that it is won in that week, given that it is won; they sum to 1.
    """

    deal_key: str
    probability: float
    closes: tuple[tuple[date, float], ...]


@dataclass(frozen=True, slots=True)
class Outlooks:
    """What is expected of all open deals of a pipeline.

    ``common_shock_sd`` is the standard deviation of the logarithm of a factor that all
    probabilities share in one future: good and bad times hit all deals together, which is why the
    spread of the whole does not average out. ``bias`` is the mean of that logarithm (0: unbiased).
    """

    by_deal: Mapping[str, Outlook] = field(default_factory=dict)
    common_shock_sd: float = 0.25
    bias: float = 0.0
