"""Plain numbers: hours, weeks, shares of full time. A point or a comma begins the fraction."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.pipeline.values.numerals import COMMA, plain_decimal, read_numeral
from taiga_pipeline.pipeline.values.patterns import pattern
from taiga_pipeline.pipeline.values.plain import plain_digits, without_guard

_SHOWN: Final = 40
_UNITS_OF_HOURS: Final = (
    "hours/week h/week hours per week h per week hrs/week std./woche std/woche stunden/woche "
    "tim/vecka h/vecka hours hour hrs hr h std. std stunden timmar timer tim heures horas uren"
)
_HOUR_WORDS: Final = tuple(
    sorted(
        {"hours per week", "h per week", "hours a week", *_UNITS_OF_HOURS.split()},
        key=lambda word: -len(word),
    )
)

_CLOCK = pattern(r"[0-9]{1,4}:[0-5][0-9]")


def read_number(text: str) -> Decimal:
    """Reads a number of at most a few digits, such as hours: ``38.5``, ``38,5``, ``1 234``.

    One separator begins the fraction, since such numbers are small: ``1,234`` is less than two.

    :raises InvalidValue: it is not a number, or is not finite.
    """
    stripped = without_guard(plain_digits(text))
    negative = stripped.startswith(("-", "−"))
    numeral = read_numeral(stripped.lstrip("+-−").lstrip())
    if not numeral.readings or _has_two_signs(stripped):
        raise InvalidValue(f"{stripped[:_SHOWN]!r} is not a number")
    decimal = COMMA if COMMA in stripped else "."
    value = numeral.value(decimal if numeral.is_open else "")
    if value is None:
        raise InvalidValue(f"{stripped[:_SHOWN]!r} is not a number")
    plain = plain_decimal(value)
    return -plain if negative and plain else plain


def _has_two_signs(text: str) -> bool:
    return text[:1] in "+-−" and text[1:2] in tuple("+-−")


def read_hours(text: str) -> Decimal:
    """Reads a number of hours, with or without its unit: ``38,5``, ``30h``, ``32 Std.``, ``37:30``.

    :raises InvalidValue: it is not a number of hours.
    """
    plain = " ".join(text.casefold().split())
    for word in _HOUR_WORDS:
        if plain.endswith(word):
            plain = plain.removesuffix(word).strip()
            break
    hours, colon, minutes = plain.partition(":")
    if colon and _CLOCK.fullmatch(plain):
        return Decimal(int(hours)) + Decimal(int(minutes)) / 60
    try:
        return read_number(plain)
    except InvalidValue:
        raise InvalidValue(f"{text.strip()[:_SHOWN]!r} is not a number of hours") from None
