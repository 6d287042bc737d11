"""Everything into another database, such as from SQLite to PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sync.errors import Unreachable
from taiga_pipeline.app.workspace import Workspace, sqlite_path
from taiga_pipeline.problems import Problem, ProblemsError

if TYPE_CHECKING:
    from sync.database.transfer import Part

STORE: Final = "store"
STATE: Final = "state"
TITLES: Final = {STORE: "the built-in store", STATE: "the state of this pipeline"}
_NOTHING: Final = (
    "there is nothing to copy: deals are not kept in the built-in store, and there is no state "
    "store yet"
)


@dataclass(frozen=True, slots=True)
class Copied:
    """What was copied: the rows of each table, by part (`STORE`, `STATE`), in the order of parts.

    ``to`` is the other database without a password. ``config`` are the lines of the configuration
    that name it.
    """

    to: str
    rows: Mapping[str, Mapping[str, int]]
    config: tuple[str, ...]


def copy_stores(
    workspace: Workspace, target: str, *, only: str | None = None, variable: str | None = None
) -> Copied:
    """Copies the built-in store and the state of this pipeline to the database at a URL.

    ``only`` copies one of the two (`STORE`, `STATE`). ``variable`` is the environment variable that
    holds the URL, for the lines of the configuration. Nothing changes where they were, and no one
    but who reads can be at work meanwhile.

    :raises ProblemsError: there is nothing to copy, or it is there already.
    :raises Locked: a run is at work.
    :raises Unreachable: the other database does not answer, or has something of theirs in it.
    """
    moved = [name for name in (STORE, STATE) if only in (None, name) and _is_here(workspace, name)]
    if not moved:
        raise ProblemsError([Problem(_NOTHING)])
    rows = _copy(workspace, moved, target)
    return Copied(_shown(target), rows, tuple(_lines(workspace, moved, variable, target)))


def _url(workspace: Workspace, name: str) -> str:
    source = workspace.settings.source
    return workspace.state_url if name == STATE else source.address(workspace.environment)


def _is_here(workspace: Workspace, name: str) -> bool:
    """Whether there is something to copy; of a server, that is assumed."""
    if name == STORE and not workspace.has_store:
        return False
    path = sqlite_path(_url(workspace, name))
    return path is None or path.exists()


def _copy(workspace: Workspace, names: list[str], target: str) -> dict[str, dict[str, int]]:
    """Copies while neither a run nor anyone else writes; returns the rows of each table."""
    from sync.database.engine import failures_as, open_engine
    from sync.database.transfer import transfer
    from sync.run.lock import run_lock

    same = [TITLES[name] for name in names if _place(_url(workspace, name)) == _place(target)]
    if same:
        raise ProblemsError(
            [Problem(f"{_shown(target)}: that is where {each} is now") for each in same]
        )
    with ExitStack() as stack:
        for url in {_place(url): url for url in (target, workspace.state_url)}.values():
            stack.enter_context(run_lock(url, workspace.settings.pipeline, workspace.clock))
        parts = [
            stack.enter_context(_PARTS[name](workspace, _url(workspace, name))) for name in names
        ]
        engine = open_engine(target)
        stack.callback(engine.dispose)
        with failures_as(Unreachable, engine):
            return dict(zip(names, transfer(parts, engine), strict=True))


def _place(url: str) -> str:
    """Returns what is the same for the same database, however its URL is written."""
    path = sqlite_path(url)
    return url if path is None else str(path.resolve())


@contextmanager
def _store_part(workspace: Workspace, url: str) -> Iterator[Part]:
    """The built-in store, held as it is: who wants to write waits."""
    from sync.database.engine import open_engine
    from sync.database.migrations import readable
    from sync.database.transfer import Part
    from taiga_pipeline.pipeline.schema import METADATA, NAME, TABLES, writing_store
    from taiga_pipeline.pipeline.tables.steps import STEPS

    engine = open_engine(url, create=False)
    try:
        with writing_store(engine):
            numbering = {table.name: {"id": table.name} for table in TABLES if "id" in table.c}
            source = readable(open_engine(url, create=False), NAME, STEPS, METADATA)
            yield Part(NAME, TITLES[STORE], STEPS, TABLES, source, numbering)
            source.dispose()
    finally:
        engine.dispose()


@contextmanager
def _state_part(workspace: Workspace, url: str) -> Iterator[Part]:
    """The state of this pipeline, under the run lock."""
    from sync.database.engine import open_engine
    from sync.database.migrations import readable
    from sync.database.transfer import Part
    from sync.state.schema import NAME, NUMBERING, STEPS, metadata

    source = readable(open_engine(url, create=False), NAME, STEPS, metadata)
    try:
        tables = tuple(metadata.tables.values())
        pipeline = workspace.settings.pipeline
        yield Part(NAME, TITLES[STATE], STEPS, tables, source, NUMBERING, pipeline)
    finally:
        source.dispose()


_PARTS: Final = {STORE: _store_part, STATE: _state_part}


def _shown(url: str) -> str:
    from sync.database.engine import shown

    return shown(url)


def _lines(workspace: Workspace, names: list[str], variable: str | None, target: str) -> list[str]:
    """Returns the lines of the configuration that name the new database."""
    settings = workspace.settings
    keys = {
        STORE: ("source", "url", settings.source.url_env),
        STATE: ("sync", "state", settings.sync.state_env),
    }
    lines = []
    for name in names:
        section, key, before = keys[name]
        value = f'{key}_env = "{variable}"' if variable else f'{key} = "{target}"'
        now = f'{key}_env = "{before}"' if before else f"{key} = …"
        lines += [f"[{section}]", f"{value}    # instead of {now}"]
    return lines
