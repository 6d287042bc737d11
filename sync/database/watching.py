"""Notices that anybody wrote into a SQLite database, without reading it."""

from __future__ import annotations

import sqlite3
import threading
import weakref
from pathlib import Path


class Watch:
    """Watches one file. Its connection stays open, so that the file's log is not folded into it
    each time that another connection closes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._place: tuple[int, int] | None = None
        self._opened = 0

    def mark(self) -> object:
        """Returns what is another one once another connection has committed, None if nothing tells.

        Who reads after that reads at least what the mark stands for.
        """
        with self._lock:
            try:
                found = self._path.stat()
                if self._place != (found.st_dev, found.st_ino):
                    self._open()
                    self._place = (found.st_dev, found.st_ino)
                assert self._connection is not None
                version = self._connection.execute("PRAGMA data_version").fetchone()[0]
            except (OSError, sqlite3.Error):  # whoever opens the store says what is wrong
                self._place = None
                return None
            return self._opened, version

    def _open(self) -> None:
        """Opens the file that is there now; another one may have taken the place of the former."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        address = f"{self._path.absolute().as_uri()}?mode=rw"
        self._connection = sqlite3.connect(
            address, uri=True, check_same_thread=False, isolation_level=None
        )
        self._opened += 1
        weakref.finalize(self, self._connection.close)
