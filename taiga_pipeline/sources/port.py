"""The port to a place where deals are read: what every source gives.

A source never raises for a single bad deal: that is *quarantined* with its place and reason, and
the others are read. It raises only when the whole cannot be read. It writes nothing, unless it was
told to take delivery facts, and then only into the places named for them.

What a source may do beyond reading are protocols of their own: `Examined`, `TakesDeliveryFacts`,
`Remembers`.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol, TypeVar, runtime_checkable

from sync.source import Quarantined, WriteBackResult
from taiga_pipeline.people.model import Allocation, Person
from taiga_pipeline.pipeline.model import Deal, DeliveryFacts

_Item = TypeVar("_Item")


@dataclass(slots=True)
class DealReading:
    """Everything that a source holds.

    ``deals`` may be an iterator: it is gone through once, in any order, each key once; what else
    there is, a source may find out on the way, and it is looked at after that.
    ``allocations`` are by deal key, ``people`` by lower-case e-mail. ``complete`` is False when
    the read broke off, or when a quarantined row has no readable key: then nothing that is
    missing may be taken for gone. ``fading`` are keys of deals that whatever they were imported
    from does not hold any more.
    """

    deals: Iterable[Deal]
    quarantined: list[Quarantined] = field(default_factory=list)
    complete: bool = True
    allocations: Mapping[str, tuple[Allocation, ...]] = field(default_factory=dict)
    people: Mapping[str, Person] = field(default_factory=dict)
    fading: frozenset[str] = frozenset()


class DealSource(Protocol):
    """Where deals come from."""

    def read(self) -> DealReading:
        """Reads all deals.

        Errors may also come while the deals are gone through.

        :raises ProblemsError: what has to be mended in the configuration, all of it.
        :raises Unreachable: the source is missing, locked, damaged, or does not answer.
        :raises Unauthorised: it does not let the account in.
        :raises IncompleteRead: it did not give the whole.
        """


@runtime_checkable
class Examined(Protocol):
    """A source that can tell more about itself than its deals do."""

    def examine(self) -> Sequence[str]:
        """Looks, for ``check``, whether all is as it should be; returns what was found to be so.

        Changes nothing.

        :raises ProblemsError: what has to be mended, all of it.
        :raises Stop: as `DealSource.read`.
        """


@runtime_checkable
class TakesDeliveryFacts(Protocol):
    """A source into which what became of its deals can be written."""

    @property
    def takes_facts(self) -> bool:
        """Whether the configuration names places for them."""

    def take_facts(self, facts: Iterable[DeliveryFacts]) -> WriteBackResult:
        """Writes what differs from what is there; called only after all deals were read.

        A deal that cannot be written is told of, and the others are written.
        """


@runtime_checkable
class Remembers(Protocol):
    """A source that keeps what it read, to ask only for what changed."""

    def read_anew(self) -> None:
        """Makes the next read a complete one."""

    def keep(self) -> None:
        """Keeps what the last read brought. Without it, a read leaves no trace."""


@contextmanager
def going_through(items: Iterable[_Item]) -> Iterator[Iterator[_Item]]:
    """Lets what is read as it is asked for be left midway: its connection is closed at once."""
    iterator = iter(items)
    try:
        yield iterator
    finally:
        if isinstance(iterator, Generator):
            iterator.close()


def by_deal(allocations: Iterable[Allocation]) -> dict[str, tuple[Allocation, ...]]:
    """Groups allocations by the key of their deal, in their order."""
    grouped: dict[str, list[Allocation]] = {}
    for allocation in allocations:
        grouped.setdefault(allocation.deal_key, []).append(allocation)
    return {key: tuple(each) for key, each in grouped.items()}
