"""The process that gives one message to one channel; see `taiga_pipeline.notify.sending`.

Reads the order from its input and prints what became of it. Nothing that the library or a server
says is passed on but numbers: it could hold parts of the address.
"""

from __future__ import annotations

import json
import logging
import os
import resource
import signal
import smtplib
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any, Final

import requests
from apprise import Apprise, AppriseAsset, NotifyFormat

from sync.state.outbox import MessageStatus
from taiga_pipeline.notify.text import shorter

_MEMORY: Final = 2 << 30
_LONGEST_BODY: Final = 64 << 10
_GO_ON: Final = (334, 354)
"""Answers of mail servers that wait for more."""
_STARTS: Final = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork")
_REACHES: Final = ("socket.connect", "socket.sendto", "socket.sendmsg")


class NotNamed(OSError):
    """Something wanted to reach a machine that the configuration does not name."""


@dataclass
class Guard:
    """Lets this process reach the machines ``hosts`` alone, and notes what it came to."""

    hosts: frozenset[str]
    refused: str = ""
    connected: bool = False
    answers: list[int] = field(default_factory=list)
    _resolved: set[str] = field(default_factory=set)

    def install(self) -> None:
        """Puts itself before every name that is resolved, and every connection."""
        resolve, connect = socket.getaddrinfo, socket.socket.connect

        def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
            self._check(host)
            found = resolve(host, *args, **kwargs)
            self._resolved.update(str(each[4][0]) for each in found)
            return found

        def connected(this: socket.socket, address: Any) -> None:
            connect(this, address)
            self.connected = True

        socket.getaddrinfo = getaddrinfo
        socket.socket.connect = connected  # type: ignore[method-assign,assignment]
        sys.addaudithook(self._audit)

    def _check(self, host: Any) -> None:
        name = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host or "")
        if name.rstrip(".").lower() not in self.hosts:
            self._refuse(name)

    def _refuse(self, name: str) -> None:
        self.refused = self.refused or name or "this machine"
        raise NotNamed(f"{name} is not named")

    def _audit(self, event: str, args: tuple[Any, ...]) -> None:
        if event in _STARTS:
            self._refuse("another program")
        if event not in _REACHES:
            return
        address = args[1]
        if not isinstance(address, tuple):  # a socket of this machine, or none given
            if address is not None:
                self._refuse("a socket of this machine")
            return
        if address[0] not in self._resolved and not self._is_named(str(address[0])):
            self._refuse(str(address[0]))

    def _is_named(self, text: str) -> bool:
        try:
            return str(ip_address(text)) in self.hosts
        except ValueError:
            return False


def main() -> None:
    """Sends what the input orders; prints the outcome as one JSON object."""
    order = json.load(sys.stdin)
    _bound(float(order["seconds"]))
    logging.disable(logging.CRITICAL)
    answer, sys.stdout = sys.stdout, sys.stderr  # what the library prints is no answer
    guard = Guard(frozenset(order["hosts"]))
    try:
        status, detail = send(order, guard)
    except Exception as error:
        # Its text could hold parts of the address.
        status = MessageStatus.LOST if guard.connected else MessageStatus.DUE
        detail = f"unexpected {type(error).__name__}"
    print(json.dumps({"status": status.value, "detail": detail}), file=answer, flush=True)


def _bound(seconds: float) -> None:
    """Ends this process if it takes too long, or too much memory."""
    signal.setitimer(signal.ITIMER_REAL, seconds)
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = _MEMORY if hard == resource.RLIM_INFINITY else min(_MEMORY, hard)
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))


def send(order: dict[str, Any], guard: Guard) -> tuple[MessageStatus, str]:
    """Sends one message; returns what became of it, and why."""
    asset = AppriseAsset(
        app_id="pipeline-sync",
        app_desc="pipeline-sync",
        app_url="",
        image_url_mask="",
        image_url_logo="",
        async_mode=False,
        http_redirects=False,
        interpret_escapes=False,
        interpret_emojis=False,
        allow_templates=False,
        storage_mode="memory",
    )
    guard.install()
    _watch_http(requests.Session, guard.answers)
    _watch_mail(guard.answers)
    plugin = Apprise.instantiate(order["address"], asset=asset, suppress_exceptions=True)
    if plugin is None:
        return MessageStatus.REFUSED, "the address is none that Apprise understands"
    plugin.notify_format, plugin.retry, plugin.redirects = NotifyFormat.TEXT, 0, False
    text = shorter(order["text"], int(plugin.body_maxlen) - len(order["title"]) - 2)
    channel = Apprise(asset=asset)
    channel.add(plugin)
    sent = channel.notify(title=order["title"], body=text, body_format=NotifyFormat.TEXT)
    return _outcome(bool(sent), guard)


def _outcome(sent: bool, guard: Guard) -> tuple[MessageStatus, str]:
    redirected = [code for code in guard.answers if 300 <= code < 400 and code not in _GO_ON]
    bad = redirected or [code for code in guard.answers if code >= 400]
    if guard.refused:
        return MessageStatus.REFUSED, (
            f"it would have gone to {guard.refused}, which the configuration does not name (a "
            "machine that it may go to belongs in notify.hosts)"
        )
    if redirected or (bad and not sent):
        return MessageStatus.REFUSED, f"the server answered {bad[-1]}"
    if sent:
        return MessageStatus.SENT, ""
    if not guard.connected:
        return MessageStatus.DUE, "the server cannot be reached"
    return MessageStatus.LOST, "the server took the connection, and did not say what became of it"


def _watch_http(session: Any, answers: list[int]) -> None:
    """Notes what servers answer; follows no redirection; reads the beginning of a body only."""
    ask: Callable[..., Any] = session.request

    def request(this: Any, method: str, url: str, **kwargs: Any) -> Any:
        kwargs.update(allow_redirects=False, stream=True)
        response = ask(this, method, url, **kwargs)
        answers.append(response.status_code)
        response._content = response.raw.read(_LONGEST_BODY)
        response._content_consumed = True
        response.close()
        return response

    session.request = request


def _watch_mail(answers: list[int]) -> None:
    """Notes what mail servers answer."""
    read = smtplib.SMTP.getreply

    def getreply(this: smtplib.SMTP) -> tuple[int, bytes]:
        code, said = read(this)
        answers.append(code)
        return code, said

    smtplib.SMTP.getreply = getreply  # type: ignore[method-assign,assignment]


if __name__ == "__main__":
    main()
    os._exit(0)  # whatever threads the library may have left
