"""Small deals that are drawn together come to what drawing them one by one comes to."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from taiga_pipeline.planning.capacity.drivers import Drawn, RoleDrivers
from taiga_pipeline.planning.capacity.pool import FEWEST, Choice, choose
from taiga_pipeline.planning.capacity.rows import Floats, Row, Shape, Table, expected_hours
from taiga_pipeline.planning.capacity.simulation import Futures, Simulation
from tests.planning.exact import exact

SHAPE = Shape(2, 8, 0.25, -0.03)
TRIALS = 10_000


@cache
def many(count: int = 600) -> tuple[Row, ...]:
    """Returns deals of some hours in one or two roles, some with more hours in the middle."""
    source = np.random.default_rng(7)
    rows = []
    for number in range(count):
        begin, weeks = int(source.integers(-1, 6)), int(source.integers(1, 5))
        hours = 4.0 * int(source.integers(2, 10))
        steps = [(number % 2, 0, hours), (number % 2, weeks, -hours)]
        if number % 3 == 0:
            steps += [
                (1 - number % 2, 1, 8.0),
                (1 - number % 2, 2, 8.0),
                (1 - number % 2, 4, -16.0),
            ]
        starts = ((begin, 0.5), (begin + 1, 0.3), (begin + 3, 0.2))
        rows.append(Row(float(source.beta(2, 4)), starts, tuple(steps)))
    return tuple(rows)


def together(rows: tuple[Row, ...]) -> list[bool]:
    return choose(Table.of(rows, SHAPE.weeks), SHAPE).chosen.tolist()


@cache
def drawn() -> Futures:
    assert all(together(many()))
    return Simulation(many(), SHAPE).run(TRIALS, 1, watched=range(40))


@cache
def one_by_one() -> Futures:
    alone = np.zeros(len(many()), dtype=bool)
    return Simulation(many(), SHAPE, pooled=Choice(alone)).run(TRIALS, 1, watched=range(40))


@pytest.mark.parametrize("role", range(SHAPE.roles))
@pytest.mark.parametrize("week", [0, 3, 7])
def test_each_role_and_week_agrees_with_exact_computation(role: int, week: int) -> None:
    truth, found = exact(many(), SHAPE, role, week, nodes=64), drawn().hours[role, week]
    assert found.mean() == pytest.approx(truth.mean(), rel=0.005)
    for share in (0.05, 0.2, 0.5, 0.8, 0.95):
        assert np.quantile(found, share) == pytest.approx(truth.quantile(share), rel=0.015)


def test_roles_and_weeks_move_together_as_the_deals_tie_them() -> None:
    for part in (slice(0, 1), slice(None)):
        ours, theirs = (each.hours[part].sum(axis=(0, 1)) for each in (drawn(), one_by_one()))
        assert ours.std() == pytest.approx(theirs.std(), rel=0.03)
        assert np.quantile(ours, 0.8) == pytest.approx(np.quantile(theirs, 0.8), rel=0.01)
        # Besides what good and bad times do.
        ours = _besides_the_times(ours, drawn())
        theirs = _besides_the_times(theirs, one_by_one())
        assert ours.std() == pytest.approx(theirs.std(), rel=0.06)


def _besides_the_times(hours: Floats, futures: Futures) -> Floats:
    times = np.log(futures.factors)
    found: Floats = hours - np.polyval(np.polyfit(times, hours, 2), times)
    return found


def test_a_deal_that_stands_out_is_drawn_by_itself() -> None:
    for chance in (0.3, 0.5):  # whether it leans to one side or not
        large = Row(chance, ((2, 1.0),), ((0, 0, 4_000.0), (0, 3, -4_000.0)))
        assert together((*many(), large)) == [True] * len(many()) + [False]


def test_few_deals_are_drawn_one_by_one() -> None:
    assert not any(together(many()[: FEWEST - 1]))


def test_weeks_that_few_deals_reach_are_drawn_one_by_one() -> None:
    late = Row(0.3, ((7, 1.0),), ((0, 0, 40.0), (0, 9, -40.0)))
    rows = tuple(replace(each, starts=((0, 1.0),)) for each in many())
    found = together((*rows, *[late] * 5))
    assert all(found[: len(rows)])
    assert not all(found[len(rows) :])


def test_what_is_certain_stays_so_in_bad_times() -> None:
    rows = tuple(replace(each, probability=1.0, starts=((1, 1.0),)) for each in many())
    hours = Simulation(rows, SHAPE).run(200, 1).hours
    assert np.ptp(hours, axis=2).max() == pytest.approx(0, abs=0.05)
    assert hours[0, 1, 0] == pytest.approx(exact(rows, SHAPE, 0, 1, nodes=1).mean(), rel=1e-5)


def test_the_same_seed_draws_the_same_futures() -> None:
    again = Simulation(many(), SHAPE).run(TRIALS, 1).hours
    assert np.array_equal(again, drawn().hours)
    assert not np.array_equal(Simulation(many(), SHAPE).run(TRIALS, 2).hours, again)


def test_a_deal_that_changes_changes_what_drawing_anew_would() -> None:
    simulation = Simulation(many(), SHAPE)
    before = simulation.run(TRIALS, 1, keep=True).hours
    rows = list(many())
    rows[4] = replace(rows[4], probability=0.0)
    rows[6] = replace(rows[6], starts=((7, 1.0),))
    changed = simulation.changed(rows)
    assert changed == [4, 6]
    after = before + simulation.change(rows, changed, TRIALS, 1)
    anew = simulation.like(rows).run(TRIALS, 1).hours
    assert np.abs(after - anew).max() < 0.02 * anew.max()
    assert after.mean(axis=2) == pytest.approx(anew.mean(axis=2), rel=1e-3)
    assert simulation.change(many(), [4, 6], TRIALS, 1).max() == 0


def test_a_deal_that_grows_large_has_all_drawn_again() -> None:
    rows = list(many())
    rows[4] = Row(0.5, rows[4].starts, ((0, 0, 900.0), (0, 3, -900.0)))
    assert Simulation(many(), SHAPE).changed(rows) is None


def test_what_a_deal_adds_to_a_gap_is_that_of_drawing_it_by_itself() -> None:
    table = Table.of(many(), SHAPE.weeks)
    expected = list(expected_hours(table, SHAPE))
    capacity = drawn().hours[0].mean(axis=1)
    pooled, alone = (
        RoleDrivers(0, Drawn(many(), table, futures, expected, SHAPE), capacity)
        for futures in (drawn(), one_by_one())
    )
    found = {each.row: each.hours for each in pooled.of_all(range(8))}
    known = {each.row: each.hours for each in alone.of_all(range(8))}
    assert len(found.keys() & known.keys()) >= 4
    for row in found.keys() & known.keys():
        assert found[row] == pytest.approx(known[row], rel=0.1)
