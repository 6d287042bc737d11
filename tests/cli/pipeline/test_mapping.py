"""`mapping check`, `explain`, `diff` and `schema`."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from sync.records.model import Binding, RecordKey
from sync.state.store import StateStore
from taiga_pipeline.mapping.shipped import shipped_text
from taiga_pipeline.pipeline.model import Deal
from taiga_pipeline.pipeline.store import DealStore
from tests.cli.conftest import NOW, FixedClock, Run

CONFIG = """
pipeline = "acme"
[source]
kind = "store"
url = "sqlite:///pipeline.db"
[target]
kind = "taiga"
url = "http://127.0.0.1:9"
username = "bot"
password_env = "TAIGA_PASSWORD"
"""
DEALS = (
    Deal("D-1", "Portal", "Acme", "Proposal", Decimal(1000), "EUR", owner="Anna"),
    Deal("D-2", "Shop\x1b[2J", "Bolt", "Offer sent"),
    Deal("D-3", "Old", "Acme", "Lost"),
    Deal("D-4", "Odd", "Acme", "Propsal"),
)


@pytest.fixture
def pipeline(run: Run, tmp_path: Path) -> Run:
    """A pipeline with the default mapping and four deals."""
    (tmp_path / "config.toml").write_text(CONFIG)
    (tmp_path / "mappings").mkdir()
    (tmp_path / "mappings" / "default.toml").write_text(shipped_text("default"), "utf-8")
    store = DealStore.open(f"sqlite:///{tmp_path}/pipeline.db", lambda: NOW, create=True)
    for deal in DEALS:
        store.add(deal)
    store.close()
    return run


def edit(folder: Path, old: str, new: str) -> Path:
    """Writes an edited copy of the default mapping."""
    text = shipped_text("default")
    assert old in text
    folder.mkdir(exist_ok=True)
    (folder / "default.toml").write_text(text.replace(old, new), "utf-8")
    return folder / "default.toml"


def test_check_says_that_all_is_in_order(pipeline: Run) -> None:
    result = pipeline("mapping", "check")
    assert result.exit_code == 0, result.stderr
    assert result.stdout == (
        "mappings/default.toml: default is valid "
        "(Lead, Qualified, Needs analysis, Proposal, Won, Lost)\n"
    )


def test_check_reports_every_problem_with_exit_code_2(pipeline: Run, tmp_path: Path) -> None:
    edit(tmp_path / "mappings", "lead_time_weeks = 2", "lead_tme_weeks = 2\npriority = true")
    (tmp_path / "mappings" / "other.toml").write_text("[mapping\n")
    result = pipeline("mapping", "check")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert 'mappings/default.toml:13:1: unknown key "lead_tme_weeks"; did you mean' in result.stderr
    assert 'mappings/default.toml:14:12: "priority" must be a whole number' in result.stderr
    assert "mappings/other.toml:1:9: is not TOML" in result.stderr


def test_check_reports_problems_as_json(run: Run, tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_text('[mapping]\nnam = "x"\n[[stage]]\n', "utf-8")
    result = run("mapping", "check", "m.toml", "--json")
    assert result.exit_code == 2
    data = json.loads(result.stdout)
    assert data["ok"] is False
    assert data["problems"][0] == {
        "file": "m.toml",
        "line": 1,
        "column": 1,
        "message": '"name" is missing',
    }


def test_check_of_a_file_needs_no_configuration(run: Run, tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_text(shipped_text("forsaljning"), "utf-8")
    result = run("mapping", "check", "m.toml", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["mappings"][0]["name"] == "försäljning"


def test_explain_tells_file_rule_and_values(pipeline: Run) -> None:
    result = pipeline("mapping", "explain", "D-1")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith("Deal D-1 is mapped by default (mappings/default.toml).\n")
    assert 'Stage "Proposal" is the rule "Proposal" at mappings/default.toml:' in result.stdout
    assert '  title = "Acme: Portal"  [shared]' in result.stdout


def test_explain_speaks_json(pipeline: Run) -> None:
    data = json.loads(pipeline("mapping", "explain", "D-2", "--json").stdout)
    assert data["stage"]["rule"] == "Proposal"
    assert data["records"][0]["key"] == "D-2"


def test_explain_sends_nothing_to_the_terminal_that_it_would_obey(pipeline: Run) -> None:
    assert "\x1b" not in pipeline("mapping", "explain", "D-2").stdout


def test_explain_of_an_unknown_deal_names_the_nearest(pipeline: Run) -> None:
    result = pipeline("mapping", "explain", "d-1")
    assert result.exit_code == 2
    assert "there is no deal 'd-1'; did you mean 'D-1'?" in result.stderr


def test_explain_of_a_deal_at_an_unknown_stage_says_what_to_do(pipeline: Run) -> None:
    result = pipeline("mapping", "explain", "D-4")
    assert result.exit_code == 3
    assert 'the stage "Propsal" is not in mappings/default.toml' in result.stderr


def test_diff_shows_what_a_file_would_change(pipeline: Run, tmp_path: Path) -> None:
    edit(tmp_path / "new", '"(tentative)"', '"(maybe)"')
    result = pipeline("mapping", "diff", "new/default.toml")
    assert result.exit_code == 0, result.stderr
    assert result.stdout == (
        "2 of 4 deals get something else.\n"
        "  2 x project label changed\n"
        "\n"
        "D-1\n"
        '  project: label "(tentative)" -> "(maybe)"\n'
        "\n"
        "D-2\n"
        '  project: label "(tentative)" -> "(maybe)"\n'
    )


@pytest.mark.parametrize("place", ["edited.toml", "mappings/edited.toml"])
def test_diff_takes_an_edited_copy_under_another_name_for_the_mapping_that_it_is(
    pipeline: Run, tmp_path: Path, place: str
) -> None:
    edit(tmp_path / "new", '"(tentative)"', '"(maybe)"')
    (tmp_path / "new/default.toml").rename(place)
    result = pipeline("mapping", "diff", place)
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith("2 of 4 deals get something else.\n")
    assert f"{place} replaces mappings/default.toml in this comparison" in result.stderr
    data = json.loads(pipeline("mapping", "diff", place, "--json").stdout)
    assert data["summary"]["replaces"] == ["mappings/default.toml"]


def test_diff_begins_with_what_is_big(pipeline: Run, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(config.read_text() + "\n[limits]\ncreate = 1\nrename = 0\n")
    state = StateStore(f"sqlite:///{tmp_path}/state.db", "acme", FixedClock())
    state.adopt(Binding(RecordKey("D-1", "project"), "7", created=True), {})
    state.close()
    edit(tmp_path / "new", '"(tentative)"', '"(maybe)"')
    first = pipeline("mapping", "diff", "new").stdout.splitlines()[0]
    assert first.startswith("This is big, and a run would refuse it: projects with another title")
    assert "label: 1 (0 allowed, requested by new/default.toml:" in first
    data = json.loads(pipeline("mapping", "diff", "new", "--json").stdout)
    assert [each["limit"] for each in data["summary"]["limits"]] == ["rename"]


def test_diff_lists_as_many_deals_as_wished(pipeline: Run, tmp_path: Path) -> None:
    edit(tmp_path / "new", '"(tentative)"', '"(maybe)"')
    text = pipeline("mapping", "diff", "new", "--limit", "1").stdout
    assert text.startswith("2 of 4 deals")
    assert "D-2" not in text
    assert text.endswith("\nAnd 1 more; --limit 2 lists all of them.\n")


def test_diff_of_the_same_mapping_is_nothing(pipeline: Run) -> None:
    result = pipeline("mapping", "diff", "mappings")
    assert result.stdout == "0 of 4 deals get something else.\n"


def test_diff_speaks_json(pipeline: Run, tmp_path: Path) -> None:
    edit(tmp_path / "new", 'project = "tentative"', 'project = "none"')
    data = json.loads(pipeline("mapping", "diff", "new", "--json").stdout)
    assert data["summary"]["states"] == [{"old": "tentative", "new": "", "deals": 2}]
    assert [each["deal"] for each in data["deals"]] == ["D-1", "D-2"]


def test_diff_counts_put_away_projects_only_where_the_state_knows_of_one(
    pipeline: Run, tmp_path: Path
) -> None:
    edit(tmp_path / "new", '"(lost)"', '"(dead)"')
    assert pipeline("mapping", "diff", "new").stdout.startswith("0 of 4 deals")
    state = StateStore(f"sqlite:///{tmp_path}/state.db", "acme", FixedClock())
    state.adopt(Binding(RecordKey("D-3", "project"), "7", created=True), {})
    state.close()
    text = pipeline("mapping", "diff", "new").stdout
    assert text.startswith("1 of 4 deals")
    assert '  project: label "(lost)" -> "(dead)"' in text


def test_diff_needs_a_mapping_without_problems(pipeline: Run, tmp_path: Path) -> None:
    edit(tmp_path / "new", 'how = "mark"', 'how = "burn"')
    result = pipeline("mapping", "diff", "new")
    assert result.exit_code == 2
    assert 'must be one of mark, delete-if-untouched, not "burn"' in result.stderr


def test_schema_is_printed_or_written(run: Run, tmp_path: Path) -> None:
    printed = json.loads(run("mapping", "schema").stdout)
    assert printed["title"] == "pipeline-sync mapping"
    result = run("mapping", "schema", "--out", "schema.json")
    assert result.stdout == "Wrote: schema.json\n"
    assert json.loads((tmp_path / "schema.json").read_text("utf-8")) == printed
