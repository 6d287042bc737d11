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
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from taiga_pipeline.planning.staffing.problem import (
    HALF,
    WHOLE,
    Assignment,
    Plan,
)
from taiga_pipeline.planning.staffing.tables import share_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from taiga_pipeline.planning.staffing.tables import Ask, Flags, Floats, Offer, Span, Tables

NEARLY: Final = 1e-3
"""A value by which the ideal may be missed and still count as reached."""
# Without the detours of arrays' own methods, which take longer than what they do for small arrays.
total, least, highest = np.add.reduce, np.minimum.reduce, np.maximum.reduce
running = np.add.accumulate


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


class State(NamedTuple):
    """What is placed for a request, and its value before overtime."""

    request: int
    assignments: tuple[Assignment, ...]
    spans: tuple[Span, ...]
    value: float


class Board:
    """Room and projects per worker and week, kept up to date with the assignments on it.

    ``value`` counts from an empty board: what its assignments take off the cost of no plan.
    """

    def __init__(self, tables: Tables, plan: Plan) -> None:
        problem = tables.problem
        self.tables = tables
        self.delays = list(plan.delays)
        self.placed: list[tuple[Assignment, ...]] = [() for _ in problem.requests]
        self.held: list[set[int]] = [set() for _ in problem.workers]
        """The requests that each worker is on."""
        self._spans: list[tuple[Span, ...]] = [() for _ in problem.requests]
        self._values = [0.0 for _ in problem.requests]
        """The value of what is placed, before overtime."""
        self._split_cost = problem.terms.split_cost
        self.overtime_cost = problem.terms.overtime_cost
        self.regular = tables.regular.copy()
        most = np.array([each.max_projects for each in problem.workers], dtype=np.int16)
        others = [[len(week) for week in each.elsewhere] for each in problem.workers]
        taken = np.array(others, dtype=np.int16).reshape(self.regular.shape)
        self.places: NDArray[np.int16] = most[:, None] - taken
        """How many more projects a worker may be on."""
        self._count = [[0] * len(problem.workers) for _ in problem.projects]
        """How many requests (or present allocations) of each project each worker is on."""
        self._people: list[set[int]] = [set() for _ in problem.projects]
        """Who is on each project."""
        self.present = np.zeros((len(problem.projects), *self.regular.shape), dtype=np.int16)
        """On how many requests of a project a worker is."""
        self._enter_present()
        # The same cells in one dimension, where they are found faster.
        self._regular = self.regular.reshape(-1)
        self._places = self.places.reshape(-1)
        self._present = list(self.present.reshape(len(problem.projects), -1))
        self._prices: Floats | None = None
        self._worth: dict[tuple[int, int], Floats] = {}
        self._before = self._regular.copy(), self._places.copy()
        self._joined: list[tuple[int, Span, int]] = []
        for number, assignments in _by_request(plan).items():
            self.place(number, Way(0.0, assignments))

    @property
    def prices(self) -> Floats | None:
        """What an hour of each worker costs in each week (p x w); None: nothing."""
        return self._prices

    @prices.setter
    def prices(self, prices: Floats | None) -> None:
        if prices is not self._prices:
            self._prices = prices
            self._worth.clear()

    def _enter_present(self) -> None:
        """Marks the projects that workers are on already: another request takes no new place."""
        numbers = {each.key: at for at, each in enumerate(self.tables.problem.projects)}
        for worker, each in enumerate(self.tables.problem.workers):
            for week, keys in enumerate(each.elsewhere):
                for key in keys & numbers.keys():
                    self.present[numbers[key], worker, week] = 1
                    self._join(numbers[key], worker, 1)

    def _join(self, project: int, worker: int, change: int) -> None:
        """Counts that a worker is on one request of a project more, or less."""
        count = self._count[project]
        count[worker] += change
        if count[worker]:
            self._people[project].add(worker)
        else:
            self._people[project].discard(worker)

    def plan(self) -> Plan:
        """Returns the plan on the board."""
        return Plan(tuple(self.delays), tuple(sorted(each for row in self.placed for each in row)))

    def begin(self, request: int) -> int:
        """Returns the week in which a request begins."""
        ask = self.tables.asks[request]
        return ask.first + self.delays[ask.project]

    def note(self) -> None:
        """Begins a change that `take_back` can undo."""
        regular, places = self._before
        regular[:] = self._regular
        places[:] = self._places
        self._joined.clear()

    def take_back(self, before: Iterable[State]) -> None:
        """Puts room and places back to what they were at the last `note`.

        ``before`` names the requests that were changed, with what `state_of` said of them then.
        Delays are the caller's.
        """
        self._regular[:], self._places[:] = self._before
        for worker, span, change in self._joined:
            there = self._present[span.project][span.cells]
            if change > 0:
                there -= span.works
            else:
                there += span.works
            self._join(span.project, worker, -change)
        before = list(before)
        for request, *_ in before:
            for each in self.placed[request]:
                self.held[each.worker].discard(request)
        for request, assignments, spans, value in before:
            self.placed[request], self._spans[request] = assignments, spans
            self._values[request] = value
            for each in assignments:
                self.held[each.worker].add(request)

    def state_of(self, request: int) -> State:
        """Returns what `take_back` has to know of a request."""
        return State(request, self.placed[request], self._spans[request], self._values[request])

    def remove(self, request: int) -> float:
        """Takes everyone off a request; returns the value that is lost."""
        saved = 0.0
        for assignment, span in zip(self.placed[request], self._spans[request], strict=True):
            saved += self._take(assignment, span)
        lost = self._values[request] - saved
        self.placed[request], self._spans[request], self._values[request] = (), (), 0.0
        return lost

    def place(self, request: int, way: Way) -> float:
        """Puts people on a request without people; returns the value that is won."""
        spans = tuple(self._span(assignment) for assignment in way.assignments)
        self.placed[request], self._spans[request] = way.assignments, spans
        value = over = 0.0
        for assignment, span in zip(way.assignments, spans, strict=True):
            value += span.value
            over += self._add(assignment, span)
        self._values[request] = value
        return value - over

    def _add(self, assignment: Assignment, span: Span) -> float:
        """Enters hours and a place; returns the cost of overtime that this adds."""
        regular = self._regular[span.cells]
        regular -= span.hours
        self._places[span.cells] -= self._joins(assignment, span)
        there = self._present[span.project][span.cells]
        there += span.works
        self._joined.append((assignment.worker, span, 1))
        self._join(span.project, assignment.worker, 1)
        self.held[assignment.worker].add(assignment.request)
        return self._overtime(regular, span.hours)

    def _take(self, assignment: Assignment, span: Span) -> float:
        """Takes hours and a place back; returns the cost of overtime that this saves."""
        regular = self._regular[span.cells]
        saved = self._overtime(regular, span.hours)
        regular += span.hours
        there = self._present[span.project][span.cells]
        there -= span.works
        self._joined.append((assignment.worker, span, -1))
        self._join(span.project, assignment.worker, -1)
        self._places[span.cells] += self._joins(assignment, span)
        self.held[assignment.worker].discard(assignment.request)
        return saved

    def _joins(self, assignment: Assignment, span: Span) -> Flags:
        """Returns in which weeks of an assignment nothing else has the worker on its project."""
        if not self._count[span.project][assignment.worker]:
            return span.works
        joins: Flags = self._present[span.project][span.cells] == 0
        joins &= span.works
        return joins

    def _overtime(self, regular: Floats, hours: Floats) -> float:
        """Returns what of ``hours`` is overtime (as a cost) once they are taken off ``regular``."""
        if least(regular) >= 0:
            return 0.0
        return float(total(np.minimum(hours, np.maximum(-regular, 0.0)))) * self.overtime_cost

    def _span(self, assignment: Assignment) -> Span:
        ask = self.tables.asks[assignment.request]
        offer = self.tables.offer(assignment.request, ask.first + self.delays[ask.project])
        return offer.span(assignment)

    def span(self, assignment: Assignment) -> tuple[Ask, Span, slice]:
        """Returns the request, what is given, and the weeks in which."""
        begin = self.begin(assignment.request)
        weeks = slice(begin + assignment.first, begin + assignment.end)
        return self.tables.asks[assignment.request], self._span(assignment), weeks

    def value_of(self, assignment: Assignment) -> float:
        """Returns the value of an assignment before overtime."""
        return self._span(assignment).value

    def able(self, request: int, halves: int) -> Flags:
        """Returns in which weeks each candidate (c x t) has room for a share of a request."""
        offer = self.tables.offer(request, self.begin(request))
        share = share_of(halves)
        fits: Flags = self._regular.take(offer.places) - offer.gives[share] >= offer.least[share]
        closed = self._closed(request, offer)
        return fits if closed is None else fits & ~closed

    def away(self, request: int, candidate: int) -> list[tuple[int, int]]:
        """Returns the stretches of a request in which a candidate (by position) gives nothing."""
        return self.tables.offer(request, self.begin(request)).away(candidate)

    def best(self, request: int, allowed: Flags | None = None) -> Way:
        """Returns the most valuable way to meet a request with the room there is.

        The ways: one person whole; the same with others who stand in while that person is away; one
        or two people a half each; one person until some week, and another (or nobody) from then
        on. ``allowed`` leaves candidates out.
        """
        ask = self.tables.asks[request]
        if not len(ask.workers):
            return NO_WAY
        begin = ask.first + self.delays[ask.project]
        offer = self.tables.offer(request, begin)
        worth = self._weigh(request, begin, offer, allowed)
        totals = total(worth, axis=2) - offer.charges
        halves, whole = totals
        at = int(whole.argmax())
        value, parts = float(whole[at]), [_Part(at, 0, ask.weeks, WHOLE)]
        if value <= 0:
            value, parts = 0.0, []
        found: list[tuple[float, list[_Part]]] = []
        if value < offer.ideal - 2 * self._split_cost:
            found.append(self._halves(ask, halves))
            if value < offer.ideal - ask.handover_cost:
                # What the best of each week would be worth, were it not for hand-overs.
                best = highest(worth[share_of(WHOLE)], axis=0, initial=0.0)
                if float(total(best)) - ask.handover_cost > max(value, found[0][0]):
                    sums = running(worth[share_of(WHOLE)], axis=1)
                    found.append(self._in_turn(ask, offer, sums))
                    found.append(self._covered(ask, offer, sums, whole))
        for gain, others in found:
            if gain > value + NEARLY:
                value, parts = gain, others
        return Way(value, tuple(_assignment(request, ask, part) for part in parts))

    def _weigh(self, request: int, begin: int, offer: Offer, allowed: Flags | None) -> Floats:
        """Returns what each share is worth by candidate and week with the room there is, less the
        prices of its hours; far below 0 where it does not fit."""
        left = self._regular.take(offer.places) - offer.gives
        too_much = left < offer.least
        closed = self._closed(request, offer)
        if closed is not None:
            too_much |= closed
        if allowed is not None:
            too_much[:, ~allowed] = True
        np.minimum(left, 0.0, out=left)
        np.maximum(left, offer.less, out=left)
        left *= self.overtime_cost
        left += offer.values if self._prices is None else self._net(request, begin, offer)
        np.copyto(left, -self.tables.barrier, where=too_much)
        return left

    def _net(self, request: int, begin: int, offer: Offer) -> Floats:
        """Returns what hours are worth less their prices."""
        found = self._worth.get((request, begin))
        if found is None:
            assert self._prices is not None
            found = offer.values - self._prices.take(offer.places) * offer.gives
            self._worth[request, begin] = found
        return found

    def _closed(self, request: int, offer: Offer) -> Flags | None:
        """Returns when candidates (c x t) have no place for another project."""
        places = self._places.take(offer.places)
        if least(places, axis=None) > 0:
            return None
        closed: Flags = places <= 0
        closed &= offer.works
        project = self.tables.asks[request].project
        if not self._people[project].isdisjoint(self.tables.asks[request].position):
            closed &= self._present[project].take(offer.places) == 0
        return closed

    def _halves(self, ask: Ask, totals: Floats) -> tuple[float, list[_Part]]:
        value, parts = 0.0, []
        for _ in range(WHOLE):
            at = int(totals.argmax())
            gain = float(totals[at])
            if gain <= 0:
                break
            value += gain
            parts.append(_Part(at, 0, ask.weeks, HALF))
            totals[at] = -np.inf
        return value, parts

    def _in_turn(self, ask: Ask, offer: Offer, sums: Floats) -> tuple[float, list[_Part]]:
        """Weighs a hand-over: the best person up to each week, and the best from it on."""
        if ask.weeks < 2:
            return 0.0, []
        charge = offer.stretch_charges
        until = sums[:, :-1]
        before = until - charge[:, None]
        after = (sums[:, -1] - charge)[:, None] - until
        first = highest(before, axis=0, initial=0.0)
        second = highest(after, axis=0, initial=0.0)
        totals = first + second
        at = int(totals.argmax())
        parts: list[_Part] = []
        if first[at] > 0:
            parts.append(_Part(int(before[:, at].argmax()), 0, at + 1, WHOLE))
        if second[at] > 0:
            parts.append(_Part(int(after[:, at].argmax()), at + 1, ask.weeks, WHOLE))
        return float(totals[at]), parts

    def _covered(
        self, ask: Ask, offer: Offer, sums: Floats, totals: Floats
    ) -> tuple[float, list[_Part]]:
        """Weighs one person for the whole, and others who stand in while that person is away."""
        at = int((totals + offer.missed).argmax())
        value, parts = float(totals[at]), [_Part(at, 0, ask.weeks, WHOLE)]
        if value <= 0:
            return 0.0, []
        for first, end in offer.away(at):
            gains = sums[:, end - 1] - offer.stretch_charges
            if first:
                gains -= sums[:, first - 1]
            other = int(gains.argmax())
            gain = float(gains[other])
            if gain > 0:
                value += gain
                parts.append(_Part(other, first, end, WHOLE))
        return value, parts


def _by_request(plan: Plan) -> dict[int, tuple[Assignment, ...]]:
    found: dict[int, tuple[Assignment, ...]] = {}
    for assignment in plan.assignments:
        found[assignment.request] = (*found.get(assignment.request, ()), assignment)
    return found
