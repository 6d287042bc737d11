"""Whole runs of the engine on any target, also over a bad network."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from sync.plan.model import ActionType, IssueKind
from sync.records.model import Desired, DesiredGroup, RecordKey, Value, WhenDropped
from sync.run.runner import Options, Outcome, Runner, RunReport
from sync.source import KeyChanges, Reading
from sync.state.store import StateStore
from taiga_pipeline.mapping.holding import Holding
from taiga_pipeline.records import Kind, phase_key
from tests.contract.targets.account import Account, Work, hides_retired, needs, tells_untouched

pytestmark = pytest.mark.sampled_tests(5)

MADE = {Kind.STORY, Kind.MILESTONE}
"""What the suite's pipelines make in every project, where the target holds it."""


class Deals:
    """A source whose groups a test sets as it likes."""

    def __init__(self) -> None:
        self.groups: dict[str, DesiredGroup] = {}
        self.changes = KeyChanges()

    def read(self) -> Reading:
        return Reading(iter(self.groups.values()), [], complete=True)

    def key_changes(self) -> KeyChanges:
        return self.changes

    def retired(self, key: str, base: Mapping[str, Value]) -> DesiredGroup:
        root = Desired(RecordKey(key, Kind.PROJECT), {**base, "state": "retired"})
        return DesiredGroup(root, (), create=False, follow_children=False)


class Pipeline:
    """A pipeline into one target."""

    def __init__(self, account: Account, folder: Path) -> None:
        self.account = account
        self.deals = Deals()
        url = f"sqlite:///{folder / 'state.db'}"
        self.store = StateStore(url, account.pipeline, account.clock)

    def want(self, key: str, state: str = "tentative", *members: str, title: str = "Acme") -> None:
        """Puts a deal into the source."""
        label = {"tentative": "(tentative)", "retired": "(lost)"}.get(state, "")
        fields = {
            "state": state,
            "label": label,
            "title": f"{title} {key}",
            "text": "Welcome.",
            "deal_facts": f"Stage: {state}",
            "tags": frozenset({"incoming"}),
            "private": True,
        }
        children = () if state == "retired" else tuple(self._children(key, state, members))
        group = DesiredGroup(
            Desired(RecordKey(key, Kind.PROJECT), fields),
            children,
            create=state != "retired",
            follow_children=state != "retired",
        )
        part = Holding(capabilities=lambda: self.account.capabilities).part(group)
        self.deals.groups[key] = replace(part, root=self._fit(part.root))

    def _children(self, key: str, state: str, members: tuple[str, ...]) -> Iterator[Desired]:
        role = self.account.roles[0]
        if members:
            yield Desired(RecordKey(key, Kind.ROLE, role), {"name": role})
        for email in members:
            fields = {"email": email, "role": role, "admin": False}
            record = RecordKey(key, Kind.MEMBERSHIP, email)
            yield Desired(record, fields, when_dropped=WhenDropped.REMOVE)
        dates = {"name": "Kick-off", "start": "2027-01-05", "finish": "2027-01-12"}
        yield Desired(RecordKey(key, Kind.MILESTONE, "Kick-off"), dates)
        story = {"subject": "Call them", "description": "", "milestone": "Kick-off"}
        yield Desired(RecordKey(key, Kind.STORY, "call"), {**story, "tags": frozenset()})

    def _fit(self, desired: Desired) -> Desired:
        return self.account.target.fit(desired)

    def runner(self) -> Runner:
        options = Options(lease_seconds=0)
        return Runner(self.deals, self.account.target, self.store, self.account.clock, options)

    def run(self, *, full: bool = False) -> RunReport:
        return self.runner().run(look_at_all=full)

    def see_inside(self) -> None:
        """Has what is in restored projects kept in step, where that is seen only afterwards."""
        if hides_retired(self.account):
            report = self.run()
            assert report.outcome is Outcome.DONE, report.issues

    def settled(self) -> None:
        """Runs twice more, once comparing everything, and asserts that this writes nothing."""
        writes = self.account.writes
        for full in (False, True):
            report = self.run(full=full)
            assert not report.applied, report.applied
            assert report.outcome is Outcome.DONE, report.issues
        assert self.account.writes == writes

    def held(self, kinds: Collection[str]) -> set[str]:
        """Returns those of the kinds that the target holds."""
        return {kind for kind in kinds if self.account.capabilities.holds(kind)}

    def projects(self, key: str) -> list[str]:
        return [root.id for root in self.account.target.find_roots(Work(self.account, key).marker)]


@pytest.fixture
def pipeline(account: Account, tmp_path: Path) -> Iterator[Pipeline]:
    pipeline = Pipeline(account, tmp_path)
    yield pipeline
    pipeline.store.close()


def key(pipeline: Pipeline, number: int) -> str:
    """A deal's key that no other test uses: another pipeline's deals are a limit's business."""
    return f"{pipeline.account.pipeline}-{number}-{id(pipeline) % 10_000}"


def test_a_run_makes_everything_and_the_next_one_writes_nothing(pipeline: Pipeline) -> None:
    keys = [key(pipeline, number) for number in range(3)]
    for each in keys:
        pipeline.want(each)
    assert pipeline.run().outcome is Outcome.DONE
    assert all(len(pipeline.projects(each)) == 1 for each in keys)
    pipeline.settled()


@needs(Kind.MEMBERSHIP)
def test_several_deals_have_members_in_the_same_role(pipeline: Pipeline) -> None:
    for number in range(2):
        pipeline.want(key(pipeline, number), "staffed", pipeline.account.member)
    assert pipeline.run().outcome is Outcome.DONE
    pipeline.settled()


@needs(Kind.MEMBERSHIP)
def test_a_deal_is_won_lost_and_won_back(pipeline: Pipeline) -> None:
    deal, member = key(pipeline, 1), pipeline.account.member
    for state, members in (
        ("tentative", ()),
        ("staffed", (member,)),
        ("retired", ()),
        ("staffed", (member,)),
    ):
        pipeline.want(deal, state, *members)
        report = pipeline.run()
        assert report.outcome is Outcome.DONE, report.issues
        assert report.applied
        pipeline.see_inside()
        pipeline.settled()
    (root,) = pipeline.account.target.find_roots(Work(pipeline.account, deal).marker)
    children = pipeline.account.target.observe_children([root.id])[root.id]
    assert member in {child.identity for child in children if child.kind == Kind.MEMBERSHIP}


@needs(Kind.MEMBERSHIP)
def test_a_member_who_is_no_longer_staffed_leaves(pipeline: Pipeline) -> None:
    deal, member = key(pipeline, 1), pipeline.account.member
    pipeline.want(deal, "staffed", member)
    pipeline.run()
    pipeline.want(deal, "staffed")
    pipeline.run()
    (root,) = pipeline.projects(deal)
    children = pipeline.account.target.observe_children([root])[root]
    assert member not in {child.identity for child in children}
    pipeline.settled()


def test_a_persons_story_text_survives_every_run(pipeline: Pipeline) -> None:
    deal = key(pipeline, 1)
    pipeline.want(deal)
    pipeline.run()
    (root,) = pipeline.projects(deal)
    children = pipeline.account.target.observe_children([root])[root]
    (story,) = (child for child in children if child.kind == Kind.STORY and child.identity)
    pipeline.account.add_story(root, "Their own")
    pipeline.want(deal, title="Renamed")
    pipeline.run()
    pipeline.settled()
    children = pipeline.account.target.observe_children([root])[root]
    assert story.id in {child.id for child in children}


@pytest.mark.parametrize("lost", ["the project", "a child"])
def test_a_lost_answer_makes_no_duplicate(pipeline: Pipeline, lost: str) -> None:
    deal = key(pipeline, 1)
    if lost == "a child":
        pipeline.want(deal, "retired")
        pipeline.deals.groups[deal] = DesiredGroup(pipeline.deals.groups[deal].root, create=False)
        pipeline.want(deal)
        whole = pipeline.deals.groups[deal]
        pipeline.deals.groups[deal] = DesiredGroup(whole.root)
        pipeline.run()
        pipeline.deals.groups[deal] = whole
    else:
        pipeline.want(deal)
    pipeline.account.lose_next_answer()
    report = pipeline.run()
    assert report.outcome is Outcome.DONE, report.issues
    (root,) = pipeline.projects(deal)
    children = [c for c in pipeline.account.target.observe_children([root])[root] if c.identity]
    assert sorted(c.kind for c in children if c.kind in MADE) == sorted(pipeline.held(MADE))
    pipeline.settled()


def test_a_state_store_that_was_lost_is_made_again_from_the_target(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    deal = key(pipeline, 1)
    pipeline.want(deal)
    pipeline.run()
    pipeline.store.close()
    (tmp_path / "state.db").unlink()
    url = f"sqlite:///{tmp_path / 'state.db'}"
    pipeline.store = StateStore(url, pipeline.account.pipeline, pipeline.account.clock)
    report = pipeline.run()
    assert report.outcome is Outcome.DONE, report.issues
    assert len(pipeline.projects(deal)) == 1
    pipeline.settled()


# --- what is no longer asked for

ORDER = (Kind.STORY, Kind.MILESTONE, Kind.WIKI, Kind.ROLE)


def left(pipeline: Pipeline, deal: str, policy: WhenDropped, *, keep: str = "") -> RunReport:
    """Runs with a deal whose milestone, story and role have left the mapping."""
    pipeline.want(deal, "staffed")
    group = pipeline.deals.groups[deal]
    kept = tuple(child for child in group.children if child.key.kind == keep)
    rules = dict.fromkeys(ORDER, policy)
    pipeline.deals.groups[deal] = replace(group, children=kept, when_dropped=rules)
    return pipeline.run(full=True)


def kinds(pipeline: Pipeline, deal: str) -> set[str]:
    (root,) = pipeline.projects(deal)
    children = pipeline.account.target.observe_children([root])[root]
    return {child.kind for child in children} & MADE


def names_of_roles(pipeline: Pipeline, deal: str) -> set[str]:
    (root,) = pipeline.projects(deal)
    children = pipeline.account.target.observe_children([root])[root]
    return {child.identity for child in children if child.kind == Kind.ROLE}


def test_what_left_the_mapping_is_said_and_stays(pipeline: Pipeline) -> None:
    deal = key(pipeline, 1)
    pipeline.want(deal, "staffed")
    pipeline.run()
    report = left(pipeline, deal, WhenDropped.REPORT)
    assert not report.applied
    assert report.outcome is Outcome.DONE
    assert {issue.key.kind for issue in report.issues} == pipeline.held(MADE)
    assert {issue.kind for issue in report.issues} == {IssueKind.DROPPED}
    assert kinds(pipeline, deal) == pipeline.held(MADE)
    pipeline.settled()


@tells_untouched
@needs(Kind.MEMBERSHIP)
def test_what_nobody_touched_is_taken_back_with_its_members(pipeline: Pipeline) -> None:
    deal, member = key(pipeline, 1), pipeline.account.member
    pipeline.want(deal, "tentative")
    pipeline.run()
    before = names_of_roles(pipeline, deal)
    pipeline.want(deal, "staffed", member)
    pipeline.run()
    report = left(pipeline, deal, WhenDropped.REMOVE_IF_UNTOUCHED)
    assert report.outcome is Outcome.DONE, report.issues
    assert not report.issues
    assert kinds(pipeline, deal) == set()
    assert names_of_roles(pipeline, deal) == before, "a role that was made is gone again"
    pipeline.settled()


def test_what_people_edited_stays_and_is_said(pipeline: Pipeline) -> None:
    deal = key(pipeline, 1)
    pipeline.want(deal, "staffed")
    pipeline.run()
    (root,) = pipeline.projects(deal)
    children = pipeline.account.target.observe_children([root])[root]
    story = next(child for child in children if child.kind == Kind.STORY)
    pipeline.account.edit_story(root, story.id, "Call them again")
    report = left(pipeline, deal, WhenDropped.REMOVE_IF_UNTOUCHED)
    assert report.outcome is Outcome.DONE, report.issues
    assert {issue.key.kind for issue in report.issues} == pipeline.held(MADE)
    assert kinds(pipeline, deal) == pipeline.held(MADE)
    pipeline.settled()


@needs(Kind.MILESTONE)
def test_a_milestone_with_another_name_is_the_same_one(pipeline: Pipeline) -> None:
    deal = key(pipeline, 1)
    pipeline.want(deal, "staffed")
    pipeline.run()
    group = pipeline.deals.groups[deal]
    policy = dict.fromkeys(ORDER, WhenDropped.REMOVE_IF_UNTOUCHED)
    renamed = [
        replace(
            child,
            key=RecordKey(deal, Kind.MILESTONE, "Start"),
            fields={**child.fields, "name": "Start"},
        )
        if child.key.kind == Kind.MILESTONE
        else replace(child, fields={**child.fields, "milestone": "Start"})
        for child in group.children
    ]
    pipeline.deals.groups[deal] = replace(group, children=tuple(renamed), when_dropped=policy)
    report = pipeline.run(full=True)
    assert report.outcome is Outcome.DONE, report.issues
    (root,) = pipeline.projects(deal)
    children = pipeline.account.target.observe_children([root])[root]
    milestones = [c.fields["name"] for c in children if c.kind == Kind.MILESTONE]
    assert milestones == ["Start"]
    pipeline.settled()


def test_projects_of_a_deals_phases_are_told_apart_and_found_again(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    deal = key(pipeline, 8)
    long = f"{deal} / Größe & Söhne: {'x' * 60}"
    keys = [*(deal, phase_key(deal, "build"), phase_key(deal, "b")), phase_key(long, "build"), long]
    for each in keys:
        pipeline.want(each, title="One deal")
    assert pipeline.run().outcome is Outcome.DONE
    made = {each: pipeline.projects(each) for each in keys}
    assert len({root for roots in made.values() for root in roots}) == len(keys)
    assert all(len(roots) == 1 for roots in made.values())
    pipeline.store.close()
    url = f"sqlite:///{tmp_path / 'again.db'}"
    pipeline.store = StateStore(url, pipeline.account.pipeline, pipeline.account.clock)
    report = pipeline.run()
    assert not [each for each in report.applied if each.type is ActionType.CREATE]
    assert {each: pipeline.projects(each) for each in keys} == made
    pipeline.settled()
