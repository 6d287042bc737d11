"""A staffing problem and a plan for it: plain data. Weeks are numbered from 0, hours are floats.

A *request* asks for one person's hours in one role of one project, week by week. A *worker* who
takes it gives the whole of it or a half, in the weeks that the *assignment* spans. In each week

    given = min(share x need x presence x what public holidays leave of the worker's week, free)

where presence is the part of the week that the worker is there, and free hours are those that
present allocations leave. Public holidays make a request smaller, too, by its role: what is *asked*
for depends on when a project begins. Whoever gives their whole share of a week has met it, be their
public holidays others than the role's:

    met = share x asked x presence x (the part given of what is not limited by free hours)

What all assignments give together may exceed the free hours by the overtime allowance, and a worker
is on at most so many projects in the same week.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import isfinite
from typing import Final

from taiga_pipeline.problems import Problem as Complaint
from taiga_pipeline.problems import ProblemsError

WHOLE: Final = 2
"""The share of an assignment that takes all of its request, counted in halves."""
HALF: Final = 1
TOLERANCE: Final = 1e-6
"""Hours below which two sums are the same."""
SHIFTS: Final = (1, 2, 4, 8)
"""By how many weeks projects are postponed to see what that helps."""


@dataclass(frozen=True, slots=True)
class Worker:
    """Someone who can be assigned.

    ``hours`` are available per week (time off and holidays taken away), ``usual`` are those of a
    week without either. ``fixed`` hours per week are given away already, to the projects in
    ``elsewhere`` (keys, per week). ``week_parts`` are what public holidays leave of each week (0 to
    1), empty where there are none: what is asked for is less in such a week, too.
    """

    key: str
    hours: tuple[float, ...]
    usual: float
    fixed: tuple[float, ...]
    elsewhere: tuple[frozenset[str], ...]
    max_projects: int = 3
    week_parts: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A worker who could take a request; ``penalty`` is what it costs that others suit better."""

    worker: int
    penalty: float = 0.0


@dataclass(frozen=True, slots=True)
class Request:
    """Hours asked for in a role from week ``first`` on (if not delayed). ``need`` are those of each
    week as if it had no public holidays (see `Problem.asked`)."""

    project: int
    role: str
    first: int
    need: tuple[float, ...]
    candidates: tuple[Candidate, ...]

    @property
    def total(self) -> float:
        """The hours of all weeks, as if they had no public holidays."""
        return sum(self.need)


@dataclass(frozen=True, slots=True)
class Project:
    """What requests belong to. ``weight`` is the cost of one unmet hour, ``delay_cost`` that of a
    week by which the start is postponed, at most ``max_delay`` weeks."""

    key: str
    weight: float
    max_delay: int = 0
    delay_cost: float = 0.0
    confirmed: bool = False


@dataclass(frozen=True, slots=True)
class Terms:
    """What everyone's plan is measured by.

    ``overtime`` is the allowance as a part of the available hours; an hour of it costs
    ``overtime_cost``. ``split_cost`` is charged for each assignment that is less than its whole
    request: a half, or some of the weeks. One of some weeks (a hand-over, or standing in for
    someone who is away) is charged for ``handover_hours`` unmet hours as well: those that it takes
    to get into the work.
    """

    overtime: float = 0.1
    overtime_cost: float = 5.0
    split_cost: float = 20.0
    handover_hours: float = 8.0


@dataclass(frozen=True)
class Problem:
    """Workers, projects and their requests. ``weeks`` has room for every request at its latest
    start, so that a delay never makes demand disappear.

    ``role_parts`` are what public holidays leave of each week (0 to 1), for what is asked of a
    role; a role that is not among them has none.
    """

    weeks: int
    workers: tuple[Worker, ...]
    projects: tuple[Project, ...]
    requests: tuple[Request, ...]
    terms: Terms = field(default_factory=Terms)
    role_parts: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        complaints = [Complaint(text) for text in _complaints(self)]
        if complaints:
            raise ProblemsError(complaints)

    @cached_property
    def requests_of(self) -> tuple[tuple[int, ...], ...]:
        """The numbers of each project's requests."""
        found: list[list[int]] = [[] for _ in self.projects]
        for number, request in enumerate(self.requests):
            found[request.project].append(number)
        return tuple(map(tuple, found))

    def asked(self, request: int, begin: int) -> tuple[float, ...]:
        """Returns the hours that a request asks for in each of its weeks, if they begin with week
        ``begin``."""
        found = self._asked.get((request, begin))
        if found is None:
            wanted = self.requests[request]
            found, parts = wanted.need, self.role_parts.get(wanted.role)
            if parts is not None:
                there = parts[begin : begin + len(found)]
                found = tuple(hours * part for hours, part in zip(found, there, strict=True))
            self._asked[request, begin] = found
        return found

    @cached_property
    def _asked(self) -> dict[tuple[int, int], tuple[float, ...]]:
        return {}

    def unstaffed_cost(self, project: int, delay: int) -> float:
        """Returns what a project costs that begins so many weeks later as long as nobody is on it:
        the delay, and all hours that it asks for then."""
        of = self.projects[project]
        hours = sum(
            sum(self.asked(number, self.requests[number].first + delay))
            for number in self.requests_of[project]
        )
        return of.delay_cost * delay + of.weight * hours

    @cached_property
    def free(self) -> tuple[tuple[float, ...], ...]:
        """Hours per worker and week that present allocations leave."""
        return tuple(
            tuple(max(0.0, there - gone) for there, gone in zip(w.hours, w.fixed, strict=True))
            for w in self.workers
        )

    @cached_property
    def limit(self) -> tuple[tuple[float, ...], ...]:
        """Hours per worker and week that new assignments may take, overtime included."""
        most = 1.0 + self.terms.overtime
        return tuple(
            tuple(
                max(0.0, there * most - gone) for there, gone in zip(w.hours, w.fixed, strict=True)
            )
            for w in self.workers
        )

    @cached_property
    def week_parts(self) -> tuple[tuple[float, ...], ...]:
        """What public holidays leave of each worker's weeks, 0 to 1."""
        return tuple(each.week_parts or (1.0,) * self.weeks for each in self.workers)

    @cached_property
    def has_holidays(self) -> bool:
        """Whether there are any public holidays, of people or of roles."""
        return bool(self.role_parts) or any(min(row, default=1.0) < 1 for row in self.week_parts)

    @cached_property
    def presence(self) -> tuple[tuple[float, ...], ...]:
        """The part of the working week that each worker is there, 0 to 1.

        Public holidays of theirs do not count as away, unless they are the whole week.
        """
        pairs = zip(self.workers, self.week_parts, strict=True)
        return tuple(tuple(_presence(worker, parts)) for worker, parts in pairs)


def _presence(worker: Worker, parts: tuple[float, ...]) -> Iterator[float]:
    for hours, part in zip(worker.hours, parts, strict=True):
        whole = worker.usual * part
        yield min(1.0, hours / whole) if whole > 0 else 0.0


@dataclass(frozen=True, slots=True, order=True)
class Assignment:
    """A worker takes ``halves`` (1 or 2) of a request in its weeks ``first`` to before ``end``,
    counted from the request's own first week."""

    request: int
    worker: int
    halves: int
    first: int
    end: int


@dataclass(frozen=True, slots=True)
class Plan:
    """Assignments, and by how many weeks each project is postponed."""

    delays: tuple[int, ...]
    assignments: tuple[Assignment, ...]


def empty_plan(problem: Problem) -> Plan:
    """Returns the plan in which no one does anything."""
    return Plan((0,) * len(problem.projects), ())


def week_of(problem: Problem, request: int, delays: tuple[int, ...] | list[int]) -> int:
    """Returns the week in which a request begins under these delays."""
    asked = problem.requests[request]
    return asked.first + delays[asked.project]


def asked_of(problem: Problem, plan: Plan) -> list[tuple[float, ...]]:
    """Returns the hours that each request asks for in each of its weeks, as a plan has them."""
    numbers = range(len(problem.requests))
    return [problem.asked(number, week_of(problem, number, plan.delays)) for number in numbers]


def given(problem: Problem, assignment: Assignment, begin: int) -> list[float]:
    """Returns the hours that an assignment takes of its worker in each of its weeks; ``begin`` is
    the request's week."""
    return _contribution(problem, assignment, begin)[0]


def met(problem: Problem, assignment: Assignment, begin: int) -> list[float]:
    """Returns the hours asked for that an assignment meets in each of its weeks."""
    return _contribution(problem, assignment, begin)[1]


def _contribution(
    problem: Problem, assignment: Assignment, begin: int
) -> tuple[list[float], list[float]]:
    request, share = problem.requests[assignment.request], assignment.halves / WHOLE
    hours = [share * each for each in request.need[assignment.first : assignment.end]]
    start = begin + assignment.first
    return contribution(problem, assignment.worker, request.role, hours, start)


def contribution(
    problem: Problem, worker: int, role: str, hours: Sequence[float], first: int
) -> tuple[list[float], list[float]]:
    """Returns what a worker who takes ``hours`` of a role, week by week from ``first`` on, gives,
    and what that meets of what is asked for. ``hours`` are those of full weeks."""
    weeks = slice(first, first + len(hours))
    there, free = problem.presence[worker][weeks], problem.free[worker][weeks]
    parts = problem.week_parts[worker][weeks]
    whole = [each * present * part for each, present, part in zip(hours, there, parts, strict=True)]
    gives = list(map(min, whole, free))
    if not problem.has_holidays:
        return gives, gives
    left = problem.role_parts.get(role, (1.0,) * problem.weeks)[weeks]
    meets = [
        each * present * part * (some / most if most > 0 else 1.0)
        for each, present, part, some, most in zip(hours, there, left, gives, whole, strict=True)
    ]
    return gives, meets


def _complaints(problem: Problem) -> Iterator[str]:
    for role, parts in problem.role_parts.items():
        if len(parts) != problem.weeks or not all(0 <= part <= 1 for part in parts):
            yield f"{role}: parts from 0 to 1 are needed for each of the {problem.weeks} weeks"
    for worker in problem.workers:
        yield from _about_worker(worker, problem.weeks)
    for project in problem.projects:
        if not (_is_amount(project.weight) and _is_amount(project.delay_cost)):
            yield f"project {project.key}: weight and cost of a delay are numbers from 0 up"
        if project.max_delay < 0:
            yield (
                f"project {project.key}: {project.max_delay} weeks of delay; 0 or more are allowed"
            )
    for request in problem.requests:
        yield from _about_request(request, problem)


def _about_worker(worker: Worker, weeks: int) -> Iterator[str]:
    if not len(worker.hours) == len(worker.fixed) == len(worker.elsewhere) == weeks:
        yield f"{worker.key}: hours are needed for each of the {weeks} weeks"
    if not all(map(_is_amount, (*worker.hours, *worker.fixed, worker.usual))):
        yield f"{worker.key}: hours are numbers from 0 up"
    if worker.max_projects < 1:
        yield f"{worker.key}: at most {worker.max_projects} projects at once; 1 or more are allowed"


def _about_request(request: Request, problem: Problem) -> Iterator[str]:
    if not 0 <= request.project < len(problem.projects):
        yield f"a request for {request.role} is of project {request.project}, which is not there"
        return
    project = problem.projects[request.project]
    name = f"project {project.key}, {request.role}"
    if not all(map(_is_amount, request.need)):
        yield f"{name}: hours are numbers from 0 up"
    latest = request.first + len(request.need) + project.max_delay
    if request.first < 0 or latest > problem.weeks:
        yield f"{name}: weeks {request.first} to {latest} are outside of the {problem.weeks} weeks"
    numbers = [candidate.worker for candidate in request.candidates]
    if len(set(numbers)) < len(numbers):
        yield f"{name}: a candidate is named twice"
    if not all(0 <= number < len(problem.workers) for number in numbers):
        yield f"{name}: a candidate is not among the workers"
    if not all(_is_amount(candidate.penalty) for candidate in request.candidates):
        yield f"{name}: penalties are numbers from 0 up"


def _is_amount(number: float) -> bool:
    return isfinite(number) and number >= 0
