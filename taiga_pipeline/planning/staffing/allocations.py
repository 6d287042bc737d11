"""A plan in terms of allocations: who, on which deal, in which role, how many hours, from when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from taiga_pipeline.mapping.text import normalise
from taiga_pipeline.people.calendar import WORKING_DAYS
from taiga_pipeline.people.model import Allocation
from taiga_pipeline.pipeline.text import folded
from taiga_pipeline.planning.staffing.build import Case
from taiga_pipeline.planning.staffing.problem import (
    TOLERANCE,
    WHOLE,
    Assignment,
    Plan,
    given,
    met,
    week_of,
)
from taiga_pipeline.planning.weeks import WEEK, monday

QUARTER: Final = Decimal("0.25")
"""Hours per week are written in steps of this size, rounded down."""

_Identity = tuple[str, str, str, date | None]

_Row = dict[int, float]
"""Hours of a full week, by week."""


@dataclass(frozen=True, slots=True)
class Suggested:
    """An allocation that a plan asks for, and why this person."""

    allocation: Allocation
    why: str


def allocations_of(case: Case, plan: Plan) -> list[Suggested]:
    """Returns the allocations that carry out a plan, by deal, role, person and first day.

    Weeks of equal hours make one allocation; weeks in which someone is away do not part them.
    """
    rows: dict[tuple[str, str, str], _Row] = defaultdict(dict)
    reasons: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for assignment in plan.assignments:
        piece = case.pieces[assignment.request]
        place = piece.work.key, piece.role, case.people[assignment.worker].email
        for week, gives in _full_weeks(case, plan, assignment):
            rows[place][week] = rows[place].get(week, 0.0) + gives
        reasons[place].append(_why(case, assignment))
    works = {work.key: work for work in case.works}
    starts = {
        work.key: work.start + WEEK * weeks
        for work, weeks in zip(case.works, plan.delays, strict=True)
    }
    away = {
        worker.key: {week for week, hours in enumerate(worker.hours) if hours <= TOLERANCE}
        for worker in case.problem.workers
    }
    found = []
    for (key, role, email), row in sorted(rows.items()):
        why = "; ".join(dict.fromkeys(reasons[key, role, email]))
        for first, last, hours in _spans(row, away[email]):
            start = max(case.week(first), starts[key]) if first == min(row) else None
            allocation = Allocation(
                deal_key=key,
                email=email,
                role=role,
                hours_per_week=hours,
                start=start or case.week(first),
                end=case.week(last) + timedelta(days=6),
                confirmed=works[key].confirmed,
            )
            found.append(Suggested(allocation, why))
    return found


def _full_weeks(case: Case, plan: Plan, assignment: Assignment) -> Iterator[tuple[int, float]]:
    """Yields the weeks of an assignment with the hours that a full week of it has.

    Who takes their whole share of a week takes it in any week, however short it is.
    """
    problem = case.problem
    begin = week_of(problem, assignment.request, plan.delays)
    worker, share = problem.workers[assignment.worker], assignment.halves / WHOLE
    need = problem.requests[assignment.request].need
    hours, meets = given(problem, assignment, begin), met(problem, assignment, begin)
    for at, gives, each in zip(range(assignment.first, assignment.end), hours, meets, strict=True):
        if each <= TOLERANCE:
            continue
        whole, there = share * need[at], worker.hours[begin + at]
        if gives < whole * there / worker.usual - TOLERANCE:
            whole = gives * worker.usual / there
        yield begin + at, whole


def _spans(row: _Row, away: Collection[int]) -> Iterator[tuple[int, int, Decimal]]:
    """Yields first week, last week and hours; weeks ``away`` go with those before them."""
    first, last, hours = -1, -1, Decimal(0)
    for week in sorted(row):
        now = _rounded(row[week])
        if now != hours or any(between not in away for between in range(last + 1, week)):
            if hours:
                yield first, last, hours
            first, hours = week, now
        last = week
    if hours:
        yield first, last, hours


def _rounded(hours: float) -> Decimal:
    steps = int(hours / float(QUARTER) + TOLERANCE)
    return (steps * QUARTER).normalize() + 0


def _why(case: Case, assignment: Assignment) -> str:
    problem, piece = case.problem, case.pieces[assignment.request]
    person = case.people[assignment.worker]
    own = normalise(person.role) == normalise(piece.role)
    reasons = ["own role" if own else "has it as a skill"]
    if piece.work.team and person.team and normalise(person.team) != normalise(piece.work.team):
        reasons.append(f"of team {person.team}")
    weeks = len(problem.requests[assignment.request].need)
    if assignment.end - assignment.first < weeks:
        reasons.append(f"for {assignment.end - assignment.first} of {weeks} weeks")
    if assignment.halves < WHOLE:
        reasons.append("half of it")
    for wish in case.rules.wishes:
        if wish.email == person.email and wish.concerns(piece.work):
            reasons.append("prefers not to" if wish.avoid else "as wished")
    return ", ".join(reasons)


def merged(wanted: Iterable[Allocation], present: Iterable[Allocation]) -> list[Allocation]:
    """Returns allocations to be stored so that no one loses hours they have already.

    The store knows one allocation by deal, person, role and first day. Where one of ``present``
    has the same, hours are added up for the days in common, and the longer one goes on alone.
    """
    there = {identity(each): each for each in present}
    found: dict[_Identity, Allocation] = {}
    left = list(wanted)
    while left:
        each = left.pop(0)
        where = identity(each)
        other = found.get(where) or there.get(where)
        if other is None:
            found[where] = each
        else:
            found[where], *rest = _sum(each, other)
            left += rest  # where it goes on, there may be another one
    return list(found.values())


def identity(allocation: Allocation) -> _Identity:
    """Returns what makes an allocation the same as another in the store."""
    return allocation.deal_key, allocation.email, folded(allocation.role), allocation.start


def _sum(new: Allocation, old: Allocation) -> Iterator[Allocation]:
    ends = [each.end for each in (new, old) if each.end is not None]
    common = min(ends) if ends else None
    hours = new.hours_per_week + old.hours_per_week
    yield replace(new, hours_per_week=hours, end=common, confirmed=new.confirmed or old.confirmed)
    for each in (new, old):
        if common is not None and (rest := _working_day_after(common, each.end)):
            yield replace(each, start=rest)


def _working_day_after(day: date, last: date | None) -> date | None:
    """Returns the next working day; None if there is none before ``last`` is over."""
    after = day + timedelta(days=1)
    if after.weekday() >= WORKING_DAYS:
        after = monday(after) + WEEK
    return after if last is None or after <= last else None
