"""Staffing problems of a given size and load, drawn from a seed.

A company of twelve roles of unequal size. People work full or part time, most in one role, a
third in a second one as well; each has four weeks of holidays in a year, two of them in a row in
summer. Projects last one to six months and ask for three to seven roles, in sums that make the
load: all hours asked for, as a part of all hours available. The mix of roles that projects ask
for varies around the mix that there is, so that some roles are short while others idle.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from taiga_pipeline.planning.staffing.problem import (
    Candidate,
    Problem,
    Project,
    Request,
    Worker,
)

ROLES = 12
SECOND_ROLE = 0.35


@dataclass(frozen=True, slots=True)
class Size:
    """How large a problem is. ``load`` is the part of all available hours that is asked for;
    ``roles`` is how many roles there are."""

    people: int
    projects: int
    weeks: int
    load: float
    roles: int = ROLES


@dataclass(frozen=True, slots=True)
class _Person:
    roles: tuple[int, ...]
    usual: float
    hours: tuple[float, ...]


def generate(size: Size, seed: int) -> Problem:
    """Returns a problem; the same for the same size and seed."""
    rng = random.Random(seed)
    shares = [rng.uniform(0.5, 1.5) for _ in range(size.roles)]
    weeks = size.weeks + 4
    people = [_person(rng, number, shares, weeks) for number in range(size.people)]
    available = sum(sum(person.hours[: size.weeks]) for person in people)
    projects = tuple(_project(rng, number) for number in range(size.projects))
    starts = [rng.randrange(size.weeks - 3) for _ in projects]
    lengths = [rng.randint(4, 26) for _ in projects]
    demand = [share * rng.uniform(0.7, 1.3) for share in shares]
    requests: list[Request] = []
    asked = 0.0
    while asked < size.load * available:
        number = len(requests) % size.projects
        request = _request(rng, number, starts[number], lengths[number], demand, size.weeks, people)
        requests.append(request)
        asked += request.total
    workers = tuple(
        Worker(f"p{number:03}", each.hours, each.usual, (0.0,) * weeks, (frozenset(),) * weeks)
        for number, each in enumerate(people)
    )
    return Problem(weeks, workers, projects, tuple(requests))


def _person(rng: random.Random, number: int, shares: list[float], weeks: int) -> _Person:
    roles = len(shares)
    first = number if number < roles else rng.choices(range(roles), shares)[0]
    second = (rng.randrange(roles),) if rng.random() < SECOND_ROLE else ()
    usual = rng.choices((40.0, 32.0, 24.0, 20.0), (75, 12, 5, 8))[0]
    hours = [usual] * weeks
    summer = 28 + rng.randint(-3, 3)
    off = [summer, summer + 1, rng.randrange(weeks), rng.randrange(weeks)]
    for week in off:
        hours[min(week, weeks - 1)] = 0.0
    return _Person(tuple(dict.fromkeys((first, *second))), usual, tuple(hours))


def _project(rng: random.Random, number: int) -> Project:
    confirmed = rng.random() < 0.45
    probability = 1.0 if confirmed else rng.uniform(0.1, 0.9)
    priority = rng.choice((1.0, 1.0, 1.5, 2.0))
    return Project(
        key=f"D-{number:03}",
        weight=priority * (100.0 if confirmed else 30.0 * probability),
        max_delay=rng.choice((0, 0, 2, 4)),
        delay_cost=20.0 * probability,
        confirmed=confirmed,
    )


def _request(
    rng: random.Random,
    project: int,
    start: int,
    length: int,
    demand: list[float],
    weeks: int,
    people: list[_Person],
) -> Request:
    role = rng.choices(range(len(demand)), demand)[0]
    first = min(weeks - 2, start + rng.choice((0, 0, 0, length // 4, length // 2)))
    last = min(weeks, start + length)
    hours = float(rng.choice((8, 12, 16, 20, 20, 24, 32, 40)))
    candidates = tuple(
        Candidate(number, 0.0 if person.roles[0] == role else 10.0)
        for number, person in enumerate(people)
        if role in person.roles
    )
    return Request(project, f"role {role}", first, (hours,) * max(2, last - first), candidates)
