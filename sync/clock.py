"""The one clock. Everything that needs the time, or needs to wait, is given a `Clock`."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


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
