"""A Redmine that answers from memory, and the connector's account in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from taiga_pipeline.credentials import Secret
from taiga_pipeline.http.connection import Connection
from taiga_pipeline.targets.redmine import create
from taiga_pipeline.targets.redmine.adapter import RedmineTarget
from tests.contract.targets.account import Work
from tests.targets.redmine.fake import KEY, ROBOT_KEY, URL, FakeRedmine
from tests.targets.support import ManualClock


class Bot:
    """The connector's account; what `tests.contract.targets.account.Work` needs of it."""

    member = "ana@example.invalid"
    roles = ("Developer", "Manager")
    capabilities = create.capabilities

    def __init__(self, clock: ManualClock, key: str = KEY) -> None:
        self.clock = clock
        self.pipeline = "acme"
        self.target: RedmineTarget = create(Connection(URL, "acme", token=Secret(key)), clock)

    def edit_issue(self, number: str, **places: str) -> None:
        """A person edits an issue."""
        requests.put(
            f"{URL}/issues/{number}.json",
            json={"issue": places},
            headers={"X-Redmine-API-Key": ROBOT_KEY},
            timeout=5,
        ).raise_for_status()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def redmine(clock: ManualClock) -> Iterator[FakeRedmine]:
    fake = FakeRedmine(now=clock.now)
    with fake.answer():
        yield fake


@pytest.fixture
def bot(clock: ManualClock, redmine: FakeRedmine) -> Bot:
    return Bot(clock)


@pytest.fixture
def robot(clock: ManualClock, redmine: FakeRedmine) -> Bot:
    """An account that is not an administrator's."""
    return Bot(clock, ROBOT_KEY)


@pytest.fixture
def work(bot: Bot) -> Work:
    """A project that was made."""
    work = Work(bot, "D-1")  # type: ignore[arg-type]
    work.make()
    return work
