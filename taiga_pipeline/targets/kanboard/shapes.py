"""What Kanboard's answers look like, method by method, as far as they are read.

Depending on its database and its version, Kanboard sends numbers as numbers or as text, and flags
as either or as true and false: `number` and `flag` read all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import Field
from typing_extensions import TypedDict

from taiga_pipeline.http.answer import JSON
from taiga_pipeline.http.shapes import Shape

Row = Mapping[str, JSON]
"""An object of Kanboard's, as it came."""

_Digits = Annotated[str, Field(pattern=r"^[0-9]{1,19}$")]
_Whole = Annotated[int, Field(ge=0, lt=2**63)]
_Number = _Whole | _Digits
_Id = Annotated[int, Field(ge=1, lt=2**63)] | Annotated[str, Field(pattern=r"^[1-9][0-9]{0,18}$")]
_Maybe = _Number | Literal[""] | None
_Hours = float | _Maybe | Annotated[str, Field(pattern=r"^[0-9]{1,9}(\.[0-9]{1,9})?$")]
_Flag = bool | _Number
_Text = str | None


class _Project(TypedDict):
    id: _Id
    name: str
    is_active: _Flag
    description: _Text
    identifier: _Text
    last_modified: _Maybe


class _Task(TypedDict):
    id: _Id
    title: str
    description: _Text
    reference: _Text
    project_id: _Id
    column_id: _Id
    swimlane_id: _Maybe
    owner_id: _Maybe
    creator_id: _Maybe
    is_active: _Flag
    date_started: _Maybe
    date_due: _Maybe
    date_modification: _Maybe
    time_spent: _Hours


class _Column(TypedDict):
    id: _Id
    title: str
    position: _Number


class _Swimlane(TypedDict):
    id: _Id
    name: str
    description: _Text


class _User(TypedDict):
    id: _Id
    username: str
    name: _Text
    email: _Text
    is_active: _Flag


class _Numbered(TypedDict):
    id: _Id


class _Account(TypedDict):
    id: _Id
    username: str
    role: str


_PROJECT: Final = Shape(_Project)
_TASK: Final = Shape(_Task)
_COLUMN: Final = Shape(_Column)
_NAMES: Final = Shape(dict[str, str])
_TEXT: Final = Shape(str)
_DONE: Final = Shape(bool | _Number)

_Trouble = Callable[[JSON], str]


def _each(shape: Shape | None) -> _Trouble:
    """Checks a list: each row has an id, and is of a shape if there is one."""

    def trouble(data: JSON) -> str:
        if not isinstance(data, list):
            return "is not a list"
        for row in data:
            if not isinstance(row, Mapping) or not number(row.get("id")):
                return "has a row without 'id'"
            if shape is not None and (found := shape.trouble(row)):
                return f"has a row that {found}"
        return ""

    return trouble


def _or_nothing(shape: Shape) -> _Trouble:
    return lambda data: "" if data is None or data is False else shape.trouble(data)


def _names(data: JSON) -> str:
    """Checks names by number, or values by name: an object, or an empty list in its place."""
    return "" if data == [] else _NAMES.trouble(data)


_RESULTS: Final[Mapping[str, _Trouble]] = {
    "getVersion": _TEXT.trouble,
    "getTimezone": _TEXT.trouble,
    "getMe": Shape(_Account).trouble,
    "getAllProjects": _each(None),
    "getProjectById": _or_nothing(_PROJECT),
    "getProjectByIdentifier": _or_nothing(_PROJECT),
    "getAllTasks": _each(None),
    "getTask": _or_nothing(_TASK),
    "getTaskByReference": _or_nothing(_TASK),
    "getColumn": _or_nothing(_COLUMN),
    "getColumns": _each(_COLUMN),
    "getAllSwimlanes": _each(Shape(_Swimlane)),
    "getAllUsers": _each(Shape(_User)),
    "getProjectUsers": _names,
    "getAssignableUsers": _names,
    "getProjectMetadata": _names,
    "getTaskMetadata": _names,
    "getAllComments": _each(None),
    "getAllSubtasks": _each(None),
    "getAllTaskFiles": _each(None),
    "getAllTaskLinks": _each(None),
    "getLinkByLabel": _or_nothing(Shape(_Numbered)),
}
"""By method; every other one answers whether it was done, or with the number of what it made."""


def answer_trouble(method: str, path: str, data: JSON) -> str:
    """Returns what is wrong with a successful answer, "" if nothing is.

    Of a list only that it is one, and that its rows can be distinguished, where one project's
    trouble must not be every project's (see `project_trouble`, `task_trouble`).
    """
    rows = data if isinstance(data, list) else [data]
    for row in rows:
        if not isinstance(row, Mapping):
            return "is not an object"
        if row.keys().isdisjoint({"result", "error"}) or "id" not in row:
            return "lacks 'result'"
        error = row.get("error")
        if error is not None:
            if not isinstance(error, Mapping) or not isinstance(row["id"], str):
                return "has an error that cannot be read"
            continue
        if not isinstance(row["id"], str):
            return "has an 'id' that was not sent"
        name = row["id"].partition(":")[2]
        if trouble := _RESULTS.get(name, _DONE.trouble)(row["result"]):
            return f"({name}) {trouble}"
    return ""


def project_trouble(row: JSON) -> str:
    """Returns what is wrong with a project in the list of all, "" if nothing is."""
    return _PROJECT.trouble(row)


def task_trouble(row: JSON) -> str:
    """Returns what is wrong with a task in a list, "" if nothing is."""
    return _TASK.trouble(row)


def number(value: Any) -> int:
    """Returns a number, however it is written; 0 for none."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int):
        return value if 0 <= value < 2**63 else 0
    return int(value) if isinstance(value, str) and value.isdecimal() and len(value) < 20 else 0


def flag(value: Any) -> bool:
    """Whether something is so, however that is written."""
    return value is True or value == "t" or number(value) == 1


def text(row: Row, name: str) -> str:
    """Returns a text, "" for none, with ``\\n`` as its line end."""
    return str(row.get(name) or "").replace("\r\n", "\n").replace("\r", "\n")
