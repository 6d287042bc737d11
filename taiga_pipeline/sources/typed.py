"""Whether what an adapter answers has the types that the port declares: records hold what their
annotations say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from functools import cache
from types import UnionType
from typing import Any, Final, Union, cast, get_args, get_origin, get_type_hints

from sync.held_adapter import type_name

_Fits = Callable[[object], bool]


def wrong_field(record: Any) -> str:
    """Returns what a record holds that its annotations forbid ("a float in 'value'"), "" if
    nothing."""
    for name, fits in _checks(cast(Any, type(record))):
        value = getattr(record, name)
        if not fits(value):
            return f"{_within(value) or type_name(value)} in {name!r}"
    return ""


def _within(value: object) -> str:
    """Returns what is wrong within a record, or a tuple of them; "" of anything else."""
    items = value if isinstance(value, tuple) else (value,)
    return next(
        (wrong for each in items if is_dataclass(each) and (wrong := wrong_field(each))), ""
    )


def fits_type(value: object, hint: Any) -> bool:
    """Whether a value is of the type that an annotation stands for."""
    return _fits(hint)(value)


@cache
def _checks(kind: Any) -> Sequence[tuple[str, _Fits]]:
    hints = get_type_hints(kind)
    return [(field.name, _fits(hints[field.name])) for field in fields(kind)]


@cache
def _fits(hint: Any) -> _Fits:
    if hint is Any:
        return lambda value: True
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        either = [_fits(each) for each in arguments]
        return lambda value: any(fits(value) for fits in either)
    if origin is tuple and arguments[-1] is not Ellipsis:
        places = [_fits(each) for each in arguments]
        return lambda value: (
            isinstance(value, tuple)
            and len(value) == len(places)
            and all(fits(each) for fits, each in zip(places, value, strict=True))
        )
    if origin is not None and issubclass(origin, Mapping):
        key, item = map(_fits, arguments)
        return lambda value: (
            isinstance(value, origin) and all(map(key, value)) and all(map(item, value.values()))
        )
    if origin is not None:
        inner = _fits(arguments[0])
        return lambda value: (
            isinstance(value, origin) and not isinstance(value, str) and all(map(inner, value))
        )
    return _leaf(hint)


def _leaf(kind: type) -> _Fits:
    if is_dataclass(kind):
        return lambda value: isinstance(value, kind) and not wrong_field(value)
    lower = _LOOKS_LIKE.get(kind)
    if lower is not None:
        return lambda value: isinstance(value, kind) and not isinstance(value, lower)
    return lambda value: isinstance(value, kind)


_LOOKS_LIKE: Final[Mapping[type, type]] = {date: datetime, int: bool}
"""Types with others that Python takes for them, and that mean something else."""
