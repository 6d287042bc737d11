"""What the model of decisions learns, and what it must not learn."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, timedelta

import pytest

np = pytest.importorskip("numpy", reason="needs the extra planning: numpy")

from taiga_pipeline.planning.forecast.curves import arrivals, curves, new_deals  # noqa: E402
from taiga_pipeline.planning.forecast.hazards import (  # noqa: E402
    Hazards,
    Variant,
    fit,
    gather,
)
from taiga_pipeline.planning.forecast.record import (  # noqa: E402
    NEVER,
    OLDEST,
    count_person_days,
    make_record,
)
from taiga_pipeline.planning.history.model import History, PastDeal, StageSpell  # noqa: E402
from tests.planning.pipelines import FIRST, Rules, deal, grown, last_day  # noqa: E402


def fitted(history: History, day: date, variant: Variant | None = None) -> Hazards:
    record = make_record(history.known_on(day), day)
    return fit(gather(record), history.chances, variant or Variant())


def ever(hazards: Hazards, age: int = 0, stage: str = "") -> float:
    place = hazards.record.stages.index(stage)
    chances = curves(hazards, np.array([age]), np.array([place]), 1500)
    return float(chances.won.sum())


def test_person_days_are_what_counting_deal_by_deal_gives() -> None:
    history, day = grown(Rules(deals=60, days=120)), FIRST + timedelta(days=119)
    record = make_record(history.known_on(day), day)
    groups = np.minimum(np.arange(OLDEST + 1) // 10, 4)
    counts = count_person_days(record, groups)
    at_risk, decided = np.zeros((2, *counts.at_risk.shape[:2]))
    for entered, closed in zip(record.entered, record.closed, strict=True):
        for place, today in enumerate(counts.days):
            if entered <= today <= closed:
                at_risk[place, groups[today - entered]] += 1
                decided[place, groups[today - entered]] += today == closed
    assert (counts.at_risk[:, :, 0] == at_risk).all()
    assert (counts.decided[:, :, 0] == decided).all()


def test_nobody_is_at_risk_before_the_record_begins() -> None:
    deals = (
        deal("A", FIRST, FIRST + timedelta(days=200), True),
        deal("B", FIRST, FIRST + timedelta(days=250), False),
    )
    record = make_record(History(deals), FIRST + timedelta(days=300))
    counts = count_person_days(record, np.zeros(OLDEST + 1, dtype=np.int64))
    assert counts.days[0] == (FIRST + timedelta(days=200)).toordinal()
    assert counts.at_risk[0, 0, 0] == 2


def test_without_history_the_chance_is_the_mappings() -> None:
    history = History((deal("A", FIRST),), {"Proposal": 0.37})
    assert ever(fitted(history, FIRST), stage="Proposal") == pytest.approx(0.37, abs=0.005)


def test_with_much_history_the_chance_is_what_became_of_deals() -> None:
    rules = Rules(deals=3000, days=800, winning=0.25)
    assert ever(fitted(grown(rules), last_day(rules))) == pytest.approx(0.25, abs=0.03)


def test_a_few_decisions_move_the_chance_a_little() -> None:
    won = tuple(deal(f"W{n}", FIRST, FIRST + timedelta(days=5 + n), True) for n in range(4))
    history = History((*won, deal("A", FIRST)), {"Proposal": 0.3})
    chance = ever(fitted(history, FIRST + timedelta(days=30)), stage="Proposal")
    assert 0.35 < chance < 0.6


def test_one_good_month_counts_less_than_the_same_wins_over_a_year() -> None:
    def history(spread: int) -> History:
        days = [FIRST + timedelta(days=number * spread // 120) for number in range(120)]
        won = (deal(str(n), day, day + timedelta(days=1), True) for n, day in enumerate(days))
        return History(tuple(won), {"Proposal": 0.3})

    burst = ever(fitted(history(20), FIRST + timedelta(days=365)))
    steady = ever(fitted(history(360), FIRST + timedelta(days=365)))
    assert 0.3 < burst < steady - 0.1


@pytest.mark.parametrize("outcome", [True, False])
def test_a_pipeline_with_one_outcome_only_is_neither_sure_nor_hopeless(outcome: bool) -> None:
    deals = tuple(deal(str(n), FIRST, FIRST + timedelta(days=n + 1), outcome) for n in range(30))
    chance = ever(fitted(History(deals, {"Proposal": 0.5}), FIRST + timedelta(days=40)))
    assert 0.02 < chance < 0.98
    assert (chance > 0.5) is outcome


def test_decisions_follow_the_daily_rate() -> None:
    rules = Rules(deals=3000, days=800, closing=0.03)
    hazards = fitted(grown(rules), last_day(rules))
    zeros = np.zeros(1, dtype=np.int64)
    within = curves(hazards, zeros, zeros, 30).decided.sum()
    assert within == pytest.approx(1 - 0.97**30, abs=0.05)


def test_deals_older_than_any_decision_are_expected_never_to_close() -> None:
    fresh = [deal(str(n), FIRST + timedelta(days=n), FIRST + timedelta(days=n + 20), True)
             for n in range(200)]  # fmt: skip
    stale = [deal(f"S{n}", FIRST) for n in range(50)]
    hazards = fitted(History((*fresh, *stale)), FIRST + timedelta(days=230))
    assert ever(hazards, age=100) == 0.0
    assert ever(hazards, age=1) > 0.3


def staged(number: int, rng: random.Random) -> PastDeal:
    """A deal in Lead, half of which reach Offer; wins come from Offer alone."""
    entered = FIRST + timedelta(days=number % 300)
    reaches = number % 2 == 0
    spells = [StageSpell(entered, "Lead")]
    if reaches:
        spells.append(StageSpell(entered + timedelta(days=10), "Offer"))
    closed = entered + timedelta(days=rng.randrange(20, 50))
    won = reaches and rng.random() < 0.8
    return PastDeal(str(number), entered, closed, won, stages=tuple(spells))


def test_stages_that_are_on_record_are_learnt() -> None:
    rng = random.Random(3)
    history = History(tuple(staged(n, rng) for n in range(900)), {"Lead": 0.1, "Offer": 0.5})
    hazards = fitted(history, FIRST + timedelta(days=360))
    assert hazards.record.learns_stages
    assert ever(hazards, stage="Offer") == pytest.approx(0.8, abs=0.08)
    assert ever(hazards, stage="Lead") == pytest.approx(0.4, abs=0.08)


def test_a_stage_known_of_open_deals_only_is_not_taken_for_a_sign() -> None:
    """As after an import: a stage before the end is known only of what never ended."""
    rules = Rules(deals=800, days=400)
    history, day = grown(rules), last_day(rules)
    imported = tuple(
        replace(each, stages=() if each.closed else each.stages) for each in history.deals
    )
    plain = tuple(replace(each, stages=()) for each in history.deals)
    past = day - timedelta(days=100)
    with_leak = fitted(History(imported, history.chances), past)
    without = fitted(History(plain, history.chances), past)
    assert not with_leak.record.learns_stages
    assert (with_leak.record.stage == 0).all()
    assert ever(with_leak, age=20) == pytest.approx(ever(without, age=20))


def test_a_stage_that_history_does_not_tell_counts_as_the_mapping_says() -> None:
    rules = Rules(deals=800)
    decided = tuple(replace(d, stages=()) for d in grown(rules).deals if d.closed)
    day = last_day(rules)
    still_open = (
        *(deal(f"P{n}", day) for n in range(9)),
        replace(deal("L", day), stages=(StageSpell(day, "Lead"),)),
    )
    history = History((*decided, *still_open), {"Lead": 0.05, "Proposal": 0.5})
    hazards = fitted(history, day)
    assert ever(hazards, stage="Lead") < 0.1 < ever(hazards, stage="Proposal")


def limited_team(decisions: int = 2) -> History:
    """Two decisions a day, of any open deals; the deals that come in triple halfway."""
    rng, waiting, deals = random.Random(4), [], []
    for number in range(300):
        today = FIRST + timedelta(days=number)
        waiting += [today] * (2 if number < 150 else 6)
        for _ in range(decisions):
            entered = waiting.pop(rng.randrange(len(waiting)))
            deals.append(deal(f"C{len(deals)}", entered, today, rng.random() < 0.5))
    return History((*deals, *(deal(f"O{n}", day) for n, day in enumerate(waiting))))


def test_with_load_on_more_open_deals_do_not_bring_more_decisions() -> None:
    history, today = limited_team(), FIRST + timedelta(days=299)

    def expected(load: bool) -> float:
        hazards = fitted(history, today, Variant(load=load))
        is_open = hazards.record.closed == NEVER
        ages = hazards.record.ages()[is_open]
        return float(curves(hazards, ages, np.zeros_like(ages), 10).decided.sum())

    assert expected(load=True) == pytest.approx(20, rel=0.25)
    assert expected(load=False) > 1.3 * expected(load=True)


def test_the_month_of_the_quarter_is_learnt_where_it_is_on() -> None:
    deals = []
    for number in range(2000):
        entered = FIRST + timedelta(days=number % 700)
        closed = entered + timedelta(days=30)
        third = (closed.month - 1) % 3 == 2
        deals.append(deal(str(number), entered, closed, third == (number % 10 < 9)))
    history, today = History(tuple(deals), {"Proposal": 0.5}), date(2026, 12, 31)
    on, off = (fitted(history, today, Variant(season=each)) for each in (True, False))
    march, april = date(2027, 3, 5).toordinal(), date(2027, 4, 5).toordinal()
    group = on.groups[30]
    assert on.chances(march)[1][group, 0] > 0.7 > 0.3 > on.chances(april)[1][group, 0]
    assert off.chances(march)[1][group, 0] == off.chances(april)[1][group, 0]


def test_new_deals_are_expected_at_the_recent_rate() -> None:
    rules = Rules(deals=4000, days=400, closing=0.1, winning=0.5)
    hazards = fitted(grown(rules), last_day(rules))
    coming = arrivals(hazards.record)
    assert coming.per_day == pytest.approx(10, rel=0.1)
    assert new_deals(hazards, coming, 90).decided.sum() == pytest.approx(10 * (90 - 9), rel=0.15)


def test_deals_that_come_in_bursts_are_over_dispersed() -> None:
    weeks = [FIRST + timedelta(weeks=n) for n in range(0, 26, 2)]
    deals = tuple(deal(f"{day}{n}", day) for day in weeks for n in range(20))
    hazards = fitted(History(deals), FIRST + timedelta(weeks=26, days=-1))
    assert arrivals(hazards.record).dispersion > 5


def test_what_is_there_when_a_record_begins_tells_nothing_of_new_deals() -> None:
    """As after the import of a pipeline's open deals, whose first days it is unknown."""
    imported = tuple(deal(str(n), FIRST) for n in range(300))
    later = tuple(deal(f"L{n}", FIRST + timedelta(days=3 + 7 * n)) for n in range(4))

    def rate(days: int) -> float:
        day = FIRST + timedelta(days=days)
        return arrivals(make_record(History((*imported, *later)), day)).per_day

    assert rate(0) == rate(6) == 0.0
    assert rate(28) == pytest.approx(1 / 7)
