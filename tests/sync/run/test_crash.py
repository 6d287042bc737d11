"""Killed at every crash point, the next run ends as if nothing had happened."""

from __future__ import annotations

import copy
import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from sync import crash_points
from sync.errors import NotSent, OutcomeUnknown, Rejected, Unavailable, Unreachable
from sync.in_memory_target import InMemoryTarget
from sync.plan.model import IssueKind
from sync.records.model import WhenRetired
from sync.run.runner import Outcome
from tests.crashes import Killed
from tests.live.postgresql import Server
from tests.profiles import WHOLE, sampled
from tests.sync.world import World, deal

STEP: Final = 1 if WHOLE else 5
"""Of how many boundaries one is tried."""


def prepare(folder: Path, url: str = "") -> World:
    """A world in which the next run creates, updates, staffs, retires, restores and removes."""
    world = World(folder, url=url)
    world.target.template = (("role", "Back"),)
    world.want(
        deal("UPDATED", value="1"),
        deal("STAFFED"),
        deal("LOST"),
        deal("REOPENED"),
        deal("RELEASED", "staffed", members={"bo@x.test": "Back"}),
    )
    world.run()
    world.want(deal("REOPENED", "retired"))
    world.run()
    world.target.edit(world.project("Deal UPDATED").id, title="PM's title")
    found = world.target.add_child(
        world.project("Deal STAFFED").id, "membership", "pm@x.test", email="pm@x.test", role="PM"
    )
    assert found
    world.want(
        deal("NEW", members={"a@x.test": "Back"}, stories=("one", "two")),
        deal("UPDATED", value="2", tags=("incoming", "new")),
        deal("STAFFED", "staffed", members={"pm@x.test": "Back", "a@x.test": "Back"}),
        deal("LOST", "retired"),
        deal("REOPENED"),
        deal("RELEASED", "staffed"),
    )
    return world


@pytest.fixture(scope="module")
def prepared_on_postgresql(
    postgresql: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    url = postgresql.database()
    world = prepare(tmp_path_factory.mktemp("on_postgresql"), url)
    world.store.close()
    yield world
    postgresql.drop(url)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = prepare(tmp_path_factory.mktemp("prepared"))
    world.store.close()
    return world


def another(prepared: World, folder: Path, url: str = "") -> World:
    """Returns a copy of the prepared world in a folder of its own (or the database at ``url``)."""
    folder.mkdir()
    if not url:
        shutil.copy(prepared.folder / "state.db", folder)
    clock = copy.copy(prepared.clock)
    target = InMemoryTarget(prepared.target.template)
    target._roots = copy.deepcopy(prepared.target._roots)
    target._ids = copy.copy(prepared.target._ids)
    return World(folder, prepared.source, target, clock, url=url)


def picture(world: World) -> object:
    """Everything that people can see in the target, without ids."""
    return sorted(
        (
            sorted((name, repr(value)) for name, value in root.fields.items()),
            sorted((m.pipeline, m.key) for m in root.markers),
            sorted(
                (child.kind, child.identity, sorted(map(str, child.fields.items())))
                for child in world.target.children(root.id)
            ),
        )
        for root in world.target.roots
    )


def run_until(world: World, number: int) -> bool:
    """Runs, and kills the run at a crash point; returns whether it got that far."""
    count = 0

    def observer(name: str) -> None:
        nonlocal count
        count += 1
        if count == number:
            raise Killed(name)

    crash_points.observers.append(observer)
    world.target.faults = observer
    try:
        world.run()
    except Killed:
        return True
    finally:
        crash_points.observers.remove(observer)
        world.target.faults = lambda operation: None
        world.store.close()
        world.store = world.open_store()
    return False


@pytest.fixture(scope="module")
def undisturbed(prepared: World, tmp_path_factory: pytest.TempPathFactory) -> object:
    world = another(prepared, tmp_path_factory.mktemp("undisturbed") / "world")
    world.run()
    world.settled()
    return picture(world)


@pytest.mark.sampled_inside
def test_killed_at_any_crash_point_the_next_run_ends_as_if_nothing_had_happened(
    tmp_path: Path, prepared: World, undisturbed: object
):
    number = 1 - STEP
    killed = True
    while killed:
        number += STEP
        world = another(prepared, tmp_path / str(number))
        killed = run_until(world, number)
        report = world.run()
        assert picture(world) == undisturbed, f"crash point {number}"
        assert not report.issues, f"crash point {number}: {report.issues}"
        world.settled()
        world.store.close()
    assert number > 60  # every intent, write and receipt of the scenario was a crash point


@pytest.mark.sampled_inside
def test_killed_at_any_crash_point_whom_sales_take_off_meanwhile_does_not_stay(tmp_path: Path):
    number = 1 - STEP
    killed = True
    while killed:
        number += STEP
        (tmp_path / str(number)).mkdir()
        world = World(tmp_path / str(number))
        world.want(deal("D1", "staffed"))
        world.run()
        world.want(deal("D1", "staffed", members={"a@x.test": "Back", "bo@x.test": "Front"}))
        killed = run_until(world, number)
        world.want(deal("D1", "staffed", members={"bo@x.test": "Front"}))
        world.run()
        children = world.target.children(world.project().id)
        members = [child.identity for child in children if child.kind == "membership"]
        assert members == ["bo@x.test"], f"crash point {number}"
        world.settled()
        world.store.close()
    assert number > 12


@pytest.mark.sampled_inside
def test_killed_at_any_crash_point_nothing_is_forgotten_of_a_deal_that_is_away_for_a_while(
    tmp_path: Path,
):
    number = 1 - STEP
    killed = True
    while killed:
        number += STEP
        (tmp_path / str(number)).mkdir()
        world = World(tmp_path / str(number))
        world.want(deal("D1", "staffed"), deal("D2"), deal("D3"))
        world.run()
        world.want(deal("D1", "staffed", title="Two", members={"a@x.test": "Back"}))
        killed = run_until(world, number)
        del world.source.groups["D1"]
        world.run()
        world.want(deal("D1", "staffed", title="Three"))
        report = world.run()
        assert not report.issues, f"crash point {number}: {report.issues}"
        root = world.project("Three")
        members = [c for c in world.target.children(root.id) if c.kind == "membership"]
        assert not members, f"crash point {number}"
        world.settled()
        world.store.close()
    assert number > 10


@pytest.mark.sampled_inside
def test_killed_at_some_crash_points_on_postgresql_it_is_the_same(
    tmp_path: Path, prepared_on_postgresql: World, postgresql: Server, undisturbed: object
):
    for number in sampled(range(1, 84, 7), 6):
        url = postgresql.copy(prepared_on_postgresql.url)
        world = another(prepared_on_postgresql, tmp_path / str(number), url)
        run_until(world, number)
        report = world.run()
        assert picture(world) == undisturbed, f"crash point {number}"
        assert not report.issues, f"crash point {number}: {report.issues}"
        world.settled()
        world.store.close()
        postgresql.drop(url)


@pytest.mark.sampled_inside
def test_killed_a_second_time_during_the_recovery_it_still_ends_well(
    tmp_path: Path, prepared: World, undisturbed: object
):
    for first, second in sampled(itertools.product(range(3, 70, 7), range(1, 40, 6)), 16):
        world = another(prepared, tmp_path / f"{first}-{second}")
        run_until(world, first)
        run_until(world, second)
        world.run()
        assert picture(world) == undisturbed, f"crash points {first}, {second}"
        world.settled()
        world.store.close()


def test_an_edit_by_sales_between_crash_and_recovery_is_no_false_conflict(world: World):
    world.want(deal("D1", title="A"))
    world.run()
    world.want(deal("D1", title="B"))
    world.target.faults = lambda operation: _kill(operation == "after update")
    with pytest.raises(Killed):
        world.run()
    world.target.faults = lambda operation: None
    world.want(deal("D1", title="C"))
    report = world.run()
    assert not report.issues
    assert world.project().fields["title"] == "C"
    world.settled()


def _kill(condition: bool) -> None:
    if condition:
        raise Killed


def kill_run(world: World, when: str) -> None:
    world.target.faults = lambda operation: _kill(operation == when)
    with pytest.raises(Killed):
        world.run()
    world.target.faults = lambda operation: None


def test_a_tag_that_was_to_be_taken_away_when_the_run_was_killed_is_taken_away(world: World):
    world.want(deal("D1", tags=("crm", "incoming")))
    world.run()
    world.want(deal("D1", tags=("crm",)))
    kill_run(world, "before update")
    world.run()
    assert world.project().fields["tags"] == frozenset({"crm"})
    world.settled()


def test_two_killed_runs_with_an_edit_by_sales_between_them_are_no_false_conflict(world: World):
    world.want(deal("D1", title="A"))
    world.run()
    world.want(deal("D1", title="B"))
    kill_run(world, "after update")
    world.want(deal("D1", title="C"))
    kill_run(world, "before update")
    assert not world.run().issues
    assert world.project().fields["title"] == "C"
    world.settled()


def test_a_removal_without_receipt_is_not_taken_for_a_persons_deletion(world: World):
    world.want(deal("D1", when_retired=WhenRetired.DELETE_IF_UNTOUCHED))
    world.run()
    world.want(deal("D1", "retired", when_retired=WhenRetired.DELETE_IF_UNTOUCHED))
    kill_run(world, "after remove")
    world.want(deal("D1"))
    assert not world.run().issues
    assert world.project().fields["state"] == "tentative"
    world.settled()


def test_a_member_who_was_just_removed_when_the_run_was_killed_can_be_staffed_again(world: World):
    world.want(deal("D1", "staffed", members={"a@x.test": "Back"}))
    world.run()
    world.want(deal("D1", "staffed"))
    kill_run(world, "after remove")
    world.want(deal("D1", "staffed", members={"a@x.test": "Back"}))
    world.run()
    assert [c.identity for c in world.target.children(world.project().id)] == ["a@x.test"]
    world.settled()


def test_killed_before_the_checkpoint_conflicts_are_still_listed(world: World):
    world.want(deal("D1", title="A"))
    world.run()
    world.want(deal("D1", title="B"))
    world.target.edit(world.project().id, title="PM's")

    def kill(name: str) -> None:
        _kill(name == "before issues commit")

    crash_points.observers.append(kill)
    with pytest.raises(Killed):
        world.run()
    crash_points.observers.remove(kill)
    assert [issue.kind for issue in world.run().issues] == [IssueKind.CONFLICT]


def test_a_create_whose_answer_was_lost_is_found_and_not_repeated(world: World):
    world.want(deal("D1"))
    fail_once(world, "after create", OutcomeUnknown("no answer"))
    report = world.run()
    assert report.outcome is Outcome.DONE
    assert len(world.target.roots) == 1
    world.settled()


def test_a_create_that_never_happened_is_uncertain_first_and_made_by_the_next_run(world: World):
    world.want(deal("D1"))
    fail_once(world, "before create", OutcomeUnknown("no answer"))
    report = world.run()
    assert [issue.kind for issue in report.issues] == [IssueKind.UNCERTAIN]
    assert not world.target.roots
    report = world.run()
    assert len(world.target.roots) == 1
    assert not report.issues
    world.settled()


def test_a_create_that_takes_effect_late_is_waited_for_rather_than_repeated(world: World):
    world.want(deal("D1"))
    fail_once(world, "before create", Killed())
    with pytest.raises(Killed):
        world.run()
    assert world.store.open_intents()
    late = world.target
    report = world.runner().run()  # at once, not after the cron interval
    assert world.clock.slept[-1] == pytest.approx(world.options.settle_seconds)
    assert len(late.roots) == 1
    assert report.outcome is Outcome.DONE


def test_a_rejected_record_leaves_all_others_synced(world: World):
    world.want(deal("D1", members={"bad": "x", "good@x.test": "x"}), deal("D2"))
    fail_once(world, "before create child", Rejected("no such user"))
    report = world.run()
    assert report.outcome is Outcome.PARTIAL
    assert [issue.kind for issue in report.issues] == [IssueKind.FAILED]
    assert len(world.target.roots) == 2
    assert [c.identity for c in world.target.children(world.project("Deal D1").id)] == [
        "good@x.test"
    ]
    report = world.run()
    assert report.outcome is Outcome.DONE
    world.settled()


def test_a_write_that_certainly_was_not_sent_is_simply_done_by_the_next_run(world: World):
    world.want(deal("D1"))
    fail_once(world, "before create", NotSent("connection refused"))
    assert world.run().outcome is Outcome.PARTIAL
    assert not world.store.open_intents()
    assert world.run().outcome is Outcome.DONE


def test_an_unreachable_target_stops_the_run_and_leaves_the_rest_for_the_next(world: World):
    world.want(*(deal(f"D{n}") for n in range(5)))
    fail_once(world, "before create", Unreachable("no server answers"))
    report = world.run()
    assert report.outcome is Outcome.STOPPED
    assert report.skipped == 4
    world.run()
    assert len(world.target.roots) == 5


def test_a_target_that_stays_unavailable_ends_the_run_after_a_few_deals(world: World):
    world.want(*(deal(f"D{n}", value="1") for n in range(10)))
    world.run()
    world.want(*(deal(f"D{n}", value="2") for n in range(10)))

    def fail(operation: str) -> None:
        if operation == "before update":
            raise Unavailable("503")

    world.target.faults = fail
    report = world.run()
    assert report.outcome is Outcome.STOPPED
    assert report.skipped == 7
    world.target.faults = lambda operation: None
    assert len(world.run().applied) == 10
    world.settled()


def test_an_edit_made_between_plan_and_write_is_merged_and_not_written_over(world: World):
    world.want(deal("D1", value="1"))
    world.run()
    world.want(deal("D1", value="2"))

    def edit(operation: str) -> None:
        if operation == "children":
            return
        if operation == "before get":
            world.target.faults = lambda operation: None
            world.target.edit(world.project().id, title="PM's at the last moment")

    world.target.faults = edit
    world.run()
    fields = world.project().fields
    assert (fields["title"], fields["value"]) == ("PM's at the last moment", "2")
    world.settled()


def test_an_edit_in_the_very_moment_of_the_write_is_merged_again(world: World):
    world.want(deal("D1", value="1"))
    world.run()
    world.want(deal("D1", value="2"))

    def edit(operation: str) -> None:
        if operation == "before update":
            world.target.faults = lambda operation: None
            world.target.edit(world.project().id, title="PM's")

    world.target.faults = edit
    report = world.run()
    assert world.project().fields["title"] == "PM's"
    assert world.project().fields["value"] == "2"
    assert report.outcome is Outcome.DONE
    world.settled()


def test_an_edit_right_after_the_write_is_noticed_by_reading_back(world: World):
    world.want(deal("D1", value="1"))
    world.run()
    world.want(deal("D1", value="2"))

    def edit(operation: str) -> None:
        if operation == "after update":
            world.target.faults = lambda operation: None
            world.target.edit(world.project().id, value="PM's")

    world.target.faults = edit
    report = world.run()
    assert report.meanwhile == ("D1",)
    world.run()
    assert world.project().fields["value"] == "2"
    world.settled()


def test_a_run_that_is_asked_to_stop_finishes_the_action_under_way_and_the_next_does_the_rest(
    world: World,
):
    world.want(*(deal(f"D{n}") for n in range(5)))
    runner = world.runner()

    def stop(operation: str) -> None:
        if operation == "after create":
            runner.stop.set()

    world.target.faults = stop
    report = runner.run()
    assert report.outcome is Outcome.STOPPED
    assert len(world.target.roots) == 1
    world.target.faults = lambda operation: None
    world.run()
    assert len(world.target.roots) == 5
    world.settled()


def test_lost_state_is_found_again_by_markers_and_nothing_is_made_twice(world: World):
    world.want(deal("D1", members={"a@x.test": "x"}, stories=("s",)), deal("D2"))
    world.run()
    world.lose_state()
    report = world.run()
    assert {a.type.value for a in report.applied} == {"adopt"}
    assert len(world.target.roots) == 2
    world.settled()


def test_two_unbound_copies_are_reported_and_a_bound_one_always_wins(world: World):
    world.want(deal("D1", value="1"))
    world.run()
    original = world.project().id
    world.target.copy(original)
    world.want(deal("D1", value="2"))
    world.run()
    assert {r.id: r.fields["value"] for r in world.target.roots}[original] == "2"
    world.store.forget("D1")
    report = world.run()
    assert [issue.kind for issue in report.issues] == [IssueKind.AMBIGUOUS]
    assert len(world.target.roots) == 2


def fail_once(world: World, when: str, error: BaseException) -> None:
    def fault(operation: str) -> None:
        if operation == when:
            world.target.faults = lambda operation: None
            raise error

    world.target.faults = fault
