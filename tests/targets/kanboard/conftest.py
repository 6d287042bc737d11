"""A Kanboard that answers from memory, and the connector's account in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from taiga_pipeline.credentials import Secret
from taiga_pipeline.http.connection import Connection
from tests.contract.targets.account import Work
from tests.contract.targets.accounts import KanboardAccount
from tests.targets.kanboard.fake import TOKEN, URL, FakeKanboard
from tests.targets.support import ManualClock

CONNECTION = Connection(URL, "acme", token=Secret(TOKEN))


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def kanboard(clock: ManualClock) -> Iterator[FakeKanboard]:
    fake = FakeKanboard(now=clock.now)
    with fake.answer():
        yield fake


@pytest.fixture
def bot(kanboard: FakeKanboard, clock: ManualClock) -> KanboardAccount:
    return KanboardAccount(CONNECTION, clock)


@pytest.fixture
def work(bot: KanboardAccount) -> Work:
    """A project that was made."""
    work = Work(bot, "D-1")
    work.make()
    return work
