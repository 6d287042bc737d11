"""Rosters of HR programs, imported from the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

from tests.cli.conftest import Run, environment, run

__all__ = ["environment", "run"]

CASES: Final = sorted((Path(__file__).parents[1] / "cases").glob("roster-*"))


@pytest.fixture(autouse=True)
def pipeline(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(
        'pipeline = "test"\ntime_zone = "Europe/Berlin"\n[target]\n'
        'url = "https://taiga.example.com"\nusername = "bot"\npassword_env = "SECRET"\n'
    )


def roster(run: Run) -> list[str]:
    return run("people", "export").stdout.splitlines()[1:]


def hours(run: Run) -> dict[str, str]:
    people = json.loads(run("people", "list", "--json").stdout)
    return {each["email"].partition("@")[0]: each["hours_per_week"] for each in people}


@pytest.mark.sampled(2)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_roster_is_read_rightly_or_refused_with_the_reason(run: Run, case: Path) -> None:
    wanted: dict[str, Any] = json.loads((case / "expected.json").read_text(encoding="utf-8"))
    result = run("people", "import", str(case / "people.csv"), "--json")
    report = json.loads(result.stdout)
    assert roster(run) == wanted["people"]
    assert [f"{row['line']}: {row['reason']}" for row in report["bad_rows"]] == wanted["left_out"]
    assert report["notices"] == wanted["notices"]
    assert report["unused_headers"] == wanted["unused_headers"]
    assert result.exit_code == wanted["exit_code"]


@pytest.mark.sampled(3)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_an_export_of_it_and_a_second_import_change_nothing(
    run: Run, tmp_path: Path, case: Path
) -> None:
    run("people", "import", str(case / "people.csv"))
    before = roster(run)
    assert (
        json.loads(run("people", "import", str(case / "people.csv"), "--json").stdout)["changed"]
        == 0
    )
    run("people", "export", "mine.csv")
    report = json.loads(run("people", "import", "mine.csv", "--json").stdout)
    assert (report["added"], report["changed"], report["bad_rows"]) == (0, 0, [])
    assert roster(run) == before


def save(folder: Path, *rows: str, name: str = "people.csv") -> None:
    (folder / name).write_text("\n".join(rows) + "\n", encoding="utf-8")


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("38,5", "38.5"),
        ("38.5h", "38.5"),
        ("37:30", "37.5"),
        ("37:20", "37.33"),
        ("32 Std.", "32"),
        ("80%", "32"),
        ("80 %", "32"),
        ("FTE 0.8", "32"),
        ("0,8 FTE", "32"),
        ("VZÄ 0,8", "32"),
        ("7.5 per day", "37.5"),
        ("7,5 h/Tag", "37.5"),
        ("7,4 timmar per dag", "37"),
        ("151,67 h/mois", "35"),
        ("Full-time", "40"),
        ("Heltid", "40"),
        ("0.8 h", "0.8"),
    ],
)
def test_hours_are_read_as_people_write_them(
    run: Run, tmp_path: Path, cell: str, found: str
) -> None:
    save(tmp_path, "email;hours per week", f"ana@example.com;{cell}", "bo@example.com;36")
    assert run("people", "import", "people.csv").exit_code == 0
    assert hours(run) == {"ana": found, "bo": "36"}


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("Mon-Wed", "says on which days, not how many hours"),
        ("Mo, Di", "says on which days"),
        ("Teilzeit", "does not say how many hours"),
        ("0.8", "may be 0.8 of full time or 0.8 hours"),
        ("1", "may be 1 of full time or 1 hours"),
        ("200%", "of full time; from 0 to 150"),
        ("400", "more hours than a week has"),
        ("-8", "or less than 0"),
        ("lots", "not a number of hours"),
        ("1e999999999", "not a number of hours"),
        ("9" * 5000, "not a number of hours"),
        ("NaN %", "not a number of hours"),
    ],
)
def test_hours_that_say_too_little_are_left_out_with_the_reason(
    run: Run, tmp_path: Path, cell: str, reason: str
) -> None:
    save(tmp_path, "email;hours per week", f'ana@example.com;"{cell}"', "bo@example.com;36")
    result = run("people", "import", "people.csv")
    assert result.exit_code == 3
    assert reason in result.stderr
    assert hours(run) == {"bo": "36"}


def test_a_column_up_to_one_and_a_half_holds_shares_of_full_time(run: Run, tmp_path: Path) -> None:
    save(tmp_path, "email,Hours", "ana@example.com,0.8", "bo@example.com,1")
    result = run("people", "import", "people.csv", "--full-time", "37,5")
    assert hours(run) == {"ana": "30", "bo": "37.5"}
    assert "'Hours' holds shares of full time: none of its 2 numbers is above 1.5" in result.stdout
    assert "full time is 37.5 hours a week" in result.stdout


@pytest.mark.parametrize(
    ("header", "cells", "found"),
    [
        ("FTE", ("0.8", "1"), ("32", "40")),
        ("FTE", ("80", "100"), ("32", "40")),
        ("Beschäftigungsgrad", ("50", "20"), ("20", "8")),
        ("Sysselsättningsgrad", ("75,0", "40"), ("30", "16")),
        ("Pensum", ("80%", "60%"), ("32", "24")),
        ("Taux d'activité", ("80", "100"), ("32", "40")),
        ("Arbeitszeit %", ("80", "100"), ("32", "40")),
    ],
)
def test_shares_of_full_time_are_known_by_their_column(
    run: Run, tmp_path: Path, header: str, cells: tuple[str, str], found: tuple[str, str]
) -> None:
    save(tmp_path, f"email;{header}", f"ana@example.com;{cells[0]}", f"bo@example.com;{cells[1]}")
    assert run("people", "import", "people.csv").exit_code == 0
    assert tuple(hours(run).values()) == found


def test_a_column_that_may_hold_hours_or_per_cent_is_refused_with_the_way_out(
    run: Run, tmp_path: Path
) -> None:
    save(tmp_path, "email,FTE", "ana@example.com,32", "bo@example.com,40")
    result = run("people", "import", "people.csv")
    assert result.exit_code == 3
    assert "--column hours_per_week=FTE" in result.stderr
    assert run("people", "import", "people.csv", "--column", "hours_per_week=FTE").exit_code == 0
    assert hours(run) == {"ana": "32", "bo": "40"}


def test_hours_and_a_share_that_contradict_each_other_are_refused(run: Run, tmp_path: Path) -> None:
    rows = ("ana@example.com,20,0.8", "bo@example.com,40,1", "cy@example.com,20,0.5")
    save(tmp_path, "email,weekly hours,fte", *rows)
    result = run("people", "import", "people.csv")
    assert "people.csv:2: left out (ana@example.com): '20' in 'weekly hours'" in result.stderr
    assert hours(run) == {"bo": "40", "cy": "20"}
    assert run("people", "import", "people.csv", "--column", "fte=").exit_code == 0
    assert hours(run)["ana"] == "20"


def test_assumed_hours_are_said_and_the_column_that_was_not_understood_is_named(
    run: Run, tmp_path: Path
) -> None:
    save(tmp_path, "email,Arbeitszeitmodell", "ana@example.com,36", "bo@example.com,")
    result = run("people", "import", "people.csv")
    assert "40 hours a week assumed for 2 people (ana@example.com, bo@example.com)" in result.stdout
    assert "--column hours_per_week=Arbeitszeitmodell" in result.stdout
    column = ("--column", "hours_per_week=Arbeitszeitmodell")
    again = run("people", "import", "people.csv", *column)
    assert again.exit_code == 0
    assert hours(run) == {"ana": "36", "bo": "40"}
    assert "assumed" not in again.stdout  # Bo has hours by now


def test_fewer_than_four_hours_are_noticed(run: Run, tmp_path: Path) -> None:
    save(tmp_path, "email,hours per week", "ana@example.com,3", "bo@example.com,36")
    result = run("people", "import", "people.csv")
    assert "note: fewer than 4 hours a week: ana@example.com (3 h)" in result.stdout


@pytest.mark.parametrize(
    "cell",
    [
        "Hal Example <hal@example.com>",
        "hal@example.com;",
        "HAL@Example.COM",
        "mailto:hal@example.com",
    ],
)
def test_addresses_are_read_as_mail_programs_write_them(
    run: Run, tmp_path: Path, cell: str
) -> None:
    save(tmp_path, "email,hours per week", f'"{cell}",40')
    assert run("people", "import", "people.csv").exit_code == 0
    assert list(hours(run)) == ["hal"]


@pytest.mark.parametrize(
    ("headers", "row"),
    [
        ("email;Name", "ana@example.com;Example, Ana"),
        ("email;Name;Vorname", "ana@example.com;Example;Ana"),
        ("email;Name;First name", "ana@example.com;Ana Example;Ana"),
        ("email;First name;Last name", "ana@example.com;Ana;Example"),
        ("email;Nombre;Apellidos", "ana@example.com;Ana;Example"),
        ("email;Nom;Prénom", "ana@example.com;Example;Ana"),
        ("email;role", "Ana Example <ana@example.com>;Back"),
    ],
)
def test_names_stand_in_one_column_or_two(run: Run, tmp_path: Path, headers: str, row: str) -> None:
    save(tmp_path, headers, row)
    assert run("people", "import", "people.csv").exit_code == 0
    (person,) = json.loads(run("people", "list", "--json").stdout)
    assert person["name"] == "Ana Example"


def test_an_unknown_country_costs_nobody_their_place(run: Run, tmp_path: Path) -> None:
    save(tmp_path, "email,country", "ana@example.com,Freedonia", "bo@example.com,Sverige")
    result = run("people", "import", "people.csv")
    assert result.exit_code == 0
    assert "country 'Freedonia' (1 row) is unknown" in result.stdout
    people = json.loads(run("people", "list", "--json").stdout)
    assert [each["country"] for each in people] == ["", "SE"]


def test_dates_that_can_be_read_in_two_ways_are_refused_until_somebody_says(
    run: Run, tmp_path: Path
) -> None:
    save(tmp_path, "email,hire date", "ana@example.com,01/02/2024", "bo@example.com,03/04/2024")
    result = run("people", "import", "people.csv")
    assert result.exit_code == 3
    assert "--date-format %d/%m/%Y" in result.stderr
    assert run("people", "import", "people.csv", "--date-format", "%m/%d/%Y").exit_code == 0
    people = json.loads(run("people", "list", "--json").stdout)
    assert [each["starts"] for each in people] == ["2024-01-02", "2024-03-04"]


@pytest.mark.parametrize(
    "options",
    [
        ("--column", "email"),
        ("--column", "nonsense=email"),
        ("--column", "nonsense="),
        ("--column", "role=Nowhere"),
        ("--full-time", "lots"),
        ("--full-time", "2"),
        ("--full-time", "9" * 300),
        ("--delimiter", "ab"),
        ("--encoding", "martian"),
    ],
)
def test_wrong_options_are_usage_errors(run: Run, tmp_path: Path, options: tuple[str, ...]) -> None:
    save(tmp_path, "email,role", "ana@example.com,Back")
    result = run("people", "import", "people.csv", *options)
    assert result.exit_code == 2, result.output


def test_a_dry_run_stores_nothing(run: Run, tmp_path: Path) -> None:
    run("people", "add", "bo@example.com", "Bo")
    save(tmp_path, "email,role", "ana@example.com,Back")
    result = run("people", "import", "people.csv", "--dry-run")
    assert result.stdout.startswith("1 would be added")
    assert list(hours(run)) == ["bo"]


def test_an_export_of_ours_is_read_back_as_it_is(run: Run) -> None:
    run("people", "add", "ana@example.com", "Ek, Ana", "--role", "null", "--hours", "0.8")
    before = roster(run)
    run("people", "export", "mine.csv")
    report = json.loads(run("people", "import", "mine.csv", "--json").stdout)
    assert (report["unchanged"], report["bad_rows"]) == (1, [])
    run("people", "remove", "ana@example.com")
    run("people", "import", "mine.csv")
    assert roster(run) == before
