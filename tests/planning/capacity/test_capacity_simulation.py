"""Simulated futures agree with exact computation, and are the same for the same seed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taiga_pipeline.planning.capacity import simulation as capacity_simulation
from taiga_pipeline.planning.capacity.rows import Row, Shape, Table, expected_hours
from taiga_pipeline.planning.capacity.simulation import Simulation
from tests.planning.exact import exact, outcomes
from tests.profiles import examples

SHAPE = Shape(roles=2, weeks=8)
TRIALS = 20_000


def row(
    probability: float = 0.5,
    starts: tuple[tuple[int, float], ...] = ((1, 1.0),),
    steps: tuple[tuple[int, int, float], ...] = ((0, 0, 40.0), (0, 3, -40.0)),
) -> Row:
    return Row(probability, starts, steps)


def many(count: int = 40) -> list[Row]:
    """Deals with profiles of their own, some begun before the first week, some late."""
    source = np.random.default_rng(7)
    rows = []
    for _ in range(count):
        steps: dict[tuple[int, int], float] = {}
        for role in range(int(source.integers(1, 3))):
            first, weeks = int(source.integers(-1, 3)), int(source.integers(1, 6))
            hours = 4.0 * int(source.integers(1, 11))
            steps[role, first] = hours
            steps[role, first + weeks] = -hours
        first = int(source.integers(0, 8))
        starts = ((first, 0.25), (first + 1, 0.5), (first + 3, 0.25))
        rows.append(
            row(float(source.uniform(0.05, 0.95)), starts, tuple((*k, v) for k, v in steps.items()))
        )
    return rows


def hours(rows: list[Row], shape: Shape = SHAPE, trials: int = TRIALS, seed: int = 1) -> np.ndarray:
    return Simulation(rows, shape).run(trials, seed).hours


@pytest.mark.parametrize("common_shock_sd", [0.0, 0.25])
def test_every_role_and_week_agrees_with_exact_computation(common_shock_sd: float) -> None:
    shape = Shape(2, 8, common_shock_sd, bias=-0.05)
    rows = many()
    drawn = hours(rows, shape)
    for role in range(2):
        for week in range(8):
            truth = exact(rows, shape, role, week)
            sample = drawn[role, week]
            spread = max(1.0, float(sample.std()))
            assert float(sample.mean()) == pytest.approx(truth.mean(), abs=4 * spread / TRIALS**0.5)
            chosen = float(np.quantile(sample, 0.8))
            # A quantile is right when the exact chance to be below it is near 80 %.
            assert truth.below(chosen) < 0.8 + 0.012
            assert truth.below(chosen) + truth.chances[round(chosen / 4)] > 0.8 - 0.012
            capacity = truth.quantile(0.6)
            over = np.maximum(sample - capacity, 0)
            assert float(over.mean()) == pytest.approx(
                truth.expected_over(capacity), abs=4 * float(over.std()) / TRIALS**0.5 + 0.02
            )


def test_the_exact_computation_agrees_with_counting_all_cases() -> None:
    rows = [row(0.5), row(0.25, ((0, 0.5), (2, 0.5)))]
    truth = exact(rows, Shape(2, 8, 0.0), role=0, week=1)
    # The second is there in week 1 only if it begins in week 0: chance 1/8.
    assert truth.mean() == pytest.approx(0.5 * 40 + 0.125 * 40)
    assert truth.chance_over(40) == pytest.approx(0.5 * 0.125)
    assert outcomes(rows[1], 0, 1, 8) == {40.0: 0.5, 0: 0.5}


def test_good_and_bad_times_hit_all_deals_together() -> None:
    rows = [row() for _ in range(200)]
    alone = hours(rows, Shape(2, 8, 0.0))[0, 1].std()
    together = hours(rows, Shape(2, 8, 0.25))[0, 1].std()
    assert together > 3 * alone


@pytest.mark.parametrize("count", [1, 600])
def test_what_good_times_cut_off_a_chance_is_made_up_for(count: int) -> None:
    rows = [row(0.9, steps=((0, 0, 4.0), (0, 3, -4.0)))] * count
    drawn = hours(rows, Shape(2, 8, 0.35, -(0.35**2) / 2))[0, 1]
    assert float(drawn.mean()) == pytest.approx(0.9 * 4 * count, rel=0.01)


def test_the_same_seed_draws_the_same_futures_whatever_the_number_of_threads() -> None:
    simulation = Simulation(many(), SHAPE)
    one = simulation.run(6_000, 5, workers=1).hours
    assert np.array_equal(one, simulation.run(6_000, 5, workers=4).hours)
    assert not np.array_equal(one, simulation.run(6_000, 6, workers=1).hours)


def test_other_deals_meet_the_same_chances_when_one_is_lost() -> None:
    rows = many()
    before = hours(rows)
    after = hours([*rows[:3], Row(0.0, rows[3].starts, rows[3].steps), *rows[4:]])
    assert (after <= before).all()
    assert (after < before).any()


def test_what_is_certain_is_there_in_every_trial() -> None:
    drawn = hours([row(1.0), row(0.0)])
    assert drawn[0, 1:4].min() == drawn[0, 1:4].max() == 40
    assert drawn[0, [0, 4, 5, 6, 7]].max() == 0


def test_a_deal_that_begins_after_the_last_week_asks_for_nothing() -> None:
    assert hours([row(1.0, ((8, 1.0),), ((0, -1, 8.0), (0, 4, -8.0)))]).max() == 0


def test_no_deals_are_no_hours() -> None:
    assert hours([], trials=10).shape == (2, 8, 10)
    assert hours([], trials=10).max() == 0


def test_begins_are_kept_for_the_rows_that_are_watched() -> None:
    rows = [row(0.5, ((0, 0.5), (6, 0.25), (9, 0.25))), row(1.0)]
    futures = Simulation(rows, Shape(2, 8, 0.0)).run(TRIALS, 1, watched=[1, 0])
    assert set(futures.begins[1].tolist()) == {1}
    begins, counts = np.unique(futures.begins[0], return_counts=True)
    assert begins.tolist() == [0, 6, SHAPE.never]
    assert counts / TRIALS == pytest.approx([0.25, 0.125, 0.625], abs=0.01)


def test_blocks_of_rows_and_spans_of_trials_leave_no_seams(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = many(30)
    truth = [exact(rows, SHAPE, 0, week).mean() for week in range(8)]
    monkeypatch.setattr(capacity_simulation, "BLOCK", 7)
    monkeypatch.setattr(capacity_simulation, "BATCH", 100)
    monkeypatch.setattr(capacity_simulation, "SPAN", 333)
    drawn = Simulation(rows, SHAPE).run(5_001, 1).hours
    assert drawn[0].mean(axis=1) == pytest.approx(truth, rel=0.1, abs=2)


weeks = st.integers(-3, 12)
steps = st.lists(
    st.tuples(st.integers(0, 1), weeks, st.integers(1, 40).map(float)),
    unique_by=lambda step: step[:2],
    max_size=12,
)
starts = st.lists(weeks, min_size=1, max_size=4, unique=True).map(
    lambda found: tuple((week, 1 / len(found)) for week in sorted(found))
)
any_row = st.builds(row, st.sampled_from([0.0, 0.3, 1.0]), starts, steps.map(tuple))


@settings(max_examples=examples(30), deadline=None)
@given(st.lists(any_row, max_size=12))
def test_what_is_expected_is_what_all_outcomes_come_to(rows: list[Row]) -> None:
    for role, (numbers, found) in enumerate(expected_hours(Table.of(rows, SHAPE.weeks), SHAPE)):
        for at, number in enumerate(numbers.tolist()):
            chances = [outcomes(rows[number], role, week, 8) for week in range(8)]
            mean = [sum(h * c for h, c in each.items()) for each in chances]
            assert found[at] == pytest.approx([rows[number].probability * m for m in mean])


@settings(max_examples=examples(30), deadline=None)
@given(st.lists(any_row, max_size=12))
def test_certain_deals_of_any_profile_land_where_they_should(rows: list[Row]) -> None:
    certain = [Row(1.0, each.starts[:1], each.steps) for each in rows]
    drawn = hours(certain, trials=3)
    for role in range(2):
        for week in range(8):
            total = sum(max(outcomes(each, role, week, 8)) for each in certain)
            assert drawn[role, week] == pytest.approx([total] * 3, abs=1e-3)
