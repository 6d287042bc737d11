"""A server that sends a byte now and then does not hold a request forever."""

from __future__ import annotations

import itertools
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from types import SimpleNamespace
from typing import Protocol

import pytest

from sync.clock import SystemClock
from sync.errors import OutcomeUnknown
from taiga_pipeline.http import deadline
from taiga_pipeline.http.transport import Transport
from tests.targets.support import TOKEN

SILENCE = 0.1
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 400\r\n"


class Drip(Protocol):
    """Starts a server, and returns what asks it."""

    def __call__(self, at_once: bytes, drop: bytes, silence: float = SILENCE) -> Transport: ...


@pytest.fixture
def dripping() -> Iterator[Drip]:
    """Starts a server that sends some bytes at once and others drop by drop, without an end."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(120)
    ended = threading.Event()
    threads: list[threading.Thread] = []
    transports: list[Transport] = []

    def serve(at_once: bytes, drop: bytes) -> None:
        with suppress(OSError):
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(at_once)
                until = time.monotonic() + 120
                while not ended.wait(SILENCE / 4) and time.monotonic() < until:
                    connection.sendall(drop)

    def start(at_once: bytes, drop: bytes, silence: float = SILENCE) -> Transport:
        threads.append(threading.Thread(target=serve, args=(at_once, drop)))
        threads[-1].start()
        host, port = listener.getsockname()
        base = f"http://{host}:{port}"
        connection = replace(TOKEN, url=base, timeout_seconds=silence)
        transports.append(Transport(base, connection, SystemClock()))
        return transports[-1]

    yield start
    ended.set()
    listener.close()
    for thread in threads:
        thread.join()
    for transport in transports:
        transport.close()


@pytest.mark.parametrize(
    ("at_once", "drop"),
    [
        (b"", b"H"),
        (b"HTTP/1.1 ", b"2"),
        (HEAD, b"X-More: 1\r\n"),
        (HEAD + b"X-Long: ", b"x"),
        (HEAD + b"\r\n", b" "),
        (HEAD.replace(b"Content-Length: 400", b"Transfer-Encoding: chunked") + b"\r\n", b"0"),
    ],
    ids=["nothing", "status", "headers", "a header", "body", "length of a piece"],
)
def test_an_answer_that_drips_is_given_up(dripping: Drip, at_once: bytes, drop: bytes) -> None:
    transport = dripping(at_once, drop)
    with pytest.raises(OutcomeUnknown, match=r"within 0\.4 s; if the server is that slow"):
        transport.send("POST", "projects", body={})


def test_an_answer_that_comes_slowly_but_in_time_is_taken(
    dripping: Drip, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several silences together may be longer than one is allowed to be."""
    reads = itertools.count()
    # Half a silence passes with each read, however fast this machine is.
    monkeypatch.setattr(deadline, "time", SimpleNamespace(monotonic=lambda: 30.0 * next(reads)))
    transport = dripping(HEAD.replace(b"400", b"5") + b"\r\n[", b" " * 3 + b"]", 60.0)
    assert transport.send("GET", "projects").data == []
    assert 2 < next(reads) <= 8
