"""``capacity`` and ``scenario`` as people use them, and time off as calendar files."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from taiga_pipeline.app.planning import inputs as capacity_input
from taiga_pipeline.cli.planning import capacity_text
from taiga_pipeline.installing import how_to_get
from tests.cli.conftest import Run
from tests.prepared import prepare_folder

QUICK = ("--trials", "500", "--chances", "stated")
MAYA_IS_ILL = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\n{}END:VEVENT\r\nEND:VCALENDAR\r\n"
)


@pytest.fixture
def pipeline(run: Run, tmp_path: Path) -> Run:
    def make() -> None:
        assert run("init", ".", "--sample").exit_code == 0

    prepare_folder("sample of the capacity", tmp_path, make)

    def invoke(*arguments: str, **settings: object) -> Result:
        return run(*arguments, **settings)

    return invoke


def data(result: Result) -> Any:
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_the_answer_says_as_of_when_from_how_many_trials_and_which_seed(pipeline: Run) -> None:
    result = pipeline("capacity", *QUICK, "--seed", "7")
    assert result.exit_code == 0
    assert "as of 2026-11-23" in result.stdout
    assert "500 futures (seed 7" in result.stdout
    assert "Hours short at P80" in result.stdout
    assert "Deals behind the hours short" in result.stdout


def test_deals_that_add_as_good_as_nothing_are_not_named(
    pipeline: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    roles = data(pipeline("capacity", *QUICK, "--json"))["roles"]
    added = sorted(each["added"] for role in roles for each in role["total"]["drivers"])
    monkeypatch.setattr(capacity_text, "_SHOWN", added[0] + 0.06)
    text = pipeline("capacity", *QUICK).stdout.partition("Deals behind the hours short")[2]
    assert f" {added[-1]:.1f} h " in text
    assert f" {added[0]:.1f} h " not in text


def test_a_wide_horizon_is_broken_into_lines_and_every_week_is_there(pipeline: Run) -> None:
    lines = pipeline("capacity", *QUICK, "--weeks", "60").stdout.splitlines()
    assert max(map(len, lines)) <= 120
    weeks = [word for line in lines for word in line.split() if line.lstrip().startswith("W")]
    assert len(weeks) == 60


def test_json_has_every_role_and_week(pipeline: Run) -> None:
    found = data(pipeline("capacity", *QUICK, "--weeks", "8", "--json"))
    assert (found["as_of"], found["from"], found["weeks"]) == ("2026-11-23", "2026-W48", 8)
    assert [role["role"] for role in found["roles"]] == ["Back", "Design", "Front", "Lead", "UX"]
    assert all(len(role["weeks"]) == 8 for role in found["roles"])
    assert len(found["all_roles"]["weeks"]) == 8


def test_the_same_seed_prints_the_same(pipeline: Run) -> None:
    first, second = (pipeline("capacity", *QUICK, "--json").stdout for _ in range(2))
    assert first == second


def test_one_role_is_shown_week_by_week(pipeline: Run) -> None:
    result = pipeline("capacity", *QUICK, "--role", "back", "--from", "2027-W01", "--weeks", "3")
    assert "Because of" in result.stdout
    assert "2027-W03" in result.stdout
    assert "Design" not in result.stdout


def test_a_cell_is_explained(pipeline: Run) -> None:
    result = pipeline("capacity", *QUICK, "--explain", "Back", "2027-01-18")
    assert result.stdout.startswith("Back in 2027-W03 (from 2027-01-18)")
    assert "Chance to be short" in result.stdout
    found = data(pipeline("capacity", *QUICK, "--explain", "Back", "2027-W03", "--json"))
    assert found["monday"] == "2027-01-18"


def test_csv_has_one_row_for_each_role_and_week(pipeline: Run, tmp_path: Path) -> None:
    assert pipeline("capacity", *QUICK, "--weeks", "3", "--csv", "out.csv").exit_code == 0
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 5 * 3
    assert rows[0]["week"] == "2026-W48"
    assert float(rows[0]["capacity"]) == 112


def test_free_hours_stand_beside_the_gaps(pipeline: Run, tmp_path: Path) -> None:
    shown = pipeline("capacity", *QUICK, "--role", "Back").stdout
    assert "Expected free" in shown and "with tentative" in shown
    found = data(pipeline("capacity", *QUICK, "--json"))
    cell = found["roles"][0]["weeks"][0]
    assert cell["free_p20"] <= cell["free_p50"] <= cell["free_p80"] <= cell["capacity"]
    assert cell["utilisation"] == round(cell["confirmed"] / cell["capacity"], 4)
    assert pipeline("capacity", *QUICK, "--csv", "out.csv").exit_code == 0
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as stream:
        first = next(csv.DictReader(stream))
    assert float(first["free_p50"]) == cell["free_p50"]


def test_people_are_shown_with_what_is_free_of_each(pipeline: Run, tmp_path: Path) -> None:
    found = data(pipeline("capacity", *QUICK, "--people", "--json"))
    (emil,) = (each for each in found["people"] if each["email"].startswith("emil"))
    reserved = [each for each in emil["weeks"] if "D-105" in each["tentative_deals"]]
    assert reserved and reserved[0]["confirmed"] < reserved[0]["expected"]
    one = pipeline("capacity", *QUICK, "--person", "EMIL@example.test")
    assert "(D-105 30 h)" in one.stdout and "Ana" not in one.stdout
    backs = data(pipeline("capacity", *QUICK, "--people", "--role", "back", "--json"))
    assert {each["role"] for each in backs["people"]} == {"Back"}
    assert pipeline("capacity", *QUICK, "--people", "--csv", "people.csv").exit_code == 0
    with (tmp_path / "people.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == len(found["people"]) * found["weeks"]
    missing = pipeline("capacity", *QUICK, "--person", "emli@example.test")
    assert missing.exit_code == 2 and "did you mean 'emil@example.test'" in missing.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--role", "Bakc"), "did you mean 'Back'"),
        (("--team", "nope"), "no person and no deal is of the team 'nope'"),
        (("--quantile", "1.5"), "the quantile 1.5 is not between 0 and 1"),
        (("--from", "W49"), "'W49' is not a week"),
        (("--explain", "Back", "2030-W01"), "2030-W01 is not among the weeks"),
        (("--scenario", "nope"), "there is no scenario 'nope'"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(
    pipeline: Run, arguments: tuple[str, ...], message: str
) -> None:
    result = pipeline("capacity", *QUICK, *arguments)
    assert result.exit_code == 2
    assert message in result.stderr


def test_a_roster_of_nobody_is_said_and_everything_is_a_gap(pipeline: Run) -> None:
    for person in data(pipeline("people", "list", "--json")):
        pipeline("people", "remove", person["email"])
    result = pipeline("capacity", *QUICK)
    assert result.exit_code == 0
    assert "the roster is empty" in result.stderr
    assert "Back" in result.stdout


def test_hostile_names_are_shown_and_not_obeyed(pipeline: Run) -> None:
    roles = "\x1b[31mRed\u202e:40h x30w"
    added = pipeline(
        "deals", "add", "D-X", "Evil", "--stage", "Proposal", "--roles", roles,
        "--start", "2026-11-30", "--expected-close", "2026-11-25",
    )  # fmt: skip
    assert added.exit_code == 0, added.stderr
    result = pipeline("capacity", *QUICK)
    assert result.exit_code == 0
    assert not {"\x1b", "\u202e"} & set(result.output)


def test_without_the_extra_the_way_to_it_is_said(
    pipeline: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("taiga_pipeline.app.extras.find_spec", lambda name: None)
    result = pipeline("capacity")
    assert result.exit_code == 2
    assert how_to_get("planning") in result.stderr


def test_stated_chances_and_holidays_that_are_not_counted_are_said(
    pipeline: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capacity_input, "find_spec", lambda name: None)
    pipeline("people", "edit", "ana@example.test", "--country", "SE")
    result = pipeline("capacity", "--trials", "500", "--chances", "stated")
    assert result.exit_code == 0
    assert "chances come from deals and stages" in result.stderr
    assert "public holidays are not counted" in result.stderr


def test_chances_are_learnt_where_that_is_possible(pipeline: Run) -> None:
    result = pipeline("capacity", "--trials", "500")
    assert result.exit_code == 0
    assert "deals and stages state" not in result.stderr


# --- scenarios


def test_scenarios_are_saved_shown_compared_and_deleted(pipeline: Run) -> None:
    lists = [("deals", "export"), ("people", "export"), ("people", "allocations", "export")]
    before = [pipeline(*each).stdout for each in lists]
    assert all(before)
    saved = pipeline(
        "scenario", "add", "spring", "--win", "D-105", "--delay", "D-106=4w",
        "--hire", "Back:40h@2027-01-04", "--leave", "ana@example.test=2027-02-01",
    )  # fmt: skip
    assert saved.exit_code == 0, saved.stderr
    assert data(pipeline("scenario", "list", "--json"))[0]["win"] == ["D-105"]
    assert "delay D-106 by 4 weeks" in pipeline("scenario", "show", "spring").stdout
    today, spring = data(pipeline("scenario", "compare", *QUICK, "--json"))
    assert (today["name"], spring["name"]) == ("today", "spring")
    assert spring["won_value"] == {"EUR": "120000.00"}
    assert spring["total"]["confirmed"] > today["total"]["confirmed"]
    result = pipeline("scenario", "compare", "spring", *QUICK)
    assert "Utilisation" in result.stdout
    supposed = data(pipeline("capacity", "--scenario", "spring", *QUICK, "--json"))
    assert supposed["all_roles"]["total"]["confirmed"] == spring["total"]["confirmed"]
    assert pipeline("scenario", "delete", "spring").exit_code == 0
    assert data(pipeline("scenario", "list", "--json")) == []
    assert [pipeline(*each).stdout for each in lists] == before


def test_a_scenario_is_not_written_over_by_accident(pipeline: Run) -> None:
    assert pipeline("scenario", "add", "a", "--win", "D-105").exit_code == 0
    again = pipeline("scenario", "add", "a", "--lose", "D-105")
    assert again.exit_code == 2
    assert "--replace" in again.stderr
    assert pipeline("scenario", "add", "a", "--lose", "D-105", "--replace").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("x",), "the scenario is empty"),
        (("today", "--win", "D-105"), "choose another name"),
        (("x", "--win", "D-1055"), "did you mean 'D-105'"),
        (("x", "--hire", "Back"), "is not a hire"),
    ],
)
def test_a_scenario_that_makes_no_sense_is_not_saved(
    pipeline: Run, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    result = pipeline("scenario", "add", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert not (tmp_path / "scenarios.toml").exists()


# --- time off as iCalendar


def test_time_off_goes_out_and_comes_in_as_a_calendar_file(pipeline: Run, tmp_path: Path) -> None:
    pipeline("people", "off", "add", "ana@example.test", "2026-12-21", "2026-12-31")
    before = data(pipeline("people", "off", "list", "--json"))
    assert pipeline("people", "off", "export", "off.ics").exit_code == 0
    pipeline("people", "off", "remove", "ana@example.test", "2026-12-21", "2026-12-31")
    assert pipeline("people", "off", "import", "off.ics").exit_code == 0
    after = data(pipeline("people", "off", "list", "--json"))
    assert [each["first"] for each in before] == [each["first"] for each in after]
    assert b"BEGIN:VCALENDAR" in (tmp_path / "off.ics").read_bytes()


def test_events_left_out_are_said_and_the_exit_code_tells(pipeline: Run, tmp_path: Path) -> None:
    content = MAYA_IS_ILL.format("DTSTART:20261221T080000Z\r\nSUMMARY:Dentist\r\n")
    (tmp_path / "c.ics").write_text(content, encoding="utf-8")
    result = pipeline("people", "off", "import", "c.ics", "--person", "ana@example.test")
    assert result.exit_code == 3
    assert "0 added" in result.stdout
    assert "has no length" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("none.ics",), 6),
        (("empty.ics",), 2),
        (("empty.ics", "--person", "nobody@example.test"), 2),
        (("off.csv", "--person", "ana@example.test"), 2),
    ],
)
def test_a_calendar_that_cannot_be_read_is_an_error(
    pipeline: Run, tmp_path: Path, arguments: tuple[str, ...], code: int
) -> None:
    (tmp_path / "empty.ics").touch()
    assert pipeline("people", "off", "import", *arguments).exit_code == code


def test_deals_that_are_not_there_yet_are_counted_apart(pipeline: Run, tmp_path: Path) -> None:
    for number in range(8):
        dates = (
            "--engaged-on",
            f"2026-{number + 3:02}-02",
            "--closed-on",
            f"2026-{number + 3:02}-20",
        )
        pipeline(
            "deals",
            "add",
            f"W-{number}",
            "Old",
            "--stage",
            "Won",
            "--roles",
            "Back:30h x6w",
            *dates,
        )
    plain = json.loads(pipeline("capacity", "--trials", "500", "--json").stdout)
    both = json.loads(pipeline("capacity", "--trials", "500", "--json", "--with-unseen").stdout)
    further = both.pop("with_unseen")
    assert both == plain
    assert further["past_wins"] >= 8
    assert further["expected_wins"] > 0
    (back,) = [role for role in further["roles"] if role["role"] == "Back"]
    assert back["total"]["expected_of_unseen"] > 0
    assert back["total"]["expected_of_unseen"] == pytest.approx(
        sum(week["expected_of_unseen"] for week in back["weeks"]), abs=2
    )
    shown = pipeline("capacity", "--trials", "500", "--with-unseen", "--csv", "out.csv").stdout
    assert "With deals that are not in the pipeline yet" in shown
    assert "gap_with_unseen" in (tmp_path / "out.csv").read_text().splitlines()[0]
    refused = pipeline("capacity", "--with-unseen", "--chances", "stated")
    assert refused.exit_code == 2
    assert "--chances learnt" in refused.stderr


def test_the_earliest_start_that_breaks_no_other_deal_is_shown(pipeline: Run) -> None:
    shown = pipeline("capacity", *QUICK, "--fits", "D-106")
    assert shown.exit_code == 0, shown.stderr
    assert "As planned" in shown.stdout and "Earliest start" in shown.stdout
    found = data(pipeline("capacity", *QUICK, "--fits", "D-106", "--json"))
    assert found["deal"] == "D-106" and {"earliest", "planned", "lacks_least"} <= found.keys()
    for key, said in (("D-10", "did you mean"), ("D-041", "is lost")):
        refused = pipeline("capacity", *QUICK, "--fits", key)
        assert refused.exit_code == 2 and said in refused.stderr


# --- deals that state no roles


def test_deals_without_roles_stand_below_the_plan_with_what_is_usual(pipeline: Run) -> None:
    pipeline(
        "deals", "add", "X-1", "x", "--stage", "Proposal", "--service", "web", "--value", "900"
    )
    pipeline("deals", "edit", "X-1", "--currency", "EUR", "--expected-close", "2026-12-20")
    shown = pipeline("capacity", *QUICK, "--weeks", "8").stdout
    assert "Deals that state no roles, and so are not counted" in shown
    assert "900 EUR" in shown
    usual = "Back:30h x8w"
    assert f"deals edit X-1 --roles 'Lead:6h x8w; {usual}" in shown
    (found,) = data(pipeline("capacity", *QUICK, "--json"))["without_roles"]
    assert (found["service"], found["open_deals"], found["value"]) == (
        "web",
        ["X-1"],
        {"EUR": "900"},
    )
    assert usual in found["usual_roles"]
    pipeline("report", "out.html")
    page = Path("out.html").read_text(encoding="utf-8")
    assert "Deals that state no roles" in page
    assert usual in page
    usual_roles = ("--roles", found["usual_roles"])
    pipeline("deals", "edit", "X-1", *usual_roles)
    assert data(pipeline("capacity", *QUICK, "--json"))["without_roles"] == []
