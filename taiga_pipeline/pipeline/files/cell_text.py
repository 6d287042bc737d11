"""Cells of a workbook as text that remembers what the workbook says they are.

Whatever reads rows as text goes on to do so; whoever needs a figure or a day need not guess it.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Final

from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.pipeline.values.units import NO_UNIT, Unit, read_unit

_DIGITS: Final = 15
"""Digits that spreadsheets keep of a number; what stands behind them is noise of binary floats."""
_ZEROS: Final = re.compile(r"0{2,40}")
_SYMBOL: Final = re.compile(r"\[\$([^\]-]*)(?:-[^\]]*)?\]")
_QUOTED: Final = re.compile(r'"([^"]*)"')
_COLOUR_OR_CONDITION: Final = re.compile(r"\[[^\]]*\]|_.|\*.|\\")
_SCALED: Final = re.compile(r"[0#?],+(?:[^0#?]|$)")
_PLACES: Final = re.compile(r"[0#?.,\s%()E+\-/;@]|General|Standard", re.IGNORECASE)


class TypedText(str):
    """The text of a cell, and the number, day or moment (without a time zone) that it is.

    ``unit`` is what its format shows around a number: a currency, a magnitude. ``is_share`` says
    that it is shown in per cent; its text has the sign then.
    """

    __slots__ = ("is_share", "unit", "value")
    value: Decimal | date
    unit: Unit
    is_share: bool

    def __new__(
        cls, text: str, value: Decimal | date, unit: Unit = NO_UNIT, *, is_share: bool = False
    ) -> TypedText:
        """Returns a cell."""
        made = super().__new__(cls, text)
        made.value, made.unit, made.is_share = value, unit, is_share
        return made


def number_cell(value: float | Decimal, number_format: str = "") -> str:
    """Returns a number as a cell, by the format in which the workbook shows it."""
    number = exact(value)
    if number is None:
        return str(value)
    if "%" in _QUOTED.sub("", number_format):
        return TypedText(f"{plain(number * 100)}%", number, is_share=True)
    if _ZEROS.fullmatch(number_format) and number == number.to_integral_value() and number >= 0:
        return TypedText(plain(number).zfill(len(number_format)), number)
    return TypedText(plain(number), number, unit_of(number_format))


def money_cell(value: Decimal, currency: str) -> str:
    """Returns an amount whose currency the workbook names."""
    return TypedText(plain(value), value, _unit(currency))


def exact(value: float | Decimal) -> Decimal | None:
    """Returns the number that a spreadsheet shows for a binary float; None if it is not finite."""
    if isinstance(value, Decimal):
        number = value
    else:
        number = Decimal(value if isinstance(value, int) else format(value, f".{_DIGITS}g"))
    return number if number.is_finite() else None


def plain(number: Decimal) -> str:
    """Returns a number in digits, without an exponent and without zeros that say nothing."""
    text = format(number, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def day_cell(value: datetime | date) -> str:
    """Returns a day or a moment as a cell."""
    if isinstance(value, datetime):
        if value.time() == time(0):
            return day_cell(value.date())
        value = value.replace(tzinfo=None, microsecond=0)
        return TypedText(value.isoformat(sep=" "), value)
    return TypedText(value.isoformat(), value)


def other_cell(value: object) -> str:
    """Returns what is neither text nor a number nor a day."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, timedelta):
        hours, rest = divmod(int(value.total_seconds()), 3600)
        return f"{hours}:{rest // 60:02}"
    return value.isoformat("minutes") if isinstance(value, time) else str(value)


@lru_cache(maxsize=512)
def unit_of(number_format: str) -> Unit:
    """Returns what a number format shows beside the number: ``#,##0 "kr"``, ``[$€-407] 0.00``.

    A format that shows thousands of what the cell holds (``0,"k"``) does not change the number.
    """
    section = number_format.partition(";")[0]
    symbols = " ".join(found.strip() for found in _SYMBOL.findall(section) if found.strip())
    rest = _SYMBOL.sub(" ", section)
    quoted = " ".join(found.strip() for found in _QUOTED.findall(rest))
    bare = _PLACES.sub(" ", _COLOUR_OR_CONDITION.sub("", _QUOTED.sub(" ", rest)))
    unit = _unit(" ".join(f"{symbols} {quoted} {bare}".split()))
    if _SCALED.search(_QUOTED.sub("x", rest)):
        unit = Unit(currencies=unit.currencies)
    return unit


def _unit(words: str) -> Unit:
    try:
        return read_unit(words) if words else NO_UNIT
    except InvalidValue:  # other words: a unit of measure, a remark
        return NO_UNIT
