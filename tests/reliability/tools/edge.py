"""The edge between the connector and a server in memory: what goes wrong there, and who looks on.

The server itself does what it is asked, or is never asked; only its answer is lost, late or another
one. So every fault is one of the network or of what stands before a server, the same for all tools.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from requests import PreparedRequest

Reply = Any
"""Status, headers and body; or the exception with which the request ends."""

_PAGE: Final = {"Content-Type": "text/html"}


class Fault(Enum):
    """What goes wrong with a request."""

    RESET_BEFORE = "connection reset, no effect"
    RESET_AFTER = "connection reset, but the effect"
    NO_ANSWER_BEFORE = "no answer, no effect"
    NO_ANSWER_AFTER = "no answer, but the effect"
    TRUNCATED = "answer cut in half"
    PAGE = "a web page for an answer"
    HTML_503_BEFORE = "503 in HTML, no effect"
    HTML_500_AFTER = "500 in HTML, but the effect"
    HTML_504_AFTER = "504 in HTML, but the effect"
    THROTTLED = "429 with a wait"
    FORBIDDEN = "403"

    @property
    def has_effect(self) -> bool:
        """Whether the server did what it was asked."""
        return self in _AFTER


_AFTER: Final = {
    Fault.RESET_AFTER,
    Fault.NO_ANSWER_AFTER,
    Fault.TRUNCATED,
    Fault.PAGE,
    Fault.HTML_500_AFTER,
    Fault.HTML_504_AFTER,
}
_INSTEAD: Final[Mapping[Fault, Callable[[], Reply]]] = {
    Fault.RESET_BEFORE: lambda: requests.ConnectionError("reset by the test"),
    Fault.RESET_AFTER: lambda: requests.ConnectionError("reset by the test"),
    Fault.NO_ANSWER_BEFORE: lambda: requests.ReadTimeout("no answer, by the test"),
    Fault.NO_ANSWER_AFTER: lambda: requests.ReadTimeout("no answer, by the test"),
    Fault.PAGE: lambda: (200, _PAGE, "<html>Sign in</html>"),
    Fault.HTML_503_BEFORE: lambda: (503, _PAGE, "<html>down</html>"),
    Fault.HTML_500_AFTER: lambda: (500, _PAGE, "<html>oops</html>"),
    Fault.HTML_504_AFTER: lambda: (504, _PAGE, "<html>late</html>"),
    Fault.THROTTLED: lambda: (429, {"Retry-After": "7"}, ""),
    Fault.FORBIDDEN: lambda: (403, {}, ""),
}


@dataclass
class Edge:
    """Stands before a server in memory, for as long as a run is at work.

    ``before`` is called with a request's name before the server takes it up. ``asked`` are the
    names so far. A fault meets the requests of one name: the first one, or all of them.
    """

    answer_of: Callable[[PreparedRequest], Reply]
    before: Callable[[str], None] = lambda name: None
    asked: list[str] = field(default_factory=list)
    met: int = 0
    is_open: bool = True
    """Whether requests are a run's; those of people pass without a trace."""
    _fault: Fault | None = None
    _about: str = ""
    _lasting: bool = False

    def trouble(self, fault: Fault, about: str, *, lasting: bool) -> None:
        """Lets a fault meet the requests of one name from now on."""
        self._fault, self._about, self._lasting, self.met = fault, about, lasting, 0

    def calm(self) -> None:
        """Lets nothing go wrong any more."""
        self._fault = None

    def answer(self, request: PreparedRequest) -> Reply:
        """Answers in the server's place, or lets it answer."""
        if not self.is_open:
            return self.answer_of(request)
        name = named(request)
        self.asked.append(name)
        self.is_open = False  # what people do meanwhile is theirs
        self.before(name)
        self.is_open = True
        fault = self._fault
        if fault is None or name != self._about or (self.met and not self._lasting):
            return self.answer_of(request)
        self.met += 1
        return self._faulty(fault, request)

    def _faulty(self, fault: Fault, request: PreparedRequest) -> Reply:
        answer = self.answer_of(request) if fault.has_effect else None
        if fault is Fault.TRUNCATED:
            status, headers, body = answer
            return status, headers, body[: len(body) // 2]
        return _INSTEAD[fault]()


def named(request: PreparedRequest) -> str:
    """Returns the kind of a request: the methods that are called, or a path without its numbers."""
    path = urlsplit(str(request.url)).path
    body = json.loads(request.body or "null")
    if path.endswith("/jsonrpc.php"):
        calls = body if isinstance(body, list) else [body]
        return ",".join(dict.fromkeys(call["method"] for call in calls))
    if path.endswith("/jsonrpc"):
        params = body["params"]
        if params["service"] == "common":
            return f"common/{params['method']}"
        return "/".join(params["args"][3:5])
    if path.startswith("/json/2/"):
        return path.removeprefix("/json/2/")
    path = re.sub(r"/(\d+|ps-[^/.]+)(?=[/.]|$)", "/7", path)
    return f"{request.method} {path}"
