"""What Redmine's answers look like, address by address, as far as they are read.

Everything is in an object under its own name: ``{"project": …}``, ``{"projects": […]}``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, NotRequired

from typing_extensions import TypedDict

from taiga_pipeline.http.answer import JSON
from taiga_pipeline.http.shapes import Id, Object, Shape, list_trouble


class _Named(TypedDict):
    id: Id
    name: str


class _Numbered(TypedDict):
    id: Id


class _Value(TypedDict):
    id: Id
    name: str
    value: NotRequired[Any]


class _Project(TypedDict):
    id: Id
    name: str
    identifier: str
    description: str | None
    status: int
    updated_on: str | None
    custom_fields: NotRequired[list[_Value]]
    trackers: NotRequired[list[_Named]]
    issue_custom_fields: NotRequired[list[_Named]]


class _Issue(TypedDict):
    id: Id
    project: _Numbered
    subject: str
    description: str | None
    updated_on: str
    closed_on: NotRequired[str | None]
    done_ratio: NotRequired[float | None]
    spent_hours: NotRequired[float | None]
    assigned_to: NotRequired[_Numbered | None]
    parent: NotRequired[_Numbered | None]
    children: NotRequired[list[Object]]
    custom_fields: NotRequired[list[_Value]]


class _RoleOfMember(_Named):
    inherited: NotRequired[bool]


class _Membership(TypedDict):
    id: Id
    roles: list[_RoleOfMember]
    user: NotRequired[_Named]
    group: NotRequired[_Named]


class _Version(TypedDict):
    id: Id
    project: _Numbered
    name: str
    status: str
    due_date: str | None


class _User(TypedDict):
    id: Id
    login: NotRequired[str]
    mail: NotRequired[str | None]
    admin: NotRequired[bool]
    status: NotRequired[int]


class _Account(_User):
    login: str  # type: ignore[misc]


class _Choice(TypedDict):
    value: str


class _Field(TypedDict):
    id: Id
    name: str
    customized_type: str
    field_format: NotRequired[str]
    possible_values: NotRequired[list[_Choice]]
    trackers: NotRequired[list[_Numbered]]
    max_length: NotRequired[int | None]


_ROWS: Final[Mapping[str, Shape]] = {
    "projects": Shape(_Project),
    "issues": Shape(_Issue),
    "memberships": Shape(_Membership),
    "versions": Shape(_Version),
    "users": Shape(_User),
    "roles": Shape(_Named),
    "custom_fields": Shape(_Field),
}
_ACCOUNT: Final = Shape(_Account)
_ADDRESS: Final = re.compile(r"(?:projects/[^/]+/)?(?P<name>[a-z_]+?)(?P<one>/[^/]+)?\.json")


def is_known(path: str) -> bool:
    """Tells whether the shape of what stands at an address is declared."""
    found = _ADDRESS.fullmatch(path)
    return found is not None and found["name"] in _ROWS


def answer_trouble(method: str, path: str, data: JSON) -> str:
    """Returns what is wrong with a successful answer, "" if nothing is.

    Of a list only that it is one, and that its rows can be distinguished (see `row_trouble`). A PUT
    is answered with nothing, and what it wrote is read back.
    """
    if not isinstance(data, Mapping):
        return "is not an object"
    found = _ADDRESS.fullmatch(path)
    if method == "PUT" or found is None or found["name"] not in _ROWS:
        return ""
    name = found["name"]
    if method == "GET" and not found["one"]:
        return _list_trouble(name, data)
    single = name.removesuffix("s")
    if single not in data:
        return f"lacks {single!r}"
    shape = _ACCOUNT if path == "users/current.json" else _ROWS[name]
    trouble = shape.trouble(data[single])
    return trouble or row_trouble(name, data[single])


def _list_trouble(name: str, data: Mapping[str, JSON]) -> str:
    count = data.get("total_count", 0)
    if not isinstance(count, int) or isinstance(count, bool) or count < 0:
        return "has an invalid 'total_count'"
    if name not in data:
        return f"lacks {name!r}"
    return list_trouble(data[name])


def row_trouble(name: str, row: JSON) -> str:
    """Returns what is wrong with a row of a list, "" if nothing is."""
    shape = _ROWS.get(name)
    trouble = shape.trouble(row) if shape else ""
    if not trouble and name == "memberships" and not row.keys() & {"user", "group"}:
        return "lacks 'user'"
    return trouble
