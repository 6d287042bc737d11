"""A pipeline in which one run has to do everything that a run can do, and people at work in it.

=========  ===============================================================================
deal       what the run does
=========  ===============================================================================
NEW        creates a project with a story, and completes what Taiga ignores at creation
UPDATED    updates title, facts and note of a project whose text and tags people edited
STAFFED    staffs: label, role, two members, milestone, two stories
LOST       retires
DROPPED    retires by deletion, as only the connector ever touched it
REOPENED   restores
RELEASED   removes one member, changes another's role, a milestone's dates, a story's subject
ADOPTED    adopts a project that a person chose by hand: marks it, updates it, adds a story
UNMARKED   reports that someone deleted the marker; writes nothing of what sales changed
=========  ===============================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from taiga_pipeline.people.model import Allocation, Person
from taiga_pipeline.people.store import PeopleStore
from taiga_pipeline.pipeline.model import Deal, RoleDemand
from taiga_pipeline.pipeline.store import DealStore
from taiga_pipeline.sandbox.embedded import Sandbox

PASSWORD: Final = "SCENARIO_PASSWORD"
"""The environment variable that holds the account's password."""

CONFIG: Final = """\
pipeline = "acme"

[target]
url = "{url}"
username = "{username}"
password_env = "SCENARIO_PASSWORD"
concurrency = {concurrency}
timeout_seconds = 60

[sync]
settle_seconds = {settle_seconds}

[limits]
create = 50
retire = "100%"
"""

MAPPING: Final = """\
[mapping]
name = "{name}"
{match}
closed_within_days = 3650
lead_time_weeks = 1

[[stage]]
name = "Needs"
category = "needs"

[[stage]]
name = "Proposal"
category = "proposal"
probability = 0.5

[[stage]]
name = "Won"
category = "won"

[[stage]]
name = "Lost"
category = "lost"

[project]
title = "{{customer}}: {{name}}"
template = "kanban"
tags = ["crm", "{{service}}"]
description = "Sold by {{owner}}."

[project.tentative]
tags = ["incoming"]

[project.staffed]
tags = ["staffed"]

[project.retired]
how = "{how}"

[[milestone]]
name = "Kick-off"
start = "+0w"
finish = "+1w"

[[story]]
id = "team"
subject = "Find a team for {{customer}}"
when = "tentative"
tags = ["staffing"]

[[story]]
id = "kick-off"
subject = "Kick-off with {{customer}}"
description = "Agree on dates."
milestone = "Kick-off"
"""

PHASES: Final = """
[[phase]]
name = "Discovery"
keeps_project = true

[[phase.milestone]]
name = "Workshops"
finish = "+13d"
when = "tentative"

[[phase]]
name = "Build"
after = "discovery"
takes_roles = true

[[phase.milestone]]
name = "Release"
finish = "+10w"
when = "tentative"

[[phase]]
name = "Support"
after = "build"
when = "staffed"
"""
"""To be added to a mapping."""

START: Final = date(2026, 12, 7)
_NOW: Final = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
_NEEDS: Final = (RoleDemand("Back", Decimal(30), 10), RoleDemand("Data", Decimal(16), 4))

Run = Callable[..., None]
"""Runs a command line of the program to its end."""


def deal(key: str, stage: str = "Proposal", **changes: Any) -> Deal:
    """Returns a deal as sales have it."""
    plain = Deal(
        key=key,
        name=f"Project {key.lower()}",
        customer="Customer",
        stage=stage,
        value=Decimal(10_000),
        currency="EUR",
        expected_close=date(2026, 11, 30),
        start=START,
        closed_on=date(2026, 11, 20) if stage in ("Won", "Lost") else None,
        owner="Maya",
        team="small" if key == "DROPPED" else "big",
        service="web",
        roles=_NEEDS,
    )
    return replace(plain, **changes)


class Sales:
    """The people who sell, at their store in ``folder``."""

    def __init__(self, folder: Path) -> None:
        url = f"sqlite:///{folder / 'pipeline.db'}"
        self._deals = DealStore.open(url, lambda: _NOW, create=True)
        self._people = PeopleStore.open(url, lambda: _NOW, create=True)

    def __enter__(self) -> Sales:
        return self

    def __exit__(self, *_: object) -> None:
        self._deals.close()
        self._people.close()

    def hire(self, *names: str) -> None:
        """Adds people to the roster."""
        for name in names:
            self._people.add(Person(f"{name}@example.test", name.title(), "Back"))

    def want(self, *deals: Deal) -> None:
        """Stores deals as they are now."""
        self._deals.upsert(deals)

    def staff(self, key: str, name: str, role: str) -> None:
        """Puts a person on a deal."""
        self._people.allocate(Allocation(key, f"{name}@example.test", role, Decimal(20)))

    def release(self, key: str, name: str) -> None:
        """Takes a person off a deal."""
        self._people.release(key, f"{name}@example.test")


def write_configuration(
    folder: Path, sandbox: Sandbox, *, concurrency: int = 1, settle_seconds: float = 0.02
) -> None:
    """Writes the configuration and two mappings: what small teams lose is deleted."""
    text = CONFIG.format(
        url=sandbox.url,
        username=sandbox.username,
        concurrency=concurrency,
        settle_seconds=settle_seconds,
    )
    (folder / "config.toml").write_text(text, encoding="utf-8")
    mappings = folder / "mappings"
    mappings.mkdir(exist_ok=True)
    small = 'match = { team = ["small"] }'
    for name, match, how in (("big", "", "mark"), ("small", small, "delete-if-untouched")):
        text = MAPPING.format(name=name, match=match, how=how)
        (mappings / f"{name}.toml").write_text(text, encoding="utf-8")


def prepare(folder: Path, sandbox: Sandbox, run: Run) -> None:
    """Brings about the situation before the run that is to do everything."""
    write_configuration(folder, sandbox)
    with Sales(folder) as sales:
        sales.hire("ana", "bob", "chen")
        sales.want(*(deal(key) for key in ("UPDATED", "STAFFED", "LOST", "DROPPED", "UNMARKED")))
        sales.want(deal("REOPENED"), deal("RELEASED", "Won"))
        sales.staff("RELEASED", "ana", "Back")
        sales.staff("RELEASED", "bob", "Back")
        run("run")
        sales.want(deal("REOPENED", "Needs"))
        run("run")
        people_before(sandbox)
        sales.want(deal("ADOPTED"))
        adopted = by_name(sandbox, "Petra's own project")
        run("adopt", "ADOPTED", adopted["slug"])
        _what_sales_want_now(sales)


def _what_sales_want_now(sales: Sales) -> None:
    later = {"start": date(2027, 1, 11), "customer": "Customer & Sons"}
    sales.want(
        deal("NEW"),
        deal("UPDATED", name="A greater project", value=Decimal(12_000), roles=_NEEDS[:1]),
        deal("STAFFED", "Won"),
        deal("LOST", "Lost", lost_reason="price"),
        deal("DROPPED", "Lost"),
        deal("REOPENED"),
        deal("RELEASED", "Won", **later),
        deal("UNMARKED", "Won", value=Decimal(13_000)),
    )
    sales.staff("STAFFED", "ana", "Back")
    sales.staff("STAFFED", "chen", "Data")
    sales.release("RELEASED", "ana")
    sales.release("RELEASED", "bob")
    sales.staff("RELEASED", "bob", "Data")


def projects(sandbox: Sandbox) -> list[dict[str, Any]]:
    """Returns all projects, as their list shows them."""
    return list(sandbox.as_user("admin").get("/projects"))


def by_name(sandbox: Sandbox, part: str) -> dict[str, Any]:
    """Returns the one project whose name holds ``part``."""
    found = [project for project in projects(sandbox) if part in project["name"]]
    assert len(found) == 1, f"{part}: {[project['name'] for project in found]}"
    return found[0]


def people_before(sandbox: Sandbox) -> None:
    """What people did before: every bit of it has to be there in the end."""
    admin, petra = sandbox.as_user("admin"), sandbox.as_user("pm")
    updated = by_name(sandbox, "Project updated")
    _edit_text(sandbox, updated, "Sold by Maya.", "Petra takes care of this.")
    admin.patch(f"/projects/{updated['id']}", {"tags": [*updated["tags"], "petra's tag"]})
    lost = by_name(sandbox, "Project lost")
    admin.patch(f"/projects/{lost['id']}", {"name": lost["name"].replace("Project", "Petra's")})
    released = by_name(sandbox, "Project released")
    _add_member(sandbox, released, "fatima")
    (story,) = _stories(sandbox, released, "Find a team")
    admin.patch(
        f"/userstories/{story['id']}", {"subject": "Petra's subject", "version": story["version"]}
    )
    unmarked = by_name(sandbox, "Project unmarked")
    admin.patch(f"/projects/{unmarked['id']}", {"tags_colors": []})
    own = petra.post("/projects", {"name": "Petra's own project", "description": "By Petra."})
    role = petra.get(f"/projects/{own['id']}")["roles"][0]["id"]
    who = {"project": own["id"], "role": role, "username": f"{sandbox.username}@example.test"}
    membership = petra.post("/memberships", who)
    petra.patch(f"/memberships/{membership['id']}", {"is_admin": True})


def people_between(sandbox: Sandbox) -> None:
    """What people do after the run was cut off, before the next one: none of it collides with
    what sales want.
    """
    admin = sandbox.as_user("admin")
    updated = by_name(sandbox, _title_of_updated(sandbox))
    _edit_text(sandbox, updated, "Petra takes care of this.", "Petra takes care. Call Ruth first.")
    reopened = by_name(sandbox, "Project reopened")
    admin.patch(f"/projects/{reopened['id']}", {"tags": [*reopened["tags"], "urgent"]})
    staffed = by_name(sandbox, "Project staffed")
    _add_member(sandbox, staffed, "dora")
    name = staffed["name"].replace("Project staffed", "Petra's better name")
    admin.patch(f"/projects/{staffed['id']}", {"name": name})
    released = by_name(sandbox, "Project released")
    (story,) = _stories(sandbox, released, "Kick-off with")
    done = {"project_id": released["id"], "status_id": _done(sandbox, released)}
    admin.post("/userstories/bulk_update_kanban_order", {**done, "bulk_userstories": [story["id"]]})
    lost = by_name(sandbox, "Petra's lost")
    admin.post("/userstories", {"project": lost["id"], "subject": "What we learned"})


def _title_of_updated(sandbox: Sandbox) -> str:
    names = [project["name"] for project in projects(sandbox)]
    greater = "A greater project"
    return greater if any(greater in name for name in names) else "Project updated"


def _edit_text(sandbox: Sandbox, project: dict[str, Any], before: str, after: str) -> None:
    description = project["description"]
    assert before in description, description
    changes = {"description": description.replace(before, after)}
    sandbox.as_user("admin").patch(f"/projects/{project['id']}", changes)


def _add_member(sandbox: Sandbox, project: dict[str, Any], name: str) -> None:
    admin = sandbox.as_user("admin")
    roles = admin.get(f"/projects/{project['id']}")["roles"]
    role = next(role["id"] for role in roles if role["name"] == "Design")
    who = {"project": project["id"], "role": role, "username": f"{name}@example.test"}
    admin.post("/memberships", who)


def _stories(sandbox: Sandbox, project: dict[str, Any], part: str) -> list[dict[str, Any]]:
    rows: Iterable[dict[str, Any]] = sandbox.as_user("admin").get(
        f"/userstories?project={project['id']}"
    )
    return [row for row in rows if part in row["subject"]]


def _done(sandbox: Sandbox, project: dict[str, Any]) -> int:
    rows = sandbox.as_user("admin").get(f"/userstory-statuses?project={project['id']}")
    return int(next(row["id"] for row in rows if row["name"] == "Done"))
