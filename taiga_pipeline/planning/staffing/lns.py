"""Large neighbourhood search: take some people off their requests, place them again, keep what is
better (or, while the search is young, a little worse).

After Schrimpf et al., "Record breaking optimization results using the ruin and recreate
principle" (2000), and Christiaens and Vanden Berghe, "Slack induction by string removals" (2020):
what is removed belongs together (the same people in the same weeks), requests are placed one by
one in changing orders, each in the best way that there is, and some candidates are overlooked on
purpose. Where hours have prices (see `bound`), the best way is the one that leaves most to others.

The search is measured in *work*, not in seconds: the same problem, seed and amount of work give
the same plan on any machine. A clock only guards against machines that are too slow for it.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from taiga_pipeline.planning.staffing.board import NEARLY, Board, Way
from taiga_pipeline.planning.staffing.problem import Assignment, Plan

if TYPE_CHECKING:
    from taiga_pipeline.planning.staffing.tables import Flags, Floats, Integers, Tables

WORK_BASE: Final = 1_000
"""The work of placing a request that has no candidates; each candidate-week adds one."""
OVERLOOKED: Final = 0.02
"""The chance that a candidate is not considered when a request is placed."""
HOT: Final = 0.2
COLD: Final = 0.002
"""Temperatures at the beginning and the end, as parts of the median cost of a request unmet."""
PRICED: Final = 0.9
"""The part of the search in which hours are charged for. Then what is left has no other use."""
PART_OF_PRICES: Final = 0.9
"""Which part of a price is charged: prices are those of plans in which all hours are of use."""
WIDE: Final = 0.4
"""The part of the search in which neighbourhoods may be of any size."""
FEW: Final = 8
"""Requests from which on no one else is added to a neighbourhood after that. Changes to more of
them are hardly ever taken then, and were half of the work."""
CHECK_CLOCK: Final = 64
DRAWN_AT_ONCE: Final = 100_000
SOLVER_REQUESTS: Final = 30
"""How many requests another solver is given at once."""

Solve = Callable[[Board, Sequence[int], int], float]
"""Makes the plan of some requests on a board again (the last number is that of the round); returns
by how much it got better."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How long to search. ``work`` decides, unless the time runs out before: ``elapsed`` is asked
    now and then for the part of it that is used, 0 to 1."""

    work: int
    elapsed: Callable[[], float] = lambda: 0.0


@dataclass(frozen=True, slots=True)
class Found:
    """The best plan found. ``in_time`` is False when the clock ended the search, so that another
    run may end elsewhere; ``rounds`` counts what was tried."""

    plan: Plan
    rounds: int
    in_time: bool


class Search:
    """A search that begins with a plan. ``prices`` are of hours by worker and week (p x w)."""

    def __init__(self, tables: Tables, plan: Plan, seed: int, prices: Floats | None = None) -> None:
        self._prices = None if prices is None else prices * PART_OF_PRICES
        self._tables = tables
        self._asks = tables.asks
        self._problem = tables.problem
        self._board = Board(tables, plan)
        self._related = tables.related
        self._random = random.Random(seed)  # noqa: S311 - not for secrets
        self._numbers = np.random.default_rng(seed)
        self._seen: Flags = np.zeros(0, dtype=bool)
        self._overlooked = [0]
        self._next = self._drawn = 0
        self._work = 0
        self._enough = len(self._asks)
        self._movable = [bool(each.max_delay) for each in self._problem.projects]
        self._ideals = [0.0 for _ in self._asks]
        """What it would be worth to meet all of a request, begun as it is now."""
        for project, delay in enumerate(plan.delays):
            self._begin(project, delay)
        self._scale = float(np.median(self._ideals or [0.0]))
        self._gains = [self._value_of(number) for number in range(len(self._asks))]

    def _value_of(self, request: int) -> float:
        """Returns what a request's people are worth by taking them off for a moment."""
        there = self._board.placed[request]
        value = self._board.remove(request)
        self._board.place(request, Way(value, there))
        return value

    def run(self, effort: Effort) -> Found:
        """Searches until the work is done; returns a plan at least as good as the first."""
        lead = best_lead = 0.0
        rounds, in_time, best = 0, True, self._snapshot()
        hurry = 0.0
        while self._work < effort.work and self._asks and hurry < 1:
            done = self._work / effort.work
            if rounds % CHECK_CLOCK == 0:
                # Where time is short, the second half of it is used to come to an end in good
                # order: a search that stops while it is hot has a poor plan.
                hurry = 2 * effort.elapsed() - 1
                in_time = in_time and hurry <= done
            rounds += 1
            self._board.prices = self._prices if max(done, hurry) < PRICED else None
            self._enough = len(self._asks) if max(done, hurry) < WIDE else FEW
            heat = self._scale * HOT * (COLD / HOT) ** max(done, hurry)
            allowed = heat * math.log(1.0 - self._random.random())  # at most 0
            lead += self._round(allowed)
            if lead > best_lead + NEARLY:
                best, best_lead = self._snapshot(), lead
        self._board.prices = None
        delays, placed = best
        assignments = tuple(sorted(each for row in placed for each in row))
        return Found(Plan(tuple(delays), assignments), rounds, in_time)

    def polish(self, effort: Effort, solve: Solve) -> Found:
        """Makes as many neighbourhoods again as the work says, by another solver."""
        rounds = 0
        while rounds < effort.work and self._asks:
            if effort.elapsed() >= 1:
                return Found(self._board.plan(), rounds, False)
            chosen = self._neighbourhood()
            if solve(self._board, chosen, rounds) > 0:
                for number in chosen:
                    self._gains[number] = self._value_of(number)
            rounds += 1
        return Found(self._board.plan(), rounds, True)

    def _neighbourhood(self) -> list[int]:
        seed = self._pick_seed()
        chosen: dict[int, None] = {}
        for _ in range(SOLVER_REQUESTS):
            chosen.update(dict.fromkeys(self._requests_around(seed, whole_project=False)))
            if len(chosen) >= SOLVER_REQUESTS:
                break
        return list(chosen)[:SOLVER_REQUESTS]

    def _snapshot(self) -> tuple[list[int], list[tuple[Assignment, ...]]]:
        return self._board.delays.copy(), self._board.placed.copy()

    def _round(self, allowed: float) -> float:
        """Changes the plan; takes it back if it got worse by more than ``allowed`` (negative).
        Returns by how much the plan got better."""
        seed = self._pick_seed()
        project = self._asks[seed].project
        moves = self._movable[project] and self._random.random() < 0.3
        chosen = self._requests_around(seed, whole_project=moves)
        self._board.note()
        before = [self._board.state_of(number) for number in chosen]
        gains = [self._gains[number] for number in chosen]
        delay = self._board.delays[project]
        change = -sum(self._board.remove(number) for number in chosen)
        if moves:
            change += self._postpone(project)
        change += self._place_all(chosen.copy(), allowed - change)
        if change >= allowed:
            return change
        self._board.take_back(before)
        if moves:
            self._begin(project, delay)
        for number, gain in zip(chosen, gains, strict=True):
            self._gains[number] = gain
        return 0.0

    def _postpone(self, project: int) -> float:
        """Draws another start for a project without people; returns what that is worth."""
        before = self._board.delays[project]
        after = self._random.randint(0, self._problem.projects[project].max_delay)
        self._begin(project, after)
        cost = self._problem.unstaffed_cost
        return cost(project, before) - cost(project, after)

    def _begin(self, project: int, delay: int) -> None:
        """Lets a project without people begin so many weeks later."""
        self._board.delays[project] = delay
        for number in self._problem.requests_of[project]:
            self._ideals[number] = self._asks[number].ideals[delay]

    def _pick_seed(self) -> int:
        """Draws a request, with a liking for those that lack most."""
        draw = self._random
        numbers = [draw.randrange(len(self._asks)) for _ in range(draw.choice((1, 4)))]
        return max(numbers, key=lambda number: self._ideals[number] - self._gains[number])

    def _requests_around(self, seed: int, *, whole_project: bool) -> list[int]:
        """Returns the requests to place again: the seed, what some of its candidates do around
        its weeks, and some related ones that lack people."""
        draw = self._random
        ask = self._asks[seed]
        chosen = dict.fromkeys([seed])
        if whole_project:
            chosen.update(dict.fromkeys(self._problem.requests_of[ask.project]))
        workers = [int(each) for each in ask.workers]
        begin = self._board.begin(seed) - 1
        end = begin + ask.weeks + 2
        for worker in draw.sample(workers, min(len(workers), draw.randint(1, 4))):
            if len(chosen) >= self._enough:
                break
            chosen.update(dict.fromkeys(self._held(worker, begin, end)))
        chosen.update(dict.fromkeys(self._lacking(self._related[seed], draw.randint(0, 4))))
        return list(chosen)

    def _held(self, worker: int, begin: int, end: int) -> list[int]:
        found = []
        for number in sorted(self._board.held[worker]):
            first = self._board.begin(number)
            if first < end and first + self._asks[number].weeks > begin:
                found.append(number)
        return found

    def _lacking(self, related: Integers, count: int) -> list[int]:
        if not len(related):
            return []
        drawn = [int(related[self._random.randrange(len(related))]) for _ in range(2 * count)]
        lacking = [n for n in drawn if self._gains[n] < 0.95 * self._ideals[n]]
        return lacking[:count]

    def _place_all(self, requests: list[int], least: float) -> float:
        """Places requests one by one; returns what that is worth.

        Stops where ``least`` is out of reach, even if all of the others were met: most rounds end
        so, after a part of their work.
        """
        won, hoped = 0.0, sum(self._ideals[number] for number in requests)
        for number in self._in_order(requests):
            way = self._board.best(number, self._glance(number))
            self._work += WORK_BASE + self._asks[number].weeks * len(self._asks[number].workers)
            self._gains[number] = self._board.place(number, way) if way.assignments else 0.0
            won += self._gains[number]
            hoped -= self._ideals[number]
            if won + hoped < least - NEARLY:
                return -math.inf
        return won

    def _glance(self, request: int) -> Flags | None:
        """Returns which candidates are considered this time; None: all."""
        count = len(self._asks[request].workers)
        if self._drawn + count > len(self._seen):
            self._seen = self._numbers.random(DRAWN_AT_ONCE + count) >= OVERLOOKED
            self._overlooked = [*np.flatnonzero(~self._seen).tolist(), len(self._seen)]
            self._next = self._drawn = 0
        first, self._drawn = self._drawn, self._drawn + count
        while self._overlooked[self._next] < first:
            self._next += 1
        if self._overlooked[self._next] >= self._drawn:
            return None
        return self._seen[first : self._drawn]

    def _in_order(self, requests: list[int]) -> list[int]:
        asks, ideals, draw = self._asks, self._ideals, self._random
        order = draw.randrange(4)
        if order == 0:
            return sorted(requests, key=lambda number: -ideals[number])
        if order == 1:
            return sorted(requests, key=lambda number: -asks[number].weight)
        if order == 2:
            noise = {number: draw.uniform(0.5, 1.0) for number in requests}
            return sorted(requests, key=lambda number: -ideals[number] * noise[number])
        draw.shuffle(requests)
        return requests
