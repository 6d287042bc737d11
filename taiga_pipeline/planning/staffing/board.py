"""A plan that is being changed: who has room when, the best way to meet a request, and its value.

The *value* of an assignment is what it takes off the cost of the plan: weight x hours given, less
overtime, penalty and the charge for a split. `staffing.evaluate` judges the result independently.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from taiga_pipeline.planning.staffing.evaluate import evaluate
from taiga_pipeline.planning.staffing.problem import (
    HALF,
    TOLERANCE,
    WHOLE,
    Assignment,
    Plan,
)

if TYPE_CHECKING:
    from taiga_pipeline.planning.staffing.tables import Ask, Flags, Floats, Tables

NEARLY: Final = 1e-3
"""A value by which the ideal may be missed and still count as reached."""


class _Way(NamedTuple):
    """A candidate (by position), the weeks (of the request), and the share in halves."""

    candidate: int
    first: int
    end: int
    halves: int


def _assignment(request: int, ask: Ask, way: _Way) -> Assignment:
    return Assignment(request, int(ask.workers[way.candidate]), way.halves, way.first, way.end)


class Board:
    """Room and projects per worker and week, kept up to date with the assignments on it."""

    def __init__(self, tables: Tables, plan: Plan) -> None:
        problem = tables.problem
        self.tables = tables
        self.delays = list(plan.delays)
        self.placed: list[tuple[Assignment, ...]] = [() for _ in problem.requests]
        self._split_cost = problem.terms.split_cost
        self.overtime_cost = problem.terms.overtime_cost
        self.held: list[set[int]] = [set() for _ in problem.workers]
        """The requests that each worker is on."""
        self.room = tables.limit.copy()
        self.regular = tables.regular.copy()
        most = np.array([each.max_projects for each in problem.workers], dtype=np.int16)
        others = [[len(week) for week in each.elsewhere] for each in problem.workers]
        taken = np.array(others, dtype=np.int16).reshape(self.room.shape)
        self.places = most[:, None] - taken
        """How many more projects a worker may be on."""
        self.present = np.zeros((len(problem.projects), *self.room.shape), dtype=np.int16)
        """On how many requests of a project a worker is."""
        self._enter_present()
        for assignment in plan.assignments:
            self._add(assignment)
            self.placed[assignment.request] += (assignment,)

    def _enter_present(self) -> None:
        """Marks the projects that workers are on already: another request takes no new place."""
        numbers = {each.key: at for at, each in enumerate(self.tables.problem.projects)}
        for worker, each in enumerate(self.tables.problem.workers):
            for week, keys in enumerate(each.elsewhere):
                for key in keys & numbers.keys():
                    self.present[numbers[key], worker, week] = 1

    def cost(self) -> float:
        """Returns the cost of the plan as the evaluator sees it."""
        return evaluate(self.tables.problem, self.plan()).cost

    def plan(self) -> Plan:
        """Returns the plan on the board."""
        return Plan(tuple(self.delays), tuple(sorted(each for row in self.placed for each in row)))

    def begin(self, request: int) -> int:
        """Returns the week in which a request begins."""
        ask = self.tables.asks[request]
        return ask.first + self.delays[ask.project]

    def remove(self, request: int) -> float:
        """Takes everybody off a request; returns the value that is lost."""
        lost = sum(self._take(assignment) for assignment in self.placed[request])
        self.placed[request] = ()
        return lost

    def place(self, request: int, assignments: tuple[Assignment, ...]) -> float:
        """Puts people on a request that nobody is on; returns the value that is won."""
        self.placed[request] = assignments
        return sum(self._add(assignment) for assignment in assignments)

    def _add(self, assignment: Assignment) -> float:
        ask, hours, weeks = self._span(assignment)
        worker = assignment.worker
        value = self._worth(assignment, ask, hours) - self._overtime(worker, weeks, hours)
        self.room[worker, weeks] -= hours
        self.regular[worker, weeks] -= hours
        there = self.present[ask.project, worker, weeks]
        works = hours > 0
        self.places[worker, weeks] -= works & (there == 0)
        there += works
        self.held[worker].add(assignment.request)
        return value

    def _take(self, assignment: Assignment) -> float:
        ask, hours, weeks = self._span(assignment)
        worker = assignment.worker
        self.room[worker, weeks] += hours
        self.regular[worker, weeks] += hours
        there = self.present[ask.project, worker, weeks]
        works = hours > 0
        there -= works
        self.places[worker, weeks] += works & (there == 0)
        self.held[worker].discard(assignment.request)
        return self._worth(assignment, ask, hours) - self._overtime(worker, weeks, hours)

    def _span(self, assignment: Assignment) -> tuple[Ask, Floats, slice]:
        """Returns the request, the hours that are given, and the weeks in which."""
        ask = self.tables.asks[assignment.request]
        begin = ask.first + self.delays[ask.project]
        rows = self.tables.gives(assignment.request, begin, assignment.halves)
        hours = rows[ask.position[assignment.worker], assignment.first : assignment.end]
        return ask, hours, slice(begin + assignment.first, begin + assignment.end)

    def _worth(self, assignment: Assignment, ask: Ask, hours: Floats) -> float:
        """Returns the value of an assignment before overtime."""
        partial = assignment.halves < WHOLE or len(hours) < ask.weeks
        split = self._split_cost if partial else 0.0
        penalty = ask.penalties[ask.position[assignment.worker]]
        return float(ask.weight * hours.sum() - penalty - split)

    def _overtime(self, worker: int, weeks: slice, hours: Floats) -> float:
        over = np.maximum(hours - np.maximum(self.regular[worker, weeks], 0.0), 0.0).sum()
        return float(over) * self.overtime_cost

    def best(
        self, request: int, allowed: Flags | None = None
    ) -> tuple[float, tuple[Assignment, ...]]:
        """Returns the most valuable way to meet a request with the room there is, and its value.

        The ways: one person whole; one or two people a half each; one person until some week, and
        another (or nobody) from then on. ``allowed`` leaves candidates out.
        """
        ask = self.tables.asks[request]
        if not len(ask.workers):
            return 0.0, ()
        view = _View(self, request, allowed)
        fits, weekly = view.weigh(WHOLE)
        totals = np.where(fits.all(axis=1), weekly.sum(axis=1) - ask.penalties, -np.inf)
        at = int(totals.argmax())
        value = float(totals[at])
        ways = [_Way(at, 0, ask.weeks, WHOLE)] if value > 0 else []
        value = max(value, 0.0)
        if value >= ask.ideal - self._split_cost:
            return value, tuple(_assignment(request, ask, way) for way in ways)
        for gain, parts in (self._halves(ask, view), self._in_turn(ask, fits, weekly)):
            if gain > value + NEARLY:
                value, ways = gain, parts
        return value, tuple(_assignment(request, ask, way) for way in ways)

    def _halves(self, ask: Ask, view: _View) -> tuple[float, list[_Way]]:
        fits, weekly = view.weigh(HALF)
        charge = ask.penalties + self._split_cost
        totals = np.where(fits.all(axis=1), weekly.sum(axis=1) - charge, -np.inf)
        order = np.argsort(-totals, kind="stable")[:2]
        chosen = [int(at) for at in order if totals[at] > 0]
        return float(sum(totals[at] for at in chosen)), [
            _Way(at, 0, ask.weeks, HALF) for at in chosen
        ]

    def _in_turn(self, ask: Ask, fits: Flags, weekly: Floats) -> tuple[float, list[_Way]]:
        """Weighs a hand-over: the best person up to each week, and the best from it on."""
        if ask.weeks < 2:
            return 0.0, []
        gains = np.where(fits, weekly, -np.inf)
        charge = (ask.penalties + self._split_cost)[:, None]
        before = np.cumsum(gains, axis=1)[:, :-1] - charge
        after = np.cumsum(gains[:, ::-1], axis=1)[:, ::-1][:, 1:] - charge
        first, second = before.max(axis=0), after.max(axis=0)
        totals = np.maximum(first, 0.0) + np.maximum(second, 0.0)
        at = int(totals.argmax())
        ways: list[_Way] = []
        if first[at] > 0:
            ways.append(_Way(int(before[:, at].argmax()), 0, at + 1, WHOLE))
        if second[at] > 0:
            ways.append(_Way(int(after[:, at].argmax()), at + 1, ask.weeks, WHOLE))
        return float(totals[at]), ways


class _View:
    """The room of a request's candidates in its weeks, looked up once for all ways to meet it."""

    def __init__(self, board: Board, request: int, allowed: Flags | None) -> None:
        ask = board.tables.asks[request]
        begin = board.begin(request)
        weeks = slice(begin, begin + ask.weeks)
        workers = ask.workers
        self._board, self._ask, self._request, self._begin = board, ask, request, begin
        self._room = board.room[:, weeks].take(workers, axis=0) + TOLERANCE
        self._regular = np.maximum(board.regular[:, weeks].take(workers, axis=0), 0.0)
        self._open = board.places[:, weeks].take(workers, axis=0) > 0
        self._open |= board.present[ask.project][:, weeks].take(workers, axis=0) > 0
        if allowed is not None:
            self._open &= allowed[:, None]

    def weigh(self, halves: int) -> tuple[Flags, Floats]:
        """Returns for candidates and weeks (c x t) whether a share fits, and what it is worth."""
        gives = self._board.tables.gives(self._request, self._begin, halves)
        fits = (gives <= self._room) & (self._open | (gives <= 0.0))
        over = np.maximum(gives - self._regular, 0.0)
        return fits, self._ask.weight * gives - self._board.overtime_cost * over
