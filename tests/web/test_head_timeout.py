"""Connections on which nothing comes."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress

import pytest

from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.web import head_timeout
from taiga_pipeline.web.access.door import Door
from taiga_pipeline.web.access.people import Person, Role
from taiga_pipeline.web.serving import bind, server_of
from tests.web.conftest import site_of

HEAD = b"POST /intake HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n"
EXPECTING = HEAD[:-2] + b"Expect: 100-continue\r\n\r\n"


@pytest.fixture
def address(deals: Workspace, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, int]]:
    """Where a server of little head_timeout is."""
    monkeypatch.setattr(head_timeout, "HEAD_SECONDS", 0.05)
    with bind("127.0.0.1", 0) as listening:
        server = server_of(site_of(deals, Door(local=Person("sara", Role.ADMIN))))
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        yield listening.getsockname()
        server.should_exit = True
        thread.join()


@pytest.mark.parametrize("said", [b"", b"GET / HT", HEAD[:-2]])
def test_who_connects_and_asks_nothing_is_let_go(address: tuple[str, int], said: bytes) -> None:
    with closing(socket.create_connection(address, 120)) as caller:
        caller.sendall(said)
        assert caller.recv(100) == b""


def test_whose_request_is_under_way_is_waited_for(address: tuple[str, int]) -> None:
    with closing(under_way(address)) as caller:
        caller.settimeout(0.15)  # three times as long as a head may take
        with pytest.raises(TimeoutError):
            caller.recv(100)
        caller.settimeout(120)
        caller.sendall(b"{}")
        assert caller.recv(100).startswith(b"HTTP/1.1 404")  # no intake here
        caller.sendall(b"GET /")
        while caller.recv(10_000):  # the rest of the answer, then the end
            pass


def under_way(address: tuple[str, int]) -> socket.socket:
    """Returns a connection whose server waits for a body (a busy one reads it too late)."""
    until = time.monotonic() + 120
    while time.monotonic() < until:
        caller = socket.create_connection(address, 120)
        caller.sendall(EXPECTING)
        with suppress(ConnectionResetError):
            if caller.recv(100).startswith(b"HTTP/1.1 100"):
                return caller
        caller.close()
    raise AssertionError("no head was read in time")
