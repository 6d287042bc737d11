"""A heartbeat's server cannot hold a run, whatever it sends."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest

from sync.run.runner import Outcome
from taiga_pipeline.app import monitoring

SILENCE = 0.1
PATIENCE = 120.0
"""When the server has had enough, in seconds."""
Drip = Callable[[bytes, bytes], str]


@pytest.fixture
def dripping() -> Iterator[Drip]:
    """Starts a server that sends some bytes at once and others for as long as somebody listens;
    whoever listens for too long fails the test."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(120)
    ended = threading.Event()
    threads: list[threading.Thread] = []
    held: list[str] = []

    def serve(at_once: bytes, drop: bytes) -> None:
        with suppress(OSError):
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(at_once)
                until = time.monotonic() + PATIENCE
                while not ended.wait(SILENCE / 4):
                    connection.sendall(drop)
                    if time.monotonic() > until:
                        held.append("somebody listened to the end")
                        return

    def start(at_once: bytes, drop: bytes) -> str:
        threads.append(threading.Thread(target=serve, args=(at_once, drop)))
        threads[-1].start()
        host, port = listener.getsockname()
        return f"http://{host}:{port}/ping/secret-word"

    yield start
    ended.set()
    listener.close()
    for thread in threads:
        thread.join()
    assert held == []


@pytest.mark.parametrize(
    ("at_once", "drop", "warns"),
    [
        (b"", b"H", True),
        (b"HTTP/1.1 200 OK\r\n", b"X-More: 1\r\n", True),
        (b"HTTP/1.1 200 OK\r\nX-Long: ", b"x", True),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 100_000, False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 900000000\r\n\r\n", b" ", False),
        (b"HTTP/1.1 500 No\r\n\r\n", b" ", True),
    ],
    ids=["nothing", "headers", "a header", "a long body", "a slow body", "a failure"],
)
def test_a_heartbeat_that_does_not_end_is_left_alone(
    dripping: Drip,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    at_once: bytes,
    drop: bytes,
    warns: bool,
) -> None:
    # What comes at once comes late on a busy machine; what never comes, never.
    monkeypatch.setattr(monitoring, "_SECONDS", SILENCE if warns else PATIENCE)
    address = dripping(at_once, drop)
    settings = SimpleNamespace(
        monitoring=SimpleNamespace(heartbeat_address=lambda environment: address)
    )
    context: Any = SimpleNamespace(settings=settings, environment={})
    result: Any = SimpleNamespace(outcome=Outcome.DONE)
    monitoring.send_heartbeat(context, result)
    assert bool(caplog.records) is warns
    assert "secret-word" not in caplog.text
    assert all(record.levelno == logging.WARNING for record in caplog.records)
