"""Two machines on one pipeline that nothing keeps apart: what both made at the same moment.

A lease keeps them apart. Where the account has no place for one (Redmine's wiki pages, say), both
look, find nothing, and make a milestone and a story each. Which of two stories is the older one
says nothing of the milestones: the order here is the one in which each machine's story is planned
for the milestone that the other machine keeps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from sync.records.model import Observed
from sync.run.report import RunReport
from taiga_pipeline.credentials import Secret
from taiga_pipeline.http.connection import Connection
from taiga_pipeline.records import Kind
from tests.contract.targets.account import Account
from tests.contract.targets.accounts import KanboardAccount, RedmineAccount
from tests.contract.targets.test_runs import Pipeline
from tests.reliability.interleaving import Gate, in_phases
from tests.targets.kanboard import fake as kanboard
from tests.targets.redmine import fake as redmine
from tests.targets.support import ManualClock

FIRST, SECOND = 0, 1
DEAL: Final = "D-1"
Phases = Sequence[tuple[int, str]]


@dataclass(frozen=True)
class Tool:
    """A tool in memory: how its requests are steps of ``gate``, and who of two gets how far."""

    begin: Callable[[ManualClock, Gate], Any]
    account: Callable[[ManualClock], Account]
    planned: Callable[[Any, str], set[str]]
    phases: Phases


def _redmine(clock: ManualClock, gate: Gate) -> redmine.FakeRedmine:
    fake = redmine.FakeRedmine(now=clock.now)
    fake.faults = lambda what: None if what.startswith("after") else gate.step(what)
    fake.races = lambda what: gate.step(f"{what} is checked")
    return fake


def _kanboard(clock: ManualClock, gate: Gate) -> kanboard.FakeKanboard:
    fake = kanboard.FakeKanboard(now=clock.now)
    fake.faults = lambda what: None if what.startswith("after") else gate.step(what)
    return fake


def _connection(url: str, secret: str) -> Connection:
    return Connection(url, "acme", token=Secret(secret), concurrency=1)


def _versions_of(fake: redmine.FakeRedmine, story: str) -> set[str]:
    return {str(fake.issues[int(story)]["fixed_version"]["id"])}


def _milestones_of(fake: kanboard.FakeKanboard, story: str) -> set[str]:
    return {str(link["task_id"]) for link in fake._getAllTaskLinks(int(story))}


TOOLS: Final = {
    "redmine": Tool(
        _redmine,
        lambda clock: RedmineAccount(_connection(redmine.URL, redmine.KEY), clock),
        _versions_of,
        (
            (FIRST, "version is checked"),
            (SECOND, "version is checked"),
            (FIRST, "POST /issues.json"),
            (SECOND, "POST /issues.json"),
            (SECOND, ""),
        ),
    ),
    "kanboard": Tool(
        _kanboard,
        lambda clock: KanboardAccount(_connection(kanboard.URL, kanboard.TOKEN), clock),
        _milestones_of,
        (
            (FIRST, "createTask"),
            (SECOND, "createTask"),
            (FIRST, "createTask"),
            (SECOND, "createTask"),
            (SECOND, ""),
        ),
    ),
}


@dataclass
class Machines:
    """Two, with a state store each, on one server."""

    server: Any
    both: Sequence[Pipeline]
    tool: Tool

    def children(self) -> Sequence[Observed]:
        (root,) = self.both[0].projects(DEAL)
        return self.both[0].account.target.observe_children([root])[root]

    def ids(self, kind: str) -> list[str]:
        return [each.id for each in self.children() if each.kind == kind and each.identity]


@pytest.fixture(params=TOOLS)
def gate_and_machines(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[tuple[Gate, Machines]]:
    tool, clock, gate = TOOLS[request.param], ManualClock(), Gate()
    server = tool.begin(clock, gate)
    with server.answer():
        both = []
        for name in ("first", "second"):
            (tmp_path / name).mkdir()
            both.append(Pipeline(tool.account(clock), tmp_path / name))
            both[-1].want(DEAL, "staffed")
        yield gate, Machines(server, both, tool)
        for each in both:
            each.store.close()
            each.account.target.close()


def test_a_milestone_that_holds_the_others_story_is_settled_by_the_runs_that_made_both(
    gate_and_machines: tuple[Gate, Machines],
) -> None:
    gate, machines = gate_and_machines
    reports: list[RunReport] = []
    gate.run(
        [lambda each=each: reports.append(each.run()) for each in machines.both],  # type: ignore[misc]
        in_phases(gate, *machines.tool.phases),
    )
    taken_back = [a for report in reports for a in report.applied if a.stays is not None]
    assert {action.key.kind for action in taken_back} == {Kind.MILESTONE, Kind.STORY}
    (milestone,) = machines.ids(Kind.MILESTONE)
    (story,) = machines.ids(Kind.STORY)
    assert machines.tool.planned(machines.server, story) == {milestone}
    for each in machines.both:
        each.run()
    for each in machines.both:
        each.settled()
