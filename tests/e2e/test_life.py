"""A deal's whole life, by the commands that people type, against the Taiga-compatible sandbox.

Every step ends with one more run, which must not write anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from taiga_pipeline.sandbox.embedded import Sandbox
from tests.cli.conftest import Run, writes

pytestmark = pytest.mark.sampled_tests(2)

Json = Mapping[str, Any]


@dataclass
class Life:
    """One deal, D-1, and its project as its manager sees it."""

    command: Run
    taiga: Sandbox

    def do(self, *arguments: str, code: int = 0) -> str:
        result = self.command(*arguments)
        assert result.exit_code == code, result.output + result.stderr
        return result.stdout

    def sync(self, code: int = 0) -> str:
        """Runs; then runs again and asserts that nothing more is written."""
        said = self.do("run", code=code)
        before = len(writes(self.taiga))
        self.do("run", code=code)
        assert writes(self.taiga)[before:] == []
        return said

    @property
    def pm(self) -> Any:
        return self.taiga.as_user("pm")

    @property
    def project(self) -> Json:
        (found,) = self.pm.get("/projects")
        return dict(self.pm.get(f"/projects/{found['id']}"))

    def members(self) -> dict[str, str]:
        rows = self.pm.get(f"/memberships?project={self.project['id']}")
        return {row["user_email"] or row["email"]: row["role_name"] for row in rows}

    def stories(self) -> list[Json]:
        return list(self.pm.get(f"/userstories?project={self.project['id']}"))


@pytest.fixture
def life(run: Run, taiga: Sandbox, environment: dict[str, str]) -> Life:
    environment["TAIGA_PASSWORD"] = taiga.password
    life = Life(run, taiga)
    server = ("--taiga-url", taiga.url, "--username", taiga.username)
    life.do("init", *server, "--manager", "pm@example.test")
    for person in ("ana", "bob"):
        life.do("people", "add", f"{person}@example.test", person.title(), "--role", "Back")
    deal = ("--customer", "Acme", "--stage", "Proposal", "--value", "40000", "--currency", "EUR")
    life.do("deals", "add", "D-1", "Portal", *deal, "--start", "2027-01-04", "--roles", ROLES)
    life.sync()
    return life


ROLES = "Back:30h x10w; Design:16h x4w"


def test_a_proposal_is_a_tentative_project_that_says_what_it_needs(life: Life) -> None:
    project = life.project
    assert project["name"] == "(tentative) Acme: Portal"
    assert "Value: 40,000 EUR" in project["description"]
    assert project["is_looking_for_people"]
    assert "Back 30 h/week x 10 weeks from 2027-01-04" in project["looking_for_people_note"]
    assert "tentative" in project["tags"]


def test_changed_value_dates_and_roles_reach_the_project(life: Life) -> None:
    change = ("--value", "55000", "--start", "2027-02-01", "--roles", "Back:20h x5w")
    life.do("deals", "edit", "D-1", *change)
    life.sync()
    assert "Value: 55,000 EUR" in life.project["description"]
    note = life.project["looking_for_people_note"]
    assert note == "Needs: Back 20 h/week x 5 weeks from 2027-02-01"


def test_back_at_an_earlier_stage_it_is_put_away_and_comes_back_reversibly(life: Life) -> None:
    before = life.project
    life.do("deals", "move", "D-1", "Lead")
    life.sync()
    assert life.project["name"] == "(on hold) Acme: Portal"
    assert not life.project["is_looking_for_people"]
    life.do("deals", "move", "D-1", "Proposal")
    life.sync()
    after = life.project
    same = ("id", "name", "description", "tags", "is_looking_for_people", "looking_for_people_note")
    assert {name: after[name] for name in same} == {name: before[name] for name in same}


def test_won_the_same_project_is_staffed_and_open_roles_stay_visible(life: Life) -> None:
    tentative = life.project
    life.do("deals", "staff", "D-1", "ana@example.test", "--role", "Back", "--hours", "30")
    life.do("deals", "move", "D-1", "Won")
    life.sync()
    project = life.project
    assert project["id"] == tentative["id"]
    assert project["name"] == "Acme: Portal"
    assert life.members()["ana@example.test"] == "Back"
    (milestone,) = life.pm.get(f"/milestones?project={project['id']}")
    assert (milestone["name"], milestone["estimated_start"]) == ("Kick-off", "2027-01-04")
    assert {story["subject"] for story in life.stories()} > {"Kick-off with Acme"}
    note = project["looking_for_people_note"]
    assert note == "Needs: Design 16 h/week x 4 weeks from 2027-01-04"


def test_a_reservation_made_before_the_deal_was_won_joins_when_it_is(life: Life) -> None:
    reserve = ("--role", "Back", "--hours", "30", "--tentative")
    life.do("deals", "staff", "D-1", "bob@example.test", *reserve)
    life.sync()
    assert "bob@example.test" not in life.members()
    life.do("deals", "move", "D-1", "Won")
    life.sync()
    assert life.members()["bob@example.test"] == "Back"


def test_lost_it_is_put_away_and_reopened_it_is_back(life: Life) -> None:
    life.do("deals", "move", "D-1", "Lost")
    life.sync()
    assert life.project["name"] == "(lost) Acme: Portal"
    life.do("deals", "move", "D-1", "Proposal")
    life.sync()
    assert life.project["name"] == "(tentative) Acme: Portal"


def test_a_customers_new_name_reaches_the_project(life: Life) -> None:
    life.do("deals", "edit", "D-1", "--customer", "Acme & Sons")
    life.sync()
    assert life.project["name"] == "(tentative) Acme & Sons: Portal"
    assert "Customer: Acme & Sons" in life.project["description"]


def test_everything_that_a_project_manager_does_survives_every_later_run(life: Life) -> None:
    project = life.project
    written = f"Anna knows them.\n\n{project['description']}\n\nAsk for Bo."
    change = {"name": "(tentative) The Acme relaunch", "description": written}
    life.pm.patch(f"/projects/{project['id']}", change)
    role = next(r["id"] for r in project["roles"] if r["name"] == "Front")
    newcomer = {"project": project["id"], "role": role, "username": "chen@example.test"}
    life.pm.post("/memberships", newcomer)
    life.sync()
    life.do("deals", "move", "D-1", "Won")
    life.do("deals", "edit", "D-1", "--value", "60000")
    life.sync()
    story = life.stories()[0]
    statuses = life.pm.get(f"/userstory-statuses?project={project['id']}")
    moved = {"status": statuses[2]["id"], "subject": "Meet in Oslo", "version": story["version"]}
    life.pm.patch(f"/userstories/{story['id']}", moved)
    life.sync()
    life.do("deals", "edit", "D-1", "--value", "65000")
    life.sync()

    after = life.project
    assert after["name"] == "The Acme relaunch"
    assert after["description"].startswith("Anna knows them.")
    assert "Ask for Bo." in after["description"]
    assert "Value: 65,000 EUR" in after["description"]
    assert life.members()["chen@example.test"] == "Front"
    kept = next(each for each in life.stories() if each["id"] == story["id"])
    assert (kept["subject"], kept["status"]) == ("Meet in Oslo", statuses[2]["id"])
    shown = life.do("deals", "show", "D-1")
    assert "The Acme relaunch" in shown
    assert "chen@example.test" in shown


def test_a_title_changed_on_both_sides_waits_for_a_decision(life: Life) -> None:
    life.pm.patch(f"/projects/{life.project['id']}", {"name": "(tentative) Relaunch"})
    life.do("deals", "edit", "D-1", "--name", "Portal 2", "--value", "41000")
    said = life.sync(code=3)
    assert "resolve D-1 --field title" in said
    assert life.project["name"] == "(tentative) Relaunch"
    assert "41,000 EUR" in life.project["description"]
    life.do("resolve", "D-1", "--field", "title", "--take", "sales")
    life.sync()
    assert life.project["name"] == "(tentative) Acme: Portal 2"


def test_only_members_that_the_connector_added_leave(life: Life) -> None:
    for person in ("ana", "bob"):
        hours = ("--role", "Back", "--hours", "10")
        life.do("deals", "staff", "D-1", f"{person}@example.test", *hours)
    role = life.project["roles"][0]["id"]
    by_hand = {"project": life.project["id"], "role": role, "username": "bob@example.test"}
    life.pm.post("/memberships", by_hand)
    life.do("deals", "move", "D-1", "Won")
    life.sync()
    for person in ("ana", "bob"):
        life.do("deals", "staff", "D-1", f"{person}@example.test", "--remove")
    life.sync()
    assert "ana@example.test" not in life.members()
    assert "bob@example.test" in life.members()


def test_an_existing_project_is_adopted_and_keeps_what_people_wrote(life: Life) -> None:
    bot = life.taiga.as_user(life.taiga.username)
    old = bot.post("/projects", {"name": "Old shop", "description": "Ours since May."})
    life.do("deals", "add", "D-2", "Shop", "--customer", "Old", "--stage", "Proposal")
    life.do("adopt", "D-2", str(old["id"]))
    life.do("run", code=3)
    life.do("resolve", "D-2", "--take", "delivery")
    life.do("run")
    adopted = bot.get(f"/projects/{old['id']}")
    assert adopted["name"] == "(tentative) Old shop"
    assert adopted["description"].startswith("Ours since May.")
    assert len(bot.get("/projects")) == 2


def test_a_renamed_deal_keeps_its_project_and_what_people_wrote_there(life: Life) -> None:
    before = life.project
    life.pm.patch(f"/projects/{before['id']}", {"name": "(tentative) Acme: Customer portal"})
    assert "ACME-7 now" in life.do("deals", "rename", "D-1", "ACME-7")
    requests = len(writes(life.taiga))
    assert "D-1 is ACME-7 now" in life.do("plan")
    assert len(writes(life.taiga)) == requests
    life.do("deals", "edit", "ACME-7", "--value", "55000")
    life.sync()
    after = life.project
    assert (after["id"], after["name"]) == (before["id"], "(tentative) Acme: Customer portal")
    assert "Value: 55,000 EUR" in after["description"]
    assert "ACME-7" in life.do("history", "D-1")
    life.do("deals", "rename", "ACME-7", "D-1")
    life.sync()
    assert life.project["id"] == before["id"]


def test_the_project_of_a_removed_deal_is_retired_not_deleted(life: Life) -> None:
    added = life.do("deals", "add", "Audit", "--customer", "Bolt", "--stage", "Lead")
    assert added.startswith("added D-2 in Lead")
    before = life.project
    life.do("deals", "remove", "D-1")
    life.sync()
    after = life.project
    assert (after["id"], after["name"]) == (before["id"], "(gone) Acme: Portal")
    assert life.do("deals", "add", "Again").startswith("added D-3 ")
