"""What an allocation leaves unsaid, and what it does to the person's weeks."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Final

from taiga_pipeline.app.pipeline_data import reported_facts, who_left
from taiga_pipeline.app.planning.inputs import holidays_source, reported_milestones
from taiga_pipeline.app.store_access import deal_store
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.mapping.demand import Staffing, beyond_demand, deal_demand
from taiga_pipeline.mapping.errors import NotMapped
from taiga_pipeline.mapping.text import normalise
from taiga_pipeline.people.calendar import working_hours
from taiga_pipeline.pipeline.errors import UnknownName
from taiga_pipeline.pipeline.model import Category, Deal
from taiga_pipeline.planning.attendance import Attendance
from taiga_pipeline.planning.capacity.overload import Overload, overloads
from taiga_pipeline.planning.demand.deals import Situation, find_demand
from taiga_pipeline.planning.outlook import Outlooks
from taiga_pipeline.planning.weeks import Weeks, monday
from taiga_pipeline.problems import ProblemsError, nearest

if TYPE_CHECKING:
    from taiga_pipeline.mapping.mapping_set import MappingSet
    from taiga_pipeline.people.model import Allocation
    from taiga_pipeline.people.store import PeopleStore

_FAR: Final = 156
"""So many weeks are looked at for hours that are too many."""

_Identity = tuple[str, str, str, date | None]


class UnknownAllocationRole(UnknownName):
    """A role that no one has, no deal asks for and no mapping names."""

    def __init__(self, name: str, known: list[str]) -> None:
        near = nearest(name, known)
        meant = f"; did you mean {near!r}?" if near else ""
        super().__init__(
            f"no person has the role {name!r}, and no deal or mapping asks for it{meant} (roles: "
            f"{', '.join(known)})",
            name,
            near,
            known,
        )


@dataclass(frozen=True, slots=True)
class Beyond:
    """Hours for which people are on a deal in a role beyond those that it asks for (``asked``)."""

    deal_key: str
    role: str
    hours: Decimal
    asked: Decimal

    def __str__(self) -> str:
        if not self.asked:
            return (
                f"{self.deal_key} asks for no {self.role}: plans and its budget count the "
                f"{self.hours:g} h all the same"
            )
        return (
            f"{self.deal_key} has {self.hours:g} h of {self.role} beyond the {self.asked:g} h that "
            "it asks for: plans and its budget count them"
        )


class Booker:
    """Looks at allocations before they are stored. Reads what it needs once."""

    def __init__(self, workspace: Workspace, people: PeopleStore) -> None:
        self._workspace = workspace
        self._people = people
        self._deals: dict[str, Deal | None] = {}

    def settled(self, allocation: Allocation, *, says_status: bool) -> Allocation:
        """Returns an allocation as it is to be stored.

        Where nothing says whether it is confirmed (``says_status``), it stays what it is in the
        store; a new one is confirmed on a won deal, and a reservation on any other.

        :raises UnknownAllocationRole: nobody has the role, and nothing asks for it.
        """
        present = self._present.get(_identity(allocation))
        if present is None:
            self._check_role(allocation)
        if says_status:
            return allocation
        confirmed = self._is_won(allocation.deal_key) if present is None else present.confirmed
        return replace(allocation, confirmed=confirmed)

    def overloads(self, allocation: Allocation) -> tuple[Overload, ...]:
        """Returns when the person of a stored allocation has too many hours because of it."""
        if self._mappings is None:
            return ()
        today = self._workspace.today
        weeks = Weeks(monday(today), _FAR)
        person = self._people.get(allocation.email)
        off = tuple(self._people.time_off(person.email))
        mine = tuple(self._people.allocations(email=person.email))
        deals = filter(None, map(self._deal, dict.fromkeys(each.deal_key for each in mine)))
        with deal_store(self._workspace) as store:
            joins = store.joins()
        hours = working_hours(
            [person],
            off,
            list(weeks),
            holidays_of=holidays_source(),
            default_country=self._workspace.settings.planning.calendar,
        )
        situation = Situation(
            as_of=today,
            deals=tuple(deals),
            people=(person,),
            time_off=off,
            allocations=mine,
            milestones=reported_milestones(reported_facts(self._workspace), joins),
            left=who_left(self._workspace),
        )
        attendance = Attendance([person], off, list(weeks), hours)
        demand = find_demand(situation, self._mappings, Outlooks(), weeks, attendance)
        there = {person.email: dict(zip(weeks, hours.by_person[person.email], strict=True))}
        return tuple(
            each
            for each in overloads([person], demand, there)
            if allocation.deal_key in dict(each.deals)
        )

    def beyond(self, allocation: Allocation) -> Beyond | None:
        """Returns what the role of a stored allocation has beyond what its deal asks for, None
        where that is nothing, or unknown."""
        deal = self._deal(allocation.deal_key)
        rules = None
        with suppress(NotMapped):
            rules = self._mappings.choose(deal) if self._mappings and deal else None
        if deal is None or rules is None:
            return None
        demand, role = deal_demand(deal, rules), allocation.role
        there = Staffing(tuple(self._people.allocations(deal_key=deal.key)))
        hours = beyond_demand(demand, there, role, deal.start)
        asked = [each for each in demand if normalise(each.role) == normalise(role)]
        whole = sum((each.hours_per_week * each.weeks for each in asked), Decimal(0))
        return Beyond(deal.key, role, hours, whole) if hours else None

    @cached_property
    def _mappings(self) -> MappingSet | None:
        try:
            return self._workspace.load_mappings()
        except ProblemsError:  # which other commands report; an allocation needs none
            return None

    @cached_property
    def _present(self) -> dict[_Identity, Allocation]:
        return {_identity(each): each for each in self._people.allocations()}

    def _deal(self, key: str) -> Deal | None:
        if key not in self._deals:
            with deal_store(self._workspace) as store:
                try:
                    self._deals[key] = store.get(key)
                except UnknownName:  # the store of people says so
                    self._deals[key] = None
        return self._deals[key]

    def _is_won(self, key: str) -> bool:
        deal = self._deal(key.strip())
        if deal is None or self._mappings is None:
            return True
        try:
            _, stage = self._mappings.stage_of(deal)
        except NotMapped:
            return False
        return stage.category is Category.WON

    def _check_role(self, allocation: Allocation) -> None:
        name = normalise(allocation.role)
        if not name or name in self._usual or name in self._asked_by(allocation.deal_key):
            return
        known = {**self._of_deals, **self._asked_by(allocation.deal_key), **self._usual}
        if known and name not in known:
            raise UnknownAllocationRole(allocation.role, sorted(known.values()))

    @cached_property
    def _usual(self) -> dict[str, str]:
        """The roles and skills of people and the roles of mappings, as they are spelled."""
        names = [name for person in self._people.people() for name in (person.role, *person.skills)]
        for rules in self._mappings.rules if self._mappings else ():
            names += [rule.demand.role for rule in rules.demand]
            names += [rule.role for rule in rules.members]
            for phase in rules.phases:
                names += [rule.demand.role for rule in phase.rules.demand]
                names += [rule.role for rule in phase.rules.members]
        return {normalise(name): name for name in reversed(names) if name}

    def _asked_by(self, key: str) -> dict[str, str]:
        deal = self._deal(key.strip())
        if deal is None:
            return {}
        roles = [each.role for each in deal.roles]
        with suppress(NotMapped):
            rules = self._mappings.choose(deal) if self._mappings else None
            roles += [each.role for each in deal_demand(deal, rules)] if rules else []
        return {normalise(role): role for role in roles}

    @cached_property
    def _of_deals(self) -> dict[str, str]:
        with deal_store(self._workspace) as store:
            return {normalise(r.role): r.role for deal in store.deals() for r in deal.roles}


def _identity(allocation: Allocation) -> _Identity:
    """Returns what makes an allocation the same as another in the store."""
    email, role = allocation.email.strip().lower(), normalise(allocation.role)
    return allocation.deal_key.strip(), email, role, allocation.start
