"""What people decide about single groups."""

from __future__ import annotations

import pytest

from sync.errors import Rejected, Vanished
from sync.hands_on import Side, adopt, resolve, unlink
from sync.plan import IssueKind
from sync.records import Marker, RecordKey

from .world import World, deal


@pytest.fixture
def conflict(world: World) -> World:
    world.want(deal("D1"))
    world.run()
    world.target.edit(world.project().id, title="PM's")
    world.want(deal("D1", title="Sales'"))
    world.run()
    return world


def test_taking_sales_side_writes_sales_value(conflict: World):
    settled = resolve(conflict.store, "D1", Side.SALES, "title")
    assert [issue.field for issue in settled] == ["title"]
    report = conflict.run()
    assert conflict.project().fields["title"] == "Sales'"
    assert not report.issues
    conflict.settled()


def test_taking_deliverys_side_keeps_what_people_made_of_it(conflict: World):
    resolve(conflict.store, "D1", Side.DELIVERY)
    assert not conflict.run().issues
    assert conflict.project().fields["title"] == "PM's"
    conflict.settled()


@pytest.mark.parametrize("when", ["before the decision is carried out", "later"])
def test_another_change_by_sales_does_not_undo_what_was_decided(conflict: World, when: str):
    resolve(conflict.store, "D1", Side.DELIVERY)
    if when == "later":
        conflict.run()
    conflict.want(deal("D1", title="Sales' newest"))
    (issue,) = conflict.run().issues
    assert (issue.kind, issue.desired) == (IssueKind.CONFLICT, "Sales' newest")
    assert conflict.project().fields["title"] == "PM's"


def test_another_change_by_people_does_not_get_lost_when_sales_side_was_taken(conflict: World):
    resolve(conflict.store, "D1", Side.SALES)
    conflict.target.edit(conflict.project().id, title="PM's newest")
    (issue,) = conflict.run().issues
    assert (issue.kind, issue.observed) == (IssueKind.CONFLICT, "PM's newest")
    assert conflict.project().fields["title"] == "PM's newest"


def test_a_conflict_on_a_marked_project_without_base_can_be_resolved_both_ways(world: World):
    for side, expected in ((Side.SALES, "Deal D1"), (Side.DELIVERY, "PM's")):
        world.want(deal("D1"))
        world.run()
        world.target.edit(world.project().id, title="PM's")
        world.store.forget("D1")
        assert [issue.kind for issue in world.run().issues] == [IssueKind.CONFLICT]
        resolve(world.store, "D1", side)
        assert not world.run().issues
        assert world.project().fields["title"] == expected
        world.settled()
        world.store.forget("D1")
        world.target.delete(world.project().id)


def test_a_deleted_project_is_made_again_or_forgotten_as_decided(world: World):
    world.want(deal("D1"), deal("D2"))
    world.run()
    for root in world.target.roots:
        world.target.delete(root.id)
    assert len(world.run().issues) == 2
    resolve(world.store, "D1", Side.SALES)
    resolve(world.store, "D2", Side.DELIVERY)
    assert not world.run().issues
    assert [m.key for m in world.project().markers] == ["D1"]
    world.settled()


def test_resolving_what_is_not_open_is_refused(world: World):
    with pytest.raises(Rejected, match="nothing here waits"):
        resolve(world.store, "D1", Side.SALES)


def test_an_adopted_project_is_marked_keeps_its_text_and_gets_sales_fields(world: World):
    world.want(deal("OLD"))
    world.run()
    project = world.project()
    world.target.unmark_all(project.id)
    world.target.edit(project.id, text="Hand-made plan", title="Deal D1", label="")
    world.store.forget("OLD")
    world.source.groups.clear()
    world.want(deal("D1"))
    adopt(world.store, world.target, RecordKey("D1", "project"), project.id)
    report = world.run()
    assert [action.type.value for action in report.applied] == ["adopt"]
    adopted = world.project()
    assert adopted.id == project.id
    assert adopted.markers == (Marker("acme", "D1"),)
    assert adopted.fields["text"] == "Hand-made plan"
    assert adopted.fields["label"] == "(tentative)"
    world.settled()


def test_a_project_that_is_not_there_or_another_deals_is_not_adopted(world: World):
    world.want(deal("D1"))
    world.run()
    with pytest.raises(Vanished):
        adopt(world.store, world.target, RecordKey("D2", "project"), "999")
    with pytest.raises(Rejected, match="unlink D1"):
        adopt(world.store, world.target, RecordKey("D2", "project"), world.project().id)


def test_a_project_of_another_pipeline_is_not_adopted(world: World):
    world.want(deal("D1"))
    world.run()
    world.target.unmark_all(world.project().id)
    world.target.mark(world.project().id, Marker("other", "X"))
    world.store.forget("D1")
    with pytest.raises(Rejected, match="pipeline 'other'"):
        adopt(world.store, world.target, RecordKey("D1", "project"), world.project().id)


def test_an_unlinked_deal_is_left_alone_for_good(world: World):
    world.want(deal("D1"))
    world.run()
    unlink(world.store, world.target, "D1")
    assert not world.project().markers
    world.want(deal("D1", title="Sales' newest"))
    world.settled()
    world.source.groups.clear()
    assert not world.settled().issues


def test_a_project_whose_marker_people_removed_is_marked_again_by_hand_alone(world: World):
    world.want(deal("D1"))
    world.run()
    project = world.project()
    world.target.unmark_all(project.id)
    world.want(deal("D1", title="Newer"))
    report = world.settled()
    assert [issue.kind for issue in report.issues] == [IssueKind.UNMARKED]
    assert f"'pipeline-sync adopt D1 {project.id}'" in report.issues[0].message
    adopt(world.store, world.target, RecordKey("D1", "project"), project.id)
    assert not [i for i in world.run().issues if i.kind is IssueKind.UNMARKED]
    assert world.project().markers == (Marker("acme", "D1"),)
