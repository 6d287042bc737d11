"""The forecast by month and quarter, one deal's explanation, and what planning gets of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

np = pytest.importorskip("numpy", reason="needs the extra planning: numpy")

from taiga_pipeline.planning.forecast.deal_value import learn_deal_values  # noqa: E402
from taiga_pipeline.planning.forecast.forecast import (  # noqa: E402
    Forecast,
    history_weight,
    make_forecast,
    prepare,
)
from taiga_pipeline.planning.forecast.notes import notes  # noqa: E402
from taiga_pipeline.planning.forecast.outlooks import explain, outlooks  # noqa: E402
from taiga_pipeline.planning.forecast.periods import months, quarters  # noqa: E402
from taiga_pipeline.planning.forecast.record import make_record  # noqa: E402
from taiga_pipeline.planning.forecast.stated import DATES_HOLD, trust_in_dates  # noqa: E402
from taiga_pipeline.planning.history.model import (  # noqa: E402
    CloseSpell,
    History,
    PastDeal,
    ValueSpell,
)
from tests.planning.pipelines import FIRST, Rules, deal, grown, last_day  # noqa: E402

RULES = Rules(deals=500, days=200)


@pytest.fixture(scope="module")
def forecast() -> Forecast:
    return make_forecast(grown(RULES), last_day(RULES))


def test_the_rest_of_a_month_and_whole_months_follow_each_other() -> None:
    found = months(date(2026, 11, 23), 3)
    assert [(each.name, each.first, each.last, each.begun) for each in found] == [
        ("2026-11", 1, 7, True),
        ("2026-12", 8, 38, False),
        ("2027-01", 39, 69, False),
    ]


def test_the_last_day_of_a_month_begins_with_the_next() -> None:
    assert [each.name for each in months(date(2026, 11, 30), 1)] == ["2026-12"]


@pytest.mark.parametrize(
    ("day", "number", "names"),
    [
        (date(2026, 11, 23), 6, ["2026 Q4", "2027 Q1"]),
        (date(2026, 11, 23), 1, []),
        (date(2026, 9, 30), 6, ["2026 Q4", "2027 Q1"]),
        (date(2026, 12, 5), 1, ["2026 Q4"]),
    ],
)
def test_quarters_lie_within_the_months(day: date, number: int, names: list[str]) -> None:
    assert [each.name for each in quarters(day, number)] == names


def test_ranges_are_in_order_and_parts_add_up_about(forecast: Forecast) -> None:
    for row in (*forecast.months, *forecast.quarters):
        for split in (row.won, row.decided, *row.value.values()):
            for each in (split.open, split.coming, split.all):
                assert 0 <= each.low <= each.middle <= each.high
        assert row.won.all.middle <= row.decided.all.middle
        parts = row.won.open.middle + row.won.coming.middle
        assert row.won.all.middle == pytest.approx(parts, rel=0.25, abs=2)


def test_later_months_are_mostly_of_deals_that_are_not_there_yet(forecast: Forecast) -> None:
    last = forecast.months[-1].won
    assert last.coming.middle > last.open.middle


def test_the_value_is_wins_times_what_they_bring(forecast: Forecast) -> None:
    row = forecast.months[1]
    assert row.value["EUR"].all.middle == pytest.approx(1000 * row.won.all.middle, rel=0.15)


def test_wins_of_which_only_the_decision_is_known_are_won_so_far_and_teach_nothing() -> None:
    day = last_day(RULES) - timedelta(days=40)
    history = grown(RULES).known_on(day)
    decided = replace(history.decided[0], key="X", entered=day, closed=day, won=True)
    read = replace(decided, currency="SEK", arrived=False)  # A file brought it.
    known = replace(history, outcomes=(read,))
    plain, told = make_forecast(history, day), make_forecast(known, day)
    before, after = plain.quarters[0], told.quarters[0]
    assert after.so_far.won == before.so_far.won + 1
    assert (after.won, after.value) == (before.won, before.value)
    assert "1,000 SEK won so far" in " ".join(notes(told, known))


def test_a_quarter_that_has_begun_is_what_was_won_so_far_and_what_is_expected_of_its_rest() -> None:
    day = last_day(RULES) - timedelta(days=40)
    history = grown(RULES).known_on(day)
    forecast = make_forecast(history, day)
    quarter, month = forecast.quarters[0], forecast.months[0]
    start = date(day.year, (day.month - 1) // 3 * 3 + 1, 1)
    won = [
        each for each in history.deals if each.won and each.closed and start <= each.closed <= day
    ]
    assert quarter.period.begun
    assert quarter.so_far.won == len(won) > month.so_far.won > 0
    assert quarter.so_far.value["EUR"] == 1000 * len(won)
    rest, whole = quarter.won.all, quarter.won_in_whole
    assert (whole.low, whole.middle, whole.high) == (
        rest.low + len(won), rest.middle + len(won), rest.high + len(won),
    )  # fmt: skip
    assert quarter.value_in_whole("EUR").high == quarter.value["EUR"].all.high + 1000 * len(won)
    assert forecast.quarters[1].so_far.won == 0
    said = " ".join(notes(forecast, history))
    assert f"In {quarter.period.name}, {len(won)} won so far" in said


def test_history_weighs_more_the_more_months_it_has() -> None:
    month = [date(2026, 1, 5)] * 500
    year = [date(2026, each, 5) for each in range(1, 13) for _ in range(42)]
    assert history_weight([]) == 0.0
    assert 0.5 < history_weight(month) < 0.6
    assert history_weight(year) > 0.9


def test_an_empty_pipeline_has_an_empty_forecast() -> None:
    result = make_forecast(History(()), FIRST, months_ahead=2)
    assert [row.won.all.high for row in result.months] == [0.0, 0.0]
    assert result.basis.decided == 0


@pytest.mark.parametrize("winning", [0.0, 1.0])
def test_one_outcome_only_is_no_trouble(winning: float) -> None:
    rules = replace(RULES, deals=150, winning=winning)
    row = make_forecast(grown(rules), last_day(rules)).months[1]
    assert row.won.open.high <= row.decided.open.high + 1
    assert (row.won.all.middle > 0.5 * row.decided.all.middle) is (winning == 1.0)


def test_deals_without_values_are_counted_and_bring_nothing() -> None:
    rules = replace(RULES, deals=120, value=None)
    result = make_forecast(grown(rules), last_day(rules), months_ahead=2)
    assert result.months[0].won.all.high > 0
    assert dict(result.months[0].value) == {}


def test_currencies_are_kept_apart() -> None:
    history = grown(replace(RULES, deals=200))
    mixed = tuple(
        replace(each, currency="USD" if number % 2 else "EUR")
        for number, each in enumerate(history.deals)
    )
    values = make_forecast(replace(history, deals=mixed), last_day(RULES)).months[1].value
    assert list(values) == ["EUR", "USD"]
    assert 0 < values["USD"].all.middle < 1.6 * values["EUR"].all.middle


def won_for(values: dict[str, list[int]]) -> History:
    """Wins of services and what they were worth."""
    closed = FIRST + timedelta(days=9)
    return History(
        tuple(
            replace(
                deal(f"{service}{number}", FIRST, closed, True),
                service=service,
                values=(ValueSpell(closed, Decimal(value)),),
            )
            for service, each in values.items()
            for number, value in enumerate(each)
        )
    )


def test_a_service_with_few_wins_leans_on_the_others_where_values_vary() -> None:
    (value_model,) = learn_deal_values(
        won_for({"Web": [20, 60, 100, 300] * 20, "Rare": [1200]})
    ).values()
    assert value_model.by_service["Web"] == pytest.approx(120, rel=0.05)
    assert 200 < value_model.by_service["Rare"] < 1000


def test_a_price_list_is_believed_from_the_first_sale_on() -> None:
    """Where all deals of a service bring the same, other services say nothing of it."""
    prices = {"Small": [55, 50, 60], "Large": [5000, 5200, 4900], "Huge": [26000]}
    (value_model,) = learn_deal_values(won_for(prices)).values()
    for service, each in prices.items():
        assert value_model.by_service[service] == pytest.approx(sum(each) / len(each), rel=0.2)
    assert value_model.spread < 0.6 < value_model.spread_of_all


def test_wins_that_brought_nothing_are_a_part_of_all_wins() -> None:
    (value_model,) = learn_deal_values(won_for({"Web": [20, 60, 100, 0]})).values()
    assert (value_model.nothing, value_model.mean) == (0.25, 45)


def test_before_a_win_has_a_value_those_of_open_deals_stand_for_it() -> None:
    open_deal = replace(deal("A", FIRST), values=(ValueSpell(FIRST, Decimal(700)),))
    (value_model,) = learn_deal_values(History((open_deal,))).values()
    assert (value_model.mean, value_model.share) == (700, 1)


def test_outlooks_cover_every_open_deal_and_their_weeks_sum_to_one() -> None:
    history, day = grown(RULES), last_day(RULES)
    result = outlooks(history, day)
    assert set(result.by_deal) == {each.key for each in history.known_on(day).open}
    for outlook in result.by_deal.values():
        assert 0.0 <= outlook.probability <= 1.0
        assert sum(chance for _, chance in outlook.closes) == pytest.approx(1.0)
        assert all(monday.weekday() == 0 for monday, _ in outlook.closes)
        assert outlook.closes[0][0] >= day - timedelta(days=6)
    assert 0.05 < result.common_shock_sd < 0.6


def test_without_history_a_stated_close_date_is_believed() -> None:
    open_deal = replace(deal("A", FIRST), expected_close=FIRST + timedelta(days=200))
    closes = outlooks(History((open_deal,), {"Proposal": 0.4}), FIRST).by_deal["A"].closes
    near = [chance for monday, chance in closes if 170 <= (monday - FIRST).days <= 230]
    assert 0.8 < sum(near) < 0.9


@pytest.mark.parametrize(("passed", "least", "most"), [(9, 0.8, 1.0), (60, 0.3, 0.5)])
def test_a_close_date_that_has_just_passed_means_soon_and_an_old_one_nothing(
    passed: int, least: float, most: float
) -> None:
    day = FIRST + timedelta(days=100)
    open_deal = replace(deal("A", FIRST), expected_close=day - timedelta(days=passed))
    closes = outlooks(History((open_deal,), {"Proposal": 0.4}), day).by_deal["A"].closes
    soon = sum(chance for monday, chance in closes if monday <= day + timedelta(days=43))
    assert least < soon < most


def dated(key: str, first: date, stated: int, taken: int) -> PastDeal:
    """A deal that is won ``taken`` days after it came in, and for which ``stated`` was reported."""
    spell = CloseSpell(first, first + timedelta(days=stated))
    won = deal(key, first, first + timedelta(days=taken), True)
    return replace(won, stated=(spell,), expected_close=spell.close)


def test_the_deal_and_the_sum_say_the_same_of_a_stated_date() -> None:
    """A deal that states a date seven months ahead was once due within 90 days in the sum."""
    far = replace(deal("A", FIRST), expected_close=FIRST + timedelta(days=210))
    ground = prepare(History((far,), {"Proposal": 0.5}), FIRST, 240)
    explanation = explain(ground, "A")
    assert explanation is not None
    for days in (30, 60, 90):
        by_sum = float(ground.view.open.within(1, days)[0].sum())
        assert explanation.within[days] == pytest.approx(by_sum)
        assert float(ground.view.open.daily()[0][:days].sum()) == pytest.approx(by_sum)
        assert float(ground.view.open.won[:days].sum()) == pytest.approx(by_sum)
    assert explanation.within[90] < 0.2 * explanation.chance
    assert ground.view.open.within(1, 240)[0].sum() > 0.8 * explanation.chance
    assert explanation.closes is not None
    assert 180 <= (explanation.closes[1] - FIRST).days <= 240


@pytest.mark.parametrize(("stated", "least", "most"), [(100, 0.9, 1.0), (300, 0.0, 0.3)])
def test_a_stated_date_counts_as_often_as_stated_dates_held(
    stated: int, least: float, most: float
) -> None:
    first = FIRST - timedelta(days=200)
    won = [dated(f"W{n}", first, stated, 90 + n % 20) for n in range(40)]
    record = make_record(History((*won, deal("O", FIRST)), {"Proposal": 0.5}), FIRST)
    assert least < trust_in_dates(record) < most


def test_a_date_that_was_entered_with_the_win_says_nothing_of_dates() -> None:
    won = deal("W", FIRST - timedelta(days=90), FIRST - timedelta(days=9), True)
    known = replace(won, stated=(CloseSpell(won.closed or FIRST, won.closed),))
    record = make_record(History((known, deal("O", FIRST)), {"Proposal": 0.5}), FIRST)
    assert trust_in_dates(record) == DATES_HOLD


def test_a_past_day_sees_the_date_that_was_stated_then() -> None:
    later = FIRST + timedelta(days=300)
    spells = (
        CloseSpell(FIRST, FIRST + timedelta(days=50)),
        CloseSpell(FIRST + timedelta(9), later),
    )
    moved = replace(deal("A", FIRST), stated=spells, expected_close=later)
    known = moved.known_on(FIRST + timedelta(days=5))
    assert known is not None
    assert known.expected_close == FIRST + timedelta(days=50)
    assert make_record(History((moved,)), FIRST).stated.tolist() == [
        (FIRST + timedelta(days=50)).toordinal()
    ]


def test_an_explanation_ends_at_the_chance_that_planning_gets() -> None:
    history, day = grown(RULES), last_day(RULES)
    ground = prepare(history, day, 90)
    outlook = next(iter(outlooks(history, day).by_deal.values()))
    explanation = explain(ground, outlook.deal_key)
    assert explanation is not None
    assert [step.name for step in explanation.steps] == [
        "base rate", "stage", "age", "season", "past forecasts",
    ]  # fmt: skip
    assert explanation.steps[-1].chance == pytest.approx(outlook.probability)
    assert explanation.steps[-1].chance == explanation.chance
    assert explanation.within[30] <= explanation.within[60] <= explanation.within[90]
    early, middle, late = explanation.closes or (day, day, day)
    assert day < early <= middle <= late


def test_a_decided_deal_is_not_explained() -> None:
    history, day = grown(RULES), last_day(RULES)
    decided = next(each for each in history.deals if each.closed)
    assert explain(prepare(history, day, 90), decided.key) is None
