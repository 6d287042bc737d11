"""An answer of the server, as far as the adapter is concerned: status, JSON, headers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

JSON = Any
"""What JSON decodes to; checked where it is used."""

_LONGEST_EXPLANATION: Final = 300


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer. ``data`` is None where the body is empty or, see ``broken``, no JSON.

    ``broken`` says that the body is not (all of) the JSON that it should be.
    """

    status: int
    data: JSON
    headers: Mapping[str, str]
    broken: bool = False

    @property
    def ok(self) -> bool:
        """Whether the request succeeded and the body came whole."""
        return 200 <= self.status < 300 and not self.broken

    @property
    def is_page(self) -> bool:
        """Whether a web page came instead of data."""
        return "html" in self.headers.get("Content-Type", "").casefold()

    @property
    def keys(self) -> frozenset[str]:
        """The names of the fields that an error answer complains about."""
        return frozenset(self.data) if isinstance(self.data, dict) else frozenset()

    @property
    def wait_seconds(self) -> float | None:
        """How long the server asks to be left alone, None if it does not say."""
        for name in ("X-Throttle-Wait-Seconds", "Retry-After"):
            try:
                seconds = float(self.headers.get(name, ""))
            except ValueError:
                continue
            if math.isfinite(seconds) and seconds >= 0:
                return seconds
        return None

    def explain(self) -> str:
        """Returns the server's own words on one line, "" if it gave none.

        Only for people to read: the words are translated, and decide nothing.
        """
        if self.is_page or self.data is None:
            return ""
        words = " ".join(_words(self.data).split())
        return words[:_LONGEST_EXPLANATION]


def _words(data: JSON) -> str:
    if isinstance(data, dict):
        for key in ("_error_message", "detail"):
            if isinstance(data.get(key), str):
                return str(data[key])
        return "; ".join(f"{key}: {_words(value)}" for key, value in data.items())
    if isinstance(data, list):
        return ", ".join(_words(item) for item in data)
    return str(data)
