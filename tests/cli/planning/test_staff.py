"""``staff``: suggesting and accepting."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sync.records.model import RecordKey
from taiga_pipeline.app.engine import make_source
from taiga_pipeline.cli.context import CommandContext
from taiga_pipeline.installing import how_to_get
from taiga_pipeline.people.model import Allocation
from taiga_pipeline.people.store import PeopleStore
from taiga_pipeline.records import Kind
from tests.cli.conftest import FixedClock, Run
from tests.prepared import prepare_folder

Suggest = Callable[..., dict[str, Any]]


@pytest.fixture(autouse=True)
def pipeline(run: Run, environment: dict[str, str], tmp_path: Path) -> None:
    environment["TAIGA_PASSWORD"] = "unused"

    def make() -> None:
        assert run("init", ".").exit_code == 0
        for name, role in (("ann", "Back"), ("bob", "Back"), ("eve", "Design")):
            run("people", "add", f"{name}@x.se", name.title(), "--role", role)
        add(run, "D-1", "Won", "Back:30h x4w; Design:16h x4w")
        add(run, "D-2", "Proposal", "Back:30h x4w", "--probability", "0.5")

    prepare_folder("two deals for three people", tmp_path, make)


def add(run: Run, key: str, stage: str, roles: str, *more: str) -> None:
    arguments = (key, f"Deal {key}", "--stage", stage, "--roles", roles, "--start", "2026-11-30")
    result = run("deals", "add", *arguments, *more)
    assert result.exit_code == 0, result.stderr


@pytest.fixture
def suggest(run: Run) -> Suggest:
    def invoke(*arguments: str) -> dict[str, Any]:
        result = run("staff", "suggest", "--quick", "--json", *arguments)
        assert result.exit_code == 0, result.stderr
        found: dict[str, Any] = json.loads(result.stdout)
        return found

    return invoke


def allocations(run: Run) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run("people", "allocations", "list", "--json").stdout)
    return found


def test_a_suggestion_names_people_and_changes_nothing(run: Run, suggest: Suggest) -> None:
    found = suggest()
    plan = {(each["deal"], each["email"], each["status"]) for each in found["plan"]}
    assert {who for deal, who, _ in plan if deal == "D-1"} >= {"eve@x.se"}
    assert {status for deal, _, status in plan if deal == "D-1"} == {"confirmed"}
    assert {status for deal, _, status in plan if deal == "D-2"} == {"tentative"}
    assert (found["unmet"], found["optimal"], found["gap"]) == ([], True, 0.0)
    assert allocations(run) == []


def test_accepting_twice_is_the_same_as_once(run: Run, suggest: Suggest) -> None:
    wanted = suggest()["stored"]
    first = json.loads(run("staff", "accept", "--json").stdout)
    there = allocations(run)
    assert (len(there), first["changed"]) == (len(wanted), len(wanted))
    again = json.loads(run("staff", "accept", "--json").stdout)
    assert (again["changed"], allocations(run)) == (0, there)
    assert suggest()["plan"] == []


def test_deals_are_accepted_one_by_one(run: Run, suggest: Suggest) -> None:
    suggest()
    assert run("staff", "accept", "--only", "D-2").exit_code == 0
    assert {each["deal_key"] for each in allocations(run)} == {"D-2"}
    assert run("staff", "accept", "--only", "D-1").exit_code == 0
    assert {each["deal_key"] for each in allocations(run)} == {"D-1", "D-2"}
    refused = run("staff", "accept", "--only", "D-9")
    assert refused.exit_code == 2
    assert "the suggestion does not include D-9 (deals: D-1, D-2)" in refused.stderr


def test_a_won_deal_gets_exactly_the_suggested_members(run: Run, suggest: Suggest) -> None:
    plan = suggest()["plan"]
    run("staff", "accept")
    groups = {
        group.root.key: group
        for group in make_source(CommandContext(clock=FixedClock(), environment={})).read().groups
    }
    children = groups[RecordKey("D-1", Kind.PROJECT)].children
    members = {each.key.name for each in children if each.key.kind == Kind.MEMBERSHIP}
    assert members == {each["email"] for each in plan if each["deal"] == "D-1"}


@pytest.mark.parametrize(
    "change",
    [
        ("deals", "edit", "D-2", "--start", "2026-12-07"),
        ("deals", "edit", "D-2", "--roles", "Back:31h x4w"),
        ("people", "off", "add", "ann@x.se", "2026-12-01"),
        ("people", "add", "new@x.se", "New", "--role", "Back"),
        ("deals", "staff", "D-2", "ann@x.se", "--role", "Back", "--hours", "5"),
    ],
)
def test_a_suggestion_of_other_data_is_refused(
    run: Run, suggest: Suggest, change: tuple[str, ...]
) -> None:
    suggest()
    assert run(*change).exit_code == 0
    before = allocations(run)
    result = run("staff", "accept")
    assert result.exit_code == 4
    assert "changed since this suggestion was made" in result.stderr
    assert allocations(run) == before


def test_what_does_not_concern_staffing_may_change(run: Run, suggest: Suggest) -> None:
    suggest()
    run("deals", "edit", "D-2", "--notes", "call on Monday")
    assert run("staff", "accept").exit_code == 0


def test_present_allocations_stay(run: Run, suggest: Suggest) -> None:
    run("deals", "staff", "D-1", "bob@x.se", "--role", "Back", "--hours", "10")
    found = suggest()
    backs = [each for each in found["plan"] if (each["deal"], each["role"]) == ("D-1", "Back")]
    assert sum(Decimal(each["hours_per_week"]) for each in backs) == 20
    run("staff", "accept")
    mine = [each for each in allocations(run) if each["start"] is None]
    assert [(each["email"], each["hours_per_week"]) for each in mine] == [("bob@x.se", "10")]


def test_reservations_move_only_if_asked(run: Run, suggest: Suggest, tmp_path: Path) -> None:
    """Ann alone can do the won deal, but is reserved for the open one."""
    run("deals", "edit", "D-1", "--roles", "Back:30h x4w [python]")
    run("people", "edit", "ann@x.se", "--skills", "python")
    reserved = ("--role", "Back", "--hours", "30", "--from", "2026-11-30", "--tentative")
    run("deals", "staff", "D-2", "ann@x.se", *reserved)
    assert sum(each["hours"] for each in suggest()["unmet"]) > 0
    found = suggest("--move")
    assert found["unmet"] == []
    run("staff", "accept")
    assert {(each["deal_key"], each["email"]) for each in allocations(run)} == {
        ("D-1", "ann@x.se"),
        ("D-2", "bob@x.se"),
    }
    assert json.loads(run("staff", "accept", "--json").stdout)["changed"] == 0


def test_a_reservation_that_stays_is_not_touched(run: Run, suggest: Suggest) -> None:
    reserved = ("--role", "Back", "--hours", "30", "--from", "2026-11-30", "--tentative")
    run("deals", "staff", "D-2", "bob@x.se", *reserved, "--to", "2026-12-27")
    (stays,) = [each for each in suggest("--move")["stored"] if each["deal"] == "D-2"]
    assert (stays["email"], stays["start"]) == ("bob@x.se", "2026-11-30")
    before = [each for each in allocations(run) if each["deal_key"] == "D-2"]
    assert json.loads(run("staff", "accept", "--only", "D-2", "--json").stdout)["changed"] == 0
    assert [each for each in allocations(run) if each["deal_key"] == "D-2"] == before


def test_what_is_unmet_is_shown_with_what_would_help(run: Run) -> None:
    add(run, "D-3", "Proposal", "Back:40h x4w; Cobol:8h x2w", "--probability", "0.3")
    result = run("staff", "suggest", "--quick")
    assert result.exit_code == 0
    assert "no person has this role with these skills" in result.stdout
    assert "one more Back" in result.stdout
    assert "how much better a plan could be is not known" in result.stdout
    assert "no person has the role 'Cobol'; 16 h stay unmet (D-3)" in result.stderr
    assert "no plan costs less\n" not in result.stdout


def test_deals_that_cannot_be_staffed_are_named(run: Run, suggest: Suggest) -> None:
    run("deals", "add", "D-4", "Somewhen", "--stage", "Proposal", "--roles", "Back:8h x2w")
    notes = suggest()["notes"]
    assert "D-4 is left out: it has neither a start nor an expected close" in notes


def test_people_of_lost_deals_are_free(run: Run, suggest: Suggest) -> None:
    add(run, "D-5", "Lost", "Back:40h x9w")
    for name in ("ann", "bob"):
        run("deals", "staff", "D-5", f"{name}@x.se", "--role", "Back", "--hours", "40")
    assert suggest()["unmet"] == []


def test_a_roster_of_nobody_is_refused_with_the_way_out(run: Run) -> None:
    for name in ("ann", "bob", "eve"):
        run("people", "remove", f"{name}@x.se")
    result = run("staff", "suggest", "--quick")
    assert result.exit_code == 2
    assert "the roster is empty; add people with" in result.stderr


def test_accepting_without_a_suggestion_says_how_to_get_one(run: Run, tmp_path: Path) -> None:
    result = run("staff", "accept")
    assert result.exit_code == 2
    assert "there is no suggestion staffing.json; make one with" in result.stderr
    (tmp_path / "staffing.json").write_text('{"format": 99}')
    assert "is not a suggestion of this version" in run("staff", "accept").stderr
    (tmp_path / "staffing.json").write_text("{")
    assert "cannot be read" in run("staff", "accept").stderr


def test_all_wrong_priorities_are_named(run: Run) -> None:
    result = run("staff", "suggest", "--priority", "D-1", "--priority", "D-2=-1")
    assert result.exit_code == 2
    assert "--priority D-1: write DEAL=2" in result.stderr
    assert "--priority D-2=-1: write DEAL=2" in result.stderr


def test_a_priority_lets_an_open_deal_go_first(run: Run, suggest: Suggest) -> None:
    add(run, "D-3", "Proposal", "Back:40h x4w", "--probability", "0.4")
    stated = ("--chances", "stated")
    assert {each["deal"] for each in suggest(*stated)["unmet"]} == {"D-3"}
    first = suggest(*stated, "--priority", "D-3=5", "--priority", "D-X=1")
    assert "D-3" not in {each["deal"] for each in first["unmet"]}
    assert any("no deal 'D-X'" in note for note in first["notes"])


def test_open_deals_count_by_the_chances_that_history_tells(run: Run, suggest: Suggest) -> None:
    """Ten deals at the proposal stage were lost, however sure sales were of each."""
    for number in range(10):
        decided = ("--engaged-on", "2026-09-01", "--closed-on", f"2026-10-{number + 10}")
        add(run, f"L-{number}", "Lost", "Back:8h x1w", *decided)
    learnt = suggest()["chances"]["D-2"]
    assert learnt < 0.4
    assert suggest("--chances", "stated")["chances"] == {}
    suggest()
    add(run, "L-10", "Lost", "Back:8h x1w", "--closed-on", "2026-11-02")
    assert run("staff", "accept").exit_code == 0  # by the chances that it was suggested by


def test_what_people_wish_decides_where_all_else_is_equal(run: Run, suggest: Suggest) -> None:
    def who(*wishes: str) -> set[tuple[str, str]]:
        found = suggest(*wishes)["plan"]
        return {(each["email"], each["why"]) for each in found if each["role"] == "Back"}

    run("deals", "edit", "D-2", "--customer", "Nordvik")
    plain = {(each["deal"], each["email"]) for each in suggest()["plan"]}
    other = "ann@x.se" if ("D-1", "bob@x.se") in plain else "bob@x.se"
    assert (other, "own role, as wished") in who("--prefer", f"{other.title()}=D-1")
    here = next(email for deal, email in plain if deal == "D-2")
    assert (here, "own role, as wished") in who("--prefer", f"{here}=nordvik")
    first = next(email for deal, email in plain if deal == "D-1" and email != "eve@x.se")
    moved = suggest("--avoid", f"{first}=D-1")["plan"]
    assert first not in {each["email"] for each in moved if each["deal"] == "D-1"}


def test_wishes_that_cannot_be_meant_are_named(run: Run, suggest: Suggest) -> None:
    notes = suggest("--prefer", "anne@x.se=D-1", "--avoid", "bob@x.se=D-12")["notes"]
    assert "no person on the roster is anne@x.se; did you mean 'ann@x.se'?" in notes
    assert any("no deal, customer or service 'D-12' needs people" in note for note in notes)
    result = run("staff", "suggest", "--prefer", "ann@x.se", "--avoid", "=D-1")
    assert result.exit_code == 2
    assert "--prefer ann@x.se: write EMAIL=DEAL" in result.stderr
    assert "--avoid =D-1: write EMAIL=DEAL" in result.stderr


def test_accepting_gives_deals_that_are_postponed_their_new_start(run: Run) -> None:
    pytest.importorskip("ortools", reason="the extra 'staffing' is not installed")
    for key in ("D-3", "D-4"):
        add(run, key, "Proposal", "Back:40h x4w")
    command = ("staff", "suggest", "--seconds", "0.5", "--delay-up-to", "8", "--json")
    later = {
        each["deal"]: each["suggested_start"] for each in json.loads(run(*command).stdout)["delays"]
    }
    assert later
    accepted = run("staff", "accept")
    assert accepted.exit_code == 0, accepted.stderr
    for key, start in later.items():
        assert f"{key} now starts on {start}" in accepted.stdout
        assert json.loads(run("deals", "show", key, "--json").stdout)["start"] == start
    again = json.loads(run("staff", "accept", "--json").stdout)
    assert (again["changed"], again["starts"]) == (0, later)


def test_without_the_extra_the_quick_rule_steps_in_and_says_so(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        "taiga_pipeline.app.planning.staffing.find_spec",
        lambda name: None if name == "ortools" else find(name),
    )
    found = json.loads(run("staff", "suggest", "--json").stdout)
    assert (found["engine"], found["optimal"]) == ("heuristic", True)
    assert not any(how_to_get("staffing") in note for note in found["notes"]), "it can do no better"
    run("deals", "edit", "D-1", "--roles", "Back:400h x4w")
    found = json.loads(run("staff", "suggest", "--json").stdout)
    assert not found["optimal"]
    assert how_to_get("staffing") in found["notes"][0]


def test_with_the_extra_the_optimiser_is_used(run: Run) -> None:
    pytest.importorskip("ortools", reason="the extra 'staffing' is not installed")
    add(run, "D-3", "Proposal", "Back:40h x4w", "--probability", "0.4")
    result = run("staff", "suggest")
    assert result.exit_code == 0
    assert "optimal, no plan costs less" in result.stdout
    found = json.loads(run("staff", "suggest", "--json").stdout)
    assert found["engine"] != "heuristic"
    assert found["optimal"]


def test_hostile_names_are_harmless(run: Run, suggest: Suggest) -> None:
    run("people", "edit", "ann@x.se", "--name", "\x1b[31mAnn\u202e")
    add(run, "D-6", "Won", "B\u202eck:8h x2w")
    result = run("staff", "suggest", "--quick")
    assert result.exit_code == 0
    assert not {"\x1b", "\u202e"} & set(result.stdout + result.stderr)


def test_an_allocation_that_was_changed_by_hand_is_not_overwritten(
    run: Run, suggest: Suggest, tmp_path: Path
) -> None:
    suggest()
    run("staff", "accept")
    store = PeopleStore.open(
        f"sqlite:///{tmp_path}/pipeline.db", lambda: datetime(2026, 11, 23, tzinfo=UTC)
    )
    one = next(each for each in store.allocations() if each.deal_key == "D-2")
    changed = Allocation(
        one.deal_key, one.email, one.role, Decimal(7), one.start, date(2026, 12, 6), False
    )
    store.allocate(changed)
    store.close()
    result = run("staff", "accept")
    assert result.exit_code == 4
    assert "7 h is new" in result.stderr


def test_what_help_costs_and_brings_follows_the_rates_of_its_weeks(run: Run) -> None:
    add(run, "D-9", "Won", "Lead:40h x4w@+3w")  # from 2026-12-21 on
    for rate in (("--cost", "50", "--bill", "100"), ("--cost", "100", "--from", "2027-01-04")):
        assert run("people", "rate", "set", "Lead", *rate, "--currency", "EUR").exit_code == 0
    found = json.loads(run("staff", "advise", "--quick", "--json").stdout)
    (outside,) = (each for each in found["ways"] if each["way"] == "subcontract")
    assert (outside["from"], outside["hours_met"]) == ("2026-12-21", 160)
    assert outside["cost"] == {"EUR": (80 * 50 + 80 * 100) * 1.5}
    assert outside["brings"] == {"EUR": 160 * 100}


def test_a_project_is_not_moved_once_its_notice_is_over(run: Run, tmp_path: Path) -> None:
    def ways() -> set[str]:
        found = json.loads(run("staff", "advise", "--quick", "--json").stdout)
        return {each["way"] for each in found["ways"]}

    add(run, "D-9", "Won", "Back:40h x4w")  # all begin in a week; the notice is two weeks
    assert "start later" not in ways()
    config = tmp_path / "config.toml"
    with config.open("a", encoding="utf-8") as file:
        file.write("\n[planning.hiring]\nnotice_weeks = 1\n")
    assert "start later" in ways()
