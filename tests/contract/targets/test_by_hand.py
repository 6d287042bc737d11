"""What people decide about a deal by hand, on any target: a new key for it, and leaving."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sync.errors import Rejected, Unreachable
from sync.plan.model import ActionType, IssueKind
from sync.records.model import Observed, RecordKey
from sync.run.leaving import leave, plan_leaving
from sync.run.manual_actions import adopt, unlink
from sync.run.runner import Outcome
from sync.run.take_over import take_over
from sync.source import KeyChanges
from sync.ways_out import TakeOver
from taiga_pipeline.records import TRACES, Kind
from tests.contract.targets.account import hides_retired
from tests.contract.targets.test_claims import lose_state, stories
from tests.contract.targets.test_runs import Pipeline, key, pipeline

pytestmark = pytest.mark.sampled_tests(5)

__all__ = ["pipeline"]


def root_of(pipeline: Pipeline, root_id: str) -> Observed:
    root = pipeline.account.target.observe_root(root_id)
    assert root is not None
    return root


def renumber(pipeline: Pipeline, former: str, new: str, state: str = "tentative") -> None:
    """The deal has another key by now, and is called what it was called before."""
    pipeline.deals.groups.clear()
    pipeline.want(new, state, title=f"Acme {former} as")


class TestNewKey:
    @pytest.mark.parametrize("state", ["tentative", "retired"])
    def test_the_project_and_what_is_in_it_go_over(
        self, pipeline: Pipeline, tmp_path: Path, state: str
    ) -> None:
        former, new = key(pipeline, 1), key(pipeline, 2)
        pipeline.want(former)
        pipeline.run()
        (root,) = pipeline.projects(former)
        if state == "retired":
            pipeline.want(former, state)
            pipeline.run()
        renumber(pipeline, former, new, state)
        take_over(pipeline.store, pipeline.account.target, RecordKey(new, Kind.PROJECT), former)
        assert pipeline.run().outcome is Outcome.DONE
        assert pipeline.projects(new) == [root]
        assert pipeline.projects(former) == []
        if hides_retired(pipeline.account):
            pipeline.want(new, title=f"Acme {former} as")
            pipeline.run()
            pipeline.see_inside()
        (story,) = stories(pipeline, root)
        assert story.group == new
        pipeline.settled()
        lose_state(pipeline, tmp_path)
        renumber(pipeline, former, new)
        pipeline.run()
        assert pipeline.projects(new) == [root]
        assert len(stories(pipeline, root)) == 1

    def test_without_it_nothing_is_made_for_the_new_key(self, pipeline: Pipeline) -> None:
        former, new = key(pipeline, 1), key(pipeline, 2)
        pipeline.want(former)
        pipeline.run()
        shared = pipeline.deals.groups.pop(former)
        pipeline.want(new)
        group = pipeline.deals.groups[new]
        fields = {**group.root.fields, "title": shared.root.fields["title"]}
        pipeline.deals.groups[new] = replace(group, root=replace(group.root, fields=fields))
        report = pipeline.run()
        assert not report.applied
        assert TakeOver(former, new) in report.issues[0].ways_out
        assert pipeline.projects(new) == []


class TestRenamedInTheSource:
    """The source says which key a deal had before: a run takes the project along by itself."""

    def rename(self, pipeline: Pipeline, former: str, new: str) -> str:
        pipeline.want(former)
        pipeline.run()
        (root,) = pipeline.projects(former)
        renumber(pipeline, former, new)
        pipeline.deals.changes = KeyChanges([(former, new)])
        return root

    def test_there_is_one_project_before_and_after(self, pipeline: Pipeline) -> None:
        former, new = key(pipeline, 1), key(pipeline, 2)
        root = self.rename(pipeline, former, new)
        writes = pipeline.account.writes
        plan = pipeline.runner().plan()
        assert (plan.actions, plan.issues, pipeline.account.writes) == ((), (), writes)
        assert pipeline.run().outcome is Outcome.DONE
        assert (pipeline.projects(new), pipeline.projects(former)) == ([root], [])
        pipeline.settled()

    @pytest.mark.parametrize("after", [False, True])
    def test_also_when_it_is_cut_off_before_or_after_the_new_key_is_written(
        self, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, after: bool
    ) -> None:
        former, new = key(pipeline, 1), key(pipeline, 2)
        root = self.rename(pipeline, former, new)
        reassign = pipeline.account.target.reassign

        def cut_off(*arguments: Any) -> None:
            if after:
                reassign(*arguments)
            raise Unreachable("the connection is gone")

        with monkeypatch.context() as patched:
            patched.setattr(pipeline.account.target, "reassign", cut_off)
            with pytest.raises(Unreachable):
                pipeline.run()
        assert pipeline.run().outcome is Outcome.DONE
        assert (pipeline.projects(new), pipeline.projects(former)) == ([root], [])
        pipeline.settled()

    def test_a_removed_one_is_put_away(self, pipeline: Pipeline) -> None:
        former, other = key(pipeline, 1), key(pipeline, 2)
        pipeline.want(former)
        pipeline.want(other)
        pipeline.run()
        del pipeline.deals.groups[former]
        pipeline.deals.changes = KeyChanges(removed=frozenset({former}))
        report = pipeline.run()
        assert report.outcome is Outcome.DONE
        assert {(a.key.group, a.type) for a in report.applied if a.key.is_root} == {
            (former, ActionType.RETIRE)
        }
        pipeline.settled()


class TestLeaving:
    @pytest.fixture
    def deal(self, pipeline: Pipeline) -> str:
        """A deal whose project people renamed."""
        deal = key(pipeline, 1)
        pipeline.want(deal)
        pipeline.run()
        (self.root,) = pipeline.projects(deal)
        return deal

    def assert_clean(self, pipeline: Pipeline, deal: str) -> None:
        root = root_of(pipeline, self.root)
        text = repr((dict(root.fields), root.markers))
        for trace in ("Kept current", "(tentative)", "incoming", "Stage: tentative", "From sales"):
            assert trace not in text, trace
        assert not root.markers
        fields = pipeline.account.target.split(root, [])
        assert fields["title"] == f"Acme {deal}"
        assert fields["text"] == "Welcome."
        assert root.hides_children or stories(pipeline, self.root)

    def test_nothing_is_left_that_says_it_is_kept_current(
        self, pipeline: Pipeline, deal: str
    ) -> None:
        target, writes = pipeline.account.target, pipeline.account.writes
        would = plan_leaving(pipeline.store, target, deal, TRACES)
        assert pipeline.account.writes == writes
        assert {c.field for a in would.actions for c in a.changes} >= {"label", "deal_facts"}
        done = leave(pipeline.store, target, deal, TRACES)
        assert [a.changes for a in done.actions] == [a.changes for a in would.actions]
        self.assert_clean(pipeline, deal)
        pipeline.settled()

    def test_one_that_was_put_away_is_left_likewise(self, pipeline: Pipeline, deal: str) -> None:
        pipeline.want(deal, "retired")
        pipeline.run()
        leave(pipeline.store, pipeline.account.target, deal, TRACES)
        self.assert_clean(pipeline, deal)
        assert "(lost)" not in repr(dict(root_of(pipeline, self.root).fields))
        pipeline.settled()

    def test_one_that_was_unlinked_before_is_cleaned_too(
        self, pipeline: Pipeline, deal: str
    ) -> None:
        unlink(pipeline.store, pipeline.account.target, deal)
        leave(pipeline.store, pipeline.account.target, deal, TRACES)
        self.assert_clean(pipeline, deal)

    @pytest.mark.parametrize("method", ["update", "unmark"])
    def test_what_was_cut_off_is_finished_by_doing_it_again(
        self, pipeline: Pipeline, deal: str, method: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        target = pipeline.account.target

        def cut(*_: object) -> None:
            raise Unreachable("the network is gone")

        with monkeypatch.context() as patch:
            patch.setattr(target, method, cut)
            with pytest.raises(Unreachable):
                leave(pipeline.store, target, deal, TRACES)
        assert not pipeline.run().applied  # it is not put back meanwhile
        leave(pipeline.store, target, deal, TRACES)
        self.assert_clean(pipeline, deal)
        writes = pipeline.account.writes
        leave(pipeline.store, target, deal, TRACES)
        assert pipeline.account.writes == writes

    def test_somebody_elses_project_is_not_touched(self, pipeline: Pipeline, deal: str) -> None:
        target = pipeline.account.target
        unlink(pipeline.store, target, deal)
        leave(pipeline.store, target, deal, TRACES)
        other = key(pipeline, 2)
        pipeline.want(other)
        pipeline.run()
        (root,) = pipeline.projects(other)
        for marker in root_of(pipeline, root).markers:
            target.unmark(root, marker)
        with pytest.raises(Rejected, match="marker of this key"):
            leave(pipeline.store, target, other, TRACES)


def test_a_project_that_lost_its_mark_is_adopted_again_with_all_that_was_agreed_upon(
    pipeline: Pipeline,
) -> None:
    deal, account = key(pipeline, 1), pipeline.account
    pipeline.want(deal)
    pipeline.run()
    (root,) = pipeline.projects(deal)
    (story,) = stories(pipeline, root)
    account.delete_story(root, story.id)
    pipeline.run(full=True)
    for marker in root_of(pipeline, root).markers:
        account.target.unmark(root, marker)
    pipeline.want(deal, "staffed")
    (issue,) = pipeline.run().issues
    assert issue.kind is IssueKind.UNMARKED
    adopt(pipeline.store, account.target, RecordKey(deal, Kind.PROJECT), root)
    assert not pipeline.run().issues
    assert pipeline.projects(deal) == [root]
    assert not stories(pipeline, root), "a person deleted it"
    pipeline.settled()
