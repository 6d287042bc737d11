"""Which rate counts: a person's own before the role's, the latest that holds on a day."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Final

from taiga_pipeline.people.model import Rate
from taiga_pipeline.pipeline.rates import Rates
from taiga_pipeline.pipeline.text import folded

_EVER: Final = date.min


@dataclass(frozen=True, slots=True)
class Price:
    """What an hour costs or is billed at: an amount in one currency."""

    amount: float
    currency: str


@dataclass
class RateBook:
    """Rates of people and roles, in the common currency where ``exchange`` has a rate for theirs.

    ``missing`` fills with the roles and people that were asked for and have no rate: as (what,
    whose), ``what`` being "cost" or "bill".
    """

    rates: Iterable[Rate]
    exchange: Rates = field(default_factory=Rates)
    missing: set[tuple[str, str]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._days: dict[tuple[str, str], list[date]] = {}
        self._prices: dict[tuple[str, str], list[Price]] = {}
        for rate in sorted(self.rates, key=lambda each: each.since or _EVER):
            for what, amount in (("cost", rate.cost), ("bill", rate.bill)):
                if amount is not None:
                    self._enter((what, _key(rate.email, rate.role)), rate, amount)
        self._known: dict[tuple[str, str, str, date], Price | None] = {}

    def _enter(self, place: tuple[str, str], rate: Rate, amount: Decimal) -> None:
        value, currency = self.exchange.convert(amount, rate.currency)
        self._days.setdefault(place, []).append(rate.since or _EVER)
        self._prices.setdefault(place, []).append(Price(float(value or 0), currency))

    @property
    def is_empty(self) -> bool:
        """Whether there is no rate at all."""
        return not self._prices

    def cost(self, role: str, email: str, day: date) -> Price | None:
        """Returns what an hour costs; None if no rate holds on that day."""
        return self._price("cost", role, email, day)

    def bill(self, role: str, email: str, day: date) -> Price | None:
        """Returns what an hour is billed at; None if no rate holds on that day."""
        return self._price("bill", role, email, day)

    def _price(self, what: str, role: str, email: str, day: date) -> Price | None:
        place = what, role, email, day
        if place not in self._known:
            keys = [_key(email, ""), _key("", role)] if email else [_key("", role)]
            found = (self._on(what, key, day) for key in keys)
            self._known[place] = next((price for price in found if price), None)
        price = self._known[place]
        if price is None:
            self.missing.add((what, role or email))
        return price

    def _on(self, what: str, key: str, day: date) -> Price | None:
        days = self._days.get((what, key), [])
        at = bisect_right(days, day) - 1
        return self._prices[what, key][at] if at >= 0 else None


def _key(email: str, role: str) -> str:
    return f"@{email.casefold()}" if email else folded(role)


Amounts = Mapping[str, float]
"""Money by currency. What cannot be converted stays apart."""


def add(total: dict[str, float], price: Price | None, hours: float) -> None:
    """Adds hours at a price to a total."""
    if price is not None:
        total[price.currency] = total.get(price.currency, 0.0) + hours * price.amount


def less(revenue: Amounts, cost: Amounts) -> dict[str, float]:
    """Returns revenue less cost, by currency."""
    currencies = sorted(revenue.keys() | cost.keys())
    return {each: revenue.get(each, 0.0) - cost.get(each, 0.0) for each in currencies}
