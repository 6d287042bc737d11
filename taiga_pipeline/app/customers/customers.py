"""Customers: lists, all about one, and names that are joined or kept apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from taiga_pipeline.app.customers.records import Past, customer_store, same_name
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.pipeline.customers.names import LookAlike, look_alikes
from taiga_pipeline.pipeline.customers.store import Joined, UnknownCustomer
from taiga_pipeline.pipeline.text import folded, line
from taiga_pipeline.planning.lessons.customer import (
    CustomerTotals,
    DeliveryRecord,
    KnownContact,
    contacts_of,
    delivery_record,
    totals_by_customer,
)

if TYPE_CHECKING:
    from taiga_pipeline.planning.lessons.experience import Experience


ORDERS: Final[Mapping[str, Callable[[CustomerTotals], Any]]] = {
    "name": lambda each: (folded(each.name), each.name),
    "won": lambda each: (-max(each.value_won.values(), default=0), -each.won),
    "open": lambda each: (-max(each.value_open.values(), default=0), -each.open),
    "deals": lambda each: -each.deals,
    "last": lambda each: -(each.last.toordinal() if each.last else 0),
}
"""By what customers can be sorted. Amounts of several currencies count by the greatest."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Names that may be one customer. ``most`` is the one that most deals have.

    ``joined`` are pairs of them of which the first was joined into the second before: deals that
    came later have the first name again.
    """

    look_alike: LookAlike
    most: str
    joined: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Customers:
    """Customers by name, and the names that may be one customer written two ways."""

    customers: tuple[CustomerTotals, ...]
    suggestions: tuple[Suggestion, ...]


@dataclass(frozen=True, slots=True)
class CustomerDetails:
    """All about a customer; deals in the order in which they were or will be decided.

    ``own`` counts what its deals hold in fields of the user's own: field -> text -> deals.
    ``notices`` say what cannot be known. ``joined`` are the names that were joined into this one.
    """

    totals: CustomerTotals
    deals: tuple[Experience, ...]
    contacts: tuple[KnownContact, ...]
    delivery: DeliveryRecord
    own: Mapping[str, Mapping[str, int]]
    suggestions: tuple[Suggestion, ...]
    notices: tuple[str, ...]
    joined: tuple[str, ...] = ()


def list_customers(workspace: Workspace, *, text: str = "", order: str = "name") -> Customers:
    """Returns customers in an order of `ORDERS`.

    With ``text``, those in whose name it occurs, but for case.

    :raises ProblemsError: what is wrong with the configuration or the mappings.
    :raises Unreachable: the source does not answer.
    """
    past = Past(workspace)
    totals = totals_by_customer(past.outlines, past.outcome, workspace.rates)
    wanted = folded(line(text))
    found = sorted((each for each in totals if wanted in folded(each.name)), key=ORDERS[order])
    names = {each.name for each in found}
    suggested = _suggestions(workspace, {each.name: each.deals for each in totals})
    return Customers(tuple(found), tuple(s for s in suggested if names & set(s.look_alike.names)))


def show_customer(workspace: Workspace, name: str) -> CustomerDetails:
    """Returns all about a customer. The name's case does not matter where only one is like it.

    :raises UnknownCustomer: no deal has it; names the nearest.
    :raises ProblemsError: what is wrong with the configuration or the mappings.
    :raises Unreachable: the source does not answer.
    """
    past = Past(workspace)
    known = Counter(deal.customer for deal in past.outlines if deal.customer)
    meant = same_name(line(name), known)
    if not meant:
        raise UnknownCustomer(line(name), sorted(known))
    mine = [deal for deal in past.outlines if deal.customer == meant]
    mine.sort(key=lambda deal: (str(deal.closed_on or deal.expected_close or "9"), deal.key))
    (totals,) = totals_by_customer(mine, past.outcome, workspace.rates)
    found = past.experiences([deal.key for deal in mine])
    return CustomerDetails(
        totals=totals,
        deals=tuple(found),
        contacts=contacts_of(each.deal for each in found),
        delivery=delivery_record(found),
        own=_own(workspace, found),
        suggestions=tuple(
            each for each in _suggestions(workspace, known) if meant in each.look_alike.names
        ),
        notices=past.notices,
        joined=_joined_into(workspace, meant),
    )


def _joined_into(workspace: Workspace, name: str) -> tuple[str, ...]:
    if not workspace.has_store:
        return ()
    with customer_store(workspace) as store:
        return tuple(sorted(before for before, after in store.joins() if after == name))


def _own(workspace: Workspace, found: Collection[Experience]) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = {}
    for field in workspace.fields.own:
        for each in found:
            if text := each.deal.own.get(field.name, ""):
                values = counts.setdefault(field.name, {})
                values[text] = values.get(text, 0) + 1
    return counts


def _suggestions(workspace: Workspace, deals: Mapping[str, int]) -> list[Suggestion]:
    """Returns names that may be one customer; ``deals`` counts each name's."""
    joins: Collection[tuple[str, str]] = ()
    apart: Collection[tuple[str, str]] = ()
    if workspace.has_store:
        with customer_store(workspace) as store:
            joins, apart = store.joins(), store.apart()
    return [
        Suggestion(
            each,
            max(each.names, key=lambda name: (deals.get(name, 0), not name.isupper())),
            tuple(sorted(j for j in joins if {*j} <= {*each.names})),
        )
        for each in look_alikes(deals, apart)
    ]


def join_customers(workspace: Workspace, name: str, into: str, *, by: str) -> Joined:
    """Gives all deals of a customer the name of another one. `undo_join` takes it back.

    The next run renames their projects as far as titles name the customer, within the limits.

    :raises UnknownCustomer: no deal has one of the names.
    :raises InvalidValue: both are the same, or one cannot be a name.
    :raises ProblemsError: deals are read from elsewhere.
    """
    with customer_store(workspace) as store:
        return store.join(name, into, by=by)


def undo_join(workspace: Workspace, name: str, into: str, *, by: str) -> Joined:
    """Takes joins of a name into another back. Deals that were renamed since stay as they are.

    :raises NothingJoined: none is left to be undone.
    :raises ProblemsError: deals are read from elsewhere.
    """
    with customer_store(workspace) as store:
        return store.undo(name, into, by=by)


def keep_apart(workspace: Workspace, name: str, other: str, *, by: str) -> bool:
    """Remembers that two names are two customers, so that they are suggested no more.

    Returns whether that is new.

    :raises UnknownCustomer: no deal has one of the names.
    :raises ProblemsError: deals are read from elsewhere.
    """
    with customer_store(workspace) as store:
        return store.keep_apart(name, other, by=by)
