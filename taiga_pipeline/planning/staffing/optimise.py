"""The optimiser: quick rule, prices of hours, large neighbourhood search, constraint solver.

The prices give a bound, and tell the search who is needed elsewhere. What people's weeks can hold
raises the bound of a large problem at the end.

The constraint solver is given a small problem as a whole, and may prove that no plan is better; of
a large one it is given parts.

How much each may do follows from the seconds given, by fixed rates that leave a usual machine
time to spare. So the same problem, seconds and seed give the same plan, unless the clock has to
end it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from taiga_pipeline.planning.staffing.board import Board
from taiga_pipeline.planning.staffing.bound import pack_hours, price_hours
from taiga_pipeline.planning.staffing.cpsat import reoptimise
from taiga_pipeline.planning.staffing.evaluate import evaluate
from taiga_pipeline.planning.staffing.exact import MOST_VARIABLES, count_variables, solve_whole
from taiga_pipeline.planning.staffing.lns import Effort, Found, Search
from taiga_pipeline.planning.staffing.problem import Plan, Problem
from taiga_pipeline.planning.staffing.solution import Engine, Solution, quick_solution
from taiga_pipeline.planning.staffing.tables import Tables

WORK_PER_SECOND: Final = 8_500_000
"""Work of the search (see `lns`) for each second given; a usual core does half as much again, and
needs a quarter of the time for prices and the bound."""
WORK_PER_REQUEST: Final = 1_500_000
"""Work per request beyond which little is gained: small problems end early."""
SOLVER_ROUNDS_PER_SECOND: Final = 0.05
SOLVER_TIME: Final = 0.2
"""CP-SAT's deterministic time for each round."""
WHOLE_TIME_PER_SECOND: Final = 0.4
"""CP-SAT's deterministic time for a whole problem, for each second given."""
BOUND_STEPS_PER_SECOND: Final = 6_000
"""Requests (at each possible start) looked at for the bound, for each second given."""
MAX_BOUND_ROUNDS: Final = 200
"""After 1,000 rounds the bound is 0 to 3 % higher than after 100 to 300."""
MIN_PRICE_ROUNDS: Final = 30
"""Prices of fewer rounds mislead the search."""
PACKING_STEPS_PER_SECOND: Final = 2_000
"""The same for what weeks can hold."""
MAX_PACKING_ROUNDS: Final = 100
PRICE_SHARE: Final = 0.24
"""The part of the time after which the clock ends the search for prices."""
SEARCH_SHARE: Final = 0.88
SOLVER_SHARE: Final = 0.98
"""The same for the search, and for CP-SAT and what weeks can hold."""


def optimise(
    problem: Problem,
    seconds: float,
    seed: int,
    monotonic: Callable[[], float],
    work: int | None = None,
) -> Solution:
    """Returns a good plan after about ``seconds``; more of them give a better one.

    ``monotonic`` is a clock in seconds, which ends the search when the machine is too slow for
    the work that the seconds stand for. ``work`` is that of the large neighbourhood search, if
    it is another than theirs.
    """
    begun = monotonic()

    def used(share: float) -> Callable[[], float]:
        return lambda: (monotonic() - begun) / (seconds * share)

    quick = quick_solution(problem)
    if quick.is_optimal:
        return quick
    tables = Tables(problem)
    if work is None:
        work = int(min(seconds * WORK_PER_SECOND, len(problem.requests) * WORK_PER_REQUEST))
    rounds = _price_rounds(problem, seconds)
    priced = price_hours(tables, quick.score.cost, rounds, used(PRICE_SHARE))
    prices = priced.prices if rounds else None
    found = Search(tables, quick.plan, seed, prices).run(Effort(work, used(SEARCH_SHARE)))
    if count_variables(problem) <= MOST_VARIABLES:
        work_left = seconds * WHOLE_TIME_PER_SECOND
        proof = solve_whole(problem, found.plan, work_left, seed, used(SOLVER_SHARE))
        polished = Found(proof.plan, 1, proof.in_time)
        priced = replace(priced, bound=max(priced.bound, proof.bound))
    else:
        polished = _polish(tables, found.plan, seconds, seed, used(SOLVER_SHARE))
        if rounds:
            cost = evaluate(problem, polished.plan).cost
            steps = _packing_rounds(problem, seconds)
            priced = pack_hours(tables, priced, cost, steps, used(SOLVER_SHARE))
    score = evaluate(problem, polished.plan)
    return Solution(
        plan=polished.plan,
        score=score,
        quick=quick.score,
        engine=Engine.OPTIMISER,
        bound=min(priced.bound, score.cost),
        repeatable=priced.in_time and found.in_time and polished.in_time,
    )


def _polish(
    tables: Tables, plan: Plan, seconds: float, seed: int, elapsed: Callable[[], float]
) -> Found:
    def solve(board: Board, requests: Sequence[int], number: int) -> float:
        return reoptimise(board, requests, SOLVER_TIME, seed + number)

    rounds = int(seconds * SOLVER_ROUNDS_PER_SECOND)
    if not rounds:
        return Found(plan, rounds=0, in_time=True)
    return Search(tables, plan, seed).polish(Effort(rounds, elapsed), solve)


def _price_rounds(problem: Problem, seconds: float) -> int:
    rounds = min(MAX_BOUND_ROUNDS, int(seconds * BOUND_STEPS_PER_SECOND / _looks(problem)))
    return rounds if rounds >= MIN_PRICE_ROUNDS else 0


def _packing_rounds(problem: Problem, seconds: float) -> int:
    return min(MAX_PACKING_ROUNDS, int(seconds * PACKING_STEPS_PER_SECOND / _looks(problem)))


def _looks(problem: Problem) -> int:
    """Returns how many requests, at each possible start, a step of prices looks at."""
    looks = sum(problem.projects[each.project].max_delay + 1 for each in problem.requests)
    return max(1, looks)
