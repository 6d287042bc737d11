"""Texts with named places for values."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from string import Formatter
from typing import Final

from taiga_pipeline.language.catalogue import catalogue
from taiga_pipeline.language.choosing import ENGLISH, LANGUAGES, used

_GAP: Final = "\N{NO-BREAK SPACE}"
_MARKS: Final = {"sv": str.maketrans({",": _GAP, ".": ",", "%": f"{_GAP}%"})}
"""How figures are written otherwise than in English: thousands, decimals, per cent."""
_FIGURE: Final = r"[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?%?"
_AMOUNT: Final = rf"{_FIGURE}(?: [A-Z]{{3}})?"
_ONLY_FIGURES: Final = re.compile(rf"{_AMOUNT}(?: / {_AMOUNT})*")
_NAMED: Final = rf"\S+ {_FIGURE} h"
_HOURS_BY_NAME: Final = re.compile(rf"{_NAMED}(?:, {_NAMED})*")
_HOURS: Final = re.compile(rf"(?<= ){_FIGURE}(?= h(?:,|$))")


def text(message: str, /, **fields: object) -> str:
    """Returns ``message`` in the language that is used, each ``{name}`` replaced by its field.

    Values are text: what looks like a place in them stays as it is. Without fields, places stay.
    """
    language = used()
    if language == ENGLISH:
        return message.format(**fields) if fields else message
    found = catalogue(language).gettext(message) if message else ""
    return _FORMATTERS[language].vformat(found, (), fields) if fields else found


def plural(one: str, many: str, number: int, /, **fields: object) -> str:
    """Returns ``one`` or ``many``, as ``number`` wants it; ``{number}`` is that number.

    ``plural("{number:,} deal", "{number:,} deals", 3)``
    """
    language = used()
    fields["number"] = number
    if language == ENGLISH:
        return (one if number == 1 else many).format(**fields)
    found = catalogue(language).ngettext(one, many, number)
    return _FORMATTERS[language].vformat(found, (), fields)


def counted(number: int, noun: str) -> str:
    """Returns ``1 deal`` or ``1,480 deals``, ``noun`` being a text in the source."""
    return plural(f"{{number:,}} {noun}", f"{{number:,}} {many_of(noun)}", number)


def many_of(noun: str) -> str:
    """Returns the plural of an English noun."""
    if noun.endswith("s"):
        return f"{noun}es"
    if noun.endswith("y") and noun[-2:-1] not in "aeou":
        return f"{noun[:-1]}ies"
    return f"{noun}s"


def meant(written: str, words: Iterable[str]) -> str:
    """Returns which of ``words`` (English) a word is, in whatever language; "" if it is none."""
    asked = written.casefold()
    known = list(words)
    for language in LANGUAGES:
        translate = catalogue(language).gettext if language != ENGLISH else str
        for word in known:
            if translate(word).casefold() == asked:
                return word
    return ""


def marked(message: str) -> str:
    """Returns ``message`` as it is, for the catalogues: whoever shows it calls `text` with it."""
    return message


def figure(number: float | Decimal, form: str = ",") -> str:
    """Returns a number as the language writes it: ``1,480.5`` or ``1 480,5`` for ``",.1f"``."""
    written = format(number, form)
    marks = _MARKS.get(used())
    return written.translate(marks) if marks else written


def written(part: str) -> str:
    """Returns a text that holds figures alone as the language writes them, others as they are.

    Figures with their currency, several of them (``0 / 1,480 EUR``), or hours by name
    (``D-1 4.5 h, D-2 8 h``).
    """
    marks = _MARKS.get(used())
    if not marks:
        return part
    if _ONLY_FIGURES.fullmatch(part):
        return part.translate(marks)
    if _HOURS_BY_NAME.fullmatch(part):
        return _HOURS.sub(lambda hours: hours[0].translate(marks), part)
    return part


class _Figures(Formatter):
    """Fills places; figures are written as the language writes them."""

    def format_field(self, value: object, format_spec: str) -> str:
        """Returns a value as it stands in a text."""
        if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
            return figure(value, format_spec)
        return format(value, format_spec)


_FORMATTERS: Final = {language: _Figures() for language in _MARKS}
