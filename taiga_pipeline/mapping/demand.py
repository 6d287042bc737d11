"""Who is needed for a deal, who is there, and what stays open."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from taiga_pipeline.mapping.dates import shift
from taiga_pipeline.mapping.model import WordsTable
from taiga_pipeline.mapping.text import iso, normalise, one_line, plain_number
from taiga_pipeline.people.model import Allocation, Person
from taiga_pipeline.pipeline.model import RoleDemand


@dataclass(frozen=True, slots=True)
class Staffing:
    """Who was put on a deal. ``people`` are by lower-case e-mail; others may be in it."""

    allocations: tuple[Allocation, ...] = ()
    people: Mapping[str, Person] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who is to be a member, in one role."""

    email: str
    role: str


def confirmed(staffing: Staffing) -> tuple[Allocation, ...]:
    """Returns the allocations that are more than a reservation."""
    return tuple(item for item in staffing.allocations if item.confirmed and item.email.strip())


def members(
    staffing: Staffing, demand: Sequence[RoleDemand], words: WordsTable
) -> tuple[Member, ...]:
    """Returns who joins, by address. Of several roles the one with the most hours counts.

    A role is spelled as the demand spells it; without one it is the person's own.
    """
    spelling = {normalise(item.role): one_line(item.role) for item in demand}
    hours: dict[str, dict[str, Decimal]] = {}
    for allocation in confirmed(staffing):
        email = normalise(allocation.email)
        role = one_line(allocation.role) or _own_role(staffing, email) or words.member
        role = spelling.setdefault(normalise(role), role)
        roles = hours.setdefault(email, {})
        roles[role] = roles.get(role, Decimal(0)) + allocation.hours_per_week
    return tuple(
        Member(email, max(hours[email], key=hours[email].__getitem__)) for email in sorted(hours)
    )


def _own_role(staffing: Staffing, email: str) -> str:
    person = staffing.people.get(email)
    return one_line(person.role) if person else ""


def open_demand(
    demand: Sequence[RoleDemand], staffing: Staffing, start: date | None
) -> tuple[RoleDemand, ...]:
    """Returns the demand that confirmed allocations leave open, role by role and week by week.

    An allocation covers each week that it touches; without dates (or with no ``start`` to count
    the weeks from) it covers all of them.
    """
    by_role: dict[str, list[Allocation]] = {}
    for allocation in confirmed(staffing):
        role = allocation.role or _own_role(staffing, normalise(allocation.email))
        by_role.setdefault(normalise(role), []).append(allocation)
    still_open: list[RoleDemand] = []
    for role in dict.fromkeys(normalise(item.role) for item in demand):
        wanted = [item for item in demand if normalise(item.role) == role]
        there = by_role.get(role)
        still_open += _uncovered(wanted, there, start) if there else wanted
    return tuple(still_open)


def _uncovered(
    wanted: Sequence[RoleDemand], there: Sequence[Allocation], start: date | None
) -> Iterator[RoleDemand]:
    """Yields what is open of one role, weeks of equal hours and skills taken together."""
    span: RoleDemand | None = None
    first = min(item.start_week for item in wanted)
    last = max(item.start_week + item.weeks for item in wanted)
    for week in range(first, last + 1):
        asked = [item for item in wanted if item.start_week <= week < item.start_week + item.weeks]
        hours = sum((item.hours_per_week for item in asked), Decimal(0))
        hours -= sum(
            (item.hours_per_week for item in there if _covers(item, week, start)), Decimal(0)
        )
        skills = tuple(dict.fromkeys(skill for item in asked for skill in item.skills))
        if span and hours == span.hours_per_week and skills == span.skills:
            span = RoleDemand(span.role, hours, span.weeks + 1, span.start_week, skills)
            continue
        if span:
            yield span
        span = RoleDemand(wanted[0].role, hours, 1, week, skills) if hours > 0 else None


def _covers(allocation: Allocation, week: int, start: date | None) -> bool:
    first, last = shift(start, week * 7), shift(start, week * 7 + 6)
    if first is None or last is None:
        return True
    begins = allocation.start is None or allocation.start <= last
    ends = allocation.end is None or allocation.end >= first
    return begins and ends


def written_demand(demand: Iterable[RoleDemand], start: date | None, words: WordsTable) -> str:
    """Returns ``Back 30 h/week x 10 weeks from 2026-12-01; Design ...``."""
    return "; ".join(_written(item, start, words) for item in demand)


def _written(item: RoleDemand, start: date | None, words: WordsTable) -> str:
    skills = f" ({', '.join(map(one_line, item.skills))})" if item.skills else ""
    weeks = words.week if item.weeks == 1 else words.weeks
    day = iso(shift(start, item.start_week * 7))
    since = f" {words.from_date} {day}" if day else ""
    hours = f"{plain_number(item.hours_per_week)} {words.hours_per_week}"
    return f"{one_line(item.role)}{skills} {hours} x {item.weeks} {weeks}{since}"
