"""Deals through mappings, into targets that hold only some of what is asked for."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from sync.in_memory_target import InMemoryTarget
from sync.records.model import Desired, DesiredGroup, RecordKey
from sync.run.runner import Options, Outcome, Runner
from sync.state.store import StateStore
from sync.target import Capabilities, TellsCapabilities
from taiga_pipeline.mapping.holding import Holding
from taiga_pipeline.records import Kind, Project
from taiga_pipeline.sources.mapped import Extent, MappedSource
from tests.mapping.support import HEAD, deal, mappings
from tests.sources.test_mapped import ListedDeals, StoppedClock

MILESTONE = """
[[milestone]]
name = "Kick-off"
start = "+0w"
finish = "+1w"
when = "tentative"
"""
WITHOUT_MILESTONES = Capabilities(
    kinds=frozenset({Kind.PROJECT, Kind.ROLE, Kind.MEMBERSHIP, Kind.STORY}), tells_untouched=True
)
NO_MILESTONES = "memory has no place for milestones: left out"


class Pipeline:
    """A deal with a milestone, into a target whose capabilities a test sets."""

    def __init__(self, folder: Path) -> None:
        self.target = InMemoryTarget()
        self.store = StateStore(f"sqlite:///{folder / 'state.db'}", "acme", StoppedClock())
        holding = Holding("memory", lambda: self.target.capabilities)
        deals = ListedDeals([deal(start=date(2027, 1, 11))])
        rules = mappings(MILESTONE, HEAD + 'when_dropped = "remove-if-untouched"\n')
        source = MappedSource(deals, rules, StoppedClock(), Extent(holding))
        self.runner = Runner(source, self.target, self.store, StoppedClock(), Options())

    def milestones(self) -> int:
        (root,) = self.target.roots
        return len(self.target.children(root.id, Kind.MILESTONE))


@pytest.fixture
def pipeline(tmp_path: Path) -> Pipeline:
    return Pipeline(tmp_path)


def test_what_cannot_be_held_is_not_asked_for_and_said_by_the_first_run_alone(
    pipeline: Pipeline,
) -> None:
    pipeline.target.capabilities = WITHOUT_MILESTONES
    first = pipeline.runner.run()
    assert first.outcome is Outcome.DONE
    assert first.new_notes == (NO_MILESTONES,)
    assert pipeline.milestones() == 0
    writes = pipeline.target.writes
    assert pipeline.runner.run(look_at_all=True).new_notes == ()
    assert pipeline.runner.plan().notes == (NO_MILESTONES,)
    assert pipeline.target.writes == writes


def test_what_can_be_held_later_on_is_made_then(pipeline: Pipeline) -> None:
    pipeline.target.capabilities = WITHOUT_MILESTONES
    pipeline.runner.run()
    pipeline.target.capabilities = Capabilities(tells_untouched=True)
    pipeline.runner.run()
    assert pipeline.milestones() == 1


def test_what_is_there_stays_when_it_can_no_longer_be_held(pipeline: Pipeline) -> None:
    pipeline.runner.run()
    assert pipeline.milestones() == 1
    pipeline.target.capabilities = WITHOUT_MILESTONES
    report = pipeline.runner.run(look_at_all=True)
    assert (report.outcome, report.applied, report.taken_away) == (Outcome.DONE, (), ())
    assert pipeline.milestones() == 1


def test_a_target_tells_what_it_can_by_an_attribute() -> None:
    assert isinstance(InMemoryTarget(), TellsCapabilities)


class Board:
    """An overview that is made of nothing but itself."""

    key = "~portfolio-acme"
    asks_for = {Kind.STATUS: frozenset({"name"})}  # noqa: RUF012 - as the protocol has it

    def begin(self, today: date) -> None:
        """Begins."""

    def add(self, *deal_and_rules: object) -> None:
        """Takes nothing."""

    def group(self, quarantined: object) -> DesiredGroup:
        root = RecordKey(self.key, Kind.PROJECT)
        column = RecordKey(self.key, Kind.STATUS, "won")
        return DesiredGroup(
            Desired(root, {Project.TITLE: "Portfolio"}), (Desired(column, {"name": "Won"}),)
        )


@pytest.mark.parametrize("holds", [True, False])
def test_a_board_that_cannot_be_held_any_more_stays_as_it_is(holds: bool) -> None:
    extent = Extent(Holding("memory"), Board(), holds_overview=lambda: holds)
    source = MappedSource(ListedDeals([deal()]), mappings(), StoppedClock(), extent)
    reading = source.read()
    keys = [group.key for group in reading.groups]
    assert (Board.key in keys) == holds
    assert (Board.key in reading.present) == (not holds)
    assert any("has no boards at present" in note for note in reading.notes) == (not holds)
