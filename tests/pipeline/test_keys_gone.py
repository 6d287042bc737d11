"""Deals get another key, or are removed; both are kept in the history."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import select

from sync.database.engine import open_engine, reading
from taiga_pipeline.pipeline.destination import Destination
from taiga_pipeline.pipeline.errors import KeyTaken, KeyWasRenamed, UnknownName
from taiga_pipeline.pipeline.importing.csv_import import import_deals
from taiga_pipeline.pipeline.importing.options import ImportOptions
from taiga_pipeline.pipeline.key_rules import check_rule, next_key
from taiga_pipeline.pipeline.model import Deal, Note
from taiga_pipeline.pipeline.schema import KEYS_GONE
from taiga_pipeline.pipeline.store import DealStore
from tests.pipeline.conftest import StandingClock


def test_a_renamed_deal_keeps_its_past_and_its_notes(store: DealStore) -> None:
    store.add(Deal("D-1", "Portal", stage="Lead", notes=(Note("Met Anna."),)), by="maya")
    store.edit("D-1", {"value": Decimal(5)})
    store.move("D-1", Destination("Proposal"))
    before = store.get("D-1")
    after = store.rename("D-1", "ACME-7", by="tom")
    assert store.get("ACME-7") == after
    assert (after.notes, after.value, after.stage) == (before.notes, before.value, before.stage)
    assert [move.to_stage for move in store.history("ACME-7")] == ["Lead", "Proposal"]
    changes = [(each.field, each.before, each.after) for each in store.changes("ACME-7")]
    assert ("key", "D-1", "ACME-7") in changes and ("value", "", "5") in changes
    assert [each.after for each in store.changes("D-1")] == ["ACME-7"]
    with pytest.raises(UnknownName):
        store.get("D-1")
    assert store.keys_gone() == ([("D-1", "ACME-7")], frozenset())


def test_a_key_can_be_written_in_other_letters_and_taken_back(store: DealStore) -> None:
    store.add(Deal("d-1", "Portal"))
    assert store.rename("d-1", "D-1").key == "D-1"
    assert store.rename("D-1", "d-1").key == "d-1"
    assert store.keys_gone() == ([("D-1", "d-1")], frozenset())


def test_a_key_of_another_deal_is_refused_also_one_that_it_had_before(store: DealStore) -> None:
    for key in ("D-1", "D-2"):
        store.add(Deal(key, key))
    with pytest.raises(KeyTaken):
        store.rename("D-1", "d-2")
    store.rename("D-1", "D-3")
    store.rename("D-3", "D-4")
    for refused in (lambda: store.add(Deal("d-1", "x")), lambda: store.rename("D-2", "D-1")):
        with pytest.raises(KeyWasRenamed, match="is called D-4 now"):
            refused()


def test_a_file_with_the_former_key_means_the_deal(store: DealStore, tmp_path: Path) -> None:
    store.add(Deal("D-1", "Portal"))
    store.rename("D-1", "D-9")
    file = tmp_path / "crm.csv"
    file.write_text("key,name,owner\nD-1,Portal,Tom\n")
    report = import_deals(store, file, ImportOptions())
    assert (report.added, report.changed, store.get("D-9").owner) == (0, 1, "Tom")


def test_what_a_removed_deal_held_is_kept(
    store: DealStore, clock: StandingClock, database_url: str
) -> None:
    store.add(Deal("D-1", "Portal", owner="Maya", notes=(Note("Met Anna."),)))
    clock.forward(hours=1)
    store.remove("D-1", by="tom")
    assert store.count() == 0
    (change,) = store.changes("D-1")
    assert (change.field, change.before, change.after, change.by) == ("key", "D-1", "", "tom")
    engine = open_engine(database_url)
    with reading(engine) as connection:
        held = json.loads(connection.execute(select(KEYS_GONE.c.held)).scalar_one())
    engine.dispose()
    assert held["deal"]["owner"] == "Maya" and "Met Anna." in held["deal"]["notes"]
    assert store.keys_gone() == ([], frozenset({"D-1"}))


def test_keys_that_are_made_follow_the_greatest_that_was_ever_given() -> None:
    day = date(2026, 11, 27)
    assert next_key("D-{number}", day, []) == "D-1"
    assert next_key("D-{number}", day, ["d-9", "D-10", "D-x", "E-99", "D-10-2"]) == "D-11"
    assert next_key("{year}/{number}a", day, ["2025/7a", "2026/3A"]) == "2026/4a"
    for wrong in ("D-", "D-{number}{number}", "D-{nummer}", "D-{number}{x}"):
        with pytest.raises(ValueError, match="is not a rule for keys"):
            check_rule(wrong)


def test_deals_that_are_added_at_once_get_keys_of_their_own(store: DealStore) -> None:
    store.add(Deal("D-7", "x"))
    store.remove("D-7")
    with ThreadPoolExecutor(4) as pool:
        added = list(pool.map(lambda n: store.add(Deal("", f"n{n}"), rule="D-{number}"), range(8)))
    assert sorted(int(deal.key[2:]) for deal in added) == list(range(8, 16))
