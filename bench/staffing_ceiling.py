"""How much of the unmet hours any plan could avoid: a linear program that knows of hours only.

Left out are whatever else makes staffing hard: whole and half shares, one person for all weeks of a
request, hand-overs, at most so many projects at once, the costs of overtime and delay. So what it
cannot meet, nobody can.
"""

from __future__ import annotations

from typing import Any

from ortools.linear_solver import pywraplp

from taiga_pipeline.planning.staffing.problem import Problem


def least_unmet_cost(problem: Problem) -> float:
    """Returns a weighted cost of unmet hours that no plan can go below."""
    return _Program(problem).least()


class _Program:
    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._solver: Any = pywraplp.Solver.CreateSolver("GLOP")
        self._objective = self._solver.Objective()
        self._room = {
            (worker, week): self._at_most(hours)
            for worker, row in enumerate(problem.limit)
            for week, hours in enumerate(row)
        }

    def least(self) -> float:
        """Returns what is asked for, less what hours are worth that can be given at most."""
        for number, project in enumerate(self._problem.projects):
            one = self._solver.Constraint(1, 1)
            for delay in range(project.max_delay + 1):
                start = self._solver.NumVar(0, 1, "")
                one.SetCoefficient(start, 1)
                unmet = self._problem.unstaffed_cost(number, delay) - project.delay_cost * delay
                self._objective.SetCoefficient(start, unmet)
                for request in self._problem.requests_of[number]:
                    self._enter(request, delay, start)
        self._objective.SetMinimization()
        assert self._solver.Solve() == pywraplp.Solver.OPTIMAL
        return float(self._objective.Value())

    def _at_most(self, hours: float) -> Any:
        return self._solver.Constraint(-self._solver.infinity(), hours)

    def _enter(self, number: int, delay: int, start: Any) -> None:
        """Enters who may give how much in which week, if the project starts so late."""
        problem, request = self._problem, self._problem.requests[number]
        weight, begin = problem.projects[request.project].weight, request.first + delay
        for week, hours in enumerate(problem.asked(number, begin), begin):
            needed = self._at_most(0)
            needed.SetCoefficient(start, -hours)
            for each in request.candidates:
                part, free = problem.presence[each.worker][week], problem.free[each.worker][week]
                if min(hours * part, free) > 0:
                    given = self._solver.NumVar(0, min(hours * part, free), "")
                    needed.SetCoefficient(given, 1)
                    self._room[each.worker, week].SetCoefficient(given, 1)
                    self._objective.SetCoefficient(given, -weight)
