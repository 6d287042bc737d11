"""An Odoo that answers from memory, and the source that reads it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from taiga_pipeline.pipeline.model import Deal
from taiga_pipeline.sources.odoo.source import OdooSource
from taiga_pipeline.sources.registry import create
from tests.odoo.fake import DATABASE, KEY, LOGIN, URL, FakeOdoo
from tests.targets.support import ManualClock

Make = Callable[..., OdooSource]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(params=[14, 19], ids=["14", "19"])
def odoo(request: pytest.FixtureRequest, clock: ManualClock) -> Iterator[FakeOdoo]:
    """Odoo 14, which knows JSON-RPC alone, and Odoo 19, which is asked by JSON-2."""
    fake = FakeOdoo(version=request.param, now=clock.now)
    mock = fake.answer()
    mock.start()
    yield fake
    mock.stop(allow_assert=False)


@pytest.fixture
def make(odoo: FakeOdoo, tmp_path: Path, clock: ManualClock) -> Make:
    """Makes the source; settings may be changed."""

    def make(**changes: object) -> OdooSource:
        settings = {
            "url": URL,
            "database": DATABASE,
            "username": LOGIN,
            "token_env": "KEY",
            "folder": str(tmp_path),
            "environment": {"KEY": KEY, "WRONG": "hunter2"},
            **changes,
        }
        source = create("odoo", settings, clock)
        assert isinstance(source, OdooSource)
        return source

    return make


def read(source: OdooSource) -> dict[str, Deal]:
    """Returns the deals by key."""
    return {deal.key: deal for deal in source.read().deals}
