"""The mappings that come along, each through a deal's whole life."""

from __future__ import annotations

from decimal import Decimal

import pytest

from taiga_pipeline.mapping.load import parse_mapping
from taiga_pipeline.mapping.mapping_set import MappingSet
from taiga_pipeline.mapping.shipped import shipped_names, shipped_text
from taiga_pipeline.pipeline.model import Category, Contact, ContactPart, RoleDemand
from taiga_pipeline.problems import ProblemsError
from taiga_pipeline.records import Kind

from .support import TODAY, allocation, children, deal, desired


def shipped(name: str) -> MappingSet:
    return parse_mapping(shipped_text(name), f"mappings/{name}.toml")


def test_three_mappings_come_along() -> None:
    assert shipped_names() == ("consultancy", "default", "forsaljning")


def test_a_mapping_that_does_not_come_along_is_answered_with_the_nearest() -> None:
    with pytest.raises(ProblemsError, match=r"did you mean 'default'.*there are consultancy"):
        shipped_text("defualt")


@pytest.mark.parametrize("name", shipped_names())
def test_each_is_commented_and_covers_the_whole_funnel(name: str) -> None:
    [rules] = shipped(name).rules
    assert {stage.category for stage in rules.stages} == set(Category)
    assert shipped_text(name).startswith("# ")
    assert any(stage.requires for stage in rules.stages)
    assert rules.milestones
    assert rules.stories


LIVES = {
    "default": ["Lead", "Qualified", "Needs analysis", "Proposal", "Won", "Lost"],
    "consultancy": ["Lead", "Qualified", "Scoping", "Verbal yes", "Won", "Lost"],
    "forsaljning": [
        "Leadgenerering", "Kvalificering", "Behovsbedömning", "Förslag", "Vunnen", "Förlorad",
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", shipped_names())
def test_a_deal_lives_from_lead_to_lost(name: str) -> None:
    rules = shipped(name)
    subject = deal(roles=(RoleDemand("Back", Decimal(30), 10),))
    states = [desired(deal(stage=stage), rules).root.fields["state"] for stage in LIVES[name]]
    assert states == ["retired", "retired", "retired", "tentative", "staffed", "retired"]
    *early, proposal, won, lost = LIVES[name]
    tentative = desired(deal(stage=proposal, roles=subject.roles), rules)
    won_deal = deal(stage=won, roles=subject.roles, closed_on=TODAY)
    staffed = desired(won_deal, rules, allocation())
    assert not any(desired(deal(stage=stage), rules).create for stage in [*early, lost])
    assert tentative.create
    assert staffed.create
    assert tentative.root.fields["label"]
    assert staffed.root.fields["label"] == ""
    assert tentative.root.fields["title"] == staffed.root.fields["title"] == "Acme: New portal"
    assert tentative.root.fields["looking_for_people"]
    assert "Back 10 h/" in str(staffed.root.fields["looking_for_people_note"])
    assert children(staffed, Kind.MEMBERSHIP)
    assert len(children(staffed, Kind.MILESTONE)) == len(rules.rules[0].milestones)
    assert len(children(staffed, Kind.STORY)) == len(rules.rules[0].stories)
    gone = rules.retired("D-1", staffed.root.fields)
    assert gone.root.fields["label"] not in ("", None)


def test_the_swedish_one_speaks_swedish_and_understands_english() -> None:
    rules = shipped("forsaljning")
    contact = Contact("Bo", part=ContactPart.DECISION_MAKER)
    found = desired(deal(stage="proposal", contacts=(contact,)), rules).root.fields
    assert found["label"] == "(preliminär)"
    assert "Värde: 120,000 EUR ·\nKund: Acme" in str(found["deal_facts"])
    assert "Bo (beslutsfattare)" in str(found["deal_facts"])
    _, stage = rules.stage_of(deal(stage="KVALIFICERING"))
    assert "beslutsfattare identifierad" in stage.requires


def test_the_consultancy_needs_people_even_if_the_deal_names_none() -> None:
    found = desired(deal(), shipped("consultancy")).root.fields
    assert "Consultant 30 h/week x 10 weeks" in str(found["looking_for_people_note"])
    assert shipped("consultancy").choose(deal(team="Hardware")) is None
