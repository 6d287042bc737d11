"""``deals``: every command tells what it did, and what to do when it could not."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
import pytest

from taiga_pipeline.cli.context import CommandContext
from taiga_pipeline.cli.pipeline.deals import edit_deal
from tests.cli.conftest import Run


@pytest.fixture(autouse=True)
def pipeline(run: Run, tmp_path: Path) -> None:
    """A pipeline whose proposals have a gate."""
    (tmp_path / "config.toml").write_text(
        'pipeline = "test"\n[source]\nurl = "sqlite:///pipeline.db"\n'
        '[target]\nurl = "https://taiga.example.com"\nusername = "bot"\npassword_env = "SECRET"\n'
    )
    (tmp_path / "mappings").mkdir()
    (tmp_path / "mappings" / "sales.toml").write_text(
        '[mapping]\nname = "sales"\n'
        '[[stage]]\nname = "Lead"\ncategory = "lead"\nproject = "none"\n'
        '[[stage]]\nname = "Proposal"\naliases = ["Förslag"]\ncategory = "proposal"\n'
        'project = "tentative"\nrequires = ["price agreed", "needs documented"]\n'
        '[[stage]]\nname = "Won"\ncategory = "won"\nproject = "staffed"\n'
        '[[stage]]\nname = "Lost"\ncategory = "lost"\nproject = "retired"\n'
    )


def shown(run: Run, key: str) -> dict[str, Any]:
    result = run("deals", "show", key, "--json")
    assert result.exit_code == 0, result.stderr
    data: dict[str, Any] = json.loads(result.stdout)
    return data


def test_a_deal_is_added_in_the_first_stage_and_shown(run: Run) -> None:
    result = run(
        "deals", "add", "D-1", "Portal", "--value", "1 200,50 EUR", "--probability", "40%",
        "--roles", "Back:30h x10w", "--contact", "Anna|a@example.org||decision maker",
    )  # fmt: skip
    assert (result.exit_code, result.stdout) == (0, "added D-1 in Lead\n")

    deal = shown(run, "D-1")
    assert (deal["stage"], deal["value"], deal["currency"]) == ("Lead", "1200.50", "EUR")
    assert deal["probability"] == "0.4"
    assert deal["contacts"][0]["part"] == "decision maker"
    assert [move["to_stage"] for move in deal["history"]] == ["Lead"]
    text = run("deals", "show", "D-1").stdout
    assert "1,200.50 EUR" in text and "40 %" in text and "Back:30h x10w" in text


def test_a_value_in_another_currency_than_the_one_given_is_refused(run: Run) -> None:
    result = run("deals", "add", "D-1", "x", "--value", "€5", "--currency", "USD")
    assert result.exit_code == 2
    assert "--value and --currency: two currencies: EUR and USD" in result.stderr
    run("deals", "add", "D-1", "x", "--value", "$5", "--currency", "USD")
    result = run("deals", "edit", "D-1", "--value", "$7", "--currency", "SEK")
    assert result.exit_code == 2
    assert (shown(run, "D-1")["value"], shown(run, "D-1")["currency"]) == ("5", "USD")


def test_all_wrong_options_are_reported_at_once(run: Run) -> None:
    result = run("deals", "add", "D-1", "x", "--value", "much", "--start", "1/2/26")
    assert result.exit_code == 2
    assert "--value: 'much' is not an amount" in result.stderr
    assert "--start: '1/2/26' can be read in several ways; write YYYY-MM-DD" in result.stderr


def test_a_key_that_is_taken_is_a_usage_error(run: Run) -> None:
    run("deals", "add", "D-1", "x")
    result = run("deals", "add", "D-1", "y")
    assert result.exit_code == 2
    assert "deal D-1 exists already" in result.stderr


def test_an_unknown_stage_is_answered_with_the_nearest(run: Run) -> None:
    result = run("deals", "add", "D-1", "x", "--stage", "Propsal")
    assert result.exit_code == 2
    assert "did you mean 'Proposal'" in result.stderr


def test_a_gate_is_passed_by_checking_off_its_actions(run: Run) -> None:
    run("deals", "add", "D-1", "x", "--stage", "förslag")
    refused = run("deals", "move", "D-1", "Won")
    assert refused.exit_code == 2
    assert "'price agreed', 'needs documented'" in refused.stderr
    assert shown(run, "D-1")["stage"] == "Proposal"

    listed = run("deals", "done", "D-1", "Price Agreed", "needs documented")
    assert "[x] price agreed" in listed.stdout
    assert run("deals", "move", "D-1", "Won").stdout == "D-1: Proposal → Won\n"
    assert shown(run, "D-1")["closed_on"] == "2026-11-23"


def test_a_forced_move_says_and_records_what_was_skipped(
    run: Run, environment: dict[str, str]
) -> None:
    environment["USER"] = "maya"
    run("deals", "add", "D-1", "x", "--stage", "Proposal")
    run("deals", "done", "D-1", "price agreed")
    result = run("deals", "move", "D-1", "Won", "--force")
    assert "skipped: needs documented" in result.stdout

    deal = shown(run, "D-1")
    assert deal["history"][-1]["forced"] == ["needs documented"]
    assert deal["history"][-1]["by"] == "maya"
    assert "skipping: needs documented" in run("deals", "show", "D-1").stdout


def test_a_deal_is_lost_or_moved_back_whatever_is_open(run: Run) -> None:
    run("deals", "add", "D-1", "x", "--stage", "Proposal")
    run("deals", "add", "D-2", "x", "--stage", "Proposal")
    assert run("deals", "move", "D-1", "Lead").exit_code == 0
    assert run("deals", "move", "D-2", "Lost", "--reason", "price").exit_code == 0
    assert shown(run, "D-2")["lost_reason"] == "price"


def test_a_jump_asks_for_the_actions_of_every_stage_that_it_passes(run: Run) -> None:
    run("deals", "add", "D-1", "x")
    refused = run("deals", "move", "D-1", "Won")
    assert refused.exit_code == 2
    assert "may not leave 'Lead' yet" in refused.stderr
    assert "'price agreed', 'needs documented'" in refused.stderr
    run("deals", "done", "D-1", "price agreed", "needs documented")
    assert run("deals", "move", "D-1", "Won").exit_code == 0


def test_a_lost_deal_does_not_come_back_past_a_gate(run: Run) -> None:
    run("deals", "add", "D-1", "x", "--stage", "Proposal")
    run("deals", "move", "D-1", "Lost")
    assert run("deals", "move", "D-1", "Won").exit_code == 2
    assert run("deals", "move", "D-1", "Proposal").exit_code == 0


def test_a_deal_that_is_added_late_says_what_counts_as_done(run: Run) -> None:
    result = run("deals", "add", "D-1", "x", "--stage", "Won")
    assert "added D-1 in Won; these actions count as done: price agreed, needs" in result.stdout
    assert shown(run, "D-1")["done"] == ["needs documented", "price agreed"]


def test_an_import_passes_no_gate_that_is_closed(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "deals.csv"
    file.write_text("key,name,stage\nD-1,x,Proposal\nD-2,y,Won\n")
    first = run("deals", "import", str(file))
    assert first.exit_code == 0
    assert "1 new deal (D-2) came in at a later stage; these actions" in first.stdout
    assert "count as done: price agreed, needs documented" in first.stdout

    file.write_text("key,name,stage\nD-1,x,Won\nD-2,y,Lost\n")
    second = run("deals", "import", str(file))
    assert second.exit_code == 3
    assert "deal D-1 may not leave 'Proposal' yet" in second.output
    assert [shown(run, key)["stage"] for key in ("D-1", "D-2")] == ["Proposal", "Lost"]

    assert run("deals", "import", str(file), "--force").exit_code == 0
    assert shown(run, "D-1")["history"][-1]["forced"] == ["price agreed", "needs documented"]


def test_an_import_that_brings_the_actions_along_moves_the_deal(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "deals.csv"
    run("deals", "add", "D-1", "x", "--stage", "Proposal")
    file.write_text("key,name,stage,done\nD-1,x,Won,price agreed; needs documented\n")
    result = run("deals", "import", str(file))
    assert result.exit_code == 0, result.output
    assert shown(run, "D-1")["stage"] == "Won"


def test_what_is_decided_is_certain_whatever_chance_it_states(run: Run) -> None:
    run("deals", "add", "D-1", "won one", "--stage", "Won", "--probability", "60%")
    run("deals", "add", "D-2", "lost one", "--stage", "Lost", "--probability", "60%")
    run("deals", "add", "D-3", "open one", "--probability", "60%")
    listed = run("deals", "list").stdout
    assert [("100 %" in r, "0 %" in r, "60 %" in r) for r in listed.splitlines()[-3:]] == [
        (True, True, False),
        (False, True, False),
        (False, True, True),
    ]
    assert "100 %" in run("deals", "show", "D-1").stdout
    chances = [deal["chance"] for deal in json.loads(run("deals", "list", "--json").stdout)]
    assert chances == ["1", "0", "0.6"]


def test_an_action_that_no_stage_requires_is_answered_with_the_nearest(run: Run) -> None:
    run("deals", "add", "D-1", "x", "--stage", "Proposal")
    result = run("deals", "done", "D-1", "price agred")
    assert result.exit_code == 2
    assert "did you mean 'price agreed'" in result.stderr


def test_a_done_action_is_taken_back(run: Run) -> None:
    run("deals", "add", "D-1", "x", "--stage", "Proposal")
    run("deals", "done", "D-1", "price agreed")
    data = json.loads(run("deals", "done", "D-1", "price agreed", "--undo", "--json").stdout)
    assert data["open"] == ["price agreed", "needs documented"]


def test_an_edit_tells_what_changed_and_can_empty_a_field(run: Run) -> None:
    run("deals", "add", "D-1", "x", "--start", "2027-01-01", "--owner", "Tom")
    result = run("deals", "edit", "D-1", "--start", "", "--owner", "Tom")
    assert result.stdout == "D-1: start changed\n"
    assert shown(run, "D-1")["start"] is None
    assert run("deals", "edit", "D-1").exit_code == 2


def test_deals_are_listed_and_filtered(run: Run) -> None:
    run("deals", "add", "A", "one", "--owner", "Tom")
    run("deals", "add", "B", "two", "--stage", "Won")
    assert [deal["key"] for deal in json.loads(run("deals", "list", "--json").stdout)] == ["A", "B"]
    table = run("deals", "list", "--stage", "won").stdout.splitlines()
    assert [line.split()[0] for line in table] == ["Key", "B"]
    assert run("deals", "list", "--owner", "nobody").stdout == ""


def test_hostile_text_does_not_reach_the_terminal(run: Run) -> None:
    run("deals", "add", "D-1", "x\x1b[2J\x07\u202egnp", "--notes", "a\x1b]0;t\x07\nb")
    for command in (("deals", "list"), ("deals", "show", "D-1")):
        output = run(*command).stdout
        assert not any(character in output for character in "\x1b\x07\u202e")
        assert "\\x1b[2J" in output


def test_a_person_is_put_on_a_deal_and_taken_off(run: Run) -> None:
    run("deals", "add", "D-1", "x")
    run("people", "add", "Anna@example.org", "Anna")
    put = run("deals", "staff", "D-1", "anna@example.org", "--role", "Back", "--hours", "20")
    assert put.stdout == "anna@example.org put on D-1 as Back, 20 h per week, tentative\n"
    assert shown(run, "D-1")["allocations"][0]["role"] == "Back"
    assert "anna@example.org" in run("deals", "staff", "D-1").stdout

    off = run("deals", "staff", "D-1", "anna@example.org", "--remove")
    assert "took off" not in off.stderr
    assert shown(run, "D-1")["allocations"] == []


def test_staffing_says_what_is_missing_and_who_may_be_meant(run: Run) -> None:
    run("deals", "add", "D-1", "x")
    run("people", "add", "anna@example.org", "Anna")
    missing = run("deals", "staff", "D-1", "anna@example.org")
    assert missing.exit_code == 2
    assert "--role and --hours missing" in missing.stderr
    wrong = run("deals", "staff", "D-1", "ana@example.org", "--role", "Back", "--hours", "2")
    assert wrong.exit_code == 2
    assert "did you mean 'anna@example.org'" in wrong.stderr


def test_a_file_is_imported_and_reported(run: Run, tmp_path: Path) -> None:
    (tmp_path / "crm.csv").write_text(
        "Id;Account;Product;Deal stage;Close date;Amount\n"
        "1;Nordvik;GTX Pro;Proposal;12/31/2026;1200\n"
        "2;;GTXPro;Propsal;12/31/2026;x\n"
        "3;Åkers;gtx pro;Propsal;;5\n"
    )
    result = run(
        "deals", "import", "crm.csv", "--name", "{customer}: {service}",
        "--date-format", "%m/%d/%Y", "--currency", "SEK",
    )  # fmt: skip
    assert result.exit_code == 3
    assert result.stdout.startswith("3 rows: 2 added, 0 changed, 0 unchanged, 1 left out\n")
    assert "stage 'Propsal' (1 deal) is in no mapping" in result.stdout
    assert "crm.csv:3: left out (2): Amount: 'x' is not an amount" in result.stderr
    assert shown(run, "1")["expected_close"] == "2026-12-31"


def test_an_import_as_json_holds_everything(run: Run, tmp_path: Path) -> None:
    (tmp_path / "deals.csv").write_text("key,name,stage,extra\n1,a,Lead,\n1,b,Lead,\n")
    data = json.loads(run("deals", "import", "deals.csv", "--json").stdout)
    assert (data["added"], data["unused_headers"]) == (1, ["extra"])
    assert data["bad_rows"][0]["line"] == 3


def test_a_dry_run_needs_a_store_and_changes_nothing(run: Run, tmp_path: Path) -> None:
    (tmp_path / "deals.csv").write_text("key,name,stage\n1,a,Lead\n")
    run("deals", "add", "D-1", "x")
    assert "1 would be added" in run("deals", "import", "deals.csv", "--dry-run").stdout
    assert len(json.loads(run("deals", "list", "--json").stdout)) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--column", "key"), "write --column NAME=NAME"),
        (("--value", "service=x"), "write --value FIELD:THEIRS=OURS"),
        (("--column", "key=nummer"), "no column 'nummer'"),
    ],
)
def test_wrong_options_of_an_import_are_explained(
    run: Run, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    (tmp_path / "deals.csv").write_text("nr,name\n1,a\n")
    result = run("deals", "import", "deals.csv", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr


def test_a_file_of_windows_is_read_as_such_and_that_is_said(run: Run, tmp_path: Path) -> None:
    (tmp_path / "deals.csv").write_bytes(b"key,name,stage\n1,\xc5sa,Lead\n2,short\n")
    read = run("deals", "import", "deals.csv")
    assert "read as cp1252 (Windows-1252)" in read.stdout and "'Åsa'" in read.stdout
    assert read.exit_code == 3
    assert "deals.csv:3: left out (2): only 2 of 3 cells, no stage" in read.stderr
    assert shown(run, "1")["name"] == "Åsa"


def test_what_is_exported_can_be_imported(run: Run, tmp_path: Path) -> None:
    run("deals", "add", "D-1", "=1+1", "--notes", "a\nb")
    before = shown(run, "D-1")
    assert run("deals", "export", "out.csv").exit_code == 0
    assert "'=1+1" in (tmp_path / "out.csv").read_text()
    assert run("deals", "export").stdout == (tmp_path / "out.csv").read_text()
    assert "1 unchanged" in run("deals", "import", "out.csv").stdout
    assert shown(run, "D-1") == before


def test_a_missing_store_has_its_exit_code_and_the_way_out(run: Run) -> None:
    result = run("deals", "list")
    assert result.exit_code == 6
    assert "pipeline.db" in result.stderr and "pipeline-sync deals import" in result.stderr


def test_a_damaged_store_has_its_exit_code_and_the_way_out(run: Run, tmp_path: Path) -> None:
    (tmp_path / "pipeline.db").write_text("no database, only words " * 100)
    result = run("deals", "list")
    assert result.exit_code == 6
    assert "damaged" in result.stderr and ".recover" in result.stderr


def test_a_reopened_deal_shows_why_it_was_lost(run: Run) -> None:
    run("deals", "add", "D-1", "Portal")
    run("deals", "move", "D-1", "Lost", "--reason", "too dear")
    run("deals", "move", "D-1", "Lead")

    text = run("deals", "show", "D-1").stdout
    assert "Was lost because" in text and "too dear (until 20" in text
    changes = {each["field"]: each["before"] for each in shown(run, "D-1")["changes"]}
    assert changes["lost_reason"] == "too dear"


def test_notes_and_names_are_whole_in_the_history(run: Run) -> None:
    notes = "first line\n" + "x" * 5_000 + "\nlast line"
    run("deals", "add", "D-1", "Portal", "--notes", notes)
    run("deals", "edit", "D-1", "--notes", "gone", "--name", "New portal")

    listed = json.loads(run("history", "D-1", "--json").stdout)
    changes = [each for event in listed for each in event["changes"]]
    assert ("name", "Portal") in [(each["field"], each["base"]) for each in changes]
    said = [each["desired"] for each in changes if each["field"] == "notes"]
    assert sorted(said) == sorted([notes, "gone"])


def test_notes_are_a_log_with_the_newest_first(run: Run) -> None:
    run("deals", "add", "D-1", "Portal", "--notes", "Met Anna.")
    assert run("deals", "note", "D-1", "They ask for\na reference.").stdout == "D-1: noted\n"
    for _ in range(2):
        run("deals", "note", "D-1", "From a card.", "--origin", "comment 7")
    texts = ["From a card.", "They ask for\na reference.", "Met Anna."]
    assert [each["text"] for each in shown(run, "D-1")["notes"]] == texts
    listed = json.loads(run("deals", "notes", "D-1", "--json").stdout)
    assert [each["text"] for each in listed] == texts
    assert len(json.loads(run("deals", "notes", "D-1", "--limit", "1", "--json").stdout)) == 1
    printed = run("deals", "show", "D-1").stdout
    assert printed.index("From a card.") < printed.index("a reference.") < printed.index("Met Anna")
    assert run("deals", "edit", "D-1", "--notes", "").exit_code == 0
    assert len(shown(run, "D-1")["notes"]) == 3
    for number in range(9):
        run("deals", "note", "D-1", f"call {number}")
    assert "and 2 older notes: pipeline-sync deals notes D-1" in run("deals", "show", "D-1").stdout
    assert run("deals", "note", "D-1", " ").exit_code == 2
    assert run("deals", "note", "D-2", "x").exit_code == 2
    assert json.loads(run("deals", "list", "--where", "notes=met anna.", "--json").stdout)
    assert not json.loads(run("deals", "list", "--where", "notes=", "--json").stdout)


def test_a_spreadsheet_does_not_undo_newer_work(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "deals.csv"
    run("deals", "add", "D-1", "Portal", "--value", "1000 EUR", "--notes", "called")
    run("deals", "export", "deals.csv")
    run("deals", "edit", "D-1", "--value", "1200", "--owner", "Tom")
    exported = file.read_text(encoding="utf-8")
    file.write_text(exported.replace("Portal", "New portal").replace(",1000,", ",900,"))

    result = run("deals", "import", "deals.csv")
    assert result.exit_code == 3
    assert "1 row: 0 added, 1 changed, 0 unchanged, 0 left out, 1 deal with conflicts" in (
        result.stdout
    )
    assert "deals.csv:2: D-1: value: '900' in the file, '1200' in the store" in result.stderr
    assert "'1000' before" in result.stderr
    assert "--take file or --take store" in result.stderr
    deal = shown(run, "D-1")
    assert (deal["name"], deal["value"], deal["owner"]) == ("New portal", "1200", "Tom")

    listed = json.loads(run("deals", "import", "deals.csv", "--json").stdout)["conflicts"]
    assert [(each["field"], each["base"], each["file"], each["store"]) for each in listed] == [
        ("value", "1000", "900", "1200")
    ]
    assert run("deals", "import", "deals.csv", "--dry-run", "--take", "file").exit_code == 0
    assert shown(run, "D-1")["value"] == "1200"
    assert run("deals", "import", "deals.csv", "--take", "store").exit_code == 0
    assert shown(run, "D-1")["value"] == "1200"
    assert run("deals", "import", "deals.csv", "--take", "file").exit_code == 0
    assert shown(run, "D-1")["value"] == "900"


def test_a_file_with_the_day_in_its_name_is_distinguished_with_the_way_to_join_it(
    run: Run, tmp_path: Path
) -> None:
    header = "id,name,customer,stage,amount,currency,close date\n"
    rows = [f"K{n},Deal {n},Acme,Proposal,{n}000,EUR,2027-01-10\n" for n in (1, 2, 3)]
    (tmp_path / "deals-2026-11-19.csv").write_text(header + "".join(rows))
    cleared = "K1,Deal 1,Acme,Proposal,,EUR,\n"
    (tmp_path / "deals-2026-11-26.csv").write_text(header + cleared + rows[1])
    run("deals", "import", "deals-2026-11-19.csv")

    other = run("deals", "import", "deals-2026-11-26.csv").stdout
    assert "the first import under the name 'deals-2026-11-26.csv'" in other
    assert "2 deals came from 'deals-2026-11-19.csv'" in other
    assert "--origin deals-2026-11-19.csv" in other

    joined = run("deals", "import", "deals-2026-11-26.csv", "--origin", "deals-2026-11-19.csv")
    assert "1 deal disappeared from the file, kept in the store: K3" in joined.stdout
    assert shown(run, "K1")["value"] is None


def test_a_decision_is_dated_by_the_day_of_the_pipelines_zone(run: Run) -> None:
    config = Path("config.toml")
    config.write_text(f'time_zone = "Pacific/Pago_Pago"\n{config.read_text()}')
    run("deals", "add", "D-1", "x", "--stage", "Proposal")
    run("deals", "move", "D-1", "Won", "--force")
    assert shown(run, "D-1")["closed_on"] == "2026-11-22"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("deals", "list", "--stage", "Propsal"), "did you mean 'Proposal'?"),
        (("deals", "list", "--team", "Nope"), "no deal has the team 'Nope'"),
        (("deals", "list", "--owner", "Nope", "--json"), "no deal has the owner 'Nope'"),
        (("people", "allocations", "list", "--deal", "Nope"), "there is no deal 'Nope'"),
        (("people", "allocations", "list", "--person", "no@example.com"), "no@example.com"),
        (("history", "Nope"), "there is no deal 'Nope'"),
    ],
)
def test_a_filter_by_a_name_that_nobody_has_is_a_mistake(
    run: Run, arguments: tuple[str, ...], words: str
) -> None:
    run("deals", "add", "D-1", "x", "--stage", "Proposal")
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert words in result.stderr


def test_a_filter_by_a_stage_that_holds_no_deal_finds_none(run: Run) -> None:
    run("deals", "add", "D-1", "x", "--stage", "Proposal")
    result = run("deals", "list", "--stage", "Won")
    assert result.exit_code == 0


@pytest.fixture
def with_fields(run: Run, tmp_path: Path) -> Run:
    """A pipeline whose deals have a region, a score, a margin and whether they are strategic."""
    config = tmp_path / "config.toml"
    config.write_text(
        config.read_text()
        + '[[field]]\nname = "region"\nlabel = "Sales region"\n'
        + '[[field]]\nname = "score"\nkind = "number"\n'
        + '[[field]]\nname = "margin"\nkind = "money"\n'
        + '[[field]]\nname = "strategic"\nkind = "yes/no"\n'
    )
    return run


def test_the_next_step_is_edited_shown_and_in_the_history(run: Run) -> None:
    run("deals", "add", "D-1", "Portal", "--next-step", "Call Ann", "--next-step-on", "1.12.2026")
    deal = shown(run, "D-1")
    assert (deal["next_step"], deal["next_step_on"]) == ("Call Ann", "2026-12-01")
    assert "Next step:      Call Ann" in run("deals", "show", "D-1").stdout
    run("deals", "edit", "D-1", "--next-step", "Send the offer", "--next-step-on", "")
    assert "next step: Call Ann → Send the offer" in run("deals", "show", "D-1").stdout
    assert shown(run, "D-1")["next_step_on"] is None
    result = run("deals", "edit", "D-1", "--next-step-on", "soon")
    assert result.exit_code == 2 and "--next-step-on: 'soon'" in result.stderr


def test_a_field_of_ones_own_is_set_shown_and_cleared(with_fields: Run) -> None:
    run = with_fields
    given = ("--set", "region=North", "--set", "score=1.234,50", "--set", "strategic=ja")
    result = run("deals", "add", "D-1", "Portal", *given)
    assert result.exit_code == 0, result.stderr
    deal = shown(run, "D-1")
    assert [deal[name] for name in ("region", "score", "margin", "strategic")] == [
        "North", "1234.5", None, True,
    ]  # fmt: skip
    text = run("deals", "show", "D-1").stdout
    assert "Sales region:" in text and "North" in text
    run("deals", "edit", "D-1", "--set", "margin=1.200,50 EUR")
    assert "1,200.50 EUR" in run("deals", "show", "D-1").stdout
    result = run("deals", "edit", "D-1", "--set", "region=", "--set", "Score=7", "--json")
    assert (json.loads(result.stdout)["region"], json.loads(result.stdout)["score"]) == ("", "7")
    assert "changed" in run("deals", "edit", "D-1", "--set", "owner=Ann").stdout
    assert shown(run, "D-1")["owner"] == "Ann"
    result = run("deals", "edit", "D-1", "--owner", "Bo", "--set", "owner=Cy")
    assert (result.exit_code, shown(run, "D-1")["owner"]) == (2, "Ann")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("regoin=x", "did you mean 'region'?"),
        ("score=many", "--set score: 'many' is not a number"),
        ("strategic=perhaps", "--set strategic: 'perhaps'"),
        ("score=n/a", "write ''"),
        ("stage=Won", "move the deal with: pipeline-sync deals move KEY STAGE"),
        ("done=signed", "check actions off with: pipeline-sync deals done KEY ACTION"),
        ("key=D-9", "key cannot be edited: a deal's key is permanent"),
        ("updated_at=2026-01-01", "the time is noted when the deal is moved or changed"),
        ("score=1234567890123456789012345678901", "is too large; a figure is less than 1,000,0"),
        ("margin=5 kr", "--set margin: its sign may be"),
        ("region", "write --set FIELD=TEXT"),
        ("region=South", "region is 'North' already; leave one out"),
    ],
)
def test_what_cannot_be_set_is_refused_and_nothing_is_changed(
    with_fields: Run, given: str, said: str
) -> None:
    with_fields("deals", "add", "D-1", "Portal")
    result = with_fields("deals", "edit", "D-1", "--set", "region=North", "--set", given)
    assert (result.exit_code, shown(with_fields, "D-1")["region"]) == (2, "")
    assert said in result.stderr


def test_a_list_shows_the_fields_that_are_asked_for(with_fields: Run) -> None:
    run = with_fields
    given = ("--set", "region=North", "--set", "margin=1200.5 EUR", "--set", "score=7")
    run("deals", "add", "D-1", "Portal", "--expected-close", "2027-01-31", *given)
    run("deals", "add", "D-2", "Audit")
    lines = run("deals", "list", "--columns", "key, margin,Region", "--columns", "score").stdout
    assert [line.split() for line in lines.splitlines()] == [
        ["Key", "Margin", "Sales", "region", "Score"],
        ["D-1", "1,200.50", "EUR", "North", "7"],
        ["D-2"],
    ]
    listed = run("deals", "list", "--columns", "key,region,close_date", "--json").stdout
    assert json.loads(listed)[0] == {"key": "D-1", "region": "North", "close_date": "2027-01-31"}
    result = run("deals", "list", "--columns", "key,regoin")
    assert result.exit_code == 2
    assert "--columns regoin: 'regoin' is not a field of a deal; did you mean" in result.stderr
    assert "2027-01-31" in run("deals", "list").stdout


def test_a_filter_that_cannot_be_read_names_its_option(with_fields: Run) -> None:
    result = with_fields("deals", "list", "--where", "score=many")
    assert (result.exit_code, result.stderr) == (
        2,
        "Error: --where score: 'many' is not a number\n",
    )


def test_deals_are_listed_by_what_any_field_holds(with_fields: Run) -> None:
    run = with_fields
    run("deals", "add", "D-1", "A", "--set", "region=North", "--set", "score=10", "--owner", "Ann")
    run("deals", "add", "D-2", "B", "--set", "region=South", "--set", "strategic=x")
    run("deals", "add", "D-3", "C", "--start", "2027-01-04")

    def listed(*conditions: str) -> list[str]:
        words = [word for condition in conditions for word in ("--where", condition)]
        return [each["key"] for each in json.loads(run("deals", "list", *words, "--json").stdout)]

    assert listed("region=NORTH") == ["D-1"]
    assert listed("score=10,0") == ["D-1"]
    assert listed("strategic=yes") == ["D-2"]
    assert listed("region=") == ["D-3"]
    assert listed("start=4.1.2027") == ["D-3"]
    assert listed("owner=ann", "region=north") == ["D-1"]
    assert listed("owner=ann", "region=south") == []
    assert listed("stage=lead") == ["D-1", "D-2", "D-3"]
    for condition, said in (
        ("region=Nroth", "--where region: no deal has the region 'Nroth'; did you mean 'North'?"),
        ("score=many", "score: 'many' is not a number"),
        ("scroe=1", "did you mean 'score'?"),
        ("stage=Laed", "no deal has the stage 'Laed'; did you mean 'Lead'?"),
    ):
        result = run("deals", "list", "--where", condition)
        assert result.exit_code == 2 and said in result.stderr


@pytest.mark.usefixtures("with_fields")
def test_the_shell_completes_the_names_of_fields() -> None:
    parameter = next(each for each in edit_deal.params if each.name == "given")
    with click.Context(edit_deal, obj=CommandContext()) as context:
        found = [item.value for item in parameter.shell_complete(context, "re")]
        assert found == ["region="]
        assert "next_step=" in [item.value for item in parameter.shell_complete(context, "next")]


@pytest.mark.parametrize("value", ["300 kr", "$300", "300 Pfund"])
def test_a_sign_of_several_currencies_asks_which_one_is_meant(run: Run, value: str) -> None:
    refused = run("deals", "add", "NEW-1", "Portal", "--stage", "Lead", "--value", value)
    assert refused.exit_code == 2
    assert "write the code behind the amount" in refused.stderr
    code = {"300 kr": "SEK", "$300": "USD"}.get(value, "GBP")
    arguments = ("--stage", "Lead", "--value", value, "--currency", code)
    assert run("deals", "add", "NEW-1", "Portal", *arguments).exit_code == 0


def test_a_deal_that_was_won_on_the_day_it_came_says_nothing_about_usual_days(run: Run) -> None:
    for key in ("D-1", "D-2"):
        run("deals", "add", key, "Portal", "--stage", "Lead")
        run("deals", "move", key, "Won", "--force")
    run("deals", "add", "D-3", "Open", "--stage", "Lead")
    assert run("deals", "list").exit_code == 0


def test_a_list_says_what_deals_wait_for_and_sums_them_up(run: Run) -> None:
    run("deals", "add", "A", "a", "--stage", "Lead", "--value", "100 EUR", "--owner", "Maya Li")
    run("deals", "add", "B", "b", "--stage", "Proposal", "--value", "300 EUR", "--owner", "Tom")
    run("deals", "add", "C", "c", "--stage", "Proposal", "--next-step", "Call", "--value", "7 SEK")
    run("deals", "edit", "C", "--next-step-on", "2020-01-31", "--next-step-by", "Ana")

    def keys(*words: str) -> list[str]:
        return [each["key"] for each in json.loads(run("deals", "list", *words, "--json").stdout)]

    assert keys("--follow-up", "overdue") == ["C"]
    assert keys("--follow-up", "no-next-step", "--sort", "value", "--reverse") == ["B", "A"]
    assert keys("--owner", "maya") == keys("--max-value", "100", "--min-value", "50") == ["A"]
    assert keys("--sort", "stage", "--reverse")[-1] == "A"
    assert keys("--stage", "proposal") == ["B", "C"]
    assert keys("--min-score", "1") == []
    listed = run("deals", "list")
    assert "no next step" in listed.stdout
    assert "3 deals; 400 EUR + 7 SEK" in listed.stderr
    (c,) = json.loads(run("deals", "list", "--follow-up", "overdue", "--json").stdout)
    assert (c["waits_for"], c["days_in_stage"], c["learnt"]) == (["overdue"], 0, None)
    assert "overdue" in run("deals", "show", "C").stdout


def test_the_funnel_is_shown_in_columns(run: Run) -> None:
    run("deals", "add", "A", "a", "--stage", "Lead", "--value", "100 EUR", "--probability", "10%")
    run("deals", "add", "B", "b", "--stage", "Proposal", "--value", "300 EUR")
    found = json.loads(run("deals", "list", "--by", "stage", "--json").stdout)
    by_stage = {each["stage"]: each for each in found["stages"]}
    assert (by_stage["Lead"]["deals"], by_stage["Lead"]["keys"]) == (1, ["A"])
    assert Decimal(by_stage["Lead"]["weighted"]["EUR"]) == 10
    assert Decimal(found["total"]["value"]["EUR"]) == 400
    table = run("deals", "list", "--by", "stage").stdout
    assert table.splitlines()[0].split()[0] == "Lead" and "Total" in table
    assert "did you mean" in run("deals", "list", "--stage", "Leed", "--owner", "x").stderr


def test_of_several_deals_all_are_edited_or_none(run: Run) -> None:
    for key in ("D-1", "D-2", "D-3"):
        run("deals", "add", key, f"Deal {key}", "--owner", "Sara Ek")
    result = run("deals", "edit", "D-1", "D-2", "D-1", "--owner", "Mia Holm")
    assert result.stdout == "D-1: owner changed\nD-2: owner changed\n"
    assert run("deals", "edit", "D-3", "D-7", "--owner", "Mia Holm").exit_code == 2
    refused = run("deals", "edit", "D-3", "D-1", "--next-step", "x" * 1001)
    assert refused.exit_code == 2 and "1001 characters" in refused.stderr
    assert [shown(run, key)["owner"] for key in ("D-1", "D-2", "D-3")] == [
        *("Mia Holm", "Mia Holm", "Sara Ek")
    ]
    many = run("deals", "edit", "D-1", "D-3", "--team", "north", "--json")
    assert [each["team"] for each in json.loads(many.stdout)] == ["north", "north"]
    assert (
        json.loads(run("deals", "edit", "D-1", "--team", "south", "--json").stdout)["key"] == "D-1"
    )


def test_what_deals_wait_for_is_not_known_without_the_mapping(run: Run, tmp_path: Path) -> None:
    run("deals", "add", "D-1", "New portal", "--next-step", "Call", "--next-step-on", "2020-01-01")
    (mapping,) = (tmp_path / "mappings").glob("*.toml")
    mapping.write_text("broken = [", encoding="utf-8")
    asked = run("deals", "list", "--follow-up", "overdue")
    assert asked.exit_code == 2 and "is not TOML" in asked.stderr
    plain = run("deals", "list")
    assert plain.exit_code == 0 and "D-1" in plain.stdout
    assert "what deals wait for is not known: " in plain.stderr
