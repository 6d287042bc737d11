"""A source that wants to know is told, at the end of a run, what became of what it asked for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import pytest

from sync.errors import Unavailable
from sync.plan.limit_settings import Limit
from sync.run.runner import Outcome
from sync.source import GroupFacts, WriteBackResult
from tests.sync.world import DictSource, World, deal


@dataclass
class Curious(DictSource):
    """Remembers what it was told; ``answer`` is what it says to that."""

    wants: bool = True
    received: list[list[GroupFacts]] = field(default_factory=list)
    answer: WriteBackResult | Exception = field(default_factory=lambda: WriteBackResult(written=1))

    def __post_init__(self) -> None:
        super().__init__()

    @property
    def takes_facts(self) -> bool:
        return self.wants

    def take_facts(self, facts: Iterable[GroupFacts]) -> WriteBackResult:
        self.received.append(list(facts))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def source(world: World) -> Curious:
    curious = Curious()
    world.source = curious
    return curious


def test_it_is_reported_of_a_project_in_the_run_that_makes_it(
    world: World, source: Curious
) -> None:
    world.want(deal("D-1"))
    report = world.run()
    ((received,),) = source.received
    assert (received.key, received.state) == ("D-1", "tentative")
    assert received.facts == world.store.facts("D-1")[0]
    assert report.write_back == WriteBackResult(written=1)
    assert report.summary()["written_back"] == 1


def test_one_that_does_not_want_to_know_is_not_asked(world: World, source: Curious) -> None:
    source.wants = False
    world.want(deal("D-1"))
    assert world.run().outcome is Outcome.DONE
    assert not source.received


def test_what_it_cannot_take_leaves_the_sync_done_in_part(world: World, source: Curious) -> None:
    source.answer = WriteBackResult(problems=("D-1: no such column",))
    world.want(deal("D-1"))
    report = world.run()
    assert report.outcome is Outcome.PARTIAL
    assert report.write_back.problems == ("D-1: no such column",)
    assert world.project("Deal D-1")


def test_that_it_went_away_leaves_the_sync_done_in_part(world: World, source: Curious) -> None:
    source.answer = Unavailable("the CRM does not answer")
    world.want(deal("D-1"))
    report = world.run()
    assert report.outcome is Outcome.PARTIAL
    assert report.write_back.problems == ("the CRM does not answer",)
    source.answer = WriteBackResult()
    assert world.run().outcome is Outcome.DONE


def test_nothing_is_reported_by_a_run_that_was_refused_or_by_a_plan(
    world: World, source: Curious
) -> None:
    world.want(deal("D-1"))
    world.plan()
    assert world.run(limits={"create": Limit(0)}).outcome is Outcome.REFUSED
    assert not source.received


def test_of_a_project_that_people_deleted_nothing_is_left_to_tell(
    world: World, source: Curious
) -> None:
    world.want(deal("D-1"))
    world.run()
    world.target.delete(world.project().id)
    world.run()
    ((gone,),) = source.received[-1:]
    assert (gone.key, gone.facts) == ("D-1", {})
