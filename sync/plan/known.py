"""What a group is planned from: what the state store holds of it, and what was seen of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from sync.records.model import Binding, Observed, RecordKey, WhenDropped
from sync.records.record_merge import Bases


@dataclass(frozen=True, slots=True)
class Bound:
    """A binding, and what was last agreed upon for its fields."""

    binding: Binding
    base: Bases = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Making:
    """A child that an open intent was about to make: how it is found, and what becomes of it if
    it is no longer wanted."""

    identity: str
    when_dropped: WhenDropped


@dataclass(frozen=True, slots=True)
class Known:
    """What the state store holds of one group.

    ``intents`` are the bases that would stand had the receipts of open intents arrived, for each
    record the oldest first. ``making`` and ``removing`` are the records that open intents were
    about to make and to remove.
    """

    bound: Mapping[RecordKey, Bound] = field(default_factory=dict)
    intents: Mapping[RecordKey, Sequence[Bases]] = field(default_factory=dict)
    making: Mapping[RecordKey, Making] = field(default_factory=dict)
    removing: Collection[RecordKey] = ()

    def made(self, key: RecordKey) -> Bases:
        """Returns the bases of a record that the connector made, the receipt being lost."""
        intents = self.intents.get(key, ()) if key in self.making else ()
        return {name: base for intended in intents for name, base in intended.items()}


@dataclass(frozen=True, slots=True)
class Seen:
    """What was observed of one group: its bound root, or else the unbound ones that carry its
    marker, and the children of the one that is (or would be) bound.

    ``readable`` is False where there is such a root and its children could not be read: nothing
    is concluded from there being none. ``elsewhere`` are children of this group that were seen in
    other groups' roots, where people moved them."""

    root: Observed | None = None
    candidates: Sequence[Observed] = ()
    children: Sequence[Observed] = ()
    readable: bool = True
    elsewhere: Sequence[Observed] = ()
