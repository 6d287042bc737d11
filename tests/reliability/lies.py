"""Answers that came whole and are not what was asked for: told to one kind of request at a time.

The server has done what it was asked, and only its answer is another one, as a gateway, a proxy or
another version would send it. So the lies are told behind the server: in what the HTTP client has
read. They are the same for every server, and for one that answers from memory.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from taiga_pipeline.http import transport

Change = Callable[[bytes], bytes]
DEEP = 10_000


@dataclass(frozen=True, slots=True, order=True)
class Ask:
    """A kind of request: a method, and an address without its numbers."""

    method: str
    path: str

    @classmethod
    def of(cls, request: requests.PreparedRequest) -> Ask:
        parts = urlsplit(str(request.url))
        path = re.sub(r"/\d+(?=[/.]|$)", "/7", parts.path.removeprefix("/api/v1"))
        kind = "?project" if "project=" in parts.query else ""
        if path.endswith("/jsonrpc.php"):  # the methods that are called
            kind = f"?{parts.query}"
        return cls(str(request.method), re.sub(r"/ps-[^/.]+", "/ps-x", path) + kind)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass
class Lies:
    """What is asked, and what is answered instead."""

    heard: dict[Ask, bytes] | None = None
    about: Ask | None = None
    change: Change = field(default=lambda body: body)
    count: int = 0

    def lie(self, about: Ask, change: Change) -> None:
        """Answers every request of a kind with something else from now on."""
        self.about, self.change, self.count = about, change, 0

    def stop(self) -> None:
        self.about = None

    @contextmanager
    def listen(self) -> Iterator[dict[Ask, bytes]]:
        """Keeps the longest answer to each kind of request: which is first may change."""
        self.heard = answers = {}
        yield answers
        self.heard = None

    def body(self, response: requests.Response, read: Callable[..., bytes], most: float) -> bytes:
        content = read(response, most)
        if not 200 <= response.status_code < 300 or not content:
            return content
        ask = Ask.of(response.request)
        if self.heard is not None:
            self.heard[ask] = max(self.heard.get(ask, b""), content, key=len)
        if ask != self.about:
            return content
        changed = self.change(content)
        self.count += changed != content
        return changed


@contextmanager
def lies_on_the_wire() -> Iterator[Lies]:
    """Lets what the HTTP client reads be changed."""
    lies, read = Lies(), transport.read_body
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transport, "read_body", lambda r, most: lies.body(r, read, most))
        yield lies


WHOLE: Mapping[str, bytes] = {
    "{}": b"{}",
    "[]": b"[]",
    "null": b"null",
    "[null]": b"[null]",
    "[7]": b"[7]",
    "[[]]": b"[[]]",
    "a text": b'"ok"',
    "a number": b"7",
    "true": b"true",
    "a status": b'{"status": "ok"}',
    "an error with 200": b'{"_error_message": "no", "errors": ["no"]}',
    "NaN": b"NaN",
    "not JSON": b"<html>Sign in</html>",
    "not UTF-8": b'{"id": "\xff\xfe"}',
    "deep lists": b"[" * DEEP + b"]" * DEEP,
    "deep objects": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "deep enough to be read": b'{"id": ' + b"[" * 500 + b"]" * 500 + b"}",
    "5,000 digits": b"9" * 5000,
    "an infinite number": b'{"id": 1e999}',
}
"""What is in an answer's place."""


def _text(value: Any) -> Any:
    return str(value) if _is_number(value) else value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_MISSING = object()

FIELDS: Mapping[str, Callable[[Any], Any]] = {
    "is missing": lambda value: _MISSING,
    "is an object": lambda value: {"unexpected": True},
    "is a list": lambda value: [["unexpected"]],
    "is a number as text": _text,
    "is a number for a text": lambda value: 7 if isinstance(value, str) else value,
    "is a huge number": lambda value: 10**30 if _is_number(value) else value,
    "has 5,000 digits": lambda value: 10**4000 if _is_number(value) else value,
    "is below zero": lambda value: -1 if _is_number(value) else value,
    "is true": lambda value: True if _is_number(value) else value,
    "is no number": lambda value: float("nan") if _is_number(value) else value,
}
"""What is in the place of one field of an answer's first object."""


def fields_of(body: bytes) -> list[str]:
    """Returns the names of the fields of an answer's first object."""
    row = _first(json.loads(body))
    return sorted(row) if row else []


def in_place_of(name: str, change: Callable[[Any], Any]) -> Change:
    """Returns what changes one field of an answer's first object."""

    def changed(body: bytes) -> bytes:
        data = json.loads(body)
        row = _first(data)
        if not row or name not in row:
            return body
        value = change(row[name])
        if value is _MISSING:
            del row[name]
        else:
            row[name] = value
        return json.dumps(data).encode()

    return changed


def _first(data: Any) -> dict[str, Any] | None:
    """Returns the first object, also where it is in a list or under its own name."""
    if isinstance(data, list):
        return _first(data[0]) if data else None
    if not isinstance(data, dict):
        return None
    inner = [value for value in data.values() if isinstance(value, dict | list)]
    wrapped = len(data) == 1 or "total_count" in data or "jsonrpc" in data
    return _first(inner[0]) if wrapped and inner else data
