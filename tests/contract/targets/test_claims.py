"""Whose is it? Copies of projects, stories in other deals' projects, a lost state: any target."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sync.errors import Rejected
from sync.plan.model import IssueKind
from sync.records.model import Observed, Owner
from sync.run.manual_actions import resolve
from sync.run.runner import Outcome
from sync.state.store import StateStore
from sync.ways_out import Effect, RemoveMarker, Resolve, Side
from taiga_pipeline.records import Kind
from tests.contract.targets.test_runs import Pipeline, key, pipeline

pytestmark = pytest.mark.sampled_tests(5)

__all__ = ["pipeline"]


def lose_state(pipeline: Pipeline, folder: Path) -> None:
    pipeline.store.close()
    (folder / "state.db").unlink()
    url = f"sqlite:///{folder / 'state.db'}"
    pipeline.store = StateStore(url, pipeline.account.pipeline, pipeline.account.clock)


def stories(pipeline: Pipeline, root: str) -> list[Observed]:
    children = pipeline.account.target.observe_children([root])[root]
    return [child for child in children if child.kind == Kind.STORY and child.identity]


class TestStoryInAnotherDealsProject:
    @pytest.fixture
    def deals(self, pipeline: Pipeline) -> tuple[str, str]:
        """Two deals; a person moved the first one's story into the second one's project."""
        first, second = key(pipeline, 1), key(pipeline, 2)
        pipeline.want(first)
        pipeline.run()
        pipeline.want(second)
        pipeline.deals.groups[second] = replace(pipeline.deals.groups[second], children=())
        pipeline.run()
        self.here, self.there = pipeline.projects(first)[0], pipeline.projects(second)[0]
        (story,) = stories(pipeline, self.here)
        pipeline.account.move_story(self.here, story.id, self.there)
        return first, second

    def test_it_is_nobody_elses_and_the_deal_that_it_left_says_so(
        self, pipeline: Pipeline, deals: tuple[str, str]
    ) -> None:
        first, second = deals
        pipeline.want(second)
        report = pipeline.run(full=True)
        assert report.outcome is Outcome.DONE
        (issue,) = [i for i in report.issues if i.kind is IssueKind.MOVED]
        assert (issue.key.group, issue.key.name) == (first, "call")
        assert second in issue.message
        assert Resolve(issue.key, Side.DELIVERY, Effect.LEAVE) in issue.ways_out
        groups = sorted(story.group for story in stories(pipeline, self.there))
        assert groups == sorted([first, second])
        assert not stories(pipeline, self.here)
        again = pipeline.run(full=True)
        assert not again.applied
        assert not again.new_issues

    def test_it_is_not_made_again_though_the_state_is_lost(
        self, pipeline: Pipeline, deals: tuple[str, str], tmp_path: Path
    ) -> None:
        lose_state(pipeline, tmp_path)
        pipeline.run()
        pipeline.run(full=True)
        assert not stories(pipeline, self.here)
        assert len(stories(pipeline, self.there)) == 1

    def test_it_can_be_let_go(self, pipeline: Pipeline, deals: tuple[str, str]) -> None:
        pipeline.run(full=True)
        resolve(pipeline.store, deals[0], Side.DELIVERY)
        assert not pipeline.run(full=True).issues


def test_a_copy_of_a_story_in_another_deals_project_is_left_alone_and_said(
    pipeline: Pipeline,
) -> None:
    first, second = key(pipeline, 1), key(pipeline, 2)
    pipeline.want(first)
    pipeline.want(second)
    pipeline.run()
    here, there = pipeline.projects(first)[0], pipeline.projects(second)[0]
    (story,) = stories(pipeline, here)
    copy = pipeline.account.copy_story(there, story.id)
    for full in (True, False, True):
        report = pipeline.run(full=full)
        (issue,) = report.issues
        assert (issue.kind, issue.key.group) == (IssueKind.COPIED, first)
        assert all(part in issue.message for part in (copy, story.id, second))
        assert not report.applied
    with pytest.raises(Rejected, match="nothing here waits"):
        resolve(pipeline.store, first, Side.DELIVERY)  # the story itself stays in step
    pipeline.account.delete_story(there, copy)
    assert not pipeline.run(full=True).issues
    pipeline.settled()


class TestCopy:
    def test_it_is_reported_at_once_and_the_bound_project_is_kept_in_step(
        self, pipeline: Pipeline
    ) -> None:
        deal = key(pipeline, 1)
        pipeline.want(deal)
        pipeline.run()
        (bound,) = pipeline.projects(deal)
        copy = pipeline.account.copy(bound, "Copied by a person")
        pipeline.want(deal, "staffed")
        report = pipeline.run()
        (issue,) = report.issues
        assert issue.kind is IssueKind.COPIED
        assert bound in issue.message and copy in issue.message
        assert RemoveMarker(deal, copy) in issue.ways_out
        assert name(pipeline, copy).endswith("Copied by a person")
        assert not name(pipeline, bound).startswith("(tentative)")
        again = pipeline.run()
        assert [i.kind for i in again.issues] == [IssueKind.COPIED]
        assert not again.new_issues
        pipeline.account.delete(copy)
        pipeline.settled()

    def test_with_the_state_lost_the_original_is_found_where_the_tool_tells_it(
        self, pipeline: Pipeline, tmp_path: Path
    ) -> None:
        deal = key(pipeline, 1)
        pipeline.want(deal)
        pipeline.run()
        (bound,) = pipeline.projects(deal)
        copy = pipeline.account.copy(bound, "Copied by a person")
        lose_state(pipeline, tmp_path)
        pipeline.want(deal, "staffed")
        report = pipeline.run()
        assert name(pipeline, copy).endswith("Copied by a person")
        (issue,) = report.issues
        if pipeline.account.capabilities.tells_copies:
            assert issue.kind is IssueKind.COPIED
            assert pipeline.store.index()[deal].root_id == bound
        else:
            assert issue.kind is IssueKind.AMBIGUOUS
            assert not report.applied
        assert bound in issue.message and copy in issue.message
        pipeline.account.delete(copy)


def name(pipeline: Pipeline, root_id: str) -> str:
    root = pipeline.account.target.observe_root(root_id)
    assert root is not None
    fields = pipeline.account.target.split(root, [])
    return f"{fields['label']} {fields['title']}".strip()


@pytest.mark.parametrize("state", ["retired", "staffed"])
def test_without_its_state_a_label_of_the_mappings_is_no_part_of_the_title(
    pipeline: Pipeline, tmp_path: Path, state: str
) -> None:
    deal = key(pipeline, 1)
    pipeline.want(deal, title="Old")
    pipeline.run()
    (root,) = pipeline.projects(deal)
    before = name(pipeline, root)
    lose_state(pipeline, tmp_path)
    pipeline.want(deal, state, title="Old")
    group = pipeline.deals.groups[deal]
    shared = replace(group.root, owners={"title": Owner.SHARED})
    pipeline.deals.groups[deal] = replace(group, root=shared)
    report = pipeline.run()
    assert not report.issues
    label = "(lost)" if state == "retired" else ""
    assert name(pipeline, root) == before.replace("(tentative)", label).strip()
    pipeline.settled()
