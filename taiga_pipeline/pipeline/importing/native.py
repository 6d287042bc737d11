"""Values as a database or an API gives them, which know their type, as cells of a row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from typing import Final
from uuid import UUID

from taiga_pipeline.pipeline.cells import moment_in_utc
from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.pipeline.values.numerals import MAX_DIGITS

Cell = str | Decimal | date | datetime
"""What a cell may hold; "" is nothing, numbers are finite, moments are in UTC."""

_SHOWN: Final = 60


@dataclass(frozen=True, slots=True)
class NativeRow:
    """A row that is not text. ``line`` is its number, or whatever number names it in its place."""

    line: int
    cells: tuple[object, ...]


def cell_of(value: object, zone: tzinfo = UTC) -> Cell:
    """Returns a value as a cell; a moment without a time zone is taken to be in ``zone``.

    :raises InvalidValue: it is neither text nor a finite number, a date or a moment.
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bool):
        raise InvalidValue(f"{value} is a truth value")
    if isinstance(value, int | float | Decimal):
        return _number(value)
    if isinstance(value, datetime):
        return _moment(value, zone)
    if isinstance(value, date):
        return value
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, bytes | bytearray | memoryview):
        raise InvalidValue(f"{len(value)} bytes, and neither text nor a number nor a date")
    raise InvalidValue(f"{str(value)[:_SHOWN]!r} is neither text nor a number nor a date")


def _text(value: str) -> str:
    if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        shown = value[:_SHOWN].encode("utf-8", "backslashreplace").decode()
        raise InvalidValue(f"{shown} holds bytes that are not UTF-8 text")
    return value


def _number(value: float | Decimal) -> Decimal:
    # What is written out is the shortest number that is this float: 0.1, not 0.1000000000000000055.
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if not number.is_finite():
        raise InvalidValue(f"{value} is not a finite number")
    if abs(number.adjusted()) > MAX_DIGITS or len(number.as_tuple().digits) > MAX_DIGITS:
        raise InvalidValue(f"a number of more than {MAX_DIGITS} digits")
    return number


def _moment(value: datetime, zone: tzinfo) -> datetime:
    try:
        return moment_in_utc(value, zone)
    except OverflowError:
        raise InvalidValue(f"{value} is beyond the calendar") from None
