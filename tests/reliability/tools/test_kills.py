"""Killed at any crash point, the next run ends as if nothing had happened, whichever the tool."""

from __future__ import annotations

import pytest

from tests.figures import Figure
from tests.profiles import LONG, sampled
from tests.reliability.tools.office import Original, ends_well

pytestmark = pytest.mark.sampled_inside

WHOLE_TRIES = 1 if LONG else 23
"""Of so many crash points one is tried in a whole run, every one in a long one."""


def test_killed_at_any_crash_point_the_next_runs_end_as_if_nothing_had_happened(
    world_of_a_tool: Original, figure: Figure
) -> None:
    names = world_of_a_tool.again().crash_points()
    numbers = sampled(range(1, len(names) + 1, WHOLE_TRIES), 6)
    wrong = []
    for number in numbers:
        world = world_of_a_tool.again()
        assert world.run_killed(number), f"crash point {number} is never reached"
        trouble = ends_well(world, world_of_a_tool)
        wrong += [f"crash point {number} ({names[number - 1]}): {trouble}"] if trouble else []
    assert not wrong, "\n".join(wrong)
    figure(
        f"{world_of_a_tool.world.server.name}: {len(numbers)} of {len(names)} crash points killed"
    )


def test_killed_a_second_time_during_the_recovery_it_still_ends_well(
    world_of_a_tool: Original, figure: Figure
) -> None:
    last = len(world_of_a_tool.again().crash_points())
    step = 11 if LONG else 83
    every = [(first, 10 + (7 * first) % 120) for first in range(15, last, step)]
    wrong = []
    for first, second in sampled(every, 4):
        world = world_of_a_tool.again()
        world.run_killed(first)
        world.run_killed(second)
        trouble = ends_well(world, world_of_a_tool)
        wrong += [f"crash points {first} and {second}: {trouble}"] if trouble else []
    assert not wrong, "\n".join(wrong)
    figure(f"{world_of_a_tool.world.server.name}: {len(every)} second kills")
