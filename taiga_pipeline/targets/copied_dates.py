"""The dates in a copy of a project: all moved by so many days that the first one is the start."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Final

from sync.records.model import Value

_DAY: Final = 10
"""How many characters a day has, in ISO 8601; what follows is a time."""


def days_to(start: Value, dates: Iterable[object]) -> timedelta | None:
    """Returns by how much dates (ISO 8601, empty ones left out) are moved so that the first one is
    ``start``; None if no start is known, or there is no date."""
    first = min((str(each)[:_DAY] for each in dates if each), default="")
    if not start or not first:
        return None
    return date.fromisoformat(str(start)) - date.fromisoformat(first)


def moved(day: object, by: timedelta | None) -> str | None:
    """Returns a date moved, its time kept; None for none."""
    if not day:
        return None
    text = str(day)
    if by is None:
        return text
    return (date.fromisoformat(text[:_DAY]) + by).isoformat() + text[_DAY:]
