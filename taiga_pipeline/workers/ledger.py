"""What became of each pipeline's last run, in the queue's database: one row per pipeline and host.

The queue itself forgets a job once it has ended. These rows are what a person wants to know of five
hundred pipelines at a glance, and what the next decision stands on: how often in a row it went
wrong, which slot was queued last, which host is left alone until when.

Every time in here is the database's, taken in the statement that writes it: the clocks of the
machines are never compared, and one that is wrong changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Interval,
    and_,
    case,
    func,
    literal,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import insert

from sync.database.engine import UtcDateTime, failures_as, open_engine, reading, shown, writing
from sync.errors import StateUnusable, Unreachable
from taiga_pipeline.workers import queued
from taiga_pipeline.workers.decisions import (
    LONGEST_HOLD,
    LONGEST_MESSAGE,
    LONGEST_WAIT,
    Ended,
    Ending,
    hold,
)
from taiga_pipeline.workers.fleet import Member
from taiga_pipeline.workers.queued import QueuedJob
from taiga_pipeline.workers.schema import HOSTS, PIPELINES, TURNS

NO_TABLES: Final = (
    "the queue's tables are not there; run 'pipeline-sync worker --setup' once, with an account "
    "that may create tables"
)


_ASLEEP_SECONDS: Final = 5.0
"""For how long a worker that stands still in the midst of a note (it was suspended) may hold up the
others; less than they wait for a lock."""


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
class Noted:
    """What came of noting something: when that was (UTC, the database's time), and how many runs
    in a row ended badly by then.
    """

    now: datetime
    failures: int


@dataclass(frozen=True, slots=True)
class Sight:
    """Everything at one moment (``now``, UTC, the database's time): the pipelines' rows, the jobs
    that wait or are under way, and until when hosts are left alone.
    """

    now: datetime
    runs: Mapping[str, LastRun]
    jobs: Sequence[QueuedJob]
    held: Mapping[str, datetime]


class Ledger:
    """The rows of one queue. Every method is one short transaction, safe from any thread.

    All methods raise `Unreachable` when the database cannot be used (`DatabaseAway` if that may
    pass). ``ahead`` moves the database's clock: for tests.
    """

    def __init__(self, url: str, queue: str) -> None:
        self._engine: Engine = open_engine(url).execution_options(asleep_seconds=_ASLEEP_SECONDS)
        self.queue = queue
        self.ahead = timedelta()

    @property
    def _moment(self) -> ColumnElement[datetime]:
        """The database's time, in its own words."""
        return self._later(timedelta())

    def _later(self, span: timedelta) -> ColumnElement[datetime]:
        """The database's time, and ``span`` on top of it."""
        moment = func.clock_timestamp() + literal(self.ahead + span, Interval())
        return type_coerce(moment, UtcDateTime())

    def _now(self, connection: Connection) -> datetime:
        return connection.execute(select(self._moment)).scalar_one()

    def now(self) -> datetime:
        """Returns the database's time, UTC."""
        with self._reading() as connection:
            return self._now(connection)

    def look(self) -> Sight:
        """Returns everything, as it is at one moment."""
        columns = [column for column in PIPELINES.c if column.name != "queue"]
        query = select(*columns).where(PIPELINES.c.queue == self.queue)
        with self._reading() as connection:
            jobs = queued.read_jobs(connection, self.queue)
            rows = connection.execute(query).mappings()
            runs = {row["name"]: LastRun(**row) for row in rows}
            return Sight(self._now(connection), runs, jobs, self._held(connection))

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

    def begin(self, member: Member, worker: str) -> None:
        """Notes that a run of a pipeline begins, and who runs it."""
        values = {"worker": worker, "started_at": self._moment}
        with self._writing() as connection:
            self._put(connection, member.name, values)

    def end(self, member: Member, ended: Ended) -> Noted:
        """Notes how a run ended."""
        good = ended.ending.is_success or ended.ending is Ending.STOPPED
        values = {
            "finished_at": self._moment,
            "ending": ended.ending.value,
            "code": ended.code,
            "message": ended.message[:LONGEST_MESSAGE],
            "applied": ended.applied,
            "requests": ended.requests,
            "seconds": ended.seconds,
        }
        if ended.ending.is_success:
            values |= {"succeeded_at": self._moment, "waiting": ended.waiting}
        with self._writing() as connection:
            noted = self._put(connection, member.name, values, is_bad=not good)
            self._note_host(connection, member.host, ended.ending, noted.now)
        return noted

    def cut_off(self, name: str) -> Noted:
        """Notes that a pipeline's worker died in mid-run."""
        values = {"ending": Ending.CUT_OFF.value, "code": None, "message": ""}
        with self._writing() as connection:
            return self._put(connection, name, values, is_bad=True)

    def give_up(self, name: str) -> None:
        """Notes that a run that was cut off is not tried again before its next slot."""
        with self._writing() as connection:
            self._put(connection, name, {"finished_at": self._moment})

    def _put(
        self,
        connection: Connection,
        name: str,
        values: Mapping[str, Any],
        *,
        is_bad: bool | None = None,
    ) -> Noted:
        """Writes into a pipeline's row, made if need be.

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
            .returning(PIPELINES.c.failures, self._moment)
        )
        failures, now = connection.execute(statement).one()
        return Noted(now, int(failures))

    # --- hosts

    def _note_host(self, connection: Connection, host: str, ending: Ending, now: datetime) -> None:
        """Counts runs in a row that reached nothing; leaves the host alone when they are many, and
        lets all that waits for it wait.

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
                "failures": case((self._is_held(), HOSTS.c.failures), else_=HOSTS.c.failures + 1)
            },
        ).returning(HOSTS.c.failures)
        pause = hold(int(connection.execute(counted).scalar_one()))
        if pause is not None:
            where = (HOSTS.c.queue == self.queue) & (HOSTS.c.host == host)
            connection.execute(HOSTS.update().where(where).values(hold_until=now + pause))
            queued.postpone(connection, self.queue, host, now + pause)

    def _is_held(self) -> ColumnElement[bool]:
        """Whether a host is left alone. One until a time that no hold reaches is not: a clock was
        wrong when that was noted."""
        until = HOSTS.c.hold_until
        is_near = until <= self._later(LONGEST_HOLD)
        return and_(until.is_not(None), until > self._moment, is_near)

    def _held(self, connection: Connection) -> dict[str, datetime]:
        query = select(HOSTS.c.host, HOSTS.c.hold_until).where(
            HOSTS.c.queue == self.queue, self._is_held()
        )
        return {row.host: row.hold_until for row in connection.execute(query)}

    def held_hosts(self) -> dict[str, datetime]:
        """Returns the hosts that are left alone, and until when."""
        with self._reading() as connection:
            return self._held(connection)

    # --- slots, and who looks after them

    def take_turn(self, task: str, period: timedelta) -> bool:
        """Whether a task is this worker's turn: no worker took it within ``period``.

        A turn in the future was taken by a wrong clock, and is ignored.
        """
        now = self._moment
        is_over = or_(TURNS.c.taken_at <= self._later(-period), TURNS.c.taken_at > now)
        statement = (
            insert(TURNS)
            .values(queue=self.queue, duty=task, taken_at=now)
            .on_conflict_do_update(
                index_elements=["queue", "duty"], set_={"taken_at": now}, where=is_over
            )
            .returning(TURNS.c.duty)
        )
        with self._writing() as connection:
            return connection.execute(statement).first() is not None

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

    # --- what the queue holds

    def jobs(self) -> list[QueuedJob]:
        """Returns the pipelines' jobs that wait or are under way, those under way last."""
        with self._reading() as connection:
            return queued.read_jobs(connection, self.queue)

    def hurry(self, names: Collection[str]) -> set[str]:
        """Lets jobs that wait for a later time run now; returns the pipelines concerned."""
        with self._writing() as connection:
            return queued.bring_forward(connection, self.queue, names, self._now(connection))

    def heal_jobs(self) -> Collection[str]:
        """Lets jobs run now that a wrong clock put off; returns the pipelines concerned."""
        with self._writing() as connection:
            return queued.heal(connection, self.queue, self._now(connection), LONGEST_WAIT)

    def heal_hosts(self) -> Collection[str]:
        """Forgets holds that a wrong clock noted; returns their hosts."""
        wrong = and_(HOSTS.c.queue == self.queue, HOSTS.c.hold_until > self._later(LONGEST_HOLD))
        with self._writing() as connection:
            gone = connection.execute(HOSTS.delete().where(wrong).returning(HOSTS.c.host))
            return sorted(gone.scalars())

    def workers_alive(self, within: timedelta) -> int:
        """Returns how many workers (of any queue in the database) gave a sign of life lately."""
        with self._reading() as connection:
            return queued.count_workers(connection, within)
