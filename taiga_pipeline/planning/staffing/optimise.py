"""The optimiser: quick rule, prices of hours, large neighbourhood search, constraint solver.

The prices give a bound, and tell the search who is needed elsewhere.

The constraint solver is given a small problem as a whole, and may prove that no plan is better; of
a large one it is given parts.

How much each may do follows from the seconds given, by fixed rates that leave a usual machine
time to spare. So the same problem, seconds and seed give the same plan, unless the clock has to
end it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from taiga_pipeline.planning.staffing.board import Board
from taiga_pipeline.planning.staffing.bound import price_hours
from taiga_pipeline.planning.staffing.cpsat import reoptimise
from taiga_pipeline.planning.staffing.evaluate import evaluate
from taiga_pipeline.planning.staffing.exact import MOST_VARIABLES, count_variables, solve_whole
from taiga_pipeline.planning.staffing.lns import Effort, Found, Search
from taiga_pipeline.planning.staffing.problem import Plan, Problem
from taiga_pipeline.planning.staffing.solution import Engine, Solution, quick_solution
from taiga_pipeline.planning.staffing.tables import Tables

WORK_PER_SECOND: Final = 8_500_000
"""Work of the search (see `lns`) for each second given; a usual core does half as much again, and
needs a sixth of the time for prices."""
WORK_PER_REQUEST: Final = 1_500_000
"""Work per request beyond which little is gained: small problems end early."""
SOLVER_ROUNDS_PER_SECOND: Final = 0.1
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
PRICE_SHARE: Final = 0.24
"""The part of the time after which the clock ends the search for prices."""
SEARCH_SHARE: Final = 0.93
SOLVER_SHARE: Final = 0.98


def optimise(
    problem: Problem, seconds: float, seed: int, monotonic: Callable[[], float]
) -> Solution:
    """Returns a good plan after about ``seconds``; more of them give a better one.

    ``monotonic`` is a clock in seconds, which ends the search when the machine is too slow for
    the work that the seconds stand for.
    """
    begun = monotonic()

    def used(share: float) -> Callable[[], float]:
        return lambda: (monotonic() - begun) / (seconds * share)

    quick = quick_solution(problem)
    if quick.is_optimal:
        return quick
    tables = Tables(problem)
    work = int(min(seconds * WORK_PER_SECOND, len(problem.requests) * WORK_PER_REQUEST))
    rounds = _bound_rounds(problem, seconds)
    priced = price_hours(tables, quick.score.cost, rounds, used(PRICE_SHARE))
    prices = priced.prices if rounds >= MIN_PRICE_ROUNDS else None
    search = Search(tables, quick.plan, seed, prices)
    found = search.run(Effort(work, used(SEARCH_SHARE)))
    bound = priced.bound
    if count_variables(problem) <= MOST_VARIABLES:
        work_left = seconds * WHOLE_TIME_PER_SECOND
        proof = solve_whole(problem, found.plan, work_left, seed, used(SOLVER_SHARE))
        polished, bound = Found(proof.plan, 1, proof.in_time), max(bound, proof.bound)
    else:
        polished = _polish(tables, found.plan, seconds, seed, used(SOLVER_SHARE))
    score = evaluate(problem, polished.plan)
    return Solution(
        plan=polished.plan,
        score=score,
        quick=quick.score,
        engine=Engine.OPTIMISER,
        bound=min(bound, score.cost),
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


def _bound_rounds(problem: Problem, seconds: float) -> int:
    looks = sum(problem.projects[each.project].max_delay + 1 for each in problem.requests)
    rounds = min(MAX_BOUND_ROUNDS, int(seconds * BOUND_STEPS_PER_SECOND / max(1, looks)))
    return rounds if rounds >= MIN_PRICE_ROUNDS else 0
