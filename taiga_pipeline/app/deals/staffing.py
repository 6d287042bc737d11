"""Who is on a deal."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from taiga_pipeline.app.deals.booking import Beyond, Booker
from taiga_pipeline.app.pipeline_data import who_left
from taiga_pipeline.app.store_access import deal_store, people_store
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.mapping.errors import NotMapped
from taiga_pipeline.pipeline.model import Category

if TYPE_CHECKING:
    from taiga_pipeline.people.model import Allocation
    from taiga_pipeline.planning.capacity.overload import Overload


@dataclass(frozen=True, slots=True)
class Staffing:
    """Allocations of a deal. ``left`` are deals and addresses (in lower case) of those who left the
    deal's project in the tool: their hours count as a gap in every plan. ``won`` are the deals that
    are won: a reservation for one waits for nothing any more."""

    allocations: tuple[Allocation, ...]
    left: frozenset[tuple[str, str]]
    won: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class PutOn:
    """An allocation as it was stored. ``stays_away`` says that the person left the deal's project
    before, and is not added to it again just so. ``overloads`` are the weeks in which the person is
    now asked for more hours than they have; ``beyond`` is what the role has more than the deal asks
    for."""

    allocation: Allocation
    stays_away: bool
    overloads: tuple[Overload, ...] = ()
    beyond: Beyond | None = None


def staffing_of(workspace: Workspace, key: str) -> Staffing:
    """Returns who is on a deal.

    :raises UnknownDeal: there is no such deal.
    """
    with deal_store(workspace) as store, people_store(workspace) as people:
        allocations = tuple(people.allocations(deal_key=store.get(key).key))
    return Staffing(allocations, who_left(workspace), won_among(workspace, [key]))


def won_among(workspace: Workspace, keys: Iterable[str]) -> frozenset[str]:
    """Returns which of some deals are won, by their mappings."""
    mappings, won = workspace.load_mappings(), set()
    with deal_store(workspace) as store:
        for key in sorted(set(keys)):
            deal = store.find(key)
            with suppress(NotMapped):
                if deal and mappings.stage_of(deal)[1].category is Category.WON:
                    won.add(key)
    return frozenset(won)


def put_on(
    workspace: Workspace, allocation: Allocation, *, by_stage: bool = False, by: str = ""
) -> PutOn:
    """Puts a person on a deal. The same person, deal, role and start is a change.

    With ``by_stage``, a change stays confirmed or reserved as it was, and a new allocation is
    confirmed on a won deal and a reservation on any other; else ``allocation.confirmed`` counts.

    :raises UnknownDeal: there is no such deal.
    :raises UnknownPerson: no person on the roster has this address.
    :raises UnknownName: nobody has the role, and no deal or mapping asks for it; names the nearest.
    :raises InvalidValue: what cannot be stored.
    """
    with people_store(workspace, by=by) as people, deal_store(workspace) as deals:
        deals.get(allocation.deal_key)
        people.get(allocation.email)
        booker = Booker(workspace, people)
        stored = people.allocate(booker.settled(allocation, says_status=not by_stage))
        overloads, beyond = booker.overloads(stored), booker.beyond(stored)
    who = (allocation.deal_key, allocation.email.casefold())
    return PutOn(stored, who in who_left(workspace), overloads, beyond)


def take_off(
    workspace: Workspace, key: str, email: str, role: str = "", *, by: str = ""
) -> tuple[Allocation, ...]:
    """Takes a person off a deal in one role ("": in all), and returns what was taken away.

    :raises UnknownName: there is nothing to take away.
    """
    with people_store(workspace, by=by) as people:
        return tuple(people.release(key, email, role))
