"""Says where hours that follow a deal's value could not follow it."""

from __future__ import annotations

from collections.abc import Iterator

from taiga_pipeline.mapping.demand import NO_RATE, follows_value
from taiga_pipeline.mapping.rules import Rules
from taiga_pipeline.pipeline.model import Deal


class ValueNotes:
    """Collects deals whose hours follow their value (``per_value``), and what is to say of them."""

    def __init__(self) -> None:
        self._without_rate: dict[str, list[str]] = {}
        self._currencies: dict[str, set[str]] = {}

    def add(self, deal: Deal, rules: Rules) -> None:
        """Notes a deal that counts in the plan."""
        if not follows_value(deal, rules):
            return
        if not rules.rates.can_compare(deal.currency):
            text = NO_RATE.format(currency=deal.currency, file=rules.file)
            self._without_rate.setdefault(text, []).append(deal.key)
        elif not rules.rates.currency and deal.currency:
            self._currencies.setdefault(rules.file, set()).add(deal.currency)

    def __iter__(self) -> Iterator[str]:
        for text, keys in self._without_rate.items():
            yield f"{', '.join(keys)}: {text}"
        for file, currencies in self._currencies.items():
            if len(currencies) > 1:
                yield (
                    f"per_value of {file} is taken in each deal's own currency "
                    f"({', '.join(sorted(currencies))}): say which one is meant with "
                    "planning.currency, and what others are worth with planning.rates"
                )
