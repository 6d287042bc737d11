"""Where the target's answers are in doubt: nothing is concluded, nothing is lost."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from sync.errors import OutcomeUnknown, Rejected
from sync.in_memory_target import InMemoryTarget
from sync.plan import observation
from sync.plan.model import IssueKind
from sync.records.model import Desired, Marker, Observed, WhenDeleted, WhenGone
from sync.run.runner import Outcome
from sync.target import Place, Written
from tests.sync.world import World, deal


class DoubtfulTarget(InMemoryTarget):
    """A target whose answers a test can spoil."""

    def __init__(self) -> None:
        super().__init__()
        self.children_are: Callable[[str, Sequence[Observed]], Sequence[Observed] | None]
        self.children_are = lambda root_id, children: children
        self.hidden: set[str] = set()
        """Roots that the list does not show."""
        self.places: list[Place] = []

    def observe_children(self, root_ids: Collection[str]) -> Mapping[str, Sequence[Observed]]:
        read = {
            root_id: self.children_are(root_id, children)
            for root_id, children in super().observe_children(root_ids).items()
        }
        return {root_id: children for root_id, children in read.items() if children is not None}

    def observe_roots(self) -> Iterator[Observed]:
        return (root for root in super().observe_roots() if root.id not in self.hidden)

    def create_child(self, desired: Desired, place: Place) -> Written:
        self.places.append(place)
        return super().create_child(desired, place)


@pytest.fixture
def target() -> DoubtfulTarget:
    return DoubtfulTarget()


@pytest.fixture
def doubtful(tmp_path: Path, target: DoubtfulTarget) -> Iterator[World]:
    world = World(tmp_path, target=target)
    yield world
    world.store.close()


def test_what_a_creation_that_broke_off_did_not_write_is_written_by_the_next_run(
    doubtful: World, target: DoubtfulTarget
) -> None:
    class TwoRequests(DoubtfulTarget):
        """Makes a root by two requests, of which the answer to the first is lost."""

        def create_root(self, desired: Desired, marker: Marker) -> Written:
            made = super().create_root(desired, marker)
            self.edit(made.record.id, note="")
            raise OutcomeUnknown("no answer")

    doubtful.target = TwoRequests()
    doubtful.want(deal("D1", note="An analyst"))
    assert doubtful.run().outcome is Outcome.DONE
    assert doubtful.project().fields["note"] == ""
    doubtful.run()
    assert doubtful.project().fields["note"] == "An analyst"
    doubtful.settled()


class HalfMaking(DoubtfulTarget):
    """Makes roots that are in no list of this account, and cannot complete them."""

    def __init__(self) -> None:
        super().__init__()
        self.secret: set[str] = set()
        """Roots that are not shown by their ids, either."""
        self.hides = True

    def create_root(self, desired: Desired, marker: Marker) -> Written:
        made = super().create_root(desired, marker).record.id
        self.hidden.add(made)
        self.secret |= {made} if self.hides else set()
        raise OutcomeUnknown(f"project {made} was made, and is not complete: refused", made=made)

    def observe_root(self, root_id: str) -> Observed | None:
        return None if root_id in self.secret else super().observe_root(root_id)

    def hides_root(self, root_id: str) -> bool:
        return root_id in self.secret and any(root.id == root_id for root in self.roots)


def test_what_was_made_and_is_hidden_is_not_made_again_until_it_is_gone(tmp_path: Path) -> None:
    target = HalfMaking()
    world = World(tmp_path, target=target)
    world.want(deal("D1"))
    report = world.run()
    assert [issue.kind for issue in report.issues] == [IssueKind.UNCERTAIN]
    assert "refused; the next run goes on with it" in report.issues[0].message
    for _ in range(2):
        report = world.run()
        assert [issue.kind for issue in report.issues] == [IssueKind.OBSTACLE]
        assert world.project().id in report.issues[0].message
    made = world.project().id
    world.source.groups.clear()
    world.run()
    world.want(deal("D1"))
    world.run()
    assert world.project().id == made, "nor while its deal was away"
    target.remove("project", made, Place(made, {}))
    world.run()
    assert world.project().id != made
    world.store.close()


def test_what_was_made_and_is_in_no_list_is_found_by_its_id(tmp_path: Path) -> None:
    target = HalfMaking()
    target.hides = False
    world = World(tmp_path, target=target)
    world.want(deal("D1"))
    assert world.run().outcome is Outcome.DONE
    assert world.project().fields["title"] == "Deal D1"
    world.settled()
    world.store.close()


def test_a_child_that_one_look_does_not_show_is_looked_for_again(
    doubtful: World, target: DoubtfulTarget
) -> None:
    doubtful.want(deal("D1", members={"a@x.test": "Back"}))
    doubtful.run()
    looks = iter([()])
    target.children_are = lambda root_id, children: next(looks, children)
    doubtful.want(deal("D1", members={"a@x.test": "Design"}))
    doubtful.run()
    (member,) = target.children(doubtful.project().id)
    assert member.fields["role"] == "Design"


def test_a_child_that_was_taken_for_deleted_and_is_back_is_followed_again(
    doubtful: World, target: DoubtfulTarget
) -> None:
    doubtful.want(deal("D1", members={"a@x.test": "Back"}))
    doubtful.run()
    target.children_are = lambda root_id, children: ()
    doubtful.want(deal("D1", members={"a@x.test": "Back"}, value="2"))
    doubtful.run()
    target.children_are = lambda root_id, children: children
    doubtful.want(deal("D1", members={"a@x.test": "Back"}, value="3"))
    doubtful.run()
    doubtful.want(deal("D1", value="3"))
    doubtful.run()
    assert target.children(doubtful.project().id) == []


def test_a_root_whose_children_cannot_be_read_waits_with_the_reason(
    doubtful: World, target: DoubtfulTarget
) -> None:
    doubtful.want(deal("D1", members={"a@x.test": "Back"}), deal("D2"))
    doubtful.run()
    unreadable = doubtful.project("Deal D1").id
    target.children_are = lambda root_id, children: None if root_id == unreadable else children
    doubtful.want(deal("D1"), deal("D2", value="2"))
    report = doubtful.run()
    assert [(issue.kind, issue.key.group) for issue in report.issues] == [
        (IssueKind.OBSTACLE, "D1")
    ]
    assert "could not be read" in report.issues[0].message
    assert doubtful.project("Deal D2").fields["value"] == "2"
    target.children_are = lambda root_id, children: children
    assert not doubtful.run().issues
    assert target.children(unreadable) == []  # the member that sales removed is gone
    doubtful.settled()


def test_a_root_that_a_list_lacks_is_asked_for_by_itself_before_it_is_made_again(
    doubtful: World, target: DoubtfulTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(observation, "PAGE", 1)
    groups = [deal(f"D{n}", when_deleted=WhenDeleted.RECREATE) for n in range(4)]
    doubtful.want(*groups)
    doubtful.run()
    target.hidden = {root.id for root in target.roots}
    doubtful.run()
    assert len(target.roots) == 4
    assert not doubtful.store.issues()


def test_what_refers_to_a_record_learns_whether_people_deleted_it(
    doubtful: World, target: DoubtfulTarget
) -> None:
    doubtful.want(deal("D1", stories=("first",)))
    doubtful.run()
    root = doubtful.project().id
    (first,) = target.children(root)
    target.delete_child(root, first.id)
    doubtful.run(allow=frozenset())
    doubtful.want(deal("D1", stories=("first", "second")))
    doubtful.run()
    assert {str(key) for key in target.places[-1].deleted} == {"D1/story/first"}


def test_a_child_that_is_refused_is_in_neither_list(
    doubtful: World, target: DoubtfulTarget
) -> None:
    refusals = iter([Rejected("no")])

    def refuse(operation: str) -> None:
        if operation == "before create child":
            for error in refusals:
                raise error

    target.faults = refuse
    doubtful.want(deal("D1", stories=("first", "second")))
    doubtful.run()
    assert {key.name for key in target.places[-1].bound} == {""}
    assert target.places[-1].deleted == frozenset()


def test_a_key_that_comes_back_in_another_case_makes_and_retires_nothing(
    doubtful: World, target: DoubtfulTarget
) -> None:
    doubtful.want(deal("D1"), deal("D2"))
    doubtful.run(when_gone=WhenGone.RETIRE)
    del doubtful.source.groups["D1"]
    doubtful.want(deal("d1"))
    before = target.writes
    report = doubtful.run(when_gone=WhenGone.RETIRE)
    assert [issue.kind for issue in report.issues] == [IssueKind.QUARANTINED]
    assert target.writes == before
    assert report.outcome is Outcome.PARTIAL


def test_what_was_put_away_long_ago_does_not_widen_the_limits(
    doubtful: World, target: DoubtfulTarget
) -> None:
    doubtful.want(*(deal(f"old{n}") for n in range(40)), *(deal(f"D{n}") for n in range(10)))
    doubtful.run()
    doubtful.want(*(deal(f"old{n}", "retired") for n in range(40)))
    doubtful.run(allow=frozenset({"retire"}))
    doubtful.want(*(deal(f"D{n}", "retired") for n in range(8)))
    report = doubtful.run()
    assert report.outcome is Outcome.REFUSED
    assert "8 planned, 5 (the least of any share; 20% of 10 is 2) allowed" in report.refusal


def test_a_source_that_holds_nothing_is_refused_even_for_one_deal(
    doubtful: World, target: DoubtfulTarget
) -> None:
    doubtful.want(deal("D1"))
    doubtful.run()
    doubtful.source.groups.clear()
    report = doubtful.run(when_gone=WhenGone.RETIRE)
    assert report.outcome is Outcome.REFUSED
    assert "the source holds nothing at all" in report.refusal
