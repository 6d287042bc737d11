"""What became of each pipeline's last run, in the queue's database: one row per pipeline and host.

The queue itself forgets a job once it has ended. These rows are what a person wants to know of five
hundred pipelines at a glance, and what the next decision stands on: how often in a row it went
wrong, which slot was queued last, which host is left alone until when.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Float,
    Integer,
    MetaData,
    Table,
    Text,
    case,
    func,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import insert

from sync.database import UtcDateTime, failures_as, open_engine, reading, shown, writing
from sync.errors import StateUnusable, Unreachable
from taiga_pipeline.workers.decisions import Ended, Ending, hold
from taiga_pipeline.workers.fleet import Member

_metadata = MetaData()
PIPELINES: Final = Table(
    "pipeline_sync_pipelines",
    _metadata,
    Column("queue", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("slot", UtcDateTime),
    Column("worker", Text),
    Column("started_at", UtcDateTime),
    Column("finished_at", UtcDateTime),
    Column("succeeded_at", UtcDateTime),
    Column("ending", Text),
    Column("code", Integer),
    Column("message", Text),
    Column("waiting", Integer),
    Column("applied", Integer),
    Column("requests", Integer),
    Column("seconds", Float),
    Column("failures", Integer),
)
HOSTS: Final = Table(
    "pipeline_sync_hosts",
    _metadata,
    Column("queue", Text, primary_key=True),
    Column("host", Text, primary_key=True),
    Column("failures", Integer),
    Column("hold_until", UtcDateTime),
)
_LONGEST_MESSAGE: Final = 1_000
RUN: Final = "pipeline-sync.run"
"""The queue's name for running a pipeline."""
NO_TABLES: Final = (
    "the queue's tables are not there; run 'pipeline-sync worker --setup' once, with an account "
    "that may make tables"
)


@dataclass(frozen=True, slots=True)
class LastRun:
    """A pipeline's row. ``finished_at`` before ``started_at`` means that a run is under way, or
    was cut off. ``failures`` counts the runs in a row that ended badly. Times are UTC.
    """

    name: str
    slot: datetime | None = None
    worker: str = ""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    succeeded_at: datetime | None = None
    ending: str = ""
    code: int | None = None
    message: str = ""
    waiting: int = 0
    applied: int = 0
    requests: int = 0
    seconds: float = 0.0
    failures: int = 0


@dataclass(frozen=True, slots=True)
class QueuedJob:
    """A job of a pipeline that waits (from ``due`` on), or is under way. Times are UTC."""

    id: int
    name: str
    is_running: bool
    due: datetime | None


class Ledger:
    """The rows of one queue. Every method is one short transaction, safe from any thread.

    All methods raise `Unreachable` when the database cannot be used.
    """

    def __init__(self, url: str, queue: str) -> None:
        self._engine: Engine = open_engine(url)
        self.queue = queue

    def close(self) -> None:
        """Lets go of the database."""
        self._engine.dispose()

    def check(self) -> None:
        """Makes sure that the tables are there (a worker looks more closely, see `tables`).

        :raises StateUnusable: they are not; says what to do.
        """
        with self._reading() as connection:
            if not self._engine.dialect.has_table(connection, PIPELINES.name):
                raise StateUnusable(f"{shown(self._engine.url)}: {NO_TABLES}")

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with failures_as(Unreachable, self._engine), reading(self._engine) as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with failures_as(Unreachable, self._engine), writing(self._engine) as connection:
            yield connection

    # --- runs

    def begin(self, member: Member, worker: str, now: datetime) -> None:
        """Notes that a run of a pipeline begins, and who runs it."""
        with self._writing() as connection:
            self._put(connection, member.name, {"worker": worker, "started_at": now})

    def end(self, member: Member, ended: Ended, now: datetime) -> int:
        """Notes how a run ended; returns how many in a row ended badly by now."""
        good = ended.ending.is_success or ended.ending is Ending.STOPPED
        values = {
            "finished_at": now,
            "ending": ended.ending.value,
            "code": ended.code,
            "message": ended.message[:_LONGEST_MESSAGE],
            "applied": ended.applied,
            "requests": ended.requests,
            "seconds": ended.seconds,
        }
        if ended.ending.is_success:
            values |= {"succeeded_at": now, "waiting": ended.waiting}
        with self._writing() as connection:
            count = self._put(connection, member.name, values, is_bad=not good)
            self._note_host(connection, member.host, ended.ending, now)
        return count

    def cut_off(self, name: str) -> int:
        """Notes that a pipeline's worker died in mid-run; returns the runs in a row that ended
        badly.
        """
        values = {"ending": Ending.CUT_OFF.value, "code": None, "message": ""}
        with self._writing() as connection:
            return self._put(connection, name, values, is_bad=True)

    def _put(
        self,
        connection: Connection,
        name: str,
        values: Mapping[str, Any],
        *,
        is_bad: bool | None = None,
    ) -> int:
        """Writes into a pipeline's row, made if need be; returns its count of failures.

        ``is_bad`` lets it grow, or makes it zero; None leaves it.
        """
        row = {"queue": self.queue, "name": name, "failures": int(is_bad or False), **values}
        changed: dict[str, Any] = dict(values)
        if is_bad is not None:
            changed["failures"] = PIPELINES.c.failures + 1 if is_bad else 0
        statement = (
            insert(PIPELINES)
            .values(row)
            .on_conflict_do_update(index_elements=["queue", "name"], set_=changed)
            .returning(PIPELINES.c.failures)
        )
        return int(connection.execute(statement).scalar_one())

    # --- hosts

    def _note_host(self, connection: Connection, host: str, ending: Ending, now: datetime) -> None:
        """Counts runs in a row that reached nothing; leaves the host alone when they are many.

        What says nothing about the host (its run did not get that far) counts neither way.
        """
        if ending is not Ending.UNREACHABLE:
            if ending.is_success or ending is Ending.REFUSED:
                where = (HOSTS.c.queue == self.queue) & (HOSTS.c.host == host)
                connection.execute(HOSTS.delete().where(where))
            return
        statement = insert(HOSTS).values(queue=self.queue, host=host, failures=1)
        counted = statement.on_conflict_do_update(
            index_elements=["queue", "host"],
            # Runs that were under way together count as one: the host is down once for all of them.
            set_={
                "failures": case(
                    (func.coalesce(HOSTS.c.hold_until, now) > now, HOSTS.c.failures),
                    else_=HOSTS.c.failures + 1,
                )
            },
        ).returning(HOSTS.c.failures)
        pause = hold(int(connection.execute(counted).scalar_one()))
        if pause is not None:
            where = (HOSTS.c.queue == self.queue) & (HOSTS.c.host == host)
            connection.execute(HOSTS.update().where(where).values(hold_until=now + pause))

    def held_until(self, host: str) -> datetime | None:
        """Returns until when a host is left alone, None if it is not."""
        query = select(HOSTS.c.hold_until).where(HOSTS.c.queue == self.queue, HOSTS.c.host == host)
        with self._reading() as connection:
            found: datetime | None = connection.execute(query).scalar()
        return found

    def held_hosts(self, now: datetime) -> dict[str, datetime]:
        """Returns the hosts that are left alone, and until when."""
        query = select(HOSTS.c.host, HOSTS.c.hold_until).where(
            HOSTS.c.queue == self.queue, HOSTS.c.hold_until > now
        )
        with self._reading() as connection:
            return {row.host: row.hold_until for row in connection.execute(query)}

    # --- slots

    def slots(self) -> dict[str, datetime]:
        """Returns the slot of each pipeline that was queued last."""
        query = select(PIPELINES.c.name, PIPELINES.c.slot).where(
            PIPELINES.c.queue == self.queue, PIPELINES.c.slot.is_not(None)
        )
        with self._reading() as connection:
            return {row.name: row.slot for row in connection.execute(query)}

    def note_slots(self, slots: Mapping[str, datetime]) -> None:
        """Notes which slots are taken care of."""
        if not slots:
            return
        rows = [{"queue": self.queue, "name": name, "slot": at} for name, at in slots.items()]
        statement = insert(PIPELINES)
        statement = statement.on_conflict_do_update(
            index_elements=["queue", "name"], set_={"slot": statement.excluded.slot}
        )
        with self._writing() as connection:
            connection.execute(statement, rows)

    # --- for people

    def runs(self) -> dict[str, LastRun]:
        """Returns what is known of each pipeline's last run."""
        columns = [column for column in PIPELINES.c if column.name != "queue"]
        query = select(*columns).where(PIPELINES.c.queue == self.queue)
        with self._reading() as connection:
            rows = connection.execute(query).mappings()
            return {row["name"]: LastRun(**row) for row in rows}

    # --- what the queue holds; read only

    def jobs(self, task: str) -> list[QueuedJob]:
        """Returns the pipelines' jobs that wait or are under way, those under way last."""
        query = text(
            "SELECT id, args ->> 'pipeline' AS name, status = 'doing' AS is_running, "
            "scheduled_at AS due FROM procrastinate_jobs "
            "WHERE queue_name = :queue AND task_name = :task AND status IN ('todo', 'doing') "
            "ORDER BY status"
        )
        with self._reading() as connection:
            rows = connection.execute(query, {"queue": self.queue, "task": task}).mappings()
            return [QueuedJob(**row) for row in rows if row["name"] is not None]

    def workers_alive(self, within: timedelta) -> int:
        """Returns how many workers (of any queue in the database) gave a sign of life lately."""
        query = text(
            "SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - :within"
        )
        with self._reading() as connection:
            return int(connection.execute(query, {"within": within}).scalar_one())
