"""A plan with what it costs, how it was found, and how much better another could be."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from taiga_pipeline.planning.staffing.evaluate import Score, evaluate
from taiga_pipeline.planning.staffing.greedy import greedy_plan
from taiga_pipeline.planning.staffing.problem import Plan, Problem

PROVEN: float = 1e-6
"""The part of a cost by which it may exceed the bound and still be called the least."""


class Engine(StrEnum):
    """What finds plans."""

    HEURISTIC = "heuristic"
    """The quick rule that comes with the program."""
    OPTIMISER = "optimiser"
    """Large neighbourhood search and CP-SAT, from the extra ``staffing``."""


@dataclass(frozen=True, slots=True)
class Solution:
    """A plan and its score, beside that of the quick rule.

    ``bound`` is a cost that no plan can go below (None: not known). ``repeatable`` is False when a
    clock ended the search, so that the same again may give another plan.
    """

    plan: Plan
    score: Score
    quick: Score
    engine: Engine
    bound: float | None = None
    repeatable: bool = True

    @property
    def gap(self) -> float | None:
        """The part of the cost that a better plan could save at most; None without a bound."""
        if self.bound is None:
            return None
        return max(0.0, 1 - self.bound / self.score.cost) if self.score.cost > 0 else 0.0

    @property
    def is_optimal(self) -> bool:
        """Whether it is proven that no plan costs less."""
        return self.gap is not None and self.gap <= PROVEN


def quick_solution(problem: Problem) -> Solution:
    """Returns the plan of the quick rule."""
    plan = greedy_plan(problem)
    score = evaluate(problem, plan)
    bound = 0.0 if score.cost <= 0 else None
    return Solution(plan, score, score, Engine.HEURISTIC, bound)
