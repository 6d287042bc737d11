"""Bounds how often somebody tries to log in."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Final

TRIES: Final = 5
SECONDS: Final = 300.0
MOST: Final = 10_000
"""So many names and addresses are remembered, the latest ones."""


class Throttle:
    """Counts tries by name and by address; after some within a while, the next has to wait.

    Times are seconds that only ever grow.
    """

    def __init__(self, tries: int = TRIES, seconds: float = SECONDS) -> None:
        self._tries, self._seconds = tries, seconds
        self._failed: OrderedDict[str, list[float]] = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, now: float, *of: str) -> float:
        """Returns the seconds to wait before one of these may try again, 0 for none."""
        with self._lock:
            return max((self._wait(now, each) for each in of), default=0.0)

    def _wait(self, now: float, of: str) -> float:
        recent = [at for at in self._failed.get(of, ()) if now - at < self._seconds]
        return recent[-self._tries] + self._seconds - now if len(recent) >= self._tries else 0.0

    def failed(self, now: float, *of: str) -> None:
        """Notes a try that failed."""
        with self._lock:
            for each in of:
                self._failed.setdefault(each, []).append(now)
                self._failed[each] = self._failed[each][-self._tries :]
                self._failed.move_to_end(each)
            while len(self._failed) > MOST:
                self._failed.popitem(last=False)

    def passed(self, *of: str) -> None:
        """Forgets the tries of somebody who got in."""
        with self._lock:
            for each in of:
                self._failed.pop(each, None)
