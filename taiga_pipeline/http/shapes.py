"""What an answer has to look like, so that everything behind can rely on it.

An adapter declares as typed dicts (those of `typing_extensions`) what it reads of each address, and
nothing else: a server may send more. Nothing is converted: a number that comes as text is not the
number that was expected. What a real server always sends is required, because a field that is
missing must not be taken for one that people emptied.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Final

from pydantic import Field, TypeAdapter, ValidationError

from taiga_pipeline.http.answer import JSON

Id = Annotated[int, Field(ge=1, lt=2**63)]
"""The number of an object."""

Object = dict[str, Any]

_LONGEST_PLACE: Final = 80


class Shape:
    """The shape that data has to have, as a type that `pydantic` checks without converting."""

    def __init__(self, wanted: Any) -> None:
        self._wanted = wanted

    @cached_property
    def _adapter(self) -> TypeAdapter[Any]:
        return TypeAdapter(self._wanted)

    def trouble(self, data: JSON) -> str:
        """Returns what is wrong with ``data`` in a phrase ("lacks 'name'"), "" if nothing is."""
        try:
            self._adapter.validate_python(data, strict=True)
        except ValidationError as error:
            return _phrase(error)
        return ""


def list_trouble(rows: JSON, identity: str = "id", *, text_ids: bool = False) -> str:
    """Returns what is wrong with a list as such, "" if its rows can be distinguished.

    ``identity`` names what tells them apart: a number for "id", a text for anything else. Where
    ``text_ids``, "id" is a text as well.
    """
    if not isinstance(rows, list):
        return "is not a list"
    for row in rows:
        if not isinstance(row, Mapping):
            return "has a value that is not an object in its list"
        if not _is_identity(row.get(identity), is_text=text_ids or identity != "id"):
            return f"has a row without {identity!r}"
    return ""


def _is_identity(value: JSON, *, is_text: bool) -> bool:
    if is_text:
        return isinstance(value, str)
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**63


def _phrase(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ".".join(map(str, first["loc"]))[:_LONGEST_PLACE]
    if first["type"] == "missing":
        return f"lacks {place!r}"
    return f"has something wrong in {place!r}" if place else "is not an object"
