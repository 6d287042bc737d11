"""Planned hours of stories: a number, hours of a role, or a field of the deal."""

from __future__ import annotations

from dataclasses import replace

import pytest
from jsonschema import Draft7Validator

from sync.records.model import Owner
from sync.target import Capabilities
from taiga_pipeline.mapping.demand import Staffing
from taiga_pipeline.mapping.holding import Holding, asked_by
from taiga_pipeline.mapping.load import parse_mapping
from taiga_pipeline.mapping.schema import mapping_schema
from taiga_pipeline.records import Kind, Story
from tests.mapping.support import (
    BACK,
    DESIGN,
    HEAD,
    STAGES,
    TODAY,
    children,
    deal,
    desired,
    fields,
    mappings,
    problems,
)
from tests.pipeline.fields.support import TABLE

NO_HOURS = Capabilities(lacks={Kind.STORY: frozenset({Story.HOURS})}, tells_untouched=True)
MUST = 'm.toml:18:9: "hours" must be '


def story(hours: str, more: str = "") -> str:
    return f'[[story]]\nsubject = "Build"\nhours = {hours}\n{more}'


def planned(hours: str, **changes: object) -> object:
    """The hours of a story of a won deal."""
    subject = deal(stage="Won", **{"roles": (BACK, DESIGN), **changes})
    rules = parse_mapping(f"{HEAD}{STAGES}{story(hours)}", "test.toml", TABLE)
    return fields(desired(subject, rules), Kind.STORY)["build"][Story.HOURS]


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        ("16", "16"),
        ("7.5", "7.5"),
        ("100000", "100000"),
        ('"role:Back"', "300"),
        ('"role: back "', "300"),
        ('"role:*"', "364"),
        ('"25 % of role:Back"', "75"),
        ('"33.33% of role:Design"', "21.5"),
        ('"1 % of role:Design"', "0.5"),
        ('"0.01 % of role:Design"', "0.5"),
        ('"role:Front"', None),
        ('"{score}"', "1234.5"),
        ('"50 % of {score}"', "617"),
    ],
)
def test_hours_are_a_number_or_come_from_the_deal(hours: str, expected: str | None) -> None:
    assert planned(hours, own={"score": "1234.5"}) == expected


@pytest.mark.parametrize("score", ["", "-5", "0", "NaN", "Infinity", "1e9", "soon", "1" * 400])
def test_what_is_no_number_of_hours_in_a_deal_is_no_estimate(score: str) -> None:
    assert planned('"{score}"', own={"score": score}) is None


def test_a_story_without_hours_says_nothing_of_them() -> None:
    rules = mappings('[[story]]\nsubject = "Build"\n')
    assert Story.HOURS not in fields(desired(deal(stage="Won"), rules), Kind.STORY)["build"]


def test_hours_of_roles_are_those_of_the_mapping_where_a_deal_states_none() -> None:
    roles = '[[role]]\nrole = "Back"\nhours_per_week = 10\nweeks = 3\n'
    rules = mappings(story('"role:Back"', roles))
    found = fields(desired(deal(stage="Won"), rules), Kind.STORY)["build"]
    assert found[Story.HOURS] == "30"


def test_in_a_phase_they_are_those_of_the_phase() -> None:
    text = (
        '[[phase]]\nname = "Discovery"\nkeeps_project = true\n'
        '[[phase.role]]\nrole = "Design"\nhours_per_week = 8\nweeks = 2\n'
        '[[phase.story]]\nsubject = "Ask"\nhours = "role:*"\n'
        '[[phase]]\nname = "Build"\nafter = "Discovery"\ntakes_roles = true\n'
    )
    rules = mappings(story('"role:*"') + text)
    groups = rules.desired_groups(deal(stage="Won", roles=(BACK,)), Staffing(), TODAY)
    hours = {
        (group.key, name): record.fields[Story.HOURS]
        for group in groups
        for name, record in children(group, Kind.STORY).items()
    }
    assert hours == {
        ("D-1", "build"): "16",
        ("D-1", "ask"): "16",
        ("D-1::build", "build"): "300",
    }


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        ("0", "more than 0 and at most 100000 hours; it is 0"),
        ("-5", "more than 0 and at most 100000 hours; it is -5"),
        ("1e9", "more than 0 and at most 100000 hours; it is 1"),
        ("nan", "more than 0 and at most 100000 hours; it is"),
        ("-inf", "more than 0 and at most 100000 hours; it is"),
        ("true", "a number of hours, a role's hours such as"),
        ("[16]", "a number of hours, a role's hours such as"),
        ('""', "a number of hours, a role's hours such as"),
        ('"16"', "a number of hours, a role's hours such as"),
        ('"16 h"', "a number of hours, a role's hours such as"),
        ('"Back"', "a number of hours, a role's hours such as"),
        ('"role:"', "a number of hours, a role's hours such as"),
        ('"0 % of role:Back"', "a number of hours, a role's hours such as"),
        ('"150 % of role:Back"', "a number of hours, a role's hours such as"),
        ('"-5 % of role:Back"', "a number of hours, a role's hours such as"),
    ],
)
def test_what_hours_cannot_be_is_refused_at_its_place(hours: str, expected: str) -> None:
    (problem,) = problems(f"{HEAD}{STAGES}{story(hours)}")
    assert problem.startswith(f"{MUST}{expected}")


def test_a_field_that_is_no_number_is_refused_at_its_place() -> None:
    (problem,) = problems(HEAD + STAGES + story('"{customer}"'))
    assert problem == 'm.toml:18:9: "{customer}" is no field of your own that is a number'


def test_editors_are_told_what_hours_may_be() -> None:
    schema = mapping_schema()
    Draft7Validator.check_schema(schema)
    stage = {"name": "Won", "category": "won"}

    def takes(hours: object) -> bool:
        story = {"subject": "Build", "hours": hours}
        document = {"mapping": {"name": "m"}, "stage": [stage], "story": [story]}
        return Draft7Validator(schema).is_valid(document)

    assert all(map(takes, (16, 7.5, "role:Back", "25 % of role:*", "{score}")))
    assert not any(map(takes, (0, -5, 1e9, "16", "Back", [16])))


def test_people_and_sales_share_the_hours_unless_a_mapping_decides_otherwise() -> None:
    def owner(extra: str = "") -> Owner:
        group = desired(deal(stage="Won"), mappings(story("16", extra)))
        return children(group, Kind.STORY)["build"].owner(Story.HOURS)

    assert owner() is Owner.SHARED
    assert owner('[ownership]\nstory_hours = "delivery"\n') is Owner.DELIVERY


def test_where_stories_have_no_hours_they_stand_in_the_text_and_that_is_said() -> None:
    rules = mappings(story('"role:Back"', 'description = "Do it for {customer}."\n'))
    holding = Holding("Taiga", lambda: NO_HOURS)
    part = holding.part(desired(deal(stage="Won", roles=(BACK,)), rules))
    found = children(part, Kind.STORY)["build"].fields
    assert found[Story.DESCRIPTION] == "Do it for Acme.\n\nPlanned hours: 300"
    assert Story.HOURS not in found
    asked = [asked_by(each) for each in rules.rules]
    assert holding.notes(asked, rules.rules) == [
        "Taiga has no place for hours of stories: they stand in the description of new stories"
    ]
    assert not Holding("Odoo").notes(asked, rules.rules)


def test_where_lines_are_kept_current_hours_stand_below_the_text_and_that_is_said() -> None:
    rules = mappings(story('"role:Back"', 'description = "Do it for {customer}."\n'))
    can = replace(NO_HOURS, keeps_lines=frozenset({Kind.STORY}))
    holding = Holding("Taiga", lambda: can)
    part = holding.part(desired(deal(stage="Won", roles=(BACK,)), rules))
    found = children(part, Kind.STORY)["build"]
    assert found.fields[Story.DESCRIPTION] == "Do it for Acme."
    assert found.fields[Story.FACTS] == "- Planned hours: 300"
    assert found.owner(Story.FACTS) is Owner.SALES
    assert Story.HOURS not in found.fields
    asked = [asked_by(each) for each in rules.rules]
    (note,) = holding.notes(asked, rules.rules)
    assert note.endswith("they stand below the description, and are kept current there")
