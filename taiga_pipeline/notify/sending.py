"""Gives one message to one channel, in a process of its own.

Why a process: the library that knows the channels reaches machines by itself. In a process that
does nothing else, every connection is checked against the machines that the configuration names
(`child`), whatever the library does; one that hangs is ended; and its memory has a bound. It gets
the address on its input, and none of the environment's secrets.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from sync.state.outbox import MessageStatus
from taiga_pipeline.notify.channels import Channel
from taiga_pipeline.notify.text import body_text, title_line, without_markup

PACKAGE: Final = "apprise"
EXTRA: Final = "messages"
_CHILD: Final = "taiga_pipeline.notify.child"
_KEPT: Final = (
    *("PYTHONPATH", "PYTHONHOME", "SYSTEMROOT", "TZ", "LD_LIBRARY_PATH"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
)
_START_SECONDS: Final = 30.0
"""How long the process may take to load what it needs, on a machine that is busy."""
_LONGEST_ANSWER: Final = 2000


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of a message. `MessageStatus.DUE`: it certainly did not leave; try again."""

    status: MessageStatus
    detail: str = ""


class Sender(Protocol):
    """Gives messages to channels. Never raises because of a channel."""

    def __call__(self, channel: Channel, title: str, text: str) -> Delivery:
        """Sends a message; returns what became of it."""


@dataclass(frozen=True, slots=True)
class ChildSender:
    """Sends each message in a process of its own, which may take ``seconds``."""

    seconds: float
    environment: Mapping[str, str]

    def __call__(self, channel: Channel, title: str, text: str) -> Delivery:
        """Sends a message; returns what became of it."""
        order = json.dumps(_order(channel, title, text, self.seconds))
        command = [sys.executable, "-P", "-m", _CHILD]
        try:
            done = subprocess.run(  # noqa: S603 - this interpreter, and a module of ours
                command,
                input=order.encode(),
                capture_output=True,
                timeout=self.seconds + _START_SECONDS,
                env=self._kept(),
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Delivery(MessageStatus.LOST, f"no answer within {self.seconds:g} seconds")
        except OSError as error:
            return Delivery(MessageStatus.DUE, f"no process was started: {error.strerror}")
        return _read(done.stdout, done.returncode)

    def _kept(self) -> dict[str, str]:
        kept = {name: value for name in _KEPT if (value := self.environment.get(name))}
        return {**kept, "NETRC": os.devnull, "LC_ALL": "C.UTF-8", "PYTHONUTF8": "1"}


def _order(channel: Channel, title: str, text: str, seconds: float) -> dict[str, object]:
    title, text = title_line(title), body_text(text)
    if not channel.is_plain:
        title, text = without_markup(title), without_markup(text)
    return {
        "address": channel.address.reveal(),
        "hosts": sorted(channel.hosts),
        "seconds": seconds,
        "title": title,
        "text": text,
    }


def _read(answer: bytes, code: int) -> Delivery:
    try:
        data = json.loads(answer[:_LONGEST_ANSWER])
        return Delivery(MessageStatus(data["status"]), str(data["detail"]))
    except (ValueError, KeyError, TypeError):
        return Delivery(MessageStatus.LOST, f"the sending process ended with {code}")
