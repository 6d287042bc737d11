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
    Table,
    and_,
    delete,
    func,
    insert,
    select,
    type_coerce,
    update,
)
from sqlalchemy.exc import IntegrityError

from sync.clock import Clock, is_the_machines
from sync.crash_points import reached
from sync.database.engine import UtcDateTime, failures_as, open_engine, reading, writing
from sync.database.migrations import migrate, readable
from sync.errors import Rejected, StateUnusable
from sync.plan.model import Issue
from sync.records.model import Binding, RecordKey, encode
from sync.records.record_merge import Bases
from sync.state.rows import (
    TAKE_OVER,
    UNSETTLED,
    Checkpoint,
    JournalEntry,
    dump,
    dump_bases,
    read_bases,
    read_entry,
)
from sync.state.schema import BINDINGS, GROUPS, ISSUES, JOURNAL, NAME, STEPS, metadata
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

    def _group(self, table: Table, key: str) -> Any:
        return and_(table.c.pipeline == self.pipeline, table.c.grp == key)

    def _record(self, table: Table, key: RecordKey) -> Any:
        return and_(
            self._group(table, key.group), table.c.kind == key.kind, table.c.name == key.name
        )

    def _select(
        self, connection: Connection, table: Table, keys: Collection[str], *conditions: Any
    ) -> Iterator[Any]:
        for chunk in _chunks(keys):
            mine = and_(table.c.pipeline == self.pipeline, table.c.grp.in_(chunk), *conditions)
            query = select(table).where(mine)
            yield from connection.execute(query.order_by(table.c.id) if "id" in table.c else query)

    def _entries(
        self, connection: Connection, condition: Any, newest: int | None = None
    ) -> Iterator[JournalEntry]:
        query = select(JOURNAL).where(JOURNAL.c.pipeline == self.pipeline, condition)
        if newest is None:
            query = query.order_by(JOURNAL.c.id)
        else:
            query = query.order_by(JOURNAL.c.id.desc()).limit(newest)
        for row in connection.execute(query):
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
        connection.execute(update(JOURNAL).where(JOURNAL.c.id == intent).values(**values))

    def _settle(self, connection: Connection, keys: Collection[str]) -> None:
        """Closes the open intents of groups whose every record was looked at since."""
        query = select(JOURNAL.c.id, JOURNAL.c.grp).where(
            JOURNAL.c.pipeline == self.pipeline,
            JOURNAL.c.status.in_(UNSETTLED),
            JOURNAL.c.action != TAKE_OVER,
        )
        for intent, group in connection.execute(query).all():
            if group in keys:
                self._finish(connection, intent, "settled")

    def _settle_record(self, connection: Connection, key: RecordKey) -> None:
        """Closes the older intents of a record: newer bases must not be overruled by them."""
        condition = and_(
            self._record(JOURNAL, key),
            JOURNAL.c.status.in_(UNSETTLED),
            JOURNAL.c.action != TAKE_OVER,
        )
        connection.execute(
            update(JOURNAL).where(condition).values(status="settled", finished_at=self._moment)
        )

    def _put_group(self, connection: Connection, checkpoint: Checkpoint) -> None:
        connection.execute(delete(GROUPS).where(self._group(GROUPS, checkpoint.key)))
        connection.execute(
            insert(GROUPS).values(
                pipeline=self.pipeline,
                grp=checkpoint.key,
                fingerprint=checkpoint.fingerprint,
                stamp=checkpoint.change_token,
                state=checkpoint.state,
                facts_json=dump(checkpoint.facts),
                likeness=checkpoint.likeness,
                seen_at=self._moment,
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
                    base_json=dump_bases({**known, **bases}),
                )
            )
        except IntegrityError as error:
            raise Rejected(
                f"{binding.key}: the {binding.key.kind} {binding.target_id} is already kept in "
                "step under another key",
                ways_out=[Unlink("")],
            ) from error

    def _is_deleted(self, connection: Connection, key: RecordKey) -> bool:
        query = select(BINDINGS.c.deleted).where(self._record(BINDINGS, key))
        return bool(connection.execute(query).scalar())

    def _update_binding(
        self, connection: Connection, key: RecordKey, values: Mapping[str, object]
    ) -> None:
        connection.execute(update(BINDINGS).where(self._record(BINDINGS, key)).values(dict(values)))

    def _extend_base(self, connection: Connection, key: RecordKey, bases: Bases) -> None:
        known = self._stored_base(connection, key)
        self._settle_record(connection, key)
        self._update_binding(connection, key, {"base_json": dump_bases({**known, **bases})})

    def _stored_base(self, connection: Connection, key: RecordKey) -> Bases:
        query = select(BINDINGS.c.base_json).where(self._record(BINDINGS, key))
        stored = connection.execute(query).scalar()
        return read_bases(stored) if stored is not None else {}

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
        connection.execute(
            insert(ISSUES).values(
                pipeline=self.pipeline,
                issue=issue.kind.value,
                grp=issue.key.group,
                kind=issue.key.kind,
                name=issue.key.name,
                field=issue.field,
                detail_json=dump(values),
                since=self._moment if since is None else since,
            )
        )


def _chunks(keys: Collection[str]) -> Iterator[list[str]]:
    ordered = list(keys)
    for start in range(0, len(ordered), _CHUNK):
        yield ordered[start : start + _CHUNK]
