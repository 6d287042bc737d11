"""Who can take a deal: people by role, skills and free hours, the best first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from taiga_pipeline.people.model import Person
from taiga_pipeline.pipeline.model import RoleDemand
from taiga_pipeline.pipeline.text import folded
from taiga_pipeline.planning.staffing.build import Case
from taiga_pipeline.planning.staffing.problem import Assignment, Problem, Request, met

WHOLE_OF_IT = 0.995
"""The part of the hours from which on somebody can do all of it."""


@dataclass(frozen=True, slots=True)
class Able:
    """Somebody who has the role (as theirs, or as a skill) that a deal asks for.

    ``lacks`` are skills that are asked for and they do not have. ``free`` are their hours that
    allocations leave in the weeks of the request, ``gives`` those of the hours asked for that they
    could do. ``other_deals`` are those that they are on in these weeks.
    """

    person: Person
    own_role: bool
    lacks: tuple[str, ...]
    free: float
    gives: float
    other_deals: tuple[str, ...]
    penalty: float = 0.0


@dataclass(frozen=True, slots=True)
class Asked:
    """A part of a deal that one person could do, and who could; weeks are numbered as the case's.

    ``hours`` are those asked for from week ``first`` to before ``after``.
    """

    role: str
    skills: tuple[str, ...]
    first: int
    after: int
    hours: float
    able: tuple[Able, ...]


def who_can(case: Case, key: str) -> tuple[Asked, ...]:
    """Returns the parts of a deal that nobody is allocated to yet, with who could do them.

    Those who have all skills come first, then those who give most of the hours and suit best.
    """
    return tuple(_asked(case, number) for number in _numbers(case, key))


def _numbers(case: Case, key: str) -> Iterator[int]:
    for number, piece in enumerate(case.pieces):
        if piece.work.key == key:
            yield number


def _asked(case: Case, number: int) -> Asked:
    request, piece = case.problem.requests[number], case.pieces[number]
    demand = next(
        (each for each in piece.work.roles if folded(each.role) == folded(piece.role)), None
    )
    skills = demand.skills if demand else ()
    able = [
        _able(case, number, worker, demand)
        for worker, person in enumerate(case.people)
        if _has_role(person, piece.role)
    ]
    able.sort(key=lambda each: (len(each.lacks), -round(each.gives, 1), each.penalty, -each.free))
    after = request.first + len(request.need)
    hours = sum(case.problem.asked(number, request.first))
    return Asked(piece.role, skills, request.first, after, hours, tuple(able))


def _has_role(person: Person, role: str) -> bool:
    return folded(role) in {folded(each) for each in (person.role, *person.skills)}


def _able(case: Case, number: int, worker: int, demand: RoleDemand | None) -> Able:
    problem, person = case.problem, case.people[worker]
    request = problem.requests[number]
    has = {folded(each) for each in (*person.skills, person.role)}
    lacks = tuple(each for each in (demand.skills if demand else ()) if folded(each) not in has)
    weeks = range(request.first, request.first + len(request.need))
    deals = {key for week in weeks for key in problem.workers[worker].elsewhere[week]}
    penalties = {each.worker: each.penalty for each in request.candidates}
    return Able(
        person,
        folded(person.role) == folded(request.role),
        lacks,
        sum(problem.free[worker][week] for week in weeks),
        _gives(problem, number, request, worker),
        tuple(sorted(deals)),
        penalties.get(worker, 0.0),
    )


def _gives(problem: Problem, number: int, request: Request, worker: int) -> float:
    whole = Assignment(number, worker, 2, 0, len(request.need))
    return sum(met(problem, whole, request.first))
