"""Decisions that fall on ends of months are forecast there."""

from __future__ import annotations

from datetime import timedelta

import pytest

np = pytest.importorskip("numpy", reason="needs the extra planning: numpy")

from bench.small_firms import simulate  # noqa: E402
from bench.small_firms_shape import TODAY, Shape  # noqa: E402
from taiga_pipeline.planning.forecast.forecast import Ground, prepare  # noqa: E402
from taiga_pipeline.planning.forecast.month_ends import weights_of  # noqa: E402
from taiga_pipeline.planning.forecast.outlooks import outlooks_of  # noqa: E402
from taiga_pipeline.planning.forecast.record import make_record  # noqa: E402
from taiga_pipeline.planning.forecast.replay import open_curves  # noqa: E402


def ground_of(*, month_ends: bool, seed: int = 3) -> Ground:
    shape = Shape("", 60, 2, month_ends=month_ends)
    return prepare(simulate(shape, seed).history, TODAY, 90)


def test_decisions_on_last_days_of_months_are_expected_on_them() -> None:
    won, decided = ground_of(month_ends=True).view.open.daily()
    ends = [(TODAY + timedelta(days=1 + day)).month for day in range(91)]
    last = [day for day in range(90) if ends[day] != ends[day + 1]]
    assert won[last].sum() > 0.8 * won.sum()
    assert decided[last].sum() > 0.8 * decided.sum()
    assert (decided >= won - 1e-9).all()


def test_open_and_new_deals_close_on_the_same_days_and_so_do_single_ones() -> None:
    ground = ground_of(month_ends=True)
    coming, _ = ground.view.coming.daily()
    assert coming[29] > 10 * coming[20]  # 30 April, 21 April.
    outlook = outlooks_of(ground).by_deal[ground.deals[0].key]
    weeks = dict(outlook.closes)
    end = TODAY + timedelta(days=30)
    assert weeks[end - timedelta(days=end.weekday())] > 0.5 * max(weeks.values())


def test_a_month_end_more_or_less_in_the_days_ahead_counts() -> None:
    """From 31 March, 90 days hold the ends of April and May; one day more holds that of June."""
    ground = ground_of(month_ends=True)
    curves = open_curves(ground.view.model, 200)
    won = [float(curves.within(1, days)[0].sum()) for days in (29, 30, 90, 91, 121, 122)]
    assert won[1] > 2 * won[0]
    assert won[3] > 1.1 * won[2]
    assert won[4] < 1.1 * won[3]


def test_over_long_times_as_many_are_won_as_without() -> None:
    ground = ground_of(month_ends=True)
    ever = open_curves(ground.view.model, 730).won.sum(axis=0)
    assert ever == pytest.approx(ground.view.model.open_curves(730).won.sum(axis=0), abs=0.01)


def test_where_days_are_alike_nothing_is_moved() -> None:
    for seed in range(20):
        history = simulate(Shape("", 60, 2), seed).history
        assert weights_of(make_record(history, TODAY)) is None


@pytest.mark.parametrize("month_ends", [True, False])
def test_many_decisions_are_judged_as_few_are(month_ends: bool) -> None:
    record = make_record(simulate(Shape("", 1500, 1, month_ends=month_ends), 1).history, TODAY)
    assert record.decided > 500
    assert (weights_of(record) is not None) == month_ends
