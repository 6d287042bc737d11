"""Deals that state no roles, and for which their mapping has none: no plan can count them.

They are named with their value, service by service, and with what deals of that service usually ask
for: the median of those that say so.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from statistics import median
from typing import Final

from taiga_pipeline.mapping.text import normalise
from taiga_pipeline.pipeline.model import Deal, RoleDemand

_STEP: Final = Decimal("0.5")
_OFTEN: Final = 0.5
"""A role that at least this share of deals asks for is usual."""


@dataclass(frozen=True, slots=True)
class Silent:
    """Deals of one service ("" for none) that state no roles, by key: open ones, and won ones whose
    projects are still to begin. ``value`` is by currency.

    ``usual`` is what deals of the service usually ask for, as ``like`` of them say; empty if none
    does.
    """

    service: str
    open: tuple[str, ...]
    won: tuple[str, ...]
    value: Mapping[str, Decimal] = field(default_factory=dict)
    usual: tuple[RoleDemand, ...] = ()
    like: int = 0

    @property
    def count(self) -> int:
        """How many deals there are."""
        return len(self.open) + len(self.won)


def by_service(
    open_: Sequence[Deal], won: Sequence[Deal], deals: Iterable[Deal]
) -> tuple[Silent, ...]:
    """Returns the deals that state no roles by service, the one with most of them first.

    ``deals`` are those whose roles tell what is usual.
    """
    if not (open_ or won):
        return ()
    names: dict[str, str] = {}
    for deal in (*open_, *won):
        names.setdefault(normalise(deal.service), deal.service)
    like = _stating(deals, names)
    found = [
        _silent(
            name,
            [deal for deal in open_ if normalise(deal.service) == folded],
            [deal for deal in won if normalise(deal.service) == folded],
            like[folded],
        )
        for folded, name in names.items()
    ]
    return tuple(sorted(found, key=lambda each: (-each.count, each.service)))


def _stating(deals: Iterable[Deal], names: Iterable[str]) -> Mapping[str, list[Deal]]:
    """Returns those that state roles, by service."""
    found: dict[str, list[Deal]] = {name: [] for name in names}
    for deal in deals:
        if deal.roles and (service := normalise(deal.service)) in found:
            found[service].append(deal)
    return found


def _silent(
    service: str, open_: Sequence[Deal], won: Sequence[Deal], like: Sequence[Deal]
) -> Silent:
    value: dict[str, Decimal] = defaultdict(Decimal)
    for deal in (*open_, *won):
        if deal.value is not None:
            value[deal.currency] += deal.value
    keys = [tuple(deal.key for deal in deals) for deals in (open_, won)]
    usual = tuple(_usual(like)) if service else ()
    return Silent(service, keys[0], keys[1], dict(value), usual, len(like) if usual else 0)


def _usual(deals: Sequence[Deal]) -> Iterator[RoleDemand]:
    asked: dict[str, list[RoleDemand]] = defaultdict(list)
    for deal in deals:
        own: dict[str, RoleDemand] = {}
        for role in deal.roles:
            own.setdefault(normalise(role.role), role)
        for name, role in own.items():
            asked[name].append(role)
    for roles in asked.values():
        if len(roles) >= _OFTEN * len(deals):
            hours = median(role.hours_per_week for role in roles)
            steps = max(Decimal(1), (hours / _STEP).to_integral_value())
            weeks, start = (
                int(median(numbers))
                for numbers in (
                    [role.weeks for role in roles],
                    [role.start_week for role in roles],
                )
            )
            whole = (steps * _STEP).normalize() + 0
            yield RoleDemand(roles[0].role, whole, max(1, weeks), start)
