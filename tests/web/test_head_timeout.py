"""Connections on which nothing comes."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.web import head_timeout
from taiga_pipeline.web.access.door import Door
from taiga_pipeline.web.access.people import Person, Role
from taiga_pipeline.web.serving import bind, server_of
from tests.web.conftest import site_of

HEAD = b"POST /intake HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n"


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
    with closing(socket.create_connection(address, 20)) as caller:
        caller.sendall(said)
        assert caller.recv(100) == b""


def test_whose_request_is_under_way_is_waited_for(address: tuple[str, int]) -> None:
    with closing(socket.create_connection(address, 20)) as caller:
        caller.sendall(HEAD)
        caller.settimeout(0.15)  # three times as long as a head may take
        with pytest.raises(TimeoutError):
            caller.recv(100)
        caller.settimeout(20)
        caller.sendall(b"{}")
        assert caller.recv(100).startswith(b"HTTP/1.1 404")  # no intake here
        caller.sendall(b"GET /")
        while caller.recv(10_000):  # the rest of the answer, then the end
            pass
