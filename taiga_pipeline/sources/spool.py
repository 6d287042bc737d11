"""Records between the reading and the use: on disk, not in memory, and kept for the next run.

A *spool* holds what one reading brought, in a database without a name that is gone with it. The
*cache* is a file with the records as they were at the last reading, and when that was. Together
they give all records: the spool's where it has one, else the cache's.

Absence is evidence only after a complete reading: a record that was deleted where it came from
stays in the cache until the next one.
"""

from __future__ import annotations

import heapq
import json
import logging
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from sync.errors import Unreachable
from taiga_pipeline.http.answer import JSON

Row = Mapping[str, JSON]
"""A record with its ``id``, as JSON can keep it."""

_LOG: Final = logging.getLogger(__name__)
_RECORDS: Final = "CREATE TABLE record (id INTEGER PRIMARY KEY, body TEXT NOT NULL)"
_NOTES: Final = "CREATE TABLE note (name TEXT PRIMARY KEY, value TEXT NOT NULL)"
_PUT: Final = "INSERT OR REPLACE INTO record VALUES (?, ?)"
_ALL: Final = "SELECT id, body FROM record ORDER BY id"


@dataclass(frozen=True, slots=True)
class Kept:
    """What is known of the cache: the newest change in it, and when all was read last (UTC)."""

    newest: datetime
    complete_at: datetime
    version: int


@dataclass(slots=True)
class Spool:
    """What one reading brought; ``kept`` is what it adds to, None for a complete one."""

    kept: Kept | None = None
    newest: datetime | None = None
    count: int = 0
    _records: sqlite3.Connection = field(default_factory=lambda: sqlite3.connect(""))

    def __post_init__(self) -> None:
        self._records.execute(_RECORDS)

    def put(self, row: Row, changed: datetime | None) -> None:
        """Takes a record up."""
        self._records.execute(_PUT, (row["id"], json.dumps(row)))
        self.count += 1
        if changed is not None:
            self.newest = changed if self.newest is None else max(self.newest, changed)

    def rows(self) -> Iterator[tuple[int, str]]:
        """Yields ids and records as text, by id."""
        yield from self._records.execute(_ALL)

    def has(self, number: int) -> bool:
        """Tells whether a record is in it."""
        found = self._records.execute("SELECT 1 FROM record WHERE id = ?", (number,))
        return found.fetchone() is not None

    def close(self) -> None:
        """Lets go of it."""
        self._records.close()


@dataclass(frozen=True, slots=True)
class Cache:
    """A file of records. ``origin`` names what they were read from; of another, it is as empty.

    The file is readable by its owner only: it holds customers' names.
    """

    path: Path
    origin: str

    def look(self) -> Kept | None:
        """Returns what is known of it; None if it is not there, of another origin, or damaged."""
        try:
            with closing(self._open("ro")) as file:
                notes = dict(file.execute("SELECT name, value FROM note"))
        except sqlite3.Error as error:
            if self.path.exists():
                _LOG.warning("%s cannot be used (%s): everything is read", self.path, error)
            return None
        if notes.get("origin") != self.origin:
            return None
        return Kept(
            datetime.fromisoformat(notes["newest"]),
            datetime.fromisoformat(notes["complete_at"]),
            int(notes["version"]),
        )

    def rows(self, spool: Spool) -> Iterator[tuple[int, str]]:
        """Yields all records by id: those of the spool in place of older ones.

        :raises sqlite3.Error: the file is damaged.
        """
        if spool.kept is None:
            yield from spool.rows()
            return
        with closing(self._open("ro")) as file:
            old = (row for row in file.execute(_ALL) if not spool.has(row[0]))
            yield from heapq.merge(old, spool.rows())

    def keep(self, spool: Spool, now: datetime) -> None:
        """Stores what a reading brought, all or nothing, unless someone stored another since.

        :raises OSError, sqlite3.Error: the file cannot be written.
        """
        known = [spool.newest, spool.kept.newest if spool.kept else None]
        newest = max((each for each in known if each is not None), default=None)
        if newest is None:
            return
        present = self.look()
        if spool.kept is None:
            self._begin_anew()
        elif present is None or present.version != spool.kept.version:
            return
        notes = {
            "origin": self.origin,
            "newest": newest.isoformat(),
            "complete_at": (spool.kept.complete_at if spool.kept else now).isoformat(),
            "version": str((present.version if present else 0) + 1),
        }
        with closing(self._open("rw")) as file, file:
            if spool.kept is None:
                file.execute("DELETE FROM record")
            file.executemany(_PUT, spool.rows())
            file.executemany("INSERT OR REPLACE INTO note VALUES (?, ?)", notes.items())

    def _begin_anew(self) -> None:
        """Makes the file where there is none that can be used."""
        try:
            with closing(self._open("rw")) as file:
                file.execute("SELECT 1 FROM record, note").fetchone()
        except sqlite3.Error as error:
            if "locked" in str(error):
                raise
            self.path.unlink(missing_ok=True)
            with suppress(FileExistsError):
                os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
            with closing(self._open("rw")) as file, file:
                file.execute(_RECORDS)
                file.execute(_NOTES)

    def _open(self, mode: str) -> sqlite3.Connection:
        return sqlite3.connect(f"{self.path.absolute().as_uri()}?mode={mode}", uri=True, timeout=15)


def kept_for(
    cache: Cache | None, now: datetime, complete_every: timedelta, *, anew: bool
) -> Kept | None:
    """Returns what the next read can add to, None if it has to be a complete one.

    ``now`` is UTC; ``anew`` asks for a complete read whatever is kept.
    """
    kept = None if cache is None or anew else cache.look()
    if kept is None:
        return None
    return kept if timedelta() <= now - kept.complete_at < complete_every else None


def all_records(cache: Cache | None, spool: Spool) -> Iterator[Row]:
    """Yields all records, those of the cache among them, by id.

    :raises Unreachable: they cannot be read from the disk.
    """
    try:
        for _, body in cache.rows(spool) if cache else spool.rows():
            yield json.loads(body)
    except (sqlite3.Error, ValueError) as error:
        place = cache.path if cache else "a temporary file"
        raise Unreachable(
            f"{place} cannot be read ({error}); remove it: the next run reads everything"
        ) from None


def keep(cache: Cache | None, spool: Spool | None, now: datetime) -> None:
    """Keeps what a read brought in the cache, if there are both; a failure is logged alone."""
    if cache is None or spool is None:
        return
    try:
        cache.keep(spool, now)
    except (sqlite3.Error, OSError) as error:
        _LOG.warning("%s was not written: %s", cache.path, error)
