"""Deals that are read again are those of the store; what did not change is the same object."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import update

from taiga_pipeline.pipeline.destination import Destination
from taiga_pipeline.pipeline.model import Category, Deal, Note
from taiga_pipeline.pipeline.schema import DEALS, open_store, writing_store
from taiga_pipeline.pipeline.store import DealStore
from taiga_pipeline.pipeline.tables.rereading import KnownDeals


def test_what_anybody_changed_is_read_anew_and_nothing_else(
    store: DealStore, database_url: str
) -> None:
    known, engine = KnownDeals(), open_store(database_url)
    for number in range(6):
        store.add(Deal(key=f"D-{number}", name="Web shop", stage="Lead", customer="Nordlund"))

    def by_hand() -> None:
        with writing_store(engine) as connection:
            connection.execute(update(DEALS).where(DEALS.c.key == "D-5").values(owner="Sara Ek"))

    changes = (
        lambda: None,
        lambda: store.edit("D-0", {"owner": "Maya"}),
        lambda: store.add_note("D-1", Note("called")),
        lambda: store.add_note("D-1", Note("called again")),
        lambda: store.move("D-2", Destination("Proposal", Category.PROPOSAL, ())),
        lambda: store.rename("D-3", "E-3"),
        lambda: store.remove("D-4"),
        lambda: store.upsert([replace(store.get("D-0"), value=None, owner="")]),
        lambda: store.add(Deal(key="A-1", name="New", stage="Lead")),
        by_hand,
    )
    before = store.reread(known)
    for change in changes:
        change()
        held, after = tuple(store.deals()), store.reread(known)
        kept = {id(each) for each in before}
        assert after == held
        assert {each for each in after if id(each) in kept} == set(before) & set(after)
        before = after
    engine.dispose()
