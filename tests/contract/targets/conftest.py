"""Which targets the suite runs against.

The in-memory target, the sandbox and a Redmine that answers from memory are always there; a real
Taiga and a live Redmine when the command line names them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from sync.clock import SystemClock
from taiga_pipeline.credentials import Secret
from taiga_pipeline.http.connection import Connection
from taiga_pipeline.sandbox.embedded import Sandbox
from tests.contract.targets.account import Account
from tests.contract.targets.accounts import (
    LABELS,
    InMemoryAccount,
    RedmineAccount,
    TaigaAccount,
    new_pipeline,
)
from tests.targets.redmine.fake import KEY, URL, FakeRedmine
from tests.targets.support import ManualClock

Make = Callable[[pytest.FixtureRequest], Account]


_OPTIONS = {"taiga": "--taiga-url", "live redmine": "--redmine-url"}
"""What names the servers that are not always there."""


def missing(config: pytest.Config, name: str) -> str:
    """Returns the option that would bring a target into the suite, "" if it is in it."""
    option = _OPTIONS.get(name, "")
    return "" if not option or config.getoption(option) else option


@pytest.fixture(scope="session")
def suite_sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


def _memory(request: pytest.FixtureRequest) -> Account:
    return InMemoryAccount()


def _sandbox(request: pytest.FixtureRequest) -> Account:
    sandbox: Sandbox = request.getfixturevalue("suite_sandbox")
    password = Secret(sandbox.password)
    connection = Connection(
        sandbox.url,
        new_pipeline(),
        username=sandbox.username,
        password=password,
        labels=LABELS,
    )
    return TaigaAccount(connection, ManualClock())


def _real_taiga(request: pytest.FixtureRequest) -> Account:
    option = request.config.getoption
    password = Secret(os.environ.get(option("--taiga-password-env") or "", ""))
    connection = Connection(
        option("--taiga-url"),
        new_pipeline(),
        username=option("--taiga-user"),
        password=password,
        labels=LABELS,
    )
    return TaigaAccount(connection, SystemClock())


def _made_up_redmine(request: pytest.FixtureRequest) -> Account:
    clock = ManualClock()
    fake = FakeRedmine(now=clock.now)
    mock = fake.answer()
    mock.start()
    request.addfinalizer(lambda: mock.stop(allow_assert=False))
    connection = Connection(URL, new_pipeline(), token=Secret(KEY), labels=LABELS)
    return RedmineAccount(connection, clock)


def _live_redmine(request: pytest.FixtureRequest) -> Account:
    connection = replace(request.getfixturevalue("live_redmine"), labels=LABELS)
    return RedmineAccount(connection, SystemClock())


_ACCOUNTS: dict[str, Make] = {
    "memory": _memory,
    "sandbox": _sandbox,
    "taiga": _real_taiga,
    "redmine": _made_up_redmine,
    "live redmine": _live_redmine,
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Runs each case against the targets that are there; `test_reach` tells of the others."""
    if "account" in metafunc.fixturenames:
        there = [name for name in _ACCOUNTS if not missing(metafunc.config, name)]
        metafunc.parametrize("account", there, indirect=True)


@pytest.fixture
def account(request: pytest.FixtureRequest) -> Iterator[Account]:
    """The connector's account in one target; everything it makes is deleted afterwards."""
    made = _ACCOUNTS[request.param](request)
    yield made
    made.clean_up()
