"""An extension joins a project that was sold before, and leaves it again, by commands."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from taiga_pipeline.sandbox.embedded import Sandbox
from tests.cli.conftest import Run, writes

Json = Mapping[str, Any]
ADD = ("--customer", "Acme", "--service", "web", "--currency", "EUR", "--start", "2026-12-07")


class Office:
    """A pipeline of two deals, and its projects as a manager sees them."""

    def __init__(self, run: Run, taiga: Sandbox) -> None:
        self.run, self.taiga = run, taiga

    def do(self, *arguments: str, code: int = 0) -> str:
        result = self.run(*arguments)
        assert result.exit_code == code, result.output + result.stderr
        return result.stdout + result.stderr

    def sync(self) -> None:
        """Runs, and once more, which must not write anything."""
        self.do("run")
        before = len(writes(self.taiga))
        self.do("run")
        assert writes(self.taiga)[before:] == []

    def projects(self) -> dict[str, Json]:
        pm = self.taiga.as_user("pm")
        return {row["name"]: pm.get(f"/projects/{row['id']}") for row in pm.get("/projects")}

    def milestones(self, project: Json) -> set[str]:
        rows = self.taiga.as_user("pm").get(f"/milestones?project={project['id']}")
        return {row["name"] for row in rows}

    def won(self, key: str) -> None:
        self.do("deals", "move", key, "Won", "--force")


@pytest.fixture
def office(run: Run, taiga: Sandbox, environment: dict[str, str]) -> Office:
    environment["TAIGA_PASSWORD"] = taiga.password
    office = Office(run, taiga)
    server = ("--taiga-url", taiga.url, "--username", taiga.username)
    office.do("init", *server, "--manager", "pm@example.test")
    office.do("deals", "add", "D-1", "Portal", *ADD, "--value", "100000", "--stage", "Proposal")
    office.do("deals", "add", "D-2", "Search", *ADD, "--value", "50000", "--stage", "Proposal")
    return office


def test_an_extension_is_shown_and_staffed_in_the_project_that_it_joins(office: Office) -> None:
    office.won("D-1")
    said = office.do("join", "D-2", "D-1")
    assert "D-2 is part of the project of D-1" in said
    office.sync()
    [(_, project)] = office.projects().items()
    assert "150,000 EUR" in project["description"]
    assert "Search (D-2)" in project["description"]
    before = office.milestones(project)
    office.won("D-2")
    office.sync()
    assert office.milestones(project) - before
    shown = json.loads(office.do("deals", "show", "D-2", "--json"))
    assert (shown["part_of"], shown["in_project"]) == ("D-1", ["D-1", "D-2"])
    assert shown["project"]["url"]
    assert [(c["field"], c["after"]) for c in shown["changes"] if c["field"] == "part_of"] == [
        ("part_of", "D-1")
    ]
    office.do("deals", "move", "D-2", "Lost", "--reason", "too dear")
    office.sync()
    [(_, project)] = office.projects().items()
    assert "Search" not in project["description"]
    assert office.milestones(project) == before


def test_a_project_of_its_own_is_retired_and_comes_back_when_the_deal_leaves(
    office: Office,
) -> None:
    office.sync()
    assert len(office.projects()) == 2
    assert "has a project of its own" in office.do("join", "D-2", "D-1")
    office.sync()
    names = list(office.projects())
    assert len(names) == 2
    assert sum("tentative" in name for name in names) == 1
    office.do("join", "D-2", "--undo")
    office.sync()
    assert all("tentative" in name for name in office.projects())
    assert all("Also in" not in each["description"] for each in office.projects().values())


def test_renames_and_removals_of_the_main_deal_are_followed(office: Office) -> None:
    office.do("join", "D-2", "D-1")
    office.sync()
    office.do("deals", "rename", "D-1", "P-1")
    assert json.loads(office.do("deals", "show", "D-2", "--json"))["part_of"] == "P-1"
    office.sync()
    assert len(office.projects()) == 1
    office.do("deals", "remove", "P-1")
    assert json.loads(office.do("deals", "show", "D-2", "--json"))["part_of"] == ""


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("D-1", "D-1"), "cannot be a part of itself"),
        (("D-1", "D-9"), "D-9"),
        (("D-1", "D-2"), "is part of the project of D-1"),
        (("D-2", "D-3"), "is part of the project of D-2"),
    ],
)
def test_what_cannot_be_joined_is_refused(
    office: Office, arguments: tuple[str, str], reason: str
) -> None:
    office.do("join", "D-2", "D-1")
    office.do("deals", "add", "D-3", "Chat", "--customer", "Beta", "--stage", "Lead")
    assert "a deal with Beta, D-1 one with Acme" in office.do("join", "D-3", "D-2")
    assert reason in office.do("join", *arguments, code=2)
    office.do("join", "D-1", "--undo", code=2)
    office.do("join", "D-1", code=2)
    office.do("join", "D-1", "D-2", "--undo", code=2)
