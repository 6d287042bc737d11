"""The end of a process at a crash point, inside the process of the tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sync import crash_points


class Killed(BaseException):
    """The process ends here."""


@contextmanager
def observing(observer: Callable[[str], None]) -> Iterator[None]:
    """Calls ``observer`` at each crash point for as long as the block runs."""
    crash_points.observers.append(observer)
    try:
        yield
    finally:
        crash_points.observers.remove(observer)


def is_killed(run: Callable[[], object], at: int) -> bool:
    """Runs until the crash point of number ``at``; returns whether it got that far.

    From then on nothing happens any more: no clean-up sends or stores anything.
    """
    count = 0

    def observe(name: str) -> None:
        nonlocal count
        count += 1
        if count >= at:
            raise Killed(name)

    with observing(observe):
        try:
            run()
        except Killed:
            return True
    return False
