"""What pydantic finds wrong with a value, in plain words: what it must be, and what it is."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_MUST_BE: Final = {
    "string_type": "must be text in quotes",
    "int_type": "must be a whole number, without quotes",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number, without quotes",
    "bool_type": "must be true or false, without quotes",
    "decimal_type": "must be a number, without quotes",
    "path_type": "must be a path in quotes",
    "finite_number": "must be a number",
    "model_type": "must be a table",
    "dict_type": "must be a table",
}
_EMPTY: Final = frozenset({"string_too_short", "too_short"})
_LIMITS: Final = {
    "greater_than": ("must be more than {limit}", "gt"),
    "greater_than_equal": ("must be at least {limit}", "ge"),
    "less_than": ("must be less than {limit}", "lt"),
    "less_than_equal": ("must be at most {limit}", "le"),
}

Shown = Callable[[object], str]
"""Writes a value as the file has it."""


def must(detail: ErrorDetails, shown: Shown, a_list: str) -> str:
    """Returns what a value must be, and what it is.

    ``a_list`` says what it must be where a list is wanted.
    """
    kind, found, context = detail["type"], detail["input"], detail.get("ctx", {})
    if kind in _LIMITS:
        return _out_of_range(kind, found, context)
    if kind in _EMPTY:
        return "must not be empty"
    if kind in ("string_too_long", "too_long"):
        return _too_long(found, context)
    if kind == "list_type":
        return f"{a_list}; it is {shown(found)}"
    return f"{_MUST_BE.get(kind, 'is wrong: ' + detail['msg'])}; it is {shown(found)}"


def choices_in(detail: ErrorDetails) -> list[str]:
    """Returns the words among which a value must be, none where it is wrong in another way."""
    if detail["type"] not in ("enum", "literal_error"):
        return []
    expected = str(detail.get("ctx", {})["expected"])
    return expected.replace("'", "").replace(" or ", ", ").split(", ")


def _out_of_range(kind: str, found: object, context: dict[str, Any]) -> str:
    words, limit = _LIMITS[kind]
    message = f"{words.format(limit=_plain(context[limit]))}; it is {_plain(found)}"
    if context[limit] == 1 and limit == "le":
        return f"{message} (write 0.5 for 50 %)"
    return message


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _too_long(found: object, context: dict[str, Any]) -> str:
    """Says how much it may be, and how much it is: never the value, of which there is too much."""
    count = len(found) if isinstance(found, str | list | dict) else context.get("actual_length")
    most = context["max_length"]
    if isinstance(found, str):
        return f"must have at most {most} characters; it has {count}"
    return f"must have at most {most} entries; it has {count}"


def in_toml(value: object) -> str:
    """Returns a value as TOML writes it; of a table or a list, that it is one."""
    match value:
        case str():
            return f'"{value}"'
        case bool():
            return str(value).lower()
        case dict():
            return "a table"
        case list():
            return "a list"
        case Decimal():
            return str(value)
        case _:
            return str(value)
