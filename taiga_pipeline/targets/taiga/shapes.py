"""What Taiga's answers look like, address by address, as far as they are read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NotRequired

from typing_extensions import TypedDict

from taiga_pipeline.http.answer import JSON
from taiga_pipeline.http.shapes import Id, Object, Shape, list_trouble


class _Account(TypedDict):
    id: Id
    username: str
    verified_email: NotRequired[bool]


class _Role(TypedDict):
    id: Id
    name: str


class _RoleRow(_Role):
    project: Id


class _Status(TypedDict):
    id: Id
    name: str


class _StatusRow(_Status):
    project: Id
    order: int | None
    is_closed: bool


class _Project(TypedDict):
    id: Id
    name: str
    slug: str
    description: str | None
    tags: list[str] | None
    tags_colors: dict[str, str | None] | None
    modified_date: str | None
    totals_updated_datetime: str | None
    total_activity: int | None
    is_looking_for_people: bool
    looking_for_people_note: str | None
    archived_code: NotRequired[str | None]
    blocked_code: NotRequired[str | None]
    i_am_admin: bool
    i_am_member: NotRequired[bool]
    my_permissions: NotRequired[list[str]]
    is_wiki_activated: NotRequired[bool]


class _WholeProject(_Project):
    roles: list[_Role]
    us_statuses: list[_Status]


class _Membership(TypedDict):
    id: Id
    project: Id
    user: Id | None
    role_name: str | None
    is_admin: bool
    full_name: str | None
    is_user_active: NotRequired[bool | None]
    user_email: NotRequired[str | None]
    email: NotRequired[str | None]
    invited_by: NotRequired[Object | None]


class _Milestone(TypedDict):
    id: Id
    project: Id
    name: str
    estimated_start: str | None
    estimated_finish: str | None
    closed: bool


class _Story(TypedDict):
    id: Id
    project: Id
    subject: str
    version: int
    external_reference: list[Any] | None
    is_closed: bool
    tags: NotRequired[list[list[Any]] | None]
    description: NotRequired[str | None]
    due_date: str | None
    assigned_to: NotRequired[Id | None]
    total_comments: NotRequired[int | None]
    status_extra_info: Object | None


class _Task(TypedDict):
    id: Id
    project: Id
    subject: str
    version: int
    is_closed: bool
    external_reference: list[Any] | None


class _TaskStatus(TypedDict):
    id: Id
    is_closed: bool


class _Attribute(TypedDict):
    id: Id
    name: str


class _Values(TypedDict):
    attributes_values: Object
    version: int


class _Page(TypedDict):
    id: Id
    project: Id
    slug: str
    content: str | None
    version: int


class _Attachment(TypedDict):
    id: Id
    name: str
    url: str


class _Template(TypedDict):
    id: Id
    slug: str


class _Event(TypedDict):
    id: Id
    event_type: str
    data: Object | None


class _Entry(TypedDict):
    key: str
    value: Any
    modified_date: NotRequired[str | None]


_ROWS: Final[Mapping[str, Shape]] = {
    "projects": Shape(_Project),
    "roles": Shape(_RoleRow),
    "userstory-statuses": Shape(_StatusRow),
    "memberships": Shape(_Membership),
    "milestones": Shape(_Milestone),
    "userstories": Shape(_Story),
    "tasks": Shape(_Task),
    "task-statuses": Shape(_TaskStatus),
    "userstory-custom-attributes": Shape(_Attribute),
    "wiki": Shape(_Page),
    "wiki-links": Shape(Object),
    "wiki/attachments": Shape(_Attachment),
    "project-templates": Shape(_Template),
    "timeline/project": Shape(_Event),
    "user-storage": Shape(_Entry),
}
_SINGLE: Final[Mapping[str, Shape]] = {
    **_ROWS,
    "users/me": Shape(_Account),
    "projects": Shape(_WholeProject),
    "auth": Shape(Object),
    "userstories/custom-attributes-values": Shape(_Values),
    "userstories/csv": Shape(str),
    "history/userstory": Shape(list[Object]),
}


def is_known(path: str) -> bool:
    """Tells whether the shape of what stands at an address is declared."""
    return _kind(path) in _SINGLE


def answer_trouble(method: str, path: str, data: JSON) -> str:
    """Returns what is wrong with a successful answer, "" if nothing is.

    Of a list only that it is one, and that its rows can be distinguished: a row that is wrong is
    the trouble of the project that it belongs to (`row_trouble`).
    """
    kind = _kind(path)
    if method == "GET" and kind in _ROWS and kind in (path, "timeline/project"):
        return list_trouble(data, identity_of(kind))
    shape = _SINGLE.get(kind)
    if shape is not None:
        return shape.trouble(data)
    return "" if isinstance(data, dict | list) else "is not an object"


def row_trouble(path: str, row: JSON) -> str:
    """Returns what is wrong with a row of a list, "" if nothing is."""
    shape = _ROWS.get(_kind(path))
    return shape.trouble(row) if shape else ""


def identity_of(kind: str) -> str:
    """Names the field that tells the rows of a list apart."""
    return "key" if kind == "user-storage" else "id"


def _kind(path: str) -> str:
    """Returns what an address is about: ``projects/12`` -> ``projects``."""
    first, _, rest = path.partition("?")[0].partition("/")
    second = rest.partition("/")[0]
    both = f"{first}/{second}"
    if rest.count("/") and both not in _TWO_PARTS:
        return path.partition("?")[0]  # an action on an object, such as projects/12/leave
    return both if both in _TWO_PARTS else first


_TWO_PARTS: Final = frozenset(name for name in (*_ROWS, *_SINGLE) if "/" in name)
