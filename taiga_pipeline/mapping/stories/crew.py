"""Who does a story of a deal, by what its mapping has for it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from sync.records.model import Reference
from taiga_pipeline.mapping.demand import Member, Staffing, named, role_of
from taiga_pipeline.mapping.stories.assignee import MANAGER, SELLERS, AssigneeRule
from taiga_pipeline.mapping.text import normalise, one_line
from taiga_pipeline.people.model import Allocation
from taiga_pipeline.pipeline.model import Deal
from taiga_pipeline.records import member_key

NO_ADDRESS: Final = "the address of {name} is not known: add it (people add ADDRESS NAME)"
SEVERAL: Final = "several people are called {name}: write the address instead"


@dataclass(frozen=True, slots=True)
class Crew:
    """A deal's project (its key) and its people: who is staffed on it, and all its members."""

    project: str
    deal: Deal
    staffing: Staffing
    members: Sequence[Member]


def who_does(rule: AssigneeRule, crew: Crew) -> Reference:
    """Returns the member whom a story is for; one without a key where that is no one (yet)."""
    if rule.role:
        return _member(crew, next(iter(in_role(rule.role, crew)), ""))
    if rule.address:
        return _member(crew, rule.address)
    if rule.field == MANAGER and MANAGER not in crew.deal.own:
        return _member(crew, next((each.email for each in crew.members if each.admin), ""))
    return _named(rule.field, crew)


def _named(field: str, crew: Crew) -> Reference:
    """Returns whom a field of the deal names: by an address, or by the name of one person."""
    deal = crew.deal
    value = one_line(str(getattr(deal, field) if field in SELLERS else deal.own.get(field, "")))
    name = normalise(value)
    if not name or "@" in name:
        return _member(crew, name)
    found = [each for each in crew.staffing.people.values() if normalise(each.name) == name]
    if len(found) == 1:
        return _member(crew, normalise(found[0].email))
    return Reference(None, (SEVERAL if found else NO_ADDRESS).format(name=value))


def in_role(role: str, crew: Crew) -> list[str]:
    """Returns the addresses of the members who work in a role (normalised), the first choice first.

    Those who are staffed in it come before members of the mapping who have it. Of the staffed, it
    is who works the most hours a week, then whose work begins first, then by address.
    """
    there = {normalise(each.email) for each in crew.members}
    works: dict[str, list[Allocation]] = {}
    for each in named(crew.staffing):
        if normalise(role_of(each, crew.staffing)) == role and normalise(each.email) in there:
            works.setdefault(normalise(each.email), []).append(each)
    staffed = sorted(works, key=lambda address: (*_weight(works[address]), address))
    standing = [each.email for each in crew.members if normalise(each.role) == role]
    return [*staffed, *(each for each in standing if each not in works)]


def _weight(works: Sequence[Allocation]) -> tuple[Decimal, date]:
    hours = sum((each.hours_per_week for each in works), Decimal(0))
    return -hours, min(each.start or date.min for each in works)


def _member(crew: Crew, address: str) -> Reference:
    return Reference(member_key(crew.project, address)) if address else Reference()
