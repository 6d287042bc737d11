"""Keys that are made by a rule: ``D-{number}``, ``{year}-{number}``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from typing import Final

from taiga_pipeline.pipeline.cleaning import MAX_KEY
from taiga_pipeline.pipeline.text import folded, line

_PARTS: Final = re.compile(r"\{(number|year)\}")
_LONGEST: Final = 18
"""Digits of a number that counts: longer ones are no numbers that someone counted."""


def check_rule(text: str) -> str:
    """Returns a rule as it is used.

    :raises ValueError: it has no ``{number}``, or more than one, or something else in braces.
    """
    rule = line(text)
    rest = _PARTS.sub("", rule)
    if rule.count("{number}") != 1 or "{" in rest or "}" in rest:
        raise ValueError(
            f'{rule!r} is not a rule for keys; write "D-{{number}}" or "{{year}}-{{number}}", with '
            "{number} once"
        )
    if len(rule) > MAX_KEY // 2:
        raise ValueError(f"has {len(rule)} characters; up to {MAX_KEY // 2} are allowed")
    return rule


def next_key(rule: str, day: date, known: Iterable[str]) -> str:
    """Returns the key after the greatest one of those known that a rule made in the day's year."""
    begin, _, end = rule.replace("{year}", f"{day.year:04}").partition("{number}")
    digits = f"([0-9]{{1,{_LONGEST}}})"
    number = re.compile(f"{re.escape(folded(begin))}{digits}{re.escape(folded(end))}")
    taken = [int(found[1]) for key in known if (found := number.fullmatch(folded(key)))]
    return f"{begin}{max(taken, default=0) + 1}{end}"
