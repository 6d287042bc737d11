"""Who does a story, in any target: what the mapping asks for, and what people made of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sync.plan.model import Issue, IssueKind
from sync.records.model import Desired, Observed, Owner, Reference, WhenDropped
from sync.run.manual_actions import resolve
from sync.run.runner import Outcome, RunReport
from sync.target import Place
from sync.ways_out import MakeNameable, Side
from taiga_pipeline.records import Kind, Story, member_key
from tests.contract.targets.account import Account, needs, tells_untouched
from tests.contract.targets.test_runs import Pipeline, key, left

pytestmark = [
    needs(Kind.STORY, Story.ASSIGNED),
    needs(Kind.MEMBERSHIP),
    pytest.mark.sampled_tests(3),
]

NOBODY = "nobody.at.all@example.invalid"


class Staffed(Pipeline):
    """A pipeline whose story is for someone: "" for no one, None where the mapping says nothing."""

    assignee: str | None = ""

    def _children(self, key: str, state: str, members: tuple[str, ...]) -> Iterator[Desired]:
        for child in super()._children(key, state, members):
            if child.key.kind != Kind.STORY or self.assignee is None:
                yield child
                continue
            named = member_key(key, self.assignee) if self.assignee else None
            fields = {**child.fields, Story.ASSIGNED: self.assignee or None}
            refers = {Story.ASSIGNED: Reference(named)}
            owners = {Story.ASSIGNED: Owner.SHARED}
            yield replace(child, fields=fields, refers=refers, owners=owners)

    def staff(self, assignee: str | None, *members: str) -> RunReport:
        """Runs with these members, and the story for one of them."""
        self.assignee = assignee
        self.want(self.deal, "staffed", *members)
        return self.run()

    @property
    def deal(self) -> str:
        return key(self, 1)

    @property
    def root(self) -> str:
        (root,) = self.projects(self.deal)
        return root

    def story(self) -> Observed:
        """The story as the project shows it."""
        (story,) = (each for each in self.children(Kind.STORY) if each.identity)
        return story

    def children(self, kind: str) -> list[Observed]:
        found = self.account.target.observe_children([self.root])[self.root]
        return [each for each in found if each.kind == kind]

    def holder(self) -> object:
        """Who has the story."""
        return self.story().fields[Story.ASSIGNED]

    def give(self, address: str) -> None:
        """A person gives the story to someone."""
        self.account.assign_story(self.root, self.story().id, address)


def conflicts(report: RunReport) -> list[Issue]:
    return [issue for issue in report.issues if issue.kind is IssueKind.CONFLICT]


def waiting(issues: tuple[Issue, ...]) -> list[Issue]:
    return [issue for issue in issues if issue.kind is IssueKind.WAITING]


@pytest.fixture
def staffed(account: Account, tmp_path: Path) -> Iterator[Staffed]:
    staffed = Staffed(account, tmp_path)
    yield staffed
    staffed.store.close()


def test_a_story_is_made_for_a_member_of_the_same_run_and_follows_the_staffing(
    staffed: Staffed,
) -> None:
    ana, bo = staffed.account.workers
    assert staffed.staff(ana, ana).outcome is Outcome.DONE
    assert staffed.holder() == ana
    staffed.settled()
    assert staffed.staff(bo, bo).outcome is Outcome.DONE
    assert staffed.holder() == bo
    assert staffed.staff("").outcome is Outcome.DONE
    assert staffed.holder() is None
    staffed.settled()


def test_a_story_that_is_there_is_given_to_someone_as_soon_as_someone_is_staffed(
    staffed: Staffed,
) -> None:
    ana, _ = staffed.account.workers
    staffed.staff(None)
    assert staffed.staff("").outcome is Outcome.DONE
    assert staffed.holder() is None
    report = staffed.staff(ana, ana)
    assert not waiting(report.issues)
    assert not conflicts(report)
    assert staffed.holder() == ana
    staffed.settled()


def test_whom_a_person_gave_a_story_to_keeps_it(staffed: Staffed) -> None:
    ana, bo = staffed.account.workers
    staffed.staff(ana, ana, bo)
    staffed.give(bo)
    assert not conflicts(staffed.staff(ana, ana, bo))
    assert not conflicts(staffed.staff("", bo))
    assert staffed.holder() == bo


@tells_untouched
@pytest.mark.parametrize("by_person", [False, True])
def test_a_story_that_the_connector_gave_someone_later_may_be_taken_back_unlike_a_persons(
    staffed: Staffed, *, by_person: bool
) -> None:
    ana, bo = staffed.account.workers
    staffed.staff("", ana, bo)
    staffed.account.clock.sleep(1)  # a tool may tell times by the second
    staffed.staff(ana, ana, bo)
    if by_person:
        staffed.give(bo)
    assert staffed.holder() == (bo if by_person else ana)
    report = left(staffed, staffed.deal, WhenDropped.REMOVE_IF_UNTOUCHED)
    said = {issue.key.kind for issue in report.issues}
    # Odoo notes who does a task like any other change, whoever made it.
    stays = by_person or staffed.account.target.name == "Odoo"
    assert (Kind.STORY in said) == stays, report.issues
    assert len(staffed.children(Kind.STORY)) == stays


def test_a_story_that_a_person_took_from_everyone_stays_free(staffed: Staffed) -> None:
    ana, _ = staffed.account.workers
    staffed.staff(ana, ana)
    staffed.give("")
    assert not conflicts(staffed.staff(ana, ana))
    assert staffed.holder() is None
    staffed.settled()


@pytest.mark.parametrize("side", Side)
def test_a_person_decides_where_both_sides_chose_someone(staffed: Staffed, side: Side) -> None:
    ana, bo = staffed.account.workers
    staffed.staff("", ana, bo)
    staffed.give(bo)
    assert not conflicts(staffed.staff("", ana, bo))
    (conflict,) = conflicts(staffed.staff(ana, ana, bo))
    assert (conflict.field, conflict.desired, conflict.observed) == (Story.ASSIGNED, ana, bo)
    assert staffed.holder() == bo
    resolve(staffed.store, str(conflict.key), side)
    assert not conflicts(staffed.staff(ana, ana, bo))
    assert staffed.holder() == {"sales": ana, "delivery": bo}[side.value]
    staffed.settled()


def test_a_story_waits_for_someone_who_is_no_member_and_says_so_once(staffed: Staffed) -> None:
    ana, bo = staffed.account.workers
    report = staffed.staff(bo, ana)
    assert report.outcome is Outcome.DONE
    (issue,) = waiting(report.new_issues)
    assert (issue.field, issue.desired) == (Story.ASSIGNED, bo)
    assert issue.ways_out == (MakeNameable(bo),)
    assert staffed.holder() is None
    again = staffed.run(full=True)
    assert not again.applied
    assert not waiting(again.new_issues)
    assert waiting(again.issues)
    report = staffed.staff(bo, ana, bo)
    assert waiting(report.ended_issues)
    assert staffed.holder() == bo
    staffed.settled()


def test_a_story_is_made_although_the_one_it_is_for_cannot_be_given_any(staffed: Staffed) -> None:
    if staffed.account.target.name == "memory":
        pytest.skip("it knows everyone")
    report = staffed.staff(NOBODY, NOBODY)
    assert staffed.holder() is None
    assert waiting(report.new_issues)
    assert not waiting(staffed.run().new_issues)


def test_a_story_is_released_when_a_person_takes_the_member_out_of_the_project(
    staffed: Staffed,
) -> None:
    ana, _ = staffed.account.workers
    staffed.staff(ana, ana)
    (member,) = (each for each in staffed.children(Kind.MEMBERSHIP) if each.identity == ana)
    staffed.account.target.remove(Kind.MEMBERSHIP, member.id, Place(staffed.root, {}))
    report = staffed.run(full=True)
    assert staffed.holder() is None
    assert waiting(report.new_issues)
    staffed.settled()


def test_of_many_projects_that_are_read_at_once_each_story_keeps_whom_it_has(
    staffed: Staffed,
) -> None:
    ana, bo = staffed.account.workers
    staffed.assignee = ana
    deals = [staffed.deal, *(key(staffed, number) for number in range(2, 7))]
    for each in deals:
        staffed.want(each, "staffed", ana, bo)
    assert staffed.run().outcome is Outcome.DONE
    staffed.settled()
    staffed.give(bo)
    staffed.assignee = ""
    for each in deals:
        staffed.want(each, "staffed", ana, bo)
    report = staffed.run(full=True)
    assert report.outcome is Outcome.DONE, report.issues
    assert len(report.applied) == len(deals) - 1
    assert staffed.holder() == bo
    staffed.settled()
