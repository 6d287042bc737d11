"""Groups that are parts of another one: gone with their whole alone, kept when it drops them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sync.plan.limit_settings import Limit
from sync.plan.model import IssueKind
from sync.records.model import RecordKey, WhenGone
from sync.run.runner import Outcome
from sync.run.take_over import take_over
from sync.source import KeyChanges, Quarantined, Reading
from sync.ways_out import Unlink
from tests.sync.world import DictSource, World, deal


class Parts(DictSource):
    """A source in which ``D1.a`` is a part of ``D1``."""

    def __init__(self) -> None:
        super().__init__()
        self.changes = KeyChanges()
        self.present: set[str] = set()

    def read(self) -> Reading:
        return Reading(
            self._stream(), self.quarantined, present=set(self.present), complete=self.complete
        )

    def whole_of(self, key: str) -> str:
        whole, dot, _ = key.partition(".")
        return whole if dot else ""

    def part_of(self, whole: str, key: str) -> str:
        return f"{whole}.{key.partition('.')[2]}"

    def key_changes(self) -> KeyChanges:
        return self.changes


@pytest.fixture
def parts(tmp_path: Path) -> World:
    world = World(tmp_path, source=Parts())
    world.want(deal("D1"), deal("D1.a"), deal("D1.b"), deal("D2"))
    world.run()
    return world


def states(world: World) -> dict[str, object]:
    index = world.store.index()
    return {key: row.state for key, row in index.items()}


def test_a_part_that_its_whole_no_longer_asks_for_is_reported_once_and_stays(parts: World) -> None:
    del parts.source.groups["D1.a"]
    report = parts.run(limits={"source_shrink": Limit(0)}, when_gone=WhenGone.RETIRE)
    assert report.outcome is Outcome.DONE
    [issue] = report.new_issues
    assert (issue.kind, str(issue.key)) == (IssueKind.DROPPED, "D1.a")
    assert issue.ways_out == (Unlink("D1.a"),)
    assert parts.settled().new_issues == ()
    assert states(parts)["D1.a"] == "tentative"
    parts.want(deal("D1.a"))
    assert [each.kind for each in parts.settled().ended_issues] == [IssueKind.DROPPED]


def test_a_part_that_was_dropped_is_retired_with_its_whole(parts: World) -> None:
    del parts.source.groups["D1.a"]
    parts.want(deal("D1", "retired"), deal("D1.b", "retired"))
    report = parts.run()
    assert not report.issues
    assert {key for key, state in states(parts).items() if state == "retired"} == {
        "D1",
        "D1.a",
        "D1.b",
    }
    parts.settled()


@pytest.mark.parametrize("why", ["quarantined", "present"])
def test_parts_of_a_whole_that_is_there_but_not_asked_for_rest(parts: World, why: str) -> None:
    for key in ("D1", "D1.a", "D1.b"):
        del parts.source.groups[key]
    source = parts.source
    assert isinstance(source, Parts)
    if why == "present":
        source.present.add("D1")
    else:
        source.quarantined = [Quarantined("D1", "row 1", "unknown stage"), Quarantined("", "2", "")]
    kinds = {issue.kind for issue in parts.run(when_gone=WhenGone.RETIRE).issues}
    assert not kinds & {IssueKind.GONE, IssueKind.DROPPED}
    assert set(states(parts).values()) == {"tentative"}


def test_parts_are_gone_with_their_whole(parts: World) -> None:
    for key in ("D1", "D1.a", "D1.b"):
        del parts.source.groups[key]
    report = parts.run(limits={"source_shrink": Limit(10)})
    assert {str(issue.key) for issue in report.issues} == {"D1", "D1.a", "D1.b"}
    source = parts.source
    assert isinstance(source, Parts)
    source.changes = KeyChanges(removed=frozenset({"D1"}))
    assert parts.run(limits={"source_shrink": Limit(0)}).outcome is Outcome.DONE
    assert {state for key, state in states(parts).items() if key != "D2"} == {"retired"}


def test_parts_follow_a_whole_that_is_renamed_twice_and_nothing_is_made_twice(
    parts: World,
) -> None:
    roots = {row.root_id for row in parts.store.index().values()}
    source = parts.source
    assert isinstance(source, Parts)
    source.groups = {"D2": deal("D2")}
    parts.want(deal("E1"), deal("E1.a"), deal("E1.b"))
    source.changes = KeyChanges(renamed=(("D1", "X"), ("X", "E1")))
    parts.run()
    parts.settled()
    followed = {key: row.root_id for key, row in parts.store.index().items() if row.is_followed}
    assert set(followed) == {"E1", "E1.a", "E1.b", "D2"}
    assert set(followed.values()) == roots
    assert len(parts.target.roots) == 4


def test_a_run_for_one_whole_looks_at_its_parts_too(parts: World) -> None:
    parts.want(*(deal(key, title=f"New {key}") for key in ("D1", "D1.a", "D2")))
    report = parts.run(only=frozenset({"D1"}))
    assert {action.key.group for action in report.applied} == {"D1", "D1.a"}


def test_parts_are_found_again_when_the_state_is_lost(parts: World) -> None:
    parts.lose_state()
    parts.run()
    parts.settled()
    assert len(parts.target.roots) == 4
    assert set(states(parts)) == {"D1", "D1.a", "D1.b", "D2"}


def test_a_whole_whose_key_changed_without_a_word_is_held_back_with_its_parts(
    tmp_path: Path,
) -> None:
    world = World(tmp_path, source=Parts())
    named = {"": "acme", ".a": "acme\na", ".b": "acme\nb"}
    world.want(*(replace(deal(f"D1{part}"), likeness=like) for part, like in named.items()))
    world.run()
    roots = {row.root_id for row in world.store.index().values()}
    world.source.groups.clear()
    world.want(*(replace(deal(f"N1{part}"), likeness=like) for part, like in named.items()))
    world.run()
    assert len(world.target.roots) == 3
    matches = world.runner()._planner.renumbered()
    assert {(match.former, match.new) for match in matches} == {
        ((f"D1{part}",), f"N1{part}") for part in named
    }
    for match in matches:
        take_over(world.store, world.target, RecordKey(match.new, "project"), match.former[0])
    world.run()
    world.settled()
    followed = {key: row.root_id for key, row in world.store.index().items() if row.is_followed}
    assert followed.keys() == {f"N1{part}" for part in named}
    assert set(followed.values()) == roots
