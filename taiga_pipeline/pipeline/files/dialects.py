"""How CSV is written for whom: for programs, or for a spreadsheet in somebody's language."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.pipeline.fields.field import DealField, Kind
from taiga_pipeline.problems import did_you_mean

_FIGURES: Final = (Kind.MONEY, Kind.SHARE, Kind.NUMBER)
_WRITTEN: Final = re.compile(r"(?P<number>-?[0-9]+(?:\.[0-9]+)?)(?P<currency> [A-Z]{3})?")
_LOOKS_GROUPED: Final = 3
"""With so many digits after its only separator, a figure may be taken for thousands."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a CSV file is written. ``is_for_excel`` says that it begins with what Excel looks for: a
    byte order mark, and a line that names the separator."""

    delimiter: str = ","
    decimal: str = "."
    is_for_excel: bool = False

    @property
    def beginning(self) -> str:
        """What stands before the header."""
        return f"\ufeffsep={self.delimiter}\n" if self.is_for_excel else ""

    def cell(self, field: DealField, text: str) -> str:
        """Returns a cell as this dialect writes it; only figures are written otherwise."""
        if self.decimal == "." or field.kind not in _FIGURES:
            return text
        match = _WRITTEN.fullmatch(text)
        if match is None:
            return text
        whole, point, fraction = match["number"].partition(".")
        if len(fraction) == _LOOKS_GROUPED:
            fraction += "0"
        mark = self.decimal if point else ""
        return f"{whole}{mark}{fraction}{match['currency'] or ''}"


PLAIN: Final = Dialect()
_COMMA: Final = Dialect(";", ",", is_for_excel=True)
_POINT: Final = Dialect(",", ".", is_for_excel=True)
_MIXED: Final = Dialect(";", ".", is_for_excel=True)

LANGUAGES: Final = tuple(
    "sv de fr es pt nl da nb nn no fi it pl cs sk sl hr hu ro bg el et lv lt ru uk tr is ca "
    "en ja zh ko th he".split()
)
"""Languages that may be named, alone or with a country (``de-CH``)."""
_WITH_POINT: Final = frozenset("en ja zh ko th he".split())
_COUNTRIES: Final = {
    **dict.fromkeys(("de_CH", "de_LI", "it_CH"), _MIXED),
    **dict.fromkeys(("es_MX", "es_GT", "es_HN", "es_NI", "es_PA", "es_PR", "es_US"), _POINT),
    "en_ZA": _COMMA,
}


def excel_dialect(language: str) -> Dialect:
    """Returns how Excel in a language reads CSV: ``sv``, ``de-CH``, ``en_US.UTF-8``.

    :raises InvalidValue: the language is unknown; names those that are known.
    """
    plain = language.partition(".")[0].partition("@")[0].replace("-", "_")
    code, _, country = plain.partition("_")
    code = code.casefold()
    if code not in LANGUAGES:
        raise InvalidValue(
            f"unknown language {language[:20]!r}{did_you_mean(code, LANGUAGES)} (known: "
            f"{', '.join(LANGUAGES)}; a country may follow: de-CH)"
        )
    usual = _POINT if code in _WITH_POINT else _COMMA
    return _COUNTRIES.get(f"{code}_{country.upper()}", usual)


def dialect_of_environment(*names: str) -> Dialect:
    """Returns the dialect of the first language that is known, such as of ``LC_ALL`` and ``LANG``.

    Where none is, the separator is the semicolon and the decimal mark the comma.
    """
    for name in names:
        try:
            return excel_dialect(name)
        except InvalidValue:  # "", "C", "POSIX"
            continue
    return _COMMA


def is_exact_in_binary(number: Decimal) -> bool:
    """Whether a spreadsheet keeps a number as it is: it has 15 digits at most."""
    return len(number.normalize().as_tuple().digits) <= 15 and abs(number.adjusted()) <= 15
