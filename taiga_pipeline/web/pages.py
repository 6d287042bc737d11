"""What a page consists of: its routes, who may ask for them, and its place in the navigation."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
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


class Queue(StrEnum):
    """What requests wait for in a queue of their own, so that no other request waits for it."""

    TARGET = "target"
    """Another server, which may not answer for minutes."""
    PASSWORDS = "passwords"
    """A processor, for the work that makes passwords hard to guess."""


@dataclass(frozen=True, slots=True)
class Route:
    """One address below the pipeline's own.

    ``role`` is what somebody needs for it, None for an address that everybody may ask. What is
    ``outside`` is asked by programs: without a session and without its protection, so it has to
    check by itself who asks. ``max_body`` is in bytes. ``queue`` is where
    its requests wait for their turn, None for the one of all pages.
    """

    method: str
    path: str
    answer: Answer
    role: Role | None
    max_body: int = MAX_BODY
    outside: bool = False
    queue: Queue | None = None


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
    path: str, answer: Answer, role: Role | None = Role.READ, *, queue: Queue | None = None
) -> Route:
    """Returns a route that shows something and changes nothing."""
    return Route("GET", path, answer, role, queue=queue)


def post(
    path: str,
    answer: Answer,
    role: Role | None = Role.SELL,
    *,
    max_body: int = MAX_BODY,
    queue: Queue | None = None,
) -> Route:
    """Returns a route that changes something; its form has to bring the session's token."""
    return Route("POST", path, answer, role, max_body, queue=queue)


def outside(method: str, path: str, answer: Answer, *, max_body: int) -> Route:
    """Returns a route that programs ask: no session, no token, no log-in."""
    return Route(method, path, answer, None, max_body, outside=True)
