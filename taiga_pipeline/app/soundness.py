"""Whether the databases are sound: files by their own account, servers by what they tell."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

from sqlalchemy import Engine

from sync.database.copying import damage
from sync.database.engine import failures_as, open_engine, shown
from sync.database.migrations import version_of
from sync.database.server_check import server_damage
from sync.errors import StateUnusable, Unreachable
from sync.state.schema import NAME as STATE
from sync.state.schema import STEPS as STATE_STEPS
from sync.state.schema import metadata
from sync.ways_out import Explained
from taiga_pipeline.pipeline.schema import NAME as STORE
from taiga_pipeline.pipeline.schema import REFERENCES, TABLES
from taiga_pipeline.pipeline.tables.steps import STEPS as STORE_STEPS
from taiga_pipeline.problems import Problem, ProblemsError
from taiga_pipeline.report.ways_out import in_words

EXAMPLES: Final = 3
RESTORE: Final = (
    "Restore a backup; without one, move the file away: the next run finds its projects by their "
    "markers (docs/operations.md)"
)


def refuse_damaged_file(path: Path) -> None:
    """Looks at a SQLite file.

    :raises ProblemsError: it is damaged.
    """
    found = damage(path)
    if found:
        raise ProblemsError(
            [Problem(f"is damaged: {text}. {RESTORE}", str(path)) for text in found[:EXAMPLES]]
        )


def state_on_server(url: str) -> bool:
    """Looks at a state store on a server; returns whether there is one.

    :raises ProblemsError: it is not sound.
    :raises Unreachable: the server is not, or does not let the account in.
    """
    with closing(_Server(url)) as server, failures_as(StateUnusable, server.engine):
        version = version_of(server.engine, STATE)
        if version == len(STATE_STEPS):  # an older one is changed before it is used
            server.refuse(server_damage(server.engine, tuple(metadata.tables.values())))
        return version > 0


def store_on_server(url: str) -> str:
    """Looks at the built-in store on a server; returns what to say of it.

    :raises ProblemsError: it is not sound.
    :raises Unreachable: the server is not, or does not let the account in.
    """
    with closing(_Server(url)) as server, failures_as(Unreachable, server.engine):
        version = version_of(server.engine, STORE)
        if version == len(STORE_STEPS):
            server.refuse(server_damage(server.engine, TABLES, REFERENCES))
        return f"{shown(url)} is sound" if version else f"{shown(url)} has none in it yet"


class _Server:
    def __init__(self, url: str) -> None:
        self.engine: Engine = open_engine(url)

    def close(self) -> None:
        self.engine.dispose()

    def refuse(self, found: Sequence[Explained]) -> None:
        if found:
            place = shown(self.engine.url)
            raise ProblemsError([Problem(in_words(each), place) for each in found])
