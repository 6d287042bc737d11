"""A part of a plan made again by a constraint solver, the rest of the plan staying as it is.

For some requests at the starts they have, OR-Tools' CP-SAT chooses among: a candidate whole, one
or two candidates a half each, others standing in while the chosen one is away, and what is there
now. Hours are counted in hundredths, rounded so that no one gets more than there is room for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, floor
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from ortools.sat.python import cp_model

from taiga_pipeline.planning.staffing.board import Board, Way
from taiga_pipeline.planning.staffing.problem import HALF, TOLERANCE, WHOLE, Assignment
from taiga_pipeline.planning.staffing.tables import share_of

if TYPE_CHECKING:
    from taiga_pipeline.planning.staffing.tables import Ask

HUNDREDTHS: Final = 100
STAND_INS: Final = 4
"""How many people are considered for standing in for one person in one stretch."""


@dataclass(frozen=True, slots=True)
class Column:
    """Assignments that are chosen together, and their value before overtime. A stand-in (``main``)
    goes with another column (its position)."""

    assignments: tuple[Assignment, ...]
    value: float
    main: int | None = None
    is_present: bool = False

    @property
    def halves(self) -> int:
        """How much of the request it takes. What is there now is not added to."""
        return WHOLE if self.is_present else self.assignments[0].halves


def reoptimise(
    board: Board, requests: Sequence[int], deterministic_time: float, seed: int
) -> float:
    """Makes the plan of ``requests`` again, and returns by how much it got better (0: not at all).

    ``deterministic_time`` is CP-SAT's own measure of work, about a second on a usual machine.
    """
    model = _Model(board, requests)
    chosen = model.solve(deterministic_time, seed)
    if chosen is None:
        return 0.0
    board.note()
    before = [board.state_of(number) for number in requests]
    change = -sum(board.remove(number) for number in requests)
    for number in requests:
        change += board.place(number, Way(0.0, chosen.get(number, ())))
    if change > TOLERANCE:
        return change
    board.take_back(before)
    return 0.0


class _Model:
    def __init__(self, board: Board, requests: Sequence[int]) -> None:
        self._board = board
        self._model = cp_model.CpModel()
        self._columns: list[tuple[Column, Any]] = []
        self._uses: dict[tuple[int, int], list[tuple[Any, float]]] = defaultdict(list)
        self._joins: dict[tuple[int, int], list[Any]] = defaultdict(list)
        self._present: dict[int, tuple[Assignment, ...]] = {}
        for number in requests:
            self._present[number] = board.placed[number]
        # Rooms are read while the requests are off the board, which is put back right away.
        board.note()
        before = [board.state_of(number) for number in requests]
        for number in requests:
            board.remove(number)
        for number in requests:
            self._add_request(number)
        self._add_rooms()
        board.take_back(before)

    def _add_request(self, number: int) -> None:
        columns = list(_columns(self._board, number, self._present[number]))
        variables = [self._model.new_bool_var("") for _ in columns]
        halves = [
            (column.halves, variable)
            for column, variable in zip(columns, variables, strict=True)
            if column.main is None
        ]
        if halves:
            self._model.add(sum(count * variable for count, variable in halves) <= WHOLE)
        stretches: dict[tuple[int, int], list[Any]] = defaultdict(list)
        for column, variable in zip(columns, variables, strict=True):
            self._model.add_hint(variable, column.is_present)
            if column.main is not None:
                stretches[column.main, column.assignments[0].first].append(variable)
            self._columns.append((column, variable))
            for assignment in column.assignments:
                self._enter(assignment, variable)
        for (main, _), others in stretches.items():
            self._model.add(sum(others) <= variables[main])

    def _enter(self, assignment: Assignment, variable: Any) -> None:
        ask, span, weeks = self._board.span(assignment)
        rows = zip(span.hours.tolist(), span.works.tolist(), strict=True)
        for week, (gives, works) in enumerate(rows, weeks.start):
            if gives > 0:
                self._uses[assignment.worker, week].append((variable, gives))
            if works and not self._board.present[ask.project, assignment.worker, week]:
                self._joins[assignment.worker, week].append(variable)

    def _add_rooms(self) -> None:
        board, model = self._board, self._model
        limit, regular = board.tables.limit, board.tables.regular
        overtime = []
        for (worker, week), uses in self._uses.items():
            left = float(board.regular[worker, week])
            most = left + float(limit[worker, week] - regular[worker, week])
            load = sum(variable * ceil(gives * HUNDREDTHS - 1e-4) for variable, gives in uses)
            if sum(gives for _, gives in uses) <= left:
                continue
            over = model.new_int_var(0, 24 * 7 * HUNDREDTHS, "")
            model.add(load <= floor(most * HUNDREDTHS + 1e-4))
            model.add(load - over <= max(0, floor(left * HUNDREDTHS + 1e-4)))
            overtime.append(over)
        for (worker, week), joins in self._joins.items():
            places = max(int(board.places[worker, week]), 0)
            if len(joins) > places:
                model.add(sum(joins) <= places)
        value = sum(round(column.value * HUNDREDTHS) * var for column, var in self._columns)
        model.maximize(value - round(board.overtime_cost) * sum(overtime))

    def solve(
        self, deterministic_time: float, seed: int
    ) -> dict[int, tuple[Assignment, ...]] | None:
        """Returns who is on which request, None if no plan was found."""
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.random_seed = seed
        solver.parameters.max_deterministic_time = deterministic_time
        status = solver.solve(self._model)
        if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            return None
        chosen: dict[int, tuple[Assignment, ...]] = {}
        for column, variable in self._columns:
            if solver.boolean_value(variable):
                number = column.assignments[0].request
                chosen[number] = (*chosen.get(number, ()), *column.assignments)
        return chosen


def _columns(board: Board, number: int, present: tuple[Assignment, ...]) -> Iterator[Column]:
    """Yields what there is to choose from; the first is what is there now (if anything)."""
    ask = board.tables.asks[number]
    if not len(ask.workers):
        return
    position = 0
    if present:
        yield Column(present, sum(board.value_of(each) for each in present), is_present=True)
        position += 1
    wholes: list[tuple[int, int]] = []
    for halves in (WHOLE, HALF):
        able = board.able(number, halves)
        for at in np.flatnonzero(able.all(axis=1)).tolist():
            assignment = Assignment(number, int(ask.workers[at]), halves, 0, ask.weeks)
            value = board.value_of(assignment)
            if value <= 0:
                continue
            if halves == WHOLE:
                wholes.append((position, at))
            yield Column((assignment,), value)
            position += 1
    if wholes:
        yield from _stand_ins(board, ask, number, wholes)


def _stand_ins(
    board: Board, ask: Ask, number: int, wholes: list[tuple[int, int]]
) -> Iterator[Column]:
    able = board.able(number, WHOLE)
    meets = board.tables.offer(number, board.begin(number)).meets[share_of(WHOLE)]
    for main, row in wholes:
        for first, end in board.away(number, row):
            others = np.flatnonzero(able[:, first:end].all(axis=1)).tolist()
            others.sort(key=lambda at: (-meets[at, first:end].sum() + ask.penalties[at], at))
            for at in others[:STAND_INS]:
                assignment = Assignment(number, int(ask.workers[at]), WHOLE, first, end)
                value = board.value_of(assignment)
                if value > 0:
                    yield Column((assignment,), value, main)
