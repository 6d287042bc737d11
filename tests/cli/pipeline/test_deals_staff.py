"""``deals staff``: what it settles by itself, refuses, and warns of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.prepared import prepare_folder


@pytest.fixture(autouse=True)
def pipeline(run: Run, environment: dict[str, str], tmp_path: Path) -> None:
    environment["TAIGA_PASSWORD"] = "unused"

    def make() -> None:
        assert run("init", ".").exit_code == 0
        run("people", "add", "ann@x.se", "Ann", "--role", "Back", "--skills", "Python")
        for key, stage in (("D-1", "Won"), ("D-2", "Proposal")):
            run("deals", "add", key, key, "--stage", stage, "--roles", "Design:16h x4w")
            run("deals", "edit", key, "--start", "2026-11-30")

    prepare_folder("two deals to staff", tmp_path, make)


def put(run: Run, key: str, hours: str, *more: str, role: str = "Back") -> dict[str, Any]:
    result = run(
        "deals", "staff", key, "ann@x.se", "--role", role, "--hours", hours, "--json", *more
    )
    assert result.exit_code == 0, result.stderr
    (found,) = json.loads(result.stdout)
    return {**found, "said": result.stderr}


def test_on_a_deal_that_is_open_it_is_a_reservation_unless_said_otherwise(run: Run) -> None:
    assert put(run, "D-1", "5")["confirmed"]
    assert not put(run, "D-2", "5")["confirmed"]
    assert put(run, "D-2", "5", "--confirmed", "--from", "2026-12-14")["confirmed"]
    assert not put(run, "D-1", "5", "--tentative", "--from", "2026-12-14")["confirmed"]


def test_a_change_of_hours_leaves_it_as_it_was(run: Run) -> None:
    put(run, "D-2", "5", "--confirmed")
    assert put(run, "D-2", "8", role="back")["confirmed"]


def test_a_file_without_a_status_is_settled_alike(run: Run, tmp_path: Path) -> None:
    put(run, "D-2", "5", "--confirmed")
    file = tmp_path / "allocations.csv"
    file.write_text(
        "deal,email,role,hours_per_week,start\n"
        "D-1,ann@x.se,python,4,\nD-2,ann@x.se,Back,6,\nD-2,ann@x.se,Back,7,2026-12-14\n"
        "D-2,ann@x.se,Bakc,7,\n",
        encoding="utf-8",
    )
    result = run("people", "allocations", "import", str(file))
    assert result.exit_code == 3
    assert "no person has the role 'Bakc'" in result.stderr + result.stdout
    stored = json.loads(run("people", "allocations", "list", "--json").stdout)
    assert {(each["deal_key"], each["hours_per_week"], each["confirmed"]) for each in stored} == {
        ("D-1", "4", True),
        ("D-2", "6", True),
        ("D-2", "7", False),
    }


@pytest.mark.parametrize("role", ["back", "PYTHON", "design", "Design"])
def test_roles_of_people_and_deals_and_skills_are_known_in_any_case(run: Run, role: str) -> None:
    assert put(run, "D-1", "5", role=role)["role"] == role


def test_an_unknown_role_is_an_error_with_the_nearest(run: Run) -> None:
    wrong = run("deals", "staff", "D-1", "ann@x.se", "--role", "Desing", "--hours", "5")
    assert wrong.exit_code == 2
    assert "no person has the role 'Desing'" in wrong.stderr
    assert "did you mean 'Design'?" in wrong.stderr
    assert json.loads(run("deals", "staff", "D-1", "--json").stdout) == []


def test_weeks_with_too_many_hours_are_reported_with_their_deals(run: Run) -> None:
    assert put(run, "D-1", "30")["overbooked"] == []
    late = put(run, "D-2", "20")
    assert late["overbooked"] == [
        {
            "from": "2026-W49",
            "to": "2026-W52",
            "hours_per_week": 50,
            "of": 40,
            "deals": {"D-1": 30, "D-2": 20},
            "with_reservations": True,
        }
    ]
    assert late["said"] == (
        "overbooked: ann@x.se is booked, with reservations, 50 h a week of 40 h in 2026-W49 to "
        "2026-W52 (D-1 30 h, D-2 20 h)\n"
        "D-2 asks for no Back: plans and its budget count the 80 h all the same\n"
    )


def test_hours_beyond_what_a_deal_asks_for_are_reported(run: Run) -> None:
    assert put(run, "D-1", "16", role="design")["beyond_demand"] is None
    more = put(run, "D-1", "20", role="Design")
    assert more["beyond_demand"] == {"role": "Design", "hours": 16, "of": 64}
    assert more["said"] == (
        "D-1 has 16 h of Design beyond the 64 h that it asks for: plans and its budget count them\n"
    )
    longer = put(run, "D-2", "10", "--to", "2027-01-10", role="Design")
    assert longer["beyond_demand"] == {"role": "Design", "hours": 20, "of": 64}
    run("deals", "edit", "D-2", "--roles", "")
    assert put(run, "D-2", "10", role="Design")["beyond_demand"] is None


def test_a_week_that_time_off_shortens_is_no_reason_to_warn(run: Run) -> None:
    run("people", "off", "add", "ann@x.se", "2026-12-08", "2026-12-09")
    assert put(run, "D-1", "40")["overbooked"] == []
    (over,) = put(run, "D-1", "4", role="Python")["overbooked"]
    assert (over["from"], over["to"], over["hours_per_week"]) == ("2026-W49", "2026-W52", 44)


def test_far_weeks_and_other_peoples_hours_are_looked_at_as_well(run: Run) -> None:
    span = ("--from", "2027-09-06", "--to", "2027-09-19")
    (over,) = put(run, "D-1", "41", *span)["overbooked"]
    assert (over["from"], over["to"]) == ("2027-W36", "2027-W37")


def test_a_reservation_of_a_deal_that_was_won_since_is_not_shown_as_tentative(run: Run) -> None:
    put(run, "D-2", "5")
    shown = [("deals", "show", "D-2"), ("deals", "staff", "D-2"), ("people", "allocations", "list")]
    assert all("tentative" in run(*command).stdout for command in shown)
    run("deals", "move", "D-2", "Won", "--force")
    for command in shown:
        text = run(*command).stdout
        assert "ann@x.se" in text and "tentative" not in text
