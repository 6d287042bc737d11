"""The accounts of each target that the suite runs against."""

from __future__ import annotations

import uuid
from typing import Any, Final

import requests

from sync.clock import Clock, SystemClock
from sync.errors import OutcomeUnknown
from sync.in_memory_target import InMemoryTarget
from sync.records.model import RecordKey
from sync.target import Place
from taiga_pipeline.credentials import Secret
from taiga_pipeline.http.connection import Connection
from taiga_pipeline.odoo.text import to_html
from taiga_pipeline.records import Kind
from taiga_pipeline.targets.kanboard import create as create_kanboard
from taiga_pipeline.targets.kanboard.tasks import as_written
from taiga_pipeline.targets.marks import Line, encode_mark, encode_reference
from taiga_pipeline.targets.odoo import create as create_odoo
from taiga_pipeline.targets.odoo.capabilities import held_by
from taiga_pipeline.targets.odoo.tasks import observe as observe_task
from taiga_pipeline.targets.odoo.tasks import read as read_task
from taiga_pipeline.targets.redmine import create as create_redmine
from taiga_pipeline.targets.taiga import create as create_taiga
from taiga_pipeline.targets.taiga.adapter import TaigaTarget
from taiga_pipeline.targets.taiga.client import Client as TaigaClient
from tests.contract.targets.account import Wire
from tests.live.odoo import OdooOffice
from tests.odoo.fake import READS
from tests.targets.support import ManualClock


class InMemoryAccount:
    """The in-memory target."""

    pipeline = "acme"
    member = "ana@example.invalid"
    workers = ("ana@example.invalid", "bo@example.invalid")
    roles = ("Back", "Design")
    shows_state = True
    capabilities = InMemoryTarget.capabilities

    def __init__(self, *, hides_retired: bool = False) -> None:
        self.target = InMemoryTarget(hides_retired=hides_retired)
        self.clock = ManualClock()

    @property
    def writes(self) -> int:
        return self.target.writes

    def rename(self, root_id: str, name: str) -> None:
        label, _, title = name.rpartition(") ")
        self.target.edit(root_id, label=f"{label})" if label else "", title=title)

    def tag(self, root_id: str, add: str = "", remove: str = "") -> None:
        root = self.target.observe_root(root_id)
        assert root is not None
        tags = root.fields["tags"]
        assert isinstance(tags, frozenset)
        self.target.edit(root_id, tags=(tags | {add}) - {remove, ""})

    def delete(self, root_id: str) -> None:
        self.target.delete(root_id)

    def add_story(self, root_id: str, subject: str) -> None:
        self.target.add_child(root_id, Kind.STORY, "", subject=subject)

    def edit_story(self, root_id: str, story_id: str, subject: str) -> None:
        self.target.edit_child(root_id, story_id, subject=subject)

    def estimate_story(self, root_id: str, story_id: str, hours: float) -> None:
        self.target.edit_child(root_id, story_id, hours=f"{hours:g}" if hours else None)

    def assign_story(self, root_id: str, story_id: str, address: str) -> None:
        self.target.edit_child(root_id, story_id, assigned=address or None)

    def copy_story(self, root_id: str, story_id: str) -> str:
        return self.target.copy_child(story_id, root_id)

    def delete_story(self, root_id: str, story_id: str) -> None:
        self.target.delete_child(root_id, story_id)

    def delete_milestone(self, root_id: str, milestone_id: str) -> None:
        self.target.delete_child(root_id, milestone_id)

    def move_story(self, root_id: str, story_id: str, other_id: str) -> None:
        self.target.move_child(root_id, story_id, other_id)

    def copy(self, root_id: str, name: str) -> str:
        copy_id = self.target.copy(root_id)
        self.target.edit(copy_id, title=name)
        return copy_id

    def lose_next_answer(self) -> None:
        def lose(operation: str) -> None:
            if operation in ("after create", "after create child"):
                self.target.faults = lambda operation: None
                raise OutcomeUnknown(f"{operation}: the answer was lost by the test")

        self.target.faults = lose

    def clean_up(self) -> None:
        return


class ArchivingAccount(InMemoryAccount):
    """A target in memory that shows nothing of what is in a retired project, as tools that archive
    projects do, and that never tells who touched what."""

    hides_retired = True
    tells_untouched_children = False

    def __init__(self) -> None:
        super().__init__(hides_retired=True)


class TaigaAccount:
    """A Taiga: the sandbox, or a real one."""

    member = "ana.contract@example.test"
    workers = ("ana@example.test", "bob@example.test")
    roles = ("Back", "Design")
    shows_state = False
    capabilities = create_taiga.capabilities

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self.pipeline = connection.pipeline
        self.clock = clock
        client = TaigaClient(connection, clock)
        self.target = TaigaTarget(client, connection)
        self.target.connect()
        self._client = client
        self._wire = Wire(client._transport)

    @property
    def writes(self) -> int:
        return self._wire.writes

    def rename(self, root_id: str, name: str) -> None:
        self._client.patch(f"projects/{root_id}", {"name": name})

    def tag(self, root_id: str, add: str = "", remove: str = "") -> None:
        tags = {*self._client.get(f"projects/{root_id}").data["tags"], add} - {remove, ""}
        self._client.patch(f"projects/{root_id}", {"tags": sorted(tags)})

    def delete(self, root_id: str) -> None:
        self._client.delete(f"projects/{root_id}")

    def add_story(self, root_id: str, subject: str) -> None:
        self._client.post("userstories", {"project": int(root_id), "subject": subject})

    def edit_story(self, root_id: str, story_id: str, subject: str) -> None:
        version = self._client.get(f"userstories/{story_id}").data["version"]
        self._client.patch(f"userstories/{story_id}", {"subject": subject, "version": version})

    def assign_story(self, root_id: str, story_id: str, address: str) -> None:
        members = self._client.get("memberships", {"project": root_id}).data
        (who,) = [row["user"] for row in members if row["user_email"] == address] or [None]
        version = self._client.get(f"userstories/{story_id}").data["version"]
        body = {"assigned_to": who, "version": version}
        self._client.patch(f"userstories/{story_id}", body)

    def copy_story(self, root_id: str, story_id: str) -> str:
        row = self._client.get(f"userstories/{story_id}").data
        copied = {at: row[at] for at in ("subject", "description", "external_reference")}
        body = {"project": int(root_id), **copied}
        return str(self._client.post("userstories", body).data["id"])

    def delete_story(self, root_id: str, story_id: str) -> None:
        self._client.delete(f"userstories/{story_id}")

    def delete_milestone(self, root_id: str, milestone_id: str) -> None:
        self._client.delete(f"milestones/{milestone_id}")

    def move_story(self, root_id: str, story_id: str, other_id: str) -> None:
        story = self._client.get(f"userstories/{story_id}").data
        moved = {name: story[name] for name in ("subject", "description", "external_reference")}
        self._client.post("userstories", {"project": int(other_id), **moved})
        self._client.delete(f"userstories/{story_id}")

    def make_template(self, name: str) -> str:
        made = self._client.post("projects", {"name": name, "description": "As we do it."}).data
        body = {"project": made["id"], "name": "Kick-off", "estimated_start": "2026-03-02"}
        body["estimated_finish"] = "2026-03-06"
        sprint = self._client.post("milestones", body).data["id"]
        dated = {"subject": "Invite", "due_date": "2026-03-04", "milestone": sprint}
        for story in (dated, {"subject": "Look back"}):
            self._client.post("userstories", {"project": made["id"], **story})
        return str(made["id"])

    def contents(self, root_id: str) -> list[tuple[str, str]]:
        found = [
            (row["name"], row["estimated_finish"])
            for row in self._client.get("milestones", {"project": root_id}).data
        ]
        stories = self._client.get("userstories", {"project": root_id}).data
        return sorted([*found, *((row["subject"], row["due_date"] or "") for row in stories)])

    def copy(self, root_id: str, name: str) -> str:
        wanted = {"name": name, "description": "A copy.", "is_private": True, "users": []}
        return str(self._client.post(f"projects/{root_id}/duplicate", wanted).data["id"])

    def lose_next_answer(self) -> None:
        self._wire.loses_next = True

    def clean_up(self) -> None:
        _delete_all(self)
        self.target.close()


class RedmineAccount:
    """A Redmine: one that a test makes up, or a live one with the accounts of its set-up."""

    member = "ana@example.invalid"
    workers = ("ana@example.invalid", "bo@example.invalid")
    roles = ("Developer", "Manager")
    shows_state = True
    capabilities = create_redmine.capabilities

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self.pipeline = connection.pipeline
        self.clock = clock
        self.target = create_redmine(connection, clock)
        self.target.connect()
        self.connection = connection
        self._wire = Wire(self.target._client._transport)
        self._http = requests.Session()
        assert connection.token
        self._http.headers["X-Redmine-API-Key"] = connection.token.reveal()

    @property
    def writes(self) -> int:
        return self._wire.writes

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Asks the API as an administrator, and insists on success."""
        url = f"{self.connection.url}/{path}"
        answer = self._http.request(method, url, json=body, timeout=120)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text[:300]}"
        return answer.json() if answer.content.strip() else None

    def rename(self, root_id: str, name: str) -> None:
        self.call("PUT", f"projects/{root_id}.json", {"project": {"name": name}})

    def tag(self, root_id: str, add: str = "", remove: str = "") -> None:
        raise NotImplementedError("Redmine has no tags for projects")

    def delete(self, root_id: str) -> None:
        self.call("DELETE", f"projects/{root_id}.json")

    def add_story(self, root_id: str, subject: str) -> None:
        issue = {"project_id": int(root_id), "subject": subject, "tracker_id": 1}
        self.call("POST", "issues.json", {"issue": issue})

    def edit_story(self, root_id: str, story_id: str, subject: str) -> None:
        self.call("PUT", f"issues/{story_id}.json", {"issue": {"subject": subject}})

    def estimate_story(self, root_id: str, story_id: str, hours: float) -> None:
        body = {"issue": {"estimated_hours": hours or ""}}
        self.call("PUT", f"issues/{story_id}.json", body)

    def assign_story(self, root_id: str, story_id: str, address: str) -> None:
        found = self.call("GET", f"users.json?name={address}")["users"] if address else []
        who = next((row["id"] for row in found if row["mail"] == address), "")
        self.call("PUT", f"issues/{story_id}.json", {"issue": {"assigned_to_id": who}})

    def copy_story(self, root_id: str, story_id: str) -> str:
        row = self.call("GET", f"issues/{story_id}.json")["issue"]
        fields = [{at: each[at] for at in ("id", "value")} for each in row["custom_fields"]]
        issue = {
            "project_id": int(root_id),
            "subject": row["subject"],
            "description": row["description"],
            "tracker_id": row["tracker"]["id"],
            "custom_fields": fields,
        }
        return str(self.call("POST", "issues.json", {"issue": issue})["issue"]["id"])

    def delete_story(self, root_id: str, story_id: str) -> None:
        self.call("DELETE", f"issues/{story_id}.json")

    def delete_milestone(self, root_id: str, milestone_id: str) -> None:
        # Redmine deletes no version that still has issues.
        within = f"issues.json?project_id={root_id}&fixed_version_id={milestone_id}&status_id=*"
        for issue in self.call("GET", within)["issues"]:
            if str((issue.get("fixed_version") or {}).get("id")) == milestone_id:
                out = {"issue": {"fixed_version_id": ""}}
                self.call("PUT", f"issues/{issue['id']}.json", out)
        self.call("DELETE", f"versions/{milestone_id}.json")

    def copy_milestone(self, root_id: str, milestone_id: str) -> str:
        # Redmine refuses the very same name, but where two requests come at once.
        row = self.call("GET", f"versions/{milestone_id}.json")["version"]
        version = {"name": row["name"].upper(), "due_date": row["due_date"]}
        made = self.call("POST", f"projects/{root_id}/versions.json", {"version": version})
        return str(made["version"]["id"])

    def plan_story(self, root_id: str, story_id: str, milestone_id: str) -> None:
        issue = {"fixed_version_id": int(milestone_id)}
        self.call("PUT", f"issues/{story_id}.json", {"issue": issue})

    def add_planned_story(self, root_id: str, subject: str, milestone_id: str) -> str:
        issue = {"project_id": int(root_id), "subject": subject, "tracker_id": 1}
        body = {"issue": {**issue, "fixed_version_id": int(milestone_id)}}
        return str(self.call("POST", "issues.json", body)["issue"]["id"])

    def planned_for(self, root_id: str, story_id: str) -> set[str]:
        row = self.call("GET", f"issues/{story_id}.json")["issue"]
        return {str(row["fixed_version"]["id"])}

    def move_story(self, root_id: str, story_id: str, other_id: str) -> None:
        self.call("PUT", f"issues/{story_id}.json", {"issue": {"project_id": int(other_id)}})

    def copy(self, root_id: str, name: str) -> str:
        # The web form for a copy is filled with everything but the identifier; no API copies.
        row = self.call("GET", f"projects/{root_id}.json")["project"]
        fields = [{"id": f["id"], "value": f["value"]} for f in row.get("custom_fields", ())]
        wanted = {
            "name": name,
            "identifier": f"copy-{uuid.uuid4().hex[:8]}",
            "description": row["description"],
            "custom_fields": fields,
        }
        return str(self.call("POST", "projects.json", {"project": wanted})["project"]["id"])

    def lose_next_answer(self) -> None:
        self._wire.loses_next = True

    def clean_up(self) -> None:
        _delete_all(self)
        self._http.close()
        self.target.close()


class KanboardAccount:
    """A Kanboard: one that a test makes up, or a live one with the accounts of its set-up."""

    member = "ana@example.invalid"
    workers = ("ana@example.invalid", "bo@example.invalid")
    roles = ("Back", "Design")
    shows_state = True
    capabilities = create_kanboard.capabilities

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self.pipeline = connection.pipeline
        self.clock = clock
        self.target = create_kanboard(connection, clock)
        self.target.connect()
        self.connection = connection
        self._wire = Wire(self.target._client._transport, is_reading=_only_reads)
        self._http = requests.Session()
        assert connection.token
        self._http.auth = ("jsonrpc", connection.token.reveal())

    @property
    def writes(self) -> int:
        return self._wire.writes

    def call(self, method: str, **params: Any) -> Any:
        """Asks the API as the application, and insists on success."""
        body = {"jsonrpc": "2.0", "method": method, "id": 1, "params": params}
        answer = self._http.post(f"{self.connection.url}/jsonrpc.php", json=body, timeout=120)
        assert answer.ok, f"{method}: {answer.status_code} {answer.text[:300]}"
        result = answer.json()["result"]
        assert result is not False, f"{method} {params}: refused"
        return result

    def rename(self, root_id: str, name: str) -> None:
        self.call("updateProject", project_id=int(root_id), name=name)

    def tag(self, root_id: str, add: str = "", remove: str = "") -> None:
        raise NotImplementedError("Kanboard has no tags for projects")

    def delete(self, root_id: str) -> None:
        self.call("removeProject", project_id=int(root_id))

    def add_story(self, root_id: str, subject: str) -> None:
        self.call("createTask", project_id=int(root_id), title=subject)

    def edit_story(self, root_id: str, story_id: str, subject: str) -> None:
        self.call("updateTask", id=int(story_id), title=subject)

    def estimate_story(self, root_id: str, story_id: str, hours: float) -> None:
        self.call("updateTask", id=int(story_id), time_estimated=hours)

    def assign_story(self, root_id: str, story_id: str, address: str) -> None:
        mails = {str(row["email"]).casefold(): row["id"] for row in self.call("getAllUsers")}
        owner = int(mails[address]) if address else 0
        self.call("updateTask", id=int(story_id), owner_id=owner)

    def copy_story(self, root_id: str, story_id: str) -> str:
        row = self.call("getTask", task_id=int(story_id))
        copied = {at: row[at] for at in ("title", "description", "reference")}
        number = self.call("createTask", project_id=int(root_id), **copied)
        noted = as_written(self.call("getTask", task_id=number))  # a person's copy goes without
        self.call(noted.method, **noted.params)
        return str(number)

    def delete_story(self, root_id: str, story_id: str) -> None:
        self.call("removeTask", task_id=int(story_id))

    def delete_milestone(self, root_id: str, milestone_id: str) -> None:
        self.call("removeTask", task_id=int(milestone_id))

    def copy_milestone(self, root_id: str, milestone_id: str) -> str:
        row = self.call("getTask", task_id=int(milestone_id))
        copied = {at: row[at] for at in ("title", "reference")}
        return str(self.call("createTask", project_id=int(root_id), **copied))

    def plan_story(self, root_id: str, story_id: str, milestone_id: str) -> None:
        for link in self.call("getAllTaskLinks", task_id=int(story_id)):
            self.call("removeTaskLink", task_link_id=int(link["id"]))
        label = self.call("getLinkByLabel", label="is a milestone of")["id"]
        link = {"task_id": int(milestone_id), "opposite_task_id": int(story_id)}
        self.call("createTaskLink", **link, link_id=int(label))

    def add_planned_story(self, root_id: str, subject: str, milestone_id: str) -> str:
        task = str(self.call("createTask", project_id=int(root_id), title=subject))
        self.plan_story(root_id, task, milestone_id)
        return task

    def planned_for(self, root_id: str, story_id: str) -> set[str]:
        links = self.call("getAllTaskLinks", task_id=int(story_id))
        return {str(link["task_id"]) for link in links}

    def move_story(self, root_id: str, story_id: str, other_id: str) -> None:
        self.call("moveTaskToProject", task_id=int(story_id), project_id=int(other_id))

    def copy(self, root_id: str, name: str) -> str:
        # Kanboard's own form takes along columns and members, but neither identifier, description
        # nor metadata: only a person who writes the connector's line takes a marker along.
        root = self.target.observe_root(root_id)
        assert root is not None
        described = str(Line(encode_mark(root.markers[0])))
        return str(self.call("createProject", name=name, description=described))

    def lose_next_answer(self) -> None:
        self._wire.loses_next = True

    def clean_up(self) -> None:
        _delete_all(self)
        self._http.close()
        self.target.close()


def _only_reads(path: str) -> bool:
    """Whether the methods in an address of Kanboard's API only read."""
    return all(name.startswith("get") for name in path.partition("?")[2].split(","))


class OdooAccount:
    """An Odoo: one that a test makes up, or a live one with the accounts of its set-up."""

    member = "ana@example.invalid"
    workers = ("ana@example.invalid", "bo@example.invalid")
    roles = ("Back", "Design")
    shows_state = True
    capabilities = create_odoo.capabilities

    def __init__(
        self, connection: Connection, clock: Clock, password: Secret | None = None
    ) -> None:
        self.pipeline = connection.pipeline
        self.clock = clock
        self.password = password or connection.token or connection.password
        """What people log in with."""
        self.target = create_odoo(connection, clock)
        self.target.connect()
        self.connection = connection
        self._wire = Wire(self.target._client._transport, is_reading=_reads_odoo)
        self._http = requests.Session()
        self._users: dict[str, int] = {}

    @property
    def writes(self) -> int:
        return self._wire.writes

    def call(
        self, model: str, method: str, *arguments: Any, by: str = "admin", **named: Any
    ) -> Any:
        """Calls a method as a person does, and insists on success."""
        assert self.password
        database, password = self.connection.options["database"], self.password.reveal()
        if by not in self._users:
            login = (database, by, password, {})
            self._users[by] = self._ask("common", "authenticate", *login)
        who = (database, self._users[by], password)
        context = {"context": {"active_test": False}, **named}
        return self._ask("object", "execute_kw", *who, model, method, list(arguments), context)

    def _ask(self, service: str, method: str, *arguments: Any) -> Any:
        params = {"service": service, "method": method, "args": arguments}
        body = {"jsonrpc": "2.0", "method": "call", "id": 1, "params": params}
        answer = self._http.post(f"{self.connection.url}/jsonrpc", json=body, timeout=60).json()
        assert "error" not in answer, f"{service} {method}: {str(answer['error'])[-300:]}"
        return answer.get("result")

    def rename(self, root_id: str, name: str) -> None:
        self.call("project.project", "write", [int(root_id)], {"name": name})

    def tag(self, root_id: str, add: str = "", remove: str = "") -> None:
        made = self.target._context.tag_ids(frozenset({add} - {""}))
        gone = self.target._context.tag_ids(frozenset({remove} - {""}))
        commands = [[4, n] for n in made] + [[3, n] for n in gone]
        self.call("project.project", "write", [int(root_id)], {"tag_ids": commands})

    def delete(self, root_id: str) -> None:
        there = [["project_id", "=", int(root_id)]]
        found = self.call("project.task", "search_read", domain=there, fields=["id"])
        if found:
            self.call("project.task", "unlink", [row["id"] for row in found])
        self.call("project.project", "unlink", [int(root_id)])

    def add_story(self, root_id: str, subject: str) -> None:
        self.call("project.task", "create", {"project_id": int(root_id), "name": subject})

    def edit_story(self, root_id: str, story_id: str, subject: str) -> None:
        self.call("project.task", "write", [int(story_id)], {"name": subject})

    def estimate_story(self, root_id: str, story_id: str, hours: float) -> None:
        values = {self.target._context.planned: hours}
        self.call("project.task", "write", [int(story_id)], values)

    def assign_story(self, root_id: str, story_id: str, address: str) -> None:
        who = self.target._context.people.user(address).id if address else 0
        one = self.target._context.assignee == "user_id"
        values = {"user_id": who or False} if one else {"user_ids": [[6, 0, [who] if who else []]]}
        self.call("project.task", "write", [int(story_id)], values)

    def copy_story(self, root_id: str, story_id: str) -> str:
        # No copy has an external id: only the connector's line takes a reference along.
        (row,) = self.call("project.task", "read", [int(story_id)], fields=["name"])
        seen = observe_task(read_task(story_id, self.target._context), self.target._context)
        key = RecordKey(seen.group, Kind.STORY, seen.identity)
        line = str(Line(encode_reference(self.pipeline, key)))
        values = {"project_id": int(root_id), "name": row["name"], "description": to_html(line)}
        return str(self.call("project.task", "create", values, by=self.connection.username))

    def delete_story(self, root_id: str, story_id: str) -> None:
        self.call("project.task", "unlink", [int(story_id)])

    def delete_milestone(self, root_id: str, milestone_id: str) -> None:
        self.call("project.milestone", "unlink", [int(milestone_id)])

    def copy_milestone(self, root_id: str, milestone_id: str) -> str:
        (row,) = self.call("project.milestone", "read", [int(milestone_id)], fields=["name"])
        values = {"project_id": int(root_id), "name": row["name"]}
        return str(self.call("project.milestone", "create", values, by=self.connection.username))

    def plan_story(self, root_id: str, story_id: str, milestone_id: str) -> None:
        self.call("project.task", "write", [int(story_id)], {"milestone_id": int(milestone_id)})

    def add_planned_story(self, root_id: str, subject: str, milestone_id: str) -> str:
        values = {"project_id": int(root_id), "name": subject, "milestone_id": int(milestone_id)}
        return str(self.call("project.task", "create", values))

    def planned_for(self, root_id: str, story_id: str) -> set[str]:
        (row,) = self.call("project.task", "read", [int(story_id)], fields=["milestone_id"])
        return {str(row["milestone_id"][0])} if row["milestone_id"] else set()

    def move_story(self, root_id: str, story_id: str, other_id: str) -> None:
        self.call("project.task", "write", [int(story_id)], {"project_id": int(other_id)})

    def make_template(self, name: str) -> str:
        shown = self.capabilities.holds(Kind.MILESTONE)
        more = {"allow_milestones": True} if shown else {}
        number = self.call("project.project", "create", {"name": name, **more})
        if shown:
            sprint = {"name": "Kick-off", "deadline": "2026-03-06", "project_id": number}
            self.call("project.milestone", "create", sprint)
        for story in ({"name": "Invite", "date_deadline": "2026-03-04"}, {"name": "Look back"}):
            self.call("project.task", "create", {"project_id": number, **story})
        return str(number)

    def contents(self, root_id: str) -> list[tuple[str, str]]:
        there = [["project_id", "=", int(root_id)]]
        places = {"project.task": "date_deadline"}
        if self.capabilities.holds(Kind.MILESTONE):
            places["project.milestone"] = "deadline"
        return sorted(
            (row["name"], str(row[at] or "")[:10])
            for model, at in places.items()
            for row in self.call(model, "search_read", domain=there, fields=["name", at])
        )

    def copy(self, root_id: str, name: str) -> str:
        # Odoo's own copy has no external id: only the connector's line takes a marker along.
        root = self.target.observe_root(root_id)
        assert root is not None
        described = to_html(str(Line(encode_mark(root.markers[0]))))
        values = {"name": name, "description": described}
        return str(self.call("project.project", "create", values))

    def lose_next_answer(self) -> None:
        self._wire.loses_next = True

    def clean_up(self) -> None:
        _delete_all(self)
        self._http.close()
        self.target.close()


class OlderOdooAccount(OdooAccount):
    """An Odoo 14, which has no milestones, and no tags of projects."""

    capabilities = held_by(milestones=False, project_tags=False, leases=True, hours=True)


def live_odoo_account(connection: Connection, office: OdooOffice) -> OdooAccount:
    """Returns the account of a live Odoo, by what its version has."""
    kind = OlderOdooAccount if office.version < 15 else OdooAccount
    return kind(connection, SystemClock(), Secret(office.password))


def _reads_odoo(path: str) -> bool:
    """Whether a call only reads."""
    return path.rpartition("/")[2] in READS


LABELS: Final = frozenset({"(tentative)", "(lost)"})
"""What the suite's pipelines show before titles."""


def new_pipeline() -> str:
    """A name that no other test uses."""
    return f"p{uuid.uuid4().hex[:8]}"


def _delete_all(
    account: TaigaAccount | RedmineAccount | KanboardAccount | OdooAccount,
) -> None:
    """Deletes every project of the account's pipeline, of any test in it."""
    roots = list(account.target.observe_roots())
    for root in roots:
        if any(marker.pipeline == account.pipeline for marker in root.markers):
            account.target.remove(Kind.PROJECT, root.id, Place(root.id, {}))
