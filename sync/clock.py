"""The one clock. Everything that needs the time, or needs to wait, is given a `Clock`."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from sync.errors import Interrupted

SKEW: Final = timedelta(minutes=1)
"""How far clocks may be apart, or be set back, without being wrong. What was noted for later than
that from now on was noted by a clock that was wrong."""


_LOOK_SECONDS: Final = 0.1


class Clock(Protocol):
    """A source of time."""

    def now(self) -> datetime:
        """Returns the present time, aware, in UTC."""

    def monotonic(self) -> float:
        """Returns seconds that only ever grow."""

    def sleep(self, seconds: float) -> None:
        """Waits for ``seconds``."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Returns the present time, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Returns seconds that only ever grow."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Waits for ``seconds``."""
        time.sleep(seconds)


def is_the_machines(clock: Clock) -> bool:
    """Whether a clock is the machine's own, and not one that someone moves."""
    return type(clock) is SystemClock


def is_ahead(noted: datetime | None, now: datetime) -> bool:
    """Whether a time that was noted is still to come: a clock was wrong, then or now."""
    return noted is not None and noted > now + SKEW


class EndOfRun(threading.Event):
    """What ends one run: set by the run itself, or with ``outside``, which the run leaves alone.

    Whoever asked for the run can tell by ``outside`` whether somebody wanted it to end, and may
    give the same to the next run.
    """

    def __init__(self, outside: threading.Event) -> None:
        super().__init__()
        self._outside = outside

    def is_set(self) -> bool:
        """Whether either is set."""
        return super().is_set() or self._outside.is_set()

    def wait(self, timeout: float | None = None) -> bool:
        """Waits until either is set, or ``timeout`` seconds are over; returns whether one is."""
        until = None if timeout is None else time.monotonic() + timeout
        while not self.is_set():
            left = _LOOK_SECONDS if until is None else until - time.monotonic()
            if left <= 0:
                return False
            super().wait(min(left, _LOOK_SECONDS))
        return True


class StoppableClock:
    """A clock on which no one waits any longer once ``stop`` is set."""

    def __init__(self, clock: Clock, stop: threading.Event) -> None:
        self._clock = clock
        self._stop = stop

    def now(self) -> datetime:
        """Returns the present time, aware, in UTC."""
        return self._clock.now()

    def monotonic(self) -> float:
        """Returns seconds that only ever grow."""
        return self._clock.monotonic()

    def sleep(self, seconds: float) -> None:
        """Waits for ``seconds``.

        :raises Interrupted: the stop came first.
        """
        if isinstance(self._clock, SystemClock):
            self._stop.wait(seconds)
        elif not self._stop.is_set():
            self._clock.sleep(seconds)
        if self._stop.is_set():
            raise Interrupted(f"stopped during a wait of {seconds:.0f} s")
