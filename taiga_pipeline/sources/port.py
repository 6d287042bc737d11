"""The port to a place where deals are read: what every source gives.

A source only reads. It never raises for a single bad deal: that is *quarantined* with its place
and reason, and the others are read. It raises only when nothing can be read at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from sync.source import Quarantined
from taiga_pipeline.people.model import Allocation, Person
from taiga_pipeline.pipeline.model import Deal


@dataclass(frozen=True, slots=True)
class DealReading:
    """Everything that a source holds.

    ``deals`` may be an iterator: it is gone through once, in any order, each key once.
    ``allocations`` are by deal key, ``people`` by lower-case e-mail. ``complete`` is False when
    the read broke off, or when a quarantined row has no readable key: then nothing that is
    missing may be taken for gone.
    """

    deals: Iterable[Deal]
    quarantined: list[Quarantined] = field(default_factory=list)
    complete: bool = True
    allocations: Mapping[str, tuple[Allocation, ...]] = field(default_factory=dict)
    people: Mapping[str, Person] = field(default_factory=dict)


class DealSource(Protocol):
    """Where deals come from."""

    def read(self) -> DealReading:
        """Reads all deals.

        :raises Unreachable: the source is missing, locked, damaged, or does not answer.
        :raises Unauthorised: it does not let the account in.
        """


def by_deal(allocations: Iterable[Allocation]) -> dict[str, tuple[Allocation, ...]]:
    """Groups allocations by the key of their deal, in their order."""
    grouped: dict[str, list[Allocation]] = {}
    for allocation in allocations:
        grouped.setdefault(allocation.deal_key, []).append(allocation)
    return {key: tuple(each) for key, each in grouped.items()}
