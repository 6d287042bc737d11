"""Named points between which a run can be cut off.

Each commit of the journal and of the state, and each request and answer, is a *crash point*: what
is true on one side of it (an intent is on disk, a request has left) may not be true on the other.
`reached` is called at each of them and does nothing, unless an observer was added: tests count
the crash points of a run, and end the process at the n-th.
"""

from __future__ import annotations

from collections.abc import Callable

observers: list[Callable[[str], None]] = []
"""Called with the crash point's name, in the thread that reached it."""


def reached(name: str) -> None:
    """Tells the observers that the crash point ``name`` is crossed now."""
    for observer in observers:
        observer(name)
