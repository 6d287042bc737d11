"""What a page consists of: its routes, who may ask for them, and its place in the navigation."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from starlette.responses import Response

from taiga_pipeline.web.access.people import Role

if TYPE_CHECKING:
    from taiga_pipeline.web.visit import Visit

MAX_BODY: Final = 1_000_000
"""Bytes that a form may have, unless its route says otherwise."""

Answer = Callable[["Visit"], Response] | Callable[["Visit"], Awaitable[Response]]
"""What answers a request. A plain function runs in a thread of its own, and may call use cases; a
coroutine must not block."""


@dataclass(frozen=True, slots=True)
class Route:
    """One address below the pipeline's own.

    ``role`` is what somebody needs for it, None for an address that everybody may ask. What is
    ``outside`` is asked by programs: without a session and without its protection, so it has to
    check by itself who asks. ``max_body`` is in bytes. What ``asks_target`` may wait long for
    another server's answer.
    """

    method: str
    path: str
    answer: Answer
    role: Role | None
    max_body: int = MAX_BODY
    outside: bool = False
    asks_target: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """A page in the navigation. ``title`` is English; it is translated where it is shown.

    ``path`` is where its link leads, "" for none. ``role`` is what somebody needs to see the link.
    """

    title: str
    path: str
    routes: tuple[Route, ...]
    role: Role = Role.READ


def get(
    path: str, answer: Answer, role: Role | None = Role.READ, *, asks_target: bool = False
) -> Route:
    """Returns a route that shows something and changes nothing."""
    return Route("GET", path, answer, role, asks_target=asks_target)


def post(
    path: str,
    answer: Answer,
    role: Role | None = Role.SELL,
    *,
    max_body: int = MAX_BODY,
    asks_target: bool = False,
) -> Route:
    """Returns a route that changes something; its form has to bring the session's token."""
    return Route("POST", path, answer, role, max_body, asks_target=asks_target)


def outside(method: str, path: str, answer: Answer, *, max_body: int) -> Route:
    """Returns a route that programs ask: no session, no token, no log-in."""
    return Route(method, path, answer, None, max_body, outside=True)
