"""The queue as workers use it: it waits while the database is away, and ends only what is ours.

A database that restarts, fails over or is cut off takes seconds or hours. Whatever a worker has to
ask or to note meanwhile is asked again until there is an answer: what a run came to must not be
forgotten because no one could be informed. Only a worker that has to stop gives up after a while;
its jobs are then found by others, as those of a worker that died.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any, Final, TypeVar

from procrastinate import App, PsycopgConnector
from procrastinate.connector import BaseConnector
from procrastinate.exceptions import ConnectorException, UniqueViolation
from procrastinate.jobs import Job, Status
from procrastinate.manager import QUEUEING_LOCK_CONSTRAINT, JobManager, NotificationCallback
from psycopg import AsyncConnection, Error, InterfaceError, OperationalError
from psycopg_pool import PoolTimeout
from sqlalchemy import make_url

from sync.errors import Unreachable

log = logging.getLogger(__name__)

_Result = TypeVar("_Result")
_WAITS: Final = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)
"""Waits between attempts, in seconds; the last one is for all further ones."""
_LAST_WORDS: Final = 10.0
"""For how many seconds a worker that has to stop tries to note how a run ended."""
_LISTEN_AGAIN: Final = 5.0
_POOL: Final[dict[str, Any]] = {"timeout": 10.0, "reconnect_timeout": 10.0}
"""For how long a connection is waited for: soon after a restart the next attempt succeeds."""
_PASSES: Final = ("08", "25006", "25P", "53", "57P")
"""The beginnings of codes (SQLSTATE) of what a restart or a failover fixes."""
LAST_RESORT: Final = timedelta(minutes=1)
"""When a job is tried again that failed in an unexpected way."""


def is_outage(error: BaseException) -> bool:
    """Tells whether the database could not be asked (and not: said no)."""
    if isinstance(error, Unreachable):
        return True
    cause = error.__cause__ if isinstance(error, ConnectorException) else error
    if isinstance(cause, OperationalError | InterfaceError | PoolTimeout):
        return True
    code = cause.sqlstate if isinstance(cause, Error) else None
    return bool(code) and str(code).startswith(_PASSES)


@dataclass(slots=True)
class QueueDatabase:
    """Calls the queue's database, and waits while it is away.

    ``is_stopping`` says whether this worker is ending.
    """

    is_stopping: Callable[[], bool] = lambda: False
    _is_away: bool = False

    async def ask(self, call: Callable[[], Awaitable[_Result]]) -> _Result:
        """Calls until there is an answer; returns it.

        :raises ConnectorException: the database said no, or it is away and this worker is to end.
        :raises Unreachable: it is away and this worker is to end.
        """
        began = time.monotonic()
        for number in count():
            try:
                result = await call()
            except (ConnectorException, OperationalError, Unreachable) as error:
                is_late = time.monotonic() - began >= _LAST_WORDS
                if not is_outage(error) or (self.is_stopping() and is_late):
                    raise
                self.report_outage(error)
                wait = _WAITS[min(number, len(_WAITS) - 1)]
                await asyncio.sleep(min(wait, 1.0) if self.is_stopping() else wait)
            else:
                self.is_back()
                return result
        raise AssertionError("never comes here")

    async def ask_in_thread(self, call: Callable[..., _Result], *arguments: object) -> _Result:
        """The same for what blocks."""
        return await self.ask(lambda: asyncio.to_thread(call, *arguments))

    def report_outage(self, error: BaseException) -> None:
        """Says once that the database is away."""
        if not self._is_away:
            log.warning("the queue's database is away, waiting for it: %s", first_line(error))
        self._is_away = True

    def is_back(self) -> None:
        """Says once that it is back."""
        if self._is_away:
            log.warning("the queue's database is back")
        self._is_away = False


def first_line(error: BaseException) -> str:
    """Returns what the database says, in one line."""
    lines = str(error.__cause__ or error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


_MINE: Final = "id = %(job_id)s AND status = 'doing' AND (worker_id IS NULL OR worker_id = %(by)s)"
_AGAIN: Final = f"""
    UPDATE procrastinate_jobs SET status = 'todo', attempts = attempts + 1,
        abort_requested = false,
        scheduled_at = coalesce(%(at)s::timestamptz, clock_timestamp() + %(otherwise)s),
        priority = coalesce(%(priority)s::integer, priority)
    WHERE {_MINE} RETURNING id"""  # noqa: S608  constants only
_END: Final = f"DELETE FROM procrastinate_jobs WHERE {_MINE} RETURNING id"  # noqa: S608
# A worker that was asleep for so long that its row was removed is not forgotten: it comes back.
_ALIVE: Final = """
    INSERT INTO procrastinate_workers (id, last_heartbeat) OVERRIDING SYSTEM VALUE
    VALUES (%(worker_id)s, now()) ON CONFLICT (id) DO UPDATE SET last_heartbeat = now()"""


class Manager(JobManager):
    """Takes jobs and notes how they ended, whatever stands in the way of it.

    - A job that was taken over (its worker gave no sign of life for a while) is the other one's;
      its ending is not noted here, and that is reported in one line.
    - A job cannot go back into the queue where another one of the same pipeline waits already.
      Then that one does its work, and it is over.
    """

    def __init__(self, connector: BaseConnector, database: QueueDatabase) -> None:
        super().__init__(connector)
        self._database = database

    async def fetch_job(self, queues: Iterable[str] | None, worker_id: int) -> Job | None:
        """Takes a job; None if there is none, or the database is away."""
        try:
            job = await super().fetch_job(queues, worker_id)
        except (ConnectorException, OperationalError) as error:
            if not is_outage(error):
                raise
            self._database.report_outage(error)
            return None
        self._database.is_back()
        return job

    async def retry_job(
        self,
        job: Job,
        retry_at: datetime | None = None,
        priority: int | None = None,
        queue: str | None = None,
        lock: str | None = None,
    ) -> None:
        """Puts a job back into the queue, or ends it where its place is taken.

        Without ``retry_at`` it is tried again a little later, by the database's clock.
        """
        again = {"at": retry_at, "otherwise": LAST_RESORT, "priority": priority}
        try:
            await self._settle(job, _AGAIN, **again)
        except UniqueViolation as error:
            if error.constraint_name != QUEUEING_LOCK_CONSTRAINT:
                raise
            await self._settle(job, _END)

    async def finish_job(self, job: Job, status: Status, delete_job: bool) -> None:
        """Ends a job; nothing stays of it in the queue."""
        await self._settle(job, _END)

    async def _settle(self, job: Job, statement: str, **values: object) -> None:
        mine = {"job_id": job.id, "by": job.worker_id, **values}
        try:
            done = await self._database.ask(
                lambda: self.connector.execute_query_all_async(statement, **mine)
            )
        except (ConnectorException, OperationalError) as error:
            if not is_outage(error):
                raise
            log.warning(
                "%s: the end of its job could not be recorded before this worker ended; another "
                "worker runs it again: %s",
                *(name_of(job), first_line(error)),
            )
            return
        if not done:
            log.warning(
                "%s: its job was taken over by another worker, or put back by the database; what "
                "this one did is recorded",
                name_of(job),
            )

    async def update_heartbeat(self, worker_id: int) -> None:
        """Gives a sign of life; the next one follows soon enough if this one is lost."""
        try:
            await self.connector.execute_query_async(_ALIVE, worker_id=worker_id)
        except (ConnectorException, OperationalError) as error:
            log.debug("the heartbeat could not be sent: %s", error)

    async def listen_for_jobs(
        self, *, on_notification: NotificationCallback, queues: Iterable[str] | None = None
    ) -> None:
        """Listens to news of jobs; they are also looked for every second."""
        while True:
            try:
                return await super().listen_for_jobs(on_notification=on_notification, queues=queues)
            except (ConnectorException, OperationalError) as error:
                log.debug("listening no longer: %s", error)
                await asyncio.sleep(_LISTEN_AGAIN)


def name_of(job: Job) -> str:
    """Returns what a job is about, for people: its pipeline, as far as the queue names one."""
    name = job.task_kwargs.get("pipeline")
    return name if isinstance(name, str) else f"job {job.id}"


def connector(url: str) -> PsycopgConnector:
    """Returns the library's way to the database at one of our URLs."""
    plain = make_url(url).set(drivername="postgresql")
    return PsycopgConnector(
        conninfo=plain.render_as_string(hide_password=False),
        min_size=1,
        max_size=4,
        configure=_commit_at_once,
        **_POOL,
    )


async def _commit_at_once(connection: AsyncConnection[Any]) -> None:
    """Makes each statement a transaction of its own, as each of the queue's calls is one.

    A worker that is suspended between a statement and its commit would hold up all others.
    """
    await connection.set_autocommit(True)


def make_app(url: str, database: QueueDatabase | None = None) -> tuple[App, Manager]:
    """Returns the queue at a database, without any task yet, and what it takes jobs with."""
    app = App(connector=connector(url))
    manager = Manager(app.connector, database or QueueDatabase())
    app.job_manager = manager
    return app, manager
