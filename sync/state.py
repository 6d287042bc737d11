"""The state store: bindings, bases, journal, runs and open issues, in one SQL database.

It is the connector's memory, not the truth: should it be lost, the markers in the target bring the
bindings back. Every method is one transaction and none makes a network call. Methods may be called
from several threads.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Connection,
    Engine,
    Table,
    and_,
    delete,
    func,
    insert,
    make_url,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from sync.boundary import reached
from sync.clock import Clock
from sync.database import failures_as, open_engine, reading, writing
from sync.errors import Rejected, StateUnusable
from sync.migrations import migrate
from sync.plan import Action, GroupPlan, Issue, IssueKind
from sync.planner import Bound, Known
from sync.record_merge import Bases
from sync.records import Base, Binding, RecordKey, WhenDropped, decode, encode
from sync.schema import BINDINGS, GROUPS, ISSUES, JOURNAL, RUNS, STEPS

_CHUNK = 500
"""Keys per query: below every database's limit on parameters."""


@dataclass(frozen=True, slots=True)
class GroupRow:
    """What is remembered of a bound group to tell that nothing moved since.

    ``stamp`` is "" if the group has to be looked at in full. ``deleted`` and ``unlinked`` are
    those of the root's binding.
    """

    root_id: str
    fingerprint: str = ""
    stamp: str = ""
    state: str = ""
    deleted: bool = False
    unlinked: bool = False

    @property
    def is_followed(self) -> bool:
        """Whether the group is kept in step."""
        return not (self.deleted or self.unlinked)


@dataclass(frozen=True, slots=True)
class Seal:
    """How a group stands after it was synced: see `GroupRow`, and its delivery facts."""

    key: str
    fingerprint: str
    stamp: str
    state: str
    facts: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One write: what was intended, and what became of it. Times are UTC.

    ``status`` is ``open``, ``done``, ``failed`` or ``settled`` (found out about later).
    ``intended`` are the bases that stand once the write is known to have happened.
    """

    id: int
    run_id: int
    key: RecordKey
    action: str
    reason: str
    changes: Sequence[Mapping[str, object]]
    intended: Bases
    status: str
    target_id: str
    error: str
    intended_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run. Times are UTC; ``outcome`` is ``running``, ``done``, ``partial`` or an error."""

    id: int
    started_at: datetime
    finished_at: datetime | None
    outcome: str
    is_full: bool
    summary: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OpenIssue:
    """An issue, and since when it has been open (UTC)."""

    issue: Issue
    since: datetime


class StateStore:
    """The state of one pipeline.

    :raises StateUnusable: (any method) the database is damaged, locked, or newer than this
        program; the message says how to go on.
    """

    def __init__(self, url: str, pipeline: str, clock: Clock) -> None:
        """Opens the store at a database URL, and brings its tables up to date."""
        _create_private_file(url)
        self.pipeline = pipeline
        self._clock = clock
        self._engine: Engine = open_engine(url)
        self._lock = threading.Lock()
        with failures_as(StateUnusable, self._engine):
            migrate(self._engine, "state", STEPS)

    def close(self) -> None:
        """Lets go of the database."""
        self._engine.dispose()

    # --- groups

    def index(self) -> dict[str, GroupRow]:
        """Returns what is remembered of every bound group, by key."""
        joined = BINDINGS.outerjoin(
            GROUPS,
            and_(GROUPS.c.pipeline == BINDINGS.c.pipeline, GROUPS.c.grp == BINDINGS.c.grp),
        )
        query = (
            select(
                BINDINGS.c.grp,
                BINDINGS.c.target_id,
                func.coalesce(GROUPS.c.fingerprint, ""),
                func.coalesce(GROUPS.c.stamp, ""),
                func.coalesce(GROUPS.c.state, ""),
                BINDINGS.c.deleted,
                BINDINGS.c.unlinked,
            )
            .select_from(joined)
            .where(BINDINGS.c.pipeline == self.pipeline, BINDINGS.c.name == "")
        )
        with self._read() as connection:
            return {row[0]: GroupRow(*row[1:]) for row in connection.execute(query)}

    def known(self, keys: Collection[str]) -> dict[str, Known]:
        """Returns bindings, bases and open intents of the groups of ``keys``."""
        bound: dict[str, dict[RecordKey, Bound]] = {key: {} for key in keys}
        intents: dict[str, dict[RecordKey, Bases]] = {key: {} for key in keys}
        with self._read() as connection:
            for row in self._select(connection, BINDINGS, keys):
                key = RecordKey(row.grp, row.kind, row.name)
                bound[row.grp][key] = Bound(_binding(key, row), _bases(row.base_json))
            for entry in self._entries(connection, JOURNAL.c.status == "open"):
                if entry.key.group in intents:
                    merged = {**intents[entry.key.group].get(entry.key, {}), **entry.intended}
                    intents[entry.key.group][entry.key] = merged
        return {key: Known(bound[key], intents[key]) for key in keys}

    def facts(self, key: str) -> tuple[Mapping[str, object], datetime | None]:
        """Returns the delivery facts of a group and when they were seen (UTC)."""
        query = select(GROUPS.c.facts_json, GROUPS.c.seen_at).where(self._group(GROUPS, key))
        with self._read() as connection:
            row = connection.execute(query).first()
        return (json.loads(row.facts_json), row.seen_at) if row else ({}, None)

    def note(self, plan: GroupPlan) -> None:
        """Stores the bookkeeping of a group's plan: what agrees, what was let go of."""
        if not (plan.remember or plan.bind or plan.forget):
            return
        with self._write("bookkeeping") as connection:
            for key in plan.forget:
                connection.execute(delete(BINDINGS).where(self._record(BINDINGS, key)))
            for binding in plan.bind:
                values = {"deleted": binding.deleted, "unlinked": binding.unlinked}
                self._update_binding(connection, binding.key, values)
            for key, bases in plan.remember.items():
                if bases:
                    self._extend_base(connection, key, bases)

    def seal(self, seals: Collection[Seal]) -> None:
        """Remembers how groups stand after they were synced; closes their open intents."""
        if not seals:
            return
        with self._write("seal") as connection:
            self._settle(connection, {item.key for item in seals})
            for item in seals:
                self._put_group(connection, item)

    # --- the journal

    def intend(self, run_id: int, action: Action, intended: Bases) -> int:
        """Commits the intent to carry out ``action``; returns its number.

        From here on the group counts as not looked at, until it is sealed again.
        """
        with self._write("intent") as connection:
            connection.execute(
                update(GROUPS).where(self._group(GROUPS, action.key.group)).values(stamp="")
            )
            result = connection.execute(
                insert(JOURNAL)
                .values(
                    run_id=run_id,
                    pipeline=self.pipeline,
                    grp=action.key.group,
                    kind=action.key.kind,
                    name=action.key.name,
                    action=action.type.value,
                    reason=action.reason,
                    changes_json=_dump([change.to_json() for change in action.changes]),
                    intended_json=_dump_bases(intended),
                    status="open",
                    target_id=action.observed.id if action.observed else "",
                    error="",
                    intended_at=self._clock.now(),
                )
                .returning(JOURNAL.c.id)
            )
            return int(result.scalar_one())

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
                connection.execute(delete(BINDINGS).where(self._record(BINDINGS, key)))

    def fail(self, intent: int, error: str) -> None:
        """Commits that a write certainly did not happen, and why."""
        with self._write("receipt") as connection:
            self._finish(connection, intent, "failed", error=error)

    def adopt(self, binding: Binding, bases: Bases) -> None:
        """Stores a binding for which nothing had to be written.

        :raises Rejected: the object is already bound to another record.
        """
        with self._write("binding") as connection:
            self._put_binding(connection, binding, bases)

    def open_intents(self) -> list[JournalEntry]:
        """Returns the intents whose outcome is not known, the oldest first."""
        with self._read() as connection:
            return list(self._entries(connection, JOURNAL.c.status == "open"))

    def abandon(self, intents: Collection[int]) -> None:
        """Closes intents that, by complete evidence, never took effect."""
        if not intents:
            return
        with self._write("abandon") as connection:
            for intent in intents:
                self._finish(connection, intent, "failed", error="the target never carried it out")

    def history(self, group: str | None = None, limit: int = 100) -> list[JournalEntry]:
        """Returns the newest journal entries, of one group or of all, the newest first."""
        condition = JOURNAL.c.grp == group if group is not None else True
        with self._read() as connection:
            return list(self._entries(connection, condition, newest=limit))

    # --- runs

    def begin_run(self, is_full: bool) -> int:
        """Notes that a run begins; returns its number."""
        with self._write("run begins") as connection:
            result = connection.execute(
                insert(RUNS)
                .values(
                    pipeline=self.pipeline,
                    started_at=self._clock.now(),
                    outcome="running",
                    is_full=is_full,
                    summary_json="{}",
                )
                .returning(RUNS.c.id)
            )
            return int(result.scalar_one())

    def end_run(self, run_id: int, outcome: str, summary: Mapping[str, object]) -> None:
        """Notes how a run ended."""
        with self._write("run ends") as connection:
            connection.execute(
                update(RUNS)
                .where(RUNS.c.id == run_id)
                .values(finished_at=self._clock.now(), outcome=outcome, summary_json=_dump(summary))
            )

    def runs(self, limit: int = 20, only_full: bool = False) -> list[RunRow]:
        """Returns the newest runs, the newest first."""
        query = select(RUNS).where(RUNS.c.pipeline == self.pipeline)
        if only_full:
            query = query.where(RUNS.c.is_full, RUNS.c.outcome.in_(["done", "partial"]))
        with self._read() as connection:
            rows = connection.execute(query.order_by(RUNS.c.id.desc()).limit(limit)).all()
        return [
            RunRow(
                row.id,
                row.started_at,
                row.finished_at,
                row.outcome,
                row.is_full,
                json.loads(row.summary_json),
            )
            for row in rows
        ]

    # --- issues

    def issues(self) -> list[OpenIssue]:
        """Returns what is open, by group."""
        query = select(ISSUES).where(ISSUES.c.pipeline == self.pipeline)
        with self._read() as connection:
            rows = connection.execute(query.order_by(ISSUES.c.grp, ISSUES.c.name)).all()
        return [OpenIssue(_issue(row), row.since) for row in rows]

    def replace_issues(self, issues: Iterable[Issue]) -> tuple[list[Issue], list[Issue]]:
        """Makes ``issues`` the open ones; returns those that are new and those that ended."""
        now = {_issue_id(issue): issue for issue in issues}
        before = {_issue_id(open_issue.issue): open_issue for open_issue in self.issues()}
        with self._write("issues") as connection:
            for identity in before:
                self._drop_issue(connection, identity)
            for identity, issue in now.items():
                since = before[identity].since if identity in before else self._clock.now()
                self._add_issue(connection, issue, since)
        new = [issue for identity, issue in now.items() if identity not in before]
        ended = [item.issue for identity, item in before.items() if identity not in now]
        return new, ended

    # --- by hand

    def bind_by_hand(self, binding: Binding) -> None:
        """Binds a root to an object that a person chose; the next run merges the two.

        :raises Rejected: the object is already bound to another record.
        """
        with self._write("by hand") as connection:
            self._forget_group(connection, binding.key.group)
            self._put_binding(connection, binding, {})

    def unlink(self, root: RecordKey) -> None:
        """Stops following a group; its object stays as it is."""
        with self._write("by hand") as connection:
            self._update_binding(connection, root, {"unlinked": True})
            self._drop_issues_of(connection, root.group)

    def forget(self, group: str) -> None:
        """Drops everything that is known of a group; the next run treats it as new."""
        with self._write("by hand") as connection:
            self._forget_group(connection, group)

    def rebase(self, key: RecordKey, bases: Bases) -> None:
        """Sets the bases of fields by hand and has the group looked at again."""
        with self._write("by hand") as connection:
            self._extend_base(connection, key, bases)
            connection.execute(
                update(GROUPS).where(self._group(GROUPS, key.group)).values(stamp="")
            )

    # --- below: SQL

    @contextmanager
    def _read(self) -> Iterator[Connection]:
        with failures_as(StateUnusable, self._engine), reading(self._engine) as connection:
            yield connection

    @contextmanager
    def _write(self, name: str) -> Iterator[Connection]:
        """One committed transaction; a boundary before and after its commit."""
        with self._lock, failures_as(StateUnusable, self._engine):
            with writing(self._engine) as connection:
                yield connection
                reached(f"before {name} commit")
            reached(f"after {name} commit")

    def _group(self, table: Table, key: str) -> Any:
        return and_(table.c.pipeline == self.pipeline, table.c.grp == key)

    def _record(self, table: Table, key: RecordKey) -> Any:
        return and_(
            self._group(table, key.group), table.c.kind == key.kind, table.c.name == key.name
        )

    def _select(self, connection: Connection, table: Table, keys: Collection[str]) -> Iterator[Any]:
        for chunk in _chunks(keys):
            condition = and_(table.c.pipeline == self.pipeline, table.c.grp.in_(chunk))
            yield from connection.execute(select(table).where(condition))

    def _entries(
        self, connection: Connection, condition: Any, newest: int | None = None
    ) -> Iterator[JournalEntry]:
        query = select(JOURNAL).where(JOURNAL.c.pipeline == self.pipeline, condition)
        if newest is None:
            query = query.order_by(JOURNAL.c.id)
        else:
            query = query.order_by(JOURNAL.c.id.desc()).limit(newest)
        for row in connection.execute(query):
            yield JournalEntry(
                id=row.id,
                run_id=row.run_id,
                key=RecordKey(row.grp, row.kind, row.name),
                action=row.action,
                reason=row.reason,
                changes=json.loads(row.changes_json),
                intended=_bases(row.intended_json),
                status=row.status,
                target_id=row.target_id,
                error=row.error,
                intended_at=row.intended_at,
                finished_at=row.finished_at,
            )

    def _finish(
        self,
        connection: Connection,
        intent: int,
        status: str,
        target_id: str | None = None,
        error: str = "",
    ) -> None:
        values: dict[str, object] = {
            "status": status,
            "error": error,
            "finished_at": self._clock.now(),
        }
        if target_id is not None:
            values["target_id"] = target_id
        connection.execute(update(JOURNAL).where(JOURNAL.c.id == intent).values(**values))

    def _settle(self, connection: Connection, keys: Collection[str]) -> None:
        """Closes the open intents of groups whose every record was looked at since."""
        query = select(JOURNAL.c.id, JOURNAL.c.grp).where(
            JOURNAL.c.pipeline == self.pipeline, JOURNAL.c.status == "open"
        )
        for intent, group in connection.execute(query).all():
            if group in keys:
                self._finish(connection, intent, "settled")

    def _settle_record(self, connection: Connection, key: RecordKey) -> None:
        """Closes the older intents of a record: newer bases must not be overruled by them."""
        condition = and_(self._record(JOURNAL, key), JOURNAL.c.status == "open")
        connection.execute(
            update(JOURNAL).where(condition).values(status="settled", finished_at=self._clock.now())
        )

    def _put_group(self, connection: Connection, seal: Seal) -> None:
        connection.execute(delete(GROUPS).where(self._group(GROUPS, seal.key)))
        connection.execute(
            insert(GROUPS).values(
                pipeline=self.pipeline,
                grp=seal.key,
                fingerprint=seal.fingerprint,
                stamp=seal.stamp,
                state=seal.state,
                facts_json=_dump(seal.facts),
                seen_at=self._clock.now(),
            )
        )

    def _put_binding(self, connection: Connection, binding: Binding, bases: Bases) -> None:
        known = self._stored_base(connection, binding.key)
        self._settle_record(connection, binding.key)
        connection.execute(delete(BINDINGS).where(self._record(BINDINGS, binding.key)))
        try:
            connection.execute(
                insert(BINDINGS).values(
                    pipeline=self.pipeline,
                    grp=binding.key.group,
                    kind=binding.key.kind,
                    name=binding.key.name,
                    target_id=binding.target_id,
                    created=binding.created,
                    when_dropped=binding.when_dropped.value,
                    deleted=binding.deleted,
                    unlinked=binding.unlinked,
                    base_json=_dump_bases({**known, **bases}),
                )
            )
        except IntegrityError as error:
            raise Rejected(
                f"{binding.key}: the {binding.key.kind} {binding.target_id} already belongs to "
                "another deal; unlink that one first ('pipeline-sync unlink DEAL')"
            ) from error

    def _update_binding(
        self, connection: Connection, key: RecordKey, values: Mapping[str, object]
    ) -> None:
        connection.execute(update(BINDINGS).where(self._record(BINDINGS, key)).values(dict(values)))

    def _extend_base(self, connection: Connection, key: RecordKey, bases: Bases) -> None:
        known = self._stored_base(connection, key)
        self._settle_record(connection, key)
        self._update_binding(connection, key, {"base_json": _dump_bases({**known, **bases})})

    def _stored_base(self, connection: Connection, key: RecordKey) -> Bases:
        query = select(BINDINGS.c.base_json).where(self._record(BINDINGS, key))
        stored = connection.execute(query).scalar()
        return _bases(stored) if stored is not None else {}

    def _forget_group(self, connection: Connection, key: str) -> None:
        connection.execute(delete(BINDINGS).where(self._group(BINDINGS, key)))
        connection.execute(delete(GROUPS).where(self._group(GROUPS, key)))
        self._drop_issues_of(connection, key)

    def _drop_issues_of(self, connection: Connection, key: str) -> None:
        connection.execute(delete(ISSUES).where(self._group(ISSUES, key)))

    def _drop_issue(self, connection: Connection, identity: tuple[str, RecordKey, str]) -> None:
        kind, key, name = identity
        condition = and_(self._record(ISSUES, key), ISSUES.c.issue == kind, ISSUES.c.field == name)
        connection.execute(delete(ISSUES).where(condition))

    def _add_issue(self, connection: Connection, issue: Issue, since: datetime) -> None:
        values = {
            "message": issue.message,
            "base": encode(issue.base),
            "desired": encode(issue.desired),
            "observed": encode(issue.observed),
        }
        connection.execute(
            insert(ISSUES).values(
                pipeline=self.pipeline,
                issue=issue.kind.value,
                grp=issue.key.group,
                kind=issue.key.kind,
                name=issue.key.name,
                field=issue.field,
                detail_json=_dump(values),
                since=since,
            )
        )


def _create_private_file(url: str) -> None:
    """Creates a SQLite file so that only its owner may read it: it holds customers' names."""
    parsed = make_url(url)
    name = parsed.database
    if parsed.get_backend_name() != "sqlite" or not name or name == ":memory:":
        return
    if Path(name).parent.is_dir():
        os.close(os.open(name, os.O_CREAT | os.O_RDWR, 0o600))


def _binding(key: RecordKey, row: Any) -> Binding:
    return Binding(
        key=key,
        target_id=row.target_id,
        created=row.created,
        when_dropped=WhenDropped(row.when_dropped),
        deleted=row.deleted,
        unlinked=row.unlinked,
    )


def _issue_id(issue: Issue) -> tuple[str, RecordKey, str]:
    return issue.kind.value, issue.key, issue.field


def _issue(row: Any) -> Issue:
    detail = json.loads(row.detail_json)
    return Issue(
        kind=IssueKind(row.issue),
        key=RecordKey(row.grp, row.kind, row.name),
        message=detail["message"],
        field=row.field,
        base=decode(detail["base"]),
        desired=decode(detail["desired"]),
        observed=decode(detail["observed"]),
    )


def _bases(text: str) -> dict[str, Base]:
    return {
        name: Base(decode(desired), decode(observed))
        for name, (desired, observed) in json.loads(text).items()
    }


def _dump_bases(bases: Bases) -> str:
    return _dump(
        {name: [encode(base.desired), encode(base.observed)] for name, base in bases.items()}
    )


def _dump(data: object) -> str:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def _chunks(keys: Collection[str]) -> Iterator[list[str]]:
    ordered = list(keys)
    for start in range(0, len(ordered), _CHUNK):
        yield ordered[start : start + _CHUNK]
