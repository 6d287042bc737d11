"""The sandbox's clock: real time, or a time that a test sets and moves."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

_STEP = timedelta(milliseconds=1)


def utc_now() -> datetime:
    """The machine's time, aware, in UTC."""
    return datetime.now(UTC)


class Clock:
    """A clock that can be moved forward and never shows one time to two changes.

    Taiga prints times to the millisecond and takes longer than that for any write; the sandbox
    is faster, so `tick` moves on by at least a millisecond, or a change detector could miss the
    second of two writes.
    """

    def __init__(self, source: Callable[[], datetime] = utc_now) -> None:
        self._source = source
        self._offset = timedelta()
        self._last = datetime.min.replace(tzinfo=UTC)

    def now(self) -> datetime:
        """The present time, aware, in UTC."""
        return self._source() + self._offset

    def tick(self) -> datetime:
        """A time for a change: later than that of every change before it."""
        self._last = max(self.now(), self._last + _STEP)
        return self._last

    def advance(self, seconds: float) -> None:
        """Move the clock forward (or back, if negative)."""
        self._offset += timedelta(seconds=seconds)
