"""``staff advise`` and ``staff who`` on the sample pipeline."""

from __future__ import annotations

import json

from tests.cli.conftest import Run


def test_advice_tells_hours_cost_and_by_when_to_decide(sample: Run) -> None:
    shown = sample("staff", "advise", "--quick")
    assert shown.exit_code == 0, shown.stderr
    assert "Decide by" in shown.stdout and "EUR" in shown.stdout
    found = json.loads(sample("staff", "advise", "--quick", "--json").stdout)
    ways = {each["way"]: each for each in found["ways"]}
    assert {"temporary", "subcontract", "start later"} <= ways.keys()
    worth = [each["worth"] for each in found["ways"]]
    assert worth == sorted(worth, reverse=True)
    outside = ways["subcontract"]
    assert outside["hours_idle"] == 0 and outside["decide_by"] <= outside["from"]


def test_who_can_take_a_deal_is_shown_with_free_hours(sample: Run) -> None:
    assert "Could do" in sample("staff", "who", "D-106").stdout
    asked = json.loads(sample("staff", "who", "D-106", "--json").stdout)["asked"]
    back = next(each for each in asked if each["role"] == "Back")
    assert {each["email"].split("@")[0] for each in back["people"]} == {"ana", "emil", "gita"}
    missing = sample("staff", "who", "D-10")
    assert missing.exit_code == 2 and "did you mean" in missing.stderr
