"""A target in memory: what tests and docs use, and the shortest example of an adapter.

It keeps every field in a place of its own, answers reads completely, and lets tests act as the
people on the other side do (`edit`, `delete`, `copy`, `add_child`) and as a bad network does
(`faults`).
"""

from __future__ import annotations

import itertools
import secrets
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sync.errors import Stale, Vanished
from sync.records.model import RETIRED, STATE, Desired, Marker, Observed, Value, by_identity
from sync.run.server_identity import Identity
from sync.target import Capabilities, Foreseen, Place, Written


@dataclass(slots=True)
class _Root:
    record: Observed
    version: int = 1
    children: dict[str, Observed] = field(default_factory=dict)
    touched_by_people: bool = False
    edited: set[str] = field(default_factory=set)


class _Server(dict[str, _Root]):
    """Roots by id, and what tells this server from others; a copy is a copy of the server."""

    def __init__(self) -> None:
        super().__init__()
        self.token = secrets.token_hex(8)


class InMemoryTarget:
    """A target whose objects live in this process. Safe to use from several threads.

    ``template`` are children that every new root is born with (kind, name). ``account`` is who
    the connector is. ``names`` are the values that it knows, for fields that take no others (an
    address, a role). ``hides_retired``: it shows nothing of what is in a retired root.
    ``faults`` is called with the operation's name before ("before create") and after ("after
    create") its effect, and may raise what an adapter would raise.
    """

    name = "memory"
    capabilities = Capabilities(tells_untouched=True)

    def __init__(
        self,
        template: Sequence[tuple[str, str]] = (),
        account: str = "memory",
        hides_retired: bool = False,
    ) -> None:
        self.template = template
        self.hides_retired = hides_retired
        self.account = account
        self.names: dict[str, frozenset[str]] = {}
        self.faults: Callable[[str], None] = lambda operation: None
        self.writes = 0
        self._reads = 0
        self._roots = _Server()
        self._ids = itertools.count(1)
        self._lock = threading.RLock()

    # --- the port

    @property
    def request_count(self) -> int:
        """Reads and writes so far."""
        return self._reads + self.writes

    def connect(self) -> str:
        """Returns the account's name."""
        return self.account

    def identity(self) -> Identity:
        """Returns what no other target in memory has, and no other account in it."""
        server = self._roots.token
        return Identity(f"{server}/{self.account}", f"memory:{server}", self.account, self.account)

    def fit(self, desired: Desired) -> Desired:
        """Returns ``desired`` as it is: everything fits."""
        return desired

    def split(
        self, observed: Observed, hints: Sequence[Mapping[str, Value]]
    ) -> Mapping[str, Value]:
        """Returns the fields as they are: each has a place of its own."""
        return observed.fields

    def observe_roots(self) -> Iterator[Observed]:
        """Yields every root."""
        self._read("list")
        with self._lock:
            roots = [self._show(root) for root in self._roots.values()]
        yield from roots

    def observe_root(self, root_id: str) -> Observed | None:
        """Returns one root."""
        self._read("get")
        with self._lock:
            root = self._roots.get(root_id)
            return self._show(root) if root else None

    def observe_children(self, root_ids: Collection[str]) -> Mapping[str, Sequence[Observed]]:
        """Returns the children of each root that is there."""
        self._read("children")
        with self._lock:
            return {
                root_id: list(self._roots[root_id].children.values())
                for root_id in root_ids
                if root_id in self._roots and not self._hides(self._roots[root_id])
            }

    def find_roots(self, marker: Marker) -> Sequence[Observed]:
        """Returns the roots that carry the marker."""
        return [root for root in self.observe_roots() if marker in root.markers]

    def create_root(self, desired: Desired, marker: Marker) -> Written:
        """Makes a root with the template's children."""
        with self._writing("create"):
            root_id = str(next(self._ids))
            record = Observed(
                desired.key.kind,
                root_id,
                dict(desired.fields),
                markers=(marker,),
                maker=self.account,
            )
            root = self._roots[root_id] = _Root(record)
            for kind, name in self.template:
                self._put_child(root, kind, name.casefold(), {"name": name})
            return Written(self._show(root), tuple(root.children.values()))

    def mark(self, root_id: str, marker: Marker) -> None:
        """Adds the marker."""
        with self._writing("mark"):
            root = self._root(root_id)
            markers = tuple(sorted({*root.record.markers, marker}, key=lambda m: m.key))
            self._change(root, replace(root.record, markers=markers))

    def unmark(self, root_id: str, marker: Marker) -> None:
        """Takes the marker off."""
        with self._writing("unmark"):
            root = self._roots.get(root_id)
            if root:
                markers = tuple(m for m in root.record.markers if m != marker)
                self._change(root, replace(root.record, markers=markers))

    def reassign(self, root_id: str, former: Marker, marker: Marker) -> None:
        """Exchanges the markers, and the group that children name."""
        self.mark(root_id, marker)
        self.unmark(root_id, former)
        with self._writing("reassign"):
            root = self._root(root_id)
            for number, child in root.children.items():
                if child.group == former.key:
                    root.children[number] = replace(child, group=marker.key)
            root.version += 1

    def create_child(self, desired: Desired, place: Place) -> Written:
        """Makes a child, or returns the one that answers to its name."""
        with self._writing("create child"):
            root = self._root(place.root_id)
            identity = desired.key.name.casefold()
            group = desired.key.group
            present = by_identity(list(root.children.values()), desired.key.kind, identity, group)
            if present:
                return Written(present[0])
            child = self._put_child(root, desired.key.kind, identity, desired.fields, group)
            return Written(child)

    def update(
        self,
        observed: Observed,
        changes: Mapping[str, Value],
        fields: Mapping[str, Value],
        place: Place,
    ) -> Written:
        """Writes the changes; a root that changed since it was observed is stale."""
        with self._writing("update"):
            root = self._root(place.root_id)
            if observed.id in root.children and observed.kind != root.record.kind:
                child = root.children[observed.id]
                child = replace(child, fields={**child.fields, **changes})
                root.children[child.id] = child
                root.version += 1
                return Written(child)
            if observed.id != root.record.id:
                raise Vanished(f"{observed.kind} {observed.id} is not there")
            if observed.change_token != str(root.version):
                raise Stale(f"{observed.kind} {observed.id} was changed in this moment")
            self._change(root, replace(root.record, fields={**root.record.fields, **changes}))
            return Written(self._show(root))

    def remove(self, kind: str, target_id: str, place: Place) -> None:
        """Removes a child or a root."""
        with self._writing("remove"):
            if target_id == place.root_id:
                self._roots.pop(target_id, None)
            elif place.root_id in self._roots:
                self._root(place.root_id).children.pop(target_id, None)

    def untouched_child(self, child: Observed, place: Place) -> bool:
        """Whether no test has acted on the child as people do, and no other child names it and none
        beside it."""
        self._read("untouched child")
        root = self._root(place.root_id)
        others = [each for each in root.children.values() if each.id != child.id]
        is_named = any(
            str(each.fields.get(child.kind) or "").casefold() == child.identity for each in others
        ) and not any((each.kind, each.identity) == (child.kind, child.identity) for each in others)
        return child.id not in root.edited and not (child.identity and is_named)

    def untouched(self, root_id: str) -> bool:
        """Whether no test has acted on the root as people do."""
        self._read("untouched")
        return not self._root(root_id).touched_by_people

    def foresee(self, records: Sequence[Desired]) -> Sequence[Foreseen]:
        """Returns which records hold a name that is unknown here."""
        return [
            Foreseen(record, f"there is no {name} {value!r} here")
            for record in records
            for name, value in record.fields.items()
            if name in self.names and value not in self.names[name]
        ]

    # --- what people do

    @property
    def roots(self) -> list[Observed]:
        """All roots, in order of their creation."""
        return [self._show(root) for root in self._roots.values()]

    def children(self, root_id: str, kind: str | None = None) -> list[Observed]:
        """The children of a root, of one kind or of all."""
        children = self._roots[root_id].children.values()
        return [child for child in children if kind in (None, child.kind)]

    def edit(self, root_id: str, **fields: Value) -> None:
        """Changes fields of a root."""
        root = self._root(root_id)
        root.touched_by_people = True
        self._change(root, replace(root.record, fields={**root.record.fields, **fields}))

    def edit_child(self, root_id: str, child_id: str, **fields: Value) -> None:
        """Changes fields of a child."""
        root = self._root(root_id)
        child = root.children[child_id]
        root.children[child_id] = replace(child, fields={**child.fields, **fields})
        root.edited.add(child_id)
        root.touched_by_people, root.version = True, root.version + 1

    def name_child(self, root_id: str, child_id: str, identity: str, **fields: Value) -> None:
        """Gives a child another natural identity, such as a member another address."""
        self.edit_child(root_id, child_id, **fields)
        root = self._root(root_id)
        root.children[child_id] = replace(root.children[child_id], identity=identity.casefold())

    def add_child(self, root_id: str, kind: str, identity: str, **fields: Value) -> str:
        """Adds a child; returns its id."""
        root = self._root(root_id)
        root.touched_by_people = True
        return self._put_child(root, kind, identity.casefold(), fields).id

    def delete_child(self, root_id: str, child_id: str) -> None:
        """Deletes a child."""
        root = self._root(root_id)
        del root.children[child_id]
        root.touched_by_people, root.version = True, root.version + 1

    def move_child(self, root_id: str, child_id: str, other_id: str) -> None:
        """Moves a child into another root, with what it says of its group."""
        root, other = self._root(root_id), self._root(other_id)
        other.children[child_id] = root.children.pop(child_id)
        for each in (root, other):
            each.touched_by_people, each.version = True, each.version + 1

    def copy_child(self, child_id: str, root_id: str) -> str:
        """Copies a child into a root, with what it says of its group; returns the copy's id."""
        (child,) = (r.children[child_id] for r in self._roots.values() if child_id in r.children)
        root = self._root(root_id)
        root.touched_by_people = True
        return self._put_child(root, child.kind, child.identity, child.fields, child.group).id

    def delete(self, root_id: str) -> None:
        """Deletes a root."""
        del self._roots[root_id]

    def copy(self, root_id: str) -> str:
        """Copies a root with its marker but without its children; returns the copy's id."""
        copy_id = str(next(self._ids))
        self._roots[copy_id] = _Root(replace(self._root(root_id).record, id=copy_id))
        return copy_id

    def unmark_all(self, root_id: str) -> None:
        """Deletes the markers of a root."""
        root = self._root(root_id)
        self._change(root, replace(root.record, markers=()))

    def obstruct(self, root_id: str, obstacle: str) -> None:
        """Makes a root unwritable, or writable again ("")."""
        root = self._root(root_id)
        self._change(root, replace(root.record, obstacle=obstacle))

    # --- below: bookkeeping

    def _read(self, operation: str) -> None:
        self._reads += 1
        self.faults(f"before {operation}")

    def _writing(self, operation: str) -> _Operation:
        return _Operation(self, operation, self._lock)

    def _root(self, root_id: str) -> _Root:
        root = self._roots.get(root_id)
        if root is None:
            raise Vanished(f"there is no root {root_id}")
        return root

    def _change(self, root: _Root, record: Observed) -> None:
        root.record = record
        root.version += 1

    def _put_child(
        self, root: _Root, kind: str, identity: str, fields: Mapping[str, Value], group: str = ""
    ) -> Observed:
        child = Observed(
            kind,
            str(next(self._ids)),
            dict(fields),
            identity=identity,
            marked=bool(identity),
            group=group,
        )
        root.children[child.id] = child
        root.version += 1
        return child

    def _show(self, root: _Root) -> Observed:
        facts = {"url": f"memory:{root.record.id}", "title": root.record.fields.get("title", "")}
        hides = self._hides(root)
        return replace(
            root.record, change_token=str(root.version), facts=facts, hides_children=hides
        )

    def _hides(self, root: _Root) -> bool:
        return self.hides_retired and root.record.fields.get(STATE) == RETIRED


class _Operation:
    """One write: takes the lock, counts it, and lets faults happen before and after."""

    def __init__(self, target: InMemoryTarget, operation: str, lock: threading.RLock) -> None:
        self._target, self._operation, self._lock = target, operation, lock

    def __enter__(self) -> None:
        self._target.faults(f"before {self._operation}")
        self._lock.acquire()

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        self._lock.release()
        if error is None:
            self._target.writes += 1
            self._target.faults(f"after {self._operation}")
