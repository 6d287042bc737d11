"""Deals that are part of another one's project: whom they follow, and what would be a circle."""

from __future__ import annotations

import pytest

from taiga_pipeline.pipeline.errors import JoinsItself
from taiga_pipeline.pipeline.model import Deal
from taiga_pipeline.pipeline.store import DealStore


@pytest.fixture
def chain(store: DealStore) -> DealStore:
    """D-3 joined D-2, which joined D-1."""
    for key in ("D-1", "D-2", "D-3", "D-4"):
        store.add(Deal(key=key, name=key, stage="Proposal"))
    store.join("D-2", "D-1")
    store.join("D-3", "D-2")
    return store


@pytest.mark.parametrize(("key", "other"), [("D-1", "D-3"), ("D-2", "D-3"), ("D-3", "D-3")])
def test_no_deal_joins_one_that_is_part_of_it_however_far(
    chain: DealStore, key: str, other: str
) -> None:
    before = chain.joins()
    with pytest.raises(JoinsItself):
        chain.join(key, other)
    assert chain.joins() == before


def test_what_joined_a_removed_deal_stays_in_the_project_that_it_was_part_of(
    chain: DealStore,
) -> None:
    chain.remove("D-2")
    assert chain.joins() == {"D-3": "D-1"}
    changes = [
        (each.before, each.after) for each in chain.changes("D-3") if each.field == "part_of"
    ]
    assert changes == [("", "D-2"), ("D-2", "D-1")]


def test_what_joined_a_removed_main_deal_stands_for_itself(chain: DealStore) -> None:
    chain.remove("D-1")
    assert chain.joins() == {"D-3": "D-2"}


def test_a_deal_leaves_with_what_joined_it(chain: DealStore) -> None:
    chain.join("D-2", "")
    chain.join("D-2", "D-4")
    assert chain.joins() == {"D-2": "D-4", "D-3": "D-2"}


@pytest.mark.parametrize("said", ["D-1", "P-1", "p-1", "d-1"])
def test_a_file_may_name_the_main_deal_by_the_key_that_it_had(store: DealStore, said: str) -> None:
    store.add(Deal(key="D-1", name="Portal", stage="Proposal"))
    store.rename("D-1", "P-1")
    with store.batch() as batch:
        batch.put_all([Deal(key="D-2", name="Search", stage="Proposal", part_of=said)])
    assert store.joins() == {"D-2": "P-1"}
