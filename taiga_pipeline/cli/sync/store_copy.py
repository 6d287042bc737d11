"""``store copy``: everything into another database, such as from SQLite to PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Final

import click

from taiga_pipeline.app.workspace import sqlite_path
from taiga_pipeline.cli.context import CommandContext, pass_context
from taiga_pipeline.cli.options import json_option
from taiga_pipeline.cli.output import print_json
from taiga_pipeline.problems import Problem, ProblemsError
from taiga_pipeline.report.terminal import safe

if TYPE_CHECKING:
    from sync.database.transfer import Part

STORE: Final = "store"
STATE: Final = "state"
_TITLES: Final = {STORE: "the built-in store", STATE: "the state of this pipeline"}
_NOUNS: Final = {
    "deals": "deals",
    "people": "people",
    "allocations": "allocations",
    "sync_binding": "bindings",
    "sync_run": "runs",
    "sync_journal": "journal entries",
}


@click.group()
def store() -> None:
    """Where deals, people and the state of the sync are kept."""


@store.command()
@click.option("--to-env", metavar="VARIABLE", help="The environment variable that has its URL.")
@click.option("--to", "to_url", metavar="URL", help="Its URL, if there is no password in it.")
@click.option(
    "--only", type=click.Choice([STORE, STATE]), help="Copy one of the two (default: both)."
)
@json_option
@pass_context
def copy(
    context: CommandContext, to_env: str | None, to_url: str | None, only: str | None, as_json: bool
) -> None:
    """Copy the built-in store and the state of this pipeline into another database.

    The database has to be there, with nothing of theirs in it. All is copied in one transaction,
    counted, and compared. Nothing changes where they were, and nobody but who reads can be at
    work meanwhile. Afterwards, change the lines of the configuration that are printed at the end;
    the next run then has nothing to do.
    """
    target = _target(context, to_env, to_url)
    moved = [name for name in (STORE, STATE) if only in (None, name) and _is_here(context, name)]
    if not moved:
        raise ProblemsError([Problem(_NOTHING)])
    rows = _copy(context, moved, target)
    lines = _lines(context, moved, to_env, target)
    if as_json:
        print_json({"to": _shown(target), "rows": rows, "config": lines})
        return
    for name in moved:
        counted = ", ".join(
            f"{number:,} {_NOUNS[table]}" for table, number in rows[name].items() if table in _NOUNS
        )
        click.echo(f"{_TITLES[name]}: {counted}")
    click.echo(f"All of it is in {safe(_shown(target))} now, unchanged.")
    click.echo(f"\nChange these lines in {context.config_path}; until then, all goes on as before:")
    for line in lines:
        click.echo(f"  {safe(line)}")


_NOTHING: Final = (
    "there is nothing to copy: deals are not kept in the built-in store, and there is no state "
    "store yet"
)
_BOTH: Final = "choose the destination: either --to-env VARIABLE or --to URL"
_ON_THE_COMMAND_LINE: Final = (
    "--to: every user of this machine can read a password on the command line. Put the URL into "
    "an environment variable, and name that with --to-env"
)


def _target(context: CommandContext, to_env: str | None, to_url: str | None) -> str:
    """Returns the URL of the database to copy to.

    :raises ProblemsError: it is not named, or not as it should be.
    """
    from sync.database.engine import parse_url

    if bool(to_env) == bool(to_url):
        raise ProblemsError([Problem(_BOTH)])
    url = to_url or context.environment.get(to_env or "", "")
    if not url:
        raise ProblemsError([Problem(f"--to-env: the variable {to_env} is not set")])
    if to_url and parse_url(url).password is not None:
        raise ProblemsError([Problem(_ON_THE_COMMAND_LINE)])
    parse_url(url)
    return url


def _url(context: CommandContext, name: str) -> str:
    source = context.settings.source
    return context.state_url if name == STATE else source.address(context.environment)


def _is_here(context: CommandContext, name: str) -> bool:
    """Whether there is something to copy; of a server, that is assumed."""
    if name == STORE and not context.has_store:
        return False
    path = sqlite_path(_url(context, name))
    return path is None or path.exists()


def _copy(context: CommandContext, names: list[str], target: str) -> dict[str, dict[str, int]]:
    """Copies while neither a run nor anybody else writes; returns the rows of each table."""
    from sync.database.engine import failures_as, open_engine
    from sync.database.transfer import transfer
    from sync.errors import Unreachable
    from sync.run.lock import run_lock

    same = [_TITLES[name] for name in names if _place(_url(context, name)) == _place(target)]
    if same:
        raise ProblemsError(
            [Problem(f"{_shown(target)}: that is where {each} is now") for each in same]
        )
    with ExitStack() as stack:
        for url in {_place(url): url for url in (target, context.state_url)}.values():
            stack.enter_context(run_lock(url, context.settings.pipeline, context.clock))
        parts = [stack.enter_context(_PARTS[name](context, _url(context, name))) for name in names]
        engine = open_engine(target)
        stack.callback(engine.dispose)
        with failures_as(Unreachable, engine):
            return dict(zip(names, transfer(parts, engine), strict=True))


def _place(url: str) -> str:
    """Returns what is the same for the same database, however its URL is written."""
    path = sqlite_path(url)
    return url if path is None else str(path.resolve())


@contextmanager
def _store_part(context: CommandContext, url: str) -> Iterator[Part]:
    """The built-in store, held as it is: who wants to write waits."""
    from sync.database.engine import open_engine
    from sync.database.migrations import readable
    from sync.database.transfer import Part
    from taiga_pipeline.pipeline.schema import METADATA, NAME, STEPS, TABLES, writing_store

    engine = open_engine(url, create=False)
    try:
        with writing_store(engine):
            numbering = {table.name: {"id": table.name} for table in TABLES if "id" in table.c}
            source = readable(open_engine(url, create=False), NAME, STEPS, METADATA)
            yield Part(NAME, _TITLES[STORE], STEPS, TABLES, source, numbering)
            source.dispose()
    finally:
        engine.dispose()


@contextmanager
def _state_part(context: CommandContext, url: str) -> Iterator[Part]:
    """The state of this pipeline, under the run lock."""
    from sync.database.engine import open_engine
    from sync.database.migrations import readable
    from sync.database.transfer import Part
    from sync.state.schema import NAME, NUMBERING, STEPS, metadata

    source = readable(open_engine(url, create=False), NAME, STEPS, metadata)
    try:
        tables = tuple(metadata.tables.values())
        pipeline = context.settings.pipeline
        yield Part(NAME, _TITLES[STATE], STEPS, tables, source, NUMBERING, pipeline)
    finally:
        source.dispose()


_PARTS: Final = {STORE: _store_part, STATE: _state_part}


def _shown(url: str) -> str:
    from sync.database.engine import shown

    return shown(url)


def _lines(context: CommandContext, names: list[str], to_env: str | None, target: str) -> list[str]:
    """Returns the lines of the configuration that name the new database."""
    settings = context.settings
    keys = {
        STORE: ("source", "url", settings.source.url_env),
        STATE: ("sync", "state", settings.sync.state_env),
    }
    lines = []
    for name in names:
        section, key, variable = keys[name]
        value = f'{key}_env = "{to_env}"' if to_env else f'{key} = "{target}"'
        now = f'{key}_env = "{variable}"' if variable else f"{key} = …"
        lines += [f"[{section}]", f"{value}    # instead of {now}"]
    return lines
