"""Notices for many at once that a pipeline changed, whoever changed it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from hashlib import sha256
from typing import Final

SECONDS: Final = 1.0
"""Nothing is looked at more often, however many ask."""


class Watch:
    """Looks at what tells that something changed. ``look`` returns None if nothing tells yet."""

    def __init__(self, look: Callable[[], object], monotonic: Callable[[], float]) -> None:
        self._look, self._monotonic = look, monotonic
        self._lock = threading.Lock()
        self._looked_at: float | None = None
        self._mark: object = None

    def mark(self) -> object:
        """Returns what is another one once something changed; an older one while nothing tells.

        :raises Exception: whatever looking raises.
        """
        with self._lock:
            now = self._monotonic()
            if self._looked_at is None or now - self._looked_at >= SECONDS:
                self._looked_at = now
                found = self._look()
                self._mark = self._mark if found is None else found
            return self._mark

    def seen(self) -> str:
        """Returns a short text for the mark, "" where nothing tells, or nothing can be read."""
        try:
            mark = self.mark()
        except Exception:
            return ""
        return "" if mark is None else sha256(repr(mark).encode()).hexdigest()[:16]
