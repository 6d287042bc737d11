"""The numbers of a staffing problem as arrays, for the solvers that search fast."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from taiga_pipeline.planning.staffing.problem import TOLERANCE, WHOLE, Problem

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.intp]
    Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Ask:
    """A request as arrays: its candidates (c) and weeks (t). ``ideal`` is the value of meeting
    all of it, ``handover_cost`` the charge for a part of the weeks; ``penalties`` are by
    candidate."""

    project: int
    first: int
    weeks: int
    weight: float
    ideal: float
    handover_cost: float
    need: Floats
    workers: Integers
    penalties: Floats
    position: dict[int, int]
    """Where each worker is among the candidates."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What each candidate would give in each week (c x t): hours, what they are worth, and the
    ``least`` regular hours (negative: overtime) that may be left after giving them. ``away`` says
    when a candidate gives nothing, ``missed`` what all of that is worth (by candidate)."""

    gives: Floats
    least: Floats
    values: Floats
    away: Flags
    missed: Floats


class Tables:
    """A problem as arrays of workers (p) x weeks (w), and what candidates would give."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        shape = (len(problem.workers), problem.weeks)
        self.free: Floats = np.array(problem.free, dtype=float).reshape(shape)
        self.limit: Floats = np.array(problem.limit, dtype=float).reshape(shape)
        self.presence: Floats = np.array(problem.presence, dtype=float).reshape(shape)
        hours: Floats = np.array([each.hours for each in problem.workers]).reshape(shape)
        fixed: Floats = np.array([each.fixed for each in problem.workers]).reshape(shape)
        self.regular: Floats = hours - fixed
        """Hours until overtime begins; below 0 where present allocations are over already."""
        self.asks = [_ask(problem, number) for number in range(len(problem.requests))]
        self._offers: dict[tuple[int, int, int], Offer] = {}

    def offer(self, request: int, begin: int, halves: int) -> Offer:
        """Returns what the candidates can offer a request that begins in a week."""
        found = self._offers.get((request, begin, halves))
        if found is None:
            found = self._offers[request, begin, halves] = self._offer(request, begin, halves)
        return found

    def _offer(self, request: int, begin: int, halves: int) -> Offer:
        ask = self.asks[request]
        weeks = slice(begin, begin + ask.weeks)
        share = ask.need * (halves / WHOLE)
        gives = np.minimum(share * self.presence[ask.workers, weeks], self.free[ask.workers, weeks])
        spare = self.limit[ask.workers, weeks] - self.regular[ask.workers, weeks]
        # Whoever gives nothing in a week fits in, even if they are overloaded then.
        least = np.where(gives > 0, -spare - TOLERANCE, -np.inf)
        away: Flags = (gives <= 0) & (ask.need > 0)
        missed = (ask.weight * ask.need * away).sum(axis=1)
        return Offer(gives, least, ask.weight * gives, away, missed)

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
    need: Floats = np.array(request.need, dtype=float)
    weight = problem.projects[request.project].weight
    return Ask(
        project=request.project,
        first=request.first,
        weeks=len(request.need),
        weight=weight,
        ideal=weight * float(need.sum()),
        handover_cost=problem.terms.split_cost + problem.terms.handover_hours * weight,
        need=need,
        workers=np.array([each.worker for each in request.candidates], dtype=np.intp),
        penalties=np.array([each.penalty for each in request.candidates], dtype=float),
        position={each.worker: at for at, each in enumerate(request.candidates)},
    )
