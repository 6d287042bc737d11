"""Planned hours of stories, in any target: what the mapping asks for, and what people made of it.

Where stories have no hours, they stand in the description of new ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sync.plan.model import Issue, IssueKind
from sync.records.model import Desired, Observed, Owner
from sync.run.manual_actions import resolve
from sync.run.runner import Outcome
from sync.target import Place
from sync.ways_out import Side
from taiga_pipeline.records import Kind, Story
from tests.contract.targets.account import Account, needs
from tests.contract.targets.test_runs import Pipeline, key

pytestmark = pytest.mark.sampled_tests(3)

has_hours = needs(Kind.STORY, Story.HOURS)


class Planned(Pipeline):
    """A pipeline whose stories have planned hours, None where the mapping says nothing of them."""

    hours: str | None = "16"

    def _children(self, key: str, state: str, members: tuple[str, ...]) -> Iterator[Desired]:
        for child in super()._children(key, state, members):
            if child.key.kind != Kind.STORY or self.hours is None:
                yield child
                continue
            fields = {**child.fields, Story.HOURS: self.hours or None}
            text = {Story.DESCRIPTION: f"Planned hours: {self.hours}"}
            owners = {Story.HOURS: Owner.SHARED, Story.DESCRIPTION: Owner.DELIVERY}
            yield replace(child, fields=fields, owners=owners, instead={Story.HOURS: text})

    def plan(self, hours: str | None) -> list[Issue]:
        """Runs with such hours of the story; returns the conflicts."""
        self.hours = hours
        self.want(self.deal)
        report = self.run()
        return [issue for issue in report.issues if issue.kind is IssueKind.CONFLICT]

    @property
    def deal(self) -> str:
        return key(self, 1)

    def story(self) -> Observed:
        """The story as the project shows it."""
        (root,) = self.projects(self.deal)
        children = self.account.target.observe_children([root])[root]
        (story,) = (each for each in children if each.kind == Kind.STORY and each.identity)
        return story

    def estimate(self, hours: float) -> None:
        """A person enters other hours."""
        self.account.estimate_story(self.projects(self.deal)[0], self.story().id, hours)


@pytest.fixture
def planned(account: Account, tmp_path: Path) -> Iterator[Planned]:
    planned = Planned(account, tmp_path)
    yield planned
    planned.store.close()


@has_hours
@pytest.mark.parametrize("hours", ["16", "7.5", "100000"])
def test_a_story_is_made_with_its_hours_and_a_second_run_writes_nothing(
    planned: Planned, hours: str
) -> None:
    assert not planned.plan(hours)
    assert planned.story().fields[Story.HOURS] == hours
    planned.settled()


@has_hours
def test_hours_follow_the_deal_and_are_taken_away_again(planned: Planned) -> None:
    planned.plan("16")
    planned.plan("24.25")
    assert planned.story().fields[Story.HOURS] == "24.25"
    planned.plan("")
    assert planned.story().fields[Story.HOURS] is None
    planned.settled()


@has_hours
def test_hours_that_a_mapping_gets_later_reach_the_stories_that_are_there(planned: Planned) -> None:
    planned.plan(None)
    assert not planned.plan("16")
    assert planned.story().fields[Story.HOURS] == "16"
    planned.settled()


@has_hours
@pytest.mark.parametrize("entered", [40, 0])
def test_hours_that_a_person_entered_are_never_written_over(
    planned: Planned, entered: float
) -> None:
    planned.plan("16")
    planned.estimate(entered)
    shown = str(entered) if entered else None
    assert not planned.plan("16")
    (conflict,) = planned.plan("20")
    assert planned.story().fields[Story.HOURS] == shown
    assert (conflict.field, conflict.desired, conflict.observed) == (Story.HOURS, "20", shown)


@has_hours
@pytest.mark.parametrize("side", Side)
def test_a_person_decides_between_two_estimates(planned: Planned, side: Side) -> None:
    planned.plan("16")
    planned.estimate(40)
    (conflict,) = planned.plan("20")
    resolve(planned.store, str(conflict.key), side)
    assert not planned.plan("20")
    assert planned.story().fields[Story.HOURS] == {"sales": "20", "delivery": "40"}[side.value]
    planned.settled()


@has_hours
def test_a_persons_own_estimate_of_a_story_without_planned_hours_stays(planned: Planned) -> None:
    planned.plan(None)
    planned.estimate(40)
    assert not planned.plan(None)
    (conflict,) = planned.plan("16")
    assert conflict.field == Story.HOURS
    assert planned.story().fields[Story.HOURS] == "40"


@has_hours
def test_a_story_that_a_person_estimated_is_no_more_the_connectors_alone(planned: Planned) -> None:
    planned.plan("16")
    place = Place(planned.projects(planned.deal)[0], {})
    planned.estimate(40)
    assert not planned.account.target.untouched_child(planned.story(), place)


def test_hours_stand_in_the_description_where_a_story_has_none(planned: Planned) -> None:
    if planned.account.capabilities.holds(Kind.STORY, Story.HOURS):
        pytest.skip("its stories have hours")
    planned.plan("16")
    (child,) = (each for each in planned.deals.groups[planned.deal].children if _is_story(each))
    assert child.fields[Story.DESCRIPTION] == "Planned hours: 16"
    assert planned.story().fields.get(Story.DESCRIPTION, "Planned hours: 16") == (
        "Planned hours: 16"
    )
    planned.settled()
    assert planned.run(full=True).outcome is Outcome.DONE


def _is_story(child: Desired) -> bool:
    return child.key.kind == Kind.STORY
