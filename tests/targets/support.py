"""What the tests of targets share: a clock that only tests move, and a way to build a client."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from taiga_pipeline.credentials import Secret
from taiga_pipeline.http.connection import Connection
from taiga_pipeline.targets.taiga.client import Client

URL = "https://taiga.example.test"
API = f"{URL}/api/v1"
TOKEN = Connection(URL, "acme", token=Secret("token-of-the-bot"))
PASSWORD = Connection(URL, "acme", username="bot", password=Secret("s3cret-word"))


class ManualClock:
    """Time stands still until someone sleeps; no one really waits."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self._now = 0.0
        self._lock = threading.Lock()

    def now(self) -> datetime:
        return datetime(2026, 11, 23, tzinfo=UTC) + timedelta(seconds=self._now)

    def monotonic(self) -> float:
        return self._now

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.slept.append(seconds)
            self._now += seconds


def build_client(clock: ManualClock, connection: Connection = TOKEN, **changes: object) -> Client:
    """Returns a client for ``connection`` with ``changes``, whose waits have no chance in them."""
    return Client(replace(connection, **changes), clock, chance=lambda: 0.0)  # type: ignore[arg-type]
