"""What the answers of Odoo's methods look like, as far as every model has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from taiga_pipeline.http.answer import JSON
from taiga_pipeline.http.shapes import Object, Shape, list_trouble

_LISTS: Final = ("search_read", "read")
_METHODS: Final[Mapping[str, Shape]] = {
    "search_count": Shape(int),
    "fields_get": Shape(dict[str, Object]),
    "write": Shape(bool),
}


def answer_trouble(method: str, path: str, data: JSON) -> str:
    """Returns what is wrong with a successful answer, "" if nothing is."""
    if not isinstance(data, dict) or "result" not in data:
        return "is not an answer of Odoo's"
    called, result = path.rpartition("/")[2], data["result"]
    if called in _LISTS:
        return list_trouble(result)
    shape = _METHODS.get(called)
    return shape.trouble(result) if shape else ""
