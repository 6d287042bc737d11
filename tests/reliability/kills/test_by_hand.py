"""Killed at any crash point of what people do by hand: a deal's new key, and leaving."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from taiga_pipeline.sandbox.embedded import Sandbox
from tests.profiles import LONG, sampled

from . import scenario
from .child import KILLED
from .harness import DONE, Outcome, Prepared, World, fleet, recover

ADOPT = ("adopt", "NEW", "--from", "OLD")
LEAVE = ("unlink", "--all", "--clean")


def prepare(folder: Path, sandbox: Sandbox, run: scenario.Run) -> None:
    """Two deals are synced, and people edited the project of one."""
    scenario.write_configuration(folder, sandbox)
    with scenario.Sales(folder) as sales:
        sales.hire("ana")
        sales.want(scenario.deal("OLD"), scenario.deal("OTHER", "Won"))
        sales.staff("OTHER", "ana", "Back")
        run("run")
        old = scenario.by_name(sandbox, "Project old")
        text = old["description"].replace("Sold by Maya.", "Petra knows them.")
        sandbox.as_user("admin").patch(f"/projects/{old['id']}", {"description": text})
        run("run")


@pytest.fixture(scope="module")
def situation() -> Iterator[Prepared]:
    with fleet(1, prepare) as prepared:
        yield prepared[0]


def renumber(world: World) -> None:
    """The deal has another key by now, and is won."""
    with scenario.Sales(world.folder) as sales:
        sales.want(scenario.deal("NEW", "Won", name="Project old"))


def undisturbed(situation: Prepared, command: tuple[str, ...]) -> tuple[int, Outcome]:
    """Returns how many crash points a command has, and what comes of it and of a run."""
    with situation.another() as world:
        if command == ADOPT:
            renumber(world)
        world.run_well(*command)
        count = len(world.crash_points_reached())
        return count, recover(world)


def killed(world: World, command: tuple[str, ...], number: int) -> None:
    code = world.run(*command, kill_at=number)
    assert code == KILLED, f"crash point {number}: exit code {code}\n{world.said()}"


def is_bound(world: World, deal: str) -> bool:
    bindings = world.outcome().remembered["bindings"]
    return any(row[0] == deal for row in bindings)


@pytest.mark.sampled_inside
def test_a_project_goes_over_to_a_new_key_once_wherever_it_is_killed(situation: Prepared) -> None:
    count, expected = undisturbed(situation, ADOPT)
    differences, by_the_run = [], 0
    for number in sampled(range(1, count + 1, 1 if LONG else 5), 4):
        with situation.another() as world:
            renumber(world)
            killed(world, ADOPT, number)
            if is_bound(world, "NEW") and number % 2:
                by_the_run += 1  # the next run finishes it by itself
            else:
                world.run_well(*ADOPT)
            difference = expected.difference(recover(world))
        if difference:
            differences.append(f"crash point {number}:\n{difference}")
    assert not differences, "\n".join(differences)
    assert by_the_run, "no kill came after the decision was on disk"


@pytest.mark.sampled_inside
def test_leaving_is_finished_by_leaving_again_wherever_it_is_killed(situation: Prepared) -> None:
    count, expected = undisturbed(situation, LEAVE)
    assert "Kept current" not in json.dumps(expected.seen)
    for number in sampled(range(1, count + 1, 1 if LONG else 5), 4):
        with situation.another() as world:
            killed(world, LEAVE, number)
            assert world.run("run") in (DONE, 3), world.said()
            world.run_well(*LEAVE)
            difference = expected.difference(recover(world))
            assert not difference, f"crash point {number}:\n{difference}"
