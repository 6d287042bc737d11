"""The page of a quarter: won so far, the rest, the goal, by team and service."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

pytest.importorskip("numpy", reason="the extra 'planning' is not installed")

from taiga_pipeline.app.store_access import deal_store
from taiga_pipeline.app.workspace import Workspace
from tests.mapping.support import deal
from tests.web.conftest import Browse

GOALS = """
[[planning.goal]]
value = 100000
currency = "EUR"
[[planning.goal]]
value = 400000
currency = "EUR"
quarter = "2026-Q4"
[[planning.goal]]
wins = 3
team = "North <b>"
"""


@pytest.fixture
def quarter(workspace: Workspace) -> Workspace:
    """One deal won in this quarter, and proposals of two teams that are decided in it."""
    known = {"engaged_on": date(2026, 9, 1), "value": Decimal(50_000), "currency": "EUR"}
    with deal_store(workspace, create=True) as store:
        store.upsert(
            deal(
                key=f"D-{number}",
                stage="Proposal",
                probability=Decimal("0.6"),
                team="North <b>" if number % 2 else "South",
                service="Web",
                expected_close=date(2026, 12, 10),
                **known,
            )
            for number in range(1, 7)
        )
        won = {"team": "South", "service": "App", "closed_on": date(2026, 10, 20), **known}
        store.upsert([deal(key="W-1", stage="Won", **won)])
    with workspace.config_path.open("a") as file:
        file.write(GOALS)
    return workspace


def test_a_quarter_stands_against_the_goal_of_its_own(browse: Browse, quarter: Workspace) -> None:
    text = browse("read").get("/quarter").text
    assert "Quarter 2026 Q4" in text
    assert "Won 50,000 EUR of 400,000 EUR" in text
    assert "Won 0 of 3" in text and "North &lt;b&gt;, wins" in text
    assert "Chance to reach the goal" in text and "at least one more win" in text
    assert "By team" in text and "By service" in text
    assert "too little history" in text


def test_another_quarter_has_the_goal_of_all_quarters(browse: Browse, quarter: Workspace) -> None:
    browser = browse("read")
    assert "Won 0 EUR of 100,000 EUR" in browser.get("/quarter?q=2027-Q1").text
    answer = browser.get("/quarter?q=1999 Q1")
    assert answer.status_code == 404 and "2027 Q1" in answer.text


def test_without_a_goal_it_says_how_to_state_one(browse: Browse, deals: Workspace) -> None:
    assert "[[planning.goal]]" in browse("read").get("/quarter").text
