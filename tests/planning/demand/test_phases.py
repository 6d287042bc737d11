"""Whom a deal with phases needs: each phase in its own weeks, wherever people moved it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from taiga_pipeline.planning.demand.deals import Situation, find_demand, find_stretches
from taiga_pipeline.planning.demand.milestones import Milestones
from taiga_pipeline.planning.demand.stated_outlook import plain_outlooks
from taiga_pipeline.planning.staffing.work import About, find_works
from taiga_pipeline.planning.weeks import WEEK, Weeks
from tests.mapping.support import deal, mappings

MONDAY = date(2026, 12, 7)
TODAY = date(2026, 11, 25)
WEEKS = Weeks(date(2026, 11, 23), 20)
RULES = mappings("""\
[[phase]]
name = "Discovery"
keeps_project = true
[[phase.role]]
role = "Design"
hours_per_week = 20
weeks = 2
[[phase.milestone]]
name = "Workshops"
finish = "+13d"
[[phase]]
name = "Build"
after = "discovery"
[[phase.role]]
role = "Back"
hours_per_week = 30
weeks = 3
[[phase.milestone]]
name = "Release"
finish = "+20d"
[[phase]]
name = "Support"
after = "build"
[[phase.role]]
role = "Ops"
hours_per_week = 8
weeks = 2
""")
SUBJECT = deal(stage="Won", start=MONDAY, closed_on=TODAY)


def moved(name: str, days: int, weeks: int) -> Milestones:
    last = MONDAY + timedelta(days=days + 7 * weeks - 1)
    return ((name, MONDAY + timedelta(days=days), last),)


@pytest.mark.parametrize(
    ("milestones", "first"),
    [
        ({}, {"Design": 0, "Back": 2, "Ops": 5}),
        ({"D-1": moved("Workshops", 0, 2)}, {"Design": 0, "Back": 2, "Ops": 5}),
        ({"D-1": moved("Workshops", 7, 2)}, {"Design": 1, "Back": 3, "Ops": 6}),
        ({"D-1::build": moved("Release", 28, 3)}, {"Design": 0, "Back": 4, "Ops": 7}),
        ({"D-1::build": moved("Release", 14, 4)}, {"Design": 0, "Back": 2, "Ops": 6}),
    ],
)
def test_a_phase_needs_its_people_where_its_project_is_and_those_after_it_follow(
    milestones: dict[str, Milestones], first: dict[str, int]
) -> None:
    given = Situation(TODAY, (SUBJECT,), milestones=milestones)
    found = find_stretches("D-1", given, RULES, WEEKS)
    starts: dict[str, int] = {}
    for each in found:
        starts[each.role] = min(each.first, starts.get(each.role, each.first))
    assert starts == first
    hours = {role: sum(e.hours * e.weeks for e in found if e.role == role) for role in starts}
    assert hours == pytest.approx({"Design": 40, "Back": 90, "Ops": 16})
    [work] = find_works([SUBJECT], RULES, TODAY, About(milestones=milestones)).works
    assert {r.role: r.start_week for r in reversed(work.roles)} == first


def test_open_and_won_hours_fall_into_the_weeks_of_the_phases() -> None:
    given = Situation(TODAY, (SUBJECT,))
    demand = find_demand(given, RULES, plain_outlooks([SUBJECT], RULES, TODAY), WEEKS)
    weeks = {(each.role, (each.week - MONDAY) // WEEK) for each in demand.booked}
    assert weeks == {
        *(("Design", week) for week in (0, 1)),
        *(("Back", week) for week in (2, 3, 4)),
        *(("Ops", week) for week in (5, 6)),
    }
    open_ = deal(start=MONDAY)
    asked = find_demand(
        Situation(TODAY, (open_,)), RULES, plain_outlooks([open_], RULES, TODAY), WEEKS
    )
    assert {(each.role, each.first) for each in asked.open[0].stretches} == {
        ("Design", 0),
        ("Back", 2),
        ("Ops", 5),
    }
