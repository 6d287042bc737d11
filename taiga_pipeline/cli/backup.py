"""``backup``: one file with everything that only this machine knows."""

from __future__ import annotations

import os
import shlex
import tarfile
import tempfile
from pathlib import Path
from typing import Final

import click
from sqlalchemy.engine import URL

from sync.copying import copy_database
from sync.database import parse_url
from taiga_pipeline.cli.context import Context, pass_context, sqlite_path
from taiga_pipeline.problems import Problem, ProblemsError

ON_A_SERVER: Final = (
    "on a database server: {name}. Back it up there, at one moment and while all goes on: "
    "pg_dump --format=custom --file=pipeline-sync.dump {place}"
)


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@pass_context
def backup(context: Context, file: Path) -> None:
    """Write a copy of the state store and the built-in store to FILE (.tar.gz).

    Each copy is whole, also while a run is at work. FILE is readable for its owner alone, and is
    never overwritten. To restore, unpack it where the databases were: tar xzf FILE.
    """
    databases, on_servers = _databases(context)
    if not databases:
        raise ProblemsError([Problem(text) for text in on_servers] or [Problem(_NOTHING)])
    _pack(databases, file)
    names = " and ".join(str(path) for path in databases)
    click.echo(f"{file}: {names}, {file.stat().st_size:,} bytes")
    for text in on_servers:
        click.echo(f"Not in it: {text}", err=True)


_NOTHING: Final = "there is nothing to back up yet: no state store and no built-in store"


def _databases(context: Context) -> tuple[list[Path], list[str]]:
    """Returns the database files there are, and what to say about those on servers."""
    source = context.settings.source
    urls = {"the state store": context.state_url}
    if source.kind == "store":
        urls["the built-in store"] = source.address(context.environment)
    files: list[Path] = []
    on_servers: dict[str, list[str]] = {}
    for name, url in urls.items():
        path = sqlite_path(url)
        if path is None:
            on_servers.setdefault(_for_pg_dump(url), []).append(name)
        elif path.exists() and path not in files:
            files.append(path)
    told = [ON_A_SERVER.format(name=" and ".join(n), place=p) for p, n in on_servers.items()]
    return files, told


def _for_pg_dump(url: str) -> str:
    """Returns a database's address as PostgreSQL's own programs take it, without the password."""
    parsed = parse_url(url).set(drivername="postgresql", query={})
    return shlex.quote(URL.create(**{**parsed._asdict(), "password": None}).render_as_string())


def _pack(databases: list[Path], file: Path) -> None:
    """Writes copies of ``databases`` into a new archive; leaves nothing behind if that fails."""
    try:
        descriptor = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        raise ProblemsError(
            [Problem("is there already, and is never overwritten; choose another name", str(file))]
        ) from None
    except OSError as error:
        raise ProblemsError([Problem(f"cannot be made: {error.strerror}", str(file))]) from None
    try:
        with (
            os.fdopen(descriptor, "wb") as stream,
            tarfile.open(fileobj=stream, mode="w:gz") as archive,
            tempfile.TemporaryDirectory() as folder,  # for its owner alone
        ):
            for database in databases:
                copy = Path(folder) / database.name
                copy_database(database, copy)
                archive.add(copy, database.name, recursive=False)
    except BaseException:
        file.unlink(missing_ok=True)
        raise
