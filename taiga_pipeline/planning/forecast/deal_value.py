"""The value of a win: the deal's own value if it is known, else what its service usually brings."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Final

import numpy as np

from taiga_pipeline.planning.forecast.record import Floats
from taiga_pipeline.planning.history.model import History, PastDeal

SERVICE_DEALS: Final = 10.0
"""The mean of all services counts as this many wins of a service (credibility k)."""


@dataclass(frozen=True, slots=True)
class DealValue:
    """What wins bring in one currency.

    ``mean`` and ``spread`` (standard deviation) are of all wins, ``share`` is the part of the wins
    that come in this currency, ``by_service`` are the shrunk means of services.
    """

    currency: str
    mean: float
    spread: float
    share: float
    by_service: dict[str, float]

    def of(self, deal: PastDeal) -> tuple[float, float]:
        """Returns what a deal would bring if won, and the standard deviation of that."""
        if deal.value is not None:
            return float(deal.value), 0.0
        return self.by_service.get(deal.service, self.mean), self.spread


def learn_deal_values(history: History) -> dict[str, DealValue]:
    """Returns the values of wins, by currency. A win without a value is left out.

    Credibility (Buehlmann): a service with n wins counts n / (n + `SERVICE_DEALS`) by itself.
    """
    won: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for deal in history.deals:
        if deal.won and deal.value is not None:
            won[deal.currency].append((deal.service, float(deal.value)))
    for deal in history.open:
        if deal.value is not None:
            won.setdefault(deal.currency, [])
    total = sum(map(len, won.values()))
    return {
        currency: _deal_value(currency, wins, len(wins) / total if total else 0.0)
        for currency, wins in sorted(won.items())
    }


def _deal_value(currency: str, wins: list[tuple[str, float]], share: float) -> DealValue:
    if not wins:
        return DealValue(currency, 0.0, 0.0, share, {})
    values = np.array([value for _, value in wins])
    mean = float(values.mean())
    services: dict[str, list[float]] = defaultdict(list)
    for service, value in wins:
        services[service].append(value)
    by_service = {
        service: (sum(each) + SERVICE_DEALS * mean) / (len(each) + SERVICE_DEALS)
        for service, each in services.items()
    }
    residuals = values - np.array([by_service[service] for service, _ in wins])
    return DealValue(currency, mean, float(residuals.std()), share, by_service)


def values_of(
    deals: tuple[PastDeal, ...], value_model: DealValue, only: bool
) -> tuple[Floats, Floats]:
    """Returns what each deal would bring in a currency, and the variance of that.

    A deal without a currency counts in the ``only`` currency there is; else, as in any other
    currency, it brings nothing here.
    """
    mine = [deal.currency == value_model.currency or (only and not deal.currency) for deal in deals]
    pairs = [
        value_model.of(deal) if it else (0.0, 0.0) for deal, it in zip(deals, mine, strict=True)
    ]
    table = np.array(pairs).reshape(-1, 2)
    return table[:, 0], table[:, 1] ** 2
