"""What a contract case is made of: requests, and what a Taiga server is expected to answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Matches:
    """A text that a regular expression describes from its start."""

    pattern: str


@dataclass(frozen=True)
class Kind:
    """Any value of a type, by its Python name: int, str, list, dict, bool."""

    name: str


@dataclass(frozen=True)
class Length:
    """A list, text or object with so many members."""

    count: int


@dataclass(frozen=True)
class Contains:
    """A list or text that has a member."""

    item: Any


@dataclass(frozen=True)
class Lacks:
    """A list, text or object that does not have a member."""

    item: Any


@dataclass(frozen=True)
class Same:
    """The value that an earlier step saved under a name."""

    name: str


@dataclass(frozen=True)
class Moved:
    """Another, greater value than the one that an earlier step saved under a name."""

    name: str


class _Absent:
    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = _Absent()
"""No such field, or a header that is not sent."""


@dataclass(frozen=True)
class Step:
    """One request and what must come back.

    `path` is below /api/v1. `{name}` in path, body and headers stands for a variable: `unique`
    (a fresh word), what the project of the case brought (`project`, `slug`, `role_front`,
    `status_new`, ...), and what earlier steps saved. `fields` maps a path into the answer
    (`roles.0.name`, `[id={project}].tags`, "" for all of it) to a value or one of the matchers
    above. `save` maps a variable to such a path.
    """

    method: str
    path: str
    body: Any = None
    status: int = 200
    fields: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, Any] = field(default_factory=dict)
    save: dict[str, str] = field(default_factory=dict)
    send: dict[str, str] = field(default_factory=dict)
    actor: str = "bot"
    raw: str | bytes | None = None
    files: dict[str, tuple[str, bytes]] | None = None


@dataclass(frozen=True)
class Case:
    """A behaviour that the connector relies on, seen in recorded traffic (`source`: file and
    numbers).

    `project` makes a project for the case ("scrum" or "kanban"); `people` says that ana, chen
    and dora at example.test must be accounts; `slow` that it costs a real server seconds.
    """

    name: str
    source: str
    steps: tuple[Step, ...]
    project: str = ""
    people: bool = False


FORBIDDEN = {
    "_error_message": "You do not have permission to perform this action.",
    "_error_type": "taiga.base.exceptions.PermissionDenied",
}
NOT_AUTHENTICATED = {
    "_error_message": "Authentication credentials were not provided.",
    "_error_type": "taiga.base.exceptions.NotAuthenticated",
}
REQUIRED = ["This field is required."]
SERVER_ERROR = {"error": "Server application error"}
