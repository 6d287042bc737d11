"""A folder, and the small Taiga that it is in step with, made once and had again in each test.

To make them takes commands, and runs; to have them again takes copies.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from taiga_pipeline.sandbox.embedded import Sandbox
from taiga_pipeline.sandbox.persistence import dump, load

_SQLITE: Final = b"SQLite format 3\0"
_MADE: Final[dict[str, Prepared]] = {}
"""What was made in this process, by name."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """Files, each with its permissions, and what a Taiga at an address held, if there is one."""

    files: dict[Path, tuple[bytes, int]]
    url: str = ""
    held: dict[str, Any] = field(default_factory=dict)


def prepare(name: str, folder: Path, taiga: Sandbox, make: Callable[[], object]) -> None:
    """Brings an empty folder and a new Taiga to where ``make`` brings them.

    ``make`` is called the first time that ``name`` is asked for in this process. Addresses of the
    Taiga are those of the new one, in files of text and in SQLite's alike.
    """
    known = _MADE.get(name)
    if known is None:
        make()
        _MADE[name] = Prepared(_picture(folder), taiga.url, dump(taiga.store))
        return
    for place, (content, mode) in known.files.items():
        _put(folder / place, content, mode, known.url, taiga.url)
    load(taiga.store, known.held)


def prepare_folder(name: str, folder: Path, make: Callable[[], object]) -> None:
    """Brings an empty folder to where ``make`` brings it, which is called the first time.

    Only for what does not depend on where the folder is.
    """
    known = _MADE.get(name)
    if known is None:
        make()
        _MADE[name] = Prepared(_picture(folder))
        return
    for place, (content, mode) in known.files.items():
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_bytes(content)
        (folder / place).chmod(mode)


def _picture(folder: Path) -> dict[Path, tuple[bytes, int]]:
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    for path in paths:
        if path.is_file() and path.read_bytes()[: len(_SQLITE)] == _SQLITE:
            with closing(sqlite3.connect(path)) as database:
                database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return {
        path.relative_to(folder): (path.read_bytes(), path.stat().st_mode & 0o777)
        for path in paths
        if path.is_file() and not path.name.endswith(("-wal", "-shm"))
    }


def _put(path: Path, content: bytes, mode: int, old: str, new: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    is_database = content.startswith(_SQLITE)
    path.write_bytes(content if is_database else content.replace(old.encode(), new.encode()))
    path.chmod(mode)
    if is_database and old.encode() in content:
        with closing(sqlite3.connect(path)) as database:
            _rename(database, old, new)


def _rename(database: sqlite3.Connection, old: str, new: str) -> None:
    """Writes the new address wherever the old one is in a text."""
    with database:
        tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (table,) in tables:
            for _, column, kind, *_ in database.execute(f'PRAGMA table_info("{table}")').fetchall():
                if kind.upper() in ("TEXT", "JSON") or kind.upper().startswith("VARCHAR"):
                    database.execute(
                        f'UPDATE "{table}" SET "{column}" = replace("{column}", ?, ?) '
                        f'WHERE instr("{column}", ?)',
                        (old, new, old),
                    )
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
