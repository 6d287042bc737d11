"""What several deals in one project ask for."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from sync.records.model import Desired, DesiredGroup
from taiga_pipeline.mapping.demand import Staffing
from taiga_pipeline.mapping.errors import UnknownStage
from taiga_pipeline.pipeline.model import Deal
from taiga_pipeline.pipeline.tables.joins import main_deals, own_share
from taiga_pipeline.records import Kind, Membership, Milestone, Project, Story, Wiki
from tests.mapping.support import BACK, DESIGN, TODAY, allocation, deal, mappings

MAPPING = """
[project]
tags = ["{service}"]
from_sales_page = "tentative"
[[milestone]]
name = "Kick-off"
start = "+0w"
finish = "+1w"
when = "tentative"
[[story]]
id = "call"
subject = "Call {customer}"
milestone = "Kick-off"
"""
MAIN = deal(key="D-1", name="Portal", stage="Won", service="web", roles=(BACK,))
EXTRA = deal(key="D-2", name="Search", stage="Proposal", service="search", roles=(DESIGN,))

NOBODY = Staffing()


def together(*deals: Deal, staffed: Staffing = NOBODY) -> tuple[DesiredGroup, list[DesiredGroup]]:
    asked = [(each, staffed if each.key == "D-2" else NOBODY) for each in deals]
    first, *others = mappings(MAPPING).desired_together(asked, TODAY)
    return first, others


def of_kind(group: DesiredGroup, kind: str) -> dict[str, Desired]:
    return {each.key.name: each for each in group.children if each.key.kind == kind}


def worth(each: Deal, value: int, currency: str = "EUR") -> Deal:
    return replace(each, value=Decimal(value), currency=currency)


def test_demand_value_tags_and_facts_add_up_in_the_project_of_the_main_deal() -> None:
    group, [own] = together(worth(MAIN, 100_000), worth(EXTRA, 50_000))
    fields = group.root.fields
    assert (group.key, fields[Project.STATE]) == ("D-1", "staffed")
    assert fields[Project.TAGS] >= {"web", "search"}  # type: ignore[operator]
    facts = str(fields[Project.DEAL_FACTS])
    assert "Value: 150,000 EUR" in facts
    assert "Back" in facts
    assert "Design" in str(fields[Project.LOOKING_FOR_PEOPLE_NOTE])
    assert "Also in this project: Search (D-2), Proposal, 50 %, 50,000 EUR" in facts
    assert (own.key, own.retired, own.create, own.children) == ("D-2", True, False, ())
    assert own.root.reason == "the deal is part of the project of D-1"


def test_other_currencies_are_not_added() -> None:
    group, _ = together(worth(MAIN, 100), worth(EXTRA, 50, "SEK"))
    assert "Value: 100 EUR + 50 SEK" in str(group.root.fields[Project.DEAL_FACTS])


def test_what_a_deal_brings_is_named_after_it_and_refers_to_its_own() -> None:
    group, _ = together(MAIN, replace(EXTRA, stage="Won"))
    milestones, stories = of_kind(group, Kind.MILESTONE), of_kind(group, Kind.STORY)
    assert [each.fields[Milestone.NAME] for each in milestones.values()] == [
        "Kick-off",
        "Kick-off · Search (D-2)",
    ]
    assert list(stories) == ["call", "call · D-2"]
    extra = stories["call · D-2"].fields
    assert extra[Story.MILESTONE] in milestones
    assert str(extra[Story.SUBJECT]).endswith("· Search (D-2)")


def test_people_of_both_are_members_once() -> None:
    staffed = Staffing((replace(allocation("ana@example.org", "Back"), deal_key="D-2"),))
    group, _ = together(MAIN, replace(EXTRA, stage="Won"), staffed=staffed)
    members = of_kind(group, Kind.MEMBERSHIP)
    assert members["ana@example.org"].fields[Membership.ROLE] == "Back"
    assert {each.key.group for each in group.children} == {"D-1"}


def test_a_lost_deal_takes_only_its_own_part_away() -> None:
    group, _ = together(MAIN, replace(EXTRA, stage="Lost"))
    alone = mappings(MAPPING).desired(MAIN, Staffing(), TODAY)
    assert group == alone


def test_the_project_lives_on_for_a_deal_whose_main_deal_was_lost() -> None:
    won = replace(EXTRA, stage="Won", closed_on=TODAY)
    group, _ = together(replace(MAIN, stage="Lost"), won)
    assert (group.root.fields[Project.STATE], group.create) == ("staffed", True)
    assert list(of_kind(group, Kind.STORY)) == ["call · D-2"]
    assert "Back" not in str(group.root.fields[Project.LOOKING_FOR_PEOPLE_NOTE])
    both_lost, _ = together(replace(MAIN, stage="Lost"), replace(EXTRA, stage="Lost"))
    assert both_lost.retired


def test_the_page_shows_both() -> None:
    group, _ = together(MAIN, EXTRA)
    [page] = of_kind(group, Kind.WIKI).values()
    text = str(page.fields[Wiki.FACTS])
    assert text.index("Back") < text.index("## Search (D-2)") < text.index("Design")


def test_a_deal_that_cannot_be_mapped_is_an_error_for_the_whole() -> None:
    with pytest.raises(UnknownStage):
        together(MAIN, replace(EXTRA, stage="Wom"))


def test_deals_that_join_a_joined_one_are_in_the_first_ones_project() -> None:
    assert main_deals({"C": "B", "B": "A"}) == {"C": "A", "B": "A"}
    assert main_deals({"A": "B", "B": "A", "C": "A"}) == {}


def test_milestones_that_delivery_reports_belong_to_the_deal_that_brought_them() -> None:
    reported = (("Kick-off", 1), ("Kick-off · Search (D-2)", 2), ("Own · idea (x)", 3))
    assert own_share(reported, "D-1", ["D-2"]) == (("Kick-off", 1), ("Own · idea (x)", 3))
    assert own_share(reported, "D-2", ["D-2"]) == (("Kick-off", 2),)
