"""A quick plan by a simple rule, without any library: the most important request first, each to
the person it fits best.

It also fills what another plan leaves open, which is how hires and shifts are valued.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import gt

from taiga_pipeline.planning.staffing.problem import (
    HALF,
    TOLERANCE,
    WHOLE,
    Assignment,
    Plan,
    Problem,
    contribution,
    empty_plan,
    given,
    met,
    week_of,
)


def greedy_plan(problem: Problem) -> Plan:
    """Returns a plan in which no project is postponed.

    Requests go by weight, then hours, then first week. Each is taken whole by the best fit: of
    those who have room for it (overtime included) in every week, the one who gives the most hours,
    suits best, and has the least room to spare; others stand in while that one is away. Else two
    people take a half each, or one a half.
    """
    return fill(problem, empty_plan(problem), range(len(problem.requests)))


def fill(problem: Problem, plan: Plan, requests: Iterable[int] | None = None) -> Plan:
    """Returns ``plan`` with those requests (default: all) assigned without people."""
    ledger = Ledger(problem, plan.delays)
    for assignment in plan.assignments:
        ledger.add(assignment)
    taken = {assignment.request for assignment in plan.assignments}
    numbers = range(len(problem.requests)) if requests is None else requests
    open_ones = [number for number in numbers if number not in taken]
    new: list[Assignment] = []
    for number in sorted(open_ones, key=lambda number: _urgency(problem, number, plan.delays)):
        for assignment in _place(ledger, number):
            ledger.add(assignment)
            new.append(assignment)
    return Plan(plan.delays, tuple(sorted([*plan.assignments, *new])))


class Ledger:
    """Who is how busy: hours that are still free per worker and week, and the projects."""

    def __init__(self, problem: Problem, delays: tuple[int, ...]) -> None:
        self.problem = problem
        self.delays = delays
        self.room = [[hours + TOLERANCE for hours in row] for row in problem.limit]
        self._projects = [[set(week) for week in each.elsewhere] for each in problem.workers]
        self._full = [
            [len(week) >= each.max_projects for week in each.elsewhere] for each in problem.workers
        ]
        self._steady: dict[tuple[int, float, str], tuple[list[float], list[float]]] = {}

    def hours(self, number: int, worker: int, halves: int) -> tuple[list[float], list[float]]:
        """Returns what a worker would give to a request in each of its weeks, and meet of it."""
        request = self.problem.requests[number]
        need = request.need
        begin, weeks = week_of(self.problem, number, self.delays), len(need)
        if need.count(need[0]) < weeks:
            share = halves / WHOLE
            hours = [share * each for each in need]
            return contribution(self.problem, worker, request.role, hours, begin)
        # Most requests ask for the same hours in every week: one row serves them all.
        place = worker, need[0] * halves / WHOLE, request.role
        rows = self._steady.get(place)
        if rows is None:
            all_weeks = (place[1],) * self.problem.weeks
            rows = contribution(self.problem, worker, request.role, all_weeks, 0)
            self._steady[place] = rows
        gives, meets = rows
        end = begin + weeks
        return gives[begin:end], meets[begin:end]

    def add(self, assignment: Assignment) -> None:
        """Enters an assignment."""
        problem, worker = self.problem, assignment.worker
        key = self._key(assignment.request)
        begin = week_of(problem, assignment.request, self.delays)
        most = problem.workers[worker].max_projects
        gives, meets = given(problem, assignment, begin), met(problem, assignment, begin)
        rows = zip(gives, meets, strict=True)
        for week, (hours, each) in enumerate(rows, begin + assignment.first):
            self.room[worker][week] -= hours
            if each > 0:
                there = self._projects[worker][week]
                there.add(key)
                self._full[worker][week] = len(there) >= most

    def fits(
        self, number: int, worker: int, hours: list[float], meets: list[float], begin: int
    ) -> bool:
        """Whether a worker has room for ``hours`` from week ``begin`` on, and for the project in
        those in which they meet any."""
        end = begin + len(hours)
        if any(map(gt, hours, self.room[worker][begin:end])):
            return False
        full = self._full[worker][begin:end]
        if True not in full:
            return True
        key, there = self._key(number), self._projects[worker][begin:end]
        return not any(
            is_full and each > 0 and key not in projects
            for is_full, each, projects in zip(full, meets, there, strict=True)
        )

    def _key(self, number: int) -> str:
        return self.problem.projects[self.problem.requests[number].project].key


def _urgency(
    problem: Problem, number: int, delays: tuple[int, ...]
) -> tuple[float, float, int, int]:
    request = problem.requests[number]
    hours = sum(problem.asked(number, week_of(problem, number, delays)))
    return -problem.projects[request.project].weight, -hours, request.first, number


def _place(ledger: Ledger, number: int) -> list[Assignment]:
    found = _best_fits(ledger, number, WHOLE)
    if found:
        return [found[0], *_stand_ins(ledger, number, found)]
    return _best_fits(ledger, number, HALF)[:WHOLE]


def _best_fits(ledger: Ledger, number: int, halves: int) -> list[Assignment]:
    """Returns assignments for which there is room and that pay, the best first."""
    problem = ledger.problem
    request = problem.requests[number]
    begin, weeks = week_of(problem, number, ledger.delays), len(request.need)
    weight = problem.projects[request.project].weight
    split = problem.terms.split_cost if halves < WHOLE else 0
    found: list[tuple[float, float, float, int]] = []
    for candidate in request.candidates:
        hours, meets = ledger.hours(number, candidate.worker, halves)
        if not ledger.fits(number, candidate.worker, hours, meets, begin):
            continue
        total = sum(meets)
        if weight * total > candidate.penalty + split:
            spare = sum(ledger.room[candidate.worker][begin : begin + weeks])
            found.append((-total, candidate.penalty, spare, candidate.worker))
    return [Assignment(number, worker, halves, 0, weeks) for *_, worker in sorted(found)]


def _stand_ins(ledger: Ledger, number: int, fits: list[Assignment]) -> Iterator[Assignment]:
    """Yields who takes over while the first of ``fits`` is away, where that pays."""
    problem = ledger.problem
    request = problem.requests[number]
    weight = problem.projects[request.project].weight
    charge = problem.terms.split_cost + problem.terms.handover_hours * weight
    penalties = {each.worker: each.penalty for each in request.candidates}
    main, *others = fits
    rows = {each.worker: ledger.hours(number, each.worker, WHOLE)[1] for each in others}
    asked = problem.asked(number, week_of(problem, number, ledger.delays))
    _, meets = ledger.hours(number, main.worker, WHOLE)
    for first, end in _stretches_away(meets, asked):
        gains = [
            (weight * sum(row[first:end]) - charge - penalties[worker], -worker)
            for worker, row in rows.items()
        ]
        if gains and (best := max(gains))[0] > 0:
            yield Assignment(number, -best[1], WHOLE, first, end)


def _stretches_away(meets: Sequence[float], need: Sequence[float]) -> Iterator[tuple[int, int]]:
    """Yields the weeks (first, and the one after the last) in which nothing is met."""
    for is_away, group in groupby(range(len(need)), lambda at: meets[at] <= 0.0):
        stretch = list(group)
        if is_away and any(need[at] > 0 for at in stretch):
            yield stretch[0], stretch[-1] + 1
