"""Forms that arrive twice: by a second click, or from a proxy that sends a request again.

A form that adds something carries a mark of its own (its field ``once``). What it was answered with
is remembered for a while, under that mark and all that the form says, so that the second one does
nothing and is told the same.
What failed is not remembered: it may be tried again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Final

from anyio import Lock
from starlette.responses import Response

from taiga_pipeline.web.access.session import Session

MOST: Final = 1_000
"""So many answers are remembered, the latest ones."""
LONGEST: Final = 100_000
"""Bytes of an answer that is remembered."""
MAX_MARK: Final = 100


Mark = tuple[str, ...]
Answer = tuple[Response, Session]
"""What a form was answered with, and the session that the browser keeps then."""


class Repeated:
    """Remembers what forms were answered with."""

    def __init__(self) -> None:
        self._answers: OrderedDict[Mark, Answer] = OrderedDict()
        self._under_way: dict[Mark, list[Lock]] = {}

    async def once(self, mark: Mark, work: Callable[[], Awaitable[Answer]]) -> Answer:
        """Does the work of a form, unless it is done; returns what it was answered with.

        One that arrives while the first is under way waits for it.
        """
        waiting = self._under_way.setdefault(mark, [])
        lock = waiting[0] if waiting else Lock()
        waiting.append(lock)
        try:
            async with lock:
                if mark not in self._answers:
                    answer = await work()
                    self._remember(mark, answer)
                    return answer
                return _again(self._answers[mark])
        finally:
            waiting.pop()
            if not waiting:
                del self._under_way[mark]

    def _remember(self, mark: Mark, answer: Answer) -> None:
        response, _ = answer
        if response.status_code >= 400 or len(response.body) > LONGEST:
            return
        self._answers[mark] = _again(answer)
        while len(self._answers) > MOST:
            self._answers.popitem(last=False)


def _again(answer: Answer) -> Answer:
    """Returns an answer of its own: what is added to the headers of one is in no other."""
    response, session = answer
    same = Response(response.body, response.status_code)
    same.raw_headers = [*response.raw_headers]
    return same, session
