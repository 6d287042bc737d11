"""Reading fields from a request body the way Taiga's validators do: lenient types, all errors at
once.
"""

import math
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from taiga_pipeline.sandbox.errors import invalid, server_error

REQUIRED = "This field is required."
BLANK = "This field cannot be blank."
_COLOR = re.compile(r"#([0-9a-fA-F]{6}|[0-9a-fA-F]{3})\Z")
_DATE_ERROR = "Date has wrong format. Use one of these formats instead: YYYY[-MM[-DD]]"
_FALSE = {"false", "False", "f", "0", ""}


class Form:
    """A request body and the errors found in it so far; `partial` is a PATCH."""

    def __init__(self, data: Any, partial: bool = False) -> None:
        if data is None:
            raise server_error()
        if not isinstance(data, Mapping):
            raise invalid({"non_field_errors": ["Invalid data"]})
        self.data: Mapping[str, Any] = data
        self.partial = partial
        self.errors: dict[str, Any] = {}
        self.crashes = False

    def __contains__(self, name: str) -> bool:
        return name in self.data

    def fail(self, name: str, message: str) -> None:
        """Note an error of a field."""
        self.errors.setdefault(name, []).append(message)

    def check(self) -> None:
        """Refuse the request if any field was wrong.

        Raises:
            ApiError: 400 with every message, or 500 for a type that a real server chokes on.
        """
        if self.errors:
            raise invalid(self.errors)
        if self.crashes:
            raise server_error()

    def text(self, name: str, required: bool = False, limit: int | None = None) -> str:
        """Any value as text; "" when absent or wrong."""
        value = self.data.get(name)
        if value is None or value == "":
            if name in self.data and self.partial and required:
                self.fail(name, BLANK)
            elif required and not self.partial:
                self.fail(name, REQUIRED)
            return ""
        text = value if isinstance(value, str) else str(value)
        if limit is not None and len(text) > limit:
            self.fail(
                name, f"Ensure this value has at most {limit} characters (it has {len(text)})."
            )
        return text

    def boolean(self, name: str, default: bool = False) -> bool:
        """True for anything but the usual words for no."""
        value = self.data.get(name, default)
        if isinstance(value, str):
            return value not in _FALSE
        return bool(value)

    def integer(self, name: str) -> int | None:
        """A whole number or None."""
        value = self.data.get(name)
        if value is None or value == "":
            return None
        try:
            return int(value)
        except (TypeError, ValueError, OverflowError):
            self.fail(name, "Enter a whole number.")
            return None

    def number(self, name: str) -> float | None:
        """A floating-point number or None."""
        value = self.data.get(name)
        if value is None or value == "":
            return None
        try:
            number = float(value)
        except (TypeError, ValueError):
            self.fail(name, f'"{value}" value must be a float.')
            return None
        return number if math.isfinite(number) else None

    def reference(self, name: str, required: bool = False) -> int | None:
        """The id of another object; an absent one is None, a wrong type an error."""
        value = self.data.get(name)
        if value is None or value == "":
            if required and not (self.partial and name not in self.data):
                self.fail(name, REQUIRED)
            return None
        if isinstance(value, bool) or not isinstance(value, int | str):
            self.fail(name, f"Incorrect type. Expected pk value, received {type(value).__name__}.")
            return None
        try:
            return int(value)
        except ValueError:
            self.fail(name, "Incorrect type. Expected pk value, received str.")
            return None

    def day(self, name: str, required: bool = False) -> str | None:
        """An ISO date (`YYYY-MM-DD`) or None."""
        value = self.data.get(name)
        if value is None or value == "":
            if required and not (self.partial and name not in self.data):
                self.fail(name, REQUIRED)
            return None
        try:
            return datetime.strptime(str(value), "%Y-%m-%d").date().isoformat()
        except ValueError:
            self.fail(name, _DATE_ERROR)
            return None


def project_tags(form: Form) -> list[str]:
    """Tags of a project: names only, lower-cased, neither trimmed nor de-duplicated."""
    value = form.data.get("tags")
    if value is None:
        return []
    if not isinstance(value, list):
        form.crashes = True
        return []
    for place, tag in enumerate(value, start=1):
        if not isinstance(tag, str):
            form.fail("tags", f"Invalid tag '{tag}'. It must be the tag name.")
        elif not tag:
            form.fail("tags", f"Item {place} in the array did not validate: {BLANK}")
    return [tag.lower() for tag in value if isinstance(tag, str)]


def tags_colors(form: Form) -> dict[str, str | None]:
    """Colours by tag from a list of pairs; the dict that the server itself answers is refused."""
    value = form.data.get("tags_colors")
    pairs: dict[str, str | None] = {}
    if value is None:
        return pairs
    if isinstance(value, str):
        form.crashes = True
        return pairs
    items = list(value) if isinstance(value, list | dict) else [value]
    for place, item in enumerate(items, start=1):
        if isinstance(item, str | list) and len(item) > 2:
            form.fail(
                "tags_colors",
                f"Item {place} in the array did not validate: List contains {len(item)} items, "
                "it should contain no more than 2.",
            )
        elif isinstance(item, list) and len(item) == 2:
            pairs[str(item[0])] = None if item[1] is None else str(item[1])
        else:
            form.crashes = True
    return pairs


def item_tags(form: Form) -> dict[str, str | None]:
    """Tags of a story with the colour each brings, lower-cased and without repetition."""
    value = form.data.get("tags")
    tags: dict[str, str | None] = {}
    if value is None:
        return tags
    if not isinstance(value, list):
        form.crashes = True
        return tags
    for tag in value:
        _add_item_tag(form, tags, tag)
    return tags


def _add_item_tag(form: Form, tags: dict[str, str | None], tag: object) -> None:
    if isinstance(tag, str):
        tags.setdefault(tag.lower(), None)
    elif isinstance(tag, list) and len(tag) == 2 and isinstance(tag[0], str):
        color = tag[1]
        if color is not None and not (isinstance(color, str) and _COLOR.match(color)):
            form.fail("tags", f"Invalid tag '{tag}'. The color is not a valid HEX color or null.")
        tags.setdefault(tag[0].lower(), color if isinstance(color, str) else None)
    else:
        form.fail(
            "tags",
            f"Invalid tag '{tag}'. it must be the name or a pair "
            '\'["name", "hex color/" | null]\'.',
        )


def external_reference(form: Form) -> list[str] | None:
    """The list of texts that a story may carry; a text or a dict crashes a real server."""
    value = form.data.get("external_reference")
    if value is None:
        return None
    if not isinstance(value, list):
        form.crashes = True
        return None
    for place, item in enumerate(value, start=1):
        if item in ("", None):
            form.fail("external_reference", f"Item {place} in the array did not validate: {BLANK}")
            break
    return [str(item) for item in value]
