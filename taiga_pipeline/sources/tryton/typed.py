"""Tryton's typed JSON: ``{"__class__": "Decimal", "decimal": "120000"}`` and its like, both ways.

Tryton keeps moments in UTC, without saying so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from taiga_pipeline.http.answer import JSON

_DAY: Final = ("year", "month", "day")
_TIME: Final = ("hour", "minute", "second", "microsecond")


def _numbers(data: Mapping[str, Any], names: tuple[str, ...]) -> list[int]:
    return [int(data[name]) for name in names]


_DECODERS: Final[Mapping[str, Callable[[Mapping[str, Any]], object]]] = {
    "Decimal": lambda data: Decimal(data["decimal"]),
    "date": lambda data: date(*_numbers(data, _DAY)),
    "datetime": lambda data: datetime(*_numbers(data, _DAY + _TIME), tzinfo=UTC),  # type: ignore[misc,arg-type]
    "time": lambda data: time(*_numbers(data, _TIME)),  # type: ignore[arg-type]
    "timedelta": lambda data: timedelta(seconds=float(data["seconds"])),
}


def decode(value: JSON) -> object:
    """Returns a value with its type; what is of no known class, or of none, stays as it is."""
    if not isinstance(value, dict):
        return value
    decoder = _DECODERS.get(str(value.get("__class__")))
    try:
        return decoder(value) if decoder else value
    except (KeyError, ValueError, TypeError, OverflowError, InvalidOperation):
        return value


def encode(value: object) -> JSON:
    """Returns a value as Tryton reads it; an aware moment is written in UTC."""
    if isinstance(value, Decimal):
        return {"__class__": "Decimal", "decimal": str(value)}
    if isinstance(value, datetime):
        moment = value.astimezone(UTC)
        return {
            "__class__": "datetime",
            **{name: getattr(moment, name) for name in _DAY + _TIME},
        }
    if isinstance(value, date):
        return {"__class__": "date", **{name: getattr(value, name) for name in _DAY}}
    if isinstance(value, timedelta):
        return {"__class__": "timedelta", "seconds": value.total_seconds()}
    return value
