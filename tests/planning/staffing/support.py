"""Small staffing problems, drawn or written down, and every plan that a tiny one has."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, product

from hypothesis import strategies as st

from taiga_pipeline.planning.staffing.evaluate import evaluate, violations
from taiga_pipeline.planning.staffing.problem import (
    HALF,
    WHOLE,
    Assignment,
    Candidate,
    Plan,
    Problem,
    Project,
    Request,
    Terms,
    Worker,
)


def worker(key: str = "ann", weeks: int = 4, usual: float = 40.0, **changes: object) -> Worker:
    values: dict[str, object] = {
        "hours": (usual,) * weeks,
        "fixed": (0.0,) * weeks,
        "elsewhere": (frozenset(),) * weeks,
        **changes,
    }
    return Worker(key=key, usual=usual, **values)  # type: ignore[arg-type]


def request(
    hours: float = 20.0, weeks: int = 4, *, workers: tuple[int, ...] = (0,), **changes: object
) -> Request:
    values: dict[str, object] = {"project": 0, "role": "Back", "first": 0, **changes}
    candidates = tuple(map(Candidate, workers))
    return Request(need=(hours,) * weeks, candidates=candidates, **values)  # type: ignore[arg-type]


def problem(
    *,
    workers: tuple[Worker, ...] = (),
    requests: tuple[Request, ...] = (),
    projects: tuple[Project, ...] = (Project("D-1", 100.0, confirmed=True),),
    weeks: int = 4,
    terms: Terms | None = None,
) -> Problem:
    return Problem(weeks, workers or (worker(),), projects, requests, terms or Terms())


@st.composite
def problems(draw: st.DrawFn, most_requests: int = 6) -> Problem:
    weeks = draw(st.integers(4, 7))
    hours = st.sampled_from([0.0, 16.0, 20.0, 40.0, 40.0])
    left = st.sampled_from([1.0, 1.0, 0.8, 0.0])
    workers = []
    for number in range(draw(st.integers(1, 4))):
        there = tuple(draw(hours) for _ in range(weeks))
        fixed = draw(st.sampled_from([0.0, 0.0, 10.0, 50.0]))
        workers.append(
            Worker(
                key=f"w{number}",
                hours=there,
                usual=40.0,
                fixed=(fixed,) * weeks,
                elsewhere=(frozenset({"D-0"} if fixed else ()),) * weeks,
                max_projects=draw(st.integers(1, 3)),
                week_parts=tuple(draw(left) for _ in range(weeks)) if draw(st.booleans()) else (),
            )
        )
    projects = tuple(
        Project(
            f"D-{number}",
            draw(st.sampled_from([3.0, 30.0, 100.0])),
            draw(st.integers(0, 1)),
            draw(st.sampled_from([0.0, 20.0])),
        )
        for number in range(draw(st.integers(1, 3)))
    )
    role_parts = {
        f"role {number}": tuple(draw(left) for _ in range(weeks))
        for number in range(len(projects))
        if draw(st.booleans())
    }
    requests = []
    for _ in range(draw(st.integers(0, most_requests))):
        project = draw(st.integers(0, len(projects) - 1))
        length = draw(st.integers(1, weeks - 1))
        first = draw(st.integers(0, weeks - 1 - length))
        asked = draw(st.sampled_from([8.0, 20.0, 40.0, 44.0]))
        need = [asked] * length
        if draw(st.booleans()):
            need[draw(st.integers(0, length - 1))] = draw(st.sampled_from([0.0, 10.0]))
        able = draw(st.sets(st.integers(0, len(workers) - 1)))
        candidates = tuple(
            Candidate(each, draw(st.sampled_from([0.0, 10.0]))) for each in sorted(able)
        )
        requests.append(Request(project, f"role {project}", first, tuple(need), candidates))
    return Problem(weeks, tuple(workers), projects, tuple(requests), role_parts=role_parts)


def ways(asked: Problem, number: int) -> Iterator[tuple[Assignment, ...]]:
    """Yields every way to meet a request that the solvers know of, but for stand-ins."""
    end = len(asked.requests[number].need)
    people = [each.worker for each in asked.requests[number].candidates]
    yield ()
    for each in people:
        for halves in (WHOLE, HALF):
            yield (Assignment(number, each, halves, 0, end),)
        for week in range(1, end):
            yield (Assignment(number, each, WHOLE, 0, week),)
            yield (Assignment(number, each, WHOLE, week, end),)
    for one, other in combinations(people, 2):
        yield (Assignment(number, one, HALF, 0, end), Assignment(number, other, HALF, 0, end))
    for one, other in product(people, people):
        for week in range(1, end if one != other else 0):
            yield (
                Assignment(number, one, WHOLE, 0, week),
                Assignment(number, other, WHOLE, week, end),
            )


def least_cost(asked: Problem) -> float:
    """Returns the cost of the best plan of a tiny problem, by trying all."""
    delays = product(*(range(each.max_delay + 1) for each in asked.projects))
    choices = [list(ways(asked, number)) for number in range(len(asked.requests))]
    best = float("inf")
    for delay in delays:
        for chosen in product(*choices):
            plan = Plan(delay, tuple(each for way in chosen for each in way))
            if not any(violations(asked, plan)):
                best = min(best, evaluate(asked, plan).cost)
    return best
