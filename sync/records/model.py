"""Records, fields and owners: the plain data that flows through the engine.

A *record* is one thing that is kept in step. Its *kind* is a word that the engine passes on.
Records come in *groups*: one *root* and its children, such as a folder and what is in it. A group
is the unit of independence: groups are applied in parallel, the records of one group one after the
other, so that there is never more than one writer for an object in the target.

Four views of a record meet in the engine:

========  =====================================================================
desired   what the source asks for
observed  what the target answered when it was last read
base      what both sides agreed upon at the last sync, field by field
binding   which object in the target is this record
========  =====================================================================
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

Scalar = None | bool | int | str
Value = Scalar | frozenset[str]
"""What a field holds. A ``frozenset`` is merged element by element, anything else as a whole.

Dates are ISO 8601 strings (``2026-11-23``), money is text with its currency: the engine compares
values, it never calculates with them.
"""

STATE = "state"
"""Name of the root field that says in which state the group is."""

TITLE = "title"
LABEL = "label"
"""Names of the root fields whose change counts as a rename (see `sync.plan.counting`)."""

KEPT = "kept"
"""Name of the fact that lists people's edits that stay: kind, name, field and value of each."""

STAFFED = "staffed"
"""Value of the ``state`` field of a group that has all its children, people among them."""

RETIRED = "retired"
"""Value of the ``state`` field of a group that is to be retired, reversibly."""


class Owner(StrEnum):
    """Who has the last word on a field."""

    SALES = "sales"
    DELIVERY = "delivery"
    SHARED = "shared"


class WhenDropped(StrEnum):
    """What happens to a child that is no longer desired while its group is."""

    KEEP = "keep"
    """It stays in the target and is no longer kept in step."""
    REMOVE = "remove"
    """It is removed, if the connector itself created it."""
    REPORT = "report"
    """It stays, and is reported for as long as it is there."""
    REMOVE_IF_UNTOUCHED = "remove-if-untouched"
    """It is removed, if the connector created it and it is untouched."""


class WhenRetired(StrEnum):
    """How a root is retired."""

    MARK = "mark"
    DELETE_IF_UNTOUCHED = "delete-if-untouched"


class WhenDeleted(StrEnum):
    """What happens when people deleted a root in the target."""

    REPORT = "report"
    RECREATE = "recreate"


class WhenGone(StrEnum):
    """What happens to a bound group whose key is gone from a completely read source."""

    REPORT = "report"
    RETIRE = "retire"


@dataclass(frozen=True, slots=True, order=True)
class RecordKey:
    """The stable name of a record: its group, its kind and its name within the group.

    The root has the empty name. Written ``group`` for a root, ``group/kind/name`` for a child.
    """

    group: str
    kind: str
    name: str = ""

    @property
    def is_root(self) -> bool:
        """Whether this is the record that stands for the whole group."""
        return self.name == ""

    def __str__(self) -> str:
        return self.group if self.is_root else f"{self.group}/{self.kind}/{self.name}"


@dataclass(frozen=True, slots=True)
class Reference:
    """What a field names: another child of the same group, by its ``key``.

    Without a key the field names nothing: ``why`` says why the source could not tell what, "" where
    it asks for nothing.
    """

    key: RecordKey | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Desired:
    """One record as the source asks for it.

    ``owners`` names the owner of each field; a field that is not named is owned by sales.
    ``reason`` says in one line why the record is wanted (shown in plans).
    ``notes`` are one-line remarks on how values were made to fit the target; they are reported
    once, when the record is written. One about a field begins with the field's name.
    ``identity`` is the name by which the target tells a child from others of its kind, where that
    is not the key's own.
    ``origins`` say, for people, what asks for each field (a file and its line); that of "" is the
    record's own, which stands for fields that have none. They decide nothing.
    ``at_any_time`` are, for fields that are sets, the elements that the source may have asked for
    in any other state of the record: by them the connector knows its own where nothing tells any
    more what was agreed upon.
    ``instead`` are, for fields for which a target may have no place, the fields that say the same
    there: whoever knows the target puts them in its place.
    ``refers`` says of fields that they name another child of the group. While that child is not
    there, or cannot be named, such a field is empty (None), and is filled once it can be. A field
    that names nothing asks for nothing: only what the connector put there is taken away.
    """

    key: RecordKey
    fields: Mapping[str, Value]
    owners: Mapping[str, Owner] = field(default_factory=dict)
    reason: str = ""
    when_dropped: WhenDropped = WhenDropped.KEEP
    notes: tuple[str, ...] = ()
    identity: str = ""
    origins: Mapping[str, str] = field(default_factory=dict)
    at_any_time: Mapping[str, frozenset[str]] = field(default_factory=dict)
    instead: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)
    refers: Mapping[str, Reference] = field(default_factory=dict)

    @property
    def natural_name(self) -> str:
        """The name that distinguishes a child from others of its kind."""
        return self.identity or self.key.name

    def owner(self, name: str) -> Owner:
        """Returns the owner of the field ``name``."""
        return self.owners.get(name, Owner.SALES)

    def origin(self, name: str = "") -> str:
        """Returns what asks for the field ``name``, or for the record."""
        return self.origins.get(name) or self.origins.get("", "")


@dataclass(frozen=True, slots=True)
class DesiredGroup:
    """A root and its children, in the order in which they have to be made.

    ``create`` tells whether a group that was never synced is to be made at all: one that is of
    interest no longer is followed when it is known, and left alone when it is not.
    ``follow_children`` is off for a retired group: its children are left exactly as they are.
    ``left_alone`` is, for one that is not made, why, where a person may expect it to be made.
    ``likeness`` is what stays the same when the group's key changes, "" if there is nothing of the
    kind: two groups with one likeness may be one and the same.
    ``when_dropped`` says for each kind what happens to children of this kind that are asked for no
    longer, in the order in which they can be removed; those of other kinds are unlinked, or go by
    what was reported when they were made. ``waiting`` are children that is unknown at present:
    those that are there stay exactly as they are. ``feeds_back`` says that people's edits in it
    are carried to the source by whoever runs the engine: it is looked at again until they say
    that this is done (`sync.run.runner.Runner.settle`). ``former`` are the keys by which children
    were known before, where the source gave them others; ``knows_former`` says that it names all
    of them, so that nothing is guessed from how children look. ``beside`` are fields of the root
    as they are to be where a child can be held: whoever knows the target puts them in its place.
    ``watched`` are the names of fields of which the source wants to know what people made of them:
    edits that stay are among the group's facts (`KEPT`).
    """

    root: Desired
    children: tuple[Desired, ...] = ()
    create: bool = True
    left_alone: str = ""
    follow_children: bool = True
    when_retired: WhenRetired = WhenRetired.MARK
    when_deleted: WhenDeleted = WhenDeleted.REPORT
    likeness: str = ""
    when_dropped: Mapping[str, WhenDropped] = field(default_factory=dict)
    waiting: frozenset[RecordKey] = frozenset()
    feeds_back: bool = False
    former: Mapping[RecordKey, RecordKey] = field(default_factory=dict)
    knows_former: bool = False
    beside: Mapping[RecordKey, Mapping[str, Value]] = field(default_factory=dict)
    watched: frozenset[str] = frozenset()

    @property
    def key(self) -> str:
        """The group's key."""
        return self.root.key.group

    @property
    def retired(self) -> bool:
        """Whether the group is to be retired."""
        return self.root.fields.get(STATE) == RETIRED

    def records(self) -> Iterable[Desired]:
        """Yields the root, then the children in order."""
        yield self.root
        yield from self.children

    def fingerprint(self) -> str:
        """Returns a digest of everything that can lead to a change in the target."""
        parts = [
            (
                [str(record.key), record.when_dropped.value],
                sorted((name, encode(value)) for name, value in record.fields.items()),
                sorted((name, owner.value) for name, owner in record.owners.items()),
            )
            for record in self.records()
        ]
        policy: list[object] = [
            self.create,
            self.follow_children,
            self.when_retired,
            self.when_deleted,
        ]
        if self.when_dropped or self.waiting:
            dropped = {kind: rule.value for kind, rule in self.when_dropped.items()}
            policy += [dropped, sorted(map(str, self.waiting))]
        return digest([parts, policy])


@dataclass(frozen=True, slots=True)
class Marker:
    """The identity that the connector writes on a root: which pipeline, which key."""

    pipeline: str
    key: str


@dataclass(frozen=True, slots=True)
class Observed:
    """One object as the target shows it.

    A field that is missing from ``fields`` could not be known by this read; the merge takes it for
    unchanged. ``identity`` is a child's natural key in the target, case-folded: what a record
    whose key has this name would be recognised by (an e-mail address, an external reference, a
    name). ``group`` is the group that a child itself names as its own, "" where it names none: one
    that names another group is never taken for this group's, wherever people moved it.
    ``marked`` says that the identity is a reference that only the connector writes, rather than a
    name that people may give to several things.
    ``original`` says that a root's marker is one that people's copies of it do not carry.
    ``change_token`` is opaque. It changes whenever anything in the group may have changed; "" if
    unknown.
    ``facts`` are what the source side wants to know about a root (its URL, team, progress); they
    are fed back and never merged.
    ``obstacle`` says why the object cannot be written at present ("" if it can). ``readable`` is
    False where the target's answer about the object could not be understood: ``obstacle`` says why,
    and nothing is concluded from its fields. ``markers_readable`` is False where not even its
    markers could be read: any pipeline may own it.
    ``hides_children`` says that a root's children cannot be seen as it is now (archived,
    for example): nothing is concluded from there being none. ``id`` distinguishes an object from
    all others of its kind, whichever root they are in: what several roots share (a role of the
    whole tool) has another id in each.
    ``maker`` is the account that a root belongs to, as
    `sync.run.server_identity.Identity.account_id` has it; "" if the target does not tell.
    ``unavailable`` says why no field of another child can name this one at present ("" if one can):
    a person who cannot be given work.
    """

    kind: str
    id: str
    fields: Mapping[str, Value]
    identity: str = ""
    marked: bool = False
    markers: tuple[Marker, ...] = ()
    change_token: str = ""
    facts: Mapping[str, object] = field(default_factory=dict)
    obstacle: str = ""
    group: str = ""
    original: bool = False
    maker: str = ""
    readable: bool = True
    markers_readable: bool = True
    hides_children: bool = False
    unavailable: str = ""

    def belongs_to(self, marker: Marker) -> bool:
        """Whether the root carries ``marker``, and no other pipeline's."""
        return marker in self.markers and not self.claimed_by_others(marker.pipeline)

    def claimed_by_others(self, pipeline: str) -> list[str]:
        """Returns the other pipelines whose marker the root carries, by name."""
        return sorted({marker.pipeline for marker in self.markers} - {pipeline})


@dataclass(frozen=True, slots=True)
class Base:
    """What was last agreed upon for one field.

    ``desired`` is the value that the source asked for, ``observed`` the value that the target
    answered with. The two differ where a server rewrites what it is sent (it trims, it lowers);
    comparing each side with its own half keeps such a rewrite from looking like an edit forever.
    For a set, ``desired`` holds the elements that were asked for, and ``observed`` those of them
    that the connector itself added: only these may it remove.
    """

    desired: Value
    observed: Value


@dataclass(frozen=True, slots=True)
class Binding:
    """Which object in the target is this record, and how it got there."""

    key: RecordKey
    target_id: str
    created: bool
    """Whether the connector made the object (or else found it)."""
    when_dropped: WhenDropped = WhenDropped.KEEP
    deleted: bool = False
    """Whether people deleted the object: it is reported, and not made again."""
    unlinked: bool = False
    """Whether a person asked that this record no longer be kept in step."""


def plural(noun: str, count: int) -> str:
    """Returns a noun, such as a kind of records, as it stands behind a number."""
    if count == 1:
        return noun
    if noun.endswith("s"):
        return f"{noun}es"
    return f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"


def counted(count: int, noun: str) -> str:
    """Returns a number with what it counts: ``3 members``; the number alone without a noun."""
    return f"{count} {plural(noun, count)}" if noun else str(count)


def encode(value: Value) -> object:
    """Returns ``value`` as JSON-compatible data (a set as a sorted list)."""
    return sorted(value) if isinstance(value, frozenset) else value


def decode(data: object) -> Value:
    """Returns the value that `encode` made ``data`` from.

    :raises TypeError: ``data`` is not what `encode` returns.
    """
    if isinstance(data, list):
        return frozenset(str(element) for element in data)
    if data is None or isinstance(data, bool | int | str):
        return data
    raise TypeError(f"not a field value: {data!r}")


def encode_fields(fields: Mapping[str, Value]) -> dict[str, object]:
    """Returns ``fields`` as JSON-compatible data, sorted by name."""
    return {name: encode(fields[name]) for name in sorted(fields)}


def decode_fields(data: Mapping[str, object]) -> dict[str, Value]:
    """Returns the fields that `encode_fields` made ``data`` from."""
    return {name: decode(value) for name, value in data.items()}


def digest(data: object) -> str:
    """Returns a short stable digest of JSON-compatible ``data``."""
    text = json.dumps(data, ensure_ascii=True, separators=(",", ":"), sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def by_identity(
    observed: Sequence[Observed], kind: str, identity: str, group: str
) -> list[Observed]:
    """Returns the objects of ``kind`` that answer to ``identity``, and name no other group."""
    return [
        item
        for item in observed
        if item.kind == kind and item.identity == identity and item.group in ("", group)
    ]
