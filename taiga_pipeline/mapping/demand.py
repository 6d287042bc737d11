"""Who is needed for a deal, who is there, and what stays open."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from itertools import pairwise
from math import inf
from typing import Final

from taiga_pipeline.mapping.dates import shift
from taiga_pipeline.mapping.model import WordsTable
from taiga_pipeline.mapping.rules import PhaseRule, RoleRule, Rules
from taiga_pipeline.mapping.several.phase_dates import spans
from taiga_pipeline.mapping.text import iso, normalise, one_line, plain_number
from taiga_pipeline.people.model import Allocation, Person
from taiga_pipeline.pipeline.model import Deal, RoleDemand
from taiga_pipeline.pipeline.notation import MAX_HOURS
from taiga_pipeline.pipeline.rates import Rates

_STEP: Final = Decimal("0.5")
"""Hours that follow a deal's value are rounded to half an hour a week, and never to nothing."""

NO_RATE: Final = (
    "planning.rates has no rate for {currency}, so the hours of {file} do not follow its value "
    "(per_value)"
)


@dataclass(frozen=True, slots=True)
class Staffing:
    """Who was put on a deal. ``people`` are by lower-case e-mail; others may be in it."""

    allocations: tuple[Allocation, ...] = ()
    people: Mapping[str, Person] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Member:
    """Someone who is to be a member, in one role."""

    email: str
    role: str
    admin: bool = False
    reason: str = "staffed on the deal"
    origin: str = "allocations"


def deal_demand(deal: Deal, rules: Rules) -> tuple[RoleDemand, ...]:
    """Returns whom a deal needs: what it states itself, else what its mapping has for it.

    Hours that follow the deal's value stay as they are where its currency has no rate. Of a deal
    with phases, each phase's weeks are counted on from the deal's start.
    """
    if rules.phases:
        return tuple(_of_all_phases(deal, rules))
    return deal.roles or _of_mapping(deal, rules)


def phase_demand(deal: Deal, rules: Rules, phase: PhaseRule) -> tuple[RoleDemand, ...]:
    """Returns whom a phase of a deal needs; weeks count from the phase's start.

    What the deal states itself takes the place of the roles of the phase that takes it.
    """
    own = _of_mapping(deal, phase.rules)
    return deal.roles or own or _of_mapping(deal, rules) if phase.takes_roles else own


def days_of(demand: Iterable[RoleDemand], rules: Rules) -> int:
    """Returns how many days work and milestones take, from the first day on."""
    weeks = (7 * _end(item) for item in demand)
    return max(0, *weeks, *(rule.finish + 1 for rule in rules.milestones), 0)


def _of_all_phases(deal: Deal, rules: Rules) -> Iterator[RoleDemand]:
    demands = {phase.id: phase_demand(deal, rules, phase) for phase in rules.phases}
    days = {phase.id: days_of(demands[phase.id], phase.rules) for phase in rules.phases}
    found = spans(rules.phases, days)
    for name, demand in demands.items():
        for item in demand:
            yield replace(item, start_week=item.start_week + found[name].first // 7)


def _of_mapping(deal: Deal, rules: Rules) -> tuple[RoleDemand, ...]:
    return tuple(_scaled(rule, deal, rules.rates) for rule in _of_service(deal, rules))


def _of_service(deal: Deal, rules: Rules) -> Iterator[RoleRule]:
    service = normalise(deal.service)
    for rule in rules.demand:
        if not rule.services or service in rule.services:
            yield rule


def follows_value(deal: Deal, rules: Rules) -> bool:
    """Whether hours of a deal follow its value: those of its mapping, where it states no roles.

    The hours of phases do, but for those that the deal's roles take the place of.
    """
    mine = [each.rules for each in rules.phases if not (each.takes_roles and deal.roles)]
    mine += [] if deal.roles else [rules]
    scaled = any(rule.per_value is not None for each in mine for rule in _of_service(deal, each))
    return scaled and deal.value is not None and deal.value > 0


def _scaled(rule: RoleRule, deal: Deal, rates: Rates) -> RoleDemand:
    if rule.per_value is None or not rates.can_compare(deal.currency):
        return rule.demand
    value, _ = rates.convert(deal.value, deal.currency)
    if value is None or value <= 0:
        return rule.demand
    hours = rule.demand.hours_per_week * value / rule.per_value
    steps = max(Decimal(1), (hours / _STEP).to_integral_value())
    return replace(rule.demand, hours_per_week=min(steps * _STEP, MAX_HOURS))


def named(staffing: Staffing) -> tuple[Allocation, ...]:
    """Returns the allocations of someone. A won deal makes reservations real."""
    return tuple(item for item in staffing.allocations if item.email.strip())


def members(
    staffing: Staffing, demand: Sequence[RoleDemand], words: WordsTable
) -> tuple[Member, ...]:
    """Returns who joins a won deal's project, by address.

    Of several roles the one with the most hours counts.

    A role is spelled as the demand spells it; without one it is the person's own.
    """
    spelling = {normalise(item.role): one_line(item.role) for item in demand}
    hours: dict[str, dict[str, Decimal]] = {}
    for allocation in named(staffing):
        email = normalise(allocation.email)
        role = one_line(allocation.role) or _own_role(staffing, email) or words.member
        role = spelling.setdefault(normalise(role), role)
        roles = hours.setdefault(email, {})
        roles[role] = roles.get(role, Decimal(0)) + allocation.hours_per_week
    return tuple(
        Member(email, max(hours[email], key=hours[email].__getitem__)) for email in sorted(hours)
    )


def role_of(allocation: Allocation, staffing: Staffing) -> str:
    """Returns the role in which someone works: the allocation's, else the person's own."""
    return one_line(allocation.role) or _own_role(staffing, normalise(allocation.email))


def _own_role(staffing: Staffing, email: str) -> str:
    person = staffing.people.get(email)
    return one_line(person.role) if person else ""


def open_demand(
    demand: Sequence[RoleDemand], staffing: Staffing, start: date | None
) -> tuple[RoleDemand, ...]:
    """Returns the demand that allocations leave open, role by role and week by week.

    An allocation covers each week that it touches; without dates (or with no ``start`` to count
    the weeks from) it covers all of them.
    """
    by_role: dict[str, list[Allocation]] = {}
    for allocation in named(staffing):
        role = allocation.role or _own_role(staffing, normalise(allocation.email))
        by_role.setdefault(normalise(role), []).append(allocation)
    still_open: list[RoleDemand] = []
    for role in dict.fromkeys(normalise(item.role) for item in demand):
        wanted = [item for item in demand if normalise(item.role) == role]
        there = by_role.get(role)
        still_open += _uncovered(wanted, there, start) if there else wanted
    return tuple(still_open)


def beyond_demand(
    demand: Sequence[RoleDemand], staffing: Staffing, role: str, start: date | None
) -> Decimal:
    """Returns the hours that people are on a deal in a role beyond what it asks for, week by week.

    An allocation without a first or last day begins or ends with what the deal asks for of the
    role (of all roles, where it asks for none of this one). 0 for a deal that asks for nothing.
    """
    wanted = [item for item in demand if normalise(item.role) == normalise(role)]
    around = wanted or demand
    if not around:
        return Decimal(0)
    begin, end = min(item.start_week for item in around), max(map(_end, around))
    hours: dict[int, Decimal] = {}
    for each in named(staffing):
        if normalise(role_of(each, staffing)) == normalise(role):
            first, after = _weeks(each, start)
            first, after = begin if first == -inf else first, end if after == inf else after
            for week in range(int(first), int(after)):
                hours[week] = hours.get(week, Decimal(0)) + each.hours_per_week
    for item in wanted:
        for week in range(item.start_week, _end(item)):
            hours[week] = hours.get(week, Decimal(0)) - item.hours_per_week
    return sum((each for each in hours.values() if each > 0), Decimal(0))


def _uncovered(
    wanted: Sequence[RoleDemand], there: Sequence[Allocation], start: date | None
) -> Iterator[RoleDemand]:
    """Yields what is open of one role, weeks of equal hours and skills taken together."""
    spans = [(_weeks(item, start), item.hours_per_week) for item in there]
    cuts = {week for item in wanted for week in (item.start_week, _end(item))}
    begin, end = min(cuts), max(cuts)
    cuts |= {int(week) for weeks, _ in spans for week in weeks if begin < week < end}
    last: RoleDemand | None = None
    for first, after in pairwise(sorted(cuts)):
        asked = [item for item in wanted if item.start_week <= first < _end(item)]
        hours = sum((item.hours_per_week for item in asked), Decimal(0))
        hours -= sum((each for (from_, to), each in spans if from_ <= first < to), Decimal(0))
        skills = tuple(dict.fromkeys(skill for item in asked for skill in item.skills))
        if last and hours == last.hours_per_week and skills == last.skills:
            last = replace(last, weeks=last.weeks + after - first)
            continue
        if last:
            yield last
        role = wanted[0].role
        last = RoleDemand(role, hours, after - first, first, skills) if hours > 0 else None
    if last:
        yield last


def _end(item: RoleDemand) -> int:
    return item.start_week + item.weeks


def _weeks(allocation: Allocation, start: date | None) -> tuple[float, float]:
    """Returns the first week that an allocation covers and the one after the last."""
    if start is None:
        return -inf, inf
    first = -inf if allocation.start is None else (allocation.start - start).days // 7
    last = inf if allocation.end is None else (allocation.end - start).days // 7
    return first, last + 1


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
