"""The port to a place where deals are read: what every source gives.

A source never raises for a single bad deal: that is *quarantined* with its place and reason, and
the others are read. It raises only when the whole cannot be read. It writes nothing, unless the
configuration asks for delivery facts, and then only into the places named for them.

What a source may do beyond reading are protocols of their own: `Examined`, `TakesDeliveryFacts`,
`TellsHistory`, `TellsTimeOff`, `TellsRates`, `Remembers`. An adapter says in its
`SourceCapabilities` which of them it has: whoever needs one asks this, and never which source it
is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar, runtime_checkable

from sync.clock import Clock
from sync.source import KeyChanges, Quarantined, WriteBackResult
from taiga_pipeline.adapters import Setting
from taiga_pipeline.people.model import Allocation, Person, Rate, TimeOff
from taiga_pipeline.pipeline.model import Deal, DeliveryFacts, FieldChange, StageMove

__all__ = [
    "ChangesKeys",
    "DealReading",
    "DealSource",
    "Examined",
    "Made_co",
    "Past",
    "Remembers",
    "SourceAdapter",
    "SourceCapabilities",
    "TakesDeliveryFacts",
    "TellsHistory",
    "TellsRates",
    "TellsTimeOff",
    "by_deal",
    "going_through",
    "source_adapter",
]

_Item = TypeVar("_Item")
Made_co = TypeVar("Made_co", bound="DealSource", covariant=True)


@dataclass(frozen=True, slots=True)
class SourceCapabilities:
    """What a source has besides its deals.

    ``edits``: deals and people can be added and changed here, because it is a store of
    `taiga_pipeline.pipeline.store` at its ``url``. ``history``: it tells how deals came to be as
    they are (`TellsHistory`). ``people``: its readings hold people and allocations, or can.
    ``time_off``: it tells when people are away (`TellsTimeOff`). ``writes_back``: it can take what
    became of its deals (`TakesDeliveryFacts`).
    """

    edits: bool = False
    history: bool = False
    people: bool = False
    time_off: bool = False
    writes_back: bool = False


@dataclass(frozen=True, slots=True)
class SourceAdapter(Generic[Made_co]):
    """An adapter. Called with the settings of ``[source]`` and a clock, it makes the source.

    ``title`` is what people call the place. ``settings`` are the lines of its section in a new
    configuration, ``kind`` aside. ``default_url`` stands in for a URL where none is named.
    ``adds_people`` says, for a source that reports people, how they get there.
    """

    title: str
    make: Callable[[Mapping[str, object], Clock], Made_co]
    capabilities: SourceCapabilities = SourceCapabilities()
    settings: tuple[Setting, ...] = ()
    default_url: str = ""
    adds_people: str = ""

    def __call__(self, settings: Mapping[str, object], clock: Clock) -> Made_co:
        """Makes the source; connects to nothing yet.

        :raises ProblemsError: keys that are missing, unknown or of the wrong type.
        """
        return self.make(settings, clock)


def source_adapter(
    title: str,
    *,
    capabilities: SourceCapabilities = SourceCapabilities(),
    settings: tuple[Setting, ...] = (),
    default_url: str = "",
    adds_people: str = "",
) -> Callable[[Callable[[Mapping[str, object], Clock], Made_co]], SourceAdapter[Made_co]]:
    """Makes an adapter of a function that makes a source; see `SourceAdapter`."""

    def adapter(make: Callable[[Mapping[str, object], Clock], Made_co]) -> SourceAdapter[Made_co]:
        return SourceAdapter(title, make, capabilities, settings, default_url, adds_people)

    return adapter


@dataclass(slots=True)
class DealReading:
    """Everything that a source holds.

    ``deals`` may be an iterator: it is gone through once, in any order, each key once; what else
    there is, a source may find out on the way, and it is looked at after that.
    ``allocations`` are by deal key, ``people`` by lower-case e-mail. ``complete`` is False when
    the read broke off, or when a quarantined row has no readable key: then nothing that is
    missing may be taken for gone. ``fading`` are keys of deals that whatever they were imported
    from does not hold any more. ``joins`` are deals that are part of the project of another one,
    each with the key of that one, whether they could be read or not.
    """

    deals: Iterable[Deal]
    quarantined: list[Quarantined] = field(default_factory=list)
    complete: bool = True
    allocations: Mapping[str, tuple[Allocation, ...]] = field(default_factory=dict)
    people: Mapping[str, Person] = field(default_factory=dict)
    fading: frozenset[str] = frozenset()
    joins: Mapping[str, str] = field(default_factory=dict)


class DealSource(Protocol):
    """Where deals come from."""

    def read(self) -> DealReading:
        """Reads all deals.

        Errors may also come while the deals are gone through.

        :raises ProblemsError: what has to be fixed in the configuration, all of it.
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

        :raises ProblemsError: what has to be fixed, all of it.
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

        A deal that cannot be written is reported, and the others are written.
        """


@dataclass(frozen=True, slots=True)
class Past:
    """What is on record of deals: their moves, and the changes of their fields.

    ``imported`` are the keys of deals that came from elsewhere, whose past before that is unknown.
    """

    moves: Iterable[StageMove] = ()
    changes: Iterable[FieldChange] = ()
    imported: frozenset[str] = frozenset()


@runtime_checkable
class TellsHistory(Protocol):
    """A source with a record of how its deals came to be as they are."""

    def past(
        self, key: str = "", newest: int | None = None, fields: Collection[str] = ()
    ) -> AbstractContextManager[Past]:
        """Opens what is on record of one deal, or of all, the oldest first.

        ``newest`` leaves out all but so many moves and so many changes, and has the newest come
        first. ``fields`` leaves out the changes of all others. Both may be iterators, which are
        gone through once, before the context ends.

        :raises Stop: as `DealSource.read`.
        """


@runtime_checkable
class ChangesKeys(Protocol):
    """A source in which deals can be renamed, and removed on purpose."""

    def key_changes(self) -> KeyChanges:
        """Returns which keys deals had before, and which deals were removed.

        :raises Stop: as `DealSource.read`.
        """


@runtime_checkable
class TellsTimeOff(Protocol):
    """A source that tells when its people are away."""

    def time_off(self) -> Sequence[TimeOff]:
        """Returns all time off.

        :raises Stop: as `DealSource.read`.
        """


@runtime_checkable
class TellsRates(Protocol):
    """A source that tells what an hour of its people and roles costs, and is billed at."""

    def rates(self) -> Sequence[Rate]:
        """Returns the rates in force.

        :raises Stop: as `DealSource.read`.
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
