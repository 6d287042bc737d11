"""An answer of the server, as far as the adapter is concerned: status, JSON, headers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

from taiga_pipeline.http.bounds import WORDS

JSON = Any
"""What JSON decodes to; its shape is checked where it comes in (`shapes`)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer. ``data`` is None where the body is empty or, see ``trouble``, no JSON.

    ``trouble`` says in a phrase what is wrong with the body, "" if nothing is ("is not JSON").
    ``excessive`` marks a body that exceeds a bound: it would again. ``received`` is when it came,
    by this machine's clock (UTC).
    """

    status: int
    data: JSON
    headers: Mapping[str, str]
    trouble: str = ""
    excessive: bool = False
    received: datetime | None = None

    @property
    def ok(self) -> bool:
        """Whether the request succeeded and the body came whole."""
        return 200 <= self.status < 300 and not self.trouble

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
        """How long the server asks to be left alone, None if it does not say.

        ``Retry-After`` may be a moment, too; it is measured from the server's own ``Date``.
        """
        for name in ("X-Throttle-Wait-Seconds", "Retry-After"):
            text = self.headers.get(name, "")
            seconds = _seconds(text)
            if seconds is None and name == "Retry-After":
                seconds = self._seconds_until(_moment(text))
            if seconds is not None:
                return seconds
        return None

    def _seconds_until(self, moment: datetime | None) -> float | None:
        now = _moment(self.headers.get("Date", "")) or self.received
        return max((moment - now).total_seconds(), 0.0) if moment and now else None

    def explain(self) -> str:
        """Returns the server's own words on one line, "" if it gave none.

        Only for people to read: the words are translated, and decide nothing.
        """
        if self.is_page or self.data is None:
            return ""
        words = " ".join(_words(self.data).split())
        return words[:WORDS]


def _seconds(text: str) -> float | None:
    try:
        seconds = float(text)
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def _moment(text: str) -> datetime | None:
    """Returns a moment as HTTP writes it (UTC), None for anything else."""
    try:
        moment = parsedate_to_datetime(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


_SAID: Final = ("_error_message", "detail", "message", "error_description", "error")
"""Where APIs put a sentence for people, among codes and links for programs."""


def _words(data: JSON) -> str:
    if isinstance(data, dict):
        said = next((data[key] for key in _SAID if isinstance(data.get(key), str)), "")
        if said:
            more = _words(_each_error(data))
            return f"{said}: {more}" if more else str(said)
        return "; ".join(f"{key}: {_words(value)}" for key, value in data.items())
    if isinstance(data, list):
        return ", ".join(_words(item) for item in data)
    return str(data)


def _each_error(data: dict[str, JSON]) -> JSON:
    """Returns the errors that a summary stands for, as HAL and problem details have them."""
    embedded = data.get("_embedded")
    within = embedded if isinstance(embedded, dict) else data
    return within.get("errors") or []
