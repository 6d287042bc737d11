"""One file with everything that only this machine knows."""

from __future__ import annotations

import io
import os
import shlex
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy.engine import URL

from sync.database.copying import snapshot
from sync.database.engine import parse_url
from taiga_pipeline.app.planning.places import SCENARIOS, SUGGESTION
from taiga_pipeline.app.workspace import Workspace, sqlite_path
from taiga_pipeline.files import PRIVATE, writing
from taiga_pipeline.problems import Problem, ProblemsError

ON_A_SERVER: Final = (
    "on a database server: {name}. Back it up there, while everything keeps running: "
    "pg_dump --format=custom --file=pipeline-sync.dump {place}"
)
ELSEWHERE: Final = "elsewhere"
"""Where the archive holds databases that do not be in the configuration's folder."""

_NOTHING: Final = "there is nothing to back up yet: no state store and no built-in store"


@dataclass(frozen=True, slots=True)
class BackedUp:
    """What is in the archive, by its name there, and what stands on servers and is not in it."""

    files: Mapping[str, Path]
    on_servers: tuple[str, ...]


def back_up(workspace: Workspace, file: Path) -> BackedUp:
    """Writes stores, configuration, mappings, scenarios and the last suggestion to an archive.

    Each copy is whole, also while a run is at work. ``file`` is a new one, readable for its owner
    alone; it has its name once it is whole.

    :raises ProblemsError: there is nothing to back up, or the file is there or cannot be made.
    """
    databases, on_servers = _databases(workspace)
    if not databases:
        raise ProblemsError([Problem(text) for text in on_servers] or [Problem(_NOTHING)])
    files = _contents(workspace, databases)
    _pack(databases, files, file)
    return BackedUp(files, tuple(on_servers))


def _databases(workspace: Workspace) -> tuple[list[Path], list[str]]:
    """Returns the database files there are, and what to say about those on servers."""
    source = workspace.settings.source
    urls = {"the state store": workspace.state_url}
    if workspace.has_store:
        urls["the built-in store"] = source.address(workspace.environment)
    files: list[Path] = []
    on_servers: dict[str, list[str]] = {}
    for name, url in urls.items():
        path = sqlite_path(url)
        if path is None:
            on_servers.setdefault(_for_pg_dump(url), []).append(name)
        elif path.exists() and path not in files:
            files.append(path)
    notes = [ON_A_SERVER.format(name=" and ".join(n), place=p) for p, n in on_servers.items()]
    return files, notes


def _for_pg_dump(url: str) -> str:
    """Returns a database's address as PostgreSQL's own programs take it, without the password."""
    parsed = parse_url(url).set(drivername="postgresql", query={})
    return shlex.quote(URL.create(**{**parsed._asdict(), "password": None}).render_as_string())


def _contents(workspace: Workspace, databases: list[Path]) -> dict[str, Path]:
    """Returns what goes into the archive, by its name there: databases, and the files beside them.

    Names are relative to the configuration's folder, so that unpacking restores each in its place.
    """
    folder = workspace.config_path.absolute().parent
    beside = [workspace.config_path.absolute(), folder / SCENARIOS, folder / SUGGESTION]
    mappings = workspace.settings.sync.mappings
    beside += sorted((folder / mappings).glob("*.toml"))
    files: dict[str, Path] = {}
    for path in [*databases, *(path for path in beside if path.is_file())]:
        files[_free_name(_name_in(folder, path), files)] = path
    return files


def _name_in(folder: Path, path: Path) -> str:
    resolved = Path(os.path.normpath(path.absolute()))
    if resolved.is_relative_to(folder):
        return str(resolved.relative_to(folder))
    return f"{ELSEWHERE}/{resolved.name}"


def _free_name(name: str, taken: Mapping[str, Path]) -> str:
    """Returns a name that no other file in the archive has: two folders may hold the same one."""
    number, free = 1, name
    while free in taken:
        number += 1
        free = str(Path(name).with_name(f"{number}-{Path(name).name}"))
    return free


def _pack(databases: list[Path], files: Mapping[str, Path], file: Path) -> None:
    """Writes a new archive; it has its name once it is whole, and nothing is left if it is not."""
    try:
        with (
            writing(file, overwrite=False) as stream,
            tarfile.open(fileobj=stream, mode="w|gz") as archive,
        ):
            for name, path in files.items():
                content = snapshot(path) if path in databases else path.read_bytes()
                entry = tarfile.TarInfo(name)
                entry.size, entry.mode = len(content), PRIVATE
                entry.mtime = int(path.stat().st_mtime)
                archive.addfile(entry, io.BytesIO(content))
    except FileExistsError:
        raise ProblemsError(
            [Problem("exists already and is never overwritten; choose another name", str(file))]
        ) from None
    except OSError as error:
        raise ProblemsError([Problem(f"cannot be made: {error.strerror}", str(file))]) from None
