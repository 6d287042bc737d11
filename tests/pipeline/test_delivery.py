"""What became of deals, from what targets report of their projects."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from sync.records.model import RecordKey
from taiga_pipeline.app.portfolio import _links_in
from taiga_pipeline.pipeline.delivery import (
    delivery_facts,
    facts_by_deal,
    left_of,
    summed_up,
    understood,
)
from taiga_pipeline.pipeline.model import DeliveryFacts
from taiga_pipeline.records import Kind, deal_of
from taiga_pipeline.sources.facts import FACTS, facts_of

EARLY, LATE = (datetime(2026, 12, day, tzinfo=UTC) for day in (1, 8))


def facts(key: str, state: str = "staffed", **values: object) -> DeliveryFacts:
    given = {"url": f"https://taiga/{key}", "title": key, "seen_at": EARLY, **values}
    return DeliveryFacts(key, state=state, **given)  # type: ignore[arg-type]


def whole_of(key: str) -> str:
    return "" if deal_of(key) == key else deal_of(key)


def test_the_projects_of_a_deals_phases_are_summed_up() -> None:
    discovery = facts(
        "D-1",
        progress=Decimal(1),
        team=("Ana", "Bo"),
        milestones=(("Workshops", date(2026, 12, 7), date(2026, 12, 18)),),
        last_activity=EARLY,
    )
    support = facts("D-1::support", milestones=(("Month", date(2027, 3, 1), date(2027, 4, 1)),))
    build = facts(
        "D-1::build",
        "tentative",
        progress=Decimal("0.5"),
        team=("Bo", "Cho"),
        milestones=(("Release", date(2026, 12, 21), date(2027, 2, 26)),),
        last_activity=LATE,
    )
    alone = facts("D-2", progress=Decimal("0.25"))
    first, second = summed_up([support, discovery, build, alone], whole_of)
    assert second is alone
    assert (first.deal_key, first.url, first.state) == ("D-1", "https://taiga/D-1", "staffed")
    assert first.progress == Decimal("0.5")  # a phase that has not begun counts as well
    assert first.team == ("Ana", "Bo", "Cho")
    assert [name for name, _, _ in first.milestones] == [
        "Workshops",
        "build: Release",
        "support: Month",
    ]
    assert first.last_activity == LATE
    assert [each.deal_key for each in first.projects] == ["D-1", "D-1::build", "D-1::support"]
    back = facts_of(first, FACTS)
    assert (back["start"], back["finish"]) == (date(2026, 12, 7), date(2027, 4, 1))


def test_a_deal_whose_own_project_is_gone_has_those_of_its_phases() -> None:
    gone = DeliveryFacts("D-1")
    [found] = summed_up([gone, facts("D-1::build", "tentative")], whole_of)
    assert (found.deal_key, found.title, found.state) == ("D-1", "D-1::build", "tentative")
    assert found.progress is None


def test_a_key_that_only_looks_like_a_phases_is_a_deals_own() -> None:
    [found] = summed_up([facts("D-1::build")], lambda key: "")
    assert (found.deal_key, found.projects) == ("D-1::build", ())


def test_who_left_the_project_of_a_phase_left_the_deal() -> None:
    taken = [RecordKey("D-1::build", Kind.MEMBERSHIP, "Ana@example.com")]
    assert left_of(taken) == {("D-1", "ana@example.com")}


def test_a_card_leads_to_all_projects_of_its_deal() -> None:
    urls = {key: {"url": f"https://taiga/{key}"} for key in ("D-1::b", "D-1", "D-10")}
    assert _links_in(urls) == {
        "D-1": "https://taiga/D-1, https://taiga/D-1::b",
        "D-10": "https://taiga/D-10",
    }


def test_hours_and_people_of_all_phases_are_added_up_for_budgets_and_lessons() -> None:
    own = {
        "url": "u",
        "progress": 1.0,
        "spent_hours": 40.0,
        "team": ["Ana"],
        "milestones": [{"name": "W", "start": "2026-12-07", "finish": "2026-12-18"}],
    }
    build = {
        "url": "v",
        "spent_hours": 12.5,
        "team": ["Ana", "Bo"],
        "last_activity": "2026-12-08T00:00:00+00:00",
        "milestones": [{"name": "R", "start": None, "finish": "2027-02-26"}],
    }
    found = facts_by_deal({"D-1::build": build, "D-1": own, "D-2": {"progress": 0.5}})
    assert found["D-2"] == {"progress": 0.5}
    whole = found["D-1"]
    assert (whole["url"], whole["progress"], whole["spent_hours"]) == ("u", 0.5, 52.5)
    assert (whole["team"], whole["last_activity"]) == (["Ana", "Bo"], build["last_activity"])
    assert [each["name"] for each in whole["milestones"]] == ["W", "build: R"]  # type: ignore


NO_MEANING: dict[str, list[object]] = {
    "url": [5, ["x"]],
    "last_activity": [5, "0000-00-00", "2026-13-45T00:00:00", "0001-01-01T00:00:00+02:00"],
    "team": [5, "Ana", [None], [["Ana"]]],
    "progress": [True, -0.1, 50, 10**400, "half", [1]],
    "spent_hours": [-1, 10**400, "NaN", {}],
    "milestones": [5, {"name": "A"}],
}


@pytest.mark.parametrize("name", NO_MEANING)
def test_what_a_target_reports_without_a_meaning_is_unknown_and_ends_nothing(name: str) -> None:
    for value in NO_MEANING[name]:
        reported = {"title": "Portal", name: value, "more": 1}
        assert understood(reported) == {"title": "Portal", "more": 1}, value
        assert delivery_facts("D-1", reported, EARLY, "staffed") == DeliveryFacts(
            "D-1", title="Portal", state="staffed", seen_at=EARLY
        )


def test_of_milestones_only_days_without_a_meaning_are_unknown_and_a_moment_has_a_zone() -> None:
    listed = [
        {"name": "A", "start": "2026-02-30", "finish": "2026-03-01", "closed": False},
        {"name": "B", "start": 5, "finish": "9999-12-31"},
        "C",
    ]
    reported = {"milestones": listed, "last_activity": "2026-12-01 00:00:00", "progress": 0.5}
    found = delivery_facts("D-1", reported, None, "")
    assert found.milestones == (("A", None, date(2026, 3, 1)), ("B", None, None))
    assert (found.last_activity, found.progress) == (EARLY, Decimal("0.5"))
