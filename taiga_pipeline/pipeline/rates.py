"""What money of one currency is worth in another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Rates:
    """What a unit of each currency is worth in ``currency``. Without rates nothing is converted."""

    currency: str = ""
    by_currency: Mapping[str, Decimal] = field(default_factory=dict)

    def convert(self, value: Decimal | None, currency: str) -> tuple[Decimal | None, str]:
        """Returns a value in the common currency if there is a rate, else as it is."""
        rate = self.by_currency.get(currency)
        if rate is None or not self.currency or currency == self.currency:
            return value, currency
        return (None if value is None else value * rate), self.currency

    def can_compare(self, currency: str) -> bool:
        """Whether a value in ``currency`` can be compared with one in the common currency.

        A value without a currency is in the common one; without a common one, every value is in
        whatever currency it has.
        """
        known = not currency or not self.currency or currency == self.currency
        return known or currency in self.by_currency
