"""Commands that need more of a source than its deals say so, and how to get it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run


@pytest.fixture
def from_csv(run: Run) -> Run:
    """The sample's deals in a CSV file, and read from there."""
    run("init", "--sample")
    run("deals", "export", "deals.csv")
    return reads_from(run, 'kind = "csv"\nfile = "deals.csv"\n')


@pytest.fixture
def from_sql(run: Run) -> Run:
    """The sample's deals, read by a query."""
    run("init", "--sample")
    section = 'kind = "sql"\nurl = "sqlite:///pipeline.db"\nquery = "SELECT * FROM deals"\n'
    return reads_from(run, section)


def reads_from(run: Run, section: str) -> Run:
    config = Path("config.toml")
    text = config.read_text(encoding="utf-8")
    begin, end = text.index("[source]"), text.index("[target]")
    config.write_text(f"{text[:begin]}[source]\n{section}\n{text[end:]}", encoding="utf-8")
    return run


def test_metrics_need_a_record_of_moves(from_csv: Run) -> None:
    result = from_csv("metrics")
    assert result.exit_code == 2
    assert "metrics needs a record of how deals moved" in result.stderr
    assert "a CSV file, which keeps none" in result.stderr
    assert "pipeline-sync deals import" in result.stderr


def test_a_forecast_says_that_it_stands_on_little(from_csv: Run) -> None:
    reported = "Deals are read from a CSV file, which keeps no record of how they moved"
    assert reported in from_csv("forecast").stdout
    assert any(
        reported in note for note in json.loads(from_csv("forecast", "--json").stdout)["notes"]
    )


def test_a_forecast_from_the_store_does_not(run: Run) -> None:
    run("init", "--sample")
    assert "keeps no record" not in run("forecast").stdout


def test_capacity_says_how_people_become_known(from_csv: Run) -> None:
    stderr = from_csv("capacity", "--trials", "100").stderr
    assert "list people in people.csv" in stderr
    assert "people import" not in stderr  # which would be refused


def test_capacity_says_that_a_source_knows_no_people(from_sql: Run) -> None:
    stderr = from_sql("capacity", "--trials", "100").stderr
    assert "a SQL database, which reports no people: import them" in stderr


@pytest.mark.parametrize(
    "command", [("deals", "add", "D-1", "x"), ("people", "list"), ("people", "off", "list")]
)
def test_what_changes_the_store_says_where_deals_are_read(
    from_csv: Run, command: tuple[str, ...]
) -> None:
    result = from_csv(*command)
    assert result.exit_code == 2
    assert "deals are read from a CSV file (source.kind is 'csv')" in result.stderr


def test_history_tells_of_runs_where_the_source_has_none(from_csv: Run) -> None:
    assert from_csv("history").exit_code == 0
