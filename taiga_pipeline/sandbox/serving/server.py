"""The socket side: HTTP/1.1 over loopback, one thread per connection."""

import contextlib
import socket
import struct
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from taiga_pipeline.sandbox.serving.application import Delivery, Transport
from taiga_pipeline.sandbox.serving.wire import Request, Response

Handler = Callable[[Request], Delivery]
_DRIP_PIECES = 10
_NO_BODY = (204, 304)
_LINGER_ZERO = struct.pack("ii", 1, 0)


class SandboxServer(ThreadingHTTPServer):
    """A server that passes each request to `handler`; `close_connections` ends each connection
    at once.
    """

    daemon_threads = True
    request_queue_size = 128
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], handler: Handler, close_connections: bool) -> None:
        self.handler = handler
        self.close_connections = close_connections
        self.stopping = threading.Event()
        self._connections: set[socket.socket] = set()
        self._guard = threading.Lock()
        super().__init__(address, _Connection)

    def server_bind(self) -> None:
        """Bind without the reverse look-up of the own name that http.server makes."""
        socket_server_bind(self)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection, so that `stop` can end it."""
        with self._guard:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget the connection."""
        with self._guard:
            self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep quiet about clients that went away; anything else is a fault of the sandbox."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    def stop(self) -> None:
        """Stop accepting, end open connections, free the port."""
        self.stopping.set()
        self.shutdown()
        with self._guard:
            open_connections = list(self._connections)
        for connection in open_connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.server_close()


def socket_server_bind(server: SandboxServer) -> None:
    """`TCPServer.server_bind` and the two names that `HTTPServer` would look up."""
    server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.socket.bind(server.server_address)
    server.server_address = server.socket.getsockname()
    host, port = server.server_address[:2]
    server.server_name, server.server_port = str(host), port


class _Connection(BaseHTTPRequestHandler):
    server: SandboxServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 1 << 16

    def __getattr__(self, name: str) -> Callable[[], None]:
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def log_message(self, format: str, *args: object) -> None:
        """Write nothing; the sandbox has a log of its own."""

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length) if length else b""
        request = Request.of(
            self.command, self.path, dict(self.headers.items()), body, self.client_address[0]
        )
        self._send(self.server.handler(request))

    def _send(self, delivery: Delivery) -> None:
        if delivery.transport in (Transport.CLOSE, Transport.RESET):
            self._hang_up(delivery)
            return
        self._send_head(delivery.response, delivery.transport)
        body = b"" if self.command == "HEAD" else delivery.response.body
        if delivery.transport is Transport.CUT:
            self.wfile.write(body[: len(body) // 2])
            self.close_connection = True
        elif delivery.transport is Transport.DRIP:
            self._drip(body, delivery.seconds)
        else:
            self.wfile.write(body)

    def _send_head(self, response: Response, transport: Transport) -> None:
        self.send_response_only(response.status)
        if response.content_type:
            self.send_header("Content-Type", response.content_type)
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("Vary", "Accept-Language")
        self.send_header("Content-Language", "en")
        if response.status not in _NO_BODY or not response.body:
            length = len(response.body) + (not response.body and transport is Transport.CUT)
            self.send_header("Content-Length", str(length))
        if self.server.close_connections:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()

    def _drip(self, body: bytes, seconds: float) -> None:
        size = max(1, len(body) // _DRIP_PIECES)
        for start in range(0, len(body), size):
            self.wfile.write(body[start : start + size])
            self.wfile.flush()
            self.server.stopping.wait(seconds / _DRIP_PIECES)

    def _hang_up(self, delivery: Delivery) -> None:
        self.server.stopping.wait(delivery.seconds)
        if delivery.transport is Transport.RESET:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
            self.connection.close()
        self.close_connection = True
