"""What a mapping added and no longer asks for: said, and removed where no one touched it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sync.errors import Rejected
from sync.plan.model import ActionType, IssueKind
from sync.records.model import Desired, DesiredGroup, Owner, RecordKey, WhenDropped
from sync.run.manual_actions import resolve
from sync.run.runner import Outcome, RunReport
from sync.ways_out import Side
from tests.sync.world import World, deal

REPORT, TAKE_BACK = WhenDropped.REPORT, WhenDropped.REMOVE_IF_UNTOUCHED


def milestone(name: str, start: str = "2027-01-05", finish: str = "2027-01-12") -> Desired:
    fields = {"name": name, "start": start, "finish": finish}
    owners = dict.fromkeys(fields, Owner.SHARED)
    return Desired(RecordKey("D1", "milestone", name), fields, owners)


def story(name: str) -> Desired:
    fields = {"subject": name, "description": "", "milestone": ""}
    return Desired(RecordKey("D1", "story", name), fields, dict.fromkeys(fields, Owner.SHARED))


def group(*children: Desired, when: WhenDropped = TAKE_BACK) -> DesiredGroup:
    policy = {"story": when, "milestone": when}
    return replace(deal("D1", "staffed"), children=children, when_dropped=policy)


def names(world: World, kind: str = "milestone") -> list[object]:
    return [c.fields.get("name") for c in world.target.children(world.project().id, kind)]


def dropped(report: RunReport) -> list[str]:
    return [issue.message for issue in report.issues if issue.kind is IssueKind.DROPPED]


def made_then_left(world: World, when: WhenDropped = TAKE_BACK) -> None:
    world.want(group(milestone("Kick-off"), milestone("Delivery", "2027-02-01"), when=when))
    world.run()
    world.want(group(milestone("Kick-off"), when=when))


def test_what_left_is_said_for_as_long_as_it_is_there(world: World) -> None:
    made_then_left(world, REPORT)
    report = world.run()
    assert report.outcome is Outcome.DONE
    (message,) = dropped(report)
    assert "D1/milestone/Delivery: this milestone is no longer wanted" in message
    assert dropped(world.settled())
    assert [issue.kind for issue in world.plan().issues] == [IssueKind.DROPPED]
    world.want(group(milestone("Kick-off"), milestone("Delivery", "2027-02-01"), when=REPORT))
    assert not dropped(world.settled())
    assert names(world) == ["Kick-off", "Delivery"]


def test_what_nobody_touched_is_taken_back(world: World) -> None:
    made_then_left(world)
    report = world.run()
    assert [action.type for action in report.applied] == [ActionType.REMOVE]
    assert names(world) == ["Kick-off"]
    assert not world.settled().issues


def test_what_was_reported_can_be_taken_back_later(world: World) -> None:
    made_then_left(world, REPORT)
    world.run()
    world.want(group(milestone("Kick-off")))
    world.run()
    assert names(world) == ["Kick-off"]


def test_what_people_edited_stays_and_is_said(world: World) -> None:
    made_then_left(world)
    root = world.project().id
    delivery = world.target.children(root, "milestone")[1]
    world.target.edit_child(root, delivery.id, finish="2027-03-01")
    (message,) = dropped(world.run())
    assert "it stays, because people changed finish" in message
    assert names(world) == ["Kick-off", "Delivery"]
    world.settled()


def test_what_people_worked_with_stays_though_its_fields_are_as_they_were(world: World) -> None:
    made_then_left(world)
    root = world.project().id
    delivery = world.target.children(root, "milestone")[1]
    world.target.edit_child(root, delivery.id)  # a comment, say
    report = world.run()
    assert not report.applied
    assert report.outcome is Outcome.DONE
    assert "people have worked with it" in dropped(report)[0]
    assert names(world) == ["Kick-off", "Delivery"]
    assert dropped(world.settled())


def test_what_people_made_is_never_taken_back(world: World) -> None:
    world.want(group())
    world.run()
    world.target.add_child(world.project().id, "milestone", "Kick-off", name="Kick-off")
    world.want(group(milestone("Kick-off")))
    world.run()
    world.want(group())
    world.run()
    assert names(world) == ["Kick-off"]
    assert not dropped(world.settled())


def test_what_is_unknown_at_present_stays_as_it_is(world: World) -> None:
    made_then_left(world)
    waiting = frozenset({RecordKey("D1", "milestone", "Delivery")})
    world.want(replace(group(milestone("Kick-off")), waiting=waiting))
    report = world.run()
    assert not report.applied
    assert not report.issues
    assert names(world) == ["Kick-off", "Delivery"]


def test_taking_back_counts_as_children_and_is_limited(world: World) -> None:
    keys = [f"D{n:02}" for n in range(20)]

    def all_with(*stories: str) -> list[DesiredGroup]:
        policy = {"story": TAKE_BACK}
        return [replace(deal(key, stories=stories), when_dropped=policy) for key in keys]

    world.want(*all_with("kick-off"))
    world.run()
    world.want(*all_with())
    assert "limit 'children': 20 projects planned" in world.run().refusal
    world.run(allow=frozenset({"children"}))
    assert not [c for r in world.target.roots for c in world.target.children(r.id, "story")]


def test_a_person_leaves_it_to_the_project(world: World) -> None:
    made_then_left(world, REPORT)
    world.run()
    with pytest.raises(Rejected):
        resolve(world.store, "D1", Side.SALES)
    resolve(world.store, "D1/milestone/Delivery", Side.DELIVERY)
    assert not dropped(world.settled())
    assert names(world) == ["Kick-off", "Delivery"]


def test_a_person_has_it_removed(world: World) -> None:
    made_then_left(world, REPORT)
    world.run()
    resolve(world.store, "D1/milestone/Delivery", Side.SALES)
    world.run()
    assert names(world) == ["Kick-off"]


# --- renames


def test_a_milestone_with_another_name_and_the_same_dates_is_renamed(world: World) -> None:
    world.want(group(milestone("Kick-off"), milestone("Delivery", "2027-02-01")))
    world.run()
    before = [c.id for c in world.target.children(world.project().id, "milestone")]
    world.want(group(milestone("Start"), milestone("Delivery", "2027-02-01")))
    report = world.run()
    assert [action.type for action in report.applied] == [ActionType.UPDATE]
    assert names(world) == ["Start", "Delivery"]
    assert [c.id for c in world.target.children(world.project().id, "milestone")] == before
    world.settled()


def test_a_corrected_name_is_a_rename_though_the_dates_move_too(world: World) -> None:
    world.want(group(milestone("Kick-of")))
    world.run()
    world.want(group(milestone("Kick-off", "2027-01-06")))
    world.run()
    assert names(world) == ["Kick-off"]


def test_nothing_is_guessed_where_the_source_names_every_change_of_a_key(world: World) -> None:
    world.want(replace(group(milestone("Kick-off")), knows_former=True))
    world.run()
    before = [c.id for c in world.target.children(world.project().id, "milestone")]
    world.want(replace(group(milestone("Start")), knows_former=True))
    world.run()
    after = [c.id for c in world.target.children(world.project().id, "milestone")]
    assert names(world) == ["Start"]
    assert before != after


def test_a_corrected_subject_is_a_rename(world: World) -> None:
    world.want(group(story("kick-of with acme"), story("read the contract")))
    world.run()
    world.want(group(story("kick-off with acme"), story("read the contract")))
    world.run()
    subjects = [c.fields["subject"] for c in world.target.children(world.project().id, "story")]
    assert subjects == ["kick-off with acme", "read the contract"]


def test_another_story_in_the_place_of_one_is_no_rename(world: World) -> None:
    world.want(group(story("kick-off with acme")))
    world.run()
    world.want(group(story("set up continuous integration")))
    actions = world.run().applied
    assert {action.type for action in actions} == {ActionType.CREATE, ActionType.REMOVE}


def test_two_that_could_be_meant_are_never_guessed(world: World) -> None:
    world.want(group(milestone("Alpha"), milestone("Beta")))
    world.run()
    world.want(group(milestone("Gamma"), milestone("Delta")))
    report = world.run()
    assert [a.type for a in report.applied].count(ActionType.UPDATE) == 0
    assert names(world) == ["Gamma", "Delta"]


def test_a_record_may_say_itself_that_it_goes_untouched_whatever_its_kind_does(
    world: World,
) -> None:
    extra = replace(milestone("Delivery", "2027-02-01"), when_dropped=TAKE_BACK)
    world.want(group(milestone("Kick-off"), extra, when=WhenDropped.KEEP))
    world.run()
    world.want(group(when=WhenDropped.KEEP))
    world.run()
    assert names(world) == ["Kick-off"]
    assert not world.settled().issues


def test_what_was_to_go_and_stays_for_peoples_work_says_so_whatever_its_kind_does(
    world: World,
) -> None:
    extra = replace(milestone("Delivery", "2027-02-01"), when_dropped=TAKE_BACK)
    world.want(group(milestone("Kick-off"), extra, when=REPORT))
    world.run()
    root = world.project().id
    world.target.edit_child(root, world.target.children(root, "milestone")[1].id)
    world.want(group(milestone("Kick-off"), when=REPORT))
    for report in (world.run(), world.settled()):
        assert "people have worked with it" in dropped(report)[0]
