"""Values of deals as text: one line each, without anything that a target could take for more."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Final

# Characters that make displayed text differ from the stored one (bidirectional overrides).
BIDI: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
MARKUP: Final = re.compile(r"[\\`*_\[\]<>#~|@!]|&(?=#?\w+;)")
GREATEST_EXPONENT: Final = 30
"""Amounts beyond this power of ten are written as they are: no padding with zeros."""


def one_line(text: str) -> str:
    """Returns ``text`` on one line, without control characters, surrogates and bidi overrides."""
    flat = " ".join(text.split())
    if flat.isprintable():
        return flat
    kept = "".join(character for character in flat if _is_text(character))
    return " ".join(kept.split())


def _is_text(character: str) -> bool:
    return character not in BIDI and unicodedata.category(character) not in ("Cc", "Cs")


@lru_cache(maxsize=1024)  # stages, roles and services come again and again
def normalise(text: str) -> str:
    """Returns what two names are compared by: NFC, blanks collapsed, letter case gone."""
    return " ".join(unicodedata.normalize("NFC", text).split()).casefold()


def escape_markup(text: str) -> str:
    """Returns ``text`` so that Markdown shows it as it is, and mentions and links nothing.

    Character references are used, as backslashes do not work for ``<`` and ``@`` everywhere.
    """
    return MARKUP.sub(lambda match: f"&#{ord(match[0])};", text)


def amount(value: Decimal | None, currency: str) -> str:
    """Returns money as ``120,000 EUR`` or ``1,234.50 EUR``, "" for none."""
    if value is None:
        return ""
    if not value.is_finite() or abs(value.adjusted()) > GREATEST_EXPONENT:
        number = str(value)
    elif value == value.to_integral_value():
        number = f"{int(value):,}"
    else:
        number = f"{value:,.2f}"
    return f"{number} {one_line(currency)}".rstrip()


def percent(probability: Decimal | None) -> str:
    """Returns a probability as ``50 %`` or ``12.5 %``, "" for none."""
    return "" if probability is None else f"{plain_number(probability * 100)} %"


def plain_number(value: Decimal) -> str:
    """Returns a number without an exponent and without zeros at its end."""
    if not value.is_finite() or abs(value.adjusted()) > GREATEST_EXPONENT:
        return str(value)
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def iso(day: date | None) -> str:
    """Returns a date as ``2026-12-01``, "" for none."""
    return "" if day is None else day.isoformat()


def slug(text: str) -> str:
    """Returns a short ASCII name made of ``text`` ("Kick-off with {customer}" → the same words)."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")
