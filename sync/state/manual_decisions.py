"""What people decide by hand about groups: each decision is one transaction of the state store."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from sqlalchemy import and_, insert, select, update

from sync.records.model import Binding, RecordKey
from sync.state import statements
from sync.state.rows import OPEN, TAKE_OVER, UNSETTLED, JournalEntry, dump
from sync.state.schema import BINDINGS, GROUPS, JOURNAL
from sync.state.tables import StateTables

BY_HAND: Final = 0
"""The number of the run in journal entries that no run made."""


class ManualDecisions(StateTables):
    """Decisions by hand; see `sync.state.store.StateStore`."""

    def take_over(self, root: RecordKey, former: str) -> JournalEntry:
        """Gives a group everything that is known of another one: bindings, bases, what is open.

        ``root`` is the new group's root. What was known of the new group is forgotten; the former
        one is left unlinked, so that it is not made again while its key is still in the source.
        Returns the intent to write the new key in the target, which `settle_take_over` closes.
        """
        new = root.group
        with self._write("take over") as connection:
            self._forget_group(connection, new)
            self._drop_issues_of(connection, former)
            for table, values in (
                (BINDINGS, {"grp": new}),
                (GROUPS, {"grp": new, "stamp": ""}),
            ):
                connection.execute(update(table).where(self._group(table, former)).values(values))
            open_intents = and_(self._group(JOURNAL, former), JOURNAL.c.status.in_(UNSETTLED))
            connection.execute(update(JOURNAL).where(open_intents).values(grp=new))
            whole = {"unlinked": False, "deleted": False}
            self._update_binding(connection, root, whole)
            connection.execute(insert(BINDINGS).values(**self._nothing_bound(root, former)))
            connection.execute(insert(GROUPS).values(**self._nothing_known(former)))
            connection.execute(insert(JOURNAL).values(**self._take_over_row(root, former)))
        (entry,) = (each for each in self.take_overs() if each.key == root)
        return entry

    def _nothing_bound(self, root: RecordKey, former: str) -> dict[str, object]:
        return {
            "pipeline": self.pipeline,
            "grp": former,
            "kind": root.kind,
            "name": "",
            "target_id": "",
            "created": False,
            "when_dropped": "keep",
            "deleted": True,
            "unlinked": True,
            "base_json": "{}",
        }

    def _nothing_known(self, former: str) -> dict[str, object]:
        """A source that was told facts of the former group is told that there are none any more."""
        return {
            "pipeline": self.pipeline,
            "grp": former,
            "fingerprint": "",
            "stamp": "",
            "state": "",
            "facts_json": "{}",
            "seen_at": self._moment,
        }

    def _take_over_row(self, root: RecordKey, former: str) -> dict[str, object]:
        target_id = select(BINDINGS.c.target_id).where(self._record(BINDINGS, root))
        return {
            "run_id": BY_HAND,
            "pipeline": self.pipeline,
            "grp": root.group,
            "kind": root.kind,
            "name": root.name,
            "action": TAKE_OVER,
            "reason": f"its {root.kind} was that of {former}",
            "changes_json": dump([{"field": "key", "observed": former, "desired": root.group}]),
            "intended_json": "{}",
            "status": OPEN,
            "target_id": target_id.scalar_subquery(),
            "error": "",
            "intended_at": self._moment,
        }

    def take_overs(self) -> list[JournalEntry]:
        """Returns the intents to write a new key in the target that are not settled, in order."""
        with self._read() as connection:
            return list(self._entries(connection, statements.take_overs()))

    def settle_take_over(self, entry: JournalEntry, error: str = "") -> None:
        """Closes such an intent: the new key is in the target, or can never be (``error``)."""
        with self._write("receipt") as connection:
            self._finish(connection, entry.id, "failed" if error else "done", error=error)

    def bind_by_hand(self, binding: Binding) -> None:
        """Binds a root to an object that a person chose; the next run merges the two.

        :raises Rejected: the object is already bound to another record.
        """
        with self._write("by hand") as connection:
            self._forget_group(connection, binding.key.group)
            self._put_binding(connection, binding, {})

    def marked_by_hand(self, root: RecordKey) -> None:
        """Notes that a person had a root marked again; the next run looks at the whole group."""
        with self._write("by hand") as connection:
            anew = update(GROUPS).where(self._group(GROUPS, root.group)).values(stamp="")
            connection.execute(anew)
            self._drop_issues_of(connection, root.group)

    def likenesses(self, keys: Collection[str]) -> dict[str, str]:
        """Returns what groups are recognised by when their key changes, "" where it is not known.

        See `sync.records.model.DesiredGroup`.
        """
        with self._read() as connection:
            rows = self._select(connection, statements.of_groups(GROUPS), keys)
            found = {row.grp: row.likeness for row in rows}
        return {key: found.get(key, "") for key in keys}
