"""The tables of the queue: Procrastinate's own and the ledger's, made and upgraded in one go.

Procrastinate ships its schema as migrations that only ever grow in number, in the order of their
names: the same thing that `sync.database.migrations` calls steps. It takes them one by one, each
with its record, so that the first set-up and every later upgrade are the same command.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from procrastinate.schema import SchemaManager
from sqlalchemy import Connection, Engine

from sync.database.engine import failures_as, open_engine, shown
from sync.database.migrations import Step, migrate, version_of
from sync.errors import StateUnusable, Unreachable
from taiga_pipeline.workers.ledger import NO_TABLES
from taiga_pipeline.workers.schema import STEPS, metadata

LIBRARY: Final = "procrastinate"
OURS: Final = "workers"
OLD: Final = "the queue's tables have an older version; run 'pipeline-sync worker --setup' once"

_FIRST: Final = "procrastinate_jobs"


def set_up(url: str) -> int:
    """Makes the tables, or brings them up to date; returns how many steps that took.

    :raises StateUnusable: another person's tables are in the way, or a newer version's.
    :raises Unreachable: the database cannot be used.
    """
    engine = open_engine(url)
    try:
        with failures_as(Unreachable, engine):
            _refuse_others(engine)
            return migrate(engine, LIBRARY, _library_steps()) + migrate(
                engine, OURS, STEPS, metadata
            )
    finally:
        engine.dispose()


def check(url: str) -> None:
    """Makes sure that the tables are there and of this version.

    :raises StateUnusable: they are not; says what to do.
    :raises Unreachable: the database cannot be used.
    """
    engine = open_engine(url)
    try:
        with failures_as(Unreachable, engine):
            found = version_of(engine, LIBRARY), version_of(engine, OURS)
    finally:
        engine.dispose()
    known = len(_migrations()), len(STEPS)
    place = shown(url)
    if not any(found):
        raise StateUnusable(f"{place}: {NO_TABLES}")
    if found[0] > known[0] or found[1] > known[1]:
        raise StateUnusable(
            f"{place}: the queue's tables were made by a newer version of pipeline-sync or of "
            "Procrastinate; upgrade them on this machine, nothing was changed"
        )
    if found != known:
        raise StateUnusable(f"{place}: {OLD}")


def _refuse_others(engine: Engine) -> None:
    """Makes sure that tables of another program's queue are left alone."""
    with engine.connect() as connection:
        is_there = engine.dialect.has_table(connection, _FIRST)
    if is_there and not version_of(engine, LIBRARY):
        raise StateUnusable(
            f"{shown(engine.url)}: another program has its Procrastinate queue in this database; "
            "use a separate database for the pipelines. Nothing was changed"
        )


def _migrations() -> list[Path]:
    return sorted(Path(SchemaManager.get_migrations_path()).glob("*.sql"))


def _library_steps() -> list[Step]:
    return [_from_file(path) for path in _migrations()]


def _from_file(path: Path) -> Step:
    sql = path.read_text(encoding="utf-8")

    def step(connection: Connection) -> None:
        # Several statements, with percent signs in them: they go to the server as they are.
        connection.execution_options(no_parameters=True).exec_driver_sql(sql)

    return step
