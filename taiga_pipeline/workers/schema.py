"""The ledger's tables beside the queue: described once, and how older ones come to the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import DDL, Column, Double, Integer, MetaData, Table, Text, event, text

from sync.database.engine import UtcDateTime
from sync.database.migrations import Step, statements

metadata: Final = MetaData()

PIPELINES: Final = Table(
    "pipeline_sync_pipelines",
    metadata,
    Column("queue", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("slot", UtcDateTime),
    Column("worker", Text, nullable=False, server_default=""),
    Column("started_at", UtcDateTime),
    Column("finished_at", UtcDateTime),
    Column("succeeded_at", UtcDateTime),
    Column("ending", Text, nullable=False, server_default=""),
    Column("code", Integer),
    Column("message", Text, nullable=False, server_default=""),
    Column("waiting", Integer, nullable=False, server_default=text("0")),
    Column("applied", Integer, nullable=False, server_default=text("0")),
    Column("requests", Integer, nullable=False, server_default=text("0")),
    Column("seconds", Double, nullable=False, server_default=text("0")),
    Column("failures", Integer, nullable=False, server_default=text("0")),
)
"""One row per pipeline: what became of its last run, and which slot was queued last."""

HOSTS: Final = Table(
    "pipeline_sync_hosts",
    metadata,
    Column("queue", Text, primary_key=True),
    Column("host", Text, primary_key=True),
    Column("failures", Integer, nullable=False, server_default=text("0")),
    Column("hold_until", UtcDateTime),
)
"""One row per host that was asked: until when it is left alone."""

TURNS: Final = Table(
    "pipeline_sync_turns",
    metadata,
    Column("queue", Text, primary_key=True),
    Column("duty", Text, primary_key=True),
    Column("taken_at", UtcDateTime, nullable=False),
)
"""Which worker keeps house: whoever takes the turn, by this database's clock."""

_JOBS_BY_LOCK: Final = (
    "CREATE INDEX pipeline_sync_jobs_lock ON procrastinate_jobs (lock, priority DESC, id) "
    "WHERE status IN ('todo', 'doing')"
)
"""The queue looks for jobs of the same lock whenever it looks for a job: with thousands of them
waiting, that has to be quick. The table is Procrastinate's own."""
event.listen(metadata, "after_create", DDL(_JOBS_BY_LOCK))  # type: ignore[no-untyped-call]

STEPS: Final[Sequence[Step]] = (
    statements(
        """CREATE TABLE pipeline_sync_pipelines (
            queue TEXT NOT NULL,
            name TEXT NOT NULL,
            slot TIMESTAMP WITH TIME ZONE,
            worker TEXT NOT NULL DEFAULT '',
            started_at TIMESTAMP WITH TIME ZONE,
            finished_at TIMESTAMP WITH TIME ZONE,
            succeeded_at TIMESTAMP WITH TIME ZONE,
            ending TEXT NOT NULL DEFAULT '',
            code INTEGER,
            message TEXT NOT NULL DEFAULT '',
            waiting INTEGER NOT NULL DEFAULT 0,
            applied INTEGER NOT NULL DEFAULT 0,
            requests INTEGER NOT NULL DEFAULT 0,
            seconds DOUBLE PRECISION NOT NULL DEFAULT 0,
            failures INTEGER NOT NULL DEFAULT 0,
            PRIMARY KEY (queue, name)
        )""",
        """CREATE TABLE pipeline_sync_hosts (
            queue TEXT NOT NULL,
            host TEXT NOT NULL,
            failures INTEGER NOT NULL DEFAULT 0,
            hold_until TIMESTAMP WITH TIME ZONE,
            PRIMARY KEY (queue, host)
        )""",
    ),
    statements(_JOBS_BY_LOCK),
    statements(
        """CREATE TABLE pipeline_sync_turns (
            queue TEXT NOT NULL,
            duty TEXT NOT NULL,
            taken_at TIMESTAMP WITH TIME ZONE NOT NULL,
            PRIMARY KEY (queue, duty)
        )""",
    ),
)
"""Append only: a step that was released is never changed. What it adds is in a table above."""
