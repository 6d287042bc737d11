"""A defect that one group brings to light concerns that group; the run's record is ended always."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from sync import crash_points
from sync.errors import Failing, Malformed, OutcomeUnknown
from sync.plan.model import IssueKind
from sync.records.model import Desired, Observed, Value
from sync.run.runner import Options, Outcome
from tests.sync.world import World, deal


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Three deals that are in step, and have something to be written."""
    world = World(tmp_path)
    world.want(*(deal(key) for key in ("A", "B", "C")))
    world.run()
    world.want(*(deal(key, value="2", members={"a@x.test": "Back"}) for key in ("A", "B", "C")))
    return world


def of_b(value: object) -> bool:
    """Whether something is about the deal B."""
    if isinstance(value, Desired):
        return value.key.group == "B"
    if isinstance(value, Observed):
        return "Deal B" in str(value.fields.get("title"))
    return False


METHODS = ("fit", "split", "update", "create_child")


@pytest.mark.parametrize("error", [KeyError("id"), RecursionError(), MemoryError(), Malformed("x")])
@pytest.mark.parametrize("method", METHODS)
def test_a_defect_met_with_one_group_is_its_issue_and_the_others_are_synced(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    method: str,
    error: Exception,
) -> None:
    work = getattr(world.target, method)

    def broken(first: Any, *rest: Any) -> Any:
        concerned = of_b(first) or (method == "create_child" and first.key.group == "B")
        if concerned:
            raise error
        return work(first, *rest)

    with monkeypatch.context() as patch, caplog.at_level(logging.ERROR):
        patch.setattr(world.target, method, broken)
        report = world.run()
    assert report.outcome is Outcome.PARTIAL
    assert {issue.key.group for issue in report.issues} == {"B"}
    assert {action.key.group for action in report.applied} >= {"A", "C"}
    assert [run.outcome for run in world.store.runs(1)] == ["partial"]
    if not isinstance(error, Malformed):
        assert type(error).__name__ in caplog.text  # with where it happened
        assert "Traceback" in caplog.text
    world.clock.advance(minutes=5)
    assert world.run().outcome is Outcome.DONE
    world.settled()
    assert world.store.open_intents() == []


def test_a_defect_in_parallel_work_stops_nobody_else(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.options = Options(concurrency=3)
    update = world.target.update

    def broken(observed: Observed, *rest: Any) -> Any:
        if of_b(observed):
            raise TypeError("a defect")
        return update(observed, *rest)

    monkeypatch.setattr(world.target, "update", broken)
    report = world.run()
    assert {issue.key.group for issue in report.issues} == {"B"}
    assert {action.key.group for action in report.applied} >= {"A", "C"}


@pytest.mark.parametrize("error", [KeyError("id"), Malformed("no list"), Failing("500")])
def test_a_root_that_cannot_be_read_is_its_own_trouble(
    world: World, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    for root in world.target.roots:
        world.target.edit(root.id, text="Moved by people.")
    read, b = world.target.observe_root, world.project("Deal B").id

    def broken(root_id: str) -> Observed | None:
        if root_id == b:
            raise error
        return read(root_id)

    with monkeypatch.context() as patch:
        patch.setattr(world.target, "observe_root", broken)
        report = world.run()
    assert {action.key.group for action in report.applied} >= {"A", "C"}
    assert world.run().outcome is Outcome.DONE
    world.settled()


@pytest.mark.parametrize(
    "error", [KeyError("id"), MemoryError(), SystemExit(1), KeyboardInterrupt()], ids=repr
)
def test_the_record_of_a_run_is_ended_whatever_ends_it(
    world: World, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def broken() -> Sequence[Observed]:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(world.target, "observe_roots", broken)
        with pytest.raises((Malformed, SystemExit, KeyboardInterrupt)):
            world.run()
    (run,) = world.store.runs(1)
    assert run.outcome == "error"
    assert run.finished_at is not None
    assert world.run().outcome is Outcome.DONE


def test_a_change_of_unknown_outcome_that_took_effect_leaves_nothing_foreign_behind(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.run()
    update = world.target.update

    def lost(
        observed: Observed, changes: Mapping[str, Value], fields: Mapping[str, Value], place: Any
    ) -> Any:
        update(observed, changes, fields, place)
        raise OutcomeUnknown("the server answered with a failure (500)")

    world.want(deal("A", tags=("incoming", "new"), value="3", members={"a@x.test": "Back"}))
    with monkeypatch.context() as patch:
        patch.setattr(world.target, "update", lost)
        report = world.run()
    assert [issue.kind for issue in report.issues] == [IssueKind.UNCERTAIN]
    world.want(deal("A", "retired", tags=()))
    world.run()
    assert world.project("Deal A").fields["tags"] == frozenset()
    world.settled()
    assert world.store.open_intents() == []


def test_intents_do_not_pile_up_where_a_change_is_never_confirmed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    update = world.target.update

    def never(observed: Observed, *rest: Any) -> Any:
        if of_b(observed):
            raise OutcomeUnknown("the server answered with a failure (500)")
        return update(observed, *rest)

    monkeypatch.setattr(world.target, "update", never)
    for _ in range(4):
        world.run()
    assert len(world.store.open_intents()) == 1
    assert not crash_points.observers
