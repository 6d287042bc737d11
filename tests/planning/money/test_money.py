"""What deals and quarters come to in money, and what is left of budgets."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from taiga_pipeline.app.planning.money import Money, worth_showing
from taiga_pipeline.app.planning.report_money import money_tables
from taiga_pipeline.people.model import Allocation, Person, Rate
from taiga_pipeline.pipeline.model import Deal, RoleDemand
from taiga_pipeline.pipeline.rates import Rates
from taiga_pipeline.planning.demand.deals import Situation, find_demand
from taiga_pipeline.planning.money.budget import Alarm, budget_of, budgets, overrun
from taiga_pipeline.planning.money.deals import DealMoney, all_won, beyond, deals_money
from taiga_pipeline.planning.money.quarters import (
    Draws,
    QuarterMoney,
    Spread,
    quarter_of,
    quarters_from,
    quarters_money,
    weeks_of,
)
from taiga_pipeline.planning.money.rates import RateBook
from taiga_pipeline.planning.outlook import Outlook, Outlooks
from tests.mapping.support import deal, mappings

TODAY = date(2026, 11, 23)
ANA = Person("ana@example.org", "Ana", role="Back")
BACK = RoleDemand("Back", Decimal(40), 4)
RATES = (
    Rate("", "Back", None, Decimal(50), Decimal(100), "EUR"),
    Rate(ANA.email, "", None, Decimal(60), None, "EUR"),
)


def asked(**changes: Any) -> Deal:
    return deal(**{"key": "D-1", "start": TODAY, "roles": (BACK,), "value": None, **changes})


def outlooks(*deals: Deal, chance: float = 0.5, sd: float = 0.0) -> Outlooks:
    found = {each.key: Outlook(each.key, chance, ((TODAY, 1.0),)) for each in deals}
    return Outlooks(found, sd)


def money(
    *deals: Deal, rates: tuple[Rate, ...] = RATES, exchange: Rates | None = None, **changes: Any
) -> tuple[DealMoney, ...]:
    situation = Situation(TODAY, deals, **{"people": (ANA,), **changes})
    book = RateBook(rates, exchange or Rates())
    known = outlooks(*deals)
    booked = all_won(situation, mappings(), known)
    return deals_money(situation, mappings(), known, booked, book)


def one(*deals: Deal, **changes: Any) -> DealMoney:
    (found,) = money(*deals, **changes)
    return found


def test_hours_without_a_person_cost_what_the_role_costs() -> None:
    found = one(asked())
    assert (found.hours, found.cost, found.at_rates) == (160, {"EUR": 8_000}, {"EUR": 16_000})
    assert (found.revenue, found.margin) == ({"EUR": 16_000}, {"EUR": 8_000})
    assert found.margin_share == 0.5


def test_people_who_are_named_cost_their_own_rate_on_open_and_won_deals() -> None:
    half = Allocation("D-1", ANA.email, "Back", Decimal(20))
    for stage, confirmed in (("Won", True), ("Proposal", False)):
        named = replace(half, confirmed=confirmed)
        found = one(asked(stage=stage), allocations=(named,))
        assert found.cost == {"EUR": 4 * 20 * 60 + 4 * 20 * 50}


def test_a_stated_value_is_the_revenue_and_is_earned_as_hours_are_worked() -> None:
    later = RoleDemand("Back", Decimal(20), 4, start_week=4)
    found = one(asked(value=Decimal(24_000), currency="EUR", roles=(BACK, later)))
    assert found.revenue == {"EUR": 24_000}
    assert found.at_rates == {"EUR": 24_000}
    assert [week.revenue["EUR"] for week in found.weeks] == [4_000] * 4 + [2_000] * 4


def test_a_deal_that_states_no_roles_has_a_value_and_no_known_margin() -> None:
    found = one(asked(roles=(), value=Decimal(24_000), currency="EUR"))
    assert (found.hours, found.revenue) == (0, {"EUR": 24_000})
    assert (found.margin, found.margin_share) == (None, None)


def test_hours_that_nothing_tells_the_earnings_of_leave_the_margin_unknown() -> None:
    rates = (*RATES, Rate("", "Design", None, Decimal(40), None, "EUR"))
    both = asked(roles=(BACK, RoleDemand("Design", Decimal(10), 4)))
    assert one(both, rates=rates).margin is None
    assert one(replace(both, value=Decimal(20_000), currency="EUR"), rates=rates).margin == {
        "EUR": 20_000 - 8_000 - 1_600
    }


@pytest.mark.parametrize("stage", ["Proposal", "Won"])
def test_hours_without_a_rate_leave_the_margin_of_their_quarters_unknown(stage: str) -> None:
    design = RoleDemand("Design", Decimal(10), 2)
    found = quarters(asked(stage=stage, roles=(RoleDemand("Back", Decimal(40), 15), design)))
    assert [each.margin is None for each in found[:2]] == [True, False]
    assert found[0].cost.high > 0


def test_without_a_rate_for_some_hours_the_margin_is_unknown() -> None:
    found = one(asked(roles=(BACK, RoleDemand("Design", Decimal(10), 4))))
    assert (found.hours, found.priced_hours) == (200, 160)
    assert (found.margin, found.margin_share) == (None, None)


def test_money_of_two_currencies_is_kept_apart_or_converted() -> None:
    sold = asked(value=Decimal(200_000), currency="SEK")
    apart = one(sold)
    assert apart.margin == {"EUR": -8_000, "SEK": 200_000}
    assert apart.margin_share is None
    converted = one(sold, exchange=Rates("EUR", {"SEK": Decimal("0.1")}))
    assert converted.margin == {"EUR": 12_000}


@pytest.mark.parametrize("value", [0, 20_000])
def test_a_value_without_a_currency_is_in_the_common_one(value: int) -> None:
    found = one(asked(value=Decimal(value), currency=""), exchange=Rates("EUR"))
    assert found.margin == {"EUR": value - 8_000}


def test_rates_of_the_week_count() -> None:
    dearer = Rate("", "Back", date(2026, 12, 7), Decimal(80), None, "EUR")
    assert one(asked(), rates=(*RATES, dearer)).cost == {"EUR": 2 * 40 * 50 + 2 * 40 * 80}


def test_hours_of_won_deals_are_the_same_without_open_ones() -> None:
    deals = asked(stage="Won"), asked(key="D-2", start=date(2026, 6, 1))
    situation, known = Situation(TODAY, deals, (ANA,)), outlooks(*deals)
    whole = all_won(situation, mappings(), known)
    assert set(whole) == {"D-1", "D-2"}
    assert all_won(situation, mappings(), known, with_open=False) == {"D-1": whole["D-1"]}


def quarters(*deals: Deal, chance: float = 0.5) -> tuple[QuarterMoney, ...]:
    situation = Situation(TODAY, deals, (ANA,))
    known = outlooks(*deals, chance=chance)
    booked = all_won(situation, mappings(), known)
    found = deals_money(situation, mappings(), known, booked, RateBook(RATES))
    open_ = find_demand(situation, mappings(), known, weeks_of(TODAY)).open
    starts = {each.deal_key: each for each in open_}
    return quarters_money(found, starts, known, TODAY, Draws(4_000))


def test_quarters_have_weeks_by_their_thursdays() -> None:
    assert quarters_from(TODAY, 3) == ("2026-Q4", "2027-Q1", "2027-Q2")
    assert quarter_of(date(2026, 12, 28)) == "2026-Q4"  # the Thursday is New Year's Eve
    assert quarter_of(date(2025, 12, 29)) == "2026-Q1"
    weeks = weeks_of(TODAY, 1)
    assert [quarter_of(week) for week in weeks] == ["2026-Q4"] * len(weeks)
    assert quarter_of(weeks.first - (weeks.last - weeks.first) / (len(weeks) - 1)) == "2026-Q3"


def test_a_won_deal_is_sure_and_an_open_one_is_a_range() -> None:
    first, *_ = quarters(asked(stage="Won"), asked(key="D-2"))
    assert first.cost.sure == 8_000
    assert (first.cost.low, first.cost.high) == (8_000, 16_000)
    assert first.cost.expected == pytest.approx(12_000, rel=0.03)
    assert first.margin is not None
    assert first.margin.expected == pytest.approx(12_000, rel=0.03)
    assert (first.hours.sure, first.hours.high) == (160, 320)


def test_revenue_cost_and_margin_are_of_the_same_futures() -> None:
    deals = [asked(key=f"D-{n}", value=Decimal(9_000), currency="EUR") for n in range(5)]
    first, *_ = quarters(*deals)
    assert first.margin is not None
    assert first.margin.expected == pytest.approx(first.revenue.expected - first.cost.expected)
    for name in ("low", "middle", "high"):
        assert getattr(first.margin, name) == pytest.approx(getattr(first.revenue, name) / 9)


def test_work_that_crosses_the_end_of_a_quarter_is_in_both() -> None:
    now, then, *_ = quarters(asked(stage="Won", start=date(2026, 12, 14)))
    assert (now.cost.sure, then.cost.sure) == (3 * 40 * 50, 40 * 50)


def test_the_whole_quarter_counts_the_weeks_that_are_gone_as_well() -> None:
    now, *_ = quarters(asked(stage="Won", start=date(2026, 10, 5)))
    assert now.revenue.sure == 16_000


def budget(**facts: Any) -> Any:
    started = one(asked(stage="Won", start=date(2026, 11, 9)))
    return budget_of(started, facts, TODAY)


def test_what_is_left_of_a_budget_is_hours_less_those_reported() -> None:
    found = budget(spent_hours=60.0, progress=0.5)
    assert (found.hours, found.due, found.spent, found.left) == (160, 80, 60, 100)
    assert (found.at_end, found.warnings) == (120, ())


@pytest.mark.parametrize(
    ("facts", "warnings"),
    [
        ({"spent_hours": 90.0, "progress": 0.3}, (Alarm.PARTED,)),
        ({"spent_hours": 170.0, "progress": 0.9}, (Alarm.OVERSPENT, Alarm.PARTED)),
        ({"spent_hours": 10.0, "progress": 0.1}, (Alarm.LATE,)),
        ({"progress": 0.1}, (Alarm.LATE,)),
        ({"spent_hours": 70.0}, ()),
        ({}, ()),
    ],
)
def test_hours_and_progress_that_part_are_a_warning(
    facts: dict[str, float], warnings: tuple[Alarm, ...]
) -> None:
    assert budget(**facts).warnings == warnings


def test_where_delivery_reports_no_hours_nothing_is_made_up() -> None:
    found = budget(progress=0.5)
    assert (found.spent, found.left, found.at_end) == (None, None, None)


def test_budgets_with_warnings_come_first_and_finished_deals_tell_the_overrun() -> None:
    deals = tuple(asked(key=f"D-{n}", stage="Won", start=date(2026, 9, 7)) for n in range(6))
    spent = {f"D-{n}": {"spent_hours": 160.0 * (0.8 + 0.1 * n), "progress": 1.0} for n in range(6)}
    found = budgets(money(*deals), spent, TODAY)
    assert [each.deal.key for each in found][:3] == ["D-3", "D-4", "D-5"]
    known = overrun(found)
    assert known is not None
    assert (known.deals, known.middle) == (6, pytest.approx(1.05))
    assert known.low == pytest.approx(0.9) and known.high == pytest.approx(1.2)
    assert overrun(found[:4]) is None


def test_deals_in_one_project_have_one_budget() -> None:
    """Delivery reports hours by project: they are those of all its deals."""
    deals = tuple(asked(key=f"D-{n}", stage="Won") for n in (2, 1, 3))
    facts = {"D-1": {"spent_hours": 200.0, "progress": 0.5}, "D-2": {"spent_hours": 20.0}}
    main, alone = budgets(money(*deals), facts, TODAY, {"D-2": "D-1"})
    assert (main.deal.key, main.hours, main.spent, main.progress) == ("D-1", 320.0, 220.0, 0.5)
    assert (alone.deal.key, alone.hours, alone.spent) == ("D-3", 160.0, None)


def test_currencies_without_money_in_a_quarter_are_left_out_where_it_is_shown() -> None:
    nothing, some = Spread(0, 0, 0, 0, 0), Spread(0, 0, 0, 900, 200)
    hours = Spread(10, 10, 10, 10, 10)
    quarters = [
        QuarterMoney("2026-Q4", "EUR", hours, some, nothing, some),
        QuarterMoney("2026-Q4", "SEK", hours, nothing, nothing, nothing),
        QuarterMoney("2027-Q1", "EUR", nothing, nothing, nothing, nothing),
        QuarterMoney("2027-Q1", "SEK", nothing, nothing, nothing, nothing),
    ]
    shown = [(each.quarter, each.currency) for each in worth_showing(quarters)]
    assert shown == [("2026-Q4", "EUR"), ("2027-Q1", "EUR")]


def test_a_quarter_of_two_currencies_has_no_margin_as_a_part_of_revenue() -> None:
    """What is earned in one and spent in the other would look like a margin of 100 %."""
    none, some = Spread(0, 0, 0, 0, 0), Spread(9, 9, 9, 9, 9)
    quarters = (
        QuarterMoney("2026-Q4", "EUR", some, some, none, some),
        QuarterMoney("2026-Q4", "SEK", some, none, some, some),
        QuarterMoney("2027-Q1", "EUR", some, some, none, some),
    )
    (table,) = money_tables(Money(TODAY, (), quarters, (), (), None, True, ()))
    assert [row[-1] for row in table.rows] == ["", "", "100 %"]


def test_a_huge_value_leaves_the_money_of_other_deals_as_it_is() -> None:
    huge = asked(key="D-9", value=Decimal(999_999_999_999), currency="EUR")
    others = [asked(key=f"D-{n}", value=Decimal(10_001), currency="EUR") for n in range(3)]
    first, *_ = quarters(huge, *others)
    # Of three deals at 50 % each, one or two are won; the huge one is in the upper half.
    assert first.revenue.low == pytest.approx(10_001)
    assert first.revenue.high == pytest.approx(999_999_999_999 + 2 * 10_001, abs=0.01)
    assert first.margin is not None
    assert first.margin.low == pytest.approx(10_001 - 8_000)


@pytest.mark.parametrize("stage", ["Proposal", "Won"])
def test_who_is_on_a_deal_without_roles_for_good_counts_to_the_end_of_the_horizon(
    stage: str,
) -> None:
    ana = Allocation("D-1", ANA.email, "Back", Decimal(10), confirmed=stage == "Won")
    sold = asked(roles=(), stage=stage)
    assert one(sold, allocations=(ana,)).hours == 26 * 10
    begun = replace(sold, start=TODAY - timedelta(weeks=4))
    if stage == "Won":
        assert one(begun, allocations=(ana,)).hours == 30 * 10
    asks = replace(sold, roles=(BACK,))
    assert one(asks, allocations=(ana,)).hours == BACK.weeks * BACK.hours_per_week


def test_a_deal_of_many_years_counts_whole_and_what_is_too_far_ahead_is_named() -> None:
    long = RoleDemand("Back", Decimal(1), 400, start_week=100)
    assert one(asked(roles=(long,))).hours == 400
    far = asked(key="D-2", start=TODAY + timedelta(weeks=900), roles=(long,))
    situation = Situation(TODAY, (asked(roles=(long,)), far))
    assert beyond(situation, mappings()) == ("D-2",)
