"""Two objects with one reference, on any target: said with both ids, or removed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sync.plan.model import IssueKind
from sync.records.model import Observed, RecordKey
from sync.run.runner import Outcome
from sync.state.store import StateStore
from sync.ways_out import DeleteInTarget
from taiga_pipeline.records import Kind
from tests.contract.targets.account import (
    Account,
    needs,
    takes_two_milestones,
    tells_untouched,
)
from tests.contract.targets.test_runs import Pipeline, key

pytestmark = pytest.mark.sampled_tests(3)


@pytest.fixture
def pipeline(account: Account, tmp_path: Path) -> Iterator[Pipeline]:
    pipeline = Pipeline(account, tmp_path)
    yield pipeline
    pipeline.store.close()


@pytest.fixture
def deal(pipeline: Pipeline) -> str:
    """A deal that was synced, with a story."""
    deal = key(pipeline, 1)
    pipeline.want(deal)
    pipeline.run()
    return deal


def root_of(pipeline: Pipeline, deal: str) -> str:
    (root,) = pipeline.projects(deal)
    return root


def stories(pipeline: Pipeline, deal: str) -> list[Observed]:
    """The stories that carry a reference, the oldest first."""
    root = root_of(pipeline, deal)
    children = pipeline.account.target.observe_children([root])[root]
    found = [child for child in children if child.kind == Kind.STORY and child.identity]
    return sorted(found, key=lambda story: int(story.id))


def bind_to(pipeline: Pipeline, record: RecordKey, target_id: str) -> None:
    """Has the state know of an object as made by itself, like the machine that made it."""
    known = pipeline.store.known([record.group])[record.group].bound[record]
    pipeline.store.adopt(replace(known.binding, target_id=target_id), known.base)


def story_of(deal: str) -> RecordKey:
    return RecordKey(deal, Kind.STORY, "call")


def milestones(pipeline: Pipeline, deal: str) -> list[str]:
    """The ids of the milestones, the oldest first."""
    root = root_of(pipeline, deal)
    children = pipeline.account.target.observe_children([root])[root]
    return sorted((child.id for child in children if child.kind == Kind.MILESTONE), key=int)


def test_a_copied_story_is_reported_with_both_ids_until_one_is_gone(
    pipeline: Pipeline, deal: str
) -> None:
    (story,) = stories(pipeline, deal)
    copy = pipeline.account.copy_story(root_of(pipeline, deal), story.id)
    for full in (False, False, True):
        report = pipeline.run(full=full)
        (issue,) = report.issues
        assert (report.outcome, issue.kind) == (Outcome.PARTIAL, IssueKind.DOUBLE)
        assert f"{story.id} and {copy} are the same story twice" in issue.message
        assert issue.ways_out == (DeleteInTarget((copy,), is_named=True),)
        assert not report.applied
    assert [item.id for item in stories(pipeline, deal)] == [story.id, copy]
    pipeline.account.delete_story(root_of(pipeline, deal), copy)
    assert not pipeline.run().issues
    pipeline.settled()


def test_a_copy_is_reported_by_a_state_that_was_lost_as_well(
    pipeline: Pipeline, deal: str, tmp_path: Path
) -> None:
    (story,) = stories(pipeline, deal)
    copy = pipeline.account.copy_story(root_of(pipeline, deal), story.id)
    pipeline.store.close()
    url = f"sqlite:///{tmp_path / 'other.db'}"
    pipeline.store = StateStore(url, pipeline.account.pipeline, pipeline.account.clock)
    for _ in range(2):
        (issue,) = pipeline.run().issues
        assert issue.kind is IssueKind.DOUBLE
        assert f"{story.id} is kept in step" in issue.message
    assert [item.id for item in stories(pipeline, deal)] == [story.id, copy]


@tells_untouched
def test_the_younger_of_two_that_were_made_at_once_is_taken_back_by_its_maker(
    pipeline: Pipeline, deal: str
) -> None:
    (older,) = stories(pipeline, deal)
    younger = pipeline.account.copy_story(root_of(pipeline, deal), older.id)
    bind_to(pipeline, story_of(deal), younger)
    report = pipeline.run()
    assert (report.outcome, report.issues) == (Outcome.DONE, ())
    assert [item.id for item in stories(pipeline, deal)] == [older.id]
    pipeline.settled()


def test_a_younger_one_that_people_touched_stays_and_is_reported(
    pipeline: Pipeline, deal: str
) -> None:
    (older,) = stories(pipeline, deal)
    root = root_of(pipeline, deal)
    younger = pipeline.account.copy_story(root, older.id)
    pipeline.account.edit_story(root, younger, "Call them on Friday")
    bind_to(pipeline, story_of(deal), younger)
    for _ in range(2):
        (issue,) = pipeline.run().issues
        assert issue.kind is IssueKind.DOUBLE
        assert older.id in issue.message
        assert younger in issue.message
    assert [item.id for item in stories(pipeline, deal)] == [older.id, younger]
    pipeline.account.delete_story(root, older.id)
    assert not pipeline.run().issues


@tells_untouched
def test_a_double_that_comes_while_a_run_writes_is_taken_back_by_that_run(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both machines look, find nothing, and make one: the other one was a moment earlier."""
    deal = key(pipeline, 2)
    account, create = pipeline.account, pipeline.account.target.create_child

    def after_another_machine(desired, place):  # type: ignore[no-untyped-def]
        written = create(desired, place)
        if desired.key.kind == Kind.STORY:
            copy = account.copy_story(place.root_id, written.record.id)
            (written_again,) = (
                child
                for child in account.target.observe_children([place.root_id])[place.root_id]
                if (child.kind, child.id) == (Kind.STORY, copy)
            )
            return replace(written, record=written_again)
        return written

    monkeypatch.setattr(account.target, "create_child", after_another_machine)
    pipeline.want(deal)
    report = pipeline.run()
    assert (report.outcome, report.issues) == (Outcome.DONE, ())
    assert len(stories(pipeline, deal)) == 1
    monkeypatch.setattr(account.target, "create_child", create)
    pipeline.settled()


@tells_untouched
@takes_two_milestones
@needs(Kind.MILESTONE)
def test_a_younger_milestone_is_taken_back_although_a_story_of_ours_is_planned_for_it(
    pipeline: Pipeline, deal: str
) -> None:
    """Of two stories the older one stays, whichever machine's milestone it is planned for."""
    account, root = pipeline.account, root_of(pipeline, deal)
    (story,), (older,) = stories(pipeline, deal), milestones(pipeline, deal)
    younger = account.copy_milestone(root, older)
    account.plan_story(root, story.id, younger)
    bind_to(pipeline, RecordKey(deal, Kind.MILESTONE, "Kick-off"), younger)
    report = pipeline.run(full=True)
    assert (report.outcome, report.issues) == (Outcome.DONE, ())
    assert milestones(pipeline, deal) == [older]
    assert account.planned_for(root, story.id) == {older}
    pipeline.settled()


@tells_untouched
@takes_two_milestones
@needs(Kind.MILESTONE)
def test_a_younger_milestone_that_people_plan_for_stays_and_is_reported(
    pipeline: Pipeline, deal: str
) -> None:
    account, root = pipeline.account, root_of(pipeline, deal)
    (older,) = milestones(pipeline, deal)
    younger = account.copy_milestone(root, older)
    own = account.add_planned_story(root, "Petra's own", younger)
    bind_to(pipeline, RecordKey(deal, Kind.MILESTONE, "Kick-off"), younger)
    for _ in range(2):
        report = pipeline.run(full=True)
        (issue,) = report.issues
        assert (issue.kind, report.applied) == (IssueKind.DOUBLE, ())
        assert f"{older} and {younger} are the same milestone twice" in issue.message
    assert milestones(pipeline, deal) == [older, younger]
    assert account.planned_for(root, own) == {younger}
    account.delete_milestone(root, younger)
    assert not pipeline.run().issues, "seen at once, although members and milestones leave no trace"
