"""A phase under another name, in any target: the ways out that are printed lead out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.plan.model import ActionType, IssueKind
from sync.run.manual_actions import unlink
from sync.run.runner import Options, Outcome, Runner, RunReport
from sync.ways_out import Unlink
from taiga_pipeline.app.engine import phases_in
from taiga_pipeline.mapping.holding import Holding
from taiga_pipeline.mapping.load import parse_mapping
from taiga_pipeline.records import phase_key
from taiga_pipeline.sources.mapped import Extent, MappedSource
from tests.contract.targets.account import Account
from tests.contract.targets.test_runs import Pipeline, key
from tests.mapping.support import HEAD, STAGES, deal
from tests.sources.test_mapped import ListedDeals

DISCOVERY = '[[phase]]\nname = "Discovery"\nkeeps_project = true\n'


class InPhases(Pipeline):
    """A deal in phases: discovery, and one that a mapping calls as it likes."""

    second = 'name = "Build"'

    @property
    def deal(self) -> str:
        return key(self, 1)

    def runner(self) -> Runner:
        text = f"{HEAD}{STAGES}{DISCOVERY}[[phase]]\n{self.second}\n"
        holding = Holding("the tool", lambda: self.account.capabilities)
        extent = Extent(holding=holding, phases=lambda: phases_in(self.store))
        deals = ListedDeals([deal(key=self.deal)])
        source = MappedSource(deals, parse_mapping(text, "m.toml"), self.account.clock, extent)
        options = Options(lease_seconds=0)
        return Runner(source, self.account.target, self.store, self.account.clock, options)

    def called(self, second: str) -> RunReport:
        """Runs with the second phase called so."""
        self.second = second
        return self.run()

    def roots(self) -> dict[str, str]:
        """The projects of the deal that carry this pipeline's marker, by phase."""
        names = {"discovery": self.deal} | {
            name: phase_key(self.deal, name) for name in ("build", "making")
        }
        found = {name: self.projects(each) for name, each in names.items()}
        assert all(len(roots) < 2 for roots in found.values())
        return {name: roots[0] for name, roots in found.items() if roots}


@pytest.fixture
def phases(account: Account, tmp_path: Path) -> Iterator[InPhases]:
    phases = InPhases(account, tmp_path)
    assert phases.run().outcome is Outcome.DONE
    yield phases
    phases.store.close()


def held_back(phases: InPhases) -> RunReport:
    """Runs with another name of the phase, for which nothing may be made."""
    before = phases.roots()
    report = phases.called('name = "Making"')
    assert phases.roots() == before
    assert not [each for each in report.applied if each.type is ActionType.CREATE]
    assert {each.kind for each in report.issues} >= {IssueKind.QUARANTINED, IssueKind.DROPPED}
    return report


def test_a_renamed_phase_keeps_its_project_once_the_mapping_gives_it_its_id(
    phases: InPhases,
) -> None:
    before = phases.roots()
    (said,) = [each for each in held_back(phases).issues if each.kind is IssueKind.QUARANTINED]
    assert 'id = "build" if it is the same' in said.message
    report = phases.called('name = "Making"\nid = "build"')
    assert (report.outcome, report.issues) == (Outcome.DONE, ())
    assert phases.roots() == before
    phases.settled()


def test_another_phase_gets_a_project_and_the_one_that_left_is_followed_no_more(
    phases: InPhases,
) -> None:
    before = phases.roots()
    (said,) = [each for each in held_back(phases).issues if each.kind is IssueKind.QUARANTINED]
    assert 'id = "making" if it is another one' in said.message
    report = phases.called('name = "Making"\nid = "making"')
    (left,) = report.issues
    (way,) = left.ways_out
    assert isinstance(way, Unlink)
    assert way.group == phase_key(phases.deal, "build")
    assert phases.roots().keys() == {"discovery", "build", "making"}
    unlink(phases.store, phases.account.target, way.group)
    assert phases.run().issues == ()
    assert phases.roots().keys() == {"discovery", "making"}
    root = phases.account.target.observe_root(before["build"])
    assert root is not None, "it stays as it is"
    phases.settled()
