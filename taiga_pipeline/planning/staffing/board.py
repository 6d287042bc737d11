"""A plan that is being changed: who has room when, the best way to meet a request, and its value.

The *value* of an assignment is what it takes off the cost of the plan: weight x hours given, less
overtime, penalty and the charge for a split. `staffing.evaluate` judges the result independently.

Hours may have *prices*: what others could make of them. Ways to meet a request are compared less
these, so that people whom many need are left to those who need them most. All other values are
without prices.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from taiga_pipeline.planning.staffing.problem import (
    HALF,
    WHOLE,
    Assignment,
    Plan,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from taiga_pipeline.planning.staffing.tables import Ask, Flags, Floats, Offer, Tables

NEARLY: Final = 1e-3
"""A value by which the ideal may be missed and still count as reached."""


class _Part(NamedTuple):
    """A candidate (by position), the weeks (of the request), and the share in halves."""

    candidate: int
    first: int
    end: int
    halves: int


def _assignment(request: int, ask: Ask, part: _Part) -> Assignment:
    return Assignment(request, int(ask.workers[part.candidate]), part.halves, part.first, part.end)


@dataclass(frozen=True, slots=True)
class Way:
    """How a request can be met, and the value of that with the room there is, less the prices of
    its hours."""

    value: float
    assignments: tuple[Assignment, ...]


NO_WAY: Final = Way(0.0, ())


class Board:
    """Room and projects per worker and week, kept up to date with the assignments on it.

    ``value`` counts from an empty board: what its assignments take off the cost of no plan.
    """

    def __init__(self, tables: Tables, plan: Plan) -> None:
        problem = tables.problem
        self.tables = tables
        self.prices: Floats | None = None
        """What an hour of each worker costs in each week (p x w); None: nothing."""
        self.delays = list(plan.delays)
        self.placed: list[tuple[Assignment, ...]] = [() for _ in problem.requests]
        self.held: list[set[int]] = [set() for _ in problem.workers]
        """The requests that each worker is on."""
        self._values = [0.0 for _ in problem.requests]
        """The value of what is placed, before overtime."""
        self._split_cost = problem.terms.split_cost
        self.overtime_cost = problem.terms.overtime_cost
        self.regular = tables.regular.copy()
        most = np.array([each.max_projects for each in problem.workers], dtype=np.int16)
        others = [[len(week) for week in each.elsewhere] for each in problem.workers]
        taken = np.array(others, dtype=np.int16).reshape(self.regular.shape)
        self.places = most[:, None] - taken
        """How many more projects a worker may be on."""
        self.present = np.zeros((len(problem.projects), *self.regular.shape), dtype=np.int16)
        """On how many requests of a project a worker is."""
        self._enter_present()
        self._undo: list[tuple[NDArray[Any], NDArray[Any]]] = []
        for number, assignments in _by_request(plan).items():
            self.place(number, Way(0.0, assignments))

    def _enter_present(self) -> None:
        """Marks the projects that workers are on already: another request takes no new place."""
        numbers = {each.key: at for at, each in enumerate(self.tables.problem.projects)}
        for worker, each in enumerate(self.tables.problem.workers):
            for week, keys in enumerate(each.elsewhere):
                for key in keys & numbers.keys():
                    self.present[numbers[key], worker, week] = 1

    def plan(self) -> Plan:
        """Returns the plan on the board."""
        return Plan(tuple(self.delays), tuple(sorted(each for row in self.placed for each in row)))

    def begin(self, request: int) -> int:
        """Returns the week in which a request begins."""
        ask = self.tables.asks[request]
        return ask.first + self.delays[ask.project]

    def note(self) -> None:
        """Begins a change that `take_back` can undo."""
        self._undo.clear()

    def take_back(self, before: Iterable[tuple[int, tuple[Assignment, ...], float]]) -> None:
        """Puts room and places back to what they were at the last `note`.

        ``before`` names the requests that were changed, with what `state_of` said of them then.
        Delays are the caller's.
        """
        for cells, values in reversed(self._undo):
            cells[:] = values
        before = list(before)
        for request, *_ in before:
            for each in self.placed[request]:
                self.held[each.worker].discard(request)
        for request, assignments, value in before:
            self.placed[request], self._values[request] = assignments, value
            for each in assignments:
                self.held[each.worker].add(request)

    def state_of(self, request: int) -> tuple[int, tuple[Assignment, ...], float]:
        """Returns what `take_back` has to know of a request."""
        return request, self.placed[request], self._values[request]

    def remove(self, request: int) -> float:
        """Takes everyone off a request; returns the value that is lost."""
        saved = sum(self._take(assignment) for assignment in self.placed[request])
        lost = self._values[request] - saved
        self.placed[request], self._values[request] = (), 0.0
        return lost

    def place(self, request: int, way: Way) -> float:
        """Puts people on a request without people; returns the value that is won."""
        self.placed[request] = way.assignments
        value = over = 0.0
        for assignment in way.assignments:
            ask, hours, weeks = self.span(assignment)
            value += self.value_of(assignment)
            over += self._add(assignment, ask, hours, weeks)
        self._values[request] = value
        return value - over

    def _add(self, assignment: Assignment, ask: Ask, hours: Floats, weeks: slice) -> float:
        """Enters hours and a place; returns the cost of overtime that this adds."""
        worker = assignment.worker
        regular, there, places = self._cells(worker, ask.project, weeks)
        regular -= hours
        works = hours > 0
        places -= works & (there == 0) if there.any() else works
        there += works
        self.held[worker].add(assignment.request)
        return self._overtime(regular, hours)

    def _take(self, assignment: Assignment) -> float:
        """Takes hours and a place back; returns the cost of overtime that this saves."""
        ask, hours, weeks = self.span(assignment)
        regular, there, places = self._cells(assignment.worker, ask.project, weeks)
        saved = self._overtime(regular, hours)
        regular += hours
        works = hours > 0
        there -= works
        places += works & (there == 0) if there.any() else works
        self.held[assignment.worker].discard(assignment.request)
        return saved

    def _cells(self, worker: int, project: int, weeks: slice) -> list[NDArray[Any]]:
        """Returns the cells that an assignment changes, and notes what is in them."""
        cells: list[NDArray[Any]] = [
            self.regular[worker, weeks],
            self.present[project, worker, weeks],
            self.places[worker, weeks],
        ]
        self._undo.extend([(each, each.copy()) for each in cells])
        return cells

    def _overtime(self, regular: Floats, hours: Floats) -> float:
        """Returns what of ``hours`` is overtime (as a cost) once they are taken off ``regular``."""
        if regular.min() >= 0:
            return 0.0
        return float(np.minimum(hours, np.maximum(-regular, 0.0)).sum()) * self.overtime_cost

    def span(self, assignment: Assignment) -> tuple[Ask, Floats, slice]:
        """Returns the request, the hours that are given, and the weeks in which."""
        ask = self.tables.asks[assignment.request]
        begin = ask.first + self.delays[ask.project]
        gives = self.tables.offer(assignment.request, begin, assignment.halves).gives
        hours = gives[ask.position[assignment.worker], assignment.first : assignment.end]
        return ask, hours, slice(begin + assignment.first, begin + assignment.end)

    def value_of(self, assignment: Assignment) -> float:
        """Returns the value of an assignment before overtime."""
        ask, hours, _ = self.span(assignment)
        split = 0.0
        if len(hours) < ask.weeks:
            split = ask.handover_cost
        elif assignment.halves < WHOLE:
            split = self._split_cost
        penalty = ask.penalties[ask.position[assignment.worker]]
        return float(ask.weight * hours.sum() - penalty - split)

    def able(self, request: int, halves: int) -> Flags:
        """Returns in which weeks each candidate (c x t) has room for a share of a request."""
        return _View(self, request, None).weigh(halves)[0]

    def away(self, request: int, candidate: int) -> list[tuple[int, int]]:
        """Returns the stretches of a request in which a candidate (by position) gives nothing."""
        return _runs(self.tables.offer(request, self.begin(request), WHOLE).away[candidate])

    def best(self, request: int, allowed: Flags | None = None) -> Way:
        """Returns the most valuable way to meet a request with the room there is.

        The ways: one person whole; the same with others who stand in while that person is away; one
        or two people a half each; one person until some week, and another (or nobody) from then
        on. ``allowed`` leaves candidates out.
        """
        ask = self.tables.asks[request]
        if not len(ask.workers):
            return NO_WAY
        view = _View(self, request, allowed)
        fits, weekly = view.weigh(WHOLE)
        totals = np.where(fits.all(axis=1), weekly.sum(axis=1) - ask.penalties, -np.inf)
        at = int(totals.argmax())
        value, parts = float(totals[at]), [_Part(at, 0, ask.weeks, WHOLE)]
        if value <= 0:
            value, parts = 0.0, []
        found: list[tuple[float, list[_Part]]] = []
        if value < ask.ideal - 2 * self._split_cost:
            found.append(self._halves(ask, view))
            if value < ask.ideal - ask.handover_cost:
                found.append(self._in_turn(ask, fits, weekly))
                found.append(self._covered(ask, view.offer(WHOLE), fits, weekly, totals))
        for gain, others in found:
            if gain > value + NEARLY:
                value, parts = gain, others
        return Way(value, tuple(_assignment(request, ask, part) for part in parts))

    def _halves(self, ask: Ask, view: _View) -> tuple[float, list[_Part]]:
        fits, weekly = view.weigh(HALF)
        charge = ask.penalties + self._split_cost
        totals = np.where(fits.all(axis=1), weekly.sum(axis=1) - charge, -np.inf)
        first = int(totals.argmax())
        gains = [(float(totals[first]), first)]
        totals[first] = -np.inf
        second = int(totals.argmax())
        gains.append((float(totals[second]), second))
        chosen = [(gain, at) for gain, at in gains if gain > 0]
        parts = [_Part(at, 0, ask.weeks, HALF) for _, at in chosen]
        return sum(gain for gain, _ in chosen), parts

    def _in_turn(self, ask: Ask, fits: Flags, weekly: Floats) -> tuple[float, list[_Part]]:
        """Weighs a hand-over: the best person up to each week, and the best from it on."""
        if ask.weeks < 2:
            return 0.0, []
        gains = np.where(fits, weekly, -np.inf)
        charge = (ask.penalties + ask.handover_cost)[:, None]
        before = gains.cumsum(axis=1)[:, :-1] - charge
        after = gains[:, ::-1].cumsum(axis=1)[:, ::-1][:, 1:] - charge
        first = np.maximum(before.max(axis=0), 0.0)
        second = np.maximum(after.max(axis=0), 0.0)
        totals = first + second
        at = int(totals.argmax())
        parts: list[_Part] = []
        if first[at] > 0:
            parts.append(_Part(int(before[:, at].argmax()), 0, at + 1, WHOLE))
        if second[at] > 0:
            parts.append(_Part(int(after[:, at].argmax()), at + 1, ask.weeks, WHOLE))
        return float(totals[at]), parts

    def _covered(
        self, ask: Ask, offer: Offer, fits: Flags, weekly: Floats, totals: Floats
    ) -> tuple[float, list[_Part]]:
        """Weighs one person for the whole, and others who stand in while that person is away."""
        at = int((totals + offer.missed).argmax())
        value, parts = float(totals[at]), [_Part(at, 0, ask.weeks, WHOLE)]
        if value <= 0:
            return 0.0, []
        for first, end in _runs(offer.away[at]):
            able = fits[:, first:end].all(axis=1)
            gains = np.where(able, weekly[:, first:end].sum(axis=1) - ask.penalties, -np.inf)
            other = int(gains.argmax())
            gain = float(gains[other]) - ask.handover_cost
            if gain > 0:
                value += gain
                parts.append(_Part(other, first, end, WHOLE))
        return value, parts


def _runs(flags: Flags) -> list[tuple[int, int]]:
    """Returns the stretches of weeks that are flagged: first, and the one after the last."""
    found: list[tuple[int, int]] = []
    first = None
    for week, flag in enumerate([*flags.tolist(), False]):
        if flag and first is None:
            first = week
        elif not flag and first is not None:
            found.append((first, week))
            first = None
    return found


def _by_request(plan: Plan) -> dict[int, tuple[Assignment, ...]]:
    found: dict[int, tuple[Assignment, ...]] = {}
    for assignment in plan.assignments:
        found[assignment.request] = (*found.get(assignment.request, ()), assignment)
    return found


class _View:
    """The room of a request's candidates in its weeks, looked up once for all ways to meet it."""

    def __init__(self, board: Board, request: int, allowed: Flags | None) -> None:
        ask = board.tables.asks[request]
        begin = board.begin(request)
        weeks = slice(begin, begin + ask.weeks)
        self._board, self._request, self._begin = board, request, begin
        self._regular = board.regular[:, weeks].take(ask.workers, axis=0)
        self._closed: Flags | None = None
        places = board.places[:, weeks].take(ask.workers, axis=0)
        if places.min() <= 0:
            present = board.present[ask.project][:, weeks].take(ask.workers, axis=0)
            self._closed = (places <= 0) & (present == 0)
        self._barred = None if allowed is None or allowed.all() else ~allowed
        self._prices: Floats | None = None
        if board.prices is not None:
            self._prices = board.prices[:, weeks].take(ask.workers, axis=0)

    def offer(self, halves: int) -> Offer:
        """Returns what the candidates would give of a share."""
        return self._board.tables.offer(self._request, self._begin, halves)

    def weigh(self, halves: int) -> tuple[Flags, Floats]:
        """Returns for candidates and weeks (c x t) whether a share fits, and what it is worth
        less the prices of its hours."""
        offer = self.offer(halves)
        left = self._regular - offer.gives
        fits: Flags = left >= offer.least
        if self._closed is not None:
            fits &= ~self._closed | (offer.gives <= 0.0)
        if self._barred is not None:
            fits[self._barred] = False
        np.minimum(left, 0.0, out=left)
        np.maximum(left, -offer.gives, out=left)
        left *= self._board.overtime_cost
        left += offer.values
        if self._prices is not None:
            left -= self._prices * offer.gives
        return fits, left
