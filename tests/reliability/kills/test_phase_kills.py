"""Killed anywhere while deals get, change or lose the projects of their phases, the next run ends
as if nothing had happened: no project is made twice, none is left out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from taiga_pipeline.sandbox.embedded import Sandbox
from tests.figures import Figure
from tests.profiles import LONG, sampled

from . import scenario
from .harness import DONE, Outcome, Prepared, World, fleet, killed, recover

EXPECTED: Final = {
    "(tentative) Customer: Project one – Discovery",
    "(tentative) Customer: Project one – Build",
    "Customer: Project won – Discovery",
    "Customer: Project won – Build",
    "Customer: Project won – Support",
    "(lost) Customer: Project lost – Discovery",
    "(lost) Customer: Project lost – Build",
    "(tentative) Customer: Project moved – Discovery",
    "(tentative) Customer: Project moved – Build",
    "(tentative) Customer: Project renamed – Discovery",
    "(tentative) Customer: Project renamed – Build",
}


def prepare(folder: Path, sandbox: Sandbox, run: scenario.Run) -> None:
    """Deals of small teams have phases, those of big teams are to get them; then one is won, one is
    lost, one gets another key, and one follows a phase that a manager moved."""
    scenario.write_configuration(folder, sandbox)
    _give_phases(folder, "small")
    with scenario.Sales(folder) as sales:
        sales.want(scenario.deal("ONE"))
        small = ("WON", "LOST", "MOVED", "RENAMED")
        sales.want(*(scenario.deal(key, team="small") for key in small))
        sales.hire("ana")
        run("run")
        _move_workshops(sandbox)
        run("run")
        _give_phases(folder, "big")
        sales.want(scenario.deal("WON", "Won", team="small"))
        sales.want(scenario.deal("LOST", "Lost", team="small", lost_reason="price"))
        sales.staff("WON", "ana", "Back")
    run("deals", "rename", "RENAMED", "CALLED")


def _give_phases(folder: Path, mapping: str) -> None:
    file = folder / "mappings" / f"{mapping}.toml"
    text = file.read_text(encoding="utf-8").replace("delete-if-untouched", "mark")
    file.write_text(text + scenario.PHASES, encoding="utf-8")


def _move_workshops(sandbox: Sandbox) -> None:
    admin = sandbox.as_user("admin")
    project = scenario.by_name(sandbox, "Project moved – Discovery")
    for row in admin.get(f"/milestones?project={project['id']}"):
        if row["name"] == "Workshops":
            days = {"estimated_start": "2026-12-14", "estimated_finish": "2026-12-27"}
            admin.patch(f"/milestones/{row['id']}", days)


@pytest.fixture(scope="module")
def situation() -> Iterator[Prepared]:
    with fleet(1, prepare) as [prepared]:
        yield prepared


def _names(world: World) -> list[str]:
    return sorted(project["name"] for project in scenario.projects(world.sandbox))


def _quiet(world: World) -> None:
    world.sandbox.clear_requests()
    world.run_well("run", "--full")
    assert world.requests(writes=True) == []


def _undisturbed(world: World) -> Outcome:
    outcome = recover(world)
    assert outcome.remembered["exit code"] == DONE, world.said()
    assert _names(world) == sorted(EXPECTED)
    build = scenario.by_name(world.sandbox, "Project moved – Build")
    rows = world.sandbox.as_user("admin").get(f"/milestones?project={build['id']}")
    assert {row["estimated_start"] for row in rows if row["name"] == "Release"} == {"2026-12-28"}
    return outcome


@pytest.mark.sampled_inside
def test_killed_at_any_crash_point_every_phase_has_one_project_and_no_more(
    situation: Prepared, figure: Figure
):
    with situation.another() as world:
        undisturbed = _undisturbed(world)
        count = len(world.crash_points_reached())
        _quiet(world)
    numbers = sampled(range(1, count + 1, 1 if LONG else 7), 9)
    for number in numbers:
        with situation.another() as world:
            assert killed(world, number), f"crash point {number} is never reached"
            difference = undisturbed.difference(recover(world))
            assert not difference, f"crash point {number}:\n{difference}"
            assert _names(world) == sorted(EXPECTED)
    figure(f"{len(numbers)} of {count} crash points killed and recovered")
