"""What a program that serves for long remembers between requests."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final, TypeVar

from sync.database.watching import Watch

_Made = TypeVar("_Made")
MOST: Final = 16
"""So many things are remembered; what was not asked for longest is forgotten first."""
_TICK_NS: Final = 100_000_000
"""Two writes within this time may leave a file with one and the same time."""


class Memory:
    """Remembers the last thing of each name, as long as what it was made from has the same mark.

    Who asks while another one makes the same thing waits for it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._making: dict[str, threading.Lock] = {}
        self._known: OrderedDict[str, tuple[object, Any]] = OrderedDict()
        self._watches: dict[Path, Watch] = {}

    def watch(self, path: Path) -> Watch:
        """Returns what watches a database's file."""
        with self._lock:
            return self._watches.setdefault(path, Watch(path))

    def get(self, name: str, mark: object, make: Callable[[], _Made]) -> _Made:
        """Returns what is remembered, or made now."""
        with self._lock:
            making = self._making.setdefault(name, threading.Lock())
        with making:
            known = self._known.get(name)
            if known is None or known[0] != mark:
                self._known.pop(name, None)  # its room is needed for what takes its place
                known = (mark, make())
            with self._lock:
                self._known[name] = known
                self._known.move_to_end(name)
                while len(self._known) > MOST:
                    forgotten, _ = self._known.popitem(last=False)
                    self._making.pop(forgotten, None)
            made: _Made = known[1]
            return made


def files_mark(paths: Iterable[Path]) -> object:
    """Returns what is another one once one of the files was written, None if nothing tells yet.

    It has to be taken before the files are read. Of a file that was written this very moment, it
    may be written again without a trace: nothing is remembered of it.
    """
    marks: list[tuple[int, int, int] | None] = []
    for path in paths:
        try:
            found = path.stat()
        except OSError:
            marks.append(None)
            continue
        if time.time_ns() - found.st_mtime_ns < _TICK_NS:
            return None
        marks.append((found.st_mtime_ns, found.st_size, found.st_ino))
    return tuple(marks)
