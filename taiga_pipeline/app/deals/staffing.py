"""Who is on a deal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from taiga_pipeline.app.pipeline_data import who_left
from taiga_pipeline.app.store_access import deal_store, people_store
from taiga_pipeline.app.workspace import Workspace

if TYPE_CHECKING:
    from taiga_pipeline.people.model import Allocation


@dataclass(frozen=True, slots=True)
class Staffing:
    """Allocations of a deal. ``left`` are deals and addresses (in lower case) of those who left the
    deal's project in the tool: their hours count as a gap in every plan."""

    allocations: tuple[Allocation, ...]
    left: frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class PutOn:
    """An allocation as it was stored. ``stays_away`` says that the person left the deal's project
    before, and is not added to it again just so."""

    allocation: Allocation
    stays_away: bool


def staffing_of(workspace: Workspace, key: str) -> Staffing:
    """Returns who is on a deal.

    :raises UnknownDeal: there is no such deal.
    """
    with deal_store(workspace) as store, people_store(workspace) as people:
        allocations = tuple(people.allocations(deal_key=store.get(key).key))
    return Staffing(allocations, who_left(workspace))


def put_on(workspace: Workspace, allocation: Allocation) -> PutOn:
    """Puts a person on a deal. The same person, deal, role and start is a change.

    :raises UnknownDeal: there is no such deal.
    :raises UnknownPerson: no person on the roster has this address.
    :raises InvalidValue: what cannot be stored.
    """
    with people_store(workspace) as people:
        stored = people.allocate(allocation)
    who = (allocation.deal_key, allocation.email.casefold())
    return PutOn(stored, who in who_left(workspace))


def take_off(workspace: Workspace, key: str, email: str, role: str = "") -> tuple[Allocation, ...]:
    """Takes a person off a deal in one role ("": in all), and returns what was taken away.

    :raises UnknownName: there is nothing to take away.
    """
    with people_store(workspace) as people:
        return tuple(people.release(key, email, role))
