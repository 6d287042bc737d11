"""``metrics`` on the sample pipeline."""

from __future__ import annotations

import json

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
