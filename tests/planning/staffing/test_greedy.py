"""The quick rule."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings

from taiga_pipeline.planning.staffing.evaluate import evaluate, violations
from taiga_pipeline.planning.staffing.greedy import fill, greedy_plan
from taiga_pipeline.planning.staffing.problem import (
    HALF,
    WHOLE,
    Assignment,
    Candidate,
    Plan,
    Problem,
    Project,
    empty_plan,
)
from taiga_pipeline.planning.staffing.solution import Engine, quick_solution
from tests.planning.staffing.support import problem, problems, request, worker
from tests.profiles import examples


def test_won_deals_come_before_open_ones() -> None:
    projects = (Project("D-1", 15.0), Project("D-2", 100.0, confirmed=True))
    asked = problem(projects=projects, requests=(request(40.0), request(40.0, project=1)))
    assert greedy_plan(asked).assignments == (Assignment(1, 0, WHOLE, 0, 4),)


def test_the_fullest_who_has_room_is_chosen() -> None:
    workers = (worker("ann"), worker("bob", fixed=(20.0,) * 4))
    asked = problem(workers=workers, requests=(request(20.0, workers=(0, 1)),))
    assert [each.worker for each in greedy_plan(asked).assignments] == [1]


def test_own_role_comes_before_a_skill() -> None:
    asked = problem(workers=(worker("ann"), worker("bob")), requests=(request(20.0),))
    wanted = replace(asked.requests[0], candidates=(Candidate(0, 10.0), Candidate(1)))
    assert [
        each.worker for each in greedy_plan(replace(asked, requests=(wanted,))).assignments
    ] == [1]


def test_two_share_what_nobody_can_do_alone() -> None:
    workers = (worker("ann"), worker("bob"))
    both = (0, 1)
    requests = (
        request(40.0, workers=both),
        request(24.0, workers=(0,)),
        request(24.0, workers=(1,)),
    )
    projects = (Project("D-1", 30.0), Project("D-2", 100.0))
    asked = problem(
        workers=workers,
        projects=projects,
        requests=(requests[0], *(replace(each, project=1) for each in requests[1:])),
    )
    plan = greedy_plan(asked)
    shares = [each for each in plan.assignments if each.request == 0]
    assert shares == [Assignment(0, 0, HALF, 0, 4), Assignment(0, 1, HALF, 0, 4)]
    assert sum(evaluate(asked, plan).unmet) == 0


def test_somebody_stands_in_during_holidays() -> None:
    workers = (
        worker("ann", hours=(40.0, 0.0, 40.0, 40.0)),
        worker("bob", hours=(20.0, 40.0, 20.0, 20.0)),
    )
    asked = problem(workers=workers, requests=(request(20.0, workers=(0, 1)),))
    plan = greedy_plan(asked)
    assert Assignment(0, 1, WHOLE, 1, 2) in plan.assignments
    assert evaluate(asked, plan).unmet == (0.0,)


def test_filling_leaves_what_is_there() -> None:
    asked = problem(requests=(request(20.0), request(20.0)))
    there = (Assignment(1, 0, WHOLE, 0, 4),)
    filled = fill(asked, Plan((0,), there))
    assert set(there) < set(filled.assignments)
    assert evaluate(asked, filled).cost == 0


def test_a_plan_without_cost_is_proven_and_any_other_is_not() -> None:
    free = quick_solution(problem(requests=(request(20.0),)))
    assert (free.is_optimal, free.gap, free.engine) == (True, 0.0, Engine.HEURISTIC)
    short = quick_solution(problem(requests=(request(40.0), request(40.0))))
    assert (short.is_optimal, short.gap) == (False, None)


@given(problems())
@settings(max_examples=examples(150), deadline=None)
def test_no_plan_breaks_a_rule(asked: Problem) -> None:
    plan = greedy_plan(asked)
    assert not list(violations(asked, plan))
    assert evaluate(asked, plan).cost <= evaluate(asked, empty_plan(asked)).cost + 1e-6
