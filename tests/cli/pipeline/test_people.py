"""``people``: the roster, time off and allocations."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run


@pytest.fixture(autouse=True)
def pipeline(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(
        'pipeline = "test"\n[target]\nurl = "https://taiga.example.com"\nusername = "bot"\n'
        'password_env = "SECRET"\n'
    )


def test_people_are_added_edited_listed_and_removed(run: Run) -> None:
    added = run("people", "add", "Anna@Example.org", "Anna", "--skills", "python, sql")
    assert added.stdout == "added Anna <anna@example.org>\n"
    run("people", "edit", "anna@example.org", "--role", "Back", "--hours", "37,5")
    (person,) = json.loads(run("people", "list", "--json").stdout)
    assert (person["role"], person["hours_per_week"]) == ("Back", "37.5")
    assert person["skills"] == ["python", "sql"]
    assert "python, sql" in run("people", "list").stdout
    run("people", "remove", "anna@example.org")
    assert json.loads(run("people", "list", "--json").stdout) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("anna", "Anna"), "not an e-mail address"),
        (("a@x.se", "A", "--hours", "many"), "not a number"),
        (("a@x.se", "A", "--country", "Sweden"), "not a country code"),
        (("a@x.se", "A", "--starts", "soon"), "not a date"),
    ],
)
def test_what_cannot_be_is_refused(run: Run, arguments: tuple[str, ...], message: str) -> None:
    result = run("people", "add", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr


def test_time_off_is_added_listed_and_taken_back(run: Run) -> None:
    run("people", "add", "anna@example.org", "Anna")
    run("people", "off", "add", "anna@example.org", "2026-12-20", "2027-01-02", "--reason", "x")
    (days,) = json.loads(run("people", "off", "list", "--json").stdout)
    assert (days["first"], days["last"], days["reason"]) == ("2026-12-20", "2027-01-02", "x")
    run("people", "off", "remove", "anna@example.org", "2026-12-20", "2027-01-02")
    assert json.loads(run("people", "off", "list", "--json").stdout) == []


def test_time_off_the_wrong_way_round_is_refused(run: Run) -> None:
    run("people", "add", "anna@example.org", "Anna")
    result = run("people", "off", "add", "anna@example.org", "2027-01-02", "2026-12-20")
    assert result.exit_code == 2
    assert "the last day 2026-12-20 is before the first day 2027-01-02" in result.stderr


def test_a_roster_is_imported_and_exported(run: Run, tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("email,name\nAnna@example.org,Anna\nnope,X\n")
    result = run("people", "import", "people.csv")
    assert result.exit_code == 3
    assert result.stdout.startswith("1 added, 0 changed, 0 unchanged, 1 left out\n")
    assert "40 hours a week assumed for 1 person (anna@example.org)" in result.stdout
    assert "people.csv:3: left out (nope)" in result.stderr
    assert run("people", "export").stdout.splitlines()[1].startswith("anna@example.org,Anna,")


def test_allocations_of_unknown_deals_are_left_out(run: Run, tmp_path: Path) -> None:
    run("people", "add", "anna@example.org", "Anna")
    (tmp_path / "a.csv").write_text(
        "deal,email,role,hours_per_week\nD-1,anna@example.org,Back,20\n"
    )
    result = run("people", "allocations", "import", "a.csv")
    assert result.exit_code == 3
    assert "a.csv:2: left out: there is no deal 'D-1'" in result.stderr
    assert run("people", "allocations", "export").stdout.startswith("deal,email,role,")


def test_the_encoding_of_a_roster_is_said(run: Run, tmp_path: Path) -> None:
    run("init")
    text = "email,name,role,hours_per_week\nana@example.com,Åsa Öberg,Back,40\n"
    (tmp_path / "people.csv").write_bytes(text.encode("cp1252"))
    result = run("people", "import", "people.csv")
    assert "read as cp1252 (Windows-1252)" in result.output
    assert "Åsa Öberg" in run("people", "list").stdout
