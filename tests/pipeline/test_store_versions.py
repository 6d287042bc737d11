"""A store of every version of the program is brought up to date, and nothing in it is lost."""

from __future__ import annotations

import io
import sqlite3
from contextlib import closing
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Final

import pytest

from sync.database.engine import open_engine
from sync.database.migrations import migrate
from sync.database.transfer import Part, transfer
from taiga_pipeline.people.store import PeopleStore
from taiga_pipeline.pipeline.files.csv_export import export_deals
from taiga_pipeline.pipeline.importing.csv_import import import_deals
from taiga_pipeline.pipeline.importing.options import ImportOptions
from taiga_pipeline.pipeline.schema import METADATA, NAME, TABLES
from taiga_pipeline.pipeline.store import DealStore
from taiga_pipeline.pipeline.tables.steps import STEPS
from tests.pipeline.conftest import StandingClock
from tests.schemas import of_a_new_one, of_a_sample, of_an_old_one

SAMPLES: Final = Path(__file__).parent / "store_samples"
VERSIONS: Final = range(1, len(STEPS) + 1)


@pytest.fixture(params=VERSIONS)
def old_store(request: pytest.FixtureRequest, tmp_path: Path, database_url: str) -> str:
    """The address of a store as a program of that version left it, on every database."""
    version: int = request.param
    file = tmp_path / "old.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript((SAMPLES / f"version_{version}.sql").read_text(encoding="utf-8"))
    if database_url.startswith("sqlite"):
        return f"sqlite:///{file}"
    numbering = {table.name: {"id": table.name} for table in TABLES if "id" in table.c}
    old, engine = open_engine(f"sqlite:///{file}"), open_engine(database_url)
    migrate(old, NAME, STEPS)
    transfer([Part(NAME, "the store", STEPS, TABLES, old, numbering)], engine)
    old.dispose()
    engine.dispose()
    return database_url


def test_there_is_a_sample_of_every_version() -> None:
    found = {int(path.stem.removeprefix("version_")) for path in SAMPLES.glob("*.sql")}
    assert found == set(VERSIONS), "keep a dump of a store of the new version"


def test_deals_people_and_history_are_all_there(old_store: str, clock: StandingClock) -> None:
    deals, people = DealStore.open(old_store, clock), PeopleStore.open(old_store, clock)
    try:
        portal = deals.get("D-1")
        assert (portal.stage, portal.value) == ("Qualified", Decimal(1500))
        assert [note.text for note in portal.notes] == ["called twice"]
        assert deals.get("D-2").lost_reason == "too dear"
        changes = {(each.field, each.before, each.after) for each in deals.changes("D-1")}
        assert {("value", "1000", "1500"), ("owner", "Maya", "Tom")} <= changes
        assert [move.to_stage for move in deals.history("D-1")] == ["Lead", "Qualified"]
        assert [each.first for each in people.time_off()] == [date(2026, 12, 21)]
        assert [each.deal_key for each in people.allocations()] == ["D-1"]
    finally:
        deals.close()
        people.close()


def test_fields_that_came_later_are_empty_or_as_they_were(
    old_store: str, clock: StandingClock, request: pytest.FixtureRequest
) -> None:
    deals = DealStore.open(old_store, clock)
    try:
        portal, audit = deals.get("D-1"), deals.get("D-2")
        later = (portal.next_step, portal.next_step_on, dict(portal.own))
        has_them = request.node.callspec.params["old_store"] >= 5
        expected = ("Call Ann", date(2026, 12, 1), {"region": "North"})
        assert later == (expected if has_them else ("", None, {}))
        assert (audit.next_step, audit.next_step_on, audit.own) == ("", None, {})
        deals.edit("D-2", {"region": "South", "next_step": "Ask again"})
        assert deals.get("D-2").own == {"region": "South"}
    finally:
        deals.close()


def test_what_was_imported_is_the_base_of_the_next_import(
    old_store: str, clock: StandingClock, tmp_path: Path
) -> None:
    file = tmp_path / "crm.csv"
    file.write_text(
        "key,name,customer,stage,value,currency,owner\n"
        "D-1,Portal,Acme,Lead,1000,EUR,Ann\nD-2,Audit,Bolt & Co,Proposal,2000,EUR,Tom\n"
    )
    deals = DealStore.open(old_store, clock)
    try:
        report = import_deals(deals, file, ImportOptions())
        assert [(each.key, each.field) for each in report.conflicts] == [("D-1", "owner")]
        assert report.still_missing == 1
        portal = deals.get("D-1")
        assert (portal.stage, portal.value, portal.owner) == ("Qualified", Decimal(1500), "Tom")
        assert (deals.get("D-2").customer, deals.get("D-2").stage) == ("Bolt & Co", "Lost")
    finally:
        deals.close()


def test_an_export_of_it_comes_back_untouched(
    old_store: str, clock: StandingClock, tmp_path: Path
) -> None:
    stream = io.StringIO(newline="")
    deals = DealStore.open(old_store, clock)
    try:
        before = list(deals.deals())
        export_deals(deals.versions(), stream)
        (tmp_path / "deals.csv").write_text(stream.getvalue(), encoding="utf-8", newline="")
        report = import_deals(deals, tmp_path / "deals.csv", ImportOptions())
        assert (report.unchanged, report.conflicts) == (3, ())
        assert list(deals.deals()) == before
    finally:
        deals.close()


@pytest.mark.sampled(4)
@pytest.mark.parametrize("version", range(1, len(STEPS) + 1))
def test_steps_lead_to_the_tables_of_a_new_store_from_every_version(
    database_url: str, version: int
) -> None:
    new = of_a_new_one(database_url, NAME, STEPS, METADATA)
    assert of_an_old_one(database_url, NAME, STEPS, version) == new


@pytest.mark.sampled(3)
@pytest.mark.parametrize("version", range(1, len(STEPS) + 1))
def test_a_sample_of_every_version_comes_to_the_tables_of_a_new_store(
    tmp_path: Path, version: int
) -> None:
    new = of_a_new_one(f"sqlite:///{tmp_path / 'new.db'}", NAME, STEPS, METADATA)
    sample = SAMPLES / f"version_{version}.sql"
    assert of_a_sample(sample, tmp_path, NAME, STEPS) == new
