"""A Tryton that answers from memory, and the source that reads it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from taiga_pipeline.pipeline.model import Deal
from taiga_pipeline.sources.registry import create
from taiga_pipeline.sources.tryton.source import TrytonSource
from tests.sources.tryton.fake import KEY, OUTSIDER_KEY, URL, FakeTryton
from tests.targets.support import ManualClock

Make = Callable[..., TrytonSource]


@pytest.fixture
def tryton() -> Iterator[FakeTryton]:
    fake = FakeTryton()
    mock = fake.answer()
    mock.start()
    yield fake
    mock.stop(allow_assert=False)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def make(tryton: FakeTryton, tmp_path: Path, clock: ManualClock) -> Make:
    """Makes the source; settings may be changed."""

    def make(**changes: object) -> TrytonSource:
        settings = {
            "url": URL,
            "database": "erp",
            "token_env": "KEY",
            "folder": str(tmp_path),
            "environment": {"KEY": KEY, "OUTSIDER": OUTSIDER_KEY, "WRONG": "hunter2"},
            **changes,
        }
        source = create("tryton", settings, clock)
        assert isinstance(source, TrytonSource)
        return source

    return make


def read(source: TrytonSource) -> dict[str, Deal]:
    """Returns the deals by key."""
    return {deal.key: deal for deal in source.read().deals}
