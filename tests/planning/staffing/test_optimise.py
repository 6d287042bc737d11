"""The optimiser keeps the rules, is never worse than the quick rule, and claims what is proven."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("numpy", reason="the extra 'staffing' is not installed")
pytest.importorskip("ortools", reason="the extra 'staffing' is not installed")

import numpy as np

from bench.staffing_instances import Size, generate
from taiga_pipeline.planning.staffing.board import Board
from taiga_pipeline.planning.staffing.bound import Priced, pack_hours, price_hours
from taiga_pipeline.planning.staffing.cpsat import reoptimise
from taiga_pipeline.planning.staffing.evaluate import evaluate, violations
from taiga_pipeline.planning.staffing.exact import solve_whole
from taiga_pipeline.planning.staffing.greedy import greedy_plan
from taiga_pipeline.planning.staffing.lns import Effort, Search
from taiga_pipeline.planning.staffing.optimise import WORK_PER_SECOND, optimise
from taiga_pipeline.planning.staffing.packing import Packing
from taiga_pipeline.planning.staffing.pricing import blocks
from taiga_pipeline.planning.staffing.problem import (
    HALF,
    Assignment,
    Plan,
    Problem,
    Project,
    empty_plan,
)
from taiga_pipeline.planning.staffing.tables import Tables
from tests.planning.staffing.support import least_cost, problem, problems, request, worker
from tests.profiles import examples

SMALL = Size(people=14, projects=6, weeks=20, load=0.7)


def cost(asked: Problem, plan: Plan) -> float:
    return evaluate(asked, plan).cost


@given(problems())
@settings(max_examples=examples(60), deadline=None)
def test_no_plan_breaks_a_rule_or_is_worse_than_the_quick_one(asked: Problem) -> None:
    quick = greedy_plan(asked)
    found = Search(Tables(asked), quick, seed=1).run(Effort(60_000))
    assert not list(violations(asked, found.plan))
    assert cost(asked, found.plan) <= cost(asked, quick) + 1e-3


@given(problems())
@settings(max_examples=examples(60), deadline=None)
def test_the_board_and_the_evaluator_agree(asked: Problem) -> None:
    """What changes are worth on the board is what they take off the evaluator's cost."""
    board = Board(Tables(asked), greedy_plan(asked))
    draw = random.Random(1)
    for _ in range(12 if asked.requests else 0):
        number = draw.randrange(len(asked.requests))
        before = cost(asked, board.plan())
        board.note()
        state = board.state_of(number)
        change = -board.remove(number)
        way = board.best(number)
        won = board.place(number, way)
        assert won == pytest.approx(way.value, abs=1e-5)
        change += won
        assert cost(asked, board.plan()) == pytest.approx(before - change, abs=1e-5)
        if draw.random() < 0.5:
            board.take_back([state])
            assert cost(asked, board.plan()) == pytest.approx(before, abs=1e-5)


@given(problems(most_requests=4))
@settings(max_examples=examples(30), deadline=None)
def test_the_solver_and_the_evaluator_agree(asked: Problem) -> None:
    board = Board(Tables(asked), greedy_plan(asked))
    before = cost(asked, board.plan())
    gain = reoptimise(board, range(len(asked.requests)), 0.05, seed=1)
    assert gain >= 0
    assert cost(asked, board.plan()) == pytest.approx(before - gain, abs=1e-5)


@given(problems(most_requests=2))
@settings(max_examples=examples(15), deadline=None)
def test_what_is_proven_is_the_best_of_all_plans(asked: Problem) -> None:
    """Every plan is tried; those with stand-ins besides, which only the solver knows of."""
    proof = solve_whole(asked, empty_plan(asked), 2.0, seed=1)
    assert not list(violations(asked, proof.plan))
    assert proof.bound == pytest.approx(cost(asked, proof.plan), abs=0.05)
    assert proof.bound <= least_cost(asked) + 0.05


@given(st.data())
@settings(max_examples=examples(15), deadline=None)
def test_no_plan_costs_less_than_one_that_is_proven(data: st.DataObject) -> None:
    asked = data.draw(problems(most_requests=2))
    plan = data.draw(plans(asked))
    assert solve_whole(asked, empty_plan(asked), 2.0, 1).bound <= cost(asked, plan) + 0.05


@given(problems(most_requests=2))
@settings(max_examples=examples(40), deadline=None)
def test_the_bound_is_below_the_best_of_all_plans(asked: Problem) -> None:
    quick = greedy_plan(asked)
    found = Search(Tables(asked), quick, seed=1).run(Effort(20_000)).plan
    best = min(least_cost(asked), cost(asked, found))
    assert price_hours(Tables(asked), cost(asked, quick), 40).bound <= best + 1e-5


def test_hours_beyond_overtime_that_is_there_already_are_overtime_themselves() -> None:
    asked = problem(requests=(request(40.0), request(2.0), request(2.0)))
    board = Board(Tables(asked), empty_plan(asked))
    for number, overtime in enumerate((0, 8, 8)):
        way = board.best(number)
        assert way.value == asked.requests[number].total * 100 - overtime * 5
        assert board.place(number, way) == way.value


def test_the_bound_knows_that_several_give_more_than_one() -> None:
    half = (20.0,) * 4
    two = problem(
        workers=(worker("ann", fixed=half), worker("bob", fixed=half)),
        requests=(request(40.0, workers=(0, 1)),),
    )
    assert price_hours(Tables(two), 16_000, 0).bound == pytest.approx(2 * 20)
    three = problem(
        workers=(
            worker("ann", fixed=(20.0, 20.0, 40.0, 40.0)),
            worker("bob", fixed=half),
            worker("eve", fixed=(40.0, 40.0, 20.0, 20.0)),
        ),
        requests=(request(40.0, workers=(0, 1, 2)),),
    )
    shares = ((1, 0, 4), (0, 0, 2), (2, 2, 4))
    plan = Plan((0,), tuple(Assignment(0, who, HALF, first, end) for who, first, end in shares))
    assert cost(three, plan) == 20 + 2 * (20 + 8 * 100)
    assert price_hours(Tables(three), 16_000, 0).bound <= cost(three, plan)


@st.composite
def plans(draw: st.DrawFn, asked: Problem) -> Plan:
    """Any plan that the evaluator takes, be it one that no solver would make."""
    delays = tuple(draw(st.integers(0, each.max_delay)) for each in asked.projects)
    kept: tuple[Assignment, ...] = ()
    for number, wanted in enumerate(asked.requests):
        for _ in range(draw(st.integers(0, 4)) if wanted.candidates else 0):
            first = draw(st.integers(0, len(wanted.need) - 1))
            each = Assignment(
                number,
                draw(st.sampled_from(wanted.candidates)).worker,
                draw(st.integers(1, 2)),
                first,
                draw(st.integers(first + 1, len(wanted.need))),
            )
            if not any(violations(asked, Plan(delays, (*kept, each)))):
                kept = (*kept, each)
    return Plan(delays, kept)


@given(st.data())
@settings(max_examples=examples(150), deadline=None)
def test_the_bound_is_below_any_plan_that_keeps_the_rules(data: st.DataObject) -> None:
    asked = data.draw(problems(most_requests=2))
    plan = data.draw(plans(asked))
    unstaffed = cost(asked, empty_plan(asked))
    assert price_hours(Tables(asked), unstaffed, 10).bound <= cost(asked, plan) + 1e-5
    assert packed(asked, 10, 10).bound <= cost(asked, plan) + 1e-5


def packed(asked: Problem, rounds: int, steps: int) -> Priced:
    tables, unstaffed = Tables(asked), cost(asked, empty_plan(asked))
    return pack_hours(tables, price_hours(tables, unstaffed, rounds), unstaffed, steps)


def test_the_bound_knows_that_weeks_hold_whole_and_half_shares_only() -> None:
    """Of three requests for 30 hours, one and a half of another fit into a week of 40 and 4."""
    three = problem(requests=(request(30.0), request(30.0), request(30.0)))
    any_hours = price_hours(Tables(three), cost(three, empty_plan(three)), 60).bound
    assert packed(three, 60, 60).bound > 1.05 * any_hours
    assert packed(three, 60, 60).bound <= least_cost(three) + 1e-5


def test_what_weeks_hold_is_worth_what_is_said() -> None:
    tables = Tables(generate(SMALL, 1))
    packing = Packing(tables, blocks(tables))
    prices = np.maximum(np.random.default_rng(1).uniform(-20.0, 60.0, len(packing.weeks)), 0.0)
    value, held = packing.fill(prices)
    assert np.all((held == 0) | (held == packing.hours).any(axis=0))
    hours = np.bincount(packing.weeks, held, tables.free.size)
    assert np.all(hours <= tables.limit.ravel() + 1e-6)
    overtime = np.maximum(hours - tables.regular.ravel(), 0.0).sum()
    assert overtime > 0
    assert value == pytest.approx((prices * held).sum() - 5.0 * overtime)


ONE_PROJECT_EACH = problem(
    workers=(worker("ann", max_projects=1),),
    projects=(Project("D-1", 100.0), Project("D-2", 100.0)),
    requests=(request(8.0), request(8.0), request(8.0, project=1)),
)


def test_a_place_is_free_only_when_the_last_request_of_a_project_is_gone() -> None:
    board = Board(Tables(ONE_PROJECT_EACH), empty_plan(ONE_PROJECT_EACH))
    for number in (0, 1):
        board.place(number, board.best(number))
    board.remove(0)
    assert board.best(2).assignments == ()
    board.remove(1)
    assert board.best(2).assignments != ()


def test_the_solver_keeps_to_the_number_of_projects() -> None:
    board = Board(Tables(ONE_PROJECT_EACH), empty_plan(ONE_PROJECT_EACH))
    assert reoptimise(board, range(3), 0.1, seed=1) > 0
    assert not list(violations(ONE_PROJECT_EACH, board.plan()))
    assert len(board.plan().assignments) == 1  # the solver counts requests: it may find less


def test_the_bound_counts_that_a_hand_over_costs() -> None:
    workers = (
        worker("ann", hours=(40.0, 40.0, 0.0, 0.0)),
        worker("bob", hours=(0.0, 0.0, 40.0, 40.0)),
    )
    asked = problem(workers=workers, requests=(request(20.0, workers=(0, 1)),))
    stand_in = 20 + 8 * 100
    assert cost(asked, greedy_plan(asked)) >= stand_in
    assert price_hours(Tables(asked), 8_000, 0).bound == pytest.approx(stand_in)


def test_the_best_plan_of_a_tiny_problem_is_found() -> None:
    projects = (Project("D-1", 100.0, 1, 20.0, confirmed=True), Project("D-2", 15.0))
    asked = problem(
        weeks=5,
        workers=(
            worker("ann", 5, hours=(40.0, 40.0, 0.0, 40.0, 40.0)),
            worker("bob", 5, 20.0),
        ),
        projects=projects,
        requests=(
            request(30.0, workers=(0, 1)),
            request(20.0, workers=(0, 1), project=1),
            request(12.0, weeks=3, workers=(1,), project=1, first=1),
        ),
    )
    solution = optimise(asked, 1.0, 1, lambda: 0.0)
    assert solution.score.cost <= least_cost(asked) + 1e-6
    assert solution.bound is not None
    assert solution.bound <= solution.score.cost


def test_a_bad_first_choice_is_undone() -> None:
    """The quick rule gives the versatile person to the first; the other then has no one."""
    asked = problem(
        workers=(worker("both"), worker("one")),
        requests=(request(40.0, workers=(0, 1)), request(39.0, workers=(0,))),
    )
    assert cost(asked, greedy_plan(asked)) > 0
    solution = optimise(asked, 0.5, 1, lambda: 0.0)
    assert solution.score.cost == 0
    assert solution.is_optimal


def test_people_whom_others_need_are_left_to_them() -> None:
    """Either could take the first request; the others have only one of the two."""
    others = request(39.0, workers=(0,)), request(39.0, workers=(0,))
    asked = problem(
        workers=(worker("sought"), worker("idle")),
        requests=(request(40.0, workers=(0, 1)), *others),
    )
    board = Board(Tables(asked), empty_plan(asked))
    assert [each.worker for each in board.best(0).assignments] == [0]
    board.prices = price_hours(Tables(asked), cost(asked, empty_plan(asked)), 30).prices
    way = board.best(0)
    assert [each.worker for each in way.assignments] == [1]
    assert board.place(0, way) == pytest.approx(asked.requests[0].total * 100)


def test_the_same_seed_and_work_give_the_same_plan() -> None:
    asked = generate(SMALL, 1)
    of_seconds = int(0.3 * WORK_PER_SECOND)
    plans = {optimise(asked, 0.3, 5, lambda: 0.0, work).plan for work in (None, of_seconds)}
    assert len(plans) == 1


def test_it_saves_much_of_the_quick_rules_cost() -> None:
    asked = generate(SMALL, 2)
    solution = optimise(asked, 0.5, 1, lambda: 0.0)
    assert solution.repeatable
    assert solution.score.cost < 0.9 * solution.quick.cost
    assert solution.bound is not None
    assert 0 < solution.bound <= solution.score.cost


def test_a_small_team_gets_a_plan_that_is_proven_to_be_the_best() -> None:
    asked = generate(Size(people=4, projects=4, weeks=8, load=0.5, roles=2), 1)
    solution = optimise(asked, 1.0, 1, lambda: 0.0)
    assert solution.is_optimal
    assert solution.bound == pytest.approx(solution.score.cost)
    assert solution.score.cost == pytest.approx(evaluate(asked, solution.plan).cost)


def test_hours_that_are_no_simple_fractions_are_proven_as_well() -> None:
    asked = problem(
        workers=(worker("ann", 5, 37.7), worker("bob", 5, 100 / 3)),
        projects=(Project("D-1", 30 * 0.3817), Project("D-2", 100.0, 1, 20 / 3)),
        weeks=5,
        requests=(
            request(100 / 3, workers=(0, 1)),
            request(17.77, workers=(0, 1), project=1),
            request(20.01, workers=(1,), project=1),
        ),
    )
    proof = solve_whole(asked, greedy_plan(asked), 2.0, seed=1)
    assert proof.bound == cost(asked, proof.plan) <= least_cost(asked) + 0.05


def test_a_clock_that_ends_the_search_is_reported() -> None:
    ticks = iter(range(10_000))
    solution = optimise(generate(SMALL, 1), 2.0, 1, lambda: float(next(ticks)))
    assert not solution.repeatable
    assert solution.score.cost <= solution.quick.cost


def test_a_problem_of_nothing_has_a_plan() -> None:
    asked = problem()
    solution = optimise(asked, 0.1, 1, lambda: 0.0)
    assert solution.plan == empty_plan(asked)
    assert solution.is_optimal
