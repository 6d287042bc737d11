"""Solving again with the optimiser. Needs the extra ``staffing``."""

from __future__ import annotations

from collections.abc import Callable

from taiga_pipeline.planning.hiring.resolve import Resolve, best_of, quick
from taiga_pipeline.planning.staffing.optimise import optimise
from taiga_pipeline.planning.staffing.problem import Plan, Problem


def searched(seconds: float, seed: int, monotonic: Callable[[], float]) -> Resolve:
    """Returns what solves again for about so many seconds each time."""

    def resolve(problem: Problem, _: Plan) -> Plan:
        return optimise(problem, seconds, seed, monotonic).plan

    return best_of(quick, resolve)
