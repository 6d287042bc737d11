"""Days to come as people say them: ``friday``, ``tomorrow``, ``2w``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Final

from taiga_pipeline.language import marked, meant

AHEAD: Final = ("next_step_on", "expected_close", "start")
"""Fields of deals that hold days to come."""

_TODAY: Final = marked("today")
_TOMORROW: Final = marked("tomorrow")
_WEEKDAYS: Final = (
    marked("monday"),
    marked("tuesday"),
    marked("wednesday"),
    marked("thursday"),
    marked("friday"),
    marked("saturday"),
    marked("sunday"),
)
_LATER: Final = re.compile(r"\+?\s*(\d{1,3})\s*([dw])")


def day_ahead(text: str, today: date) -> date | None:
    """Returns the day that a word means: a weekday is the next one, never today.

    Words are understood in every language that there is; None for what is no such word.
    """
    word = text.strip().casefold()
    if later := _LATER.fullmatch(word):
        return today + timedelta(days=int(later[1]) * (7 if later[2] == "w" else 1))
    is_word = word and not any(map(str.isdigit, word))
    said = meant(word, (_TODAY, _TOMORROW, *_WEEKDAYS)) if is_word else ""
    if said in _WEEKDAYS:
        return today + timedelta(days=(_WEEKDAYS.index(said) - today.weekday() - 1) % 7 + 1)
    return today + timedelta(days=said == _TOMORROW) if said else None


def with_days(texts: Mapping[str, Any], today: date) -> dict[str, Any]:
    """Returns the texts of a deal's fields, with words for days to come as dates."""
    said = {
        name: day
        for name in AHEAD
        if (text := texts.get(name)) and (day := day_ahead(text, today)) is not None
    }
    return {**texts, **{name: day.isoformat() for name, day in said.items()}}
