"""What people decide about single groups."""

from __future__ import annotations

import pytest

from sync.errors import Rejected, Unreachable, Vanished
from sync.plan.model import IssueKind
from sync.records.model import Marker, RecordKey
from sync.run.manual_actions import adopt, disown, resolve, unlink
from sync.run.take_over import take_over
from sync.ways_out import Adopt, Adoption, Side, TakeOver, Unlink
from tests.sync.world import World, deal


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
    with pytest.raises(Rejected, match="belongs to D1") as caught:
        adopt(world.store, world.target, RecordKey("D2", "project"), world.project().id)
    assert caught.value.ways_out == (TakeOver("D1", "D2"), Unlink("D1"))


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
    assert Adopt("D1", project.id, Adoption.MARK) in report.issues[0].ways_out
    adopt(world.store, world.target, RecordKey("D1", "project"), project.id)
    assert not [i for i in world.run().issues if i.kind is IssueKind.UNMARKED]
    assert world.project().markers == (Marker("acme", "D1"),)
    world.settled()


def test_a_project_that_is_marked_again_keeps_all_that_was_agreed_upon(world: World):
    """What people renamed, deleted and took away stays so, and is not asked a second time."""
    wanted = deal("D1", members={"ana@x.test": "Back"}, stories=("call", "plan"))
    world.want(wanted)
    world.run()
    project = world.project()
    world.target.edit(project.id, title="PM's")
    call, _ = (c for c in world.target.children(project.id) if c.kind == "story")
    (ana,) = (c for c in world.target.children(project.id) if c.kind == "membership")
    world.target.delete_child(project.id, call.id)
    world.target.delete_child(project.id, ana.id)
    world.run()
    world.target.unmark_all(project.id)
    assert [issue.kind for issue in world.run().issues] == [IssueKind.UNMARKED]
    adopt(world.store, world.target, RecordKey("D1", "project"), project.id)
    assert world.project().markers == (Marker("acme", "D1"),)
    assert not world.settled().issues
    assert world.project().fields["title"] == "PM's"
    kinds = [child.kind for child in world.target.children(project.id)]
    assert kinds.count("story") == 1 and "membership" not in kinds
    world.want(deal("D1", members={"ana@x.test": "Back"}, stories=("call", "plan"), text="New"))
    assert not world.run().issues
    world.settled()


def test_another_project_under_the_same_number_is_adopted_afresh(world: World):
    """A server that was restored gave the number to a project that has nothing to do with ours."""
    world.want(deal("D1", stories=("call",)))
    world.run()
    project = world.project()
    for child in world.target.children(project.id):
        world.target.delete_child(project.id, child.id)
    world.target.unmark_all(project.id)
    world.target.edit(project.id, title="Somebody's")
    adopt(world.store, world.target, RecordKey("D1", "project"), project.id)
    assert [issue.kind for issue in world.run().issues] == [IssueKind.CONFLICT]
    assert any(c.kind == "story" for c in world.target.children(project.id))
    assert world.project().fields["title"] == "Somebody's"


class TestTakingOver:
    @pytest.fixture
    def renumbered(self, world: World) -> World:
        """One deal was synced and edited by people; its key is another one by now."""
        world.want(deal("OLD", members={"ana@x.test": "Back"}, stories=("call",), title="Shop"))
        world.run()
        world.target.edit(world.project().id, title="PM's", text="Anna knows them.")
        world.run()
        world.source.groups.clear()
        world.want(deal("NEW", members={"ana@x.test": "Back"}, stories=("call",), title="Shop"))
        return world

    def test_the_project_goes_over_with_all_that_was_agreed_upon(self, renumbered: World):
        world, before = renumbered, renumbered.target.children(renumbered.project().id)
        take_over(world.store, world.target, RecordKey("NEW", "project"), "OLD")
        report = world.run()
        assert not report.issues
        assert not report.applied
        assert world.project().markers == (Marker("acme", "NEW"),)
        assert world.project().fields["title"] == "PM's"
        after = world.target.children(world.project().id)
        assert [child.id for child in after] == [child.id for child in before]
        assert {child.group for child in after} == {"NEW"}
        world.settled()

    def test_people_and_sales_who_moved_apart_are_in_conflict_as_before(self, renumbered: World):
        world = renumbered
        take_over(world.store, world.target, RecordKey("NEW", "project"), "OLD")
        world.want(deal("NEW", title="Sales' newest", members={"ana@x.test": "Back"}))
        (issue,) = world.run().issues
        assert (issue.kind, str(issue.key)) == (IssueKind.CONFLICT, "NEW")

    @pytest.mark.parametrize("still_there", [True, False])
    def test_the_former_deal_is_not_made_again(self, renumbered: World, still_there: bool):
        world = renumbered
        if still_there:
            world.want(deal("OLD", title="Shop"))
        take_over(world.store, world.target, RecordKey("NEW", "project"), "OLD")
        assert not world.run().issues
        assert len(world.target.roots) == 1
        world.settled()

    def test_after_the_state_is_lost_it_is_the_new_deals(self, renumbered: World):
        world = renumbered
        take_over(world.store, world.target, RecordKey("NEW", "project"), "OLD")
        world.run()
        world.lose_state()
        world.run()
        assert len(world.target.roots) == 1
        assert len(world.target.children(world.project().id, "story")) == 1

    def test_it_is_in_the_history(self, renumbered: World):
        world = renumbered
        take_over(world.store, world.target, RecordKey("NEW", "project"), "OLD")
        (entry,) = [e for e in world.store.history("NEW") if e.action == "take over"]
        assert (entry.status, entry.reason) == ("done", "its project was that of OLD")

    @pytest.mark.parametrize("way", ["take over", "adopt"])
    def test_one_that_was_unlinked_before_goes_over_too(self, renumbered: World, way: str):
        world = renumbered
        unlink(world.store, world.target, "OLD")
        root = RecordKey("NEW", "project")
        if way == "adopt":
            adopt(world.store, world.target, root, world.project().id)
        else:
            take_over(world.store, world.target, root, "OLD")
        assert not world.run().issues
        assert world.project().markers == (Marker("acme", "NEW"),)
        assert world.project().fields["title"] == "PM's"
        assert len(world.target.children(world.project().id, "story")) == 1
        world.settled()

    def test_a_deal_with_a_project_of_its_own_takes_no_second_one(self, renumbered: World):
        world = renumbered
        world.source.groups.clear()
        world.want(deal("OLD", title="Shop"), deal("OTHER", title="Other"))
        world.run()
        with pytest.raises(Rejected, match="kept in step with it already") as caught:
            take_over(world.store, world.target, RecordKey("OTHER", "project"), "OLD")
        assert caught.value.ways_out == (Unlink("OTHER", clean=True),)
        unlink(world.store, world.target, "OTHER")
        take_over(world.store, world.target, RecordKey("OTHER", "project"), "OLD")
        world.run()
        marked = [root for root in world.target.roots if root.markers]
        assert [root.markers[0].key for root in marked] == ["OTHER"]

    def test_a_project_that_lost_its_marker_is_nobodys_to_give(self, renumbered: World):
        world = renumbered
        world.target.unmark_all(world.project().id)
        project = world.project()
        with pytest.raises(Rejected, match="no longer carries the marker of OLD") as caught:
            take_over(world.store, world.target, RecordKey("NEW", "project"), "OLD")
        assert caught.value.ways_out == (Adopt("OLD", project.id, Adoption.MARK),)
        assert world.store.index().keys() == {"OLD"}

    def test_a_project_that_is_not_there_or_not_the_deals_is_refused(self, renumbered: World):
        world, root = renumbered, RecordKey("NEW", "project")
        with pytest.raises(Rejected, match="nothing in the target is kept"):
            take_over(world.store, world.target, root, "NOBODY")
        with pytest.raises(Rejected, match="not 999"):
            take_over(world.store, world.target, root, "OLD", "999")
        with pytest.raises(Rejected, match="are the same"):
            take_over(world.store, world.target, RecordKey("OLD", "project"), "OLD")
        world.target.delete(world.project().id)
        with pytest.raises(Vanished):
            take_over(world.store, world.target, root, "OLD")

    @pytest.mark.parametrize("operation", ["before mark", "after mark", "after unmark"])
    @pytest.mark.parametrize("way", ["the next run", "the same command again"])
    def test_what_was_cut_off_is_brought_to_its_end(
        self, renumbered: World, operation: str, way: str
    ):
        world, root = renumbered, RecordKey("NEW", "project")

        def cut(name: str) -> None:
            if name == operation:
                raise Unreachable("the network is gone")

        world.target.faults = cut
        with pytest.raises(Unreachable):
            take_over(world.store, world.target, root, "OLD")
        world.target.faults = lambda name: None
        if way == "the same command again":
            take_over(world.store, world.target, root, "OLD")
        assert not world.run().issues
        assert world.project().markers == (Marker("acme", "NEW"),)
        children = world.target.children(world.project().id)
        assert {child.group for child in children} == {"NEW"}
        assert not world.store.take_overs()
        world.settled()


def test_another_project_of_the_same_deal_takes_the_place_of_the_one_before(world: World):
    world.want(deal("D1"))
    world.run()
    first = world.project().id
    copy = world.target.copy(first)
    (issue,) = world.run().issues
    assert issue.kind is IssueKind.COPIED
    adopt(world.store, world.target, RecordKey("D1", "project"), copy)
    assert not world.run().issues
    assert world.store.index()["D1"].root_id == copy
    assert [root.id for root in world.target.roots if root.markers] == [copy]


def test_a_copys_marker_is_taken_off_and_that_of_the_bound_project_is_not(world: World):
    world.want(deal("D1"))
    world.run()
    first = world.project().id
    copy = world.target.copy(first)
    with pytest.raises(Rejected, match="kept in step"):
        disown(world.store, world.target, "D1", first)
    disown(world.store, world.target, "D1", copy)
    assert not world.run().issues
    assert [root.id for root in world.target.roots if root.markers] == [first]
