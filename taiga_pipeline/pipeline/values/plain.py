"""Cells of figures and dates in plain digits, without what programs put around them. Pure."""

from __future__ import annotations

import unicodedata
from typing import Final

from taiga_pipeline.pipeline.values.patterns import pattern

_DIGIT: Final = pattern(r"[0-9]")
_DIGITS_ABROAD: Final = pattern(r"(?![0-9])\d")
_MARKS_ABROAD: Final = str.maketrans({"٫": ".", "٬": ",", "،": ",", "٪": "%", "´": "'", "′": "'"})
"""The decimal mark of Arabic, its marks of groups, and its per cent sign; and accents that
people type for apostrophes."""
_FORMULA_TEXT: Final = pattern(r'="(?P<text>[^"]*)"')


def plain_digits(text: str) -> str:
    """Returns a text whose digits, of any one script, are 0 to 9 (``١٢``, ``१२``, ``１２``)."""
    if text.isascii():
        return text
    plain = unicodedata.normalize("NFKC", text.translate(_MARKS_ABROAD))
    if _DIGIT.search(plain):
        return plain
    return _DIGITS_ABROAD.sub(lambda match: str(unicodedata.digit(match[0])), plain)


def without_guard(text: str) -> str:
    """Returns a cell without what keeps a spreadsheet from taking it for something else: an
    apostrophe before it, or a formula that is text (``="31/12/2026"``)."""
    plain = text.strip()
    if match := _FORMULA_TEXT.fullmatch(plain):
        return match["text"].strip()
    return plain[1:].lstrip() if plain.startswith("'") else plain
