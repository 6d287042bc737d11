"""The forecast command: tables, JSON, one deal, the backtest, and what it says of bad input."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from taiga_pipeline.installing import how_to_get
from tests.cli.conftest import Run
from tests.planning.pipelines import Rules, grown

HEADINGS = "key,name,stage,value,currency,engaged_on,closed_on,service"


@pytest.fixture
def pipeline(run: Run, tmp_path: Path) -> Run:
    """A folder with an empty pipeline: runs commands there."""
    assert run("init", "--username", "bot").exit_code == 0
    (tmp_path / "deals.csv").write_text(HEADINGS + "\n", encoding="utf-8")
    return run


def put(run: Run, folder: Path, *rows: str) -> None:
    (folder / "deals.csv").write_text("\n".join([HEADINGS, *rows]), encoding="utf-8")
    result = run("deals", "import", "deals.csv")
    assert result.exit_code == 0, result.output


@pytest.fixture
def grown_pipeline(pipeline: Run, tmp_path: Path) -> Run:
    """A pipeline with 300 days of history that ended on the day before today."""
    rules = Rules(deals=350, days=300, closing=0.03)
    shift = date(2026, 11, 22) - (date(2025, 1, 6) + timedelta(days=299))
    rows = []
    for deal in grown(rules).deals:
        stage = {None: "Proposal", True: "Won", False: "Lost"}[deal.won]
        closed = deal.closed + shift if deal.closed else ""
        rows.append(f"{deal.key},Site,{stage},{deal.value},EUR,{deal.entered + shift},{closed},Web")
    put(pipeline, tmp_path, *rows)
    return pipeline


def test_the_forecast_names_months_quarters_and_what_it_stands_on(grown_pipeline: Run) -> None:
    result = grown_pipeline("forecast", "--months", "3")
    assert result.exit_code == 0, result.output
    assert "2026-11 (rest)" in result.stdout
    assert "2026 Q4 (rest)" in result.stdout
    assert "Won EUR in all" in result.stdout
    assert "Learnt from" in result.stdout
    assert result.stderr == ""


def test_json_holds_the_same_and_repeats(grown_pipeline: Run) -> None:
    first, second = (grown_pipeline("forecast", "--json").stdout for _ in range(2))
    data = json.loads(first)
    assert first == second
    assert data["as_of"] == "2026-11-23"
    assert len(data["months"]) == 6
    assert data["months"][0]["from"] == "2026-11-24"
    assert set(data["months"][0]["wins"]) == {"open", "new", "all"}
    assert data["months"][1]["wins"]["all"]["p50"] > 0


def test_one_deal_is_explained(grown_pipeline: Run) -> None:
    key = json.loads(grown_pipeline("deals", "list", "--stage", "Proposal", "--json").stdout)[0]
    text = grown_pipeline("forecast", "--deal", key["key"]).stdout
    assert "base rate" in text
    assert "came in" in text
    data = json.loads(grown_pipeline("forecast", "--deal", key["key"], "--json").stdout)
    assert data["steps"][-1]["chance"] == data["chance"]


def test_the_backtest_stands_beside_simpler_forecasts(grown_pipeline: Run) -> None:
    result = grown_pipeline("forecast", "--backtest")
    assert result.exit_code == 0, result.output
    assert "base rate" in result.stdout
    assert "wins of new deals" in result.stdout
    data: dict[str, Any] = json.loads(grown_pipeline("forecast", "--backtest", "--json").stdout)
    assert [each["days"] for each in data["horizons"]] == [30, 60, 90]
    assert 0 < data["horizons"][0]["forecast"]["brier"] < 0.3


def test_without_any_deal_it_says_that_chances_are_the_mappings(pipeline: Run) -> None:
    put(pipeline, Path.cwd())
    result = pipeline("forecast")
    assert result.exit_code == 0, result.output
    assert "No decided deal is on record" in result.stdout
    assert "No deal has a value" in result.stdout


def test_deals_without_days_are_counted(pipeline: Run, tmp_path: Path) -> None:
    put(pipeline, tmp_path, "A,A,Won,5,EUR,,,Web", "B,B,Proposal,5,EUR,,,Web")
    data = json.loads(pipeline("forecast", "--json").stdout)
    assert list(data["left_out"].values()) == [1]
    assert data["basis"]["open"] == 1


def test_too_little_history_has_no_backtest(pipeline: Run, tmp_path: Path) -> None:
    put(pipeline, tmp_path, "A,A,Won,5,EUR,2026-11-01,2026-11-08,Web")
    result = pipeline("forecast", "--backtest")
    assert result.exit_code == 0
    assert "too little history" in result.stdout
    assert json.loads(pipeline("forecast", "--backtest", "--json").stdout)["forecasts"] == 0


def test_currencies_without_rates_are_kept_apart(pipeline: Run, tmp_path: Path) -> None:
    rows = ("A,A,Won,5,EUR,2026-10-01,2026-10-08,Web", "B,B,Proposal,9,SEK,2026-10-01,,Web")
    put(pipeline, tmp_path, *rows)
    result = pipeline("forecast")
    assert "Won EUR in all" in result.stdout
    assert "Won SEK in all" in result.stdout
    assert "planning.rates" in result.stdout


def test_currencies_are_converted_with_rates(pipeline: Run, tmp_path: Path) -> None:
    rows = ("A,A,Won,5,EUR,2026-10-01,2026-10-08,Web", "B,B,Proposal,9,SEK,2026-10-01,,Web")
    put(pipeline, tmp_path, *rows)
    config = tmp_path / "config.toml"
    text = config.read_text(encoding="utf-8")
    rates = '[planning]\ncurrency = "EUR"\nrates = { SEK = 0.09 }\n'
    config.write_text(text.replace("[planning]\n", rates), encoding="utf-8")
    row = json.loads(pipeline("forecast", "--json").stdout)["months"][0]
    assert list(row["value"]) == ["EUR"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--deal", "D1x"), "no deal 'D1x'"),
        (("--deal", "A"), "was won on 2026-10-08"),
        (("--deal", "A", "--backtest"), "use either --deal or --backtest"),
        (("--as-of", "2030-01-01"), "is in the future"),
    ],
)
def test_what_cannot_be_answered_is_said(
    pipeline: Run, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    put(pipeline, tmp_path, "A,A,Won,5,EUR,2026-10-01,2026-10-08,Web")
    result = pipeline("forecast", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr


def test_without_the_extra_it_says_what_to_install(
    pipeline: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("taiga_pipeline.app.extras.find_spec", lambda name: None)
    result = pipeline("forecast")
    assert result.exit_code == 2
    assert how_to_get("planning") in result.stderr


def test_an_old_record_is_pointed_out(pipeline: Run, tmp_path: Path) -> None:
    put(pipeline, tmp_path, "A,A,Won,5,EUR,2020-01-01,2020-01-08,Web")
    assert "--as-of 2020-01-08" in pipeline("forecast").stdout


def test_the_chance_that_a_deal_states_stands_beside_the_learnt_one(pipeline: Run) -> None:
    add = ("deals", "add", "sure", "Sure", "--stage", "Proposal", "--engaged-on", "2026-11-02")
    assert pipeline(*add, "--probability", "0.9").exit_code == 0
    shown = pipeline("forecast", "--deal", "sure").stdout
    assert "stated by the deal" in shown and "90%, not counted here" in shown
    assert "won more than was expected" not in shown, "there is no past forecast"
    found = json.loads(pipeline("forecast", "--deal", "sure", "--json").stdout)
    assert found["stated"] == 0.9 and found["chance"] < 0.9
