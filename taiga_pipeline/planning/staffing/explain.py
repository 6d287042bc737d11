"""What would help a plan most: one person more in a role, or a project some weeks later.

A new person is valued by solving the whole problem again (`planning.hiring.resolve`), as others
may move over and make room. A later start is tried on the plan itself: the project's requests are
placed again by the quick rule, and the cost before and after is compared. That is a lower estimate
of the help, since everyone else stays where they are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from taiga_pipeline.planning.hiring.resolve import Resolve, quick, with_person
from taiga_pipeline.planning.staffing.evaluate import Score, evaluate, unmet_by_week
from taiga_pipeline.planning.staffing.greedy import fill
from taiga_pipeline.planning.staffing.problem import (
    SHIFTS,
    Plan,
    Problem,
    Request,
    week_of,
)

MANY: Final = 6
FEW: Final = 3
"""How many roles and projects are looked at: those that lack most; fewer in large problems."""
LARGE: Final = 1_000
"""The number of requests from which on a problem is large."""
SMALL: Final = 0.05
"""The part of a request that may lack without it being placed again."""


@dataclass(frozen=True, slots=True)
class Lack:
    """Hours that a request lacks, and the weeks (first and last) in which it lacks any."""

    request: int
    hours: float
    cost: float
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Help:
    """What a change brings: hours met that were not, and how much less the plan costs.

    ``projects`` (numbers) get them, those that get most first.
    """

    hours: float
    cost: float
    projects: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Hire:
    """One person more, full time from the first week on, in a role. ``usual`` hours per week."""

    role: str
    usual: float
    help: Help


@dataclass(frozen=True, slots=True)
class Shift:
    """A project that begins ``weeks`` later than planned."""

    project: int
    weeks: int
    help: Help


def lacks(problem: Problem, plan: Plan) -> list[Lack]:
    """Returns what stays unmet, the costliest first."""
    found = []
    for number, weeks in enumerate(unmet_by_week(problem, plan)):
        short = [at for at, hours in enumerate(weeks) if hours > 0]
        if short:
            begin = week_of(problem, number, plan.delays)
            weight = problem.projects[problem.requests[number].project].weight
            hours = sum(weeks)
            found.append(Lack(number, hours, hours * weight, begin + short[0], begin + short[-1]))
    return sorted(found, key=lambda lack: (-lack.cost, lack.request))


def best_hires(problem: Problem, plan: Plan, resolve: Resolve = quick) -> list[Hire]:
    """Returns for the roles that lack most what one person more would bring, the best first.

    The problem is solved again with each, and once without, by the same means (``resolve``).
    """
    base = resolve(problem, plan)
    before = evaluate(problem, base)
    found = [_hire(problem, base, before, role, resolve) for role in _roles(problem, base)]
    useful = [hire for hire in found if hire and hire.help.hours > 0]
    return sorted(useful, key=lambda hire: -hire.help.cost)


def _roles(problem: Problem, plan: Plan) -> list[str]:
    """Returns the roles in which one person more may help: those that lack, those that lack most
    first; then those whose people could do what lacks, if they were free."""
    by_role: dict[str, float] = defaultdict(float)
    able: set[int] = set()
    for lack in lacks(problem, plan):
        request = problem.requests[lack.request]
        by_role[request.role] += lack.cost
        able.update(each.worker for each in request.candidates)
    reached = -1
    while reached < len(able):  # whoever could make room for those who could make room
        reached = len(able)
        for request in problem.requests:
            if any(each.worker in able for each in request.candidates):
                by_role.setdefault(request.role, 0.0)
                able.update(each.worker for each in request.candidates)
    return sorted(by_role, key=lambda role: (-by_role[role], role))[: _many(problem)]


def best_shifts(problem: Problem, plan: Plan, movable: Iterable[int]) -> list[Shift]:
    """Returns for the projects that lack most how many weeks later would bring most.

    ``movable`` are the projects (numbers) that may begin later than planned; the problem has weeks
    enough for the latest of `SHIFTS`.
    """
    short = lacks(problem, plan)
    may_move = set(movable)
    by_project: dict[int, float] = defaultdict(float)
    for lack in short:
        number = problem.requests[lack.request].project
        if number in may_move:
            by_project[number] += lack.cost
    projects = sorted(by_project, key=lambda number: (-by_project[number], number))[
        : _many(problem)
    ]
    before = evaluate(problem, plan)
    found = []
    for project in projects:
        shifts = [_shift(problem, plan, before, project, weeks) for weeks in SHIFTS]
        useful = [shift for shift in shifts if shift and shift.help.hours > 0]
        if useful:
            found.append(max(useful, key=lambda shift: (shift.help.cost, -shift.weeks)))
    return sorted(found, key=lambda shift: -shift.help.cost)


def _many(problem: Problem) -> int:
    return FEW if len(problem.requests) >= LARGE else MANY


def _hire(problem: Problem, base: Plan, before: Score, role: str, resolve: Resolve) -> Hire | None:
    usual = max((worker.usual for worker in problem.workers), default=0.0) or 40.0
    larger = with_person(problem, role, usual, 0, problem.weeks)
    help_ = _compare(larger, resolve(larger, base), before)
    return Hire(role, usual, help_) if help_ else None


def _shift(problem: Problem, plan: Plan, before: Score, project: int, weeks: int) -> Shift | None:
    longer = with_delay(problem, project, plan.delays[project] + weeks)
    delays = list(plan.delays)
    delays[project] += weeks
    own = set(problem.requests_of[project])
    kept = tuple(each for each in plan.assignments if each.request not in own)
    moved = fill(longer, Plan(tuple(delays), kept), own)
    help_ = _compare(longer, moved, before)
    return Shift(project, weeks, help_) if help_ else None


def with_delay(problem: Problem, project: int, delay: int) -> Problem:
    """Returns the problem in which a project may begin so much later.

    :raises ProblemsError: the problem has too few weeks for it.
    """
    projects = list(problem.projects)
    most = max(delay, projects[project].max_delay)
    projects[project] = replace(projects[project], max_delay=most)
    return replace(problem, projects=tuple(projects))


def _compare(problem: Problem, plan: Plan, before: Score) -> Help | None:
    """Returns what a plan brings, None if it does not pay."""
    after = evaluate(problem, plan)
    if after.cost >= before.cost:
        return None
    gains: dict[int, float] = defaultdict(float)
    for request, old, new in _unmet(problem.requests, before, after):
        gains[request.project] += old - new
    helped = sorted((each for each in gains if gains[each] > SMALL), key=lambda each: -gains[each])
    return Help(sum(before.unmet) - sum(after.unmet), before.cost - after.cost, tuple(helped))


def _unmet(
    requests: tuple[Request, ...], before: Score, after: Score
) -> Iterator[tuple[Request, float, float]]:
    return zip(requests, before.unmet, after.unmet, strict=True)
