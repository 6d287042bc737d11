"""Several requests at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

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
