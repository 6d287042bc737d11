"""https against a server without TLS, and http against one with it: what to write is reported."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import trustme

from sync.clock import SystemClock
from sync.errors import SyncError, Unreachable
from taiga_pipeline.http.connection import Connection
from taiga_pipeline.http.transport import Transport

NGINX = b"<html><body>The plain HTTP request was sent to HTTPS port</body></html>"


class _Handler(BaseHTTPRequestHandler):
    status, body = 200, b"{}"

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """What is not TLS is not a fault of the test."""


@contextmanager
def server(handler: type[_Handler] = _Handler, *, tls: bool) -> Iterator[str]:
    """Yields host and port."""
    with _Server(("127.0.0.1", 0), handler) as running:
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
            running.socket = context.wrap_socket(running.socket, server_side=True)
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"127.0.0.1:{running.server_address[1]}"
        finally:
            running.shutdown()
            thread.join()


def complaint(url: str, section: str = "target") -> str:
    connection = Connection(url=url, pipeline="acme", timeout_seconds=60)
    transport = Transport(url, connection, SystemClock(), section)
    try:
        with pytest.raises(SyncError) as caught:
            transport.send("GET", "projects")
    finally:
        transport.close()
    return str(caught.value)


@pytest.mark.parametrize("section", ["target", "source"])
def test_https_against_a_server_without_tls(section: str) -> None:
    with server(tls=False) as place:
        said = complaint(f"https://{place}", section)
    assert f"does not answer in TLS; if it has no TLS, write http:// in {section}.url" in said
    assert "certificate" not in said


def test_http_against_a_server_with_tls() -> None:
    with server(tls=True) as place:
        assert "write https:// in target.url" in complaint(f"http://{place}")


def test_http_against_a_web_server_that_says_so() -> None:
    class Nginx(_Handler):
        status, body = 400, NGINX

    with server(Nginx, tls=False) as place:
        assert complaint(f"http://{place}").endswith(
            "the server expects TLS; write https:// in target.url"
        )


def test_a_certificate_that_cannot_be_verified_is_another_matter() -> None:
    with server(tls=True) as place:
        assert "the TLS certificate cannot be verified" in complaint(f"https://{place}")


def test_it_is_unreachable_and_not_of_unknown_outcome_where_nothing_can_have_happened() -> None:
    with server(tls=False) as place, pytest.raises(Unreachable):
        url = f"https://{place}"
        Transport(url, Connection(url=url, pipeline="acme"), SystemClock()).send("POST", "projects")
