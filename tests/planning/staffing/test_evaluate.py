"""One evaluator scores every plan, and finds every broken rule."""

from __future__ import annotations

import pytest

from taiga_pipeline.planning.staffing.evaluate import evaluate, violations
from taiga_pipeline.planning.staffing.problem import (
    HALF,
    WHOLE,
    Assignment,
    Plan,
    Project,
    empty_plan,
)
from tests.planning.staffing.support import problem, request, worker

AWAY = (40.0, 0.0, 40.0, 40.0)
TWO = (worker("ann"), worker("bob"))


def plan(*assignments: Assignment, delays: tuple[int, ...] = (0,)) -> Plan:
    return Plan(delays, assignments)


def test_nobody_at_work_costs_every_hour_by_its_weight() -> None:
    asked = problem(requests=(request(20.0),))
    assert evaluate(asked, empty_plan(asked)).cost == 20 * 4 * 100


def test_one_person_for_all_of_it_costs_nothing() -> None:
    asked = problem(requests=(request(20.0),))
    assert evaluate(asked, plan(Assignment(0, 0, WHOLE, 0, 4))).cost == 0


def test_a_lone_half_is_charged_like_any_half() -> None:
    asked = problem(requests=(request(20.0),))
    score = evaluate(asked, plan(Assignment(0, 0, HALF, 0, 4)))
    assert (score.unmet_cost, score.split_cost) == (10 * 4 * 100, 20)


def test_a_hand_over_is_charged_for_the_hours_it_takes() -> None:
    asked = problem(workers=TWO, requests=(request(20.0, workers=(0, 1)),))
    score = evaluate(asked, plan(Assignment(0, 0, WHOLE, 0, 2), Assignment(0, 1, WHOLE, 2, 4)))
    assert score.unmet_cost == 0
    assert score.split_cost == 2 * (20 + 8 * 100)


def test_others_may_stand_in_for_somebody_who_is_away() -> None:
    workers = (worker("ann", hours=AWAY), worker("bob"))
    asked = problem(workers=workers, requests=(request(20.0, workers=(0, 1)),))
    both = plan(Assignment(0, 0, WHOLE, 0, 4), Assignment(0, 1, WHOLE, 1, 2))
    score = evaluate(asked, both)
    assert (score.unmet_cost, score.split_cost) == (0, 20 + 8 * 100)


def test_two_who_are_there_in_turns_are_not_both_on_it_for_all_weeks() -> None:
    workers = (worker("ann", hours=(40.0, 0.0) * 2), worker("bob", hours=(0.0, 40.0) * 2))
    asked = problem(workers=workers, requests=(request(20.0, workers=(0, 1)),))
    both = plan(Assignment(0, 0, WHOLE, 0, 4), Assignment(0, 1, WHOLE, 0, 4))
    assert list(violations(asked, both)) == ["request 0 has 4 halves for all of its weeks"]


def test_hours_above_the_contract_are_overtime() -> None:
    asked = problem(requests=(request(42.0),))
    part = plan(Assignment(0, 0, WHOLE, 0, 4))
    assert evaluate(asked, part).unmet == (8.0,)  # no one is asked for overtime by one request
    two = problem(requests=(request(40.0), request(4.0)))
    score = evaluate(two, plan(Assignment(0, 0, WHOLE, 0, 4), Assignment(1, 0, WHOLE, 0, 4)))
    assert (score.overtime_hours, score.overtime_cost, score.unmet_cost) == (16, 80, 0)


def test_putting_a_project_off_moves_its_demand_and_loses_none() -> None:
    project = Project("D-1", 100.0, max_delay=1, delay_cost=20.0)
    asked = problem(projects=(project,), requests=(request(20.0, weeks=3),))
    assert evaluate(asked, plan(delays=(1,))).cost == 20 * 3 * 100 + 20
    assert evaluate(asked, plan(Assignment(0, 0, WHOLE, 0, 3), delays=(1,))).cost == 20


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (plan(delays=(1,)), "postponed 1 of 0 weeks"),
        (plan(delays=()), "0 delays for 1 projects"),
        (plan(Assignment(9, 0, WHOLE, 0, 4)), "request 9 is not there"),
        (plan(Assignment(0, 9, WHOLE, 0, 4)), "not a candidate"),
        (plan(Assignment(0, 0, 3, 0, 4)), "3 halves"),
        (plan(Assignment(0, 0, WHOLE, 2, 5)), "no weeks 2 to 5"),
        (plan(Assignment(0, 0, WHOLE, 0, 4), Assignment(0, 1, HALF, 0, 4)), "more than it asks"),
        (plan(Assignment(0, 0, HALF, 0, 4), Assignment(0, 0, HALF, 0, 4)), "a person twice"),
        (plan(Assignment(0, 0, WHOLE, 0, 4), Assignment(1, 0, WHOLE, 0, 4)), "44 h are free"),
    ],
)
def test_broken_rules_are_named(broken: Plan, message: str) -> None:
    asked = problem(
        workers=TWO, requests=(request(24.0, workers=(0, 1)), request(24.0, workers=(0, 1)))
    )
    assert message in "; ".join(violations(asked, broken))
    with pytest.raises(ValueError, match=message):
        evaluate(asked, broken)


def test_nobody_is_on_more_projects_than_allowed() -> None:
    projects = (Project("D-1", 1.0), Project("D-2", 1.0))
    requests = (request(8.0), request(8.0, project=1))
    both = (Assignment(0, 0, WHOLE, 0, 4), Assignment(1, 0, WHOLE, 0, 4))
    one = problem(workers=(worker(max_projects=1),), projects=projects, requests=requests)
    assert "on 2 projects in week 0; at most 1" in "; ".join(
        violations(one, plan(*both, delays=(0, 0)))
    )
    there = (frozenset({"D-2"}),) * 4
    busy = problem(
        workers=(worker(max_projects=1, elsewhere=there),), projects=projects, requests=requests
    )
    assert not list(violations(busy, plan(both[1], delays=(0, 0))))  # already on that project
    assert list(violations(busy, plan(both[0], delays=(0, 0))))
