"""A Redmine that answers from memory, and behaves as a real one was seen to (5.0.4).

It is not a server: it answers the requests of this process by `responses`. What it does badly,
Redmine does badly: 204 for what it ignores, everything for a filter that it does not know, times
with a resolution of a second, roles that are gone after a refusal. The contract suite for targets
runs against it and against a live Redmine, which keeps it honest.
"""

from __future__ import annotations

import copy
import itertools
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import responses
from requests import PreparedRequest

URL = "http://redmine.example.test"
KEY = "a" * 40
ROBOT_KEY = "6" * 40

_INSTALLATIONS = itertools.count()

Row = dict[str, Any]
Reply = tuple[int, Mapping[str, str], str]


class Refused(Exception):
    """An answer that is not a success."""

    def __init__(self, status: int, *errors: str) -> None:
        self.status = status
        self.errors = errors


_STANDARD_FIELDS = (
    *("assigned_to_id", "fixed_version_id", "start_date", "due_date", "estimated_hours"),
    *("done_ratio", "description", "priority_id"),
)


@dataclass
class Request:
    """A request as a handler sees it."""

    params: Mapping[str, str]
    body: Mapping[str, Any]
    admin: bool


@dataclass
class FakeRedmine:
    """The data, and what a test may want to happen.

    ``races`` is called with what is being made right before a project or a version is there, after
    it was checked that its name is free: as on PostgreSQL, where several requests are answered at
    once.
    ``faults`` is asked before ("POST /projects.json") and after ("after POST …") each request, and
    may raise `Refused` to have it answered so. ``ignores`` are places that a PUT leaves out with
    204. ``without_work`` are the numbers of roles that issues cannot be assigned to,
    ``tracker_fields`` the fields that trackers have.
    """

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    project_fields: list[Row] = field(default_factory=lambda: [_field(1, "Deal key", longest=64)])
    issue_fields: list[Row] = field(default_factory=lambda: [_field(5, "Deal key", "issue")])
    races: Callable[[str], None] = lambda what: None
    faults: Callable[[str], None] = lambda what: None
    ignores: frozenset[str] = frozenset()
    without_work: frozenset[int] = frozenset()
    tracker_fields: list[str] = field(default_factory=lambda: list(_STANDARD_FIELDS))
    newest_first = False  # which of two projects of one identifier is found
    requests: list[str] = field(default_factory=list)
    projects: dict[int, Row] = field(default_factory=dict)
    issues: dict[int, Row] = field(default_factory=dict)
    pages: dict[tuple[int, str], Row] = field(default_factory=dict)
    versions: dict[int, Row] = field(default_factory=dict)
    memberships: dict[int, Row] = field(default_factory=dict)
    journals: dict[int, list[Row]] = field(default_factory=dict)
    without_issues: set[int] = field(default_factory=set)
    """Projects in which the module 'Issue tracking' is off."""
    _last: int = 0

    def __post_init__(self) -> None:
        made = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=next(_INSTALLATIONS))
        names = [("admin", "Redmine", "Admin"), ("ana", "Ana", "Álvarez"), ("bo", "Bo", "Okafor")]
        self.users = {
            number: {
                "id": number,
                "login": login,
                "firstname": first,
                "lastname": last,
                "mail": f"{login}@example.invalid",
                "admin": login == "admin",
                "status": 1,
                "created_on": made.isoformat().replace("+00:00", "Z"),
            }
            for number, (login, first, last) in enumerate([*names, ("sync", "Sync", "Robot")], 1)
        }
        self.roles = {3: "Manager", 4: "Developer", 5: "Reporter"}

    def answer(self) -> responses.RequestsMock:
        """Returns what makes this process's requests to `URL` come here."""
        mock = responses.RequestsMock(assert_all_requests_are_fired=False)
        for method in ("GET", "POST", "PUT", "DELETE"):
            mock.add_callback(method, re.compile(f"{re.escape(URL)}/.*"), self._answer)
        return mock

    # --- what people do

    def archive(self, number: int) -> None:
        self.projects[number]["status"] = 9
        for other, row in self.projects.items():
            if (row.get("parent") or {}).get("id") == number:
                self.archive(other)

    def unarchive(self, number: int) -> None:
        above = (self.projects[number].get("parent") or {}).get("id")
        assert above is None or self.projects[above]["status"] != 9
        self.projects[number]["status"] = 1

    def writes(self) -> list[str]:
        return [request for request in self.requests if not request.startswith("GET")]

    # --- below: the server

    def _answer(self, request: PreparedRequest) -> Reply:
        parts = urlsplit(str(request.url))
        what = f"{request.method} {parts.path}"
        self.requests.append(what)
        try:
            self.faults(what)
            answer = self._permitted(request)
            self.faults(f"after {what}")
        except Refused as error:
            return error.status, {}, ""
        return answer

    def _permitted(self, request: PreparedRequest) -> Reply:
        parts = urlsplit(str(request.url))
        if not any(re.fullmatch(pattern, parts.path) for _, pattern, _ in _ROUTES):
            return 404, {"Content-Type": "text/html"}, ""  # before anyone asks who it is
        key = request.headers.get("X-Redmine-API-Key")
        if key not in (KEY, ROBOT_KEY):
            return 401, {"WWW-Authenticate": 'Basic realm="Redmine API"'}, ""
        params = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        body = json.loads(request.body or b"{}")
        status, data = self._route(str(request.method), parts.path, params, body, key == KEY)
        text = "" if data is None else json.dumps(data)
        return status, {"Content-Type": "application/json"}, text

    def _route(
        self, method: str, path: str, params: Mapping[str, str], body: Row, admin: bool
    ) -> tuple[int, Any]:
        for wanted, pattern, handler in _ROUTES:
            match = re.fullmatch(pattern, path)
            if match and wanted == method:
                try:
                    return handler(self, Request(params, body, admin), *match.groups())
                except Refused as error:
                    return error.status, {"errors": list(error.errors)} if error.errors else None
        return 404, None

    def _next(self) -> int:
        self._last += 1
        return self._last

    def _time(self) -> str:
        return self.now().strftime("%Y-%m-%dT%H:%M:%SZ")

    # projects

    def project(self, name: str) -> Row:
        """Returns the project with a number or an identifier."""
        for number, row in sorted(self.projects.items(), reverse=self.newest_first):
            if name in (str(number), row["identifier"]):
                if row["status"] == 9:
                    raise Refused(403)
                return row
        raise Refused(404)

    def _writable(self, name: str) -> Row:
        row = self.project(name)
        if row["status"] != 1:
            raise Refused(403)
        return row

    # wiki

    def show_page(self, request: Request, name: str, title: str) -> tuple[int, Any]:
        page = self.pages.get((self._with_wiki(request, name), title))
        if page is None:
            raise Refused(404)
        return 200, {"wiki_page": dict(page)}

    def write_page(self, request: Request, name: str, title: str) -> tuple[int, Any]:
        """A version that is not the present one is refused; the same text makes no new one."""
        where = self._with_wiki(request, name), title
        wanted, page = request.body["wiki_page"], self.pages.get(where)
        text, version = wanted["text"], wanted.get("version")
        if page is None:
            page = {"title": title, "version": 0, "text": None}
        elif page["text"] == text:
            return 204, None
        elif version is not None and version != page["version"]:
            raise Refused(409)
        is_new = page["text"] is None
        page.update(text=text, version=page["version"] + 1, updated_on=self._time())
        self.pages[where] = page
        return (201, {"wiki_page": dict(page)}) if is_new else (204, None)

    def _with_wiki(self, request: Request, name: str) -> int:
        number = int(self.project(name)["id"])
        if not request.admin:
            raise Refused(403)
        return number

    def list_projects(self, request: Request) -> tuple[int, Any]:
        statuses = [int(s) for s in request.params.get("status", "1").split("|")]
        rows = [
            row
            for row in self.projects.values()
            if row["status"] in statuses
            and row["status"] != 9
            and request.params.get("name", row["name"]) == row["name"]
            and self._passes(row, request.params)
        ]
        return self._page("projects", sorted(rows, key=lambda row: row["name"]), request)

    def _passes(self, row: Row, params: Mapping[str, str]) -> bool:
        """Whether a project is what was asked for; a field that is not a filter filters nothing."""
        if "id" in params and str(row["id"]) not in params["id"].split("|"):
            return False
        return all(
            str(value["value"] or "").startswith(params[f"cf_{value['id']}"].removeprefix("^"))
            for value in row.get("custom_fields", ())
            if f"cf_{value['id']}" in params and self._is_filter(value["id"])
        )

    def _is_filter(self, number: int) -> bool:
        return any(f["id"] == number and f.get("is_filter") for f in self.project_fields)

    def _page(self, name: str, rows: list[Row], request: Request) -> tuple[int, Any]:
        limit = min(int(request.params.get("limit", 25)), 100) or 25
        offset = int(request.params.get("offset", 0))
        page = copy.deepcopy(rows[offset : offset + limit])
        return 200, {name: page, "total_count": len(rows), "offset": offset, "limit": limit}

    def show_project(self, request: Request, name: str) -> tuple[int, Any]:
        row = copy.deepcopy(self.project(name))
        include = request.params.get("include", "").split(",")
        if "trackers" in include:
            row["trackers"] = [{"id": 1, "name": "Bug"}, {"id": 2, "name": "Feature"}]
        if "enabled_modules" in include:
            modules = {"wiki"} if row["id"] in self.without_issues else {"issue_tracking", "wiki"}
            row["enabled_modules"] = [{"name": each} for each in sorted(modules)]
        if "issue_custom_fields" in include:
            row["issue_custom_fields"] = [
                {"id": field["id"], "name": field["name"]}
                for field in self.issue_fields
                if not field.get("for_all")
            ]
        return 200, {"project": row}

    def make_project(self, request: Request) -> tuple[int, Any]:
        given = request.body["project"]
        if any(row["identifier"] == given["identifier"] for row in self.projects.values()):
            raise Refused(422, "Identifier has already been taken")
        self.races("project")
        number, now = self._next(), self._time()
        row: Row = {
            "id": number,
            "name": given["name"],
            "identifier": given["identifier"],
            "description": given.get("description"),
            "status": 1,
            "is_public": given.get("is_public", True),
            "custom_fields": _values(self.project_fields, [], given.get("custom_fields", [])),
            "created_on": now,
            "updated_on": now,
        }
        self.projects[number] = row
        return 201, {"project": row}

    def change_project(self, request: Request, name: str) -> tuple[int, Any]:
        row = self._writable(name)
        given = request.body["project"]
        if "custom_fields" in given:
            row["custom_fields"] = _values(
                self.project_fields, row["custom_fields"], given["custom_fields"]
            )
        for place in {"name", "description"} - self.ignores:
            row[place] = given.get(place, row[place])
        row["updated_on"] = self._time()
        return 204, None

    def switch_project(self, request: Request, name: str, how: str) -> tuple[int, Any]:
        self.project(name)["status"] = {"close": 5, "reopen": 1}[how]
        return 204, None

    def delete_project(self, request: Request, name: str) -> tuple[int, Any]:
        number = self.project(name)["id"]
        del self.projects[number]
        for rows in (self.issues, self.versions, self.memberships):
            for key in [key for key, row in rows.items() if row["project"]["id"] == number]:
                del rows[key]
        return 204, None

    # what lives in projects

    def list_within(self, request: Request, name: str, kind: str) -> tuple[int, Any]:
        number = self.project(name)["id"]
        if kind == "versions" and number in self.without_issues:
            raise Refused(403)
        rows = [row for row in getattr(self, kind).values() if row["project"]["id"] == number]
        return self._page(kind, rows, request)

    def make_membership(self, request: Request, name: str) -> tuple[int, Any]:
        project, given = self._writable(name), request.body["membership"]
        user = self.users.get(given["user_id"])
        if user is None:
            raise Refused(422, "Principal cannot be blank")
        for row in self.memberships.values():
            if (row["project"]["id"], row["user"]["id"]) == (project["id"], user["id"]):
                raise Refused(422, "User has already been taken")
        number = self._next()
        self.memberships[number] = {
            "id": number,
            "project": {"id": project["id"], "name": project["name"]},
            "user": {"id": user["id"], "name": f"{user['firstname']} {user['lastname']}"},
            "roles": [{"id": role, "name": self.roles[role]} for role in given["role_ids"]],
        }
        return 201, {"membership": self.memberships[number]}

    def change_membership(self, request: Request, number: str) -> tuple[int, Any]:
        row, given = self._child("memberships", number), request.body["membership"]
        row["roles"] = [{"id": role, "name": self.roles[role]} for role in given["role_ids"]]
        if not given["role_ids"]:  # they are gone all the same
            raise Refused(422, "Role cannot be empty")
        return 204, None

    def make_version(self, request: Request, name: str) -> tuple[int, Any]:
        project, given = self._writable(name), request.body["version"]
        if any(
            row["name"] == given["name"] and row["project"]["id"] == project["id"]
            for row in self.versions.values()
        ):
            raise Refused(422, "Name has already been taken")
        self.races("version")
        number = self._next()
        self.versions[number] = {
            "id": number,
            "project": {"id": project["id"], "name": project["name"]},
            "name": given["name"],
            "status": "open",
            "due_date": given.get("due_date"),
        }
        return 201, {"version": self.versions[number]}

    def change_version(self, request: Request, number: str) -> tuple[int, Any]:
        row = self._child("versions", number)
        for place in {"name", "due_date"} - self.ignores:
            row[place] = request.body["version"].get(place, row[place])
        return 204, None

    def list_issues(self, request: Request) -> tuple[int, Any]:
        params = request.params
        since = params.get("updated_on", "").removeprefix(">=")
        rows = [
            row
            for row in self.issues.values()
            if params.get("project_id", str(row["project"]["id"])) == str(row["project"]["id"])
            and row["updated_on"] >= since
            and self.projects[row["project"]["id"]]["status"] != 9
        ]
        if "project_id" in params:
            self.project(params["project_id"])
        return self._page("issues", list(map(self._shown, rows)), request)

    def make_issue(self, request: Request) -> tuple[int, Any]:
        given = request.body["issue"]
        project = self.projects.get(given["project_id"])
        if project is None or project["status"] != 1:
            raise Refused(422, "Project cannot be blank", "Tracker cannot be blank")
        number, now = self._next(), self._time()
        self.issues[number] = {
            "id": number,
            "project": {"id": project["id"], "name": project["name"]},
            "tracker": {"id": given.get("tracker_id", 1)},
            "author": {"id": 1 if request.admin else 4},
            "subject": given["subject"],
            "description": str(given.get("description") or "").replace("\n", "\r\n"),
            "done_ratio": 0,
            "spent_hours": 0.0,
            "estimated_hours": given.get("estimated_hours"),
            "assigned_to_id": self._assignee(project["id"], given.get("assigned_to_id")),
            "custom_fields": _values(self.issue_fields, [], given.get("custom_fields", [])),
            "fixed_version": {"id": given.get("fixed_version_id")},
            "created_on": now,
            "updated_on": now,
            "closed_on": None,
        }
        return 201, {"issue": self._shown(self.issues[number])}

    def _shown(self, row: Row) -> Row:
        """An issue as answers show it: who it is given to is in it only where that is someone."""
        shown = {place: value for place, value in row.items() if place != "assigned_to_id"}
        holder = self.users.get(row.get("assigned_to_id") or 0)
        if holder is not None:
            name = f"{holder['firstname']} {holder['lastname']}"
            shown["assigned_to"] = {"id": holder["id"], "name": name}
        return shown

    def change_issue(self, request: Request, number: str) -> tuple[int, Any]:
        row, given = self._child("issues", number), request.body["issue"]
        if given.get("assigned_to_id") is None:  # which Redmine takes for nothing said
            given = {place: value for place, value in given.items() if place != "assigned_to_id"}
        else:
            holder = self._assignee(row["project"]["id"], given["assigned_to_id"])
            given = {**given, "assigned_to_id": holder}
        changed = [
            place
            for place in sorted(_EDITED - self.ignores)
            if given.get(place, row[place]) != row[place]
        ]
        if changed:
            details = [
                {
                    "property": "attr",
                    "name": place,
                    "old_value": None if row[place] is None else str(row[place]),
                    "new_value": None if given[place] is None else str(given[place]),
                }
                for place in changed
            ]
            user = {"id": 1 if request.admin else 4}
            entry = {"id": self._next(), "user": user, "details": details}
            self.journals.setdefault(int(number), []).append(entry)
        row.update({place: given[place] for place in changed})
        if "fixed_version_id" in given:
            row["fixed_version"] = {"id": given["fixed_version_id"] or None}
        if "project_id" in given:
            project = self._writable(str(given["project_id"]))
            row["project"] = {"id": project["id"], "name": project["name"]}
            row["fixed_version"] = {"id": None}
        if "custom_fields" in given:
            row["custom_fields"] = _values(
                self.issue_fields, row["custom_fields"], given["custom_fields"]
            )
        row["updated_on"] = self._time()
        return 204, None

    def _assignee(self, project: int, user: Any) -> int | None:
        """Who an issue is given to: a member who is not locked, in a role that takes work."""
        if not user:
            return None
        for row in self.memberships.values():
            works = any(role["id"] not in self.without_work for role in row["roles"])
            is_member = (row["project"]["id"], row["user"]["id"]) == (project, int(user))
            if is_member and works and self.users[int(user)]["status"] != 3:
                return int(user)
        raise Refused(422, "Assignee is invalid")

    def _child(self, kind: str, number: str) -> Row:
        row: Row | None = getattr(self, kind).get(int(number))
        if row is None:
            raise Refused(404)
        self._writable(str(row["project"]["id"]))
        return row

    def show_child(self, request: Request, kind: str, number: str) -> tuple[int, Any]:
        row = getattr(self, kind).get(int(number))
        if row is None:
            raise Refused(404)
        shown = copy.deepcopy(self._shown(row) if kind == "issues" else row)
        if "journals" in request.params.get("include", "").split(","):
            shown["journals"] = copy.deepcopy(self.journals.get(int(number), []))
        return 200, {kind.removesuffix("s"): shown}

    def delete_child(self, request: Request, kind: str, number: str) -> tuple[int, Any]:
        self._child(kind, number)
        held = (row["fixed_version"]["id"] for row in self.issues.values())
        if kind == "versions" and int(number) in held:
            raise Refused(422, "Unable to delete version.")
        del getattr(self, kind)[int(number)]
        return 204, None

    # users, roles, fields

    def list_users(self, request: Request) -> tuple[int, Any]:
        if not request.admin:
            raise Refused(403)
        status, word = request.params.get("status"), request.params.get("name", "")
        rows = [
            row
            for row in self.users.values()
            if (status in ("", None) or row["status"] == int(status)) and word in row["mail"]
        ]
        return self._page("users", rows, request)

    def show_user(self, request: Request, number: str) -> tuple[int, Any]:
        if number == "current":
            return 200, {"user": self.users[1 if request.admin else 4]}
        user = dict(self.users[int(number)])
        if not request.admin:
            del user["mail"]
        return 200, {"user": user}

    def list_roles(self, request: Request) -> tuple[int, Any]:
        return 200, {"roles": [{"id": n, "name": name} for n, name in self.roles.items()]}

    def show_role(self, request: Request, number: str) -> tuple[int, Any]:
        role = {"id": int(number), "name": self.roles[int(number)]}
        return 200, {"role": {**role, "assignable": int(number) not in self.without_work}}

    def list_trackers(self, request: Request) -> tuple[int, Any]:
        names = {1: "Bug", 2: "Feature"}
        rows = [
            {"id": number, "name": name, "enabled_standard_fields": self.tracker_fields}
            for number, name in names.items()
        ]
        return 200, {"trackers": rows}

    def list_fields(self, request: Request) -> tuple[int, Any]:
        if not request.admin:
            raise Refused(403)
        return 200, {"custom_fields": [*self.project_fields, *self.issue_fields]}


def _field(
    number: int, name: str, kind: str = "project", form: str = "string", longest: int | None = None
) -> Row:
    return {
        "id": number,
        "name": name,
        "customized_type": kind,
        "field_format": form,
        "max_length": longest,
        "is_filter": True,
    }


def custom_field(number: int, name: str, form: str, **more: object) -> Row:
    """Returns the definition of a project's custom field."""
    return {**_field(number, name, form=form), **more}


def _values(fields: list[Row], before: list[Row], given: list[Row]) -> list[Row]:
    """Returns the fields with their values; those that do not exist are ignored."""
    values = {row["id"]: row["value"] for row in before} | {
        row["id"]: row["value"] for row in given
    }
    for each in fields:
        value = values.get(each["id"])
        choices = [choice["value"] for choice in each.get("possible_values", ())]
        if value and choices and value not in choices:
            raise Refused(422, f"{each['name']} is not included in the list")
        if each.get("is_required") and not value:
            raise Refused(422, f"{each['name']} cannot be blank")
        if value and each.get("field_format") == "int" and not str(value).isdecimal():
            raise Refused(422, f"{each['name']} is not a number")
    return [{"id": f["id"], "name": f["name"], "value": values.get(f["id"])} for f in fields]


_ONE = r"([^/]+)\.json"
_KINDS = "memberships|versions"
_EDITED = frozenset({"subject", "description", "done_ratio", "estimated_hours", "assigned_to_id"})
_ROUTES: list[tuple[str, str, Callable[..., tuple[int, Any]]]] = [
    ("GET", r"/projects\.json", FakeRedmine.list_projects),
    ("POST", r"/projects\.json", FakeRedmine.make_project),
    ("GET", rf"/projects/{_ONE}", FakeRedmine.show_project),
    ("PUT", rf"/projects/{_ONE}", FakeRedmine.change_project),
    ("DELETE", rf"/projects/{_ONE}", FakeRedmine.delete_project),
    ("PUT", r"/projects/([^/]+)/(close|reopen)\.json", FakeRedmine.switch_project),
    ("GET", rf"/projects/([^/]+)/({_KINDS})\.json", FakeRedmine.list_within),
    ("GET", r"/projects/([^/]+)/wiki/(\w+)\.json", FakeRedmine.show_page),
    ("PUT", r"/projects/([^/]+)/wiki/(\w+)\.json", FakeRedmine.write_page),
    ("POST", r"/projects/([^/]+)/memberships\.json", FakeRedmine.make_membership),
    ("POST", r"/projects/([^/]+)/versions\.json", FakeRedmine.make_version),
    ("PUT", rf"/memberships/{_ONE}", FakeRedmine.change_membership),
    ("PUT", rf"/versions/{_ONE}", FakeRedmine.change_version),
    ("GET", r"/issues\.json", FakeRedmine.list_issues),
    ("POST", r"/issues\.json", FakeRedmine.make_issue),
    ("PUT", rf"/issues/{_ONE}", FakeRedmine.change_issue),
    ("GET", r"/(memberships|versions|issues)/(\d+)\.json", FakeRedmine.show_child),
    ("DELETE", r"/(memberships|versions|issues)/(\d+)\.json", FakeRedmine.delete_child),
    ("GET", r"/users\.json", FakeRedmine.list_users),
    ("GET", rf"/users/{_ONE}", FakeRedmine.show_user),
    ("GET", r"/roles\.json", FakeRedmine.list_roles),
    ("GET", rf"/roles/{_ONE}", FakeRedmine.show_role),
    ("GET", r"/trackers\.json", FakeRedmine.list_trackers),
    ("GET", r"/custom_fields\.json", FakeRedmine.list_fields),
]
