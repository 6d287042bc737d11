"""Why a project looks as it does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from taiga_pipeline.mapping.demand import Staffing
from taiga_pipeline.mapping.errors import NotMapped
from taiga_pipeline.mapping.explain import Explanation, explain
from taiga_pipeline.mapping.load import load_mappings

from .support import BACK, HEAD, STAGES, TODAY, allocation, deal, mappings

PLAN = """
[project]
tags = ["{service}", "{lead_source}"]
[[milestone]]
name = "Kick-off"
start = "+1w"
finish = "+2w"
[[story]]
subject = "Kick-off with {customer}"
milestone = "Kick-off"
"""


def explained(**changes: object) -> Explanation:
    rules = mappings(PLAN, HEAD + "lead_time_weeks = 1\n")
    return explain(rules, deal(**changes), Staffing((allocation(),)), TODAY)


def lines(**changes: object) -> list[str]:
    return list(explained(**changes).lines())


def test_it_begins_with_the_file_the_mapping_and_the_stage_rule() -> None:
    assert lines(stage="proposal")[:5] == [
        "Deal D-1 is mapped by test (test.toml).",
        "  test (test.toml) taken: is the default",
        'Stage "proposal" is the rule "Proposal" at test.toml:7.',
        "  category proposal, project tentative",
        "  the start 2026-12-08 is calculated: the close plus lead_time_weeks = 1",
    ]


def test_each_field_shows_its_text_values_owner_and_result() -> None:
    shown = lines(stage="Won", roles=(BACK,))
    for expected in (
        '  title = "Acme: New portal"  [shared]',
        '      from "{customer}: {name}" with customer "Acme", name "New portal"',
        "  tags = Web  [sales]",
        '      from "{service}", "{lead_source}" with service "Web", lead_source ""',
        "  looking_for_people = yes  [sales]",
        "membership ann@example.org: staffed on the deal",
        "milestone Kick-off: each staffed project has it (test.toml:20)",
        '  start = "2026-12-15"  [shared]',
        "      from the start 2026-12-08 and 7 days",
        '  subject = "Kick-off with Acme"  [shared]',
    ):
        assert expected in shown


def test_every_candidate_says_why_it_was_taken_or_not(tmp_path: Path) -> None:
    for name, match in {
        "default": "",
        "team": 'match = { team = ["Consulting"] }',
        "other": 'match = { team = ["Consulting"], service = ["Audit", "Ops"] }',
    }.items():
        (tmp_path / f"{name}.toml").write_text(f'[mapping]\nname = "{name}"\n{match}\n{STAGES}')
    found = explain(load_mappings(tmp_path), deal(), Staffing(), TODAY)
    assert {each.name: each.verdict for each in found.candidates} == {
        "default": "less specific: is the default",
        "team": "taken: matches by 1 field",
        "other": 'no: service is "Web", not audit or ops',
    }


@pytest.mark.parametrize(
    ("changes", "remark"),
    [
        ({"stage": "Needs"}, "no project is made; an existing one is retired"),
        ({"stage": "Lost"}, "no project is made; an existing one is retired, its contents"),
        ({"stage": "Won", "closed_on": TODAY.replace(year=2020)}, "closed more than closed_within"),
        ({"stage": "Won", "expected_close": None}, "start and close are unknown"),
        (
            {"stage": "Won", "expected_close": None},
            "followed only if synced before: the day they were won is unknown",
        ),
    ],
)
def test_what_is_special_about_a_deal_is_remarked(changes: dict[str, object], remark: str) -> None:
    assert any(each.startswith(remark) for each in explained(**changes).remarks)


def test_all_of_it_is_json_as_well() -> None:
    data = json.loads(json.dumps(explained(stage="Won").to_json()))
    assert data["stage"] == {
        "deal": "Won",
        "rule": "Won",
        "category": "won",
        "project": "staffed",
        "file": "test.toml",
        "line": 11,
    }
    title = next(each for each in data["records"][0]["fields"] if each["field"] == "title")
    assert title == {
        "field": "title",
        "value": "Acme: New portal",
        "owner": "shared",
        "origin": "text of the mapping",
        "templates": ["{customer}: {name}"],
        "values": {"customer": "Acme", "name": "New portal"},
    }


def test_a_deal_that_cannot_be_mapped_cannot_be_explained() -> None:
    with pytest.raises(NotMapped):
        explained(stage="?")
