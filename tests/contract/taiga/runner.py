"""Plays a contract case against a server and compares what comes back."""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass, field
from typing import Any

import requests

from tests.contract.taiga.case import (
    ABSENT,
    Case,
    Contains,
    Kind,
    Lacks,
    Length,
    Matches,
    Moved,
    Same,
    Step,
)

_VARIABLE = re.compile(r"\{([a-z_0-9]+)\}")


@dataclass
class Server:
    """A Taiga server and the accounts to use on it."""

    url: str
    username: str
    password: str = field(repr=False)
    outsider: tuple[str, str] | None = field(default=None, repr=False)
    has_people: bool = True
    _sessions: dict[str, requests.Session] = field(default_factory=dict)
    variables: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def api(self) -> str:
        return f"{self.url}/api/v1"

    def session(self, actor: str) -> requests.Session:
        """A session that acts as somebody: bot, outsider, or anonymous."""
        if actor not in self._sessions:
            self._sessions[actor] = self._log_in(actor)
        return self._sessions[actor]

    def _log_in(self, actor: str) -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        session.headers["Accept-Language"] = "en"
        if actor == "anonymous":
            return session
        pair = (self.username, self.password) if actor == "bot" else self.outsider
        assert pair is not None, "the case needs --taiga-outsider"
        body = {"type": "normal", "username": pair[0], "password": pair[1]}
        answer = session.post(f"{self.api}/auth", json=body, timeout=120)
        assert answer.status_code == 200, f"log-in as {pair[0]}: {answer.status_code}"
        session.headers["Authorization"] = f"Bearer {answer.json()['auth_token']}"
        if actor == "bot":
            self.variables |= {
                "user": pair[0],
                "password": pair[1],
                "user_id": answer.json()["id"],
                "email": answer.json()["email"],
                "auth_token": answer.json()["auth_token"],
                "refresh": answer.json()["refresh"],
            }
        return session

    def close(self) -> None:
        for session in self._sessions.values():
            session.close()

    def make_project(self, template: str, name: str) -> dict[str, Any]:
        """A project, and the variables it brings."""
        body = {
            "name": name,
            "description": "contract case",
            "creation_template": {"scrum": 1}.get(template, 2),
        }
        answer = self.session("bot").post(f"{self.api}/projects", json=body, timeout=120)
        assert answer.status_code == 201, answer.text
        project = answer.json()
        variables = {"project": project["id"], "slug": project["slug"], "name": project["name"]}
        for kind, rows in (("role", "roles"), ("status", "us_statuses"), ("points", "points")):
            for row in project[rows]:
                word = row.get("slug") or row["name"].replace("/", "_").replace("?", "none")
                variables[f"{kind}_{word.replace('-', '_')}"] = row["id"]
        variables["membership"] = self._owner_membership(project["id"])
        return variables

    def _owner_membership(self, project: int) -> int:
        answer = self.session("bot").get(f"{self.api}/memberships?project={project}", timeout=120)
        return int(answer.json()[0]["id"])


class Run:
    """One case being played."""

    def __init__(self, server: Server, case: Case) -> None:
        self.server = server
        self.case = case
        self.variables: dict[str, Any] = {"unique": f"ct-{uuid.uuid4().hex[:10]}"}
        self._projects: list[int] = []
        self._keys: list[str] = []

    def play(self) -> None:
        self.server.session("bot")
        self.variables |= self.server.variables
        try:
            if self.case.project:
                made = self.server.make_project(self.case.project, self.variables["unique"])
                self.variables |= made
                self._projects.append(made["project"])
            for number, step in enumerate(self.case.steps, start=1):
                self._play(number, step)
        finally:
            self._clean_up()

    def _play(self, number: int, step: Step) -> None:
        answer = self._send(step)
        place = f"step {number}: {step.method} {self.fill(step.path)}"
        shown = f"{answer.status_code} {answer.text[:600]}"
        self._remember(step, answer)
        assert answer.status_code == step.status, f"{place}: expected {step.status}, got {shown}"
        for name, expected in step.headers.items():
            actual = answer.headers.get(name, ABSENT)
            self._compare(f"{place}: header {name}", actual, expected)
        if not (step.fields or step.save):
            return
        body = _decode(answer)
        for path, expected in step.fields.items():
            actual = lookup(body, self.fill(path))
            self._compare(f"{place}: {path or 'body'} of {shown}", actual, expected)
        for name, path in step.save.items():
            self.variables[name] = lookup(body, self.fill(path))

    def _send(self, step: Step) -> requests.Response:
        session = self.server.session(step.actor)
        headers = {name: self.fill(value) for name, value in step.send.items()}
        arguments: dict[str, Any] = {"headers": headers, "timeout": 60}
        if step.files is not None:
            arguments |= {"data": self.fill(step.body), "files": step.files}
        elif step.raw is not None:
            raw = step.raw.encode() if isinstance(step.raw, str) else step.raw
            arguments["data"] = raw
            headers.setdefault("Content-Type", "application/json")
        elif step.body is not None:
            arguments["data"] = json.dumps(self.fill(step.body))
            headers["Content-Type"] = "application/json"
        return session.request(step.method, self.server.api + self.fill(step.path), **arguments)

    def _remember(self, step: Step, answer: requests.Response) -> None:
        """Note what has to be deleted afterwards."""
        if answer.status_code != 201:
            return
        if step.path == "/projects" or step.path.endswith("/duplicate"):
            self._projects.append(answer.json()["id"])
        elif step.path == "/user-storage":
            self._keys.append(answer.json()["key"])

    def _clean_up(self) -> None:
        session = self.server.session("bot")
        for project in self._projects:
            session.delete(f"{self.server.api}/projects/{project}", timeout=120)
        for key in self._keys:
            session.delete(f"{self.server.api}/user-storage/{key}", timeout=120)

    def _compare(self, place: str, actual: Any, expected: Any) -> None:
        if isinstance(expected, Same):
            expected = self.variables[expected.name]
        if isinstance(expected, Moved):
            assert actual > self.variables[expected.name], f"{place}: {actual!r} did not move"
            return
        expected = self.fill(expected)
        assert agrees(actual, expected), f"{place}\n  expected {expected!r}\n  got {actual!r}"

    def fill(self, value: Any) -> Any:
        """Put variables in; a text that is one variable and nothing else keeps the variable's
        type.
        """
        if isinstance(value, str):
            whole = _VARIABLE.fullmatch(value)
            if whole and whole[1] in self.variables:
                return self.variables[whole[1]]
            return _VARIABLE.sub(lambda match: str(self.variables.get(match[1], match[0])), value)
        if isinstance(value, dict):
            return {self.fill(name): self.fill(item) for name, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.fill(item) for item in value]
        if isinstance(value, Contains):
            return Contains(self.fill(value.item))
        if isinstance(value, Lacks):
            return Lacks(self.fill(value.item))
        return value


def _decode(answer: requests.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return answer.text


def lookup(body: Any, path: str | int) -> Any:
    """The part of an answer at a path such as `roles.0.name` or `[id=7].tags`."""
    found = body
    for part in re.findall(r"\[[^\]]+\]|[^.\[\]]+", str(path)):
        if part.startswith("["):
            name, _, wanted = part.strip("[]").partition("=")
            found = next((row for row in found if str(row.get(name)) == wanted), ABSENT)
        elif isinstance(found, list):
            found = found[int(part)] if int(part) < len(found) else ABSENT
        else:
            found = found.get(part, ABSENT) if isinstance(found, dict) else ABSENT
        if found is ABSENT:
            break
    return found


def agrees(actual: Any, expected: Any) -> bool:
    """Whether a value is as expected."""
    if isinstance(expected, Matches):
        return isinstance(actual, str) and re.match(expected.pattern, actual) is not None
    if isinstance(expected, Kind):
        return type(actual).__name__ == expected.name
    if isinstance(expected, Length):
        return len(actual) == expected.count
    if isinstance(expected, Contains):
        return expected.item in actual
    if isinstance(expected, Lacks):
        return actual is not ABSENT and expected.item not in actual
    if expected is ABSENT or actual is ABSENT:
        return actual is expected
    return bool(actual == expected)
