"""``customers``, ``deals similar``, ``deals retrospective``, ``deals add --like``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sync.database.engine import open_engine, writing
from sync.state.schema import GROUPS
from tests.cli.conftest import Run

pytestmark = pytest.mark.sampled_tests(3)


def parsed(run: Run, *arguments: str) -> Any:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_a_customers_deals_contacts_and_delivery_stand_together(sample: Run) -> None:
    sample("deals", "move", "D-105", "Won")
    sample("deals", "add", "A-1", "More", "--customer", "Alder & Finch", "--value", "900 SEK")
    assert sample("run").exit_code == 0
    (listed,) = parsed(sample, "customers", "list", "--text", "alder")["customers"]
    assert (listed["deals"], listed["win_rate"]) == (2, 1.0)
    assert (listed["value_won"], listed["value_open"]) == ({"EUR": "120000"}, {"SEK": "900"})
    shown = parsed(sample, "customers", "show", "alder & finch")
    assert [each["key"] for each in shown["deal_list"]] == ["D-105", "A-1"]
    assert shown["contacts"][0]["parts"] == ["decision maker"]
    assert shown["deal_list"][0]["url"].startswith("http://127.0.0.1")
    assert shown["delivery"]["spent_hours"] is None
    text = sample("customers", "show", "Alder & Finch").stdout
    assert "Value won:  120,000 EUR" in text and "Hours:       unknown" in text
    assert "not begun" in text and "Ruth Alder, ruth@alder.example, decision maker (D-105)" in text


def test_an_unknown_customer_is_an_error_with_the_nearest(sample: Run) -> None:
    result = sample("customers", "show", "Alder & Fink")
    assert result.exit_code == 2 and "did you mean 'Alder & Finch'" in result.stderr


def test_names_written_two_ways_are_suggested_and_joined_by_command_only(sample: Run) -> None:
    sample("deals", "add", "A-1", "More", "--customer", "ALDER AND FINCH AB")
    sample("deals", "add", "A-2", "Next", "--customer", "Alder & Finch")
    text = sample("customers", "list", "--text", "alder").stdout
    way = "pipeline-sync customers join 'ALDER AND FINCH AB' 'Alder & Finch'"
    assert way in text
    assert len(parsed(sample, "customers", "list", "--text", "alder")["customers"]) == 2
    done = sample("customers", "join", "ALDER AND FINCH AB", "Alder & Finch")
    assert done.stdout == "1 deal of Alder & Finch now: A-1\n"
    found = parsed(sample, "customers", "list", "--text", "alder")
    assert (len(found["customers"]), found["look_alikes"]) == (1, [])
    assert "customer: ALDER AND FINCH AB → Alder & Finch" in sample("deals", "show", "A-1").stdout
    undone = sample("customers", "join", "ALDER AND FINCH AB", "Alder & Finch", "--undo")
    assert undone.stdout == "1 deal of ALDER AND FINCH AB now: A-1\n"
    assert sample("customers", "apart", "ALDER AND FINCH AB", "Alder & Finch").exit_code == 0
    assert parsed(sample, "customers", "list")["look_alikes"] == []


def test_deals_that_come_with_a_joined_name_are_suggested_again_and_it_is_said(
    sample: Run,
) -> None:
    for key in ("A-1", "A-2"):
        sample("deals", "add", key, "More", "--customer", "Alder Finch")
        if key == "A-1":
            sample("customers", "join", "Alder Finch", "Alder & Finch")
    text = sample("customers", "list").stdout
    assert "Alder Finch was joined into Alder & Finch before" in text


def test_a_deal_shows_similar_past_deals_with_what_became_of_them(sample: Run) -> None:
    shown = sample("deals", "show", "D-106").stdout
    assert "Similar past deals" in shown and "days in stages: Lead " in shown
    assert shown.count("like this one:") == 3
    assert "pipeline-sync deals similar D-106" in shown
    in_json = parsed(sample, "deals", "show", "D-106")
    every = parsed(sample, "deals", "similar", "D-106", "--limit", "9")["similar"]
    assert len(every) == 9 and every[:3] == in_json["similar"]
    assert all(each["outcome"] in ("won", "lost") for each in every)
    assert in_json["retrospective"]["is_due"] is False
    lost = next(each for each in every if each["outcome"] == "lost")
    assert lost["slip_days"] is None
    assert (
        f"because: {lost['lost_reason']}"
        in sample("deals", "similar", "D-106", "--limit", "9").stdout
    )


def test_a_new_deal_begins_from_another_one(sample: Run) -> None:
    model = parsed(sample, "deals", "show", "D-105")
    taken = parsed(sample, "deals", "add", "A-1", "Again", "--like", "D-105")
    same = ("service", "team", "roles", "value", "currency")
    assert {name: taken[name] for name in same} == {name: model[name] for name in same}
    assert (taken["customer"], taken["notes"], taken["done"]) == ("", [], [])
    assert (taken["start"], taken["expected_close"], taken["owner"]) == (None, None, "")
    options = ("--value", "900 SEK", "--service", "app", "--roles", "")
    other = parsed(sample, "deals", "add", "A-2", "Other", "--like", "D-105", *options)
    assert (other["value"], other["currency"], other["service"]) == ("900", "SEK", "app")
    assert other["roles"] == []
    dollars = parsed(sample, "deals", "add", "A-3", "X", "--like", "D-105", "--currency", "USD")
    assert (dollars["value"], dollars["currency"]) == (None, "USD")
    unknown = sample("deals", "add", "A-4", "X", "--like", "D-1055")
    assert unknown.exit_code == 2 and "did you mean 'D-105'" in unknown.stderr


def test_a_retrospective_is_answered_and_found_again_wherever_it_helps(sample: Run) -> None:
    sample("deals", "move", "D-105", "Won")
    waiting = sample("deals", "retrospective", "D-105", "--ended")
    assert "the project has ended" in waiting.stdout
    assert (
        "D-105  Web shop: 3 questions without an answer" in sample("deals", "retrospective").stdout
    )
    lesson = "The [red]import[/]\nof data"
    answered = sample("deals", "retrospective", "D-105", "--answer", "2", lesson)
    assert "The [red]import[/] of data" in answered.stdout
    for arguments in (
        ("customers", "show", "Alder & Finch"),
        ("deals", "similar", "D-106"),
        ("deals", "show", "D-105"),
        ("metrics",),
    ):
        shown = sample(*arguments).stdout
        assert "What did we underestimate?" in shown and "The [red]import[/] of data" in shown
    (found,) = parsed(sample, "metrics")["retrospectives"]
    assert [each["text"] for each in found["answers"]] == [lesson]
    (origin,) = {
        each["origin"] for each in parsed(sample, "deals", "notes", "D-105", "--limit", "1")
    }
    assert origin == "retrospective:2"
    again = sample("deals", "retrospective", "D-105", "--answer", "2", "The hosting")
    assert "The hosting" in again.stdout and "import" not in again.stdout
    back = sample("deals", "retrospective", "D-105", "--answer", "2", "")
    assert "The hosting" not in back.stdout and back.stdout.count("no answer") == 3


def test_what_is_no_retrospective_is_refused(sample: Run) -> None:
    still_open = sample("deals", "retrospective", "D-106", "--answer", "1", "x")
    assert still_open.exit_code == 2 and "D-106 is not won" in still_open.stderr
    sample("deals", "move", "D-105", "Won")
    beyond = sample("deals", "retrospective", "D-105", "--answer", "4", "x")
    assert beyond.exit_code == 2 and "there are 3" in beyond.stderr
    assert sample("deals", "retrospective", "--ended").exit_code == 2
    assert sample("deals", "retrospective", "D-9").exit_code == 2
    assert sample("deals", "similar", "D-9").exit_code == 2


def test_the_questions_are_the_companys_own(sample: Run, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    text = config.read_text()
    config.write_text(f'{text}\n[deals]\nretrospective = ["Vad lärde vi oss?"]\n')
    sample("deals", "move", "D-105", "Won")
    sample("deals", "retrospective", "D-105", "--answer", "1", "Mycket")
    assert "  1. Vad lärde vi oss?\n     Mycket" in sample("deals", "retrospective", "D-105").stdout
    config.write_text(f'{text}\n[deals]\nretrospective = ["A?", "a?"]\n')
    wrong = sample("deals", "retrospective", "D-105")
    assert wrong.exit_code == 2 and "two questions are the same" in wrong.stderr


def test_delivery_that_reports_the_end_asks_for_a_retrospective(
    sample: Run, tmp_path: Path
) -> None:
    sample("deals", "move", "D-105", "Won")
    assert sample("run").exit_code == 0
    facts = '{"progress": 1, "milestones": [], "spent_hours": 99}'
    engine = open_engine(f"sqlite:///{tmp_path / 'state.db'}")
    with writing(engine) as connection:
        connection.execute(GROUPS.update().where(GROUPS.c.grp == "D-105").values(facts_json=facts))
    engine.dispose()
    assert "waiting for answers: D-105" in sample("metrics").stdout
    assert (
        "pipeline-sync deals retrospective D-105 --answer"
        in sample("deals", "show", "D-105").stdout
    )
    delivery = parsed(sample, "customers", "show", "Alder & Finch")["delivery"]
    assert (delivery["spent_hours"], delivery["ended"]) == (99, 1)


@pytest.fixture
def in_csv(sample: Run, tmp_path: Path) -> Run:
    """The sample with its deals in a CSV file."""
    sample("deals", "export", "deals.csv")
    config = tmp_path / "config.toml"
    lines = config.read_text().splitlines()
    kept = [
        each for each in lines if not each.startswith(('kind = "store"', 'url = "sqlite:///pipe'))
    ]
    text = "\n".join(kept)
    config.write_text(text.replace("[source]", '[source]\nkind = "csv"\nfile = "deals.csv"'))
    return sample


def test_with_another_source_customers_and_similar_deals_are_shown_as_far_as_they_go(
    in_csv: Run,
) -> None:
    found = parsed(in_csv, "customers", "list")
    assert len(found["customers"]) > 30
    similar = in_csv("deals", "similar", "D-106")
    assert similar.exit_code == 0 and "days in stages: unknown" in similar.stdout
    assert "keeps no record of how they moved" in similar.stderr
    assert in_csv("customers", "show", "Alder & Finch").exit_code == 0
    refused = in_csv("customers", "join", "Alder & Finch", "Solvang Energy")
    assert refused.exit_code == 2 and "not from the built-in store" in refused.stderr
