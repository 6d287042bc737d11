"""Access to the tables of the state store: the SQL behind `sync.state.store`.

Everything here works on a connection that the caller has opened with ``_read`` or ``_write``, so
that several steps make one transaction.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Insert,
    Select,
    Table,
    Update,
    and_,
    delete,
    func,
    select,
    type_coerce,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.dml import ReturningInsert

from sync.clock import Clock, is_the_machines
from sync.crash_points import reached
from sync.database.engine import UtcDateTime, failures_as, open_engine, reading, writing
from sync.database.migrations import migrate, readable
from sync.errors import Rejected, StateUnusable
from sync.plan.model import Issue
from sync.records.model import Binding, RecordKey, encode
from sync.records.record_merge import Bases
from sync.state import statements
from sync.state.rows import (
    Checkpoint,
    JournalEntry,
    dump,
    dump_bases,
    read_bases,
    read_entry,
)
from sync.state.schema import BINDINGS, GROUPS, ISSUES, NAME, STEPS, metadata
from sync.ways_out import Unlink
from sync.ways_out import dump as dump_ways

_CHUNK = 500
"""Keys per query: below every database's limit on parameters."""


class StateTables:
    """One pipeline's rows in the state store."""

    def __init__(
        self,
        url: str,
        pipeline: str,
        clock: Clock,
        *,
        changes: bool = True,
        permit: Callable[[], None] = lambda: None,
    ) -> None:
        """Opens the store at a database URL, and brings its tables up to date.

        Without ``changes`` nothing is written to it: an older one is brought up to date as a copy
        in memory. ``permit`` is called before each write, and may raise a `Stop`.
        """
        self.pipeline = pipeline
        self._clock = clock
        self._engine: Engine = open_engine(url)
        self._lock = threading.Lock()
        self._permit = permit
        try:
            with failures_as(StateUnusable, self._engine):
                if changes:
                    migrate(self._engine, NAME, STEPS, metadata)
                else:
                    self._engine = readable(self._engine, NAME, STEPS, metadata)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Lets go of the database."""
        self._engine.dispose()

    @property
    def _moment(self) -> datetime | ColumnElement[datetime]:
        """What rows are dated with: the time of the database where machines share it, by its own
        clock in the statement itself; else this machine's.
        """
        if self._engine.dialect.name == "postgresql" and is_the_machines(self._clock):
            return type_coerce(func.clock_timestamp(), UtcDateTime())
        return self._clock.now()

    def now(self) -> datetime:
        """Returns the time by which the rows are dated (UTC)."""
        moment = self._moment
        if isinstance(moment, datetime):
            return moment
        with self._read() as connection:
            return connection.execute(select(moment)).scalar_one()

    @contextmanager
    def _read(self) -> Iterator[Connection]:
        with failures_as(StateUnusable, self._engine), reading(self._engine) as connection:
            yield connection

    @contextmanager
    def _write(self, name: str) -> Iterator[Connection]:
        """One committed transaction; a crash point before and after its commit."""
        with self._lock, failures_as(StateUnusable, self._engine):
            self._permit()
            with writing(self._engine) as connection:
                yield connection
                reached(f"before {name} commit")
            reached(f"after {name} commit")

    def _put(
        self,
        connection: Connection,
        statement: Insert | Update | ReturningInsert[Any],
        values: Mapping[str, object],
        **of: object,
    ) -> Any:
        """Writes values, one of which may be worked out by the database: see `_moment`."""
        made = {name: each for name, each in values.items() if isinstance(each, ColumnElement)}
        given = {name: each for name, each in values.items() if name not in made}
        return connection.execute(statement.values(made) if made else statement, {**given, **of})

    def _remove(self, connection: Connection, table: Table, key: RecordKey) -> None:
        connection.execute(statements.record_removed(table), self._names(key))

    def _remove_group(self, connection: Connection, table: Table, key: str) -> None:
        connection.execute(statements.group_removed(table), {**self._ours, "of_group": key})

    @property
    def _ours(self) -> dict[str, object]:
        """What names this pipeline in `sync.state.statements`."""
        return {"of_pipeline": self.pipeline}

    def _names(self, key: RecordKey) -> dict[str, object]:
        """What names a record there."""
        record = {"of_group": key.group, "of_kind": key.kind, "of_name": key.name}
        return {"of_pipeline": self.pipeline, **record}

    def _group(self, table: Table, key: str) -> Any:
        return and_(table.c.pipeline == self.pipeline, table.c.grp == key)

    def _record(self, table: Table, key: RecordKey) -> Any:
        return and_(
            self._group(table, key.group), table.c.kind == key.kind, table.c.name == key.name
        )

    def _select(
        self, connection: Connection, query: Select[Any], keys: Collection[str]
    ) -> Iterator[Any]:
        """Reads by a query for the rows of ``keys``; see `sync.state.statements.of_groups`."""
        for chunk in _chunks(keys):
            yield from connection.execute(query, {**self._ours, "of_groups": chunk})

    def _entries(self, connection: Connection, query: Select[Any]) -> Iterator[JournalEntry]:
        for row in connection.execute(query, self._ours):
            yield read_entry(row)

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
            "finished_at": self._moment,
        }
        if target_id is not None:
            values["target_id"] = target_id
        self._put(connection, statements.finished(), values, of_intent=intent)

    def _settle(self, connection: Connection, keys: Collection[str]) -> None:
        """Closes the open intents of groups whose every record was looked at since."""
        for intent, group in connection.execute(statements.intents(), self._ours).all():
            if group in keys:
                self._finish(connection, intent, "settled")

    def _settle_record(self, connection: Connection, key: RecordKey) -> None:
        """Closes the older intents of a record: newer bases must not be overruled by them."""
        values = {"status": "settled", "finished_at": self._moment}
        self._put(connection, statements.record_settled(), values, **self._names(key))

    def _put_group(self, connection: Connection, checkpoint: Checkpoint) -> None:
        of_group = {**self._ours, "of_group": checkpoint.key}
        connection.execute(statements.group_removed(GROUPS), of_group)
        values = {
            "pipeline": self.pipeline,
            "grp": checkpoint.key,
            "fingerprint": checkpoint.fingerprint,
            "stamp": checkpoint.change_token,
            "state": checkpoint.state,
            "facts_json": dump(checkpoint.facts),
            "likeness": checkpoint.likeness,
            "seen_at": self._moment,
        }
        self._put(connection, statements.added(GROUPS), values)

    def _put_binding(self, connection: Connection, binding: Binding, bases: Bases) -> None:
        known = self._stored_base(connection, binding.key)
        self._settle_record(connection, binding.key)
        self._remove(connection, BINDINGS, binding.key)
        values = {
            "pipeline": self.pipeline,
            "grp": binding.key.group,
            "kind": binding.key.kind,
            "name": binding.key.name,
            "target_id": binding.target_id,
            "created": binding.created,
            "when_dropped": binding.when_dropped.value,
            "deleted": binding.deleted,
            "unlinked": binding.unlinked,
            "base_json": dump_bases({**known, **bases}),
        }
        try:
            connection.execute(statements.added(BINDINGS), values)
        except IntegrityError as error:
            raise Rejected(
                f"{binding.key}: the {binding.key.kind} {binding.target_id} is already kept in "
                "step under another key",
                ways_out=[Unlink("")],
            ) from error

    def _is_deleted(self, connection: Connection, key: RecordKey) -> bool:
        return bool(connection.execute(statements.is_deleted(), self._names(key)).scalar())

    def _update_binding(
        self, connection: Connection, key: RecordKey, values: Mapping[str, object]
    ) -> None:
        connection.execute(statements.changed_binding(), {**self._names(key), **values})

    def _extend_base(self, connection: Connection, key: RecordKey, bases: Bases) -> None:
        known = self._stored_base(connection, key)
        self._settle_record(connection, key)
        self._update_binding(connection, key, {"base_json": dump_bases({**known, **bases})})

    def _stored_base(self, connection: Connection, key: RecordKey) -> Bases:
        stored = connection.execute(statements.stored_base(), self._names(key)).scalar()
        return read_bases(stored) if stored is not None else {}

    def _forget_group(self, connection: Connection, key: str) -> None:
        for table in (BINDINGS, GROUPS, ISSUES):
            self._remove_group(connection, table, key)

    def _drop_issues_of(self, connection: Connection, key: str) -> None:
        self._remove_group(connection, ISSUES, key)

    def _drop_issue(self, connection: Connection, identity: tuple[str, RecordKey, str]) -> None:
        kind, key, name = identity
        condition = and_(self._record(ISSUES, key), ISSUES.c.issue == kind, ISSUES.c.field == name)
        connection.execute(delete(ISSUES).where(condition))

    def _add_issue(
        self, connection: Connection, issue: Issue, since: datetime | None = None
    ) -> None:
        """Adds an issue, open ``since`` then, or as of now."""
        values = {
            "message": issue.message,
            "base": encode(issue.base),
            "desired": encode(issue.desired),
            "observed": encode(issue.observed),
            "ways_out": dump_ways(issue.ways_out),
        }
        row = {
            "pipeline": self.pipeline,
            "issue": issue.kind.value,
            "grp": issue.key.group,
            "kind": issue.key.kind,
            "name": issue.key.name,
            "field": issue.field,
            "detail_json": dump(values),
            "since": self._moment if since is None else since,
        }
        self._put(connection, statements.added(ISSUES), row)


def _chunks(keys: Collection[str]) -> Iterator[list[str]]:
    ordered = list(keys)
    for start in range(0, len(ordered), _CHUNK):
        yield ordered[start : start + _CHUNK]
