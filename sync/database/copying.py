"""Copies of SQLite databases that are whole, also while others write; and whether one is sound."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from sync.errors import StateUnusable


def copy_database(source: Path, target: Path) -> None:
    """Writes a copy of the database file ``source`` as it is at one moment; others may go on.

    ``target`` is made for its owner alone, and must not be there yet.

    :raises FileExistsError: there is a ``target``; it stays as it is.
    :raises StateUnusable: the source is missing or damaged; there is no copy then.
    """
    os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        with closing(_open(source)) as original, closing(sqlite3.connect(target)) as copy:
            original.backup(copy)  # all pages in one step: one view of the database
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, not three
        found = damage(target)
    except (sqlite3.Error, OSError) as error:
        target.unlink(missing_ok=True)
        raise StateUnusable(f"{source} cannot be copied: {error}") from error
    if found:
        target.unlink()
        raise StateUnusable(f"{source} is damaged, there is no copy of it: {found[0]}")


def snapshot(source: Path) -> bytes:
    """Returns a copy of the SQLite file ``source`` as it is at one moment; no file is made.

    :raises StateUnusable: the source is missing or damaged.
    """
    try:
        # An empty name stands for a database that SQLite itself keeps, without a name on the disk.
        with closing(_open(source)) as original, closing(sqlite3.connect("")) as copy:
            original.backup(copy)
            found = _damage(copy)
            content = bytearray(copy.serialize())
    except (sqlite3.Error, OSError) as error:
        raise StateUnusable(f"{source} cannot be copied: {error}") from error
    if found:
        raise StateUnusable(f"{source} is damaged, there is no copy of it: {found[0]}")
    if content[_VERSIONS] == _WAL:  # one file, not three
        content[_VERSIONS] = _ROLLBACK
    return bytes(content)


_VERSIONS = slice(18, 20)
"""Where a SQLite file says how it is written and read."""
_WAL, _ROLLBACK = b"\x02\x02", b"\x01\x01"


def damage(path: Path) -> list[str]:
    """Returns what is wrong with a SQLite file, by its own account; an empty list if nothing is."""
    try:
        with closing(_open(path)) as connection:
            return _damage(connection)
    except sqlite3.Error as error:
        return [str(error)]


def _damage(connection: sqlite3.Connection) -> list[str]:
    rows = [str(row[0]) for row in connection.execute("PRAGMA integrity_check")]
    orphans = len(connection.execute("PRAGMA foreign_key_check").fetchall())
    found = [] if rows == ["ok"] else rows
    return [*found, *([f"{orphans} row(s) refer to missing rows"] if orphans else [])]


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=15)
