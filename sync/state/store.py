"""The state store: bindings, bases, journal, runs and open issues, in one SQL database.

It is the connector's memory, not the truth: should it be lost, the markers in the target bring the
bindings back. Every method is one transaction and none makes a network call. Methods may be called
from several threads.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime

from sqlalchemy import Connection, and_, delete, select, update

from sync.plan.known import Bound, Known, Making
from sync.plan.model import Action, ActionType, Change, GroupPlan, Issue
from sync.records.model import Binding, RecordKey, WhenDropped, encode
from sync.records.record_merge import Bases
from sync.state import statements
from sync.state.manual_decisions import BY_HAND, ManualDecisions
from sync.state.pruning import prune_journal, prune_runs
from sync.state.rows import (
    BRING_BACK,
    KEEP,
    OPEN,
    SUCCESSFUL,
    TAKE_AWAY,
    UNLINK,
    UNSETTLED,
    Checkpoint,
    GroupRow,
    JournalEntry,
    OpenIssue,
    RunRow,
    dump,
    dump_bases,
    issue_id,
    journal_changes,
    read_bases,
    read_binding,
    read_issue,
    read_run,
)
from sync.state.schema import BINDINGS, GROUPS, ISSUES, JOURNAL, NOTES, RUNS
from sync.state.unconfirmed import UnconfirmedWrites

_NEVER = object()

__all__ = ["Checkpoint", "GroupRow", "JournalEntry", "OpenIssue", "RunRow", "StateStore"]


class StateStore(ManualDecisions, UnconfirmedWrites):
    """The state of one pipeline.

    :raises StateUnusable: (any method) the database is damaged, locked, or newer than this
        program; the message says how to go on.
    """

    def identity(self, make: Callable[[], str] = lambda: secrets.token_hex(8)) -> str:
        """Returns a name for this store that no other has; ``make`` makes it, once."""
        found = self.note_of("identity")
        if found is not None:
            return found
        made = make()
        self.put_note("identity", made)
        return made

    def note_of(self, name: str) -> str | None:
        """Returns the value that was noted under ``name``, None if there is none."""
        with self._read() as connection:
            return connection.execute(statements.note(), self._ours | {"of_name": name}).scalar()

    def put_note(self, name: str, value: str) -> None:
        """Notes a value, over an older one of the same name."""
        with self._write(name) as connection:
            connection.execute(statements.note_removed(), self._ours | {"of_name": name})
            row = {"pipeline": self.pipeline, "name": name, "value": value}
            connection.execute(statements.added(NOTES), row)

    def bound_elsewhere(self) -> dict[str, str]:
        """Returns which pipeline of the same database a root is bound under, by the root's id."""
        others = and_(BINDINGS.c.pipeline != self.pipeline, BINDINGS.c.name == "")
        query = select(BINDINGS.c.target_id, BINDINGS.c.pipeline).where(others)
        with self._read() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def words(self, name: str) -> frozenset[str]:
        """Returns the words that were noted under ``name``."""
        found = self.note_of(name)
        return frozenset(json.loads(found)) if found is not None else frozenset()

    def add_words(self, name: str, words: Collection[str]) -> None:
        """Notes words under ``name``, next to those that are there."""
        known = self.words(name)
        if not known >= set(words):
            self.put_note(name, dump(sorted(known | set(words))))

    def dangling(self) -> list[str]:
        """Returns the keys of groups of which something is stored, but not which root is theirs."""
        of_bindings = select(BINDINGS.c.grp).where(BINDINGS.c.pipeline == self.pipeline)
        of_groups = select(GROUPS.c.grp).where(GROUPS.c.pipeline == self.pipeline)
        with self._read() as connection:
            stored = set(connection.execute(of_bindings.union(of_groups)).scalars())
        return sorted(stored - self.index().keys())

    # --- groups

    def index(self) -> dict[str, GroupRow]:
        """Returns what is remembered of every bound group, by key."""
        with self._read() as connection:
            rows = connection.execute(statements.index(), self._ours)
            return {row[0]: GroupRow(*row[1:]) for row in rows}

    def known(self, keys: Collection[str]) -> dict[str, Known]:
        """Returns bindings, bases and open intents of the groups of ``keys``."""
        bound: dict[str, dict[RecordKey, Bound]] = {key: {} for key in keys}
        intents: dict[str, dict[RecordKey, list[Bases]]] = {key: {} for key in keys}
        making: dict[str, dict[RecordKey, Making]] = {key: {} for key in keys}
        removing: dict[str, set[RecordKey]] = {key: set() for key in keys}
        with self._read() as connection:
            for row in self._select(connection, statements.of_groups(BINDINGS), keys):
                key = RecordKey(row.grp, row.kind, row.name)
                bound[row.grp][key] = Bound(read_binding(key, row), read_bases(row.base_json))
            for entry in self._entries(connection, statements.unsettled_entries()):
                group = entry.key.group
                if group not in intents:
                    continue
                intents[group].setdefault(entry.key, []).append(entry.intended)
                if entry.action == ActionType.CREATE:
                    making[group][entry.key] = Making(entry.identity, entry.when_dropped)
                elif entry.is_removal:
                    removing[group].add(entry.key)
        return {key: Known(bound[key], intents[key], making[key], removing[key]) for key in bound}

    def facts(self, key: str) -> tuple[Mapping[str, object], datetime | None]:
        """Returns the delivery facts of a group and when they were seen (UTC)."""
        query = select(GROUPS.c.facts_json, GROUPS.c.seen_at).where(self._group(GROUPS, key))
        with self._read() as connection:
            row = connection.execute(query).first()
        return (json.loads(row.facts_json), row.seen_at) if row else ({}, None)

    def groups_with(self, kind: str, name: str) -> frozenset[str]:
        """Returns the groups in which the child of this kind and name is bound."""
        which = and_(BINDINGS.c.kind == kind, BINDINGS.c.name == name)
        query = select(BINDINGS.c.grp).where(BINDINGS.c.pipeline == self.pipeline, which)
        with self._read() as connection:
            return frozenset(connection.execute(query).scalars())

    def keys_below(self, prefix: str) -> list[str]:
        """Returns the keys of bound groups that begin so, in order."""
        return sorted(key for key in self.keys_with(prefix) if key.startswith(prefix))

    def keys_with(self, text: str, *, followed: bool = False) -> list[str]:
        """Returns the keys of bound groups in which there is a text; ``followed``: of those alone
        that are."""
        which = and_(BINDINGS.c.pipeline == self.pipeline, BINDINGS.c.name == "")
        query = select(BINDINGS.c.grp).where(which, BINDINGS.c.grp.contains(text, autoescape=True))
        if followed:
            query = query.where(~BINDINGS.c.deleted, ~BINDINGS.c.unlinked)
        with self._read() as connection:
            return list(connection.execute(query).scalars())

    def bases_of(self, kind: str) -> dict[str, dict[str, Bases]]:
        """Returns what was agreed upon of all children of a kind, by group and by their names.

        Those that people took away, or that are not followed, are left out.
        """
        followed = and_(~BINDINGS.c.deleted, ~BINDINGS.c.unlinked, BINDINGS.c.name != "")
        query = select(BINDINGS.c.grp, BINDINGS.c.name, BINDINGS.c.base_json).where(
            BINDINGS.c.pipeline == self.pipeline, BINDINGS.c.kind == kind, followed
        )
        found: dict[str, dict[str, Bases]] = {}
        with self._read() as connection:
            for group, name, bases in connection.execute(query):
                found.setdefault(group, {})[name] = read_bases(bases)
        return found

    def all_facts(
        self, containing: str = ""
    ) -> dict[str, tuple[Mapping[str, object], datetime | None]]:
        """Returns the delivery facts of all bound groups, by key, and when they were seen (UTC).

        ``containing`` leaves out those whose JSON, without blanks, does not have this text in it.
        """
        root = and_(
            BINDINGS.c.pipeline == GROUPS.c.pipeline,
            BINDINGS.c.grp == GROUPS.c.grp,
            BINDINGS.c.name == "",
        )
        columns = select(GROUPS.c.grp, GROUPS.c.facts_json, GROUPS.c.seen_at)
        query = columns.select_from(GROUPS.join(BINDINGS, root))
        if containing:
            query = query.where(GROUPS.c.facts_json.contains(containing, autoescape=True))
        with self._read() as connection:
            rows = connection.execute(query.where(GROUPS.c.pipeline == self.pipeline))
            return {row.grp: (json.loads(row.facts_json), row.seen_at) for row in rows}

    def note(self, plan: GroupPlan, run_id: int) -> list[RecordKey]:
        """Stores the bookkeeping of a group's plan: what agrees, and what was unlinked.

        What people took away, or brought back, is entered into the history together with it, so
        that it is reported once. Returns what was found to be taken away.
        """
        if not (plan.remember or plan.bind or plan.forget or plan.rekey):
            return []
        taken: list[RecordKey] = []
        with self._write("bookkeeping") as connection:
            for old, new in plan.rekey:
                self._settle_record(connection, old)
                self._update_binding(connection, old, {"name": new.name})
            for key in plan.forget:
                self._settle_record(connection, key)
                self._remove(connection, BINDINGS, key)
            for binding in plan.bind:
                if self._is_deleted(connection, binding.key) is not binding.deleted:
                    taken += [binding.key] if binding.deleted else []
                    entry = self._people_row(run_id, binding)
                    self._put(connection, statements.added(JOURNAL), entry)
                values = {"deleted": binding.deleted, "unlinked": binding.unlinked}
                self._update_binding(connection, binding.key, values)
            for key, bases in plan.remember.items():
                if bases:
                    self._extend_base(connection, key, bases)
        return taken

    def taken_away(self, group: str | None = None) -> list[RecordKey]:
        """Returns what people took away from roots that are there, of one group or of all."""
        condition = and_(
            BINDINGS.c.pipeline == self.pipeline, BINDINGS.c.deleted, BINDINGS.c.name != ""
        )
        if group is not None:
            condition = and_(condition, BINDINGS.c.grp == group)
        query = select(BINDINGS.c.grp, BINDINGS.c.kind, BINDINGS.c.name).where(condition)
        with self._read() as connection:
            return sorted(RecordKey(*row) for row in connection.execute(query))

    def save_checkpoints(self, checkpoints: Collection[Checkpoint]) -> None:
        """Remembers how groups stand after they were synced; closes their open intents."""
        if not checkpoints:
            return
        with self._write("checkpoint") as connection:
            self._settle(connection, {item.key for item in checkpoints})
            for item in checkpoints:
                self._put_group(connection, item)

    # --- the journal

    def intend(self, run_id: int, action: Action, intended: Bases) -> int:
        """Commits the intent to carry out ``action``; returns its number.

        From here on the group counts as not looked at, until its next checkpoint.
        """
        with self._write("intent") as connection:
            self._replace_same(connection, action, intended)
            self._look_again(connection, action.key.group)
            row = self._intent_row(run_id, action, intended)
            return int(self._put(connection, statements.intended(), row).scalar_one())

    def _intent_row(self, run_id: int, action: Action, intended: Bases) -> dict[str, object]:
        wanted = action.desired
        return {
            "run_id": run_id,
            "pipeline": self.pipeline,
            "grp": action.key.group,
            "kind": action.key.kind,
            "name": action.key.name,
            "action": action.type.value,
            "reason": action.reason,
            "changes_json": dump(journal_changes(action)),
            "intended_json": dump_bases(intended),
            "identity": wanted.natural_name if wanted else "",
            "when_dropped": (wanted.when_dropped if wanted else WhenDropped.KEEP).value,
            "status": OPEN,
            "target_id": action.observed.id if action.observed else "",
            "error": "",
            "intended_at": self._moment,
        }

    def _replace_same(self, connection: Connection, action: Action, intended: Bases) -> None:
        """Closes the older intents that say the very same: the new one stands for them.

        A change that is never confirmed would leave one more with every run.
        """
        if action.type is ActionType.CREATE:  # which is settled before it is intended again
            return
        same = {"of_action": action.type.value, "of_intended": dump_bases(intended)}
        values = {"status": "settled", "finished_at": self._moment}
        self._put(connection, statements.replaced(), values, **self._names(action.key), **same)

    def receive(self, intent: int, binding: Binding, bases: Bases) -> None:
        """Commits the receipt of a write together with its binding and its bases.

        ``bases`` are added to those that are already known of the record.

        :raises Rejected: the object is already bound to another record.
        """
        with self._write("receipt") as connection:
            self._finish(connection, intent, "done", target_id=binding.target_id)
            self._put_binding(connection, binding, bases)

    def receive_removal(self, intent: int, keys: Iterable[RecordKey]) -> None:
        """Commits the receipt of a removal; the records are no longer bound."""
        with self._write("receipt") as connection:
            self._finish(connection, intent, "done")
            for key in keys:
                self._settle_record(connection, key)
                self._remove(connection, BINDINGS, key)

    def fail(self, intent: int, error: str) -> None:
        """Commits that a write certainly did not happen, and why."""
        with self._write("receipt") as connection:
            self._finish(connection, intent, "failed", error=error)

    def note_kept(self, run_id: int, kept: Collection[tuple[RecordKey, Change]]) -> None:
        """Enters edits by people that were found and kept, for the history; each of them once."""
        reported = self._kept_edits({key.group for key, _ in kept})
        new = [
            (key, change)
            for key, change in kept
            if reported.get((key, change.field), _NEVER) != encode(change.observed)
        ]
        if not new:
            return
        with self._write("kept edits") as connection:
            for key, change in new:
                row = self._kept_row(run_id, key, change)
                self._put(connection, statements.added(JOURNAL), row)

    def _kept_edits(self, groups: Collection[str]) -> dict[tuple[RecordKey, str], object]:
        """Returns the values of kept edits that the history reported last, by record and field."""
        reported = {}
        with self._read() as connection:
            for row in self._select(connection, statements.kept_edits(), groups):
                for change in json.loads(row.changes_json):
                    key = RecordKey(row.grp, row.kind, row.name)
                    reported[key, str(change["field"])] = change["observed"]
        return reported

    def _kept_row(self, run_id: int, key: RecordKey, change: Change) -> dict[str, object]:
        reason = "edited by people, and kept"
        changes = dump([change.to_json()])
        return self._found_row(run_id, key, KEEP, reason) | {"changes_json": changes}

    def _people_row(self, run_id: int, binding: Binding) -> dict[str, object]:
        """Returns the entry for an object that people took away or brought back."""
        word, reason = BRING_BACK, "there again, and kept in step as before"
        if binding.deleted:
            word, reason = TAKE_AWAY, "taken away by people, and kept away"
        found = self._found_row(run_id, binding.key, word, reason)
        return found | {"target_id": binding.target_id}

    def _found_row(
        self, run_id: int, key: RecordKey, action: str, reason: str
    ) -> dict[str, object]:
        """Returns an entry for what was found, and for which nothing was written."""
        return {
            "run_id": run_id,
            "pipeline": self.pipeline,
            "grp": key.group,
            "kind": key.kind,
            "name": key.name,
            "action": action,
            "reason": reason,
            "changes_json": "[]",
            "intended_json": "{}",
            "status": "done",
            "target_id": "",
            "error": "",
            "intended_at": self._moment,
            "finished_at": self._moment,
        }

    def adopt(self, binding: Binding, bases: Bases) -> None:
        """Stores a binding for which nothing had to be written.

        :raises Rejected: the object is already bound to another record.
        """
        with self._write("binding") as connection:
            self._put_binding(connection, binding, bases)

    def history(self, group: str | None = None, limit: int = 100) -> list[JournalEntry]:
        """Returns the newest journal entries, of one group or of all, the newest first."""
        query = select(JOURNAL).where(JOURNAL.c.pipeline == self.pipeline)
        if group is not None:
            query = query.where(JOURNAL.c.grp == group)
        with self._read() as connection:
            return list(self._entries(connection, query.order_by(JOURNAL.c.id.desc()).limit(limit)))

    # --- runs

    def begin_run(self, is_full: bool) -> int:
        """Notes that a run begins; returns its number."""
        with self._write("run begins") as connection:
            row = {
                "pipeline": self.pipeline,
                "started_at": self._moment,
                "outcome": "running",
                "is_full": is_full,
                "summary_json": "{}",
            }
            return int(self._put(connection, statements.run_begun(), row).scalar_one())

    def end_run(self, run_id: int, outcome: str, summary: Mapping[str, object]) -> None:
        """Notes how a run ended."""
        with self._write("run ends") as connection:
            values = {
                "finished_at": self._moment,
                "outcome": outcome,
                "summary_json": dump(summary),
            }
            self._put(connection, statements.run_ended(), values, of_run=run_id)

    def runs(
        self, limit: int = 20, only_full: bool = False, only_successful: bool = False
    ) -> list[RunRow]:
        """Returns the newest runs, the newest first; a complete comparison is always successful."""
        query = select(RUNS).where(RUNS.c.pipeline == self.pipeline)
        if only_full:
            query = query.where(RUNS.c.is_full)
        if only_full or only_successful:
            query = query.where(RUNS.c.outcome.in_(SUCCESSFUL))
        with self._read() as connection:
            rows = connection.execute(query.order_by(RUNS.c.id.desc()).limit(limit)).all()
        return [read_run(row) for row in rows]

    def prune(self, runs_before: datetime, journal_before: datetime) -> None:
        """Forgets what is older than these times and tells nothing any more; see
        `sync.state.pruning`."""
        with self._write("prune") as connection:
            prune_journal(connection, self.pipeline, journal_before)
            prune_runs(connection, self.pipeline, runs_before)

    # --- issues

    def issues(self) -> list[OpenIssue]:
        """Returns what is open, by group."""
        with self._read() as connection:
            rows = connection.execute(statements.open_issues(), self._ours).all()
        return [OpenIssue(read_issue(row), row.since) for row in rows]

    def replace_issues(self, issues: Iterable[Issue]) -> tuple[list[Issue], list[Issue]]:
        """Makes ``issues`` the open ones; returns those that are new and those that ended."""
        now = {issue_id(issue): issue for issue in issues}
        before = {issue_id(open_issue.issue): open_issue for open_issue in self.issues()}
        with self._write("issues") as connection:
            for identity in before:
                self._drop_issue(connection, identity)
            for identity, issue in now.items():
                since = before[identity].since if identity in before else None
                self._add_issue(connection, issue, since)
        new = [issue for identity, issue in now.items() if identity not in before]
        ended = [item.issue for identity, item in before.items() if identity not in now]
        return new, ended

    def drop_issue(self, issue: Issue) -> None:
        """Drops what a person has seen to; it is not open any more."""
        with self._write("by hand") as connection:
            self._drop_issue(connection, issue_id(issue))

    # --- by hand

    def unlink(self, record: RecordKey) -> None:
        """Stops following a group (or one child); its object stays as it is."""
        row = self.index().get(record.group)
        with self._write("by hand") as connection:
            self._update_binding(connection, record, {"unlinked": True})
            if record.is_root:
                self._drop_issues_of(connection, record.group)
                if row is not None and not row.unlinked:
                    reason = "no longer followed, as a person decided"
                    entry = self._found_row(BY_HAND, record, UNLINK, reason)
                    self._put(connection, statements.added(JOURNAL), entry)
            else:
                self._remove(connection, ISSUES, record)

    def forget_child(self, key: RecordKey) -> None:
        """Drops what is known of a child; the next run makes it again, or finds it."""
        with self._write("by hand") as connection:
            self._settle_record(connection, key)
            self._remove(connection, BINDINGS, key)
            self._look_again(connection, key.group)

    def forget(self, group: str) -> None:
        """Drops everything that is known of a group; the next run treats it as new."""
        with self._write("by hand") as connection:
            self._forget_group(connection, group)

    def start_anew(self) -> None:
        """Lets go of all objects, for a server on which none of them is.

        The history stays, and so does a person's decision that a group is not to be followed.
        """
        mine = BINDINGS.c.pipeline == self.pipeline
        with self._write("by hand") as connection:
            followed = select(BINDINGS.c.grp).where(mine, ~BINDINGS.c.unlinked)
            for key in connection.execute(followed.distinct()).scalars().all():
                connection.execute(
                    delete(BINDINGS).where(self._group(BINDINGS, key), ~BINDINGS.c.unlinked)
                )
                self._drop_issues_of(connection, key)
            values = {"target_id": "", "deleted": True}
            connection.execute(update(BINDINGS).where(mine).values(values))
            connection.execute(delete(GROUPS).where(GROUPS.c.pipeline == self.pipeline))
            open_ones = and_(JOURNAL.c.pipeline == self.pipeline, JOURNAL.c.status.in_(UNSETTLED))
            for intent in connection.execute(select(JOURNAL.c.id).where(open_ones)).scalars().all():
                self._finish(connection, intent, "settled", error="left behind on another server")

    def let_stay(self, key: RecordKey) -> None:
        """Notes that a child is not to be removed: people have touched it."""
        with self._write("bookkeeping") as connection:
            self._update_binding(connection, key, {"when_dropped": WhenDropped.REPORT.value})

    def let_go(self, key: RecordKey) -> None:
        """Stops following a child, which is the target's own from now on."""
        with self._write("by hand") as connection:
            self._remove(connection, BINDINGS, key)
            self._look_again(connection, key.group)

    def give_up(self, key: RecordKey) -> None:
        """Has the next run remove a child that nothing asks for any more."""
        with self._write("by hand") as connection:
            self._update_binding(connection, key, {"when_dropped": WhenDropped.REMOVE.value})
            self._look_again(connection, key.group)

    def look_again(self, groups: Collection[str]) -> None:
        """Has the next run look at groups although nothing moves there."""
        if groups:
            with self._write("look again") as connection:
                for group in groups:
                    self._look_again(connection, group)

    def _look_again(self, connection: Connection, group: str) -> None:
        connection.execute(statements.looked_at_again(), self._ours | {"of_group": group})

    def rebase_under_way(self, key: RecordKey, bases: Bases) -> None:
        """Sets the bases of fields while a write of the record is under way: its intent stays
        open, so that a run that is cut off now is settled by what the target shows.
        """
        with self._write("by hand") as connection:
            known = self._stored_base(connection, key)
            self._update_binding(connection, key, {"base_json": dump_bases({**known, **bases})})

    def rebase(self, key: RecordKey, bases: Bases) -> None:
        """Sets the bases of fields by hand and has the group looked at again."""
        with self._write("by hand") as connection:
            self._extend_base(connection, key, bases)
            self._look_again(connection, key.group)
