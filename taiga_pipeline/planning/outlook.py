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

    What past forecasts were off by is in the probabilities. ``common_shock_sd`` is the standard
    deviation of the logarithm of a factor that all of them share in one future, 1 on average: good
    and bad times hit all deals together, which is why the spread of the whole does not average out.
    """

    by_deal: Mapping[str, Outlook] = field(default_factory=dict)
    common_shock_sd: float = 0.25

    @property
    def median(self) -> float:
        """The logarithm of the factor's median, such that its mean is 1."""
        return -(self.common_shock_sd**2) / 2
