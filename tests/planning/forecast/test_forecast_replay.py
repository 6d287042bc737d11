"""Past forecasts know nothing of what came later."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

np = pytest.importorskip("numpy", reason="needs the extra planning: numpy")

from taiga_pipeline.planning.forecast.backtest import (  # noqa: E402
    backtest,
    base_rate,
    last_decision,
    revealing_fields,
)
from taiga_pipeline.planning.forecast.forecast import prepare, simulate_period  # noqa: E402
from taiga_pipeline.planning.forecast.hazards import Variant  # noqa: E402
from taiga_pipeline.planning.forecast.model import (  # noqa: E402
    FUNNEL,
    HAZARDS,
    MAPPING,
    PLAIN,
    usual_variant,
)
from taiga_pipeline.planning.forecast.record import Record, make_record  # noqa: E402
from taiga_pipeline.planning.forecast.replay import (  # noqa: E402
    Referee,
    replay,
    replay_days,
)
from taiga_pipeline.planning.forecast.simulate import range_of  # noqa: E402
from taiga_pipeline.planning.history.model import History, PastDeal, StageSpell  # noqa: E402
from tests.planning.pipelines import FIRST, Rules, deal, grown, last_day  # noqa: E402

RULES = Rules(deals=700, days=260)
HALF = FIRST + timedelta(days=170)


def _turned(each: PastDeal, day: date) -> PastDeal:
    if each.closed is not None and each.closed <= day:
        return each
    end = day + timedelta(days=1 + len(each.key) * 9)
    spells = (*each.stages, StageSpell(day + timedelta(days=1), "Offer"))
    return replace(each, closed=end, won=not each.won, stages=spells)


def other_future(history: History, day: date) -> History:
    """The same past up to ``day``, and everything after it the other way round."""
    deals = [_turned(each, day) for each in history.deals if each.entered <= day]
    new = (deal(f"N{n}", day + timedelta(days=2), None) for n in range(99))
    return replace(history, deals=(*deals, *new))


def test_what_comes_later_changes_nothing_in_earlier_forecasts() -> None:
    history = grown(RULES)
    one, two = (
        list(replay(each, replay_days(history, HALF)[::3], HALF, 90, Referee()))
        for each in (history, other_future(history, HALF))
    )
    assert len(one) > 4
    for first, second in zip(one, two, strict=True):
        assert first.view.model.variant == second.view.model.variant
        assert np.array_equal(first.view.open.won, second.view.open.won)
        assert np.array_equal(first.view.coming.won, second.view.coming.won)


def test_ranges_on_a_day_know_nothing_of_what_comes_later() -> None:
    history = grown(RULES)
    one, two = (
        range_of(simulate_period(prepare(each, HALF, 90), 1, 90, 0)["all"].won)
        for each in (history, other_future(history, HALF))
    )
    assert one == two


def test_a_field_that_tells_the_outcome_is_named_and_not_used() -> None:
    """Like the accounts of the real export: missing only for deals that are still open."""
    history = grown(RULES)
    leaky = replace(
        history,
        deals=tuple(
            replace(each, filled=frozenset({"name", "customer"} if each.closed else {"name"}))
            for each in history.deals
        ),
    )
    assert [each.field for each in revealing_fields(leaky)] == ["customer"]
    with_leak, without = (prepare(each, HALF, 60).view.open.won for each in (leaky, history))
    assert np.array_equal(with_leak, without)


def without_stages(deals: int) -> Record:
    """The record of so many decided deals whose stages are not on record."""
    ends = (FIRST + timedelta(days=1 + n % 99) for n in range(deals))
    decided = [deal(f"D{n}", FIRST, end, n % 3 == 0) for n, end in enumerate(ends)]
    still_open = deal("O", FIRST)
    history = History((*(replace(each, stages=()) for each in decided), still_open))
    return make_record(history, FIRST + timedelta(days=400))


def test_few_decisions_or_known_stages_ask_for_the_funnel_many_without_for_the_hazards() -> None:
    assert usual_variant(without_stages(60)) == FUNNEL
    assert usual_variant(without_stages(600)) == PLAIN
    assert usual_variant(make_record(grown(RULES), last_day(RULES))) == FUNNEL


def test_a_variant_is_on_only_after_it_won() -> None:
    referee, season, record = Referee(), Variant(season=True), without_stages(300)
    made = record.today - 30
    assert referee.choose(record) == PLAIN
    referee.add(made, {each: 1.0 if each == season else 2.0 for each in HAZARDS})
    assert referee.choose(replace(record, today=made + 29)) == PLAIN
    assert referee.choose(record) == season


def test_a_tie_goes_to_the_plain_model() -> None:
    referee, record = Referee(), without_stages(300)
    referee.add(record.today - 90, dict.fromkeys(HAZARDS, 3.0))
    assert referee.choose(record) == PLAIN


@pytest.mark.parametrize(
    ("errors", "chosen"),
    [
        ([(2.0, 1.0)] * 26, MAPPING),
        ([(2.0, 1.0), (1.0, 1.9)] * 13, FUNNEL),
        ([(2.0, 1.0)] * 12, FUNNEL),
        ([(1.0, 2.0)] * 26, FUNNEL),
    ],
    ids=["surely better", "better by chance", "better for a quarter", "worse"],
)
def test_the_plain_mapping_is_used_where_it_surely_did_better(
    errors: list[tuple[float, float]], chosen: Variant
) -> None:
    referee, record = Referee(), without_stages(60)
    for week, (funnel, mapping) in enumerate(errors):
        referee.add(record.today - 230 + 7 * week, {FUNNEL: funnel, MAPPING: mapping})
    assert referee.choose(record) == chosen


def test_the_first_forecast_waits_for_four_weeks_of_decisions() -> None:
    decided = deal("A", date(2017, 1, 1), date(2017, 3, 1), True)
    days = replay_days(History((decided,)), date(2017, 12, 31), ahead=90)
    assert (days[0], days[-1], len(days)) == (date(2017, 4, 3), date(2017, 10, 2), 27)


def test_a_steady_pipeline_is_forecast_without_bias_and_with_honest_ranges() -> None:
    rules = Rules(deals=1800, days=450, closing=0.02, winning=0.4)
    result = backtest(grown(rules, seed=8), last_day(rules))
    assert result is not None
    for horizon in result.horizons:
        assert horizon.model.brier <= horizon.base_rate.brier * 1.02
        assert horizon.model.brier < horizon.stages.brier
        assert horizon.model.ece < 0.1
        ratio = horizon.won["open"].ratio
        assert ratio == pytest.approx(1.0, abs=0.15)
        assert horizon.won["all"].covered >= 0.65
        assert horizon.value["EUR"]["all"].covered >= 0.65
    assert result.horizons[2].independent < result.horizons[0].independent / 2


def test_the_same_seed_scores_the_same() -> None:
    history, end = grown(RULES), last_day(RULES)
    assert backtest(history, end, seed=3) == backtest(history, end, seed=3)


def test_too_short_a_record_has_no_backtest() -> None:
    history = grown(Rules(deals=50, days=80))
    end = last_decision(history)
    assert end is not None
    assert backtest(history, end) is None
    assert last_decision(History(())) is None


def test_the_base_rate_is_that_of_deals_that_are_all_alike() -> None:
    rules = Rules(deals=3000, days=500, closing=0.02, winning=0.4)
    record = make_record(grown(rules).known_on(last_day(rules)), last_day(rules))
    assert base_rate(record, 30) == pytest.approx(0.4 * (1 - 0.98**30), abs=0.02)
