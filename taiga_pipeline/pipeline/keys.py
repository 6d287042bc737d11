"""Keys of deals, as programs and spreadsheets write them, and keys that are made by a rule.

A key names a deal forever. What a spreadsheet did to it is undone where that is certain
(``="00123"``, ``1001.0``), and refused where digits are lost (``1.43163E+10``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from taiga_pipeline.look_alikes import as_meant
from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.pipeline.text import folded

_ROUNDED: Final = re.compile(r"\d(?:[.,]\d+)?[eE]\+\d+|\d[.,]\d+[eE]\d+")
_FORMULA: Final = re.compile(r'="(?P<text>[^"]*)"')
_APOSTROPHE: Final = re.compile(r"'(?P<text>\d[\w./-]*)")
_WHOLE: Final = re.compile(r"(?P<text>\d+)[.,]0+")
_FRACTION: Final = re.compile(r"\d+[.,]\d*[1-9]\d*")
_GROUPED: Final = re.compile(r"\d{1,3}(?:,\d{3})+")
_MONTHS: Final = (
    "jan|feb|mar|mär|mrz|apr|may|maj|mai|jun|jul|aug|sep|sept|oct|okt|nov|dec|dez|ene|abr|ago|dic"
)
_DATED: Final = re.compile(
    rf"\d{{1,2}}[-. ](?:{_MONTHS})\.?(?:[-. ]\d{{2,4}})?|(?:{_MONTHS})\.?[-. ]\d{{2}}", re.I
)
_PRECISION: Final = 15
"""Digits of a number that a spreadsheet keeps; it writes zeros for those after them."""
_IDENTIFIER: Final = re.compile(
    r"(?=.{0,14}[0-9])(?=.{0,14}[A-Za-z])([A-Za-z0-9]{15})(?:[A-Z0-5]{3})?"
)

_TEXT: Final = "format the column as text in the spreadsheet, and export again"
_SHOWN: Final = 40


@dataclass(frozen=True, slots=True)
class KeyReading:
    """How a column of keys is written. ``width`` is the length of keys that begin with zeros."""

    strip_fraction: bool = False
    strip_groups: bool = False
    rounded_off: bool = False
    width: int = 0

    def read(self, text: str) -> str:
        """Reads a key.

        :raises InvalidValue: it is a number or a day that a spreadsheet made of a key.
        """
        key = plain_key(text)
        shown = repr(key[:_SHOWN])
        if reason := rounded(key):
            raise InvalidValue(reason)
        if _DATED.fullmatch(key):
            raise InvalidValue(f"{shown} is a day that a spreadsheet made of a key; {_TEXT}")
        if self.rounded_off and _is_rounded_off(key):
            raise InvalidValue(f"{shown}: a spreadsheet keeps {_PRECISION} digits; {_TEXT}")
        if key.isdecimal() and len(key) < self.width and not key.startswith("0"):
            raise InvalidValue(
                f"{shown} has lost its zeros: other keys have {self.width} digits; {_TEXT}"
            )
        if self.strip_fraction and (match := _WHOLE.fullmatch(key)):
            return match["text"]
        if self.strip_groups and _GROUPED.fullmatch(key):
            return key.replace(",", "")
        return key


@dataclass(slots=True)
class KeySurvey:
    """What the cells of a column of keys show."""

    whole: int = 0
    fractions: int = 0
    grouped: int = 0
    formulas: int = 0
    long: int = 0
    rounded_off: int = 0
    zeros: set[int] = field(default_factory=set)
    longest: int = 0

    def take(self, cell: str) -> None:
        """Looks at one cell."""
        key = plain_key(cell)
        self.formulas += key != cell.strip()
        self.whole += bool(_WHOLE.fullmatch(key))
        is_grouped = bool(_GROUPED.fullmatch(key))
        self.grouped += is_grouped
        self.fractions += bool(_FRACTION.fullmatch(key)) and not is_grouped
        if key.isdecimal():
            self.long += len(key) > _PRECISION
            self.rounded_off += _is_rounded_off(key)
            self.longest = max(self.longest, len(key))
            if key.startswith("0") and len(self.zeros) < 2:
                self.zeros.add(len(key))

    def reading(self) -> KeyReading:
        """Decides. Keys with a fraction that is not zero (``1.5``) have none that is by chance."""
        width = next(iter(self.zeros)) if len(self.zeros) == 1 else 0
        return KeyReading(
            strip_fraction=bool(self.whole) and not self.fractions,
            strip_groups=bool(self.grouped) and not self.fractions,
            rounded_off=self.rounded_off > 1 and self.rounded_off == self.long,
            width=width if width and self.longest <= width else 0,
        )

    def said(self, reading: KeyReading) -> Iterator[tuple[int, str]]:
        """Yields what was undone: how many cells, and a sentence."""
        if self.formulas:
            yield self.formulas, 'written as text (="00123"): read without the signs around them'
        if reading.strip_fraction:
            yield self.whole, "written as numbers with a fraction (1001.0): read without it"
        if reading.strip_groups:
            yield self.grouped, "written with groups of digits (1,002): read without the commas"


def rounded(key: str) -> str:
    """Returns why a key in scientific notation is none, "" for other keys."""
    if not _ROUNDED.fullmatch(key):
        return ""
    return (
        f"{key[:_SHOWN]!r} is not a key but a number that a spreadsheet rounded, and its last "
        f"digits are lost; {_TEXT}"
    )


def _is_rounded_off(key: str) -> bool:
    return key.isdecimal() and len(key) > _PRECISION and not key[_PRECISION:].strip("0")


def plain_key(text: str) -> str:
    """Returns a key without what keeps a spreadsheet from taking it for a number."""
    key = text.strip()
    match = _FORMULA.fullmatch(key) or _APOSTROPHE.fullmatch(key)
    return match["text"].strip() if match else key


def unspoilt(key: str) -> str:
    """Returns what a key is without all that spreadsheets and word processors do to keys: signs
    around it, a fraction of zeros, groups of digits, other dashes and blanks, what no one sees."""
    plain = plain_key(as_meant(key))
    if match := _WHOLE.fullmatch(plain):
        return match["text"]
    return plain.replace(",", "") if _GROUPED.fullmatch(plain) else plain


def written_as_text(cell: str) -> str:
    """Returns the key in a cell such as ``="00123"``, "" for other cells."""
    match = _FORMULA.fullmatch(cell.strip())
    return match["text"].strip() if match else ""


def identifier(key: str) -> str:
    """Returns the 15 characters that a Salesforce identifier of 15 or 18 is; "" for other keys.

    The three more say which of the others are capitals.
    """
    match = _IDENTIFIER.fullmatch(key)
    return match[1] if match else ""


class KnownKeys:
    """The keys of a store, to be found in another form."""

    def __init__(self, keys: Iterable[str]) -> None:
        self._numbers: dict[int, str] = {}
        self._identifiers: dict[str, str] = {}
        self._unspoilt: dict[str, str] = {}
        for key in keys:
            self._unspoilt.setdefault(folded(unspoilt(key)), key)
            if (number := _number(key)) is not None:
                self._numbers[number] = key
            elif short := identifier(key):
                self._identifiers[short] = key

    def same(self, key: str) -> str:
        """Returns the key that is the same identifier with 15 or 18 characters, or the same but for
        what a spreadsheet did to it; "" for none."""
        found = self._identifiers.get(identifier(key), "")
        return found or self._unspoilt.get(folded(unspoilt(key)), "")

    def with_other_zeros(self, key: str) -> str:
        """Returns the key that is the same number with other zeros before it, "" for none."""
        number = _number(key)
        return "" if number is None else self._numbers.get(number, "")


def _number(key: str) -> int | None:
    is_number = key.isascii() and key.isdecimal() and len(key) <= 2 * _PRECISION
    return int(key) if is_number else None
