"""What a person may say of a server: that it is the same one, another one, or one restored.

Every function works on a connected target and under the run lock, and makes no write to the target.
``source`` learns which server it is, if it remembers that (`sync.source.RemembersServer`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sync.errors import Refused
from sync.plan.counting import name_some
from sync.plan.limit_settings import Limit
from sync.plan.limits import Breach, check_limits
from sync.plan.model import IssueKind
from sync.plan.observation import observe
from sync.plan.other_server import ENOUGH
from sync.records.merge import as_set
from sync.records.model import RETIRED, Base, Observed, RecordKey, counted
from sync.records.record_merge import Bases
from sync.run.server_identity import note
from sync.state.rows import BY_PEOPLE, TAKE_AWAY
from sync.state.store import StateStore
from sync.target import Target
from sync.ways_out import GrantAccess, MoveState, ServerIs

FEW = 2
"""So many bound roots without a marker do not speak against a server."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What became of the roots that are bound and followed.

    ``unmarked`` and ``missing`` name those without our marker, and those that are not to be seen,
    by key. Retired ones that are missing do not count: people may clear them away. ``found`` counts
    the keys of this pipeline's markers on roots that are not bound: a state was lost, or renamed.
    ``kind`` is that of the roots, "" if there are none.
    """

    marked: int
    unmarked: dict[str, str]
    missing: dict[str, str]
    found: int = 0
    kind: str = ""

    def breaches(self, limits: Mapping[str, Limit], *, proven: bool) -> Sequence[Breach]:
        """Returns the limits that a run would be refused by, by the counts of a run.

        ``proven`` tells whether the server itself shows that it is the one.
        """
        counts = {"unmarked": len(self.unmarked), "missing": len(self.missing)}
        if not self.marked and len(self.missing) >= (ENOUGH if proven else 1):
            limits = {**limits, "missing": Limit(0)}
        return check_limits(counts, self.bound, limits)

    @property
    def bound(self) -> int:
        """How many there are."""
        return self.marked + len(self.unmarked) + len(self.missing)

    def __str__(self) -> str:
        if not self.bound:
            return "nothing is kept in step yet"
        is_there = "is there" if self.bound == 1 else "are there"
        bound = counted(self.bound, self.kind)
        parts = [f"{self.marked} of {bound} {is_there} with this pipeline's marker"]
        if self.unmarked:
            parts.append(f"{len(self.unmarked)} without it ({name_some(self.unmarked.values())})")
        if self.missing:
            parts.append(f"{len(self.missing)} not at all ({name_some(self.missing.values())})")
        return ", ".join(parts)


def gather(store: StateStore, target: Target) -> Evidence:
    """Looks at which bound roots are there, by one complete list."""
    index = store.index()
    seen = observe(target, store.pipeline, index)
    there = {*seen.still, *seen.moved, *seen.unmarked}
    missing = {
        key: f"{key}: {row.kind} {row.root_id}"
        for key, row in index.items()
        if row.is_followed and row.state != RETIRED and key not in there
    }
    unmarked = {key: f"{key}: {root.kind} {root.id}" for key, root in seen.unmarked.items()}
    kind = next((row.kind for row in index.values()), "")
    return Evidence(seen.marked, unmarked, missing, len(seen.candidates), kind)


def same_server(store: StateStore, target: Target, source: object = None) -> Evidence:
    """Takes a target for the one that the state was made with, as its markers prove.

    :raises Refused: they do not.
    """
    evidence = gather(store, target)
    proves = evidence.marked >= max(1, len(evidence.missing))
    if evidence.bound and not (proves and len(evidence.unmarked) <= FEW):
        raise Refused(
            f"this does not look like the server that the state was made with: {evidence}. Nothing "
            "was changed",
            ways_out=[MoveState(ServerIs.NEW), MoveState(ServerIs.RESTORED), GrantAccess()],
        )
    note(store, target, source)
    return evidence


def new_server(store: StateStore, target: Target, source: object = None) -> int:
    """Lets go of everything that is bound, to begin again here; returns how many roots that were.

    Those that carry this pipeline's marker here are found by the next run; the others are made.
    """
    bound = sum(not row.unlinked for row in store.index().values())
    store.start_anew()
    note(store, target, source)
    return bound


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restored server lacks, and the next run makes again.

    ``evidence`` is that of the roots; ``children`` what is not in roots that are there. ``noted``
    is what earlier runs took for taken away by people, and what stays away.
    """

    evidence: Evidence
    children: Sequence[RecordKey]
    noted: Sequence[RecordKey]


def restored(
    store: StateStore, target: Target, source: object = None, since: datetime | None = None
) -> Restored:
    """Lets go of what a server restored from a backup has no more, or gave the number of to
    something else; the next run finds it by its marker, or makes it again.

    Roots that wait for a decision because they are gone are among that: a run may have met the
    restored server first. What a run noted as taken away from a root is, if that was after
    ``since`` (UTC, when the backup was made): before it, it was people.

    :raises Refused: nothing proves that it is the same server.
    """
    evidence = _with_reported(store, gather(store, target))
    if not evidence.marked:
        raise Refused(
            f"nothing shows that this is the same server, restored: {evidence}. Nothing was "
            "changed",
            ways_out=[MoveState(ServerIs.NEW)],
        )
    gone = {*evidence.unmarked, *evidence.missing}
    children = _lacking(store, target, gone)
    noted = [key for key in store.taken_away() if key.group not in gone]
    again = [key for key in noted if since is not None and _was_noted(store, key, since)]
    for key in sorted(gone):
        store.forget(key)
    for child in (*children, *again):
        store.forget_child(child)
    for root, bases in _older_elements(store, target).items():
        store.rebase(root, bases)
    note(store, target, source)
    return Restored(evidence, [*children, *again], [key for key in noted if key not in again])


def _with_reported(store: StateStore, evidence: Evidence) -> Evidence:
    """Returns ``evidence`` with the roots that are reported as deleted, and not decided about."""
    index = store.index()
    open_ones = [i.issue.key.group for i in store.issues() if i.issue.kind is IssueKind.DELETED]
    rows = {key: index[key] for key in open_ones if key in index}
    reported = {key: f"{key}: {row.kind} {row.root_id}" for key, row in rows.items()}
    return replace(evidence, missing={**evidence.missing, **reported})


def _lacking(store: StateStore, target: Target, gone: Collection[str]) -> list[RecordKey]:
    """Returns the bound children that are not in their roots, where those can be read."""
    rows = {k: r for k, r in store.index().items() if r.is_followed and k not in gone}
    seen = target.observe_children([row.root_id for row in rows.values()]) if rows else {}
    readable = {key: seen[row.root_id] for key, row in rows.items() if row.root_id in seen}
    lacking = []
    for key, known in store.known(readable.keys()).items():
        there = {(child.kind, child.id) for child in readable[key]}
        lacking += [
            child
            for child, bound in known.bound.items()
            if not (child.is_root or bound.binding.deleted or bound.binding.unlinked)
            and (child.kind, bound.binding.target_id) not in there
        ]
    return lacking


def _older_elements(store: StateStore, target: Target) -> dict[RecordKey, dict[str, Base]]:
    """Returns the bases of sets that the backup has as the connector left them at an earlier time.

    Where some of what the connector added last is not there, what the journal knows of earlier
    additions, and is there again, is the connector's own.
    """
    roots = observe(target, store.pipeline, store.index(), look_at_all=True).moved
    older: dict[RecordKey, dict[str, Base]] = {}
    for key, known in store.known(list(roots)).items():
        for record, bound in known.bound.items():
            if record.is_root:
                found = _as_in_backup(store, target, roots[key], record, bound.base)
                older |= {record: found} if found else {}
    return older


def _as_in_backup(
    store: StateStore, target: Target, root: Observed, record: RecordKey, bases: Bases
) -> dict[str, Base]:
    seen = target.split(root, [{name: base.observed for name, base in bases.items()}])
    found = {}
    for name, base in bases.items():
        there = seen.get(name)
        if not isinstance(there, frozenset) or not isinstance(base.observed, frozenset):
            continue
        lost = base.observed - there
        if lost:
            own = (base.observed | _ever_asked_for(store, record, name)) & there
            found[name] = Base(as_set(base.desired) - lost, own)
    return found


def _ever_asked_for(store: StateStore, record: RecordKey, name: str) -> frozenset[str]:
    """Returns the elements that writes of the connector asked for and that were not there."""
    added: set[str] = set()
    for entry in store.history(record.group, limit=1000):
        if entry.key != record or entry.action in BY_PEOPLE:
            continue
        for change in entry.changes:
            if change["field"] == name:
                added |= set(_listed(change["desired"])) - set(_listed(change["observed"]))
    return frozenset(added)


def _listed(value: object) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else []


def _was_noted(store: StateStore, key: RecordKey, since: datetime) -> bool:
    """Whether a run noted after ``since`` that people took a child away."""
    entries = store.history(key.group, limit=1000)
    noted = (e.intended_at for e in entries if e.key == key and e.action == TAKE_AWAY)
    newest = next(noted, None)
    return newest is not None and newest >= since
