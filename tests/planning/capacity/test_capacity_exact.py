"""Where few deals ask, the distribution is worked out exactly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from taiga_pipeline.planning.capacity.exact import MOST_DEALS, Distribution, ExactRole
from taiga_pipeline.planning.capacity.rows import Row, Shape, Table, expected_hours
from tests.planning.capacity.test_capacity_simulation import SHAPE, any_row, many, row, st
from tests.planning.exact import exact
from tests.profiles import examples


def distribution(rows: list[Row], week: int, shape: Shape = SHAPE) -> Distribution | None:
    expected = list(expected_hours(Table.of(rows, shape.weeks), shape))
    return ExactRole(0, rows, shape, expected[0]).of_week(week)


@pytest.mark.parametrize("common_shock_sd", [0.0, 0.25])
def test_it_agrees_with_another_exact_computation(common_shock_sd: float) -> None:
    shape = Shape(2, 8, common_shock_sd, bias=-0.1)
    rows = many(25)
    for week in range(8):
        found = distribution(rows, week, shape)
        assert found is not None
        truth = exact(rows, shape, 0, week, nodes=1_000)
        mean = float(found.hours @ found.chances)
        assert mean == pytest.approx(truth.mean(), rel=2e-3)
        for capacity in (0.0, truth.mean(), 1.5 * truth.mean()):
            assert found.chance_over(capacity) == pytest.approx(
                truth.chance_over(capacity), abs=2e-3
            )
            assert found.expected_over(capacity) == pytest.approx(
                truth.expected_over(capacity), rel=5e-3, abs=1e-6
            )


@settings(max_examples=examples(40), deadline=None)
@given(st.lists(any_row, max_size=8), st.integers(0, 7))
def test_chances_sum_to_one_whatever_the_profiles(rows: list[Row], week: int) -> None:
    found = distribution(rows, week)
    assert found is not None
    assert found.chances.sum() == pytest.approx(1)
    assert (found.chances >= 0).all()
    assert (np.diff(found.hours) > 0).all()


def test_two_deals_are_four_cases() -> None:
    rows = [row(0.5), row(0.2, steps=((0, 0, 7.5), (0, 3, -7.5)))]
    found = distribution(rows, 1, Shape(2, 8, 0.0))
    assert found is not None
    kept = found.chances > 1e-12
    assert found.hours[kept].tolist() == [0, 7.5, 40, 47.5]
    assert found.chances[kept].tolist() == pytest.approx([0.4, 0.1, 0.4, 0.1])
    assert [found.quantile(share) for share in (0.4, 0.5, 0.8, 0.9, 0.95)] == [
        0, 7.5, 40, 40, 47.5,
    ]  # fmt: skip


def test_what_is_certain_is_not_shaken() -> None:
    found = distribution([row(1.0)], 1)
    assert found is not None
    assert found.quantile(0.001) == found.quantile(1.0) == 40


def test_nobody_asking_is_no_hours() -> None:
    found = distribution([row(0.5), row(0.0)], 7)
    assert found is not None
    assert (found.quantile(0.99), found.expected_over(0), found.chance_over(0)) == (0, 0, 0)


def test_many_deals_or_sums_are_left_to_the_simulation() -> None:
    assert distribution([row()] * MOST_DEALS, 1) is not None
    assert distribution([row()] * (MOST_DEALS + 1), 1) is None
    fine = [row(steps=((0, 0, 40.25 + n), (0, 3, -40.25 - n))) for n in range(MOST_DEALS)]
    assert distribution(fine, 1) is None
