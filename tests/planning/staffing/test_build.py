"""From deals, people and allocations to a problem, and back to allocations."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from taiga_pipeline.people.calendar import working_hours
from taiga_pipeline.people.model import Allocation, Person, TimeOff
from taiga_pipeline.pipeline.errors import EmptyRoster
from taiga_pipeline.pipeline.model import RoleDemand
from taiga_pipeline.planning.attendance import Attendance
from taiga_pipeline.planning.staffing.allocations import allocations_of, merged
from taiga_pipeline.planning.staffing.build import Case, Rules, Staff, build, weeks_needed
from taiga_pipeline.planning.staffing.greedy import greedy_plan
from taiga_pipeline.planning.staffing.problem import Assignment, Plan
from taiga_pipeline.planning.staffing.work import Work, unknown_roles

MONDAY = date(2026, 11, 23)
RULES = Rules(first=MONDAY, horizon=8)
KNOWN = weeks_needed((), RULES)


def person(name: str = "ann", role: str = "Back", **changes: Any) -> Person:
    return Person(f"{name}@x.se", name, role, **changes)


def role(name: str = "Back", hours: str = "20", weeks: int = 4, **changes: Any) -> RoleDemand:
    return RoleDemand(name, Decimal(hours), weeks, **changes)


def work(*roles: RoleDemand, key: str = "D-1", **changes: Any) -> Work:
    values = {"confirmed": True, "probability": 1.0, "start": MONDAY, "team": "", **changes}
    return Work(key=key, name=key, roles=roles or (role(),), **values)


def allocation(name: str = "ann", hours: str = "20", **changes: Any) -> Allocation:
    values = {"deal_key": "D-1", "role": "Back", **changes}
    return Allocation(email=f"{name}@x.se", hours_per_week=Decimal(hours), **values)


def case(
    *works: Work,
    people: tuple[Person, ...] = (person(),),
    allocations: tuple[Allocation, ...] = (),
    hours: dict[str, list[float]] | None = None,
    rules: Rules = RULES,
) -> Case:
    count = weeks_needed(works, rules)
    usual = {each.email: [float(each.hours_per_week)] * count for each in people}
    return build(works, Staff(people, {**usual, **(hours or {})}), allocations, rules)


def needs(made: Case) -> list[tuple[int, tuple[float, ...]]]:
    asked = made.problem.asked
    return [(each.first, asked(at, each.first)) for at, each in enumerate(made.problem.requests)]


def test_nobody_on_the_roster_is_said_with_the_way_out() -> None:
    with pytest.raises(EmptyRoster, match=r"the roster is empty"):
        case(work(), people=())


def test_won_deals_weigh_more_than_open_ones_and_those_by_their_chance() -> None:
    open_ = work(key="D-2", confirmed=False, probability=0.5, priority=2.0)
    weights = [each.weight for each in case(work(), open_).problem.projects]
    assert weights == [100.0, 30.0]


def test_demand_above_a_persons_week_is_shared_out() -> None:
    assert needs(case(work(role(hours="100", weeks=2)))) == [(0, (100 / 3,) * 2)] * 3


def test_what_is_allocated_is_not_asked_for_again() -> None:
    two_weeks = allocation(start=MONDAY, end=MONDAY + timedelta(days=13))
    made = case(work(role(hours="30")), allocations=(two_weeks,))
    assert needs(made) == [(0, (10.0, 10.0, 30.0, 30.0))]
    (worker,) = made.problem.workers
    assert worker.fixed[:3] == (20.0, 20.0, 0.0)
    assert worker.elsewhere[0] == {"D-1"}


def test_allocations_without_dates_last_as_long_as_the_deal() -> None:
    made = case(work(role(weeks=3)), allocations=(allocation(),))
    assert needs(made) == []
    assert made.problem.workers[0].fixed[:4] == (20.0, 20.0, 20.0, 0.0)


def test_weeks_that_are_over_are_not_staffed() -> None:
    begun = work(role(weeks=4), start=MONDAY - timedelta(weeks=3))
    assert needs(case(begun)) == [(0, (20.0,))]


def test_projects_that_are_over_or_far_off_are_left_out() -> None:
    over = work(role(weeks=4), start=MONDAY - timedelta(weeks=4))
    far = work(key="D-2", start=MONDAY + timedelta(weeks=8))
    assert case(over, far, work(key="D-3")).works == (work(key="D-3"),)


def test_a_project_keeps_all_its_weeks_however_late_it_begins() -> None:
    late = work(role(weeks=10), start=MONDAY + timedelta(weeks=7))
    made = case(late, rules=Rules(first=MONDAY, horizon=8, max_delay=4))
    assert sum(made.problem.requests[0].need) == 200
    assert made.problem.weeks == 7 + 10 + 4


def test_weeks_beyond_the_last_one_that_a_plan_can_have_are_named() -> None:
    made = case(work(role(weeks=500, start_week=100)))
    assert made.problem.weeks == 520
    assert made.notes == (
        "D-1 takes until week 600 from now: what is after week 520 is not planned",
    )


def test_only_projects_that_nobody_is_on_are_postponed() -> None:
    rules = Rules(first=MONDAY, horizon=8, max_delay=2)
    begun = work(start=MONDAY - timedelta(weeks=1), key="D-3")
    made = case(work(), work(key="D-2"), begun, allocations=(allocation(hours="5"),), rules=rules)
    assert [each.max_delay for each in made.problem.projects] == [0, 2, 0]


def test_public_holidays_shorten_everybodys_week_and_the_demand() -> None:
    friday = {MONDAY + timedelta(days=4)}
    weeks = [MONDAY + timedelta(weeks=number) for number in range(KNOWN)]
    hours = working_hours([person(country="SE")], (), weeks, holidays_of=lambda *_: friday)
    ann = person(country="SE")
    staff = Staff((ann,), hours.by_person, Attendance((ann,), (), weeks, hours))
    made = build((work(role(weeks=2)),), staff, (), RULES)
    assert needs(made) == [(0, (16.0, 20.0))]
    assert made.problem.presence[0][:2] == (1.0, 1.0)
    (found,) = allocations_of(made, greedy_plan(made.problem))
    assert found.allocation.hours_per_week == 20


def test_who_is_away_does_not_fill_what_they_are_allocated_to() -> None:
    weeks = [MONDAY + timedelta(weeks=number) for number in range(KNOWN)]
    ann, off = person(), (TimeOff("ann@x.se", MONDAY, MONDAY + timedelta(days=2)),)
    staff = Staff(
        (ann,), {ann.email: [16.0, *[40.0] * (KNOWN - 1)]}, Attendance((ann,), off, weeks)
    )
    made = build((work(role(weeks=2)),), staff, (allocation(),), RULES)
    assert needs(made) == [(0, (12.0,))]
    assert made.problem.workers[0].fixed[:2] == (8.0, 20.0)


def test_roles_and_skills_make_candidates() -> None:
    people = (
        person("ann"),
        person("bob", "Front", skills=("back", "Python")),
        person("eve", "Design"),
        person("sue", skills=("python",), team="South"),
    )
    made = case(work(role(), role(skills=("python",)), team="North"), people=people)
    plain, skilled = (
        [(each.worker, each.penalty) for each in request.candidates]
        for request in made.problem.requests
    )
    assert plain == [(0, 0.0), (1, 10.0), (3, 10.0)]
    assert skilled == [(1, 10.0), (3, 10.0)]


def test_reservations_of_open_deals_may_be_moved_if_asked() -> None:
    open_ = work(key="D-2", confirmed=False, probability=0.5)
    reserved = allocation(deal_key="D-2", confirmed=False)
    sure = allocation(hours="5", confirmed=False)  # the deal is won: it is real
    rules = Rules(first=MONDAY, horizon=8, move=True)
    made = case(
        work(), open_, people=(person(), person("bob")), allocations=(reserved, sure), rules=rules
    )
    assert (made.movable, made.fixed) == ((reserved,), (sure,))
    (request,) = (each for each in made.problem.requests if each.project == 1)
    assert [each.penalty for each in request.candidates] == [0.0, 15.0]


def test_a_person_over_the_limit_is_named_with_the_numbers() -> None:
    made = case(work(), allocations=(allocation(hours="48"),))
    (note,) = made.notes
    assert note.startswith("ann@x.se is over the limit in 4 weeks: 48 h of 44 h in 2026-W48")


def test_roles_that_nobody_has_are_named_with_the_nearest() -> None:
    (note,) = unknown_roles([work(role("Bck"))], ["Back", "Design"])
    assert note == "no person has the role 'Bck'; did you mean 'Back'?; 80 h stay unmet (D-1)"


def test_a_plan_becomes_allocations_of_equal_weeks() -> None:
    made = case(
        work(start=MONDAY + timedelta(days=2)),
        allocations=(allocation(hours="30", deal_key="D-9", start=MONDAY + timedelta(weeks=2)),),
        hours={"ann@x.se": [40.0, 0.0, *[40.0] * (KNOWN - 2)]},
        people=(person(),),
    )
    found = [each.allocation for each in allocations_of(made, greedy_plan(made.problem))]
    assert [(each.start, each.end, each.hours_per_week) for each in found] == [
        (date(2026, 11, 25), date(2026, 11, 29), Decimal(20)),
        (date(2026, 12, 7), date(2026, 12, 20), Decimal(10)),
    ]


def test_weeks_away_do_not_part_an_allocation() -> None:
    made = case(work(), hours={"ann@x.se": [40.0, 0.0, 24.0, *[40.0] * (KNOWN - 3)]})
    (found,) = allocations_of(made, greedy_plan(made.problem))
    assert (found.allocation.start, found.allocation.end) == (MONDAY, date(2026, 12, 20))
    assert (found.allocation.hours_per_week, found.why) == (Decimal(20), "own role")


def test_weeks_of_others_part_an_allocation() -> None:
    asked = work(role(weeks=5))
    made = case(asked, people=(person(), person("bob")))
    turns = [(0, 0, 2), (1, 2, 3), (0, 3, 5)]
    plan = Plan((0,), tuple(Assignment(0, who, 2, first, end) for who, first, end in turns))
    spans = [
        (each.allocation.email, each.allocation.start, each.allocation.end)
        for each in allocations_of(made, plan)
    ]
    week = timedelta(weeks=1)
    sunday = MONDAY - timedelta(days=1)
    assert spans == [
        ("ann@x.se", MONDAY, sunday + 2 * week),
        ("ann@x.se", MONDAY + 3 * week, sunday + 5 * week),
        ("bob@x.se", MONDAY + 2 * week, sunday + 3 * week),
    ]


def test_nobody_is_allocated_to_more_than_is_asked_for_in_a_week_that_is_short_for_them() -> None:
    weeks = [MONDAY + timedelta(weeks=number) for number in range(KNOWN)]
    holiday = {"SE": {MONDAY + timedelta(days=8)}, "DE": set[date]()}
    people = (person(country="SE"), person("bob", country="DE"))
    hours = working_hours(people, (), weeks, holidays_of=lambda name, _: holiday[name])
    staff = Staff(people, hours.by_person, Attendance(people, (), weeks, hours))
    made = build((work(role(hours="36", weeks=3)),), staff, (), RULES)
    (found,) = allocations_of(made, Plan((0,), (Assignment(0, 0, 2, 0, 3),)))
    assert found.allocation.hours_per_week == 36


def test_allocations_of_won_deals_are_confirmed() -> None:
    open_ = work(key="D-2", confirmed=False, probability=0.5)
    made = case(work(), open_)
    found = [each.allocation for each in allocations_of(made, greedy_plan(made.problem))]
    assert {each.deal_key: each.confirmed for each in found} == {"D-1": True, "D-2": False}


def test_hours_are_added_to_those_that_begin_on_the_same_day() -> None:
    old = allocation(hours="10", start=MONDAY, end=date(2026, 12, 20))
    new = allocation(hours="20", start=MONDAY, end=date(2026, 11, 29))
    both, rest = merged([new], [old])
    assert (both.hours_per_week, both.end) == (Decimal(30), date(2026, 11, 29))
    assert (rest.hours_per_week, rest.start, rest.end) == (
        Decimal(10),
        date(2026, 11, 30),
        date(2026, 12, 20),
    )


def test_nobody_loses_hours_where_allocations_meet() -> None:
    """One ends within a week, and another begins on the day on which the new one goes on alone."""
    first = allocation(hours="10", start=MONDAY, end=date(2026, 12, 1))
    second = allocation(hours="5", start=date(2026, 12, 2))
    new = allocation(hours="20", start=MONDAY, end=date(2026, 12, 13))
    found = merged([new], [first, second])
    assert [(each.hours_per_week, each.start, each.end) for each in found] == [
        (Decimal(30), MONDAY, date(2026, 12, 1)),
        (Decimal(25), date(2026, 12, 2), date(2026, 12, 13)),
        (Decimal(5), date(2026, 12, 14), None),
    ]
    ends_on_friday = allocation(hours="10", start=MONDAY, end=date(2026, 11, 27))
    (both,) = merged([replace(new, end=date(2026, 11, 29))], [ends_on_friday])
    assert both.hours_per_week == 30
