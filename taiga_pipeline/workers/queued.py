"""The queue's own table, in SQL: what waits, what is under way, and what is moved in it.

The queue's library adds, takes and ends jobs one by one. What is done to many of them at once, or
together with the ledger's rows, is done here, on a connection of the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, text

from taiga_pipeline.workers import fairness

RUN: Final = "pipeline-sync.run"
"""The queue's name for running a pipeline."""


@dataclass(frozen=True, slots=True)
class QueuedJob:
    """A job of a pipeline that waits (from ``due`` on), or is under way. Times are UTC."""

    id: int
    name: str
    is_running: bool
    due: datetime | None


def read_jobs(connection: Connection, queue: str) -> list[QueuedJob]:
    """Returns the pipelines' jobs that wait or are under way, those under way last."""
    query = text(
        "SELECT id, args ->> 'pipeline' AS name, status = 'doing' AS is_running, "
        "scheduled_at AS due FROM procrastinate_jobs "
        "WHERE queue_name = :queue AND task_name = :task AND status IN ('todo', 'doing') "
        "ORDER BY status"
    )
    rows = connection.execute(query, {"queue": queue, "task": RUN}).mappings()
    return [QueuedJob(**row) for row in rows if row["name"] is not None]


def bring_forward(
    connection: Connection, queue: str, names: Iterable[str], now: datetime
) -> set[str]:
    """Lets jobs that wait for a later time run now, ahead of others; returns their pipelines."""
    statement = text(
        "UPDATE procrastinate_jobs SET scheduled_at = :now, priority = :priority "
        "WHERE status = 'todo' AND queueing_lock = ANY(:locks) AND scheduled_at > :now "
        "RETURNING args ->> 'pipeline'"
    )
    values = {
        "now": now,
        "priority": fairness.priority(now - fairness.BY_HAND),
        "locks": [fairness.queueing_lock(queue, name) for name in names],
    }
    return {str(name) for name in connection.execute(statement, values).scalars()}


def postpone(connection: Connection, queue: str, host: str, until: datetime) -> int:
    """Lets all jobs for a host wait until a time, in one statement; returns how many.

    Thousands of jobs for a host that does not answer would else be taken and put back one by one,
    while those of other hosts wait behind them.
    """
    statement = text(
        "UPDATE procrastinate_jobs SET scheduled_at = :until, priority = :priority "
        "WHERE status = 'todo' AND queue_name = :queue AND task_name = :task "
        "AND lock = ANY(:locks) AND (scheduled_at IS NULL OR scheduled_at < :until)"
    )
    values = {
        "queue": queue,
        "task": RUN,
        "until": until,
        "priority": fairness.priority(until),
        "locks": fairness.all_locks(queue, host),
    }
    return connection.execute(statement, values).rowcount


def heal(connection: Connection, queue: str, now: datetime, longest: timedelta) -> Collection[str]:
    """Lets jobs run now that wait for a time at which nothing is ever put off to.

    A clock that was wrong put them there. Returns the pipelines concerned.
    """
    statement = text(
        "UPDATE procrastinate_jobs SET scheduled_at = :now, priority = :priority "
        "WHERE status = 'todo' AND queue_name = :queue AND task_name = :task "
        "AND scheduled_at > :latest RETURNING args ->> 'pipeline'"
    )
    values = {
        "queue": queue,
        "task": RUN,
        "now": now,
        "latest": now + longest,
        "priority": fairness.priority(now),
    }
    return sorted(str(name) for name in connection.execute(statement, values).scalars())


def count_workers(connection: Connection, within: timedelta) -> int:
    """Returns how many workers (of any queue in the database) gave a sign of life lately."""
    query = text(
        "SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - :within"
    )
    return int(connection.execute(query, {"within": within}).scalar_one())
