"""What a plan costs, and whether it keeps the rules: the one measure for every solver's plans."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from taiga_pipeline.planning.staffing.problem import (
    HALF,
    TOLERANCE,
    WHOLE,
    Assignment,
    Plan,
    Problem,
    asked_of,
    given,
    met,
    week_of,
)


@dataclass(frozen=True, slots=True)
class Score:
    """The cost of a plan and its parts (costs), with the hours behind them.

    ``unmet`` holds the hours that each request lacks, in all weeks together. ``cost`` is the sum
    of ``unmet_cost``, ``overtime_cost``, ``split_cost``, ``penalty_cost`` and ``delay_cost``.
    """

    cost: float
    unmet_cost: float
    overtime_cost: float
    split_cost: float
    penalty_cost: float
    delay_cost: float
    unmet: tuple[float, ...]
    overtime_hours: float


def evaluate(problem: Problem, plan: Plan) -> Score:
    """Returns what a plan costs.

    :raises ValueError: the plan breaks a rule; the message names all that are broken.
    """
    broken = list(violations(problem, plan))
    if broken:
        raise ValueError("; ".join(broken))
    terms, projects = problem.terms, problem.projects
    unmet = [sum(weeks) for weeks in unmet_by_week(problem, plan)]
    overtime = _overtime(problem, plan)
    unmet_cost = sum(
        projects[request.project].weight * hours
        for request, hours in zip(problem.requests, unmet, strict=True)
    )
    splits = sum(split_charge(problem, each) for each in plan.assignments)
    penalty = sum(_penalty(problem, each) for each in plan.assignments)
    delay = sum(
        project.delay_cost * weeks for project, weeks in zip(projects, plan.delays, strict=True)
    )
    parts = (unmet_cost, overtime * terms.overtime_cost, splits, penalty, delay)
    return Score(sum(parts), *parts, unmet=tuple(unmet), overtime_hours=overtime)


def is_split(problem: Problem, assignment: Assignment) -> bool:
    """Whether an assignment is less than its whole request, in share or in weeks."""
    weeks = len(problem.requests[assignment.request].need)
    return assignment.halves < WHOLE or assignment.first > 0 or assignment.end < weeks


def split_charge(problem: Problem, assignment: Assignment) -> float:
    """Returns what is charged for an assignment that is less than its whole request."""
    request, terms = problem.requests[assignment.request], problem.terms
    if assignment.first > 0 or assignment.end < len(request.need):
        weight = problem.projects[request.project].weight
        return terms.split_cost + terms.handover_hours * weight
    return terms.split_cost if assignment.halves < WHOLE else 0.0


def unmet_by_week(problem: Problem, plan: Plan) -> list[list[float]]:
    """Returns the hours that each request lacks in each of its weeks."""
    unmet = [list(hours) for hours in asked_of(problem, plan)]
    for assignment in plan.assignments:
        hours = met(problem, assignment, week_of(problem, assignment.request, plan.delays))
        for at, each in enumerate(hours, assignment.first):
            left = unmet[assignment.request][at] - each
            unmet[assignment.request][at] = left if left > TOLERANCE else 0.0
    return unmet


def taken(problem: Problem, plan: Plan) -> list[list[float]]:
    """Returns the hours per worker and week that the plan's assignments take."""
    hours = [[0.0] * problem.weeks for _ in problem.workers]
    for assignment in plan.assignments:
        begin = week_of(problem, assignment.request, plan.delays)
        for at, gives in enumerate(given(problem, assignment, begin), begin + assignment.first):
            hours[assignment.worker][at] += gives
    return hours


def _overtime(problem: Problem, plan: Plan) -> float:
    """Returns the hours above what is available that the plan itself adds."""
    return sum(
        max(0.0, fixed + new - there) - max(0.0, fixed - there)
        for worker, row in zip(problem.workers, taken(problem, plan), strict=True)
        for there, fixed, new in zip(worker.hours, worker.fixed, row, strict=True)
    )


def _penalty(problem: Problem, assignment: Assignment) -> float:
    candidates = problem.requests[assignment.request].candidates
    return next(each.penalty for each in candidates if each.worker == assignment.worker)


def violations(problem: Problem, plan: Plan) -> Iterator[str]:
    """Yields every rule that a plan breaks, as a sentence."""
    if len(plan.delays) != len(problem.projects):
        yield f"{len(plan.delays)} delays for {len(problem.projects)} projects"
        return
    for project, weeks in zip(problem.projects, plan.delays, strict=True):
        if not 0 <= weeks <= project.max_delay:
            yield f"project {project.key} is postponed {weeks} of {project.max_delay} weeks"
    malformed = [text for each in plan.assignments for text in _malformed(problem, each)]
    yield from malformed
    if malformed:
        return
    yield from _doubled(problem, plan)
    yield from _overloads(problem, plan)
    yield from _scattered(problem, plan)


def _malformed(problem: Problem, assignment: Assignment) -> Iterator[str]:
    if not 0 <= assignment.request < len(problem.requests):
        yield f"request {assignment.request} is not there"
        return
    request = problem.requests[assignment.request]
    if assignment.worker not in (candidate.worker for candidate in request.candidates):
        yield f"worker {assignment.worker} is not a candidate for request {assignment.request}"
    if assignment.halves not in (HALF, WHOLE):
        yield f"request {assignment.request}: a share of {assignment.halves} halves"
    if not 0 <= assignment.first < assignment.end <= len(request.need):
        yield f"request {assignment.request} has no weeks {assignment.first} to {assignment.end}"


def _doubled(problem: Problem, plan: Plan) -> Iterator[str]:
    """Finds requests that get more than they ask for, or the same person twice in a week.

    In weeks when someone is away, others may stand in for them; that is an assignment of some
    weeks, and charged for as such.
    """
    yield from _crowded(problem, plan)
    shares: dict[tuple[int, int], list[Assignment]] = defaultdict(list)
    for assignment in plan.assignments:
        hours = met(problem, assignment, week_of(problem, assignment.request, plan.delays))
        for at, each in enumerate(hours, assignment.first):
            if each > 0:
                shares[assignment.request, at].append(assignment)
    for (request, at), there in shares.items():
        if sum(each.halves for each in there) > WHOLE:
            yield f"request {request} gets more than it asks for in its week {at}"
        if len({each.worker for each in there}) < len(there):
            yield f"request {request} has a person twice in its week {at}"


def _crowded(problem: Problem, plan: Plan) -> Iterator[str]:
    """Finds requests with more people for all of their weeks than they ask for."""
    halves: dict[int, int] = defaultdict(int)
    for each in plan.assignments:
        if each.end - each.first == len(problem.requests[each.request].need):
            halves[each.request] += each.halves
    for request, count in halves.items():
        if count > WHOLE:
            yield f"request {request} has {count} halves for all of its weeks"


def _overloads(problem: Problem, plan: Plan) -> Iterator[str]:
    for number, row in enumerate(taken(problem, plan)):
        for week, hours in enumerate(row):
            most = problem.limit[number][week]
            if hours > most + TOLERANCE:
                name = problem.workers[number].key
                yield f"{name} has {hours:g} h in week {week}; {most:g} h are free"


def _scattered(problem: Problem, plan: Plan) -> Iterator[str]:
    """Finds people who are on too many projects in a week because of the plan."""
    projects: dict[tuple[int, int], set[str]] = defaultdict(set)
    for assignment in plan.assignments:
        project = problem.projects[problem.requests[assignment.request].project].key
        begin = week_of(problem, assignment.request, plan.delays)
        for week, hours in enumerate(met(problem, assignment, begin), begin + assignment.first):
            if hours > 0 and project not in problem.workers[assignment.worker].elsewhere[week]:
                projects[assignment.worker, week].add(project)
    for (number, week), new in projects.items():
        worker = problem.workers[number]
        count = len(new) + len(worker.elsewhere[week])
        if count > worker.max_projects:
            most = worker.max_projects
            yield f"{worker.key} is on {count} projects in week {week}; at most {most}"
