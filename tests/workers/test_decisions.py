"""What is done after a run, as one table."""

from __future__ import annotations

from datetime import timedelta

import pytest

from taiga_pipeline.workers.decisions import HOST_FAILURES, Ending, hold, wait

LEAST, MOST = (lambda: 0.999_999), (lambda: 0.0)


def waits(ending: Ending, count: int) -> list[float | None]:
    """Returns the longest waits, in seconds, after one to ``count`` failures in a row."""
    found = [wait(ending, failures, MOST) for failures in range(1, count + 1)]
    return [None if each is None else each.total_seconds() for each in found]


def test_every_ending_has_its_waits() -> None:
    table = {ending: waits(ending, 7) for ending in Ending}
    nothing = [None] * 7
    assert table == {
        Ending.DONE: nothing,
        Ending.PARTIAL: nothing,
        Ending.REFUSED: nothing,
        Ending.USAGE: nothing,
        Ending.LOCKED: [20, 40, 80, 120, 120, 120, 120],
        Ending.UNREACHABLE: [60, 120, 240, 480, 960, 1_800, 1_800],
        Ending.DATABASE_AWAY: [5, 10, 20, 40, 80, 120, 120],
        Ending.UNEXPECTED: [120, 240, 480, None, None, None, None],
        Ending.STOPPED: [0] * 7,
        Ending.CUT_OFF: [4, 8, 16, 32, 64, None, None],
        Ending.TOO_LONG: [600, 1_200, None, None, None, None, None],
    }


def test_chance_takes_up_to_half_of_a_wait() -> None:
    shortest = wait(Ending.UNREACHABLE, 1, LEAST)
    assert shortest is not None
    assert shortest.total_seconds() == pytest.approx(30, abs=0.01)


def test_a_host_that_is_down_for_years_is_still_asked_every_quarter_of_an_hour() -> None:
    assert hold(10**6) == timedelta(minutes=15)
    assert wait(Ending.UNREACHABLE, 10**6, MOST) == timedelta(minutes=30)


def test_a_host_is_left_alone_after_several_failures_in_a_row() -> None:
    assert [hold(n) for n in range(HOST_FAILURES)] == [None] * HOST_FAILURES
    assert hold(HOST_FAILURES) == timedelta(seconds=30)
    assert hold(HOST_FAILURES + 2) == timedelta(seconds=120)


def test_only_a_run_that_came_to_its_end_is_a_success() -> None:
    assert {ending for ending in Ending if ending.is_success} == {Ending.DONE, Ending.PARTIAL}
