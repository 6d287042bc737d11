"""The value of a win: the deal's own value if it is known, else what its service usually brings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import numpy as np

from taiga_pipeline.planning.forecast.record import Floats
from taiga_pipeline.planning.history.model import History, PastDeal

USUAL_SPREAD: Final = 0.7
"""How far values lie apart before they show it (standard deviation of their logarithms)."""
STATED_DEALS: Final = 5.0
"""That wins bring what was stated of them counts as so many wins."""
STATED_DAYS: Final = 28
"""So long before a decision a stated value is a forecast of it."""
SPREAD_DEALS: Final = 2.0
"""That counts as so many wins."""
SERVICES_APART: Final = 0.5
"""How far services lie apart before they show it, in the same way."""
SERVICES: Final = 2.0
"""That counts as so many services."""
_MOST_SPREAD: Final = 2.5
_MOST_TIMES: Final = 4.0
"""A value that was a placeholder, of which a win brought more than so many times, says no more."""


@dataclass(frozen=True, slots=True)
class DealValue:
    """What wins bring in one currency.

    ``mean`` is of all wins, ``share`` is the part of the wins that come in this currency,
    ``by_service`` are the shrunk means of services. Values vary around the mean of their service by
    ``spread`` of it, around that of all by ``spread_of_all``, and that mean is itself only known
    up to ``doubt``: standard deviations, in parts of the mean. Of the wins a part ``nothing`` was
    worth nothing. Wins bring what was stated of them times ``kept``.
    """

    currency: str
    mean: float
    spread: float
    spread_of_all: float
    doubt: float
    share: float
    by_service: Mapping[str, float]
    kept: float = 1.0
    nothing: float = 0.0

    def of(self, deal: PastDeal) -> tuple[float, float]:
        """Returns what a deal would bring if won, and the standard deviation of that."""
        if deal.value is not None:
            return float(deal.value) * self.kept, 0.0
        mean = self.by_service.get(deal.service, self.mean)
        return mean, self.spread * mean


def learn_deal_values(history: History) -> dict[str, DealValue]:
    """Returns the values of wins, by currency. A win without a value is left out.

    Credibility (Buehlmann 1967): a service with n wins counts n / (n + k) by itself, where k is the
    variance within services over that between them. Before there is a win with a value, values of
    open deals stand for it.
    """
    won = _by_currency([deal for deal in history.deals if deal.won])
    stated = _by_currency(history.open)
    known = won or stated
    total = sum(map(len, known.values()))
    kept = _kept([deal for deal in history.deals if deal.won])
    return {
        currency: _deal_value(
            currency,
            won.get(currency) or stated.get(currency, []),
            len(known.get(currency, [])) / total,
            kept,
        )
        for currency in sorted({*won, *stated})
    }


def _kept(won: Sequence[PastDeal]) -> float:
    """Returns what wins bring in parts of what was stated of them `STATED_DAYS` before, or first:
    a ratio of sums (Cochran 1977, ch. 6), where each win counts alike, whatever it was worth.

    A value that came with the decision, as in an import of closed deals, was stated of none.
    """
    pairs = [pair for deal in won if (pair := _stated_and_final(deal))]
    stated = len(pairs) + STATED_DEALS
    return (sum(final / before for before, final in pairs) + STATED_DEALS) / stated


def _stated_and_final(deal: PastDeal) -> tuple[float, float] | None:
    if deal.closed is None or len(deal.values) < 2:
        # A value that never changed was kept, if it stood before the decision.
        first = deal.values[0] if deal.values else None
        if first is None or not first.value or deal.closed is None or first.since >= deal.closed:
            return None
        return 1.0, 1.0
    ahead = deal.closed - timedelta(days=STATED_DAYS)
    before = [spell for spell in deal.values if spell.value and spell.since < deal.closed]
    stood = [spell for spell in before if spell.since <= ahead] or before[:1]
    if not stood or not deal.value or not stood[-1].value:
        return None
    return float(stood[-1].value), min(float(deal.value), _MOST_TIMES * float(stood[-1].value))


def _by_currency(deals: Sequence[PastDeal]) -> dict[str, list[tuple[str, float]]]:
    found: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for deal in deals:
        if deal.value is not None:
            found[deal.currency].append((deal.service, float(deal.value)))
    return dict(found)


def _deal_value(
    currency: str, wins: list[tuple[str, float]], share: float, kept: float
) -> DealValue:
    values = np.array([value for _, value in wins])
    mean = float(values.mean())
    services: dict[str, list[float]] = defaultdict(list)
    for service, value in wins:
        services[service].append(value)
    lean = _credibility([np.array(each) for each in services.values()])
    by_service = {
        service: _leaning(np.array(each), mean, lean) for service, each in services.items()
    }
    means = np.array([by_service[service] for service, _ in wins])
    spread = spread_of(values, means)
    between = float(means.var()) / mean**2 if mean > 0 else 0.0
    of_all = float(np.sqrt(between * (1 + spread**2) + spread**2))
    doubt = of_all / len(values) ** 0.5
    nothing = float((values <= 0).mean()) if mean > 0 else 0.0
    return DealValue(currency, mean, spread, of_all, doubt, share, by_service, kept, nothing)


def _leaning(values: Floats, mean: float, lean: float) -> float:
    """Returns the mean of a service's wins, leaning on that of all: in logarithms, since services
    differ by factors."""
    mine, number = float(values.mean()), len(values)
    if mine <= 0 or mean <= 0:
        return mean * lean / (number + lean)
    return float(mine * (mean / mine) ** (lean / (number + lean)))


def _credibility(services: list[Floats]) -> float:
    """Returns as how many wins of a service the mean of all services counts."""
    logs = [np.log(each[each > 0]) for each in services if (each > 0).any()]
    if not logs:
        return 1.0
    number = np.array([len(each) for each in logs])
    middle = np.array([each.mean() for each in logs])
    square = sum(float(((each - each.mean()) ** 2).sum()) for each in logs)
    within = (square + SPREAD_DEALS * USUAL_SPREAD**2) / (number.sum() - len(number) + SPREAD_DEALS)
    apart = float(((middle - middle.mean()) ** 2 - within / number).sum())
    between = (max(apart, 0.0) + SERVICES * SERVICES_APART**2) / (len(number) - 1 + SERVICES)
    return float(within / between)


def spread_of(values: Floats, means: Floats) -> float:
    """Returns how far values lie from what is expected of each, in parts of that.

    Values are taken for log-normal, and some of them may be nothing: the spread of a few values
    from a long tail is seen in their logarithms before it is in the values themselves.
    """
    there = (values > 0) & (means > 0)
    number = int(there.sum())
    if not number:
        return 0.0
    logs = np.log(values[there] / means[there])
    square = float(((logs - logs.mean()) ** 2).sum()) + SPREAD_DEALS * USUAL_SPREAD**2
    variance = min(square / (number - 1 + SPREAD_DEALS), _MOST_SPREAD**2)
    return float(np.sqrt(np.exp(variance) * len(values) / number - 1.0))


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
