"""One deal in several projects: a project for each phase, by commands."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from taiga_pipeline.sandbox.embedded import Sandbox
from tests.cli.conftest import Run, writes

pytestmark = pytest.mark.sampled_tests(4)

Json = Mapping[str, Any]
ADD = ("--customer", "Acme", "--currency", "EUR", "--start", "2026-12-07", "--value", "100000")
STAGES = """\
[mapping]
name = "phases"

[[stage]]
name = "Lead"
category = "lead"

[[stage]]
name = "Proposal"
category = "proposal"

[[stage]]
name = "Won"
category = "won"

[[stage]]
name = "Lost"
category = "lost"

[project]
from_sales_page = "tentative"

[[member]]
email = "pm@example.test"
"""
DISCOVERY = """
[[phase]]
name = "Discovery"
keeps_project = true

[[phase.role]]
role = "Design"
hours_per_week = 20
weeks = 2

[[phase.milestone]]
name = "Workshops"
finish = "+13d"
when = "tentative"
"""
BUILD = """
[[phase]]
name = "Build"
after = "Discovery"
takes_roles = true

[[phase.role]]
role = "Back"
hours_per_week = 30
weeks = 10

[[phase.milestone]]
name = "First release"
start = "+0w"
finish = "+5w"
when = "tentative"
"""
SUPPORT = """
[[phase]]
name = "Support"
after = "build"
start = "+1w"
when = "staffed"
title = "{customer}: support of {name}"

[[phase.milestone]]
name = "First month"
finish = "+4w"
"""


class Office:
    """A pipeline of one deal, and its projects as a manager sees them."""

    def __init__(self, run: Run, taiga: Sandbox, mapping: Path) -> None:
        self.run, self.taiga, self._mapping = run, taiga, mapping

    def do(self, *arguments: str, code: int = 0) -> str:
        result = self.run(*arguments)
        assert result.exit_code == code, result.output + result.stderr
        return result.stdout + result.stderr

    def map(self, *phases: str) -> None:
        """Says which phases deals have."""
        self._mapping.write_text(STAGES + "".join(phases), encoding="utf-8")

    def sync(self) -> str:
        """Runs, and once more, which must not write anything."""
        said = self.do("run")
        before = len(writes(self.taiga))
        self.do("run")
        assert writes(self.taiga)[before:] == []
        return said

    def projects(self) -> dict[str, Json]:
        pm = self.taiga.as_user("pm")
        return {row["name"]: pm.get(f"/projects/{row['id']}") for row in pm.get("/projects")}

    def lose_state(self) -> None:
        """Takes away what is remembered of the projects."""
        for each in Path().glob("state.db*"):
            each.unlink()

    def numbers(self) -> set[int]:
        return {each["id"] for each in self.projects().values()}

    def milestones(self, project: Json) -> dict[str, tuple[str, str]]:
        rows = self.taiga.as_user("pm").get(f"/milestones?project={project['id']}")
        return {row["name"]: (row["estimated_start"], row["estimated_finish"]) for row in rows}

    def move(self, name: str, start: str, finish: str) -> None:
        """Moves a milestone as a project manager does."""
        pm = self.taiga.as_user("pm")
        for project in self.projects().values():
            for row in pm.get(f"/milestones?project={project['id']}"):
                if row["name"] == name:
                    dates = {"estimated_start": start, "estimated_finish": finish}
                    pm.patch(f"/milestones/{row['id']}", dates)


@pytest.fixture
def office(run: Run, taiga: Sandbox, environment: dict[str, str]) -> Office:
    environment["TAIGA_PASSWORD"] = taiga.password
    office = Office(run, taiga, Path("mappings/default.toml").absolute())
    server = ("--taiga-url", taiga.url, "--username", taiga.username)
    office.do("init", *server, "--manager", "pm@example.test")
    office.map(DISCOVERY, BUILD, SUPPORT)
    office.do("deals", "add", "D-1", "Portal", *ADD, "--stage", "Proposal")
    return office


def test_each_phase_has_a_project_that_begins_after_the_one_before(office: Office) -> None:
    office.sync()
    found = office.projects()
    assert set(found) == {
        "(tentative) Acme: Portal – Discovery",
        "(tentative) Acme: Portal – Build",
    }
    discovery, build = (found[f"(tentative) Acme: Portal – {n}"] for n in ("Discovery", "Build"))
    assert office.milestones(discovery) == {"Workshops": ("2026-12-07", "2026-12-20")}
    assert office.milestones(build) == {"First release": ("2026-12-21", "2027-01-25")}
    assert "Back 30 h/week" in build["looking_for_people_note"]
    assert "Back" not in discovery["looking_for_people_note"]
    assert "1 deal, 1 project of other phases" in office.do("check")


def test_a_phase_that_waits_for_the_win_gets_its_project_then_and_all_are_retired_when_it_is_lost(
    office: Office,
) -> None:
    office.sync()
    office.do("deals", "move", "D-1", "Won")
    office.sync()
    assert set(office.projects()) == {
        "Acme: Portal – Discovery",
        "Acme: Portal – Build",
        "Acme: support of Portal",
    }
    before = office.numbers()
    office.do("deals", "move", "D-1", "Lost", "--reason", "too dear")
    office.sync()
    assert all(name.startswith("(lost) ") for name in office.projects())
    assert office.numbers() == before


def test_a_deal_that_had_one_project_keeps_it_as_that_of_a_phase_and_back(office: Office) -> None:
    office.map()
    office.sync()
    [(_, only)] = office.projects().items()
    office.map(BUILD.replace('after = "Discovery"\n', ""), DISCOVERY)
    office.sync()
    found = office.projects()
    assert found["(tentative) Acme: Portal – Discovery"]["id"] == only["id"]
    assert len(found) == 2
    office.map()
    said = office.sync()
    assert "D-1::build" in said
    assert office.projects()["(tentative) Acme: Portal"]["id"] == only["id"]
    assert len(office.projects()) == 2
    office.map(DISCOVERY, BUILD, SUPPORT)
    office.sync()
    assert len(office.projects()) == 2


def test_phases_follow_a_phase_whose_milestone_a_manager_moved(office: Office) -> None:
    office.sync()
    office.move("Workshops", "2026-12-14", "2026-12-27")
    office.do("run")
    office.sync()
    found = office.projects()
    discovery, build = (found[f"(tentative) Acme: Portal – {n}"] for n in ("Discovery", "Build"))
    assert office.milestones(discovery) == {"Workshops": ("2026-12-14", "2026-12-27")}
    assert office.milestones(build) == {"First release": ("2026-12-28", "2027-02-01")}


def test_a_start_that_a_manager_moved_is_that_phases_start(office: Office) -> None:
    office.sync()
    office.move("First release", "2027-02-01", "2027-03-08")
    office.do("run")
    office.sync()
    office.move("Workshops", "2026-12-14", "2026-12-27")
    office.do("deals", "move", "D-1", "Won")
    office.do("run")
    office.sync()
    found = office.projects()
    build, support = found["Acme: Portal – Build"], found["Acme: support of Portal"]
    assert office.milestones(build) == {"First release": ("2027-02-01", "2027-03-08")}
    assert office.milestones(support) == {"First month": ("2027-04-19", "2027-05-17")}


def test_a_phase_that_was_moved_says_so_and_what_follows_moves_in_the_same_run(
    office: Office,
) -> None:
    office.sync()
    office.move("First release", "2027-02-15", "2027-03-22")
    office.do("deals", "move", "D-1", "Won")
    office.sync()
    found = office.projects()
    build, support = found["Acme: Portal – Build"], found["Acme: support of Portal"]
    assert office.milestones(support) == {"First month": ("2027-05-03", "2027-05-31")}
    for text in (build["description"], build["looking_for_people_note"]):
        assert "2027-02-15" in text
        assert "2026-12-21" not in text


@pytest.mark.parametrize("what", ["lost state", "reopened"])
def test_phases_that_followed_stay_where_they_are_in_one_go(office: Office, what: str) -> None:
    office.sync()
    office.move("Workshops", "2026-12-14", "2026-12-27")
    office.do("deals", "move", "D-1", "Won")
    office.sync()
    before = {name: shown(office, each) for name, each in office.projects().items()}
    assert "Start: 2026-12-28" in str(before["Acme: Portal – Build"])
    if what == "reopened":
        office.do("deals", "move", "D-1", "Lost", "--reason", "too dear")
        office.sync()
        office.do("deals", "move", "D-1", "Won")
    else:
        office.lose_state()
    office.sync()
    assert {name: shown(office, each) for name, each in office.projects().items()} == before
    office.move("Workshops", "2026-12-21", "2027-01-03")
    office.sync()
    build = office.projects()["Acme: Portal – Build"]
    assert office.milestones(build) == {"First release": ("2027-01-04", "2027-02-08")}


def shown(office: Office, project: Json) -> tuple[object, ...]:
    named = project["description"], project.get("looking_for_people_note")
    return *named, office.milestones(project)


def test_a_phase_that_left_the_mapping_is_reported_and_kept_until_the_deal_is_lost(
    office: Office,
) -> None:
    office.sync()
    office.map(DISCOVERY)
    said = office.do("run")
    assert "D-1::build" in said
    assert "unlink" in said
    assert "(tentative) Acme: Portal – Build" in office.projects()
    assert "D-1::build" not in office.do("run")  # reported once
    assert "D-1::build" in office.do("conflicts")
    office.do("deals", "move", "D-1", "Lost", "--reason", "too dear")
    office.sync()
    assert all(name.startswith("(lost) ") for name in office.projects())


def test_a_phase_that_looks_renamed_gets_no_second_project_until_its_id_says_which_it_is(
    office: Office,
) -> None:
    office.sync()
    before = office.numbers()
    renamed = BUILD.replace('"Build"', '"Construction"')
    same = renamed.replace("after =", 'id = "build"\nafter =')
    Path("new.toml").write_text(STAGES + DISCOVERY + renamed, encoding="utf-8")
    assert 'id = "build"' in office.do("mapping", "diff", "new.toml")
    Path("new.toml").write_text(STAGES + DISCOVERY + same, encoding="utf-8")
    assert "another name" not in office.do("mapping", "diff", "new.toml")
    office.map(DISCOVERY, renamed)
    assert 'id = "build"' in office.do("mapping", "check")
    assert 'id = "build"' in office.do("plan")
    assert 'id = "build"' in office.do("run", code=3)
    assert 'id = "build"' in office.do("conflicts")
    assert office.numbers() == before
    office.map(DISCOVERY, same)
    assert "another name" not in office.do("mapping", "check")
    office.sync()
    assert office.numbers() == before
    assert "(tentative) Acme: Portal – Construction" in office.projects()
    office.map(DISCOVERY, BUILD.replace('"Build"', '"Tests"\nid = "tests"'))
    office.do("run")
    assert len(office.numbers()) == len(before) + 1


def test_a_deal_whose_key_ends_like_a_phases_is_told_how_to_get_another(office: Office) -> None:
    office.map()
    office.do("deals", "add", "a::build", "Search", *ADD, "--stage", "Proposal")
    office.map(DISCOVERY, BUILD)
    assert "pipeline-sync deals rename a::build NEW" in office.do("run", code=3)
    office.do("deals", "rename", "a::build", "A-1")
    office.sync()


def test_another_phase_cannot_take_the_deals_project_while_it_has_one_of_its_own(
    office: Office,
) -> None:
    office.sync()
    before = office.projects()
    moved = DISCOVERY.replace("keeps_project = true\n", ""), BUILD + "\n"
    office.map(moved[0], BUILD.replace("takes_roles", "keeps_project = true\ntakes_roles"))
    assert "keeps_project" in office.do("run", code=3)
    assert office.projects() == before


def test_a_deal_that_is_renamed_or_removed_takes_all_its_projects_along(office: Office) -> None:
    office.sync()
    before = office.numbers()
    office.do("deals", "rename", "D-1", "P-1")
    office.sync()
    assert office.numbers() == before
    office.do("deals", "remove", "P-1")
    office.sync()
    assert all(name.startswith("(gone) ") for name in office.projects())
    assert office.numbers() == before


def test_commands_know_the_project_of_each_phase(office: Office) -> None:
    office.do("deals", "move", "D-1", "Won")
    office.sync()
    shown = json.loads(office.do("deals", "show", "D-1", "--json"))
    assert [each["key"] for each in shown["projects"]] == ["D-1", "D-1::build", "D-1::support"]
    assert {each["state"] for each in shown["projects"]} == {"staffed"}
    assert all(each["url"] for each in shown["projects"])
    assert "D-1::support: Acme: support of Portal" in office.do("deals", "show", "D-1")
    past = json.loads(office.do("history", "D-1", "--json"))
    assert {each["key"].partition("/")[0] for each in past} >= {"D-1", "D-1::build"}
    assert {each["deal"] for each in past} == {"D-1"}
    assert "project D-1::build" in office.do("mapping", "explain", "D-1")
    office.do("deals", "edit", "D-1", "--name", "Shop")
    plan = json.loads(office.do("plan", "--json"))
    assert {each["deal"] for each in plan["actions"]} == {"D-1"}
    assert {each["key"] for each in plan["actions"]} == {"D-1", "D-1::build", "D-1::support"}


def test_a_phase_is_unlinked_adopted_and_resolved_by_its_own_key(office: Office) -> None:
    office.sync()
    build = office.projects()["(tentative) Acme: Portal – Build"]
    office.do("unlink", "D-1::build")
    office.sync()
    assert office.projects()["(tentative) Acme: Portal – Build"]["tags_colors"] == {}
    office.do("adopt", "D-1::build", build["slug"])
    assert "D-1::build" in office.do("adopt", "D-1::bild", build["slug"], code=2)
    office.sync()
    assert office.projects()["(tentative) Acme: Portal – Build"]["id"] == build["id"]
    assert len(office.projects()) == 2
    office.do("deals", "edit", "D-1", "--name", "Shop")
    name = {"name": "(tentative) Petra's build"}
    office.taiga.as_user("pm").patch(f"/projects/{build['id']}", name)
    office.do("run", code=3)
    office.do("resolve", "D-1::build", "--take", "delivery")
    office.sync()
    assert set(office.projects()) == {
        "(tentative) Acme: Shop – Discovery",
        "(tentative) Petra's build",
    }
    office.do("unlink", "D-1")
    assert all(each["tags_colors"] == {} for each in office.projects().values())


def test_a_phase_that_was_unlinked_shows_nowhere_but_in_the_history(office: Office) -> None:
    office.sync()
    pm = office.taiga.as_user("pm")
    discovery = office.projects()["(tentative) Acme: Portal – Discovery"]
    page = f"/wiki/by_slug?project={discovery['id']}&slug=from-sales"
    assert "Build" in pm.get(page)["content"]
    office.do("unlink", "D-1::build")
    office.sync()
    assert "Build" not in pm.get(page)["content"]
    assert json.loads(office.do("deals", "show", "D-1", "--json"))["projects"] == []
    past = json.loads(office.do("history", "D-1", "--json"))
    assert [each["key"] for each in past if each["action"] == "unlink"] == ["D-1::build"]


def test_deals_with_phases_are_in_no_project_with_others(office: Office) -> None:
    office.do("deals", "add", "D-2", "Search", *ADD, "--stage", "Proposal")
    assert "[[phase]]" in office.do("join", "D-2", "D-1", code=2)
    said = office.do("join", "D-2", "D-1::build", code=2)
    assert "did you mean 'D-1'" in said
    assert "did you mean" not in office.do("join", "D-2", "D-3::build", code=2)
    office.map()
    office.do("join", "D-2", "D-1")
    office.sync()
    [(_, before)] = office.projects().items()
    office.map(DISCOVERY, BUILD)
    assert "join D-2 --undo" in office.do("run", code=3)
    assert office.projects() == {before["name"]: before}
    office.do("join", "D-2", "--undo")
    office.sync()
    assert len(office.projects()) == 4


def test_a_deal_that_takes_over_another_ones_project_takes_those_of_its_phases(
    office: Office,
) -> None:
    office.sync()
    before = office.numbers()
    office.do("deals", "remove", "D-1")
    office.do("deals", "add", "N-1", "Portal", *ADD, "--stage", "Proposal")
    office.do("adopt", "N-1", "--from", "D-1")
    office.sync()
    assert office.numbers() == before
    assert all(name.startswith("(tentative) ") for name in office.projects())
