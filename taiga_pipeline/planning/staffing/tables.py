"""The numbers of a staffing problem as arrays, for the solvers that search fast."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from taiga_pipeline.planning.staffing.problem import HALF, TOLERANCE, WHOLE, Assignment, Problem

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.intp]
    Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Ask:
    """A request as arrays: its candidates (c) and weeks (t), with what it needs in full weeks.
    ``ideals`` are the values of meeting all
    of it, by the weeks of delay; ``handover_cost`` is the charge for a part of the weeks;
    ``penalties`` are by candidate."""

    project: int
    first: int
    weeks: int
    weight: float
    ideals: tuple[float, ...]
    handover_cost: float
    need: Floats
    workers: Integers
    penalties: Floats
    position: dict[int, int]
    """Where each worker is among the candidates."""


SHARES: Final = np.array([[[HALF / WHOLE]], [[1.0]]])
"""Of a request that is taken, by `share_of`."""


class Span(NamedTuple):
    """What an assignment gives: hours, when (in its weeks), in which cells of flat arrays of
    workers x weeks, to which project, and what that is worth before overtime."""

    hours: Floats
    works: Flags
    cells: slice
    project: int
    value: float


class Offer:
    """What each candidate would give a request that begins in some week, for either share: arrays
    of shares (`share_of`) x candidates x weeks.

    ``gives`` are hours, ``meets`` those asked for that they meet, ``values`` what these are worth,
    and ``ideal`` what all that are asked for are. ``least`` are the regular hours (negative:
    overtime) that may be left after giving them. ``works`` (c x t) says when a candidate meets
    anything, ``missed`` (c) what all of the weeks without are worth. ``charges`` (2 x c) are what
    shares of all weeks cost, ``stretch_charges`` (c) those of some weeks. ``places`` (c x t) are
    positions in flat arrays of workers x weeks, ``starts`` (c) those of the first week.
    """

    def __init__(self, tables: Tables, request: int, begin: int) -> None:
        ask = tables.asks[request]
        weeks = slice(begin, begin + ask.weeks)
        need: Floats = np.array(tables.problem.asked(request, begin), dtype=float)
        self.ideal: float = ask.weight * float(need.sum())
        free, limit = tables.free[ask.workers, weeks], tables.limit[ask.workers, weeks]
        presence = SHARES * tables.presence[ask.workers, weeks]
        whole = presence * tables.parts[ask.workers, weeks] * ask.need
        self.gives: Floats = np.minimum(whole, free)
        self.meets: Floats = self.gives
        if tables.problem.has_holidays:
            part = np.divide(self.gives, whole, out=np.ones(whole.shape), where=whole > 0)
            self.meets = presence * need * part
        self.values: Floats = ask.weight * self.meets
        self.works: Flags = self.meets[0] > 0
        self.idle: Flags = ~self.works
        spare = limit - tables.regular[ask.workers, weeks]
        # Whoever gives nothing in a week fits in, even if they are overloaded then.
        self.least: Floats = np.where(self.gives > 0, -spare - TOLERANCE, -np.inf)
        self.less: Floats = -self.gives
        self._needed: Flags = need > 0
        away = self.idle & self._needed
        self.missed: Floats = (ask.weight * need * away).sum(axis=1)
        split = tables.problem.terms.split_cost
        self.charges: Floats = np.stack([ask.penalties + split, ask.penalties])
        self.stretch_charges: Floats = ask.penalties + ask.handover_cost
        self.starts: list[int] = (ask.workers * tables.problem.weeks + begin).tolist()
        self.places: Integers = np.array(self.starts)[:, None] + np.arange(ask.weeks)
        self._ask = ask
        self._away: dict[int, list[tuple[int, int]]] = {}
        self._spans: dict[tuple[int, int], Span] = {}

    def span(self, assignment: Assignment) -> Span:
        """Returns what an assignment gives. Those of all weeks come back often, and are kept."""
        if assignment.end - assignment.first < self._ask.weeks:
            return self._span(assignment)
        who = assignment.worker, assignment.halves
        found = self._spans.get(who)
        if found is None:
            found = self._spans[who] = self._span(assignment)
        return found

    def _span(self, assignment: Assignment) -> Span:
        ask, share = self._ask, share_of(assignment.halves)
        first, end, at = assignment.first, assignment.end, ask.position[assignment.worker]
        hours, start = self.gives[share, at, first:end], self.starts[at]
        is_part = end - first < ask.weeks
        charge = self.stretch_charges[at] if is_part else self.charges[share, at]
        value = float(ask.weight * self.meets[share, at, first:end].sum() - charge)
        cells = slice(start + first, start + end)
        return Span(hours, self.works[at, first:end], cells, ask.project, value)

    def away(self, candidate: int) -> list[tuple[int, int]]:
        """Returns the stretches in which a candidate (by position) gives nothing of what is asked
        for: first weeks, and the ones after the last."""
        found = self._away.get(candidate)
        if found is None:
            found = self._away[candidate] = _runs(self.idle[candidate] & self._needed)
        return found


def share_of(halves: int) -> int:
    """Returns where a share is in the arrays of an `Offer`."""
    return halves - HALF


class Tables:
    """A problem as arrays of workers (p) x weeks (w), and what candidates would give."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        shape = (len(problem.workers), problem.weeks)
        self.free: Floats = np.array(problem.free, dtype=float).reshape(shape)
        self.limit: Floats = np.array(problem.limit, dtype=float).reshape(shape)
        self.presence: Floats = np.array(problem.presence, dtype=float).reshape(shape)
        self.parts: Floats = np.array(problem.week_parts, dtype=float).reshape(shape)
        hours: Floats = np.array([each.hours for each in problem.workers]).reshape(shape)
        fixed: Floats = np.array([each.fixed for each in problem.workers]).reshape(shape)
        self.regular: Floats = hours - fixed
        """Hours until overtime begins; below 0 where present allocations are over already."""
        self.asks = [_ask(problem, number) for number in range(len(problem.requests))]
        self.barrier = 2.0 * max([1.0, *(max(ask.ideals) for ask in self.asks)])
        """More than any request is worth: the cost of a week in which a share does not fit."""
        self._offers: dict[tuple[int, int], Offer] = {}

    def offer(self, request: int, begin: int) -> Offer:
        """Returns what the candidates can offer a request that begins in a week."""
        found = self._offers.get((request, begin))
        if found is None:
            found = self._offers[request, begin] = Offer(self, request, begin)
        return found

    @cached_property
    def related(self) -> list[Integers]:
        """For each request those others that could compete with it: candidates in common, and
        weeks in common at some starts."""
        asks = self.asks
        able = np.zeros((len(asks), len(self.problem.workers)), dtype=np.float32)
        for number, ask in enumerate(asks):
            able[number, ask.workers] = 1.0
        near = (able @ able.T) > TOLERANCE
        slack = np.array([self.problem.projects[ask.project].max_delay for ask in asks])
        first = np.array([ask.first for ask in asks])
        last = first + slack + np.array([ask.weeks for ask in asks])
        near &= (first[None, :] < last[:, None]) & (last[None, :] > first[:, None])
        np.fill_diagonal(near, False)
        return [np.flatnonzero(row) for row in near]


def _ask(problem: Problem, number: int) -> Ask:
    request = problem.requests[number]
    project = problem.projects[request.project]
    weight, starts = project.weight, range(request.first, request.first + project.max_delay + 1)
    return Ask(
        project=request.project,
        first=request.first,
        weeks=len(request.need),
        weight=weight,
        need=np.array(request.need, dtype=float),
        ideals=tuple(weight * sum(problem.asked(number, begin)) for begin in starts),
        handover_cost=problem.terms.split_cost + problem.terms.handover_hours * weight,
        workers=np.array([each.worker for each in request.candidates], dtype=np.intp),
        penalties=np.array([each.penalty for each in request.candidates], dtype=float),
        position={each.worker: at for at, each in enumerate(request.candidates)},
    )


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
