"""Exchanging allocations: all of it happens, or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from taiga_pipeline.people.model import Allocation, Person
from taiga_pipeline.people.store import PeopleStore
from taiga_pipeline.pipeline.batch import Outcome
from taiga_pipeline.pipeline.errors import UnknownName
from taiga_pipeline.pipeline.model import Deal
from taiga_pipeline.pipeline.store import DealStore

OLD = Allocation("D-1", "ann@x.se", "Back", Decimal(20), confirmed=False)
NEW = Allocation("D-1", "bob@x.se", "Back", Decimal(20), date(2026, 12, 7), date(2026, 12, 20))


@pytest.fixture
def people(database_url: str) -> Iterator[PeopleStore]:
    url = database_url
    deals = DealStore.open(url, lambda: datetime(2026, 11, 23, tzinfo=UTC), create=True)
    deals.add(Deal("D-1", "One"))
    deals.close()
    store = PeopleStore.open(url, lambda: datetime(2026, 11, 23, tzinfo=UTC))
    for name in ("ann", "bob"):
        store.add(Person(f"{name}@x.se", name))
    store.allocate(OLD)
    yield store
    store.close()


def test_what_is_given_up_goes_and_what_is_new_comes(people: PeopleStore) -> None:
    assert people.exchange([OLD], [NEW]) == [Outcome.ADDED]
    assert people.allocations() == [NEW]


def test_doing_it_again_changes_nothing(people: PeopleStore) -> None:
    people.exchange([OLD], [NEW])
    assert people.exchange([OLD], [NEW]) == [Outcome.UNCHANGED]
    assert people.allocations() == [NEW]


def test_others_of_the_same_person_and_role_stay(people: PeopleStore) -> None:
    other = replace(OLD, start=date(2027, 1, 4))
    people.allocate(other)
    people.exchange([OLD], [])
    assert people.allocations() == [other]


def test_if_one_cannot_be_nothing_happens(people: PeopleStore) -> None:
    with pytest.raises(UnknownName):
        people.exchange([OLD], [NEW, replace(NEW, email="nobody@x.se")])
    assert people.allocations() == [OLD]
