"""A group whose key changed takes its root along: what was merged or renumbered stays one.

The state store comes first: from then on the root is the new group's, whatever happens. That the
target still names the former one is an open intent, which is settled at once, or by the next run.
"""

from __future__ import annotations

import logging

from sync.errors import NotLinked, Rejected, SyncError, Vanished
from sync.records.model import Marker, Observed, RecordKey
from sync.state.rows import TAKE_OVER
from sync.state.store import JournalEntry, StateStore
from sync.target import Target
from sync.ways_out import Adopt, Adoption, Unlink, UnlinkElsewhere

log = logging.getLogger(__name__)


def take_over(
    store: StateStore, target: Target, root: RecordKey, former: str, root_id: str = ""
) -> Observed:
    """Gives a group the root of another one, with all that was agreed upon; returns the root.

    People's edits stay, and what both sides agreed upon is known to the next run. The former group
    is no longer followed. ``root_id``, where it is given, has to be the former group's root.

    :raises Rejected: the former group has no (such) root, the new one has one of its own, or the
        root is not (any longer) this pipeline's.
    :raises Vanished: the root is not there, or the account cannot see it.
    """
    again = _finish_one(store, target, root, former)
    if again is not None or (again := _done_before(store, target, root, former)) is not None:
        return again
    found = _root_of(store, target, former, root_id)
    _refuse_second(store, root.group, former)
    _refuse_foreign(store, found, former, root.group)
    finish(store, target, store.take_over(root, former))
    return found


def _finish_one(store: StateStore, target: Target, root: RecordKey, former: str) -> Observed | None:
    """Settles an attempt that was cut off; returns the root if it was this very one."""
    for entry in store.take_overs():
        if entry.key == root:
            finish(store, target, entry)
            if _former(entry) == former:
                return target.observe_root(entry.target_id)
    return None


def _done_before(
    store: StateStore, target: Target, root: RecordKey, former: str
) -> Observed | None:
    """Returns the root if the very same was done before and still holds: nothing is left to do."""
    index = store.index()
    old, new = index.get(former), index.get(root.group)
    if old is None or old.root_id or new is None or not new.is_followed:
        return None
    done = [each for each in store.history(root.group) if each.action == TAKE_OVER]
    return target.observe_root(new.root_id) if done and _former(done[0]) == former else None


def _root_of(store: StateStore, target: Target, former: str, root_id: str) -> Observed:
    row = store.index().get(former)
    if row is None or not row.root_id:
        raise NotLinked(former)
    if root_id and root_id != row.root_id:
        raise Rejected(f"{former}: its {row.kind} is {row.root_id}, not {root_id}")
    found = target.observe_root(row.root_id)
    if found is None:
        raise Vanished(
            f"{target.name} does not show this account the {row.kind} {row.root_id} of {former}"
        )
    return found


def _refuse_second(store: StateStore, new: str, former: str) -> None:
    row = store.index().get(new)
    if row is not None and row.is_followed and new != former:
        raise Rejected(
            f"{new}: the {row.kind} {row.root_id} is kept in step with it already, and that of "
            f"{former} cannot be as well",
            ways_out=[Unlink(new, clean=True)],
        )
    if new == former:
        raise Rejected(f"{new}: the old key and the new one are the same")


def _refuse_foreign(store: StateStore, found: Observed, former: str, new: str) -> None:
    """Refuses a root that carries another pipeline's marker, or lost the one that it had."""
    marked = {marker.key for marker in found.markers if marker.pipeline == store.pipeline}
    others = [marker for marker in found.markers if marker.pipeline != store.pipeline]
    if others:
        raise Rejected(
            f"{found.kind} {found.id} belongs to the pipeline '{others[0].pipeline}' (as "
            f"{others[0].key})",
            ways_out=[UnlinkElsewhere(others[0].pipeline)],
        )
    row = store.index()[former]
    if row.is_followed and not marked & {former, new}:
        raise Rejected(
            f"{found.kind} {found.id} no longer carries the marker of {former}",
            ways_out=[Adopt(former, found.id, Adoption.MARK)],
        )


def finish(store: StateStore, target: Target, entry: JournalEntry) -> None:
    """Writes the new group's key in the target, and settles the intent to do so.

    :raises SyncError: it could not be written; the intent stays open, unless the root is gone.
    """
    former = _former(entry)
    marker = Marker(store.pipeline, entry.key.group)
    try:
        target.reassign(entry.target_id, Marker(store.pipeline, former), marker)
    except Vanished as error:
        store.settle_take_over(entry, str(error))
        raise
    store.settle_take_over(entry)


def finish_all(store: StateStore, target: Target) -> None:
    """Settles what was cut off. What cannot be written now is left to the next run."""
    for entry in store.take_overs():
        try:
            finish(store, target, entry)
        except Vanished as error:
            log.warning("%s: its %s is gone: %s", entry.key, entry.key.kind, error)
        except SyncError as error:
            log.warning("%s: its new key could not be written yet: %s", entry.key, error)


def _former(entry: JournalEntry) -> str:
    return str(entry.changes[0]["observed"])
