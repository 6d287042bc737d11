"""Customers are joined in the deals, with their history, and this can be undone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from taiga_pipeline.pipeline.customers.store import CustomerStore, NothingJoined, UnknownCustomer
from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.pipeline.model import Contact, Deal, Note
from taiga_pipeline.pipeline.store import DealStore
from tests.pipeline.conftest import StandingClock


@pytest.fixture
def customers(store: DealStore, database_url: str, clock: StandingClock) -> Iterator[CustomerStore]:
    for key, customer in (("D-1", "Acme AB"), ("D-2", "Acme"), ("D-3", "Acme AB"), ("D-4", "")):
        store.add(Deal(key, "Portal", customer, notes=(Note("Met Anna."),)))
    opened = CustomerStore.open(database_url, clock)
    yield opened
    opened.close()


def of(store: DealStore) -> dict[str, str]:
    return {deal.key: deal.customer for deal in store.deals()}


def test_a_join_renames_the_customer_in_its_deals_as_an_edit_does(
    store: DealStore, customers: CustomerStore, clock: StandingClock
) -> None:
    at = clock.forward(days=1)
    done = customers.join("Acme  AB", "Acme", by="maya")
    assert (done.name, done.into, done.deals) == ("Acme AB", "Acme", ("D-1", "D-3"))
    assert of(store) == {"D-1": "Acme", "D-2": "Acme", "D-3": "Acme", "D-4": ""}
    (change,) = store.changes("D-1", fields=("customer",))
    assert (change.before, change.after, change.at, change.by) == ("Acme AB", "Acme", at, "maya")
    assert store.get("D-1").updated_at == at and store.get("D-2").updated_at != at
    assert [note.text for note in store.get("D-1").notes] == ["Met Anna."]
    assert customers.joins() == {("Acme AB", "Acme")}


def test_undo_gives_back_what_the_join_changed_and_nothing_else(
    store: DealStore, customers: CustomerStore
) -> None:
    store.add(Deal("D-5", "Shop", "Acme AB"))
    customers.join("Acme AB", "Acme", by="maya")
    store.edit("D-3", {"customer": "Bolt"})
    store.rename("D-1", "P-1")
    store.remove("D-5")
    undone = customers.undo("Acme AB", "Acme", by="tom")
    assert (undone.deals, undone.kept) == (("P-1",), ("D-3",))
    assert of(store) == {"D-2": "Acme", "D-3": "Bolt", "D-4": "", "P-1": "Acme AB"}
    assert [each.by for each in store.changes("P-1", fields=("customer",))] == ["maya", "tom"]
    assert customers.joins() == frozenset()
    with pytest.raises(NothingJoined, match="undone already"):
        customers.undo("Acme AB", "Acme", by="tom")


def test_deals_that_come_later_are_joined_again_and_undone_together(
    store: DealStore, customers: CustomerStore
) -> None:
    customers.join("Acme AB", "Acme", by="maya")
    store.add(Deal("D-5", "Shop", "Acme AB"))
    assert customers.join("Acme AB", "Acme", by="maya").deals == ("D-5",)
    assert customers.undo("Acme AB", "Acme", by="maya").deals == ("D-1", "D-3", "D-5")


def test_names_that_no_deal_has_or_that_are_the_same_are_refused(customers: CustomerStore) -> None:
    with pytest.raises(UnknownCustomer, match="did you mean 'Acme AB'"):
        customers.join("Acme AC", "Bolt", by="")
    with pytest.raises(UnknownCustomer, match="'Acne'; did you mean 'Acme'"):
        customers.join("Acme AB", "Acne", by="")
    for name, into in (("Acme", " Acme "), ("", "Acme"), ("Acme", ""), ("Acme", "x" * 1_001)):
        with pytest.raises(InvalidValue):
            customers.join(name, into, by="")
    with pytest.raises(UnknownCustomer):
        customers.keep_apart("Acme", "Nobody", by="")


def test_who_is_kept_apart_is_remembered_until_they_are_joined(customers: CustomerStore) -> None:
    assert customers.keep_apart("Acme AB", "Acme", by="maya")
    assert not customers.keep_apart("Acme", "Acme AB", by="tom")
    assert customers.apart() == {("Acme", "Acme AB")}
    customers.join("Acme AB", "Acme", by="maya")
    assert customers.apart() == frozenset()


def test_light_views_have_all_but_what_is_long(store: DealStore, customers: CustomerStore) -> None:
    ann = Contact("Ann", "ann@acme.example")
    store.add(Deal("D-0", "Audit", "Cog", contacts=(ann,), own={"region": "North"}))
    light = list(customers.outlines())
    assert [deal.key for deal in light] == ["D-0", "D-1", "D-2", "D-3", "D-4"]
    whole = store.get("D-0")
    assert (light[0].own, light[0].contacts, light[0].notes) == ({"region": "North"}, (), ())
    assert light[0].stage_since == whole.stage_since and light[0].updated_at == whole.updated_at


def test_a_hostile_name_is_text(store: DealStore, customers: CustomerStore) -> None:
    name = "'); DROP TABLE deals; --"
    store.edit("D-4", {"customer": name})
    assert customers.join(name, "Acme", by=name).deals == ("D-4",)
    assert store.count() == 4
