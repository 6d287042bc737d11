"""What a deal asks for at each step of its life."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.records.model import Owner, WhenDeleted, WhenDropped, WhenRetired
from taiga_pipeline.mapping.demand import Staffing
from taiga_pipeline.people.model import Allocation, Person
from taiga_pipeline.pipeline.model import Category, Contact, ContactPart, Deal, Note, RoleDemand
from taiga_pipeline.records import Kind

from .support import (
    BACK,
    DESIGN,
    HEAD,
    TODAY,
    allocation,
    children,
    deal,
    desired,
    fields,
    mappings,
    root,
)

PROJECT = """
[project]
title = "{customer}: {name}"
tags = ["{service}", "crm-{team}", "team {lead_source}"]
description = "Sold by {owner}."
template = "kanban"
[project.tentative]
tags = ["tentative"]
[project.staffed]
tags = ["won"]
[project.retired]
tags = ["put away"]
"""
PLAN = """
[[milestone]]
name = "Kick-off"
finish = "+1w"
[[milestone]]
id = "end"
name = "End of {name}"
start = "+8w"
finish = "+10d"
when = "tentative"
[[story]]
subject = "Kick-off with {customer}"
milestone = "Kick-off"
tags = ["{service}", "x {lead_source}"]
[[story]]
id = "think"
subject = "Think"
when = "tentative"
""".replace('"+10d"', '"+70d"')


def test_a_proposal_is_a_tentative_project() -> None:
    found = desired(deal(roles=(BACK,)), mappings(PROJECT))
    assert found.create
    assert found.root.fields == {
        "state": "tentative",
        "label": "(tentative)",
        "title": "Acme: New portal",
        "tags": frozenset({"Web", "crm-Consulting", "tentative"}),
        "text": "Sold by Anna.",
        "deal_facts": "Stage: Proposal ·\nProbability: 50 % ·\nExpected close: 2026-12-01 ·\n"
        "Start: 2026-12-01 ·\nRoles needed: Back 30 h/week x 10 weeks from 2026-12-01 ·\n"
        "Value: 120,000 EUR ·\nCustomer: Acme ·\nSales owner: Anna ·\nTeam: Consulting ·\n"
        "Service: Web",
        "looking_for_people": True,
        "looking_for_people_note": "Needs: Back 30 h/week x 10 weeks from 2026-12-01",
        "template": "kanban",
        "private": True,
    }
    assert found.root.reason == 'the stage "Proposal" makes it tentative (test.toml:6)'


def test_the_note_lists_every_role_with_its_own_start() -> None:
    note = root(deal(roles=(BACK, DESIGN)))["looking_for_people_note"]
    assert note == (
        "Needs: Back 30 h/week x 10 weeks from 2026-12-01; "
        "Design (figma) 16 h/week x 4 weeks from 2026-12-15"
    )


def test_without_a_date_the_note_says_how_long_only() -> None:
    subject = deal(expected_close=None, roles=(replace(BACK, weeks=1),))
    assert root(subject)["looking_for_people_note"] == "Needs: Back 30 h/week x 1 week"


def test_a_deal_without_roles_needs_those_of_the_mapping() -> None:
    rules = mappings('[[role]]\nrole = "Lead"\nhours_per_week = 7.5\nweeks = 2\nstart = "+1w"\n')
    assert root(deal(), rules)["looking_for_people_note"] == (
        "Needs: Lead 7.5 h/week x 2 weeks from 2026-12-08"
    )
    assert "Lead" not in root(deal(roles=(BACK,)), rules)["looking_for_people_note"]


def test_nobody_is_looked_for_when_nothing_is_known_of_roles() -> None:
    found = root(deal())
    assert (found["looking_for_people"], found["looking_for_people_note"]) == (False, "")


def test_reservations_and_allocations_do_not_join_before_the_deal_is_won() -> None:
    found = desired(deal(roles=(BACK,)), None, allocation())
    assert children(found, Kind.MEMBERSHIP) == {}
    assert "Back 30 h/week" in str(found.root.fields["looking_for_people_note"])


def test_a_won_deal_is_the_same_project_staffed() -> None:
    subject = deal(stage="Won", roles=(BACK, DESIGN))
    found = desired(subject, mappings(PROJECT + PLAN), allocation(email="Ann@Example.org"))
    assert found.root.key == desired(deal(), mappings(PROJECT + PLAN)).root.key
    assert found.root.fields["label"] == ""
    assert found.root.fields["tags"] == {"Web", "crm-Consulting", "won"}
    assert [record.key.kind for record in found.children] == [
        "role", "membership", "milestone", "milestone", "story", "story",
    ]  # fmt: skip
    assert fields(found, Kind.ROLE) == {"Back": {"name": "Back"}}
    assert fields(found, Kind.MEMBERSHIP) == {
        "ann@example.org": {"email": "ann@example.org", "role": "Back", "admin": False}
    }
    assert fields(found, Kind.MILESTONE) == {
        "Kick-off": {"name": "Kick-off", "start": "2026-12-01", "finish": "2026-12-08"},
        "end": {"name": "End of New portal", "start": "2027-01-26", "finish": "2027-02-09"},
    }
    assert fields(found, Kind.STORY) == {
        "kick-off-with-customer": {
            "subject": "Kick-off with Acme",
            "description": "",
            "milestone": "Kick-off",
            "tags": frozenset({"Web"}),
        },
        "think": {"subject": "Think", "description": "", "milestone": "", "tags": frozenset()},
    }


def test_only_what_is_meant_for_tentative_projects_is_there_before() -> None:
    found = desired(deal(), mappings(PLAN))
    assert list(children(found, Kind.MILESTONE)) == ["end"]
    assert list(children(found, Kind.STORY)) == ["think"]


def test_roles_that_stay_open_are_still_looked_for() -> None:
    subject = deal(stage="Won", roles=(BACK, DESIGN))
    note = root(subject, None, allocation(hours=20))["looking_for_people_note"]
    assert note == (
        "Needs: Back 10 h/week x 10 weeks from 2026-12-01; "
        "Design (figma) 16 h/week x 4 weeks from 2026-12-15"
    )


def test_a_fully_staffed_project_looks_for_nobody() -> None:
    found = root(deal(stage="Won", roles=(BACK,)), None, allocation(hours=30))
    assert (found["looking_for_people"], found["looking_for_people_note"]) == (False, "")
    assert "Roles needed: Back 30 h/week" in found["deal_facts"]


def test_a_reservation_waits_for_the_deal_to_be_won_and_then_joins() -> None:
    reserved = allocation(hours=30, confirmed=False)
    waiting = desired(deal(roles=(BACK,)), None, reserved)
    assert waiting.children == ()
    assert waiting.root.fields["looking_for_people"]
    won = desired(deal(stage="Won", roles=(BACK,)), None, reserved)
    assert [child.key.kind for child in won.children] == [Kind.ROLE, Kind.MEMBERSHIP]
    assert not won.root.fields["looking_for_people"]


MANAGED = """
[[member]]
email = "Petra@Example.org"

[[member]]
email = "lead@example.org"
role = "Front"
admin = false
when = "staffed"
"""


def test_a_projects_manager_is_in_it_from_the_start_and_may_administer_it() -> None:
    found = desired(deal(), mappings(MANAGED))
    assert fields(found, Kind.MEMBERSHIP) == {
        "petra@example.org": {
            "email": "petra@example.org",
            "role": "Product Owner",
            "admin": True,
        }
    }
    (member,) = [child for child in found.children if child.key.kind == Kind.MEMBERSHIP]
    assert member.reason.startswith("a member of every project (")
    assert desired(deal(stage="Lost"), mappings(MANAGED)).children == ()


def test_members_of_every_won_project_join_with_those_who_are_staffed_each_once() -> None:
    both = allocation(email="lead@example.org"), allocation(email="bo@example.org")
    found = desired(deal(stage="Won", roles=(BACK,)), mappings(MANAGED), *both)
    assert {
        email: (member["role"], member["admin"])
        for email, member in fields(found, Kind.MEMBERSHIP).items()
    } == {
        "petra@example.org": ("Product Owner", True),
        "lead@example.org": ("Front", False),
        "bo@example.org": ("Back", False),
    }
    assert set(fields(found, Kind.ROLE)) == {"Product Owner", "Front", "Back"}


def test_an_allocation_covers_the_weeks_that_it_lasts() -> None:
    first = allocation(hours=30, end=date(2026, 12, 14))
    last = allocation(email="bo@example.org", hours=10, start=date(2027, 1, 26))
    note = root(deal(stage="Won", roles=(BACK,)), None, first, last)["looking_for_people_note"]
    assert note == (
        "Needs: Back 30 h/week x 6 weeks from 2026-12-15; Back 20 h/week x 2 weeks from 2027-01-26"
    )


@given(
    st.lists(st.tuples(st.integers(1, 40), st.integers(1, 6), st.integers(0, 4)), max_size=3),
    st.lists(st.tuples(st.integers(1, 40), st.integers(-9, 60), st.integers(0, 40)), max_size=3),
)
def test_open_hours_are_needed_hours_less_allocated_ones_in_every_week(
    needs: list[tuple[int, int, int]], given_: list[tuple[int, int, int]]
) -> None:
    start = date(2026, 12, 1)
    demand = tuple(RoleDemand("Back", Decimal(h), w, s) for h, w, s in needs)
    people = [
        allocation(
            hours=hours,
            start=start + timedelta(days=first),
            end=start + timedelta(days=first + days),
        )
        for hours, first, days in given_
    ]
    subject = deal(stage="Won", start=start, roles=demand or (replace(BACK, role="Other"),))
    note = root(subject, None, *people)["looking_for_people_note"]
    shown: dict[int, int] = {}
    for part in note.removeprefix("Needs: ").split("; ") if demand and note else []:
        words = part.split()
        begin = (date.fromisoformat(words[-1]) - start).days // 7
        for week in range(begin, begin + int(words[4])):
            shown[week] = shown.get(week, 0) + int(words[1])
    expected = {}
    for week in range(12):
        asked = sum(h for h, w, s in needs if s <= week < s + w)
        there = sum(h for h, f, d in given_ if f <= week * 7 + 6 and f + d >= week * 7)
        if asked > there:
            expected[week] = asked - there
    assert shown == expected


def test_a_member_has_the_role_with_the_most_hours_as_the_demand_spells_it() -> None:
    found = desired(
        deal(stage="Won", roles=(BACK, DESIGN)),
        None,
        allocation(role="design", hours=5),
        allocation(role="BACK", hours=9),
    )
    assert fields(found, Kind.MEMBERSHIP)["ann@example.org"]["role"] == "Back"
    assert list(children(found, Kind.ROLE)) == ["Back"]


def test_a_member_without_a_role_has_the_persons_own_or_else_is_a_member() -> None:
    people = {"ann@example.org": Person("ann@example.org", "Ann", role="Tester")}
    items = (allocation(role=""), allocation(email="bo@example.org", role=""))
    found = mappings().desired(deal(stage="Won"), Staffing(items, people), TODAY)
    assert found is not None
    assert {name: each["role"] for name, each in fields(found, Kind.MEMBERSHIP).items()} == {
        "ann@example.org": "Tester",
        "bo@example.org": "Member",
    }


def test_members_alone_are_removed_when_they_are_dropped() -> None:
    found = desired(deal(stage="Won"), mappings(PLAN), allocation())
    removed = {r.key.kind for r in found.records() if r.when_dropped is WhenDropped.REMOVE}
    assert removed == {Kind.MEMBERSHIP}


@pytest.mark.parametrize(("stage", "label"), [("Lost", "(lost)"), ("Needs", "(on hold)")])
def test_a_lost_or_regressed_deal_is_put_away_and_its_contents_left_alone(
    stage: str, label: str
) -> None:
    found = desired(deal(stage=stage, roles=(BACK,)), mappings(PROJECT + PLAN), allocation())
    assert found.retired
    assert not found.create
    assert not found.follow_children
    assert found.children == ()
    assert found.root.fields["label"] == label
    assert "put away" in set(found.root.fields["tags"])  # type: ignore[arg-type]
    assert found.root.fields["looking_for_people"] is False
    assert found.root.fields["looking_for_people_note"] == ""


def test_a_reopened_deal_asks_for_what_it_asked_for_before() -> None:
    before = desired(deal(roles=(BACK,)), mappings(PROJECT))
    assert desired(deal(stage="Lost"), mappings(PROJECT)).fingerprint() != before.fingerprint()
    assert desired(deal(roles=(BACK,)), mappings(PROJECT)) == before


def test_why_a_deal_was_lost_is_a_fact() -> None:
    facts = root(deal(stage="Lost", lost_reason="price"))["deal_facts"]
    assert facts.endswith("Lost because: price")
    assert "Lost because" not in root(deal(lost_reason="price"))["deal_facts"]


@pytest.mark.parametrize(("days", "create"), [(90, True), (91, False)])
def test_deals_won_long_ago_are_not_begun_with(days: int, create: bool) -> None:
    closed = TODAY - timedelta(days=days)
    assert desired(deal(stage="Won", closed_on=closed)).create is create
    since = datetime(closed.year, closed.month, closed.day, 12, tzinfo=UTC)
    assert desired(deal(stage="Won", stage_since=since)).create is create


def test_an_open_deal_is_begun_with_however_old_it_is() -> None:
    assert desired(deal(stage_since=datetime(2020, 1, 1, tzinfo=UTC))).create


def test_a_won_deal_of_which_nobody_knows_when_is_left_alone_and_that_is_said() -> None:
    group = desired(deal(stage="Won", expected_close=None))
    assert not group.create
    assert "--closed-on DATE" in group.left_alone and 'when_undated = "create"' in group.left_alone


def test_a_mapping_may_ask_for_projects_of_won_deals_without_a_day() -> None:
    rules = mappings(head=HEAD + 'when_undated = "create"\n')
    group = desired(deal(stage="Won", expected_close=None), rules)
    assert group.create
    assert not group.left_alone


@pytest.mark.parametrize(
    ("close", "create"), [(date(2024, 5, 1), False), (date(2026, 11, 1), True)]
)
def test_a_decision_is_not_later_than_an_expected_close_that_has_passed(
    close: date, create: bool
) -> None:
    since = datetime(2026, 11, 20, tzinfo=UTC)  # the day of an import
    group = desired(deal(stage="Won", expected_close=close, stage_since=since))
    assert group.create is create
    assert not group.left_alone


LEAD_TIME = HEAD + "lead_time_weeks = 2\n"


@pytest.mark.parametrize(
    ("changes", "start"),
    [
        ({"start": date(2027, 1, 4)}, "2027-01-04"),
        ({}, "2026-12-15"),
        ({"expected_close": None, "closed_on": date(2026, 11, 2)}, "2026-11-16"),
        ({"expected_close": None, "stage_since": datetime(2026, 11, 3, tzinfo=UTC)}, "2026-11-17"),
    ],
)
def test_a_won_project_starts_as_stated_or_after_the_lead_time(
    changes: dict[str, object], start: str
) -> None:
    found = desired(deal(stage="Won", **changes), mappings(PLAN, LEAD_TIME))
    assert fields(found, Kind.MILESTONE)["Kick-off"]["start"] == start


@pytest.mark.parametrize("close", [None, date.max])
def test_without_a_start_milestones_wait_and_a_note_says_so(close: date | None) -> None:
    found = desired(deal(stage="Won", expected_close=close), mappings(PLAN, LEAD_TIME))
    assert children(found, Kind.MILESTONE) == {}
    assert fields(found, Kind.STORY)["kick-off-with-customer"]["milestone"] == ""
    assert found.root.notes == (
        "start and close are unknown, so the milestones wait until one is known",
    )


def test_an_open_deal_does_not_start_when_its_stage_began() -> None:
    subject = deal(expected_close=None, stage_since=datetime(2026, 11, 3, tzinfo=UTC))
    assert "Start:" not in root(subject)["deal_facts"]


def test_a_stage_is_found_by_any_of_its_names_in_any_form() -> None:
    rules = mappings('aliases = ["Förlorad"]\n')
    assert root(deal(stage=" FO\u0308RLORAD "), rules)["label"] == "(lost)"


def test_a_deals_own_probability_goes_before_the_stages() -> None:
    assert "Probability: 70 %" in root(deal(probability=Decimal("0.7")))["deal_facts"]
    assert "Probability: 100 %" in root(deal(stage="Won"))["deal_facts"]


def test_facts_that_are_not_known_are_left_out() -> None:
    assert root(Deal("K", "N", stage="Needs"))["deal_facts"] == "Stage: Needs"


def test_contacts_are_listed_with_their_part() -> None:
    contacts = (
        Contact("Bo", part=ContactPart.DECISION_MAKER),
        Contact("Cy", part=ContactPart.INFLUENCER),
        Contact("Di"),
        Contact(" "),
    )
    facts = root(deal(contacts=contacts))["deal_facts"]
    assert "Contacts: Bo (decision maker), Cy (influencer), Di ·\n" in facts


def test_a_title_is_never_empty() -> None:
    rules = mappings('[project]\ntitle = "{customer}"\n')
    assert root(deal(customer=""), rules)["title"] == "New portal"
    assert root(deal(customer="", name=""), rules)["title"] == "D-1"


HOSTILE = "x\r\nValue: 1\n―― End ――\x00\x1b[2J {name} {{ %s </script> ![a](http://b) \u202e"


def test_hostile_values_stay_on_their_line() -> None:
    subject = deal(
        name=HOSTILE,
        customer=HOSTILE,
        owner=HOSTILE,
        notes=(Note(HOSTILE, by=HOSTILE),),
        contacts=(Contact(HOSTILE),),
        roles=(replace(BACK, role=HOSTILE, skills=(HOSTILE,)),),
    )
    rules = mappings('[project]\ndescription = "A\\n{notes}\\nB"\n')
    found = root(subject, rules)
    names = [line.split(":")[0] for line in found["deal_facts"].split("\n")]
    assert names == [
        "Stage", "Probability", "Expected close", "Start", "Roles needed", "Value", "Customer",
        "Contacts", "Sales owner", "Team", "Service",
    ]  # fmt: skip
    assert found["text"].split("\n")[0::2] == ["A", "B"]
    assert "\n" not in found["title"] + found["looking_for_people_note"]
    assert not set("\x00\x1b\u202e") & set("".join(str(value) for value in found.values()))


def test_values_are_never_markup_in_a_storys_description() -> None:
    rules = mappings('[[story]]\nsubject = "S"\ndescription = "**{name}**"\n')
    found = desired(deal(stage="Won", name="![x](y) <b> @ann"), rules)
    description = fields(found, Kind.STORY)["s"]["description"]
    assert description == "**&#33;&#91;x&#93;(y) &#60;b&#62; &#64;ann**"


def test_fields_are_owned_as_the_mapping_says() -> None:
    owners = desired(deal()).root.owners
    assert owners["title"] is Owner.SHARED
    assert owners["text"] is Owner.DELIVERY
    assert owners["deal_facts"] is Owner.SALES
    rules = mappings(PLAN + '[ownership]\ntitle = "sales"\nmilestone_dates = "delivery"\n')
    found = desired(deal(), rules)
    assert found.root.owners["title"] is Owner.SALES
    dates = children(found, Kind.MILESTONE)["end"].owners
    assert (dates["start"], dates["finish"]) == (Owner.DELIVERY, Owner.DELIVERY)


def test_every_field_has_an_owner_on_purpose() -> None:
    found = desired(deal(stage="Won", roles=(BACK,)), mappings(PROJECT + PLAN), allocation())
    for record in found.records():
        assert set(record.fields) <= set(record.owners)


def test_policies_of_the_mapping_are_those_of_the_group() -> None:
    rules = mappings(
        '[project.retired]\nhow = "delete-if-untouched"\n', HEAD + 'when_deleted = "recreate"\n'
    )
    found = desired(deal(), rules)
    assert found.when_retired is WhenRetired.DELETE_IF_UNTOUCHED
    assert found.when_deleted is WhenDeleted.RECREATE


def test_the_own_words_are_those_of_the_mapping() -> None:
    rules = mappings('[words]\nneeds = "Behov"\ncustomer = "Kund"\nweeks = "veckor"\n')
    found = root(deal(roles=(BACK,)), rules)
    assert found["looking_for_people_note"].startswith("Behov: Back 30 h/week x 10 veckor")
    assert "\nKund: Acme ·\n" in found["deal_facts"]


def test_stages_lead_where_their_category_suggests() -> None:
    states = {stage.category: stage.state.value for stage in mappings().rules[0].stages}
    assert states == {
        Category.NEEDS: "none",
        Category.PROPOSAL: "tentative",
        Category.WON: "staffed",
        Category.LOST: "retired",
    }


def test_an_allocation_without_an_address_is_nobody() -> None:
    nobody = Allocation("D-1", " ", "Back", Decimal(30))
    assert desired(deal(stage="Won", roles=(BACK,)), None, nobody).children == ()
