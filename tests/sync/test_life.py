"""A group's whole life in the engine, against the target in memory."""

from __future__ import annotations

from sync.plan.model import ActionType, IssueKind
from sync.records.model import WhenDeleted, WhenGone, WhenRetired
from sync.run.runner import Outcome
from sync.source import Quarantined
from sync.ways_out import AllowOnce, SaveNewPlan
from tests.sync.world import World, deal


def kinds(report) -> list[str]:
    return [action.type.value for action in report.applied]


def test_a_wanted_group_is_created_with_its_marker_and_a_second_run_writes_nothing(world: World):
    world.want(deal("D1"))
    report = world.run()
    assert kinds(report) == ["create"]
    assert report.outcome is Outcome.DONE
    assert world.project().fields["label"] == "(tentative)"
    assert [(m.pipeline, m.key) for m in world.project().markers] == [("acme", "D1")]
    world.settled()


def test_a_run_in_which_nothing_moved_reads_the_list_once_and_nothing_else(world: World):
    world.want(*(deal(f"D{n}", members={"a@x.test": "Back"}) for n in range(5)))
    world.run()
    before = world.target.request_count
    report = world.run()
    assert world.target.request_count - before == 1
    assert report.plan.unchanged == 5


def test_planning_writes_nothing_to_the_target(world: World):
    world.want(deal("D1", members={"a@x.test": "Back"}))
    plan = world.plan()
    assert world.target.writes == 0
    assert plan.summary()["create"] == 1
    assert [a.type for a in plan.actions] == [ActionType.CREATE, ActionType.CREATE]


def test_a_changed_deal_updates_only_the_field_that_changed(world: World):
    world.want(deal("D1", value="10 EUR"))
    world.run()
    world.want(deal("D1", value="20 EUR"))
    report = world.run()
    assert [[c.field for c in a.changes] for a in report.applied] == [["value"]]
    assert world.project().fields["value"] == "20 EUR"
    world.settled()


def test_a_lost_deal_is_retired_and_a_reopened_one_restored_in_the_same_object(world: World):
    world.want(deal("D1"))
    world.run()
    identity = world.project().id
    world.want(deal("D1", "retired"))
    assert kinds(world.run()) == ["retire"]
    assert world.project().fields["label"] == "(lost)"
    world.settled()
    world.want(deal("D1"))
    assert kinds(world.run()) == ["restore"]
    assert world.project().id == identity
    assert world.project().fields["label"] == "(tentative)"
    world.settled()


def test_winning_staffs_the_same_object_with_members_and_stories(world: World):
    world.want(deal("D1"))
    world.run()
    identity = world.project().id
    world.want(deal("D1", "staffed", members={"a@x.test": "Back"}, stories=("kick-off",)))
    assert kinds(world.run()) == ["update", "create", "create"]
    assert world.project().id == identity
    assert [c.identity for c in world.target.children(identity)] == ["a@x.test", "kick-off"]
    world.settled()


def test_a_lost_deal_that_was_never_synced_makes_nothing(world: World):
    world.want(deal("D1", "retired"))
    assert not world.run().applied
    assert not world.target.roots


def test_peoples_edits_of_shared_and_delivery_fields_survive_and_sales_fields_are_written_back(
    world: World,
):
    world.want(deal("D1"))
    world.run()
    world.target.edit(world.project().id, title="PM's title", text="PM's plan", label="")
    report = world.run()
    fields = world.project().fields
    assert (fields["title"], fields["text"]) == ("PM's title", "PM's plan")
    assert fields["label"] == "(tentative)"
    assert "written back: label" in report.applied[0].reason
    assert {change.field for _, change in report.plan.groups[0].kept} == {"title", "text"}
    world.settled()
    world.want(deal("D1", "staffed"))
    world.run()
    assert world.project().fields["title"] == "PM's title"


def test_a_shared_field_changed_on_both_sides_is_a_conflict_reported_once_and_synced_around(
    world: World,
):
    world.want(deal("D1", value="1"))
    world.run()
    world.target.edit(world.project().id, title="PM's")
    world.want(deal("D1", title="Sales'", value="2"))
    report = world.run()
    assert report.outcome is Outcome.PARTIAL
    assert [issue.kind for issue in report.new_issues] == [IssueKind.CONFLICT]
    assert world.project().fields["title"] == "PM's"
    assert world.project().fields["value"] == "2"
    again = world.settled()
    assert again.outcome is Outcome.PARTIAL
    assert not again.new_issues
    assert len(again.plan.conflicts) == 1


def test_a_conflict_ends_when_both_sides_agree(world: World):
    world.want(deal("D1"))
    world.run()
    world.target.edit(world.project().id, title="PM's")
    world.want(deal("D1", title="Sales'"))
    world.run()
    world.want(deal("D1", title="PM's"))
    report = world.run()
    assert not report.issues
    assert [issue.kind for issue in report.ended_issues] == [IssueKind.CONFLICT]
    world.settled()


def test_tags_of_people_stay_and_only_tags_of_the_connector_are_taken_away(world: World):
    world.want(deal("D1", tags=("incoming", "python")))
    world.run()
    identity = world.project().id
    world.target.edit(identity, tags=frozenset({"incoming", "python", "urgent"}))
    world.want(deal("D1", tags=("python", "urgent")))
    world.run()
    assert world.project().fields["tags"] == {"python", "urgent"}
    world.want(deal("D1", tags=()))
    world.run()
    assert world.project().fields["tags"] == {"urgent"}
    world.settled()


def test_a_member_added_by_people_is_bound_as_is_and_never_removed(world: World):
    world.want(deal("D1"))
    world.run()
    root = world.project().id
    world.target.add_child(root, "membership", "Ann@x.test", email="ann@x.test", role="PM")
    world.want(deal("D1", "staffed", members={"ann@x.test": "Back", "bo@x.test": "Back"}))
    world.run()
    assert {c.identity: c.fields["role"] for c in world.target.children(root)} == {
        "ann@x.test": "PM",
        "bo@x.test": "Back",
    }
    world.want(deal("D1", "staffed"))
    assert kinds(world.run()) == ["remove"]
    assert [c.identity for c in world.target.children(root)] == ["ann@x.test"]
    world.settled()


def test_a_member_whom_people_removed_does_not_come_back(world: World):
    world.want(deal("D1", "staffed", members={"a@x.test": "Back"}))
    world.run()
    root = world.project().id
    world.target.delete_child(root, world.target.children(root)[0].id)
    world.settled()
    assert not world.target.children(root)


def test_children_that_a_template_brings_are_adopted_rather_than_doubled(world: World):
    world.target.template = (("story", "kick-off"),)
    world.want(deal("D1", stories=("kick-off",)))
    world.run()
    assert len(world.target.children(world.project().id)) == 1
    world.settled()


def test_a_project_that_people_deleted_is_reported_and_not_made_again(world: World):
    world.want(deal("D1"))
    world.run()
    world.target.delete(world.project().id)
    report = world.run()
    assert [issue.kind for issue in report.new_issues] == [IssueKind.DELETED]
    assert not world.target.roots
    assert not world.settled().new_issues


def test_a_deleted_project_is_made_again_where_the_mapping_says_so(world: World):
    world.want(deal("D1", members={"a@x.test": "x"}, when_deleted=WhenDeleted.RECREATE))
    world.run()
    world.target.delete(world.project().id)
    assert kinds(world.run()) == ["create", "create"]
    assert len(world.target.children(world.project().id)) == 1
    world.settled()


def test_a_key_gone_from_the_source_is_reported_and_left_alone(world: World):
    world.want(deal("D1"), deal("D2"))
    world.run()
    del world.source.groups["D1"]
    report = world.run()
    assert report.outcome is Outcome.DONE
    assert [(i.kind, i.key.group) for i in report.new_issues] == [(IssueKind.GONE, "D1")]
    assert world.project("Deal D1").fields["label"] == "(tentative)"
    assert not world.settled().new_issues


def test_a_gone_key_is_retired_under_the_explicit_policy(world: World):
    world.want(deal("D1"), deal("D2"))
    world.run()
    del world.source.groups["D1"]
    assert kinds(world.run(when_gone=WhenGone.RETIRE)) == ["retire"]
    assert world.project("Deal D1").fields["label"] == "(gone)"
    assert not world.run(when_gone=WhenGone.RETIRE).applied


def test_nothing_is_taken_for_gone_after_an_incomplete_read(world: World):
    world.want(deal("D1"), deal("D2"))
    world.run()
    del world.source.groups["D1"]
    world.source.complete = False
    report = world.run(when_gone=WhenGone.RETIRE)
    assert not report.applied
    assert not report.issues


def test_a_quarantined_row_is_reported_and_not_taken_for_gone(world: World):
    world.want(deal("D1"), deal("D2"))
    world.run()
    del world.source.groups["D1"]
    world.source.quarantined = [Quarantined("D1", "deals.csv:7", "value 'x' is not a number")]
    report = world.run()
    assert [(i.kind, i.message) for i in report.issues] == [
        (IssueKind.QUARANTINED, "deals.csv:7: value 'x' is not a number")
    ]
    assert report.outcome is Outcome.PARTIAL


def test_when_the_source_shrank_nothing_at_all_is_applied(world: World):
    world.want(*(deal(f"D{n}") for n in range(10)))
    world.run()
    world.source.groups = {"D0": deal("D0", "retired")}
    report = world.run()
    assert report.outcome is Outcome.REFUSED
    assert "source_shrink" in report.refusal
    assert not report.applied


def test_a_plan_over_the_create_limit_is_refused_with_numbers_and_allowed_once_by_name(
    world: World,
):
    world.want(*(deal(f"D{n}") for n in range(51)))
    report = world.run()
    assert report.outcome is Outcome.REFUSED
    assert "51 planned, 50 allowed" in report.refusal
    assert AllowOnce("create") in report.refusals[0].ways_out
    assert not world.target.roots
    world.run(allow=frozenset({"create"}))
    assert len(world.target.roots) == 51


def test_a_saved_plan_that_no_longer_fits_is_refused(world: World):
    world.want(deal("D1"))
    saved = world.plan().fingerprint()
    world.want(deal("D2"))
    report = world.runner().run(expect=saved)
    assert report.outcome is Outcome.REFUSED
    assert "saved plan" in report.refusal
    assert report.refusals[0].ways_out == (SaveNewPlan(),)
    report = world.runner().run(expect=world.plan().fingerprint())
    assert report.outcome is Outcome.DONE


def test_an_untouched_project_may_be_deleted_on_retirement_and_a_touched_one_is_marked(
    world: World,
):
    how = {"when_retired": WhenRetired.DELETE_IF_UNTOUCHED}
    world.want(deal("D1", **how), deal("D2", **how))
    world.run()
    world.target.edit(world.project("Deal D2").id, text="PM was here")
    world.want(deal("D1", "retired", **how), deal("D2", "retired", **how))
    world.run()
    assert world.project().fields["title"] == "Deal D2"
    assert world.project().fields["label"] == "(lost)"
    world.settled()
    world.want(deal("D1", **how))
    assert kinds(world.run()) == ["create"]


def test_a_project_that_cannot_be_written_is_reported_and_taken_up_again_later(world: World):
    world.want(deal("D1", value="1"))
    world.run()
    world.target.obstruct(world.project().id, "it is archived")
    world.want(deal("D1", value="2"))
    report = world.run()
    assert [issue.kind for issue in report.issues] == [IssueKind.OBSTACLE]
    assert "archived" in report.issues[0].message
    world.target.obstruct(world.project().id, "")
    assert kinds(world.run()) == ["update"]
    world.settled()


def test_groups_are_applied_in_parallel_without_loss(world: World):
    world.options = type(world.options)(concurrency=8)
    world.want(*(deal(f"D{n}", members={"a@x.test": "x"}, stories=("s",)) for n in range(40)))
    report = world.run()
    assert len(report.applied) == 120
    assert len(world.target.roots) == 40
    world.settled()
