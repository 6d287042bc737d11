"""What the target cannot hold is left out of what deals ask for, and said once."""

from __future__ import annotations

from sync.records.model import DesiredGroup
from sync.target import Capabilities
from taiga_pipeline.mapping.holding import Holding, asked_by
from taiga_pipeline.records import Kind, Membership, Project, Story
from taiga_pipeline.targets.port import PROJECTS
from tests.mapping.support import allocation, children, deal, desired, mappings

EVERYTHING = """
[project]
tags = ["incoming"]
from_sales_page = "tentative"
[project.retired]
how = "delete-if-untouched"
[[milestone]]
name = "Kick-off"
start = "+0w"
finish = "+1w"
when = "tentative"
[[story]]
subject = "Plan the kick-off"
when = "tentative"
milestone = "Kick-off"
tags = ["new"]
"""
RULES = mappings(EVERYTHING)
(ASKED,) = (asked_by(rules) for rules in RULES.rules)


def group() -> DesiredGroup:
    return desired(deal(stage="Won"), RULES, allocation("ana@example.test", "Back"))


def held(capabilities: Capabilities) -> DesiredGroup:
    return Holding("Cards", lambda: capabilities).part(group())


def notes(capabilities: Capabilities) -> list[str]:
    return Holding("Cards", lambda: capabilities).notes([ASKED], RULES.rules)


def only(*kinds: str, **more: bool) -> Capabilities:
    return Capabilities(kinds=frozenset({Kind.PROJECT, *kinds}), **more)


def test_a_target_that_holds_everything_gets_everything_and_no_note() -> None:
    everything = Capabilities(tells_untouched=True)
    assert held(everything).children == group().children
    assert held(everything).waiting == group().waiting
    assert notes(everything) == []


def test_a_description_is_short_where_the_page_beside_it_can_be_held() -> None:
    """What a planner looks for first stays; a target without pages keeps all of it."""
    whole = str(group().root.fields[Project.DEAL_FACTS])
    assert "Customer: Acme" in whole
    short = str(held(Capabilities(tells_untouched=True)).root.fields[Project.DEAL_FACTS])
    assert [fact.partition(":")[0] for fact in short.split(" ·\n")] == [
        *("Stage", "Probability", "Expected close", "Start", "Value", "Team")
    ]
    assert held(only(Kind.STORY)).root.fields[Project.DEAL_FACTS] == whole


def test_kinds_that_cannot_be_held_are_left_out() -> None:
    part = held(only(Kind.STORY))
    assert {child.key.kind for child in part.children} == {Kind.STORY}


def test_what_is_there_of_a_kind_that_can_no_longer_be_held_stays_as_it_is() -> None:
    before = {child.key for child in group().children if child.key.kind == Kind.MILESTONE}
    assert before
    assert before <= held(only(Kind.STORY)).waiting


def test_a_reference_to_what_cannot_be_held_is_left_out() -> None:
    (story,) = children(held(only(Kind.STORY)), Kind.STORY).values()
    assert Story.MILESTONE not in story.fields
    (member,) = children(held(only(Kind.MEMBERSHIP)), Kind.MEMBERSHIP).values()
    assert Membership.ROLE not in member.fields


def test_fields_without_a_place_are_left_out() -> None:
    part = held(Capabilities(lacks={Kind.PROJECT: frozenset({Project.TAGS})}))
    assert Project.TAGS not in part.root.fields
    assert part.root.fields.keys() | {Project.TAGS} == group().root.fields.keys()


def test_one_note_names_all_that_is_left_out() -> None:
    lacks = {Kind.STORY: frozenset({Story.TAGS}), Kind.PROJECT: frozenset({Project.TAGS})}
    can = Capabilities(
        kinds=frozenset({Kind.PROJECT, Kind.ROLE, Kind.MEMBERSHIP, Kind.STORY}),
        lacks=lacks,
        reasons={Kind.MILESTONE: "they come with version 15"},
        tells_untouched=True,
    )
    assert notes(can) == [
        "Cards has no place for milestones (they come with version 15), pages, tags of projects, "
        "tags of stories: left out"
    ]


def test_a_note_names_nothing_that_the_mapping_does_not_ask_for() -> None:
    bare = mappings()
    asked = [asked_by(rules) for rules in bare.rules]
    lacks = {Kind.PROJECT: frozenset({Project.TEMPLATE, Project.TAGS})}
    can = Capabilities(kinds=PROJECTS.kinds, lacks=lacks)
    assert Holding("Cards", lambda: can).notes(asked, bare.rules) == []


def test_a_mapping_that_deletes_untouched_projects_is_told_where_that_cannot_be() -> None:
    (note,) = notes(Capabilities())
    assert "does not say who changed a project" in note
    assert "delete-if-untouched" in note


def test_what_a_target_can_may_become_clear_after_it_is_connected() -> None:
    can = [only()]
    holding = Holding("Cards", lambda: can[-1])
    assert not children(holding.part(group()), Kind.WIKI)
    can.append(Capabilities())
    assert children(holding.part(group()), Kind.WIKI)


def test_no_field_that_a_deal_can_ask_for_is_unknown_to_the_notes() -> None:
    for record in group().records():
        unknown = record.fields.keys() - ASKED[record.key.kind] - {Project.STATE}
        always_given = {(Kind.MEMBERSHIP, Membership.ADMIN)}  # false unless a mapping says it
        assert {(record.key.kind, name) for name in unknown} <= always_given, record.key
