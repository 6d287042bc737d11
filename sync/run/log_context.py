"""What a log message is about: the run, the group, the action. Set once, added to every message.

The log's formatter asks `present` in the thread that logs, so that an HTTP client's message about a
retry names the group that it was for, and the client knows nothing of groups.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

_present: ContextVar[Mapping[str, str | int]] = ContextVar("log_context")


def present() -> Mapping[str, str | int]:
    """Returns the fields that hold in this thread now."""
    return _present.get({})


@contextmanager
def logged(**fields: str | int) -> Iterator[None]:
    """Adds fields to every message that is logged in the block, in this thread."""
    token = _present.set({**present(), **fields})
    try:
        yield
    finally:
        _present.reset(token)
