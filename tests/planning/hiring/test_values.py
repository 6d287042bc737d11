"""What one person more is worth, against every plan that a tiny problem has, with and without."""

from __future__ import annotations

import random

import pytest

from taiga_pipeline.planning.hiring.resolve import quick, with_person
from taiga_pipeline.planning.staffing.evaluate import evaluate, violations
from taiga_pipeline.planning.staffing.explain import best_hires
from taiga_pipeline.planning.staffing.greedy import greedy_plan
from taiga_pipeline.planning.staffing.problem import Candidate, Problem, Project, Request
from tests.planning.staffing.support import least_cost, worker

search = pytest.importorskip(
    "taiga_pipeline.planning.hiring.search", reason="the extra 'staffing' is not installed"
)

WEEKS = 4


def tiny(seed: int) -> Problem:
    drawn = random.Random(seed)
    requests = []
    for _ in range(3):
        length = drawn.randint(1, 2)
        first = drawn.randint(0, WEEKS - length)
        able = sorted(drawn.sample(range(2), drawn.randint(1, 2)))
        project, role = drawn.randint(0, 1), ("Back", "Front")[drawn.randint(0, 1)]
        need = (drawn.choice([20.0, 40.0]),) * length
        candidates = tuple(Candidate(each, drawn.choice([0.0, 10.0])) for each in able)
        requests.append(Request(project, role, first, need, candidates))
    projects = (Project("A", 100.0, confirmed=True), Project("B", 20.0))
    return Problem(WEEKS, (worker("w0", WEEKS), worker("w1", WEEKS)), projects, tuple(requests))


@pytest.mark.parametrize("seed", [1, 6, 11, 31, 41, 56])
def test_a_hire_is_worth_what_the_best_plans_with_and_without_differ_by(seed: int) -> None:
    asked = tiny(seed)
    without = least_cost(asked)
    truth = {
        role: without - least_cost(with_person(asked, role, 40.0, 0, WEEKS))
        for role in {each.role for each in asked.requests}
    }
    hires = best_hires(asked, greedy_plan(asked), search.searched(0.5, 1, lambda: 0.0))
    assert truth[hires[0].role] == pytest.approx(max(truth.values()), abs=0.1)
    for hire in hires:
        assert hire.help.cost == pytest.approx(truth[hire.role], abs=0.1)


@pytest.mark.parametrize("seed", range(12))
def test_the_quick_rule_never_breaks_a_plan_nor_makes_it_worse(seed: int) -> None:
    asked = tiny(seed)
    plan = greedy_plan(asked)
    again = quick(asked, plan)
    assert not list(violations(asked, again))
    assert evaluate(asked, again).cost <= evaluate(asked, plan).cost


def test_a_role_that_lacks_nothing_may_be_the_one_to_hire() -> None:
    """Front lacks nobody: but whoever does it could do what Back lacks."""
    back = Request(0, "Back", 0, (40.0,) * 2, (Candidate(0),))
    front = Request(0, "Front", 0, (40.0,) * 2, (Candidate(0),))
    asked = Problem(WEEKS, (worker("w0", WEEKS),), (Project("A", 100.0),), (back, front))
    hires = best_hires(asked, greedy_plan(asked))
    assert {hire.role: hire.help.hours for hire in hires} == {"Back": 80.0, "Front": 80.0}


def test_somebody_new_has_public_holidays_like_everybody() -> None:
    """A week of 32 h for all is a full week: a hire must not make it look like one of absence."""
    parts = (0.8, 1.0, 1.0, 1.0)
    short = worker("w0", WEEKS, hours=(32.0, 40.0, 40.0, 40.0), week_parts=parts)
    asked = Problem(WEEKS, (short,), (Project("A", 1.0),), (Request(0, "Back", 0, (32.0,), ()),))
    larger = with_person(asked, "Back", 40.0, 0, WEEKS)
    assert larger.workers[-1].hours == (32.0, 40.0, 40.0, 40.0)
    assert larger.presence == ((1.0,) * WEEKS,) * 2
