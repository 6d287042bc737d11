"""``changes``: what became of deals since a day, taken over the whole time."""

from __future__ import annotations

import json
from datetime import date

import pytest

from taiga_pipeline.app.deals.changes import read_since
from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.sandbox.embedded import Sandbox
from tests.cli.conftest import Run

FRIDAY = date(2026, 11, 27)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("monday", date(2026, 11, 23)),
        ("Fri", FRIDAY),
        ("saturday", date(2026, 11, 21)),
        ("7d", date(2026, 11, 20)),
        ("2 weeks", date(2026, 11, 13)),
        ("yesterday", date(2026, 11, 26)),
        ("2026-01-31", date(2026, 1, 31)),
    ],
)
def test_a_beginning_is_read_as_people_say_it(text: str, day: date) -> None:
    assert read_since(text, FRIDAY) == day


@pytest.mark.parametrize("text", ["blah", "", "2026-11-28", "2026-02-30"])
def test_another_beginning_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue):
        read_since(text, FRIDAY)


def test_everything_that_became_of_deals_is_told_once(run: Run) -> None:
    run("init", "--taiga-url", "http://127.0.0.1:9", "--username", "bot")
    deal = ("--value", "100 EUR", "--expected-close", "2027-01-31", "--start", "2027-03-01")
    for key in ("A", "B", "C"):
        run("deals", "add", key, key, "--stage", "Proposal", *deal)
    run("deals", "move", "B", "Won", "--force")
    run("deals", "rename", "C", "C-2")
    run("deals", "edit", "A", "--value", "150")
    run("deals", "edit", "A", "--value", "100")
    run("deals", "add", "D", "D")
    run("deals", "remove", "D")
    found = json.loads(run("changes", "--since", "today", "--json").stdout)
    happened = [(each["what"], each["key"], each["days"]) for each in found["deals"]]
    assert happened == [
        ("new", "A", None),
        ("new", "B", None),
        ("new", "C-2", None),
        ("won", "B", None),
        ("removed", "D", None),
    ]
    text = run("changes", "--since", "today").stdout
    assert "Won: 1\n  B, B:  → Won" in text or "Won: 1\n  B, B: Won" in text
    assert run("changes", "--since", "tomorrow-ish").exit_code == 2


class Project:
    """The project of a deal, as its people see it."""

    def __init__(self, taiga: Sandbox, name: str) -> None:
        self.client = taiga.as_user("admin")
        rows = self.client.get("/projects")
        (self.id,) = [row["id"] for row in rows if name in row["name"]]

    def start_on(self, day: str) -> None:
        (row,) = self.client.get(f"/milestones?project={self.id}")
        days = {"estimated_start": day, "estimated_finish": "2027-12-31"}
        self.client.patch(f"/milestones/{row['id']}", days)

    def remove(self, address: str) -> None:
        rows = self.client.get(f"/memberships?project={self.id}")
        (member,) = [row["id"] for row in rows if row["user_email"] == address]
        self.client.delete(f"/memberships/{member}")

    def add(self, address: str) -> None:
        roles = {row["name"]: row["id"] for row in self.client.get(f"/roles?project={self.id}")}
        who = {"project": self.id, "role": roles["Back"], "username": address}
        self.client.post("/memberships", who)

    def close_one_story(self) -> None:
        columns = self.client.get(f"/projects/{self.id}")["us_statuses"]
        done = next(row["id"] for row in columns if row["is_closed"])
        story = self.client.get(f"/userstories?project={self.id}")[0]
        body = {"status": done, "version": story["version"]}
        self.client.patch(f"/userstories/{story['id']}", body)


@pytest.fixture
def project(run: Run, taiga: Sandbox, environment: dict[str, str]) -> Project:
    """A won deal's project, with a milestone and a member, which is in step."""
    environment["TAIGA_PASSWORD"] = taiga.password
    run("init", "--taiga-url", taiga.url, "--username", taiga.username)
    run("people", "add", "ana@example.test", "Ana", "--role", "Back")
    run("deals", "add", "D-1", "Shop", "--start", "2027-01-11", "--roles", "Back:20h x4w")
    run("deals", "move", "D-1", "Won", "--force")
    run("deals", "staff", "D-1", "ana@example.test", "--role", "Back", "--hours", "20")
    result = run("run")
    assert result.exit_code == 0, result.output
    return Project(taiga, "Shop")


def delivered(run: Run) -> list[tuple[str, str, str, str, int | None]]:
    found = json.loads(run("changes", "--since", "today", "--json").stdout)
    names = ("what", "name", "before", "after", "days")
    return [tuple(each[name] for name in names) for each in found["delivery"]]


def test_what_project_managers_did_is_told_over_the_whole_time(run: Run, project: Project) -> None:
    assert delivered(run) == []
    for day in ("2027-02-01", "2027-02-08"):
        project.start_on(day)
        run("run")
    project.remove("ana@example.test")
    project.close_one_story()
    run("run")
    moved, left, progress = sorted(delivered(run), key=lambda each: each[0] != "start moved")
    assert moved[0] == "start moved" and (moved[2], moved[3]) == ("2027-01-11", "2027-02-08")
    assert moved[4] == 28
    assert left == ("left", "ana@example.test", "", "", None)
    assert progress[0] == "progress" and 0 < float(progress[3]) <= 1
    text = run("changes", "--since", "today").stdout
    assert "start of" in text and "+28 days" in text and "left the project" in text


def test_what_people_took_back_is_no_change(run: Run, project: Project) -> None:
    project.start_on("2027-02-01")
    project.remove("ana@example.test")
    run("run")
    project.start_on("2027-01-11")
    project.add("ana@example.test")
    run("run")
    assert delivered(run) == []
