"""What a tool's administrator could do to make more of it usable; none of it is needed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable


@runtime_checkable
class Advises(Protocol):
    """A target that has advice for ``check`` to show."""

    def advice(self) -> Sequence[str]:
        """Returns what could be done, each in a sentence or two; may ask the server."""
