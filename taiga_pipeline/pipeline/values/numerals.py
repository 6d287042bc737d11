"""Digits with separators: every reading that they allow. Pure.

A point or a comma may group thousands or begin the fraction; ``1.234`` allows both. White space,
apostrophes and underscores only ever group. Groups have three digits; before the last one they may
have two (India: ``12,00,000``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Final

from taiga_pipeline.pipeline.values.patterns import pattern

MAX_DIGITS: Final = 60
MAX_EXPONENT: Final = 30

NUMERAL: Final = r"(?:[0-9](?:[0-9.,'’ʼ`_\s]*[0-9])?|(?<![^\W\d_])[.,][0-9]+)(?:[eE][+\-−]?[0-9]+)?"
"""A pattern that finds a numeral in a text."""

_NUMERAL = pattern(
    r"(?P<digits>[0-9](?:[0-9.,'’ʼ`_\s]*[0-9])?|(?<![^\W\d_])[.,][0-9]+)(?:[eE](?P<exponent>[+\-−]?[0-9]+))?"
)
_SPACES = pattern(r"['’ʼ`_\s]")
_WESTERN = pattern(r"[0-9]{1,3}(?:,[0-9]{3})+")
_INDIAN = pattern(r"[0-9]{1,2}(?:,[0-9]{2})*,[0-9]{3}")

POINT: Final = "."
COMMA: Final = ","


@dataclass(frozen=True, slots=True)
class Numeral:
    """A numeral's value for each decimal separator that it allows (``.`` and ``,``)."""

    readings: Mapping[str, Decimal]

    @property
    def is_open(self) -> bool:
        """Whether its two readings differ."""
        return len(set(self.readings.values())) > 1

    @property
    def decisive(self) -> str:
        """The decimal separator that it shows, "" if it shows none."""
        return next(iter(self.readings)) if len(self.readings) == 1 else ""

    def value(self, decimal: str) -> Decimal | None:
        """Returns its value with that decimal separator; with "", only if all readings agree."""
        if not decimal:
            return None if self.is_open else next(iter(self.readings.values()), None)
        return self.readings.get(decimal)

    def without_fraction(self) -> Numeral:
        """Returns the readings in which all separators group thousands."""
        whole = {mark: value for mark, value in self.readings.items() if _is_whole(value)}
        return Numeral(whole)


def _is_whole(value: Decimal) -> bool:
    exponent = value.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= 0


def plain_decimal(value: Decimal) -> Decimal:
    """Returns the same number written out, without an exponent: 1E+6 as 1000000."""
    return Decimal(format(value, "f"))


_NONE: Final = Numeral({})


@lru_cache(maxsize=8192)
def read_numeral(text: str) -> Numeral:
    """Returns the readings of digits with separators, an empty one if there is none."""
    match = _NUMERAL.fullmatch(text)
    if match is None or len(text) > MAX_DIGITS:
        return _NONE
    exponent = int((match["exponent"] or "0").replace("−", "-")[:6])
    if abs(exponent) > MAX_EXPONENT:
        return _NONE
    readings = {}
    for decimal in (POINT, COMMA):
        plain = _plain(match["digits"], decimal)
        if plain is not None:
            readings[decimal] = Decimal(plain).scaleb(exponent)
    return Numeral(readings)


def _plain(digits: str, decimal: str) -> str | None:
    """Returns the number with a point for its fraction and no groups, None if it does not fit."""
    whole, separator, fraction = digits.partition(decimal)
    if separator and not fraction.isdigit():
        return None
    group = COMMA if decimal == POINT else POINT
    kinds = {"," if mark == group else " " for mark in re.findall(r"[^0-9]", whole)}
    if len(kinds) > 1:
        return None
    plain = re.sub(r"[^0-9]", "", whole)
    if kinds and not _is_grouped(_SPACES.sub(",", whole.replace(group, ","))):
        return None
    return f"{plain or '0'}.{fraction}" if separator else plain


def _is_grouped(whole: str) -> bool:
    if whole.startswith("0"):  # 0,123 is a fraction
        return False
    return bool(_WESTERN.fullmatch(whole) or _INDIAN.fullmatch(whole))
