"""Options of the test run, and the rule that tests reach nothing beyond this machine."""

from __future__ import annotations

import gc
import ipaddress
import os
import socket
import uuid
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from taiga_pipeline.credentials import Secret
from taiga_pipeline.http.connection import Connection
from taiga_pipeline.language.choosing import VARIABLES
from tests.live.leaving_out import leave_out

os.environ["TZ"] = "UTC"  # which day it is must not depend on the machine
for _variable in VARIABLES:  # nor must the language
    os.environ.pop(_variable, None)
os.environ["LANG"] = "C.UTF-8"

pytest_plugins = (
    "tests.compiling",
    "tests.memory",
    "tests.figures",
    "tests.profiles",
    "tests.second_try",
    "tests.live.postgresql",
    "tests.live.tryton",
    "tests.live.odoo",
)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection() -> Generator[None, object, object]:
    """Keep the garbage collector out meanwhile: next to nothing of what is made is dropped."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


def pytest_collection_finish() -> None:
    """Take the thousands of collected cases out of the garbage collector's sight.

    They live until the end; to walk through them again and again is a fifth of a run's work.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("taiga", "contract cases against a real Taiga")
    group.addoption("--taiga-url", help="address of a Taiga server, without /api/v1")
    group.addoption("--taiga-user", help="a plain account there whose e-mail is verified")
    group.addoption("--taiga-password-env", help="environment variable with its password")
    group.addoption("--taiga-outsider", help="a second account, for what others must not see")
    group.addoption("--taiga-outsider-password-env", help="environment variable with its password")
    group = parser.getgroup("targets", "the suite for targets, against one of your own")
    group.addoption("--target-account", help="its account there, as module:Class")
    group.addoption("--source-place", help="a place where your source reads, as module:Class")
    group = parser.getgroup("redmine", "the suite for targets, and more, against a live Redmine")
    group.addoption("--redmine-url", help="address of a Redmine, set up by tests/live/redmine.sh")
    group.addoption("--redmine-key-env", help="environment variable with an administrator's key")
    group = parser.getgroup("kanboard", "the suite for targets, and more, against a live Kanboard")
    group.addoption("--kanboard-url", help="address of a Kanboard that .ci/kanboard set up")
    group.addoption("--kanboard-token-env", help="environment variable with its API token")


def _is_local(address: Any) -> bool:
    if not isinstance(address, tuple):
        return True  # a Unix socket's path
    host = str(address[0])
    if host in ("", "localhost"):
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False


@pytest.fixture(autouse=True)
def loopback_only(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Refuse connections to other machines, except to servers that the command line names."""
    if any(
        request.config.getoption(name)
        for name in ("--taiga-url", "--redmine-url", "--kanboard-url")
    ):
        return
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex

    def check(address: Any) -> None:
        if not _is_local(address):
            raise RuntimeError(f"a test tried to reach {address!r}; tests stay on this machine")

    def guarded(self: socket.socket, address: Any) -> None:
        check(address)
        connect(self, address)

    def guarded_ex(self: socket.socket, address: Any) -> int:
        check(address)
        return connect_ex(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)
    monkeypatch.setattr(socket.socket, "connect_ex", guarded_ex)


@pytest.fixture(scope="session")
def live_redmine_url(request: pytest.FixtureRequest) -> str:
    """The address of a live Redmine; a test that asks for it is left out where there is none."""
    url = request.config.getoption("--redmine-url")
    if not url:
        leave_out("redmine", "--redmine-url is not given (see .ci/redmine)")
    return str(url).rstrip("/")


@pytest.fixture
def live_redmine(request: pytest.FixtureRequest, live_redmine_url: str) -> Connection:
    """The way into a live Redmine, for a pipeline of the test's own."""
    key = os.environ.get(request.config.getoption("--redmine-key-env") or "", "")
    if not key:
        raise pytest.UsageError("--redmine-key-env must name a variable that holds an API key")
    return Connection(live_redmine_url, f"p{uuid.uuid4().hex[:8]}", token=Secret(key))


@pytest.fixture
def live_kanboard(request: pytest.FixtureRequest) -> Connection:
    """The way into a live Kanboard, for a pipeline of the test's own."""
    url = request.config.getoption("--kanboard-url")
    if not url:
        leave_out("kanboard", "--kanboard-url is not given (see .ci/kanboard)")
    token = os.environ.get(request.config.getoption("--kanboard-token-env") or "", "")
    if not token:
        raise pytest.UsageError("--kanboard-token-env must name a variable that holds a token")
    address = str(url).rstrip("/")
    return Connection(address, f"p{uuid.uuid4().hex[:8]}", token=Secret(token))


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database that is empty, or not there yet: what holds for one holds for both."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'database.db'}"
    url: str = request.getfixturevalue("postgresql_url")
    return url
