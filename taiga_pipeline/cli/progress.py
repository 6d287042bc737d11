"""A progress bar on stderr, for people who watch; nothing for cron."""

from __future__ import annotations

import sys
import threading
from typing import Final, TextIO

WIDTH: Final = 30


class Progress:
    """Draws one line over and over again. May be called from any thread.

    ``stream`` is drawn on only if it is a terminal.
    """

    def __init__(self, noun: str, stream: TextIO | None = None) -> None:
        self._noun = noun
        self._stream = stream or sys.stderr
        self._shown = self._stream.isatty()
        self._lock = threading.Lock()

    def __call__(self, done: int, total: int) -> None:
        """Shows that ``done`` of ``total`` are done."""
        if not self._shown or not total:
            return
        filled = WIDTH * done // total
        with self._lock:
            bar = "#" * filled + "." * (WIDTH - filled)
            self._stream.write(f"\r[{bar}] {done}/{total} {self._noun}")
            self._stream.flush()

    def clear(self) -> None:
        """Takes the bar away, so that what follows starts on an empty line."""
        if self._shown:
            with self._lock:
                self._stream.write("\r\x1b[K")
                self._stream.flush()
