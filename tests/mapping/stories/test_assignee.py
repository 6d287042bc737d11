"""Who does a story: who is staffed in a role, the manager, whom a field names, or someone."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from jsonschema import Draft7Validator

from sync.records.model import Desired, Owner, Reference
from taiga_pipeline.mapping.demand import Staffing
from taiga_pipeline.mapping.load import parse_mapping
from taiga_pipeline.mapping.schema import mapping_schema
from taiga_pipeline.people.model import Allocation, Person
from taiga_pipeline.records import Kind, Story, member_key
from tests.mapping.support import HEAD, STAGES, TODAY, children, deal, mappings, problems
from tests.pipeline.fields.support import TABLE

MEMBERS = """\
[[member]]
email = "sam@example.com"
role = "Sponsor"
admin = false
[[member]]
email = "petra@example.com"
"""
PEOPLE = {
    address: Person(address, name, "Back")
    for address, name in (("anna@example.com", "Anna"), ("bo@example.com", "Bo Ek"))
}


def works(name: str, role: str = "Back", hours: int = 20, start: date | None = None) -> Allocation:
    return Allocation("D-1", f"{name}@example.com", role, Decimal(hours), start)


def story(assignee: str, *allocations: Allocation, extra: str = MEMBERS, **changes: Any) -> Desired:
    """The story of a won deal."""
    text = f'{HEAD}{STAGES}{extra}[[story]]\nsubject = "Build"\nassignee = "{assignee}"\n'
    rules = parse_mapping(text, "test.toml", TABLE)
    subject = deal(**{"stage": "Won", **changes})
    group = rules.desired(subject, Staffing(allocations, PEOPLE), TODAY)
    assert group is not None
    return children(group, Kind.STORY)["build"]


def who(assignee: str, *allocations: Allocation, **changes: Any) -> object:
    found = story(assignee, *allocations, **changes)
    address = found.fields[Story.ASSIGNED]
    key = member_key("D-1", str(address)) if address else None
    assert found.refers[Story.ASSIGNED].key == key
    return address


@pytest.mark.parametrize(
    ("staffed", "expected"),
    [
        ([], None),
        ([works("bo")], "bo@example.com"),
        ([works("bo", "Design")], None),
        ([works("bo", "")], "bo@example.com"),  # in the role that is the person's own
        ([works("bo"), works("anna")], "anna@example.com"),
        ([works("bo", hours=21), works("anna")], "bo@example.com"),
        ([works("bo", hours=11), works("bo", hours=10), works("anna")], "bo@example.com"),
        ([works("bo"), works("anna", start=date(2027, 1, 1))], "bo@example.com"),
        ([works("bo", "Design", 30), works("bo", hours=5)], "bo@example.com"),
    ],
)
def test_a_role_is_who_works_most_in_it_then_who_begins_first_then_by_address(
    staffed: list[Allocation], expected: str | None
) -> None:
    assert who("role: back", *staffed) == expected


def test_a_role_without_anyone_staffed_is_the_member_of_the_mapping_who_has_it() -> None:
    assert who("role:Sponsor") == "sam@example.com"
    assert who("role:Sponsor", works("bo", "Sponsor")) == "bo@example.com"


def test_before_the_deal_is_won_who_is_reserved_does_no_stories() -> None:
    text = f'{STAGES}[[story]]\nsubject = "Build"\nassignee = "role:Back"\nwhen = "tentative"\n'
    rules = parse_mapping(HEAD + text, "test.toml")
    group = rules.desired(deal(), Staffing((works("bo"),), PEOPLE), TODAY)
    assert group is not None
    assert children(group, Kind.STORY)["build"].fields[Story.ASSIGNED] is None


def test_the_manager_is_the_first_member_who_may_administer() -> None:
    assert who("{manager}") == "petra@example.com"
    assert who("{manager}", extra="") is None


@pytest.mark.parametrize(
    ("owner", "expected"),
    [
        ("Anna", "anna@example.com"),
        (" bo  EK", "bo@example.com"),
        ("New@Example.com", "new@example.com"),
        ("", None),
    ],
)
def test_a_field_names_someone_by_name_or_address(owner: str, expected: str | None) -> None:
    assert who("{owner}", owner=owner) == expected


def test_who_is_named_and_has_no_address_is_said() -> None:
    found = story("{owner}", owner="Carl")
    why = "the address of Carl is not known: add it (people add ADDRESS NAME)"
    assert found.refers[Story.ASSIGNED] == Reference(None, why)
    assert found.fields[Story.ASSIGNED] is None


def test_a_story_that_says_nothing_of_it_leaves_it_to_people() -> None:
    rules = mappings('[[story]]\nsubject = "Build"\n')
    group = rules.desired(deal(stage="Won"), Staffing(), TODAY)
    assert group is not None
    found = children(group, Kind.STORY)["build"]
    assert Story.ASSIGNED not in found.fields
    assert not found.refers


def test_a_phases_stories_are_for_who_works_in_the_phase() -> None:
    text = (
        '[[story]]\nsubject = "Build"\nassignee = "role:Back"\n'
        '[[phase]]\nname = "Discovery"\nkeeps_project = true\n'
        '[[phase.role]]\nrole = "Design"\nhours_per_week = 8\nweeks = 2\n'
        '[[phase]]\nname = "Build"\nafter = "Discovery"\n'
        '[[phase.role]]\nrole = "Back"\nhours_per_week = 8\nweeks = 2\n'
    )
    groups = mappings(text).desired_groups(
        deal(stage="Won"), Staffing((works("bo"),), PEOPLE), TODAY
    )
    found = {group.key: children(group, Kind.STORY)["build"] for group in groups}
    assert found["D-1"].fields[Story.ASSIGNED] is None
    key = found["D-1::build"].refers[Story.ASSIGNED].key
    assert key == member_key("D-1::build", "bo@example.com")


@pytest.mark.parametrize("wrong", ["", "Back", "role:", "Anna Lind", "{a} {b}", "a@b c@d", "{}"])
def test_what_names_no_one_is_refused_at_its_place(wrong: str) -> None:
    (problem,) = problems(f'{HEAD}{STAGES}[[story]]\nsubject = "Build"\nassignee = "{wrong}"\n')
    assert problem.startswith('m.toml:18:12: "assignee" must be a role ("role:Back"')


def test_a_field_that_names_no_one_is_refused_with_the_nearest() -> None:
    asked = '[[story]]\nsubject = "Build"\nassignee = "{ownr}"\n'
    (problem,) = problems(f"{HEAD}{STAGES}{asked}")
    where, _, said = problem.partition(" ")
    assert where == "m.toml:18:12:"
    assert said == '"{ownr}" is no field that names a person; did you mean "owner"?'


def test_editors_are_told_who_a_story_may_be_for() -> None:
    schema = mapping_schema()
    Draft7Validator.check_schema(schema)
    stage = {"name": "Won", "category": "won"}

    def takes(assignee: object) -> bool:
        table = {"subject": "Build", "assignee": assignee}
        document = {"mapping": {"name": "m"}, "stage": [stage], "story": [table]}
        return Draft7Validator(schema).is_valid(document)

    assert all(map(takes, ("role:Back", "{owner}", "{manager}", "bo@example.com")))
    assert not any(map(takes, ("", "Back", "role:", 5, ["bo@example.com"])))


def test_people_and_sales_share_it_unless_a_mapping_decides_otherwise() -> None:
    assert story("role:Back").owner(Story.ASSIGNED) is Owner.SHARED
    extra = '[ownership]\nstory_assignee = "delivery"\n'
    assert story("role:Back", extra=extra).owner(Story.ASSIGNED) is Owner.DELIVERY


def test_in_a_joint_project_each_deals_stories_are_for_its_own_people() -> None:
    rules = mappings('[[story]]\nsubject = "Build"\nassignee = "role:Back"\n')
    deals = [deal(stage="Won"), deal(key="D-2", name="More", stage="Won")]
    staffed = [Staffing((works(name),), PEOPLE) for name in ("anna", "bo")]
    group, *_ = rules.desired_together(list(zip(deals, staffed, strict=True)), TODAY)
    found = [each.refers[Story.ASSIGNED].key for each in children(group, Kind.STORY).values()]
    assert found == [member_key("D-1", f"{name}@example.com") for name in ("anna", "bo")]
