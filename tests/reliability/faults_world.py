"""A small company that one run has a lot to do for: every kind of request occurs in it once.

The world is made once, and each test begins with a copy of it: a server that holds five projects
in which people have worked, the connector's memory of them, and a source that has moved on.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sync.errors import SyncError
from sync.plan.pipeline_planner import Rules
from sync.records.model import (
    Desired,
    DesiredGroup,
    Owner,
    RecordKey,
    Value,
    WhenDropped,
    WhenGone,
)
from sync.run.runner import Options, Runner, RunReport
from sync.source import Reading
from sync.state.store import StateStore
from taiga_pipeline.app.sync.running import trouble_in
from taiga_pipeline.cli.errors import exit_code
from taiga_pipeline.cli.exit_codes import ExitCode, code_for
from taiga_pipeline.credentials import Secret
from taiga_pipeline.http.connection import Connection
from taiga_pipeline.records import Kind, Membership, Milestone, Project, Role, Story
from taiga_pipeline.sandbox.embedded import Sandbox
from taiga_pipeline.sandbox.faults import Fault
from taiga_pipeline.sandbox.persistence import dump, load
from taiga_pipeline.targets.taiga.adapter import TaigaTarget
from taiga_pipeline.targets.taiga.client import Client

PIPELINE = "acme"
SILENCE_SECONDS = 0.25
"""How long a request waits for an answer that never comes."""
PATIENCE_SECONDS = 60.0
"""How long for any other."""


class ImpatientClock:
    """The machine's clock, on which sleeping takes no time but counts as if it had."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._slept = 0.0

    def now(self) -> datetime:
        return datetime(2026, 3, 2, 8, 0, tzinfo=UTC) + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return time.monotonic() - self._began + self._slept

    def sleep(self, seconds: float) -> None:
        self._slept += seconds

    def set_back(self, seconds: float) -> None:
        """Lets `monotonic` go on from ``seconds``."""
        self._began, self._slept = time.monotonic(), seconds


class Wishes:
    """A source that holds what a test says."""

    def __init__(self, groups: Sequence[DesiredGroup]) -> None:
        self.groups = list(groups)

    def read(self) -> Reading:
        return Reading(iter(self.groups))

    def retired(self, key: str, base: Mapping[str, Value]) -> DesiredGroup:
        fields = {**base, Project.STATE: "retired", Project.LABEL: "(gone)"}
        root = Desired(RecordKey(key, Kind.PROJECT), fields, _PROJECT_OWNERS)
        return DesiredGroup(root, create=False, follow_children=False)


_PROJECT_OWNERS = {Project.TITLE: Owner.SHARED, Project.TEXT: Owner.DELIVERY}


def deal(key: str, state: str = "tentative", *children: Desired, **fields: Value) -> DesiredGroup:
    """Returns a deal's project as a mapping would ask for it."""
    label = {"tentative": "(tentative)", "retired": "(lost)"}.get(state, "")
    values: dict[str, Value] = {
        Project.STATE: state,
        Project.LABEL: label,
        Project.TITLE: f"Deal {key}",
        Project.TEXT: "Welcome.",
        Project.DEAL_FACTS: "Customer: Acme\nValue: 40,000 EUR",
        Project.TAGS: frozenset({"incoming"}),
        Project.TEMPLATE: "kanban",
        **fields,
    }
    root = Desired(RecordKey(key, Kind.PROJECT), values, _PROJECT_OWNERS, reason=f"is {state}")
    followed = state != "retired"
    return DesiredGroup(root, children if followed else (), followed, followed)


def role(key: str, name: str) -> Desired:
    return Desired(RecordKey(key, Kind.ROLE, name), {Role.NAME: name})


def member(key: str, email: str, role_name: str) -> Desired:
    fields: dict[str, Value] = {Membership.EMAIL: email, Membership.ROLE: role_name}
    return Desired(RecordKey(key, Kind.MEMBERSHIP, email), fields, when_dropped=WhenDropped.REMOVE)


def milestone(key: str, name: str, start: str, finish: str) -> Desired:
    fields: dict[str, Value] = {
        Milestone.NAME: name,
        Milestone.START: start,
        Milestone.FINISH: finish,
    }
    return Desired(RecordKey(key, Kind.MILESTONE, name), fields)


def story(key: str, name: str, subject: str, milestone_name: str = "") -> Desired:
    fields: dict[str, Value] = {
        Story.SUBJECT: subject,
        Story.DESCRIPTION: f"All about {name}.",
        Story.MILESTONE: milestone_name,
        Story.TAGS: frozenset(),
    }
    owners = {Story.TAGS: Owner.DELIVERY}
    return Desired(RecordKey(key, Kind.STORY, name), fields, owners)


QUIET = deal("quiet", "tentative", story("quiet", "first", "Kick-off"))


@dataclass(frozen=True, slots=True)
class Scenario:
    """What sales wanted when everything was in step, and what they want by now."""

    before: tuple[DesiredGroup, ...]
    after: tuple[DesiredGroup, ...]


FOLLOWING = Scenario(
    before=(
        deal(
            "changed",
            "tentative",
            member("changed", "ana@example.test", "Back"),
            member("changed", "bob@example.test", "Back"),
            milestone("changed", "Kick-off", "2026-04-01", "2026-04-08"),
            story("changed", "first", "Kick-off with Acme", "Kick-off"),
        ),
        deal("calm"),
        deal("lost"),
        deal("renamed"),
        QUIET,
    ),
    after=(
        deal(
            "changed",
            "staffed",
            member("changed", "bob@example.test", "Design"),
            milestone("changed", "Kick-off", "2026-05-01", "2026-05-08"),
            story("changed", "first", "Kick-off with Acme and Sons", "Kick-off"),
            deal_facts="Customer: Acme\nValue: 90,000 EUR",
        ),
        deal("calm"),
        deal("lost", "retired"),
        deal("renamed"),
        QUIET,
    ),
)
"""Projects that are there have to follow. They are many: children are read by lists of all."""

MAKING = Scenario(
    before=(deal("lost"), QUIET),
    after=(
        deal("lost", "retired"),
        QUIET,
        deal(
            "new",
            "tentative",
            role("new", "Analyst"),
            member("new", "chen@example.test", "Analyst"),
            milestone("new", "Kick-off", "2026-06-01", "2026-06-08"),
            story("new", "first", "Kick-off with Borg", "Kick-off"),
            looking_for_people=True,
            looking_for_people_note="An analyst",
        ),
    ),
)
"""A project has to be made. Those that are there are few: children are read one by one."""

PUT_AWAY = {"(lost) Deal lost"}
"""The only project that may be retired."""


def people_work(sandbox: Sandbox, ids: Mapping[str, int]) -> None:
    """What project managers did since the last run."""
    admin = sandbox.as_user("admin")
    admin.post("/userstories", {"project": ids["quiet"], "subject": "By a person"})
    if "changed" not in ids:
        return
    admin.patch(f"/projects/{ids['renamed']}", {"name": "(tentative) Renamed by its PM"})
    admin.post("/userstories", {"project": ids["calm"], "subject": "By another person"})
    changed = admin.get(f"/projects/{ids['changed']}")["description"]
    written = changed.replace("Welcome.", "Read this first: we meet on Mondays.")
    admin.patch(f"/projects/{ids['changed']}", {"description": written})
    (first,) = admin.get(f"/userstories?project={ids['changed']}")
    tags = {"tags": ["urgent"], "version": first["version"]}
    admin.patch(f"/userstories/{first['id']}", tags)


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended: as the shell sees it, and which deals it complained about."""

    code: ExitCode
    message: str
    report: RunReport | None = None

    @property
    def complaints(self) -> set[str]:
        """The deals that something is reported about."""
        return {issue.key.group for issue in self.report.issues} if self.report else set()

    def __str__(self) -> str:
        issues = [str(issue.message) for issue in self.report.issues] if self.report else []
        return f"{self.code.name}: {self.message} {issues}"


@dataclass
class World:
    """The server, the connector's memory, and what sales wants."""

    sandbox: Sandbox
    store: StateStore
    clock: ImpatientClock
    groups: Sequence[DesiredGroup]
    timeout_seconds: float = PATIENCE_SECONDS
    username: str = "pipeline-bot"

    def run(self, *, look_at_all: bool = False) -> Ending:
        """Runs as the command line does, a minute past a quarter of an hour later."""
        self.clock.sleep(900)
        target = self._target()
        try:
            target.connect()
            options = Options(Rules(when_gone=WhenGone.RETIRE), settle_seconds=1.0)
            runner = Runner(Wishes(self.groups), target, self.store, self.clock, options)
            report = runner.run(look_at_all=look_at_all)
        except SyncError as error:
            return Ending(exit_code(error) or ExitCode.UNEXPECTED, str(error))
        finally:
            target.close()
        return Ending(code_for(trouble_in(report)), str(report.stopped_by or ""), report)

    def quiet(self) -> Ending:
        """Runs without any fault, everything compared."""
        self.sandbox.faults.replace([])
        self.sandbox.clear_requests()
        return self.run(look_at_all=True)

    def picture(self) -> dict[str, Any]:
        """What people see: every project that someone is in, without numbers and times."""
        projects = self.sandbox.as_user("admin").get("/projects")
        seen = [self._project(row) for row in projects if row["members"]]
        assert len({each["name"] for each in seen}) == len(seen), "two projects of one name"
        return {each.pop("name"): each for each in seen}

    def put_away(self) -> set[str]:
        """The names of the projects that are shown as lost or gone."""
        return {name for name in self.picture() if name.startswith(("(lost)", "(gone)"))}

    def writes(self) -> list[str]:
        """Requests of the last run that changed something, as ``POST /projects``."""
        return [
            f"{request.method} {request.path}"
            for request in self.sandbox.requests
            if request.method != "GET" and not request.path.startswith("/auth")
        ]

    def ids(self) -> dict[str, int]:
        """The projects that are bound, by deal."""
        return {key: int(row.root_id) for key, row in self.store.index().items()}

    def _project(self, row: Mapping[str, Any]) -> dict[str, Any]:
        admin = self.sandbox.as_user("admin")

        def children(path: str, *names: str) -> list[list[Any]]:
            rows = admin.get(f"/{path}?project={row['id']}")
            return sorted([each[name] for name in names] for each in rows)

        stories = [
            admin.get(f"/userstories/{each['id']}")
            for each in admin.get(f"/userstories?project={row['id']}")
        ]
        whole = admin.get(f"/projects/{row['id']}")
        return {
            **{name: whole[name] for name in _SHOWN},
            "roles": children("roles", "name"),
            "members": children("memberships", "user_email", "role_name", "is_admin"),
            "milestones": children("milestones", "name", "estimated_start", "estimated_finish"),
            "stories": sorted(
                (each["subject"], each["description"], str(each["tags"]), each["milestone_name"])
                for each in stories
            ),
        }

    def _target(self) -> TaigaTarget:
        connection = Connection(
            self.sandbox.url,
            PIPELINE,
            username=self.username,
            password=Secret(self.sandbox.password),
            timeout_seconds=self.timeout_seconds,
        )
        return TaigaTarget(Client(connection, self.clock, chance=lambda: 0.0), connection)


_SHOWN = (
    "name",
    "description",
    "tags",
    "tags_colors",
    "is_looking_for_people",
    "looking_for_people_note",
)


@dataclass(frozen=True, slots=True)
class Original:
    """The world as each test finds it, and as it is after a run in which nothing went wrong.

    ``world`` is the one world of all tests: its store stays open, because opening another costs
    more than a run. ``ids`` are the projects by deal, also of the ones that are still to be made.
    """

    world: World
    scenario: Scenario
    state: Path
    saved_state: bytes
    saved_server: Mapping[str, Any]
    saved_seconds: float
    ids: Mapping[str, int]
    undisturbed: Mapping[str, Any]

    def again(self, *faults: Fault, timeout_seconds: float = PATIENCE_SECONDS) -> World:
        """Puts the world back to its beginning, with faults to come."""
        world = self.world
        world.store.close()
        self.state.write_bytes(self.saved_state)
        world.clock.set_back(self.saved_seconds)
        load(world.sandbox.store, dict(self.saved_server))
        world.sandbox.faults.replace(faults)
        world.sandbox.clear_requests()
        world.timeout_seconds = timeout_seconds
        return world

    def others(self, key: str) -> dict[str, Any]:
        """How the projects look that are not the one of the deal ``key``."""
        marker = f"pipeline-sync:{PIPELINE}:{key}"
        rows = self.undisturbed.items()
        return {name: row for name, row in rows if marker not in row["tags_colors"]}


def make_original(
    sandbox: Sandbox, folder: Path, scenario: Scenario, username: str = "pipeline-bot"
) -> Original:
    """Makes the world, and finds out how it looks when nothing goes wrong."""
    clock, state = ImpatientClock(), folder / "state.db"
    store = StateStore(f"sqlite:///{state}", PIPELINE, clock)
    world = World(sandbox, store, clock, scenario.before, username=username)
    ending = world.run()
    assert ending.code is ExitCode.DONE, ending
    people_work(sandbox, world.ids())
    store.close()  # brings everything into the one file
    saved = state.read_bytes(), dump(sandbox.store), clock.monotonic()
    world.groups = scenario.after
    ending = world.run()
    assert ending.code is ExitCode.DONE, ending
    undisturbed, ids = world.picture(), world.ids()
    assert world.put_away() == PUT_AWAY
    assert world.quiet().code is ExitCode.DONE
    assert world.picture() == undisturbed
    return Original(world, scenario, state, *saved, ids, undisturbed)
