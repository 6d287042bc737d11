"""Who is needed when: by won deals for sure, by open deals perhaps."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from taiga_pipeline.mapping.mapping_set import MappingSet
from taiga_pipeline.people.model import Allocation, Person, TimeOff
from taiga_pipeline.pipeline.model import Deal, RoleDemand
from taiga_pipeline.planning.demand.deals import (
    Booked,
    Demand,
    Fate,
    Situation,
    find_demand,
    of_team,
)
from taiga_pipeline.planning.demand.stated_outlook import plain_outlooks
from taiga_pipeline.planning.outlook import Outlook, Outlooks
from taiga_pipeline.planning.weeks import WEEK, Weeks
from tests.mapping.support import BACK, allocation, deal, mappings

TODAY = date(2026, 11, 25)
NOW = date(2026, 11, 23)
WEEKS = Weeks(NOW, 12)
LEAD = '[mapping]\nname = "test"\nlead_time_weeks = 2\n'
ROLE = RoleDemand("Back", Decimal(30), 4)
ANN = Person("ann@example.org", "Ann", role="Back")


def week(number: int) -> date:
    return NOW + WEEK * number


def find(
    *deals: Deal,
    rules: MappingSet | None = None,
    outlooks: Outlooks | None = None,
    **situation: Any,
) -> Demand:
    rules = rules or mappings()
    given = Situation(TODAY, deals, **situation)
    return find_demand(given, rules, outlooks or plain_outlooks(deals, rules, TODAY), WEEKS)


def sure(closes: Iterable[tuple[date, float]], probability: float = 0.5) -> Outlooks:
    return Outlooks({"D-1": Outlook("D-1", probability, tuple(closes))})


def booked(demand: Demand, email: str | None = None) -> dict[tuple[str, date], float]:
    found: dict[tuple[str, date], float] = {}
    for each in demand.booked:
        if email is None or each.email == email:
            found[each.role, each.week] = found.get((each.role, each.week), 0) + each.hours
    return found


def won(**changes: Any) -> Deal:
    return deal(stage="Won", start=week(1), roles=(ROLE,), **changes)


# --- who left


@pytest.mark.parametrize("roles", [(ROLE,), ()])
def test_the_hours_of_somebody_who_left_the_project_are_not_filled(
    roles: tuple[RoleDemand, ...],
) -> None:
    subject = deal(stage="Won", start=week(1), roles=roles)
    staffed = replace(allocation("Ann@example.org", "Back", 30), start=week(1), end=week(4))
    given = {"people": (ANN,), "allocations": (staffed,)}
    there = find(subject, **given)
    left = find(subject, **given, left={("D-1", "ann@example.org")})
    assert sum(booked(left).values()) == sum(booked(there).values()) > 0
    assert booked(left, "ann@example.org") == booked(left, "Ann@example.org") == {}
    assert sum(booked(left, "").values()) == sum(booked(left).values())
    assert any("left its project" in notice for notice in left.notices)


# --- open deals


def test_a_stated_start_holds_unless_the_deal_is_won_later() -> None:
    subject = deal(start=week(3), expected_close=week(2), roles=(ROLE,))
    closes = [(week(1), 0.25), (week(3), 0.25), (week(6), 0.5)]
    (found,) = find(subject, outlooks=sure(closes)).open
    assert found.starts == ((week(3), 0.5), (week(6), 0.5))
    assert found.entered == week(3)
    assert found.probability == 0.5


def test_without_a_start_a_project_begins_the_lead_time_after_the_close() -> None:
    subject = deal(expected_close=week(1), roles=(ROLE,))
    rules = mappings(head=LEAD)
    (found,) = find(subject, rules=rules, outlooks=sure([(week(1), 0.5), (week(2), 0.5)])).open
    assert found.starts == ((week(3), 0.5), (week(4), 0.5))
    assert found.entered == week(3)


def test_no_project_that_is_still_to_be_won_begins_in_the_past() -> None:
    subject = deal(start=week(-9), expected_close=week(-10), roles=(ROLE,))
    demand = find(subject, outlooks=sure([(week(-2), 0.5), (week(1), 0.5)]))
    assert demand.open[0].starts == ((week(0), 0.5), (week(1), 0.5))
    assert demand.open[0].entered == NOW


def test_the_lead_time_counts_from_now_where_a_close_has_passed() -> None:
    subject = deal(expected_close=week(-5), roles=(ROLE,))
    demand = find(subject, rules=mappings(head=LEAD), outlooks=sure([(week(-5), 1.0)]))
    assert demand.open[0].starts == ((week(2), 1.0),)


def test_a_close_that_has_passed_is_expected_from_now_on() -> None:
    outlooks = plain_outlooks([deal(expected_close=week(-20))], mappings(), TODAY)
    closes = outlooks.by_deal["D-1"].closes
    assert closes[0][0] == NOW
    assert closes[-1][0] > NOW
    assert sum(chance for _, chance in closes) == pytest.approx(1)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [({}, 0.5), ({"probability": Decimal("0.8")}, 0.8), ({"stage": "Needs"}, 0.35)],
)
def test_the_chance_is_the_deals_or_the_stages_or_a_usual_one(
    changes: dict[str, Any], expected: float
) -> None:
    outlooks = plain_outlooks([deal(**changes)], mappings(), TODAY)
    assert outlooks.by_deal["D-1"].probability == expected


def test_a_deal_without_start_or_close_is_left_out_and_said() -> None:
    demand = find(deal(expected_close=None, roles=(ROLE,)))
    assert demand.open == ()
    assert demand.notices == ("D-1: left out: neither a start nor an expected close is known",)


def test_deals_without_roles_are_said_together() -> None:
    demand = find(deal(), deal(key="D-2"))
    assert demand.open == ()
    assert demand.notices == ("D-1, D-2: states no roles, and test.toml has none for it",)


def test_the_mappings_roles_count_for_deals_that_state_none() -> None:
    extra = '[[role]]\nrole = "Back"\nhours_per_week = 10\nweeks = 2\nper_value = 60_000\n'
    (found,) = find(deal(), rules=mappings(extra)).open
    assert [(each.role, each.hours, each.weeks) for each in found.stretches] == [("Back", 20, 2)]


def test_reservations_stand_for_roles_that_nobody_stated() -> None:
    subject = deal(start=week(1))
    held = allocation(hours=16, confirmed=False, start=week(2), end=week(4) - timedelta(days=1))
    demand = find(subject, allocations=(held,), people=(ANN,))
    (stretch,) = demand.open[0].stretches
    assert (stretch.role, stretch.hours, stretch.first, stretch.weeks) == ("Back", 16, 1, 2)
    assert {(each.week, each.hours) for each in demand.reserved} == {(week(2), 16), (week(3), 16)}


def test_a_stage_that_no_mapping_knows_is_said_and_the_others_count() -> None:
    demand = find(deal(stage="Propsal", roles=(ROLE,)), deal(key="D-2", roles=(ROLE,)))
    assert [each.deal_key for each in demand.open] == ["D-2"]
    assert 'D-1: left out: the stage "Propsal" is not in test.toml' in demand.notices[0]


def test_lost_deals_ask_for_nothing() -> None:
    assert find(deal(stage="Lost", roles=(ROLE,)), allocations=(allocation(),)).booked == ()


# --- won deals


def test_a_won_deal_needs_its_roles_for_sure() -> None:
    demand = find(won())
    assert demand.open == ()
    assert booked(demand) == {("Back", week(n)): 30 for n in (1, 2, 3, 4)}


def test_what_is_allocated_fills_the_roles_and_the_rest_stays_open() -> None:
    demand = find(won(), people=(ANN,), allocations=(allocation(hours=20, role="back"),))
    assert booked(demand, ANN.email) == {("back", week(n)): 20 for n in (1, 2, 3, 4)}
    assert booked(demand, "") == {("Back", week(n)): 10 for n in (1, 2, 3, 4)}


def test_allocations_beyond_the_roles_count_as_well() -> None:
    extra = allocation(role="Design", hours=8, start=week(0), end=week(2) - timedelta(days=3))
    demand = find(won(), people=(ANN,), allocations=(extra,))
    assert booked(demand)["Design", week(0)] == 8
    assert booked(demand)["Back", week(1)] == 30


def test_parts_of_weeks_count_by_the_working_day() -> None:
    part = allocation(hours=20, start=date(2026, 12, 2), end=date(2026, 12, 8))
    demand = find(won(), people=(ANN,), allocations=(part,))
    assert booked(demand, ANN.email) == {("Back", week(1)): 12, ("Back", week(2)): 8}


def test_hours_of_somebody_who_has_left_are_to_be_filled_again() -> None:
    leaver = replace(ANN, ends=week(3) - timedelta(days=1))
    demand = find(won(), people=(leaver,), allocations=(allocation(hours=40),))
    assert booked(demand, ANN.email) == {("Back", week(n)): 40 for n in (1, 2)}
    assert booked(demand, "") == {("Back", week(n)): 30 for n in (3, 4)}


def test_what_somebody_stands_in_for_is_not_asked_for_twice() -> None:
    bob = replace(ANN, email="bob@example.org")
    away = TimeOff(ANN.email, week(2), week(3) - timedelta(days=1))
    stands_in = allocation("bob@example.org", hours=30, start=week(2), end=away.last)
    there = (allocation(hours=30), stands_in)
    demand = find(won(), people=(ANN, bob), time_off=(away,), allocations=there)
    assert booked(demand, ANN.email) == {("Back", week(n)): 30 for n in (1, 3, 4)}
    assert booked(demand, "bob@example.org") == {("Back", week(2)): 30}
    assert booked(demand, "") == {}


def test_who_is_there_from_the_first_day_fills_the_first_week() -> None:
    begun = replace(won(), start=week(1) + timedelta(days=2))
    demand = find(begun, people=(ANN,), allocations=(allocation(hours=30),))
    assert booked(demand, ANN.email) == {("Back", week(n)): 30 for n in (1, 2, 3, 4)}
    assert booked(demand, "") == {}


def test_a_won_deal_without_dates_begins_now_and_that_is_said() -> None:
    demand = find(deal(stage="Won", expected_close=None, roles=(ROLE,)))
    assert ("Back", NOW) in booked(demand)
    assert "counted from now on" in demand.notices[0]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"hours": -5}, "-5 hours per week"),
        ({"start": week(3), "end": week(1)}, "is before the first day"),
    ],
)
def test_allocations_that_make_no_sense_are_left_out_and_said(
    changes: dict[str, Any], reason: str
) -> None:
    demand = find(won(), people=(ANN,), allocations=(allocation(**changes),))
    assert booked(demand, ANN.email) == {}
    assert reason in demand.notices[0]


def test_negative_role_hours_are_left_out_and_said() -> None:
    negative = RoleDemand("Back", Decimal(-8), 2)
    demand = find(replace(won(), roles=(BACK, negative)))
    assert "left out: Back with -8 hours" in demand.notices[0]
    assert booked(demand)["Back", week(1)] == 30


# --- milestones that project managers have moved


MILESTONES = """\
[[milestone]]
name = "Build"
start = "+0w"
finish = "+13d"
[[milestone]]
name = "Test"
start = "+2w"
finish = "+27d"
"""


def test_demand_moves_with_the_milestones() -> None:
    day = timedelta(days=1)
    moved = (
        ("build", week(3), week(5) - day),
        ("Test", week(5), week(7) - day),
        ("Party", week(0), week(0)),
    )
    demand = find(won(), rules=mappings(MILESTONES), milestones={"D-1": moved})
    assert booked(demand) == {("Back", week(n)): 30 for n in (3, 4, 5, 6)}


def test_a_milestone_that_takes_longer_spreads_its_hours_and_keeps_their_sum() -> None:
    day = timedelta(days=1)
    longer = (("Build", week(1), week(5) - day), ("Test", week(5), week(7) - day))
    found = booked(find(won(), rules=mappings(MILESTONES), milestones={"D-1": longer}))
    assert [found["Back", week(n)] for n in range(1, 7)] == [15, 15, 15, 15, 30, 30]


def test_milestones_in_another_order_than_planned_lose_no_hours() -> None:
    day = timedelta(days=1)
    swapped = (("Build", week(5), week(7) - day), ("Test", week(1), week(3) - day))
    found = booked(find(won(), rules=mappings(MILESTONES), milestones={"D-1": swapped}))
    assert found == {("Back", week(5)): 30, ("Back", week(6)): 30, ("Back", week(7)): 60}


def test_milestones_that_stayed_change_nothing() -> None:
    day = timedelta(days=1)
    as_planned = (("Build", week(1), week(3) - day), ("Test", week(3), week(5) - day))
    rules = mappings(MILESTONES)
    assert find(won(), rules=rules, milestones={"D-1": as_planned}) == find(won(), rules=rules)


def test_an_open_deals_profile_moves_too() -> None:
    subject = deal(start=week(1), expected_close=week(1), roles=(ROLE,))
    later = (("Build", week(3), week(5) - timedelta(days=1)),)
    (found,) = find(subject, rules=mappings(MILESTONES), milestones={"D-1": later}).open
    assert [(each.first, each.weeks) for each in found.stretches] == [(0, 4)]
    assert found.entered == week(3)


def test_what_is_reserved_is_not_asked_of_others() -> None:
    held = allocation(hours=20, role="back", confirmed=False, start=week(2), end=week(4))
    (found,) = find(deal(start=week(1), roles=(ROLE,)), people=(ANN,), allocations=(held,)).open
    by_person = [(each.email, each.hours, each.first, each.weeks) for each in found.stretches]
    assert by_person == [
        (ANN.email, 20, 1, 2),
        (ANN.email, 4, 3, 1),
        ("", 30, 0, 1),
        ("", 10, 1, 2),
        ("", 26, 3, 1),
    ]


# --- fates in scenarios


def test_a_deal_that_is_supposed_won_is_sure_and_keeps_its_place_in_the_draw() -> None:
    subject = deal(start=week(1), roles=(ROLE,))
    demand = find(subject, fates={"D-1": Fate(won=True)})
    assert [each.probability for each in demand.open] == [0]
    assert booked(demand) == {("Back", week(n)): 30 for n in (1, 2, 3, 4)}


def test_a_deal_that_is_supposed_lost_asks_for_nothing() -> None:
    lost = {"D-1": Fate(lost=True)}
    assert [each.probability for each in find(deal(roles=(ROLE,)), fates=lost).open] == [0]
    assert find(won(), allocations=(allocation(),), fates=lost).booked == ()


def test_a_delay_moves_open_deals_won_deals_and_their_people() -> None:
    later = {"D-1": Fate(delay_weeks=2)}
    (found,) = find(
        deal(start=week(1), roles=(ROLE,)), outlooks=sure([(week(1), 1.0)]), fates=later
    ).open
    assert (found.starts, found.entered) == (((week(3), 1.0),), week(3))
    dated = allocation(hours=20, start=week(1), end=week(2) - timedelta(days=1))
    demand = find(won(), people=(ANN,), allocations=(dated,), fates=later)
    assert booked(demand, ANN.email) == {("Back", week(3)): 20}
    assert booked(demand) == {("Back", week(n)): 30 for n in (3, 4, 5, 6)}


def test_a_size_scales_hours_not_weeks() -> None:
    half = {"D-1": Fate(size=0.5)}
    assert booked(find(won(), fates=half)) == {("Back", week(n)): 15 for n in (1, 2, 3, 4)}


# --- teams


def test_a_team_meets_its_own_demand_and_what_its_people_do_elsewhere() -> None:
    ours = Booked("D-1", "Back", NOW, 10, "ann@example.org")
    unfilled = Booked("D-1", "Back", NOW, 5)
    lent_to_us = Booked("D-1", "Back", NOW, 7, "guest@example.org")
    lent_by_us = Booked("D-2", "Back", NOW, 3, "ann@example.org")
    theirs = Booked("D-2", "Back", NOW, 99)
    demand = Demand((), (ours, unfilled, lent_to_us, lent_by_us, theirs), (), ())
    found = of_team(demand, ["D-1"], ["ann@example.org"]).booked
    assert found == (ours, unfilled, lent_by_us)


def test_an_allocation_without_dates_lasts_as_long_as_the_roles() -> None:
    demand = find(won(), people=(ANN,), allocations=(Allocation("D-1", ANN.email, "", Decimal(8)),))
    assert booked(demand, ANN.email) == {("Back", week(n)): 8 for n in (1, 2, 3, 4)}
