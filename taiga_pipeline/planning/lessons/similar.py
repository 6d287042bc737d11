"""Which decided deals are similar to one. Pure functions.

Four things count: the same service, the same customer (however it is written), a similar size, the
same team. What one of the two deals leaves empty counts as different. Deals that share neither
service nor customer are not similar, whatever their size.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from heapq import nlargest
from math import log2
from typing import Final

from taiga_pipeline.pipeline.customers.names import identity
from taiga_pipeline.pipeline.model import Deal
from taiga_pipeline.pipeline.rates import Rates
from taiga_pipeline.pipeline.text import folded

SERVICE: Final = 3.0
CUSTOMER: Final = 3.0
SIZE: Final = 2.0
TEAM: Final = 1.0
_OCTAVES: Final = 2.0
"""A size of a quarter, or of four times, counts nothing; the same size counts in full."""


@dataclass(frozen=True, slots=True)
class Similarity:
    """How similar a deal is. ``score`` is 0 to 1; ``size`` is its value as a share of the other's,
    None where the values cannot be compared."""

    score: float
    same_service: bool
    same_customer: bool
    same_team: bool
    size: float | None


@dataclass(frozen=True, slots=True)
class _Looked:
    """What a deal is compared by, worked out once."""

    service: str
    customer: str
    team: str
    value: float
    currency: str


class Comparison:
    """Compares deals with one. Values are compared in the common currency of ``rates``."""

    def __init__(self, deal: Deal, rates: Rates) -> None:
        self._rates = rates
        self._identities: dict[str, str] = {}
        self._looked = self._look(deal)

    def with_deal(self, deal: Deal) -> Similarity | None:
        """Returns how similar a deal is, None if it is not."""
        mine, other = self._looked, self._look(deal)
        service = bool(mine.service) and mine.service == other.service
        customer = bool(mine.customer) and mine.customer == other.customer
        if not (service or customer):
            return None
        team = bool(mine.team) and mine.team == other.team
        comparable = mine.value > 0 and other.value > 0 and mine.currency == other.currency
        size = other.value / mine.value if comparable else None
        points = SERVICE * service + CUSTOMER * customer + TEAM * team
        if size is not None:
            points += SIZE * max(0.0, 1 - abs(log2(size)) / _OCTAVES)
        score = points / (SERVICE + CUSTOMER + TEAM + SIZE)
        return Similarity(score, service, customer, team, size)

    def _look(self, deal: Deal) -> _Looked:
        value, currency = self._rates.convert(deal.value, deal.currency)
        currency = currency or self._rates.currency
        customer = self._identity(deal.customer) if deal.customer else ""
        service, team = folded(deal.service), folded(deal.team)
        return _Looked(service, customer, team, float(value or 0), currency)

    def _identity(self, name: str) -> str:
        if name not in self._identities:
            self._identities[name] = identity(name)
        return self._identities[name]


def most_similar(
    deal: Deal, decided: Iterable[Deal], rates: Rates, limit: int
) -> list[tuple[Deal, Similarity]]:
    """Returns the decided deals that are most like one, at most ``limit``; itself left out.

    Of those that are equally similar, the ones decided last come first.
    """
    comparison = Comparison(deal, rates)
    found = (
        (each, similarity)
        for each in decided
        if each.key != deal.key and (similarity := comparison.with_deal(each)) is not None
    )
    return nlargest(limit, found, key=lambda pair: (pair[1].score, str(pair[0].closed_on or "")))
