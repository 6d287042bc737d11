"""What lives in a project, in any target: roles, members, milestones, stories."""

from __future__ import annotations

import pytest

from sync.errors import Rejected
from sync.in_memory_target import InMemoryTarget
from sync.records.model import Desired, RecordKey
from sync.target import Foreseen, Foresees, Place
from taiga_pipeline.records import Kind, Membership, Milestone, Story
from tests.contract.targets.account import Account, Work, needs, tells_untouched


@pytest.fixture
def work(account: Account) -> Work:
    """A project that was made."""
    work = Work(account)
    work.make()
    return work


def milestone(work: Work, name: str = "Kick-off", finish: str = "2027-01-12") -> str:
    fields = {"name": name, "start": "2027-01-05", "finish": finish}
    return work.add(Kind.MILESTONE, name, **fields).record.id


def story(work: Work, name: str = "kick-off", **fields: str) -> str:
    given = {"subject": "Call them", "description": "At *nine*", "milestone": "", **fields}
    return work.add(Kind.STORY, name, **given, tags=frozenset()).record.id


@needs(Kind.MEMBERSHIP)
def test_a_member_joins_in_a_role_where_there_are_roles(work: Work) -> None:
    role, member = work.account.roles[0], work.account.member
    written = work.join(role)
    (found,) = [c for c in work.children(Kind.MEMBERSHIP) if c.identity == member]
    assert found.id == written.record.id
    has_roles = work.account.capabilities.holds(Kind.MEMBERSHIP, Membership.ROLE)
    assert found.fields.get(Membership.ROLE) == (role if has_roles else None)


@needs(Kind.MEMBERSHIP)
def test_a_member_who_is_there_already_is_not_added_twice(work: Work) -> None:
    first = work.join(work.account.roles[0])
    again = work.join(work.account.roles[0])
    assert again.record.id == first.record.id


@needs(Kind.MEMBERSHIP, Membership.ROLE)
def test_a_member_takes_another_role(work: Work) -> None:
    before, after = work.account.roles
    written = work.join(before)
    work.add(Kind.ROLE, after, name=after)
    work.change_child(written.record, role=after)
    assert work.child(Kind.MEMBERSHIP, written.record.id).fields[Membership.ROLE] == after


@needs(Kind.MEMBERSHIP)
def test_a_member_is_removed_and_removing_again_is_fine(work: Work) -> None:
    written = work.join(work.account.roles[0])
    for _ in range(2):
        work.target.remove(Kind.MEMBERSHIP, written.record.id, work.place)
    assert not [c for c in work.children(Kind.MEMBERSHIP) if c.id == written.record.id]


@needs(Kind.MEMBERSHIP, Membership.ROLE)
def test_a_role_is_found_in_any_letter_case(work: Work) -> None:
    name = work.account.roles[0]
    first = work.add(Kind.ROLE, name, name=name)
    assert work.child(Kind.ROLE, first.record.id).identity == name.casefold()


@needs(Kind.MILESTONE)
def test_a_milestone_is_made_moved_and_removed(work: Work) -> None:
    made = milestone(work)
    seen = work.child(Kind.MILESTONE, made)
    assert seen.identity == "kick-off"
    assert seen.fields[Milestone.FINISH] == "2027-01-12"
    work.change_child(seen, finish="2027-02-01", name="Start")
    seen = work.child(Kind.MILESTONE, made)
    assert (seen.fields[Milestone.NAME], seen.fields[Milestone.FINISH]) == ("Start", "2027-02-01")
    work.target.remove(Kind.MILESTONE, made, work.place)
    assert not work.children(Kind.MILESTONE)


@needs(Kind.MILESTONE)
def test_a_milestone_that_is_there_already_is_returned(work: Work) -> None:
    assert milestone(work) == milestone(work)
    assert len(work.children(Kind.MILESTONE)) == 1


@needs(Kind.MILESTONE)
def test_a_story_is_made_in_its_milestone(work: Work) -> None:
    milestone(work)
    made = story(work, milestone="Kick-off")
    seen = work.child(Kind.STORY, made)
    assert seen.identity == "kick-off"
    assert seen.fields[Story.SUBJECT] == "Call them"
    assert seen.fields.get(Story.DESCRIPTION, "At *nine*") == "At *nine*"


def test_a_story_is_edited_without_losing_its_identity(work: Work) -> None:
    made = story(work)
    work.change_child(work.child(Kind.STORY, made), subject="Visit them")
    work.change_child(work.child(Kind.STORY, made), description="At ten")
    seen = work.child(Kind.STORY, made)
    assert seen.identity == "kick-off"
    assert seen.fields[Story.SUBJECT] == "Visit them"
    assert seen.fields.get(Story.DESCRIPTION) == "At ten"


def test_a_persons_edit_of_a_story_is_seen(work: Work) -> None:
    made = story(work)
    work.account.edit_story(work.id, made, "Their own words")
    seen = work.child(Kind.STORY, made)
    assert (seen.identity, seen.fields[Story.SUBJECT]) == ("kick-off", "Their own words")


def test_a_persons_edit_of_a_story_moves_the_projects_change_token(work: Work) -> None:
    made = story(work)
    before = work.observed().change_token
    work.account.edit_story(work.id, made, "Their own words")
    assert work.observed().change_token != before


def test_peoples_own_stories_are_not_ours(work: Work) -> None:
    work.account.add_story(work.id, "Their own")
    assert not work.children(Kind.STORY)


def test_a_story_is_removed(work: Work) -> None:
    made = story(work)
    work.target.remove(Kind.STORY, made, work.place)
    assert not work.children(Kind.STORY)


def test_children_of_many_projects_are_distinguished(work: Work) -> None:
    works = [work, *(Work(work.account) for _ in range(5))]
    for each in works[1:]:
        each.make()
    for number, each in enumerate(works):
        story(each, subject=f"Story {number}")
    found = work.target.observe_children([each.id for each in works])
    for number, each in enumerate(works):
        stories = [c for c in found[each.id] if c.kind == Kind.STORY and c.identity]
        assert [c.fields[Story.SUBJECT] for c in stories] == [f"Story {number}"]


def test_a_kind_that_has_no_place_is_refused_by_name(work: Work) -> None:
    if work.target.name == "memory":
        pytest.skip("the in-memory target holds any kind")
    with pytest.raises(Rejected, match="riddle"):
        work.add("riddle", "r1", name="r1")


def test_a_child_in_a_project_that_is_gone_is_refused(work: Work) -> None:
    work.account.delete(work.id)
    place = Place(work.id, {RecordKey(work.key, Kind.PROJECT): work.id})
    work.bound = dict(place.bound)
    with pytest.raises(Rejected):
        story(work)


# --- what may be removed: only the connector has touched it


def untouched(work: Work, kind: str, child_id: str) -> bool:
    return work.target.untouched_child(work.child(kind, child_id), work.place)


@tells_untouched
@needs(Kind.MILESTONE)
def test_a_milestone_that_nobody_used_is_untouched_also_once_the_connector_moved_it(
    work: Work,
) -> None:
    made = milestone(work)
    work.change_child(work.child(Kind.MILESTONE, made), finish="2027-02-01")
    assert untouched(work, Kind.MILESTONE, made)


@tells_untouched
@needs(Kind.MILESTONE)
def test_a_milestone_with_a_story_in_it_is_not_untouched(work: Work) -> None:
    made = milestone(work)
    put_in = story(work, milestone="Kick-off")
    assert not untouched(work, Kind.MILESTONE, made)
    work.target.remove(Kind.STORY, put_in, work.place)
    assert untouched(work, Kind.MILESTONE, made)


@tells_untouched
def test_a_story_is_untouched_until_a_person_edits_it(work: Work) -> None:
    made = story(work)
    assert untouched(work, Kind.STORY, made)
    work.account.edit_story(work.id, made, "Ring them")
    assert not untouched(work, Kind.STORY, made)


@needs(Kind.MEMBERSHIP, Membership.ROLE)
def test_a_role_that_somebody_holds_is_never_taken_back(work: Work) -> None:
    role = work.account.roles[0]
    work.join(role)
    held = next(c for c in work.children(Kind.ROLE) if c.identity == role.casefold())
    assert not untouched(work, Kind.ROLE, held.id)


# --- what would be refused, known before anything is made


def foreseen(work: Work, kind_: str, name_: str, /, **fields: str) -> list[Foreseen]:
    assert isinstance(work.target, Foresees)
    return list(work.target.foresee([Desired(RecordKey("any", kind_, name_), fields)]))


@needs(Kind.MEMBERSHIP)
def test_a_member_and_a_role_that_are_there_are_known(work: Work) -> None:
    role, member = work.account.roles[0], work.account.member
    work.join(role)
    if isinstance(work.target, InMemoryTarget):
        work.target.names = {"email": frozenset({member}), "role": frozenset({role})}
    found = foreseen(work, Kind.MEMBERSHIP, member, email=member, role=role)
    assert not [each for each in found if each.is_certain]
    if work.account.capabilities.holds(Kind.ROLE):
        assert not foreseen(work, Kind.ROLE, role, name=role)


@needs(Kind.MEMBERSHIP)
def test_a_member_whom_nobody_knows_is_pointed_out(work: Work) -> None:
    if isinstance(work.target, InMemoryTarget):
        work.target.names = {"email": frozenset({work.account.member})}
    stranger = "nobody.at.all@example.test"
    (message,) = foreseen(work, Kind.MEMBERSHIP, stranger, email=stranger)
    assert stranger in message.message
