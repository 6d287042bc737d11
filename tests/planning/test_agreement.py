"""Capacity, staffing and scenarios say the same of one situation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taiga_pipeline.mapping.mapping_set import MappingSet
from taiga_pipeline.people.calendar import working_hours
from taiga_pipeline.people.model import Allocation, Person, TimeOff
from taiga_pipeline.pipeline.model import Deal, RoleDemand
from taiga_pipeline.planning.attendance import Attendance
from taiga_pipeline.planning.capacity.find import Options, demand_for, find_capacity
from taiga_pipeline.planning.capacity.result import CapacityReport, Cell
from taiga_pipeline.planning.demand.deals import Situation
from taiga_pipeline.planning.outlook import Outlook, Outlooks
from taiga_pipeline.planning.scenario.model import Scenario, apply_scenario
from taiga_pipeline.planning.staffing.allocations import allocations_of, merged
from taiga_pipeline.planning.staffing.build import Case, Rules, Staff, build, weeks_needed
from taiga_pipeline.planning.staffing.evaluate import unmet_by_week
from taiga_pipeline.planning.staffing.greedy import fill
from taiga_pipeline.planning.staffing.problem import Plan, week_of
from taiga_pipeline.planning.staffing.solution import quick_solution
from taiga_pipeline.planning.staffing.work import About, find_works
from taiga_pipeline.planning.weeks import WEEK, Weeks, monday
from tests.mapping.support import deal, mappings
from tests.profiles import examples

TODAY = date(2026, 11, 25)
NOW = date(2026, 11, 23)
DAY = timedelta(days=1)
WEEKS = Weeks(NOW, 10)
LEAD = '[mapping]\nname = "test"\nlead_time_weeks = 2\n'
MILESTONES = """\
[[milestone]]
name = "Kick-off"
start = "+0w"
finish = "+6d"
[[milestone]]
name = "Delivery"
start = "+2w"
finish = "+20d"
"""
HOLIDAYS = {
    "SE": {NOW + DAY, NOW + WEEK * 2, NOW + WEEK * 2 + DAY},
    "DE": {NOW + DAY, NOW + WEEK + 4 * DAY},
    "FR": {NOW + WEEK * 3 + DAY * number for number in range(5)},
}


ALL_OFF_IN_FRANCE = 3
"""The week in which somebody has nothing but public holidays: others may stand in for them."""


def public_holidays(country: str, years: Collection[int]) -> set[date]:
    return HOLIDAYS[country]


OPTIONS = Options(WEEKS, public_holidays, trials=50, default_country="SE", with_drivers=False)


def situation(deals: tuple[Deal, ...], **changes: Any) -> Situation:
    return Situation(TODAY, deals, **changes)


def capacity(given_: Situation, rules: MappingSet, outlooks: Outlooks) -> CapacityReport:
    return find_capacity(given_, rules, outlooks, OPTIONS)


def staffing(given_: Situation, rules: MappingSet, max_delay: int = 0) -> Case:
    works = find_works(given_.deals, rules, TODAY, About(milestones=given_.milestones))
    asked = Rules(first=NOW, horizon=WEEKS.count, overtime=0.0, max_delay=max_delay)
    weeks = list(Weeks(NOW, weeks_needed(works.works, asked)))
    hours = working_hours(
        given_.people, given_.time_off, weeks, holidays_of=public_holidays, default_country="SE"
    )
    attendance = Attendance(given_.people, given_.time_off, weeks, hours)
    staff = Staff(given_.people, hours.by_person, attendance)
    return build(works.works, staff, given_.allocations, asked)


def accepted(given_: Situation, case: Case, plan: Plan) -> Situation:
    later = {
        work.key: work.start + WEEK * weeks
        for work, weeks in zip(case.works, plan.delays, strict=True)
        if weeks
    }
    deals = tuple(replace(each, start=later.get(each.key, each.start)) for each in given_.deals)
    wanted = [each.allocation for each in allocations_of(case, plan)]
    kept = {(each.deal_key, each.email, each.role, each.start) for each in wanted}
    others = [
        each
        for each in given_.allocations
        if (each.deal_key, each.email, each.role, each.start) not in kept
    ]
    allocations = (*others, *merged(wanted, case.fixed))
    return replace(given_, deals=deals, allocations=allocations)


def cell(report: CapacityReport, role: str, week: int) -> Cell:
    return next(each for each in report.roles if each.role == role).weeks[week]


def short(report: CapacityReport) -> dict[str, list[float]]:
    return {role.role: [week.expected_gap for week in role.weeks] for role in report.roles}


# --- people outside their own role

ANA = Person("ana@x.se", "Ana", role="Back", skills=("Design",))
DESIGN = RoleDemand("Design", Decimal(20), 3)


@pytest.mark.parametrize("stage", ["Won", "Proposal"])
def test_somebody_outside_the_own_role_uses_their_hours_and_fills_that_role(stage: str) -> None:
    subject = deal(stage=stage, start=NOW, roles=(DESIGN,), probability=Decimal(1))
    sure = Outlooks({"D-1": Outlook("D-1", 1.0, ((NOW, 1.0),))}, 0.0)
    before = situation((subject,), people=(ANA,))
    case = staffing(before, mappings())
    found = capacity(accepted(before, case, quick_solution(case.problem).plan), mappings(), sure)
    for week in (0, 1):
        assert cell(found, "Design", week).gap == 0
        back = cell(found, "Back", week)
        assert back.quantile == pytest.approx(20 * back.capacity / 40)
    assert not [each for each in found.notices if "no person has the role" in each]


ROLES = ("Back", "Front", "Design")
people_drawn = st.builds(
    lambda number, role, skills, hours, country, starts, ends: Person(
        f"p{number}@x.se",
        f"P{number}",
        role,
        tuple(skills),
        Decimal(hours),
        country=country,
        starts=starts and NOW + starts * DAY,
        ends=ends and NOW + ends * DAY,
    ),
    number=st.just(0),
    role=st.sampled_from(ROLES),
    skills=st.sets(st.sampled_from(["back", "Front", "DESIGN"]), max_size=2),
    hours=st.sampled_from([20, 32, 40]),
    country=st.sampled_from(["SE", "SE", "FR"]),
    starts=st.none() | st.integers(1, 20),
    ends=st.none() | st.integers(15, 60),
)
roles_drawn = st.builds(
    RoleDemand,
    st.sampled_from(ROLES),
    st.sampled_from([Decimal(10), Decimal(20), Decimal(40), Decimal(60)]),
    st.integers(1, 6),
    st.integers(0, 2),
)


@st.composite
def situations(draw: st.DrawFn, most_people: int = 4) -> Situation:
    country = draw(st.sampled_from(["SE", "FR", ""]))
    people = tuple(
        replace(each, email=f"p{number}@x.se", country=country)
        for number, each in enumerate(
            draw(st.lists(people_drawn, min_size=1, max_size=most_people))
        )
    )
    deals = tuple(
        deal(
            key=f"D-{number}",
            stage=draw(st.sampled_from(["Won", "Proposal"])),
            start=NOW + draw(st.integers(-8, 20)) * DAY,
            expected_close=NOW,
            probability=draw(st.sampled_from([Decimal("0.3"), Decimal("0.9")])),
            roles=tuple(draw(st.lists(roles_drawn, min_size=1, max_size=2))),
        )
        for number in range(draw(st.integers(1, 3)))
    )
    off = tuple(
        TimeOff(person.email, NOW + first * DAY, NOW + (first + length) * DAY)
        for person in people
        for first, length in draw(
            st.lists(st.tuples(st.integers(0, 30), st.integers(0, 9)), max_size=1)
        )
    )
    return situation(deals, people=people, time_off=off)


ROUNDING = 1.0
"""Hours per week are written in quarters, rounded down, for each of a few people."""


def outlooks_of(given_: Situation, probability: float) -> Outlooks:
    return Outlooks(
        {
            each.key: Outlook(each.key, probability, ((NOW, 1.0),))
            for each in given_.deals
            if each.stage == "Proposal"
        },
        0.0,
    )


Where = tuple[str, int]
"""A role (in lower case) and the number of a week."""


def unmet(case: Case, plan: Plan) -> dict[Where, float]:
    found: dict[Where, float] = defaultdict(float)
    for number, weeks in enumerate(unmet_by_week(case.problem, plan)):
        begin = week_of(case.problem, number, plan.delays)
        for week, hours in enumerate(weeks, begin):
            found[case.problem.requests[number].role, week] += hours
    return found


def _of_country(person: Person, country: str) -> Person:
    return replace(person, country=country)


@st.composite
def planned(draw: st.DrawFn) -> tuple[Situation, Case, Plan]:
    """A plan of any solver's, with projects that begin later than they were to."""
    before = draw(situations())
    countries = [draw(st.sampled_from(["SE", "DE", "FR"])) for _ in before.people]
    people = tuple(map(_of_country, before.people, countries))
    before = replace(before, people=people)
    case = staffing(before, mappings(), max_delay=draw(st.integers(0, 3)))
    delays = tuple(draw(st.integers(0, each.max_delay)) for each in case.problem.projects)
    plan = fill(case.problem, Plan(delays, ()))
    if draw(st.booleans()):
        optimise = pytest.importorskip("taiga_pipeline.planning.staffing.optimise").optimise
        plan = optimise(case.problem, 0.02, 1, lambda: 0.0).plan
    return before, case, plan


@settings(max_examples=examples(60), deadline=None)
@given(planned())
def test_what_an_accepted_plan_leaves_open_is_what_it_called_unmet(
    case: tuple[Situation, Case, Plan],
) -> None:
    before, asked, plan = case
    after, named = accepted(before, asked, plan), unmet(asked, plan)
    report = capacity(after, mappings(), outlooks_of(before, 1.0))
    for role in report.roles:
        for week, found in enumerate(role.weeks):
            limit = named.get((role.role, week), 0.0) + ROUNDING
            assert found.expected_gap <= limit, (role.role, week)
    all_won = apply_scenario(after, Scenario("won", win=tuple(each.key for each in after.deals)))
    left: dict[Where, float] = defaultdict(float)
    for each in demand_for(all_won, mappings(), Outlooks(), OPTIONS).booked:
        if not each.email:
            left[each.role, WEEKS.index(each.week)] += each.hours
    for role, week in left.keys() | named.keys():
        rows = sum(each.role == role for each in after.allocations)
        if week < WEEKS.count:
            known, open_ = named.get((role, week), 0.0), left.get((role, week), 0.0)
            assert open_ <= known + rows / 4 + 1e-5
            assert open_ >= known - 1e-5 or week == ALL_OFF_IN_FRANCE


def elsewhere(given_: Situation) -> dict[str, float]:
    """Returns the hours that people of each role do, or may do, in other roles in a week."""
    own = {person.email: person.role for person in given_.people}
    hours = dict.fromkeys(ROLES, 0.0)
    for each in given_.allocations:
        if each.role.casefold() != own[each.email].casefold():
            hours[own[each.email]] += float(each.hours_per_week)
    return hours


@settings(max_examples=examples(40), deadline=None)
@given(situations())
def test_a_role_is_shorter_at_most_by_what_its_people_do_in_others(before: Situation) -> None:
    case, chances = staffing(before, mappings()), outlooks_of(before, 0.5)
    after = accepted(before, case, quick_solution(case.problem).plan)
    was, now = (capacity(each, mappings(), chances) for each in (before, after))
    given_away, less = elsewhere(after), short(was)
    for role, weeks in short(now).items():
        for week, hours in enumerate(weeks):
            assert hours <= less[role][week] + given_away[role] + ROUNDING, (role, week)


# --- public holidays


@pytest.mark.parametrize("country", ["SE", "DE", "FR", ""])
def test_a_holiday_alone_makes_nobody_short(country: str) -> None:
    ann = Person("ann@x.se", "Ann", role="Back", country=country)
    full = RoleDemand("Back", Decimal(40), 6)
    booked = Allocation("D-1", ann.email, "Back", Decimal(40))
    deals = (deal(stage="Won", start=NOW, roles=(full,)),)
    for allocations in ((), (booked,)):
        found = situation(deals, people=(ann,), allocations=allocations)
        report = capacity(found, mappings(), Outlooks())
        assert report.total.gap == 0
        assert report.roles[0].total.confirmed == report.roles[0].total.capacity - 4 * 40
        case = staffing(found, mappings())
        plan = quick_solution(case.problem).plan
        assert not any(map(sum, unmet_by_week(case.problem, plan)))


def test_people_of_two_countries_who_are_fully_booked_are_not_short_either() -> None:
    people = tuple(
        Person(f"{country}@x.se", country, role="Back", country=country) for country in HOLIDAYS
    )
    role = RoleDemand("Back", Decimal(120), 6)
    booked = tuple(Allocation("D-1", each.email, "back", Decimal(40)) for each in people)
    subject = deal(stage="Won", start=NOW, roles=(role,))
    for allocations in ((), booked):
        found = situation((subject,), people=people, allocations=allocations)
        assert capacity(found, mappings(), Outlooks()).total.gap == pytest.approx(0, abs=1e-6)


def test_open_deals_shrink_in_a_holiday_week_as_won_ones_do() -> None:
    ann = Person("ann@x.se", "Ann", role="Back")
    subject = deal(start=NOW, roles=(RoleDemand("Back", Decimal(40), 4),))
    outlooks = Outlooks({"D-1": Outlook("D-1", 1.0, ((NOW, 1.0),))}, 0.0)
    report = capacity(situation((subject,), people=(ann,)), mappings(), outlooks)
    assert [each.quantile for each in report.roles[0].weeks[:5]] == [32, 40, 24, 40, 0]
    assert report.total.gap == 0
    assert report.total.weighted == report.total.exposure == 136


# --- deals that are open, and won


@settings(max_examples=examples(60), deadline=None)
@given(situations(), st.data())
def test_a_deal_asks_for_the_same_whether_it_is_open_or_won(
    before: Situation, data: st.DataObject
) -> None:
    countries = st.sampled_from(["SE", "DE", "FR", ""])
    people = tuple(replace(each, country=data.draw(countries)) for each in before.people)
    reserved = tuple(
        Allocation(
            each.key,
            data.draw(st.sampled_from(people)).email,
            data.draw(st.sampled_from(["", *ROLES])),
            Decimal(data.draw(st.sampled_from([10, 20, 40]))),
            start=each.start,
        )
        for each in before.deals
        if data.draw(st.booleans())
    )
    open_deals = tuple(replace(each, stage="Proposal") for each in before.deals)
    found = replace(before, deals=open_deals, people=people, allocations=reserved)
    supposed = apply_scenario(found, Scenario("won", win=tuple(each.key for each in open_deals)))
    asked = capacity(found, mappings(), outlooks_of(found, 0.5))
    won = capacity(supposed, mappings(), outlooks_of(found, 0.5))
    for role in won.roles:
        for week, hours in enumerate(role.weeks):
            other = cell(asked, role.role, week)
            assert other.exposure == pytest.approx(hours.confirmed), (role.role, week)


@pytest.mark.parametrize("chance", [0.3, 0.8, 0.95, 1.0])
def test_free_hours_are_those_that_the_weighted_ones_leave(chance: float) -> None:
    ann = Person("ann@x.se", "Ann", role="Back")
    role = RoleDemand("Back", Decimal(40), 10)
    booked = Allocation("D-1", ann.email, "Back", Decimal(40), confirmed=False)
    found = situation((deal(start=NOW, roles=(role,)),), people=(ann,), allocations=(booked,))
    outlooks = Outlooks({"D-1": Outlook("D-1", chance, ((NOW, 1.0),))}, 0.35)
    report = find_capacity(found, mappings(), outlooks, replace(OPTIONS, default_country=""))
    left = pytest.approx(40 * (1 - chance), abs=0.2)
    assert [each.idle.expected for each in report.roles[0].weeks] == [left] * 10
    assert [each.idle.expected for each in report.people[0].weeks] == [left] * 10


def test_a_project_that_begins_sooner_brings_what_is_reserved_after_the_last_week() -> None:
    ann = Person("ann@x.se", "Ann", role="Back")
    begin = WEEKS.last
    booked = Allocation("D-1", ann.email, "Back", Decimal(20), begin, begin + 5 * WEEK - DAY)
    found = situation((deal(expected_close=begin),), people=(ann,), allocations=(booked,))
    outlooks = Outlooks({"D-1": Outlook("D-1", 1.0, ((NOW + WEEK, 1.0),))}, 0.0)
    report = find_capacity(found, mappings(), outlooks, replace(OPTIONS, default_country=""))
    assert report.roles[0].total.quantile == 5 * 20


# --- when a project begins


@pytest.mark.parametrize("stage", ["Won", "Proposal"])
@pytest.mark.parametrize("day", [5, 6])
def test_a_start_at_a_weekend_is_that_of_the_next_week(stage: str, day: int) -> None:
    subject = deal(stage=stage, start=NOW + WEEK + day * DAY, roles=(DESIGN,))
    found = situation((subject,), people=(ANA,))
    case, chances = staffing(found, mappings()), outlooks_of(found, 1.0)
    for each in (found, accepted(found, case, quick_solution(case.problem).plan)):
        report = capacity(each, mappings(), chances)
        asked = [sum(role.weeks[week].exposure for role in report.roles) for week in range(3)]
        assert asked[:2] == [0, 0]
        assert asked[2] == pytest.approx(20 * cell(report, "Back", 2).capacity / 40)


@st.composite
def starting(draw: st.DrawFn) -> tuple[Deal, MappingSet, dict[str, Any]]:
    day = st.integers(-60, 60).map(lambda number: TODAY + number * DAY)
    subject = deal(
        start=draw(st.none() | day),
        expected_close=draw(st.none() | day),
        roles=(RoleDemand("Back", Decimal(30), 3),),
    )
    head = draw(st.sampled_from([LEAD, LEAD.replace("2", "0")]))
    first = draw(st.none() | day)
    moved = {} if first is None else {"D-1": (("Kick-off", first, first + 6 * DAY),)}
    return subject, mappings(MILESTONES, head=head), moved


@settings(max_examples=examples(100), deadline=None)
@given(starting())
def test_a_project_begins_in_the_same_week_everywhere(
    case: tuple[Deal, MappingSet, dict[str, Any]],
) -> None:
    subject, rules, moved = case
    found = situation((subject,), milestones=moved)
    wide = replace(OPTIONS, weeks=Weeks(NOW, 30), default_country="")
    outlooks = Outlooks({"D-1": Outlook("D-1", 0.5, ((NOW, 1.0),))})
    works = find_works(found.deals, rules, TODAY, About(milestones=moved)).works
    if not works:
        assert subject.start is None
        assert subject.expected_close is None
        return
    (open_,) = demand_for(found, rules, outlooks, wide).open
    supposed = apply_scenario(found, Scenario("won", win=("D-1",)))
    booked = demand_for(supposed, rules, outlooks, wide).booked
    begun = monday(works[0].start)
    assert open_.entered == begun >= NOW
    assert min(each.week for each in booked) == begun
    assert sum(each.hours for each in booked) == pytest.approx(90)


@pytest.mark.parametrize("close", [-50, 0])
def test_milestones_are_not_added_to_a_start_that_was_moved(close: int) -> None:
    kick_off = NOW + WEEK
    subject = deal(
        start=NOW - 7 * WEEK,
        expected_close=TODAY + close * DAY,
        roles=(RoleDemand("Back", Decimal(30), 3),),
    )
    moved = {"D-1": (("Kick-off", kick_off, kick_off + 6 * DAY),)}
    found = situation((subject,), milestones=moved)
    outlooks = Outlooks({"D-1": Outlook("D-1", 0.5, ((NOW, 1.0),))})
    (open_,) = demand_for(found, mappings(MILESTONES), outlooks, OPTIONS).open
    assert open_.entered == kick_off
    assert [(each.first, each.weeks) for each in open_.stretches] == [(0, 3)]
    assert open_.starts == ((kick_off, 1.0),)
