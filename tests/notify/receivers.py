"""Receivers of messages on loopback: a chat's webhook or a push service, and a mail server."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Web:
    """What was posted to a server. ``status`` is what it answers, ``location`` where it sends to.

    ``body`` is what it answers with, over and over until ``stopped`` is set if it is ``endless``.
    """

    port: int = 0
    status: int = 200
    location: str = ""
    endless: bool = False
    posts: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)

    @property
    def mattermost(self) -> str:
        """The address of a Mattermost webhook there, with its secret."""
        return f"mmost://127.0.0.1:{self.port}/3ccdd113474722377935511fc85d3dd4"

    @property
    def ntfy(self) -> str:
        """The address of a topic of ntfy there, with an account."""
        return f"ntfy://sales:pass-word-of-ntfy@127.0.0.1:{self.port}/wins"


@dataclass
class Mail:
    """What was mailed to a server."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    refuses: bool = False

    @property
    def address(self) -> str:
        """An address of mail that goes there."""
        return (
            f"mailto://127.0.0.1:{self.port}?from=bot@example.test&to=petra@example.test&mode="
            "insecure"
        )


@contextmanager
def web() -> Iterator[Web]:
    """Starts a server that takes posts."""
    received = Web()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            text = self.rfile.read(length).decode()
            received.posts.append(json.loads(text) if text.startswith("{") else {"text": text})
            received.headers.append(dict(self.headers))
            self.send_response(received.status)
            if received.location:
                self.send_header("Location", received.location)
            self.end_headers()
            while received.endless and not received.stopped.is_set():
                try:
                    self.wfile.write(b" " * 65536)
                except OSError:
                    return
            self.wfile.write(b"ok")

        do_PUT = do_GET = do_POST

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        received.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield received
        received.stopped.set()
        server.shutdown()
        thread.join()


@contextmanager
def mail() -> Iterator[Mail]:
    """Starts a server that takes mails."""
    received = Mail()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._say("220 mail.example.test")
            while line := self.rfile.readline():
                word = line.strip().decode()
                received.lines.append(word)
                if word.upper() == "DATA":
                    self._say("354 go on")
                    self._take()
                elif word.upper().startswith("QUIT"):
                    self._say("221 bye")
                    return
                elif word.upper().startswith("RCPT") and received.refuses:
                    self._say("550 nobody here")
                else:
                    self._say("250 fine")

        def _take(self) -> None:
            lines = []
            while (line := self.rfile.readline()) not in (b".\r\n", b""):
                lines.append(line[1:] if line.startswith(b"..") else line)
            found = message_from_bytes(b"".join(lines), policy=policy.default)
            assert isinstance(found, EmailMessage)
            received.mails.append(found)
            self._say("250 taken")

        def _say(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        received.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield received
        server.shutdown()
        thread.join()
