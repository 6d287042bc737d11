"""What a tool's administrator could do to make more of it usable; none of it is needed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Protocol, runtime_checkable


@runtime_checkable
class Advises(Protocol):
    """A target that has advice for ``check`` to show."""

    def advice(self) -> Sequence[str]:
        """Returns what could be done, each in a sentence or two; may ask the server."""


@runtime_checkable
class TellsExpiry(Protocol):
    """A target whose API tells when the secret that logs in ends."""

    def expires_on(self) -> date | None:
        """Returns the last day of the secret, None if it does not end or nothing is known; asked
        once it is connected, and may ask the server."""
