"""What would help a plan most: one person more in a role, or a project some weeks later.

Each is tried on the plan itself: those requests that lack people are placed again by the quick
rule, with the new person or at the new start, and the cost before and after is compared. That is
a lower estimate of the help, since everyone else stays where they are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from taiga_pipeline.planning.staffing.evaluate import Score, evaluate, unmet_by_week
from taiga_pipeline.planning.staffing.greedy import fill
from taiga_pipeline.planning.staffing.problem import (
    Candidate,
    Plan,
    Problem,
    Request,
    Worker,
    week_of,
)

SHIFTS: Final = (1, 2, 4, 8)
"""By how many weeks projects are postponed to see what that helps."""
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


def best_hires(problem: Problem, plan: Plan) -> list[Hire]:
    """Returns for the roles that lack most what one person more would bring, the best first."""
    short = lacks(problem, plan)
    by_role: dict[str, float] = defaultdict(float)
    for lack in short:
        by_role[problem.requests[lack.request].role] += lack.cost
    roles = sorted(by_role, key=lambda role: (-by_role[role], role))[: _many(problem)]
    before = evaluate(problem, plan)
    hires = [_hire(problem, plan, before, role, short) for role in roles]
    return sorted((hire for hire in hires if hire), key=lambda hire: -hire.help.cost)


def best_shifts(problem: Problem, plan: Plan, movable: Iterable[int]) -> list[Shift]:
    """Returns for the projects that lack most how many weeks later would bring most.

    ``movable`` are the projects (numbers) that may begin later than planned.
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


def _hire(problem: Problem, plan: Plan, before: Score, role: str, short: list[Lack]) -> Hire | None:
    numbers = [lack.request for lack in short if problem.requests[lack.request].role == role]
    usual = max((worker.usual for worker in problem.workers), default=0.0) or 40.0
    larger = _with_hire(problem, role, usual)
    help_ = _help(larger, plan, before, numbers)
    return Hire(role, usual, help_) if help_ else None


def _with_hire(problem: Problem, role: str, usual: float) -> Problem:
    weeks = problem.weeks
    rows = [worker.week_parts or (1.0,) * weeks for worker in problem.workers]
    # Whoever joins has the public holidays that all have.
    parts = tuple(map(max, zip(*rows, strict=True))) or (1.0,) * weeks
    worker = Worker(
        key="",
        hours=tuple(usual * part for part in parts),
        usual=usual,
        fixed=(0.0,) * weeks,
        elsewhere=(frozenset(),) * weeks,
        max_projects=max((each.max_projects for each in problem.workers), default=3),
        week_parts=parts,
    )
    new = Candidate(len(problem.workers))
    requests = tuple(
        replace(each, candidates=(*each.candidates, new)) if each.role == role else each
        for each in problem.requests
    )
    return replace(problem, workers=(*problem.workers, worker), requests=requests)


def _shift(problem: Problem, plan: Plan, before: Score, project: int, weeks: int) -> Shift | None:
    longer = _with_delay(problem, project, plan.delays[project] + weeks)
    delays = list(plan.delays)
    delays[project] += weeks
    own = set(problem.requests_of[project])
    kept = tuple(each for each in plan.assignments if each.request not in own)
    moved = fill(longer, Plan(tuple(delays), kept), own)
    help_ = _compare(longer, moved, before)
    return Shift(project, weeks, help_) if help_ else None


def _with_delay(problem: Problem, project: int, delay: int) -> Problem:
    """Returns the problem in which a project may begin so much later, with weeks enough for it;
    in the new ones people have as many hours as in the last of the old ones."""
    projects = list(problem.projects)
    most = max(delay, projects[project].max_delay)
    projects[project] = replace(projects[project], max_delay=most)
    asked = (problem.requests[number] for number in problem.requests_of[project])
    weeks = max([problem.weeks, *(each.first + len(each.need) + most for each in asked)])
    workers = tuple(_extended(worker, weeks - problem.weeks) for worker in problem.workers)
    return replace(problem, weeks=weeks, workers=workers, projects=tuple(projects))


def _extended(worker: Worker, weeks: int) -> Worker:
    return replace(
        worker,
        hours=worker.hours + worker.hours[-1:] * weeks,
        week_parts=worker.week_parts + worker.week_parts[-1:] * weeks,
        fixed=worker.fixed + worker.fixed[-1:] * weeks,
        elsewhere=worker.elsewhere + worker.elsewhere[-1:] * weeks,
    )


def _help(problem: Problem, plan: Plan, before: Score, numbers: list[int]) -> Help | None:
    """Returns what it brings to place requests that lack people again: those without people, or
    all of them, whichever is better."""
    short = {
        number
        for number in numbers
        if before.unmet[number] > SMALL * problem.requests[number].total
    }
    others = tuple(each for each in plan.assignments if each.request not in short)
    plans = (fill(problem, plan, short), fill(problem, replace(plan, assignments=others), short))
    helps = [help_ for tried in plans if (help_ := _compare(problem, tried, before))]
    return max(helps, key=lambda help_: help_.cost, default=None)


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
