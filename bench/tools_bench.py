"""How many requests a run takes on tools that answer from memory, as the real ones do."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from bench.table import print_table
from sync.records.model import DesiredGroup
from sync.run.runner import Outcome, RunReport
from tests.contract.targets.account import Account
from tests.reliability.tools.office import ANA, World, deal
from tests.reliability.tools.servers import SERVERS, Server
from tests.targets.support import ManualClock

MANY = 1_000
FEW = 10
"""New projects, each with a member, a milestone and two stories."""


def main() -> None:
    """Prints requests without a change, of a complete comparison, and for each new project."""
    rows = [[server.name, *_measure(server)] for server in SERVERS]
    header = [
        "tool", f"nothing changed, {MANY:,} projects", "a full comparison of them",
        "a new project with a member, a milestone and two stories",
    ]  # fmt: skip
    print_table("Requests, tool by tool", header, rows)


def _measure(server: Server) -> tuple[int, int, float]:
    clock = ManualClock()
    fake, edge = server.begin(clock)
    with tempfile.TemporaryDirectory() as folder, fake.answer():
        world = World(server, clock, fake, edge, Path(folder) / "state.db")
        world.wanted = lambda account: [_bare(account, f"D-{n}") for n in range(MANY)]
        for _ in range(3):  # what was written is looked at again by the next one
            _requests(world, full=False)
        quiet, full = _requests(world, full=False), _requests(world)
        before = world.wanted
        world.wanted = lambda account: [*before(account), *_new(account)]
        made = _requests(world, full=False)
    return quiet, full, (made - quiet) / FEW


def _new(account: Account) -> list[DesiredGroup]:
    return [deal(account, f"N-{number}", "staffed", ANA) for number in range(FEW)]


def _bare(account: Account, key: str) -> DesiredGroup:
    return replace(deal(account, key), children=())


def _requests(world: World, *, full: bool = True) -> int:
    """Runs as a new process does; returns how many requests that took."""
    world.edge.asked.clear()
    report = world.run(full=full)
    assert isinstance(report, RunReport), report
    assert report.outcome is Outcome.DONE, report.issues
    return len(world.edge.asked)


if __name__ == "__main__":
    main()
