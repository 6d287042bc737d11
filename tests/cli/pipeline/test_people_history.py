"""Who changed people and plans, as the command line shows it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run, environment, run

__all__ = ["environment", "run"]


@pytest.fixture
def office(run: Run, environment: dict[str, str], tmp_path: Path) -> Run:
    """A small firm, in which Petra looks after people, and Sara after deals."""
    environment["USER"] = environment["LOGNAME"] = "petra"
    run("init", "--sample")
    run("people", "edit", "ana@example.test", "--hours", "32")
    run("people", "off", "add", "ana@example.test", "2027-02-01", "--reason", "moving house")
    environment["USER"] = environment["LOGNAME"] = "sara"
    run("deals", "staff", "D-106", "ana@example.test", "--role", "Back", "--hours", "8")
    return run


def recorded(run: Run, *arguments: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run(*arguments, "--json").stdout)
    return found


def test_the_history_of_a_person_names_who_did_what(office: Run) -> None:
    found = recorded(office, "people", "history", "ana@example.test", "--limit", "3")
    assert [(each["by"], each["action"], each["kind"], each["deal"]) for each in found] == [
        ("sara", "add", "allocation", "D-106"),
        ("petra", "add", "time off", ""),
        ("petra", "edit", "person", ""),
    ]
    assert found[2]["before"]["hours_per_week"] != found[2]["after"]["hours_per_week"] == "32"
    assert datetime.fromisoformat(found[0]["at"]).tzinfo == UTC
    shown = office("people", "history", "ana@example.test").stdout
    assert "moving house" in shown
    assert "allocation ana@example.test Back on D-106" in shown


def test_people_are_found_by_a_part_of_their_name_and_rates_by_their_role(office: Run) -> None:
    office("people", "rate", "set", "UX", "--cost", "61", "--currency", "EUR")
    by_name = recorded(office, "people", "history", "ana")
    assert {each["person"] for each in by_name} == {"ana@example.test"}
    newest = recorded(office, "people", "history", "ux")[0]
    assert (newest["kind"], newest["before"], newest["after"]) == (
        "rate",
        {"cost": "60"},
        {"cost": "61"},
    )


def test_of_a_deal_it_says_who_was_put_on_it_and_taken_off(office: Run) -> None:
    office("deals", "staff", "D-106", "ana@example.test", "--remove")
    found = recorded(office, "people", "history", "--deal", "D-106")
    assert [each["action"] for each in found] == ["remove", "add"]
    assert [
        (each["action"], each["kind"], each["by"])
        for each in recorded(office, "history", "D-106")
        if each["where"] == "plan"
    ] == [("remove", "allocation", "sara"), ("add", "allocation", "sara")]


def test_who_was_never_changed_and_is_unknown_is_named(office: Run) -> None:
    result = office("people", "history", "anna@example.test")
    assert result.exit_code == 2
    assert "ana@example.test" in result.stderr


def test_scenarios_have_a_history_too(office: Run) -> None:
    office("scenario", "add", "both", "--win", "D-105")
    office("scenario", "add", "both", "--win", "D-105", "--win", "D-106", "--replace")
    office("scenario", "add", "both", "--win", "D-105", "--win", "D-106", "--replace")
    office("scenario", "delete", "both")
    found = recorded(office, "scenario", "history", "both")
    assert [(each["by"], each["action"]) for each in found] == [
        ("sara", "remove"),
        ("sara", "edit"),
        ("sara", "add"),
    ]
    assert (found[1]["before"], found[1]["after"]) == ({"win": "D-105"}, {"win": "D-105, D-106"})
    assert recorded(office, "people", "history", "--limit", "1")[0]["kind"] == "allocation"


def test_a_copied_store_has_it_as_well(office: Run, tmp_path: Path) -> None:
    before = recorded(office, "people", "history")
    office("store", "copy", "--to", f"sqlite:///{tmp_path}/other.db", "--only", "store")
    config = tmp_path / "config.toml"
    config.write_text(config.read_text().replace("pipeline.db", "other.db"))
    assert recorded(office, "people", "history") == before
