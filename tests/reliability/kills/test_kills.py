"""Killed at any boundary, the next run ends as if nothing had happened: with real processes."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from . import scenario
from .harness import Outcome, Prepared, World, fleet, killed, recover

LONG = os.environ.get("RELIABILITY_PROFILE") == "long"
"""The long profile tries with and without edits by people at each boundary, not one of the two."""


@dataclass(frozen=True, slots=True)
class Undisturbed:
    """What a run that nobody kills leads to."""

    boundaries: tuple[str, ...]
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
        boundaries = tuple(world.boundaries())
        scenario.people_between(world.sandbox)
        return Undisturbed(boundaries, outcome, recover(world))


def test_killed_at_any_boundary_the_next_run_ends_as_if_nothing_had_happened(
    situations: list[Prepared], undisturbed: Undisturbed, capsys: pytest.CaptureFixture[str]
):
    numbers = range(1, len(undisturbed.boundaries) + 1)
    tries = [(number, edited) for number in numbers for edited in _with_edits(number)]
    began = time.monotonic()
    differences = _each(situations, tries, lambda world, at: _kill_once(world, *at, undisturbed))
    assert not differences, "\n".join(differences)
    _print(
        capsys,
        f"{len(numbers)} boundaries killed and recovered ({len(tries)} kills, "
        f"{sum(edited for _, edited in tries)} with edits by people before the recovery), "
        f"{time.monotonic() - began:.0f} s",
    )


def _with_edits(number: int) -> Sequence[bool]:
    return (False, True) if LONG else (random.Random(number).random() < 0.5,)


def _kill_once(world: World, number: int, edited: bool, undisturbed: Undisturbed) -> str:
    """Kills a run, recovers, and says what is not as it would have been otherwise."""
    assert killed(world, number), f"boundary {number} is never reached"
    if edited:
        scenario.people_between(world.sandbox)
    expected = undisturbed.after_edits if edited else undisturbed.outcome
    difference = expected.difference(recover(world))
    if not difference and number % 8 == 0:
        difference = _not_quiet(world)
    name = undisturbed.boundaries[number - 1]
    return f"boundary {number} ({name}), edits {edited}:\n{difference}" if difference else ""


def _not_quiet(world: World) -> str:
    world.sandbox.clear_requests()
    recover(world)
    writes = world.requests(writes=True)
    return f"one more run wrote: {writes}" if writes else ""


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


def _print(capsys: pytest.CaptureFixture[str], figure: str) -> None:
    """Shows a figure for the docs, whatever pytest captures."""
    with capsys.disabled():
        print(f"\n  {figure}")
