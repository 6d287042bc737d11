"""Decisions that fall on ends of months are forecast there."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

np = pytest.importorskip("numpy", reason="needs the extra planning: numpy")

from bench.small_firms import simulate  # noqa: E402
from bench.small_firms_shape import TODAY, TOO_LOW, Shape  # noqa: E402
from taiga_pipeline.planning.forecast.forecast import Ground, prepare  # noqa: E402
from taiga_pipeline.planning.forecast.funnel.fitting import fit_funnel  # noqa: E402
from taiga_pipeline.planning.forecast.funnel.model import Funnel  # noqa: E402
from taiga_pipeline.planning.forecast.funnel.steps import on_last_day  # noqa: E402
from taiga_pipeline.planning.forecast.month_ends import ends_of  # noqa: E402
from taiga_pipeline.planning.forecast.outlooks import outlooks_of  # noqa: E402
from taiga_pipeline.planning.forecast.record import make_record  # noqa: E402
from taiga_pipeline.planning.forecast.replay import open_curves  # noqa: E402
from taiga_pipeline.planning.forecast.times_of_year import half_months_of  # noqa: E402
from taiga_pipeline.planning.history.model import PastDeal  # noqa: E402

MAPPING = dict(zip(Shape("").stages, TOO_LOW, strict=True))


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
        assert ends_of(make_record(history, TODAY)) is None


@pytest.mark.parametrize("month_ends", [True, False])
def test_many_decisions_are_judged_as_few_are(month_ends: bool) -> None:
    record = make_record(simulate(Shape("", 1500, 1, month_ends=month_ends), 1).history, TODAY)
    assert record.decided > 500
    assert (ends_of(record) is not None) == month_ends


def stepwise(seed: int = 3, **shape: Any) -> Funnel:
    made = Shape("", 60, 2, **shape)
    return fit_funnel(make_record(simulate(made, seed).history, made.today), MAPPING)


def test_a_deal_leaves_one_stage_at_one_end_of_a_month() -> None:
    """From 31 March, 90 days hold two ends of months, and a lead has four stages to pass."""
    funnel = stepwise(month_ends=True)
    ahead = {
        name: funnel.curves(np.array([at]), np.array([40]), 95).won[:, 0]
        for at, name in enumerate(funnel.record.stages)
    }
    assert ahead["Lead"][:91].sum() < 0.01
    assert ahead["Needs"][:31].sum() < 0.03
    assert ahead["Needs"][:62].sum() > 0.1
    assert ahead["Proposal"][:31].sum() > 0.3


def test_where_quarters_end_with_decisions_other_months_do_not() -> None:
    """From 16 February, 90 days hold the ends of three months and of one quarter."""
    funnel = stepwise(quarter_ends=True)
    won, _ = funnel.open_curves(90).daily()
    assert won[42:43].sum() > 0.9 * won.sum()  # 31 March.
    assert half_months_of(funnel.record, ends_of(funnel.record)) is None


def test_times_at_risk_on_last_days_are_those_of_exponential_ones() -> None:
    weight, rate = np.array([30.0, 0.001]), np.array([1 / 20, 1 / 20])
    stays = np.random.default_rng(1).exponential(20, 100_000)
    expected = [stays[stays < 30].mean(), 0.0005]
    assert on_last_day(weight, rate) == pytest.approx(expected, rel=0.01)


def test_rates_are_those_of_stays_that_end_between_ends() -> None:
    """Stays of 22.5 days that wait for the end of a month last 40: counted from end to end."""
    rates = [stepwise(seed, month_ends=True).leaves[1:].mean() for seed in range(4)]
    assert np.mean(rates) == pytest.approx(4 / 90, rel=0.15)


def test_stages_that_are_passed_at_one_end_or_left_on_any_day_are_no_steps() -> None:
    history = simulate(Shape("", 60, 2, month_ends=True), 3).history
    assert fit_funnel(make_record(history, TODAY), MAPPING).in_steps is not None

    def without_waiting(deal: PastDeal) -> PastDeal:
        """All stages of a deal are passed at the end at which the last of them is."""
        last = deal.stages[-1].since
        return replace(deal, stages=tuple(replace(each, since=last) for each in deal.stages))

    def on_any_day(deal: PastDeal) -> PastDeal:
        """Stages are left in the middle of months; decisions stay where they are."""
        moved = (replace(each, since=each.since.replace(day=9)) for each in deal.stages[1:])
        return replace(deal, stages=(*deal.stages[:1], *moved))

    for change in (without_waiting, on_any_day):
        changed = replace(history, deals=tuple(map(change, history.deals)))
        record = make_record(changed, TODAY)
        assert ends_of(record) is not None
        assert fit_funnel(record, MAPPING).in_steps is None
