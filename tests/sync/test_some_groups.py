"""A run for some groups alone: the others stay as they are, and what is open about them is kept."""

from __future__ import annotations

from sync.plan.limit_settings import Limit
from sync.plan.model import IssueKind
from sync.run.runner import Outcome
from tests.sync.world import World, deal

ONLY = frozenset({"D1"})


def titles(world: World) -> list[object]:
    return sorted(str(root.fields["title"]) for root in world.target.roots)


def test_a_run_for_one_group_makes_that_one_alone_and_the_next_run_the_others(world: World) -> None:
    world.want(deal("D1"), deal("D2"), deal("D3"))
    report = world.run(only=ONLY)
    assert titles(world) == ["Deal D1"]
    assert report.outcome is Outcome.DONE
    world.run()
    assert titles(world) == ["Deal D1", "Deal D2", "Deal D3"]
    world.settled()


def test_what_is_open_about_the_others_stays_open(world: World) -> None:
    world.want(deal("D1"), deal("D2"))
    world.run()
    world.want(deal("D1", value="2 EUR"), deal("D2", title="Ours"))
    world.target.edit(world.project("Deal D2").id, title="Theirs")
    conflicted = world.run()
    assert [each.kind for each in conflicted.issues] == [IssueKind.CONFLICT]
    world.want(deal("D2", title="Ours again"))  # it moved, and is left out all the same
    world.want(deal("D1", value="3 EUR"))
    partial = world.run(only=ONLY)
    assert [each.issue.key.group for each in world.store.issues()] == ["D2"]
    assert not partial.ended_issues
    assert world.project("Deal D1").fields["value"] == "3 EUR"


def test_a_limit_holds_back_what_is_meant_and_not_what_is_left_out(world: World) -> None:
    world.want(deal("D1"), deal("D2"), deal("D3"))
    limits = {"create": Limit(1)}
    assert world.run(only=ONLY, limits=limits).outcome is Outcome.DONE
    assert world.run(limits=limits).outcome is Outcome.REFUSED
