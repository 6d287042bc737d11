"""Several requests at a time."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from sync.errors import Failing, IncompleteRead, Malformed

_LOG: Final = logging.getLogger(__name__)
_TRIED: Final = 5
"""So many failures without one success are no longer one item's own trouble."""

Item = TypeVar("Item")
Found = TypeVar("Found")


def in_parallel(
    work: Callable[[Item], Found], items: Sequence[Item], concurrency: int
) -> list[Found]:
    """Returns ``work`` of each item, in their order, ``concurrency`` at a time.

    One at a time takes no thread: handing over takes longer than many an answer.
    """
    if concurrency == 1 or len(items) < 2:
        return [work(item) for item in items]
    with ThreadPoolExecutor(concurrency, "read") as pool:
        return list(pool.map(work, items))


def each_or_none(
    work: Callable[[Item], Found | None], items: Sequence[Item], concurrency: int
) -> list[Found | None]:
    """Returns ``work`` of each item as `in_parallel`; None for one that alone cannot be read.

    :raises SyncError: not one can be, and `_TRIED` were tried: what was wrong with the last.
    """
    tally = _Tally()
    return in_parallel(lambda item: tally.tried(work, item), items, concurrency)


class _Tally:
    """How many items failed before any succeeded."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failed = 0
        self._succeeded = False

    def tried(self, work: Callable[[Item], Found | None], item: Item) -> Found | None:
        """Returns ``work`` of an item, None where it fails."""
        try:
            found = work(item)
        except (Malformed, Failing, IncompleteRead) as error:
            with self._lock:
                self._failed += 1
                concerns_all = self._failed >= _TRIED and not self._succeeded
            if concerns_all:
                raise
            _LOG.warning("%s is left out: %s", item, error)
            return None
        self._succeeded = True
        return found
