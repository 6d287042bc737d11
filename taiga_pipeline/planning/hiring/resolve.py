"""Solving a staffing problem again after a change, to see what the change is worth.

A new person is worth more than the requests that lack one: others move over and make room. So the
whole is solved again, and the problem without the change by the same means: otherwise a better
search would pass for a better team.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from taiga_pipeline.planning.staffing.evaluate import evaluate, violations
from taiga_pipeline.planning.staffing.greedy import fill
from taiga_pipeline.planning.staffing.problem import (
    WHOLE,
    Assignment,
    Candidate,
    Plan,
    Problem,
    Worker,
    asked_of,
)

Resolve = Callable[[Problem, Plan], Plan]
"""Returns a plan at least as good as the one given."""

_LACKING: Final = 0.05
FEW: Final = 200
"""Choices of who takes which request up to which they are all tried one by one."""


def quick(problem: Problem, plan: Plan) -> Plan:
    """Solves again by the quick rule alone: what lacks people, what lacks any, or all."""
    asked = asked_of(problem, plan)
    lacking = {
        number
        for number, hours in enumerate(evaluate(problem, plan).unmet)
        if hours > _LACKING * sum(asked[number])
    }
    kept = tuple(each for each in plan.assignments if each.request not in lacking)
    tried = [
        plan,
        fill(problem, plan, lacking),
        fill(problem, Plan(plan.delays, kept), lacking),
        fill(problem, Plan(plan.delays, kept)),
        fill(problem, Plan(plan.delays, ())),
    ]
    allowed = [each for each in tried if not any(violations(problem, each))]
    best = min(allowed or [plan], key=lambda each: evaluate(problem, each).cost)
    return _swapped(problem, best) if _choices(problem) <= FEW else best


def _choices(problem: Problem) -> int:
    return sum(len(each.candidates) for each in problem.requests)


def _swapped(problem: Problem, plan: Plan) -> Plan:
    """Gives requests to others, one by one, where that makes room for what lacks people."""
    best, cost = plan, evaluate(problem, plan).cost
    for number, request in enumerate(problem.requests):
        others = tuple(each for each in plan.assignments if each.request != number)
        for candidate in request.candidates:
            given = Assignment(number, candidate.worker, WHOLE, 0, len(request.need))
            forced = Plan(plan.delays, (*others, given))
            if any(violations(problem, forced)):
                continue
            tried = fill(problem, forced)
            found = evaluate(problem, tried).cost
            if found < cost - 1e-9:
                best, cost = tried, found
    return best if best is plan else _swapped(problem, best)


def with_person(problem: Problem, role: str, hours: float, first: int, after: int) -> Problem:
    """Returns the problem with one person more, last of the workers, who can do all that is asked
    for in a role, from week ``first`` to before ``after``.

    Public holidays shorten their weeks as they do for whoever has fewest of them.
    """
    known = [each.week_parts for each in problem.workers if each.week_parts]
    parts = tuple(max(week) for week in zip(*known, strict=True)) or (1.0,) * problem.weeks
    there = tuple(hours * part if first <= week < after else 0.0 for week, part in enumerate(parts))
    worker = Worker(
        key="",
        hours=there,
        usual=hours,
        fixed=(0.0,) * problem.weeks,
        elsewhere=(frozenset(),) * problem.weeks,
        max_projects=max((each.max_projects for each in problem.workers), default=3),
        week_parts=parts,
    )
    new = Candidate(len(problem.workers))
    requests = tuple(
        replace(each, candidates=(*each.candidates, new)) if each.role == role else each
        for each in problem.requests
    )
    return replace(problem, workers=(*problem.workers, worker), requests=requests)


def best_of(*ways: Resolve) -> Resolve:
    """Returns what takes the best plan of several ways."""

    def resolve(problem: Problem, plan: Plan) -> Plan:
        found = [way(problem, plan) for way in ways]
        return min(found, key=lambda each: evaluate(problem, each).cost)

    return resolve
