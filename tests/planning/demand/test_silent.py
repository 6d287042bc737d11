"""Deals that state no roles are named, with what such deals usually ask for."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from taiga_pipeline.mapping.mapping_set import MappingSet
from taiga_pipeline.pipeline.model import Deal, RoleDemand
from taiga_pipeline.pipeline.notation import format_roles
from taiga_pipeline.pipeline.rates import Rates
from taiga_pipeline.planning.demand.deals import Demand, Situation, find_demand
from taiga_pipeline.planning.demand.silent import Silent, by_service
from taiga_pipeline.planning.demand.stated_outlook import plain_outlooks
from taiga_pipeline.planning.staffing.work import find_works
from taiga_pipeline.planning.weeks import Weeks
from tests.mapping.support import allocation, deal, mappings

TODAY = date(2026, 11, 25)
WEEKS = Weeks(date(2026, 11, 23), 8)
SCALED = '[[role]]\nrole = "Back"\nhours_per_week = 30\nweeks = 4\nper_value = 60_000\n'


def find(*deals: Deal, rules: MappingSet | None = None, **changes: Any) -> Demand:
    rules = rules or mappings()
    outlooks = plain_outlooks(deals, rules, TODAY)
    return find_demand(Situation(TODAY, deals, **changes), rules, outlooks, WEEKS)


def silent(*deals: Deal, **changes: Any) -> tuple[Silent, ...]:
    found = find(*deals, **changes)
    return by_service(found.silent_open, found.silent_won, deals)


def stating(key: str, *roles: RoleDemand, **changes: Any) -> Deal:
    return deal(key=key, roles=roles, **changes)


def test_they_are_counted_with_their_value_by_service_and_currency() -> None:
    found = silent(
        deal(key="D-1", value=Decimal(100)),
        deal(key="D-2", value=Decimal(50), currency="SEK"),
        deal(key="D-3", value=None, expected_close=None),
        deal(key="D-4", service="Audit", value=Decimal(7)),
        deal(key="D-5", stage="Won", start=TODAY + timedelta(weeks=2), value=Decimal(1)),
        deal(key="D-6", stage="Won", start=TODAY - timedelta(weeks=9)),
        deal(key="D-7", stage="Lost"),
    )
    web, audit = found
    assert (web.service, web.open, web.won) == ("Web", ("D-1", "D-2", "D-3"), ("D-5",))
    assert web.value == {"EUR": 101, "SEK": 50}
    assert (audit.open, audit.count, audit.usual) == (("D-4",), 1, ())


def test_what_is_usual_is_the_median_of_like_deals() -> None:
    back, design = RoleDemand("Back", Decimal(20), 4), RoleDemand("Design", Decimal(8), 2, 1)
    (found,) = silent(
        deal(),
        stating("A", back, stage="Won", start=TODAY - timedelta(weeks=60)),
        stating("B", RoleDemand("back", Decimal(31), 10), design, stage="Lost", service="WEB"),
        stating("C", RoleDemand("Back", Decimal(30), 8), service="web "),
        stating("D", RoleDemand("Magic", Decimal(1), 1), service="Audit"),
    )
    assert (format_roles(found.usual), found.like) == ("Back:30h x8w", 3)


def test_deals_with_reservations_or_a_mapping_for_them_are_none_of_them() -> None:
    assert silent(deal(), allocations=(allocation(),)) == ()
    assert silent(deal(), rules=mappings(SCALED)) == ()


def scaled(rates: Rates, *deals: Deal) -> tuple[list[float], tuple[str, ...]]:
    rules = mappings(SCALED).with_rates(rates)
    found = find(*deals, rules=rules)
    works = find_works(deals, rules, TODAY)
    hours = [open_.stretches[0].hours for open_ in found.open]
    assert [float(work.roles[0].hours_per_week) for work in works.works] == hours
    assert works.notes == found.notices
    return hours, found.notices


def test_hours_that_follow_the_value_follow_it_in_one_currency() -> None:
    rates = Rates("EUR", {"SEK": Decimal("0.1")})
    crowns = deal(key="D-2", currency="SEK", value=Decimal(1_200_000))
    assert scaled(rates, deal(), crowns, deal(key="D-3", currency="")) == ([60, 60, 60], ())


def test_a_currency_without_a_rate_is_said_and_the_hours_stay() -> None:
    dollars = [deal(key=f"D-{number}", currency="USD") for number in (1, 2)]
    hours, notices = scaled(Rates("EUR"), *dollars)
    assert hours == [30, 30]
    assert notices == (
        "D-1, D-2: planning.rates has no rate for USD, so the hours of test.toml do not follow "
        "its value (per_value)",
    )


def test_several_currencies_and_none_that_is_meant_are_said() -> None:
    hours, notices = scaled(Rates(), deal(), deal(key="D-2", currency="SEK"))
    assert hours == [60, 60]
    assert "in each deal's own currency (EUR, SEK)" in notices[0]
