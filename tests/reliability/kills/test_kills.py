"""Killed at any crash point, the next run ends as if nothing had happened: with real processes."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from tests.figures import Figure
from tests.profiles import LONG, WHOLE, sampled

from . import scenario
from .harness import Gate, Outcome, Prepared, World, fleet, killed, recover


@dataclass(frozen=True, slots=True)
class Undisturbed:
    """What a run that no one kills leads to."""

    crash_points_reached: tuple[str, ...]
    outcome: Outcome
    after_edits: Outcome
    """And after people edited projects, and one more run."""


@pytest.fixture(scope="module")
def situations() -> Iterator[list[Prepared]]:
    with fleet(2) as prepared:
        yield prepared


@pytest.fixture(scope="module")
def undisturbed(situations: list[Prepared]) -> Undisturbed:
    with situations[0].another() as world:
        outcome = recover(world)
        unmarked = scenario.by_name(world.sandbox, "Project unmarked")
        assert "(tentative)" in unmarked["name"], "it is not ours to write"
        crash_points_reached = tuple(world.crash_points_reached())
        scenario.people_between(world.sandbox)
        return Undisturbed(crash_points_reached, outcome, recover(world))


@pytest.mark.sampled_inside
def test_killed_at_any_crash_point_the_next_run_ends_as_if_nothing_had_happened(
    situations: list[Prepared], undisturbed: Undisturbed, figure: Figure
):
    reached = undisturbed.crash_points_reached
    of_each_kind = {name: number for number, name in enumerate(reached, 1)}.values()
    every = sampled(range(1, len(reached) + 1, 1 if LONG else 5), 12)
    numbers = sorted({*every, *(of_each_kind if WHOLE else ())})
    tries = [(number, edited) for number in numbers for edited in _with_edits(number)]
    began = time.monotonic()
    differences = _each(situations, tries, lambda world, at: _kill_once(world, *at, undisturbed))
    assert not differences, "\n".join(differences)
    figure(
        f"{len(numbers)} of {len(reached)} crash points killed and recovered ({len(tries)} kills, "
        f"{sum(edited for _, edited in tries)} with edits by people before the recovery), "
        f"{time.monotonic() - began:.0f} s"
    )


def _with_edits(number: int) -> Sequence[bool]:
    """The long profile tries with and without edits by people, not one of the two."""
    return (False, True) if LONG else (random.Random(number).random() < 0.5,)


def _kill_once(world: World, number: int, edited: bool, undisturbed: Undisturbed) -> str:
    """Kills a run, recovers, and says what is not as it would have been otherwise."""
    assert killed(world, number), f"crash point {number} is never reached"
    if edited:
        scenario.people_between(world.sandbox)
    expected = undisturbed.after_edits if edited else undisturbed.outcome
    difference = expected.difference(recover(world))
    if not difference and number % 8 == 0:
        difference = _not_quiet(world)
    name = undisturbed.crash_points_reached[number - 1]
    return f"crash point {number} ({name}), edits {edited}:\n{difference}" if difference else ""


def _not_quiet(world: World) -> str:
    world.sandbox.clear_requests()
    recover(world)
    writes = world.requests(writes=True)
    return f"one more run wrote: {writes}" if writes else ""


@pytest.mark.sampled_inside
def test_killed_a_second_time_during_the_recovery_it_still_ends_well(
    situations: list[Prepared], undisturbed: Undisturbed, figure: Figure
):
    step = 5 if LONG else 31
    every = [
        (first, second)
        for first in range(20, len(undisturbed.crash_points_reached), step)
        for second in range(30 + first % 7, 200, 2 * step)
    ]
    pairs = sampled(every, 20)

    def check(world: World, pair: tuple[int, int]) -> str:
        killed(world, pair[0])
        killed(world, pair[1])
        difference = undisturbed.outcome.difference(recover(world))
        return f"crash points {pair}:\n{difference}" if difference else ""

    differences = _each(situations, pairs, check)
    assert not differences, "\n".join(differences)
    figure(f"{len(pairs)} second kills during the recovery")


@pytest.mark.sampled_inside
def test_killed_while_projects_are_written_in_parallel_it_still_ends_well(
    situations: list[Prepared], undisturbed: Undisturbed
):
    def check(world: World, number: int) -> str:
        scenario.write_configuration(world.folder, world.sandbox, concurrency=3)
        killed(world, number)
        difference = undisturbed.outcome.difference(recover(world))
        return f"crash point {number}:\n{difference}" if difference else ""

    numbers = sampled(range(60, len(undisturbed.crash_points_reached), 5 if LONG else 25), 4)
    differences = _each(situations, numbers, check)
    assert not differences, "\n".join(differences)


@pytest.mark.sampled_inside
def test_the_command_line_itself_recovers_after_sigkill_though_the_request_takes_effect_later(
    situations: list[Prepared], undisturbed: Undisturbed, figure: Figure
):
    """The server finishes a request whose sender is dead, while the next run is at work already."""
    numbers = sampled(_writes(situations[0])[:: 1 if LONG else 4], 6)

    def check(world: World, number: int) -> str:
        scenario.write_configuration(world.folder, world.sandbox, settle_seconds=3)
        gate = Gate(world.sandbox, number)
        child = world.children.start(world.folder, "run")
        gate.wait()
        child.kill()
        child.communicate(timeout=120)
        gate.open_with_the_next()
        difference = undisturbed.outcome.difference(recover(world))
        return f"request {number}:\n{difference}" if difference else ""

    differences = _each(situations, numbers, check)
    assert not differences, "\n".join(differences)
    figure(f"{len(numbers)} processes ended by SIGKILL, their request done after that")


def _writes(situation: Prepared) -> list[int]:
    """Returns the numbers of the requests of a run that write, counted over all its requests."""
    with situation.another() as world:
        world.run("run")
        requests = world.sandbox.requests
    return [
        number
        for number, line in enumerate(requests, start=1)
        if line.method != "GET" and not line.path.startswith(("/auth", "/user-storage"))
    ]


@pytest.mark.sampled_inside
def test_the_recovery_reads_at_most_once_more_per_open_intent(
    situations: list[Prepared], undisturbed: Undisturbed
):
    def check(world: World, number: int) -> str:
        killed(world, number)
        count = world.open_intents()
        with world.undone():
            world.forget_intents()
            without = world.reads_of_a_run()
        reads = world.reads_of_a_run()
        if reads <= without + count:
            return ""
        return (
            f"crash point {number}: {reads} reads with {count} open intents, {without} without any"
        )

    names = undisturbed.crash_points_reached
    sent = [n for n, name in enumerate(names, start=1) if name == "after intent commit"]
    answered = [n for n, name in enumerate(names, start=1) if name == "before receipt commit"]
    numbers = [*sent, *answered] if LONG else sampled([*sent[::4], *answered[1::4]], 40)
    differences = _each(situations, numbers, check)
    assert not differences, "\n".join(differences)


def _each(
    situations: list[Prepared], tries: Sequence[Any], check: Callable[[World, Any], str]
) -> list[str]:
    """Checks each try in a world of its own; returns what was found wrong."""

    def work(place: int) -> list[str]:
        found = []
        for one in tries[place :: len(situations)]:
            with situations[place].another() as world:
                found.append(check(world, one))
        return found

    with ThreadPoolExecutor(len(situations)) as pool:
        results = pool.map(work, range(len(situations)))
        return [difference for found in results for difference in found if difference]
