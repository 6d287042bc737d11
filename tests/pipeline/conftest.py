"""A store on disk and a clock that stands still until it is moved."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from taiga_pipeline.pipeline.store import DealStore


class StandingClock:
    """Stands at a time; `forward` moves it."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def forward(self, **step: float) -> datetime:
        self.time += timedelta(**step)
        return self.time


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


@pytest.fixture
def store_file(tmp_path: Path) -> Path:
    return tmp_path / "pipeline.db"


@pytest.fixture
def store(database_url: str, clock: StandingClock) -> Iterator[DealStore]:
    store = DealStore.open(database_url, clock, create=True)
    yield store
    store.close()
