"""Which hire or shift would help most."""

from __future__ import annotations

from dataclasses import replace

from taiga_pipeline.planning.staffing.explain import best_hires, best_shifts, lacks
from taiga_pipeline.planning.staffing.greedy import greedy_plan
from taiga_pipeline.planning.staffing.problem import Project
from tests.planning.staffing.support import problem, request, worker

SHORT = problem(
    weeks=12,
    workers=(worker("ann", 12),),
    projects=(Project("D-1", 100.0, confirmed=True), Project("D-2", 15.0)),
    requests=(
        request(40.0, weeks=3),
        request(40.0, weeks=3, project=1),
        request(8.0, weeks=2, project=1, role="Design", workers=()),
    ),
)


def test_what_is_unmet_is_listed_by_its_cost() -> None:
    found = lacks(SHORT, greedy_plan(SHORT))
    assert [(lack.request, lack.hours, lack.first, lack.last) for lack in found] == [
        (1, 120.0, 0, 2),
        (2, 16.0, 0, 1),
    ]


def test_a_hire_is_worth_what_it_would_meet() -> None:
    back, design = best_hires(SHORT, greedy_plan(SHORT))
    assert (back.role, back.help.hours, back.help.cost) == ("Back", 120.0, 1800.0)
    assert back.help.projects == (1,)
    assert (design.role, design.help.hours) == ("Design", 16.0)


def test_a_shift_is_as_long_as_helps_and_no_longer() -> None:
    (shift,) = best_shifts(SHORT, greedy_plan(SHORT), movable=[0, 1])
    assert (shift.project, shift.weeks, shift.help.hours) == (1, 4, 120.0)


def test_projects_that_have_begun_are_not_shifted() -> None:
    assert best_shifts(SHORT, greedy_plan(SHORT), movable=[0]) == []


def test_a_shift_that_costs_more_than_it_brings_is_not_named() -> None:
    slow = replace(SHORT.projects[1], weight=0.1, delay_cost=20.0)
    asked = replace(SHORT, projects=(SHORT.projects[0], slow))
    assert best_shifts(asked, greedy_plan(asked), movable=[1]) == []


def test_nothing_helps_where_nothing_lacks() -> None:
    enough = problem(requests=(request(20.0),))
    plan = greedy_plan(enough)
    assert (lacks(enough, plan), best_hires(enough, plan)) == ([], [])
    assert best_shifts(enough, plan, [0]) == []
