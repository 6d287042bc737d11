"""The port to a source: what the engine needs to know about what is wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from sync.records.model import Base, DesiredGroup, RecordKey, Value

if TYPE_CHECKING:
    from sync.way_out import WayOut

__all__ = [
    "ChangesKeys",
    "FollowsEdits",
    "GroupFacts",
    "KeyChanges",
    "Quarantined",
    "Reading",
    "RemembersServer",
    "Source",
    "TakesFacts",
    "TellsParts",
    "WatchedEdits",
    "WriteBackResult",
    "wholes_of",
]


@dataclass(frozen=True, slots=True)
class Quarantined:
    """Something in the source that could not be read as a record.

    ``key`` is its group's key, "" if not even that could be read. ``place`` is where a person
    finds it (``rows.csv:17``), ``reason`` what is wrong; ``ways_out`` what to do, where the engine
    knows it.
    """

    key: str
    place: str
    reason: str
    ways_out: tuple[WayOut, ...] = ()

    @property
    def message(self) -> str:
        """What is wrong."""
        return self.reason


@dataclass(slots=True)
class Reading:
    """Everything that the source holds.

    ``groups`` may be an iterator: it is gone through once, and ``quarantined``, ``present`` and
    ``complete`` are read after that (a reader may fill them on the way). ``present`` names the
    keys that the source holds without anything being desired for them (no rule matches): they
    are not *gone*. ``fading`` names keys that the source still holds although whatever it has them
    from does not any more. ``complete`` is False when the read broke off or rows without a key were
    quarantined; then nothing that is missing is taken for gone. ``notes`` are remarks about the
    whole, one line each: a run reports one that it has not reported before.
    """

    groups: Iterable[DesiredGroup]
    quarantined: list[Quarantined] = field(default_factory=list)
    present: set[str] = field(default_factory=set)
    fading: set[str] = field(default_factory=set)
    complete: bool = True
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class GroupFacts:
    """What a target reports a group's object, as last seen (UTC); empty once that is gone.

    ``facts`` are those of `sync.target.Observed`; ``state`` is the root's as it was last desired.
    """

    key: str
    facts: Mapping[str, object]
    seen_at: datetime | None
    state: str


@dataclass(frozen=True, slots=True)
class WriteBackResult:
    """What was written back into a source.

    ``written`` counts the groups for which something was written; ``problems`` say what could not
    be, and why.
    """

    written: int = 0
    problems: tuple[str, ...] = ()


class Source(Protocol):
    """Where desired records come from."""

    def read(self) -> Reading:
        """Reads the source as a whole.

        :raises Unreachable: it cannot be read at all (missing, locked, damaged).
        """

    def retired(self, key: str, base: Mapping[str, Value]) -> DesiredGroup:
        """Returns how a group that is gone from the source is shown once it is retired.

        ``base`` holds the root's fields as they were last desired. Asked for only where the
        policy for gone groups is to retire them.
        """


@runtime_checkable
class RemembersServer(Protocol):
    """A source that remembers with which server it is kept in step, and by which account.

    Two state stores on one source know nothing of each other but this.
    """

    def synced_with(self, pipeline: str) -> str:
        """Returns what was noted last for a pipeline, "" if nothing was."""

    def note_synced_with(self, pipeline: str, server: str) -> None:
        """Notes a server (as `sync.run.server_identity` words it) over an older one."""


@dataclass(frozen=True, slots=True)
class KeyChanges:
    """Keys that groups do not have any more.

    ``renamed`` are former keys with what they became, in the order in which that was done;
    ``removed`` are keys of what was taken out on purpose.
    """

    renamed: Sequence[tuple[str, str]] = ()
    removed: frozenset[str] = frozenset()


@runtime_checkable
class ChangesKeys(Protocol):
    """A source that tells which of its groups got another key, or were removed on purpose."""

    def key_changes(self) -> KeyChanges:
        """Returns all of them.

        :raises Unreachable: it cannot be read.
        """


@runtime_checkable
class TellsParts(Protocol):
    """A source in which a group may be a part of another one: its *whole*.

    A part is gone only if its whole is. A whole that is asked for without a part that is there has
    dropped it: that is reported, and stays as it is.
    """

    def whole_of(self, key: str) -> str:
        """Returns the key of a group's whole, "" for a group that is no part."""

    def part_of(self, whole: str, key: str) -> str:
        """Returns the key of the part of ``whole`` that ``key`` is of its own whole."""


@dataclass(frozen=True, slots=True)
class WatchedEdits:
    """What a look at a group found out about the fields that it watches.

    ``bases`` is what was agreed upon of its children; ``facts`` lists the edits that stay
    (`sync.records.model.KEPT`).
    """

    bases: Mapping[RecordKey, Mapping[str, Base]]
    facts: Mapping[str, object]


@runtime_checkable
class FollowsEdits(Protocol):
    """A source in which people's edits in one group decide what it asks for in others."""

    def follow(self, edits: Mapping[str, WatchedEdits]) -> Iterable[DesiredGroup]:
        """Yields the groups of the last reading that ``edits`` are about, by their keys, and those
        that depend on them, as they are asked for now that this is known.

        Nothing is yielded where ``edits`` are what the reading knew already.
        """


def wholes_of(source: Source) -> Callable[[str], str]:
    """Returns what tells the whole of a group, "" of all groups where the source knows none."""
    return source.whole_of if isinstance(source, TellsParts) else lambda key: ""


@runtime_checkable
class TakesFacts(Protocol):
    """A source that takes reports of what became of what it asked for."""

    @property
    def takes_facts(self) -> bool:
        """Whether it wants such reports."""

    def take_facts(self, facts: Iterable[GroupFacts]) -> WriteBackResult:
        """Writes into the source what differs from what is there.

        Called at the end of a run, after the groups were read to their end. What cannot be written
        for one group is reported, and the others are written.

        :raises SyncError: nothing (more) can be written.
        """
