"""A Kanboard that answers from memory, and behaves as a real one was seen to (1.2.51).

It is not a server: it answers the requests of this process by `responses`. What it does badly,
Kanboard does badly: ``false`` without a reason, an identifier that several requests at once may all
take, dates with a resolution of a second, no trace of a rename in ``last_modified``, an empty list
for a project that is not there. The contract suite for targets runs against it and against a live
Kanboard, which keeps it honest.
"""

from __future__ import annotations

import base64
import copy
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import responses
from requests import PreparedRequest

URL = "http://kanboard.example.test"
TOKEN = "t" * 40
PERSON_TOKEN = "p" * 40

Row = dict[str, Any]
Reply = tuple[int, Mapping[str, str], str]

_BORN = ("Backlog", "Ready", "Work in progress", "Done")
_ROLES = ("project-manager", "project-member", "project-viewer")
_MILESTONE_OF = "is a milestone of"
_OF_ADMINISTRATORS = ("getAllProjects", "getAllUsers", "getLinkByLabel")
_FIRST_ADMINISTRATOR = 1


class Refused(Exception):
    """An answer that is not a success."""

    def __init__(self, status: int) -> None:
        self.status = status


class Fault(Exception):
    """An error of the protocol, in the answer to one call."""

    def __init__(self, code: int, message: str) -> None:
        self.error = {"code": code, "message": message}


@dataclass
class FakeKanboard:
    """The data, and what a test may want to happen.

    ``faults`` is asked before ("createProject") and after ("after createProject") each call, and
    may raise `Refused` to have the whole request answered so, or `Fault` for the one call.
    ``races`` is called right before a creation takes place, after it was checked: what it makes,
    another request made meanwhile.
    ``role`` is that of the person whose token is `PERSON_TOKEN`. ``as_text`` sends all numbers as
    text, as older versions do.
    """

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    zone: str = "UTC"
    role: str = "app-admin"
    as_text: bool = False
    sends_date: bool = True
    faults: Callable[[str], None] = lambda what: None
    races: Callable[[], None] = lambda: None
    requests: list[list[str]] = field(default_factory=list)
    projects: dict[int, Row] = field(default_factory=dict)
    tasks: dict[int, Row] = field(default_factory=dict)
    columns: dict[int, Row] = field(default_factory=dict)
    swimlanes: dict[int, Row] = field(default_factory=dict)
    members: dict[int, dict[int, str]] = field(default_factory=dict)
    metadata: dict[tuple[str, int], dict[str, str]] = field(default_factory=dict)
    hanging: dict[tuple[str, int], list[Row]] = field(default_factory=dict)
    _last: int = 0

    def __post_init__(self) -> None:
        self.users = {
            number: {
                "id": number,
                "username": name,
                "password": "$2y$10$a-hash-that-nobody-may-see",
                "name": name.capitalize(),
                "email": f"{name.capitalize()}@example.invalid" if name != "admin" else None,
                "role": "app-admin" if name == "admin" else "app-user",
                "is_active": 1,
            }
            for number, name in enumerate(("admin", "ana", "bo"), _FIRST_ADMINISTRATOR)
        }

    def answer(self) -> responses.RequestsMock:
        """Returns what makes this process's requests to `URL` come here."""
        mock = responses.RequestsMock(assert_all_requests_are_fired=False)
        for method in ("GET", "POST"):
            mock.add_callback(method, re.compile(f"{re.escape(URL)}/.*"), self._answer)
        return mock

    @property
    def calls(self) -> list[str]:
        """The methods that were called, in their order."""
        return [name for names in self.requests for name in names]

    def writes(self) -> list[str]:
        return [name for name in self.calls if not name.startswith("get")]

    # --- the protocol

    def _answer(self, request: PreparedRequest) -> Reply:
        if urlsplit(str(request.url)).path != "/jsonrpc.php":
            return 404, {"Content-Type": "text/html"}, "<html>no such page</html>"
        try:
            return self._json(self._called(request))
        except Refused as refused:
            error = {"code": refused.status, "message": "Forbidden"}
            body = {"jsonrpc": "2.0", "error": error, "id": None}
            return refused.status, {"Content-Type": "application/json"}, json.dumps(body)

    def _json(self, data: Any) -> Reply:
        date = {"Date": self.now().strftime("%a, %d %b %Y %H:%M:%S GMT")} if self.sends_date else {}
        if self.as_text:
            data = _numbers_as_text(data)
        return 200, {"Content-Type": "application/json", **date}, json.dumps(data)

    def _called(self, request: PreparedRequest) -> Any:
        if not request.body:
            return _failed(None, Fault(-32700, "Parse error"))
        user = self._user(request)
        body = json.loads(request.body)
        calls = body if isinstance(body, list) else [body]
        self.requests.append([each["method"] for each in calls])
        answers = [self._one(each, user) for each in calls]
        return answers if isinstance(body, list) else answers[0]

    def _user(self, request: PreparedRequest) -> int:
        """Returns who asks, 0 for the application itself."""
        _, _, encoded = request.headers.get("Authorization", "").partition(" ")
        name, _, secret = base64.b64decode(encoded).decode().partition(":")
        if (name, secret) == ("jsonrpc", TOKEN):
            return 0
        if secret == PERSON_TOKEN and name == "bo":
            return 3
        raise Refused(401)

    def _one(self, call: Row, user: int) -> Row:
        name = call["method"]
        try:
            self.faults(name)
        except Fault as fault:
            return _failed(call["id"], fault)
        if user == 0 and name == "getMe":
            raise Refused(403)
        if user and self.role != "app-admin" and name in _OF_ADMINISTRATORS:
            raise Refused(403)
        try:
            result = self._done(name, call.get("params") or {}, user)
        except Fault as fault:
            return _failed(call["id"], fault)
        self.faults(f"after {name}")
        return {"jsonrpc": "2.0", "result": copy.deepcopy(result), "id": call["id"]}

    def _done(self, name: str, params: Row, user: int) -> Any:
        if name == "getMe":
            return {**self.users[user], "role": self.role}
        handler = getattr(self, f"_{name}", None)
        if handler is None:
            raise Fault(-32601, "Method not found")
        if user and "project_id" in params:
            self._demand_member(params["project_id"], user)
        try:
            result = handler(**params)
        except TypeError as error:
            raise Fault(-32602, "Invalid params") from error
        if user and name == "createProject" and result:
            self.members[result][user] = "project-manager"
        if user and name == "getProjectByIdentifier" and result:
            self._demand_member(result["id"], user)
        return result

    def _demand_member(self, project: int, user: int) -> None:
        if user not in self.members.get(int(project), {}):
            raise Refused(403)

    def _next(self) -> int:
        self._last += 1
        return self._last

    def _seconds(self) -> int:
        return int(self.now().timestamp())

    # --- the application

    def _getVersion(self) -> str:
        return "1.2.51"

    def _getTimezone(self) -> str:
        return self.zone

    def _getAllUsers(self) -> list[Row]:
        return list(self.users.values())

    def _getLinkByLabel(self, label: str) -> Any:
        return {"id": 9, "label": label, "opposite_id": 8} if "milestone" in label else False

    # --- projects

    def _getAllProjects(self) -> list[Row]:
        return sorted(self.projects.values(), key=lambda row: str(row["name"]))

    def _getProjectById(self, project_id: int) -> Row | None:
        return self.projects.get(project_id)

    def _getProjectByIdentifier(self, identifier: str) -> Any:
        found = [p for p in self.projects.values() if p["identifier"] == identifier.upper()]
        return found[0] if identifier and found else False

    def _createProject(
        self,
        name: str,
        description: str | None = None,
        owner_id: int = 0,
        identifier: str | None = None,
    ) -> Any:
        if not name or not self._is_free(identifier, 0):
            return False
        self.races()
        number = self._next()
        self.projects[number] = {
            "id": number,
            "name": name,
            "is_active": 1,
            "token": "",
            "last_modified": self._seconds(),
            "is_public": 0,
            "is_private": 0,
            "description": description,
            "identifier": (identifier or "").upper(),
            "owner_id": owner_id,
            "per_swimlane_task_limits": 0,
            "url": {"board": "http://localhost/", "list": "http://localhost/"},
        }
        self.members[number] = {}
        for title in _BORN:
            self._addColumn(number, title)
        self._addSwimlane(number, "Default swimlane")
        return number

    def _is_free(self, identifier: str | None, but: int) -> bool:
        if not identifier:
            return True
        if not re.fullmatch(r"[A-Za-z0-9]{1,50}", identifier):
            return False
        taken = (p["id"] for p in self.projects.values() if p["identifier"] == identifier.upper())
        return not [number for number in taken if number != but]

    def _updateProject(
        self,
        project_id: int,
        name: str | None = None,
        description: str | None = None,
        identifier: str | None = None,
    ) -> bool:
        row = self.projects.get(project_id)
        if row is None or name == "" or not self._is_free(identifier, project_id):
            return False
        given = {"name": name, "description": description, "identifier": identifier}
        row.update({at: value for at, value in given.items() if value is not None})
        row["identifier"] = str(row["identifier"]).upper()
        row["per_swimlane_task_limits"] = 0  # whatever people chose
        return True

    def _set_active(self, project: int, value: int) -> bool:
        if project not in self.projects:
            return False
        self.projects[project]["is_active"] = value
        return True

    def _enableProject(self, project_id: int) -> bool:
        return self._set_active(project_id, 1)

    def _disableProject(self, project_id: int) -> bool:
        return self._set_active(project_id, 0)

    def _removeProject(self, project_id: int) -> bool:
        if self.projects.pop(project_id, None) is None:
            return False
        for table in (self.tasks, self.columns, self.swimlanes):
            for number in [n for n, row in table.items() if row["project_id"] == project_id]:
                del table[number]
        self.members.pop(project_id, None)
        self.metadata.pop(("project", project_id), None)
        return True

    # --- metadata

    def _getProjectMetadata(self, project_id: int) -> Any:
        return self.metadata.get(("project", project_id), {})

    def _saveProjectMetadata(self, project_id: int, values: Mapping[str, str]) -> bool:
        if project_id not in self.projects:
            return False
        self.metadata.setdefault(("project", project_id), {}).update(values)
        return True

    def _removeProjectMetadata(self, project_id: int, name: str) -> bool:
        self.metadata.get(("project", project_id), {}).pop(name, None)
        return True

    def _getTaskMetadata(self, task_id: int) -> Any:
        return self.metadata.get(("task", task_id), {})

    def _saveTaskMetadata(self, task_id: int, values: Mapping[str, str]) -> bool:
        if task_id not in self.tasks:
            return False
        self.metadata.setdefault(("task", task_id), {}).update(values)
        return True

    # --- members

    def _getProjectUsers(self, project_id: int) -> Any:
        of_project = self.members.get(project_id, {})
        return {str(user): self.users[user]["name"] for user in of_project}

    def _getAssignableUsers(self, project_id: int) -> Any:
        return {
            str(user): self.users[user]["name"]
            for user, role in self.members.get(project_id, {}).items()
            if role != "project-viewer" and self.users[user]["is_active"]
        }

    def _addProjectUser(self, project_id: int, user_id: int, role: str) -> bool:
        of_project = self.members.get(project_id)
        if of_project is None or user_id in of_project or user_id not in self.users:
            return False
        of_project[user_id] = role
        return True

    def _changeProjectUserRole(self, project_id: int, user_id: int, role: str) -> bool:
        if role not in _ROLES:
            return False
        self.members[project_id][user_id] = role
        return True

    def _removeProjectUser(self, project_id: int, user_id: int) -> bool:
        return self.members.get(project_id, {}).pop(user_id, None) is not None

    # --- columns and swimlanes

    def _getColumns(self, project_id: int) -> list[Row]:
        rows = (row for row in self.columns.values() if row["project_id"] == project_id)
        return sorted(rows, key=lambda row: int(row["position"]))

    def _getColumn(self, column_id: int) -> Row | None:
        return self.columns.get(column_id)

    def _addColumn(self, project_id: int, title: str) -> Any:
        rows = self._getColumns(project_id)
        if any(row["title"] == title for row in rows):
            return False
        number = self._next()
        self.columns[number] = {
            "id": number,
            "title": title,
            "position": max((int(row["position"]) for row in rows), default=0) + 1,
            "project_id": project_id,
            "task_limit": 0,
            "description": "",
        }
        return number

    def _updateColumn(
        self, column_id: int, title: str, task_limit: int = 0, description: str = ""
    ) -> bool:
        self.columns[column_id].update(title=title, task_limit=task_limit, description=description)
        return True

    def _removeColumn(self, column_id: int) -> bool:
        if any(task["column_id"] == column_id for task in self.tasks.values()):
            return False
        return self.columns.pop(column_id, None) is not None

    def _changeColumnPosition(self, project_id: int, column_id: int, position: int) -> bool:
        rows = [row for row in self._getColumns(project_id) if row["id"] != column_id]
        if not 1 <= position <= len(rows) + 1:
            return False
        rows.insert(position - 1, self.columns[column_id])
        for at, row in enumerate(rows, 1):
            row["position"] = at
        return True

    def _getAllSwimlanes(self, project_id: int) -> list[Row]:
        return [row for row in self.swimlanes.values() if row["project_id"] == project_id]

    def _addSwimlane(self, project_id: int, name: str, description: str = "") -> Any:
        if project_id not in self.projects:
            return 0
        if any(row["name"] == name for row in self._getAllSwimlanes(project_id)):
            return False  # the database itself sees to that
        number = self._next()
        row = {"id": number, "name": name, "description": description, "project_id": project_id}
        self.swimlanes[number] = row
        return number

    def _updateSwimlane(
        self, project_id: int, swimlane_id: int, name: str, description: str | None = None
    ) -> bool:
        row = self.swimlanes.get(swimlane_id)
        if row is None or row["project_id"] != project_id:
            return False
        row.update(name=name, description=description or "")
        return True

    def _removeSwimlane(self, project_id: int, swimlane_id: int) -> bool:
        row = self.swimlanes.get(swimlane_id)
        if row is None or row["project_id"] != project_id:
            return False
        del self.swimlanes[swimlane_id]
        return True

    # --- tasks

    def _of_project(self, project: int) -> Iterator[Row]:
        return (row for row in self.tasks.values() if row["project_id"] == project)

    def _getAllTasks(self, project_id: int, status_id: int) -> list[Row]:
        return [row for row in self._of_project(project_id) if row["is_active"] == status_id]

    def _getTask(self, task_id: int) -> Row | None:
        return self.tasks.get(task_id)

    def _getTaskByReference(self, project_id: int, reference: str) -> Row | None:
        found = [row for row in self._of_project(project_id) if row["reference"] == reference]
        return found[0] if found else None

    def _createTask(
        self,
        title: str,
        project_id: int,
        owner_id: int = 0,
        column_id: int = 0,
        reference: str = "",
        description: str = "",
        date_due: str = "",
        date_started: str = "",
        time_estimated: float | None = None,
    ) -> Any:
        if not title or project_id not in self.projects or len(reference) > 191:
            return 0 if title else False
        if owner_id and str(owner_id) not in self._getAssignableUsers(project_id):
            return False
        self.races()
        number = self._next()
        self.tasks[number] = {
            "id": number,
            "title": title,
            "description": description,
            "reference": reference,
            "project_id": project_id,
            "column_id": column_id or self._getColumns(project_id)[0]["id"],
            "swimlane_id": self._getAllSwimlanes(project_id)[0]["id"],
            "owner_id": owner_id,
            "creator_id": 0,
            "is_active": 1,
            "position": 1,
            "date_creation": self._seconds(),
            "date_modification": self._seconds(),
            "date_due": self._moment(date_due),
            "date_started": self._moment(date_started),
            "time_spent": None,
            "time_estimated": time_estimated or 0,
        }
        self._touch(number)
        return number

    def _moment(self, text: str) -> int:
        if not text:
            return 0
        form = "%Y-%m-%d %H:%M" if " " in text else "%Y-%m-%d"
        moment = datetime.strptime(text, form).replace(tzinfo=UTC)
        if " " not in text:  # Kanboard takes the hour of just now
            moment = datetime.combine(moment.date(), self.now().time(), UTC)
        return int(moment.timestamp())

    def _touch(self, task: int) -> None:
        row = self.tasks[task]
        row["date_modification"] = self._seconds()
        self.projects[row["project_id"]]["last_modified"] = self._seconds()

    def _updateTask(self, id: int, **changes: Any) -> bool:
        row = self.tasks.get(id)
        if row is None:
            return False
        owner = changes.get("owner_id")
        if owner and str(owner) not in self._getAssignableUsers(row["project_id"]):
            return False
        for at in ("date_due", "date_started"):
            if at in changes:
                changes[at] = self._moment(changes[at])
        row.update(changes)
        self._touch(id)
        return True

    def _moveTaskPosition(
        self, project_id: int, task_id: int, column_id: int, position: int, swimlane_id: int
    ) -> bool:
        row = self.tasks.get(task_id)
        if row is None or row["project_id"] != project_id:
            return False
        row.update(column_id=column_id, position=position, swimlane_id=swimlane_id)
        self._touch(task_id)
        return True

    def _moveTaskToProject(self, task_id: int, project_id: int) -> bool:
        column = self._getColumns(project_id)[0]["id"]
        lane = self._getAllSwimlanes(project_id)[0]["id"]
        self.tasks[task_id].update(project_id=project_id, column_id=column, swimlane_id=lane)
        self._touch(task_id)
        return True

    def _closeTask(self, task_id: int) -> bool:
        self.tasks[task_id]["is_active"] = 0
        self._touch(task_id)
        return True

    def _removeTask(self, task_id: int) -> bool:
        self.metadata.pop(("task", task_id), None)
        for links in (rows for (what, _), rows in self.hanging.items() if what == "link"):
            links[:] = [row for row in links if row["opposite_task_id"] != task_id]
        self.hanging.pop(("link", task_id), None)
        return self.tasks.pop(task_id, None) is not None

    def _getAllComments(self, task_id: int) -> list[Row]:
        return self.hanging.get(("comment", task_id), [])

    def _createComment(self, task_id: int, content: str) -> int:
        number = self._next()
        rows = self.hanging.setdefault(("comment", task_id), [])
        rows.append({"id": number, "comment": content})
        return number

    def _getAllSubtasks(self, task_id: int) -> list[Row]:
        return self.hanging.get(("subtask", task_id), [])

    def _getAllTaskFiles(self, task_id: int) -> list[Row]:
        return self.hanging.get(("file", task_id), [])

    def _getAllTaskLinks(self, task_id: int) -> list[Row]:
        """Returns the links of a task, each with the other task as ``task_id``."""
        own = self.hanging.get(("link", task_id), [])
        others = [
            {"id": row["id"], "task_id": holder, "label": "targets milestone"}
            for (kind, holder), rows in self.hanging.items()
            for row in rows
            if kind == "link" and row["opposite_task_id"] == task_id
        ]
        return [
            *(
                {"id": row["id"], "task_id": row["opposite_task_id"], "label": _MILESTONE_OF}
                for row in own
            ),
            *others,
        ]

    def _removeTaskLink(self, task_link_id: int) -> bool:
        rows = [rows for (what, _), rows in self.hanging.items() if what == "link"]
        for links in rows:
            links[:] = [row for row in links if row["id"] != task_link_id]
        return True

    def _createTaskLink(self, task_id: int, opposite_task_id: int, link_id: int) -> Any:
        rows = self.hanging.setdefault(("link", task_id), [])
        if any(row["opposite_task_id"] == opposite_task_id for row in rows):
            return False
        number = self._next()
        rows.append({"id": number, "opposite_task_id": opposite_task_id, "link_id": link_id})
        return number


def _failed(number: Any, fault: Fault) -> Row:
    return {"jsonrpc": "2.0", "error": fault.error, "id": number}


def _numbers_as_text(data: Any) -> Any:
    """Returns data as older versions send it."""
    if isinstance(data, bool):
        return data
    if isinstance(data, int):
        return str(data)
    if isinstance(data, list):
        return [_numbers_as_text(each) for each in data]
    if isinstance(data, dict):
        kept = ("id",) if data.keys() & {"jsonrpc"} else ()
        return {n: v if n in kept else _numbers_as_text(v) for n, v in data.items()}
    return data
