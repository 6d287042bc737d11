"""Forgets old rows of the journal and of runs, so that years of runs every quarter of an hour slow
nothing down.

What stays, however old: open intents; the last entry of each record; the last run of each outcome;
the last complete comparison; runs of which the journal still tells something.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, delete, func, select

from sync.state.rows import SUCCESSFUL, UNSETTLED
from sync.state.schema import JOURNAL, RUNS


def prune_journal(connection: Connection, pipeline: str, before: datetime) -> int:
    """Removes settled journal entries from before a time (UTC); returns how many."""
    record = (JOURNAL.c.grp, JOURNAL.c.kind, JOURNAL.c.name)
    mine = JOURNAL.c.pipeline == pipeline
    last = select(func.max(JOURNAL.c.id)).where(mine).group_by(*record)
    old = and_(mine, JOURNAL.c.intended_at < before, JOURNAL.c.status.not_in(UNSETTLED))
    if connection.execute(select(JOURNAL.c.id).where(old).limit(1)).first() is None:
        return 0
    return _removed(connection.execute(delete(JOURNAL).where(old, JOURNAL.c.id.not_in(last))))


def prune_runs(connection: Connection, pipeline: str, before: datetime) -> int:
    """Removes runs from before a time (UTC) that left nothing in the journal; returns how many."""
    mine = RUNS.c.pipeline == pipeline
    old = and_(mine, RUNS.c.started_at < before)
    if connection.execute(select(RUNS.c.id).where(old).limit(1)).first() is None:
        return 0
    last = select(func.max(RUNS.c.id)).where(mine).group_by(RUNS.c.outcome)
    full = and_(mine, RUNS.c.is_full, RUNS.c.outcome.in_(SUCCESSFUL))
    last_full = select(func.coalesce(func.max(RUNS.c.id), 0)).where(full)
    journalled = select(JOURNAL.c.run_id).where(JOURNAL.c.run_id == RUNS.c.id).exists()
    gone = and_(old, RUNS.c.id.not_in(last), RUNS.c.id.not_in(last_full), ~journalled)
    return _removed(connection.execute(delete(RUNS).where(gone)))


def _removed(result: Any) -> int:
    return int(result.rowcount)
