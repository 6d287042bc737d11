"""Options of the test run, and the rule that tests reach nothing beyond this machine."""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("taiga", "contract cases against a real Taiga")
    group.addoption("--taiga-url", help="address of a Taiga server, without /api/v1")
    group.addoption("--taiga-user", help="a plain account there whose e-mail is verified")
    group.addoption("--taiga-password-env", help="environment variable with its password")
    group.addoption("--taiga-outsider", help="a second account, for what others must not see")
    group.addoption("--taiga-outsider-password-env", help="environment variable with its password")


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
    """Refuse connections to other machines, except to a Taiga that the command line names."""
    if request.config.getoption("--taiga-url"):
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
