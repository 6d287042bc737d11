"""``metrics`` on the sample pipeline."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.cli.conftest import SAMPLE_DEALS, Run


def test_the_funnel_and_delivery_are_shown(sample: Run) -> None:
    sample("deals", "move", "D-105", "Won")
    result = sample("metrics")
    assert result.exit_code == 0, result.stderr
    assert f"{SAMPLE_DEALS} deals: 18 won, 34 lost" in result.stdout
    assert "Proposal" in result.stdout
    assert "Service, won" in result.stdout


def test_in_json_rates_and_conversion_are_there(sample: Run) -> None:
    data = json.loads(sample("metrics", "--json").stdout)
    assert data["sales"]["won"] == 17
    assert {"conversion", "days"} <= data["sales"]["stages"][0].keys()
    assert all("rate" in rate for rate in data["sales"]["win_rates"]["owner"])


def test_suggestions_need_enough_deals_and_say_so(run: Run) -> None:
    assert run("init").exit_code == 0
    assert "Nothing to suggest" in run("metrics", "--suggest-demand").stdout


def test_a_year_of_deals_suggests_what_a_deal_of_a_service_needs(sample: Run) -> None:
    suggested = sample("metrics", "--suggest-demand").stdout
    assert 'role = "Front"' in suggested
    assert 'services = ["app"]' in suggested


def test_only_deals_that_are_open_or_were_decided_since_a_date_count(sample: Run) -> None:
    assert "13 deals: 0 won, 0 lost" in sample("metrics", "--since", "2030-01-01").stdout
    assert sample("metrics", "--since", "yesterday").exit_code == 2


def test_money_stands_beside_the_metrics_where_rates_are_set(sample: Run) -> None:
    shown = sample("metrics").stdout
    assert "Planned by quarter" in shown and "Budgets of won deals" in shown
    money = json.loads(sample("metrics", "--json").stdout)["money"]
    assert money == json.loads(sample("metrics", "--money", "--json").stdout)
    quarter = money["quarters"][0]
    assert (quarter["quarter"], quarter["currency"]) == ("2026-Q4", "EUR")
    assert quarter["cost"]["p20"] <= quarter["cost"]["p50"] <= quarter["cost"]["p80"]
    (deal,) = (each for each in money["deals"] if each["deal"] == "D-105")
    assert deal["margin"]["EUR"] == deal["revenue"]["EUR"] - deal["cost"]["EUR"]


def test_without_rates_there_is_no_money_and_the_way_to_it_is_said(sample: Run) -> None:
    for whose in ("Back", "Design", "Front", "Lead", "UX", "ana@example.test"):
        assert sample("people", "rate", "remove", whose).exit_code == 0
    assert "Planned by quarter" not in sample("metrics").stdout
    assert "money" not in json.loads(sample("metrics", "--json").stdout)
    asked = sample("metrics", "--money")
    assert asked.exit_code == 0 and "pipeline-sync people rate set" in asked.stderr
    assert "unknown" in asked.stdout


def test_a_role_without_a_rate_is_named(sample: Run) -> None:
    assert sample("people", "rate", "remove", "Design").exit_code == 0
    asked = sample("metrics", "--money")
    assert "no cost rate, so their hours are left out: Design" in asked.stderr


def test_rates_of_the_configuration_count_where_the_store_has_none(
    sample: Run, tmp_path: Path
) -> None:
    assert sample("people", "rate", "remove", "Design").exit_code == 0
    config = tmp_path / "config.toml"
    rates = """
[[planning.rate]]
role = "Design"
cost = 500
currency = "SEK"

[[planning.rate]]
role = "Back"
cost = 1
currency = "EUR"
"""
    text = config.read_text(encoding="utf-8")
    money = 'currency = "EUR"\nrates = { SEK = 0.1 }\n'
    config.write_text(text.replace("quantile = 0.8\n", f"quantile = 0.8\n{money}{rates}"))
    listed = json.loads(sample("people", "rate", "list", "--json").stdout)
    assert [each["cost"] for each in listed if each["role"] == "Back"] == ["62"]
    asked = sample("metrics", "--money", "--json")
    deals = json.loads(asked.stdout)["deals"]
    assert all(set(each["cost"]) == {"EUR"} and each["margin"] for each in deals)


def test_the_value_of_deals_that_state_no_roles_is_said_to_be_in_no_quarter(sample: Run) -> None:
    rate = ("--cost", "62", "--bill", "118", "--currency", "EUR")
    assert sample("people", "rate", "set", "Back", *rate).exit_code == 0
    add = ("deals", "add", "N-1", "Licences", "--stage", "Proposal", "--service", "none of these")
    close = ("--expected-close", "2026-12-10")
    assert sample(*add, *close, "--value", "12345", "--currency", "EUR").exit_code == 0
    notices = json.loads(sample("metrics", "--money", "--json").stdout)["notices"]
    assert any("no roles" in each and "is in no quarter" in each for each in notices)
    asked = sample("metrics", "--money")
    (line,) = (each for each in asked.stdout.splitlines() if each.startswith("N-1"))
    assert line.endswith("unknown")


def test_a_deal_without_dates_is_said_to_be_in_no_quarter(sample: Run) -> None:
    sample("people", "rate", "set", "Back", "--cost", "50", "--bill", "100", "--currency", "EUR")
    sample("deals", "add", "D-900", "Some day", "--stage", "Lead", "--roles", "Back:40h x2w")
    shown = sample("metrics", "--money")
    assert "so their money is in no quarter: D-900" in shown.stderr


def test_no_money_of_the_plan_is_in_any_project_page_or_card(sample: Run, tmp_path: Path) -> None:
    """All that was written is in the state: descriptions, pages, cards, the resource plan."""
    for role in ("Back", "Design", "Front", "Lead", "UX"):
        rate = ("--cost", "77.31", "--bill", "133.57", "--currency", "EUR")
        assert sample("people", "rate", "set", role, *rate).exit_code == 0
    config, mapping = tmp_path / "config.toml", tmp_path / "mappings" / "default.toml"
    config.write_text(config.read_text() + "\n[portfolio]\nenabled = true\n")
    text = mapping.read_text()
    mapping.write_text(text.replace('from_sales_page = "staffed"', 'from_sales_page = "tentative"'))
    done = sample("run")
    assert done.exit_code == 0, done.stderr
    with closing(sqlite3.connect(tmp_path / "state.db")) as connection:
        written = "\n".join(connection.iterdump())
    assert "Resource plan" in written and "From sales" in written and "Web shop" in written
    deals = json.loads(sample("metrics", "--money", "--json").stdout)["deals"]
    amounts = {"77.31", "133.57"}
    for deal in deals:
        for name in ("cost", "margin", "at_rates"):
            # A smaller one may be part of a time or a number that has nothing to do with it.
            large = [each for each in deal[name].values() if each >= 1_000]
            amounts |= {f"{each:,.0f}" for each in large} | {f"{each:.0f}" for each in large}
    assert len(amounts) > 40
    # Neither a part of another number, nor of a digest.
    shown = (re.search(rf"(?<![\w.]){re.escape(each)}(?!\w)", written) for each in amounts)
    assert not list(filter(None, shown))


def test_a_mapping_that_allows_it_shows_money_on_the_page_and_a_second_run_is_quiet(
    sample: Run, tmp_path: Path
) -> None:
    for role in ("Back", "Design", "Front", "Lead", "UX"):
        rate = ("--cost", "77.31", "--bill", "133.57", "--currency", "EUR")
        assert sample("people", "rate", "set", role, *rate).exit_code == 0
    mapping = tmp_path / "mappings" / "default.toml"
    page = 'from_sales_page = "tentative"\nmoney_on_page = true'
    mapping.write_text(mapping.read_text().replace('from_sales_page = "staffed"', page))
    assert sample("run").exit_code == 0
    with closing(sqlite3.connect(tmp_path / "state.db")) as connection:
        written = "\n".join(connection.iterdump())
    deals = json.loads(sample("metrics", "--money", "--json").stdout)["deals"]
    (deal,) = (each for each in deals if each["deal"] == "D-105")
    assert "Money of the plan" in written
    assert f"- Margin: {deal['margin']['EUR']:,.0f} EUR" in written
    assert f"- Cost: {deal['cost']['EUR']:,.0f} EUR" in written
    assert sample("run").stdout == ""


def test_money_of_deals_in_one_project_adds_up_on_its_page(sample: Run, tmp_path: Path) -> None:
    for role in ("Back", "Design", "Front", "Lead", "UX"):
        rate = ("--cost", "77.31", "--bill", "133.57", "--currency", "EUR")
        assert sample("people", "rate", "set", role, *rate).exit_code == 0
    mapping = tmp_path / "mappings" / "default.toml"
    page = 'from_sales_page = "tentative"\nmoney_on_page = true'
    mapping.write_text(mapping.read_text().replace('from_sales_page = "staffed"', page))
    assert sample("join", "D-106", "D-105").exit_code == 0
    assert sample("run").exit_code == 0
    with closing(sqlite3.connect(tmp_path / "state.db")) as connection:
        written = "\n".join(connection.iterdump())
    deals = json.loads(sample("metrics", "--money", "--json").stdout)["deals"]
    margins = [each["margin"] for each in deals if each["deal"] in ("D-105", "D-106")]
    assert f"- Margin: {sum(each['EUR'] for each in margins):,.0f} EUR" in written
    shown = written.index(f"- Margin: {sum(each['EUR'] for each in margins):,.0f} EUR")
    assert shown < written.index("(D-106)", shown), "what the other deal brings comes after it"
    assert sample("run").stdout == ""
