"""A Taiga to test the adapter with: the sandbox, or the real one that the command line names."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator

import pytest

from sync.clock import SystemClock
from taiga_pipeline.credentials import Secret
from taiga_pipeline.http.connection import Connection
from taiga_pipeline.sandbox.embedded import Sandbox
from tests.targets.support import ManualClock
from tests.targets.taiga.account import Account


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A sandbox that a test may disturb."""
    with Sandbox() as running:
        yield running


@pytest.fixture
def bot(sandbox: Sandbox) -> Iterator[Account]:
    """The connector's account in `sandbox`; no one really waits."""
    account = Account(_in_sandbox(sandbox), ManualClock())
    yield account
    account.close()


@pytest.fixture(scope="session")
def shared_sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def taiga(request: pytest.FixtureRequest) -> Iterator[Account]:
    """The connector's account in any Taiga; everything it makes is deleted afterwards."""
    if request.config.getoption("--taiga-url"):
        account = Account(_real(request.config), SystemClock())
    else:
        account = Account(_in_sandbox(request.getfixturevalue("shared_sandbox")), ManualClock())
    yield account
    account.delete_projects()
    account.close()


def _in_sandbox(sandbox: Sandbox) -> Connection:
    return Connection(
        sandbox.url,
        f"p{uuid.uuid4().hex[:8]}",
        username=sandbox.username,
        password=Secret(sandbox.password),
        timeout_seconds=60,
    )


def _real(config: pytest.Config) -> Connection:
    variable = config.getoption("--taiga-password-env") or ""
    return Connection(
        config.getoption("--taiga-url"),
        f"p{uuid.uuid4().hex[:8]}",
        username=config.getoption("--taiga-user") or "",
        password=Secret(os.environ.get(variable, "")),
    )
