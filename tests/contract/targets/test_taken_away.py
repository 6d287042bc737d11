"""What people take away stays away, is reported once, and comes back when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.records.model import RecordKey
from sync.run.manual_actions import resolve
from sync.run.runner import Outcome
from sync.state.rows import BRING_BACK, TAKE_AWAY
from sync.target import Place
from sync.ways_out import Side
from taiga_pipeline.records import Kind
from taiga_pipeline.report.plan_json import key_json, plan_json
from tests.contract.targets.account import Account, needs
from tests.contract.targets.test_runs import Pipeline, key

pytestmark = pytest.mark.sampled_tests(5)


@pytest.fixture
def pipeline(account: Account, tmp_path: Path) -> Iterator[Pipeline]:
    pipeline = Pipeline(account, tmp_path)
    yield pipeline
    pipeline.store.close()


KINDS = (Kind.MEMBERSHIP, Kind.STORY, Kind.MILESTONE)


def take_away(pipeline: Pipeline, deal: str, kind: str) -> RecordKey:
    """A person removes a member, or deletes a story or a milestone; returns which record it was."""
    known = pipeline.store.known([deal])[deal].bound
    (root,) = (bound.binding.target_id for each, bound in known.items() if each.is_root)
    record = next(each for each in known if each.kind == kind)
    target_id = known[record].binding.target_id
    if kind == Kind.MILESTONE:
        pipeline.account.delete_milestone(root, target_id)
    else:
        pipeline.account.target.remove(kind, target_id, Place(root, {}))
    return record


def reported(pipeline: Pipeline, deal: str, action: str) -> list[RecordKey]:
    return [entry.key for entry in pipeline.store.history(deal) if entry.action == action]


@pytest.mark.parametrize("kind", KINDS)
def test_what_people_take_away_stays_away_and_is_reported_once(
    pipeline: Pipeline, kind: str
) -> None:
    deal = key(pipeline, 1)
    pipeline.want(deal, "staffed", pipeline.account.member)
    pipeline.run()
    record = take_away(pipeline, deal, kind)
    assert pipeline.run(full=True).taken_away == (record,)
    assert reported(pipeline, deal, TAKE_AWAY) == [record]
    assert pipeline.store.taken_away() == [record]
    assert pipeline.store.taken_away(deal) == [record]
    pipeline.settled()
    assert reported(pipeline, deal, TAKE_AWAY) == [record]
    assert pipeline.run(full=True).taken_away == ()


@needs(Kind.MEMBERSHIP)
def test_it_is_reported_also_where_there_is_something_to_write(pipeline: Pipeline) -> None:
    deal = key(pipeline, 1)
    pipeline.want(deal, "staffed", pipeline.account.member)
    pipeline.run()
    record = take_away(pipeline, deal, Kind.MEMBERSHIP)
    pipeline.want(deal, "staffed", pipeline.account.member, title="Renamed")
    report = pipeline.run()
    assert report.applied and report.taken_away == (record,)
    pipeline.settled()
    assert reported(pipeline, deal, TAKE_AWAY) == [record]


@needs(Kind.MEMBERSHIP)
def test_a_plan_shows_it_and_does_not_use_it_up(pipeline: Pipeline) -> None:
    deal = key(pipeline, 1)
    pipeline.want(deal, "staffed", pipeline.account.member)
    pipeline.run()
    record = take_away(pipeline, deal, Kind.MEMBERSHIP)
    for _ in range(2):
        plan = pipeline.runner().plan(look_at_all=True)
        assert plan.taken_away == (record,)
        assert plan_json(plan)["taken_away"] == [key_json(record)]
    assert reported(pipeline, deal, TAKE_AWAY) == []
    assert pipeline.run(full=True).taken_away == (record,)


@pytest.mark.parametrize("kind", KINDS)
def test_sales_can_have_it_made_again(pipeline: Pipeline, kind: str) -> None:
    deal = key(pipeline, 1)
    pipeline.want(deal, "staffed", pipeline.account.member)
    pipeline.run()
    record = take_away(pipeline, deal, kind)
    pipeline.run(full=True)
    resolve(pipeline.store, str(record), Side.SALES)
    report = pipeline.run()
    assert [action.key for action in report.applied] == [record]
    assert report.outcome is Outcome.DONE
    assert pipeline.store.taken_away() == []
    pipeline.settled()


def test_a_project_that_people_delete_is_in_the_history_too(pipeline: Pipeline) -> None:
    deal = key(pipeline, 1)
    pipeline.want(deal)
    pipeline.run()
    pipeline.account.delete(pipeline.projects(deal)[0])
    for _ in range(2):
        pipeline.run(full=True)
    assert reported(pipeline, deal, TAKE_AWAY) == [RecordKey(deal, Kind.PROJECT)]
    assert pipeline.store.taken_away() == []


def test_what_was_only_out_of_sight_is_reported_as_back(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    deal = key(pipeline, 1)
    pipeline.want(deal)
    pipeline.run()
    target = pipeline.account.target
    whole = target.observe_children

    def without_stories(roots: object) -> object:
        seen = whole(roots)  # type: ignore[arg-type]
        return {
            root: [child for child in children if child.kind != Kind.STORY]
            for root, children in seen.items()
        }

    with monkeypatch.context() as hidden:
        hidden.setattr(type(target), "observe_children", lambda self, roots: without_stories(roots))
        (record,) = pipeline.run(full=True).taken_away
    pipeline.run(full=True)
    assert reported(pipeline, deal, BRING_BACK) == [record]
    assert pipeline.store.taken_away() == []
    pipeline.settled()
