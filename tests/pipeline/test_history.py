"""Whatever changes in a deal is in its history, whole, whoever changed it and from where."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from taiga_pipeline.pipeline.changes import UNRECORDED
from taiga_pipeline.pipeline.columns import format_cell
from taiga_pipeline.pipeline.destination import Destination
from taiga_pipeline.pipeline.fields.field import DealField, Kind, held, with_values
from taiga_pipeline.pipeline.fields.table import BUILT_IN
from taiga_pipeline.pipeline.importing.csv_import import import_deals
from taiga_pipeline.pipeline.importing.options import ImportOptions
from taiga_pipeline.pipeline.model import Category, Contact, Deal, Note, RoleDemand
from taiga_pipeline.pipeline.store import FIXED_FIELDS, DealStore
from tests.pipeline.conftest import StandingClock

BEFORE = Deal(
    key="D-1",
    name="Portal",
    customer="Acme",
    stage="Lead",
    value=Decimal(100),
    currency="EUR",
    probability=Decimal("0.5"),
    engaged_on=date(2026, 1, 1),
    expected_close=date(2026, 2, 1),
    start=date(2026, 3, 1),
    closed_on=date(2026, 4, 1),
    owner="Maya",
    team="north",
    service="web",
    lead_source="fair",
    lost_reason="price",
    notes=(Note("called\nagain"),),
    contacts=(Contact("Anna"),),
    roles=(RoleDemand("Back", Decimal(30), 10),),
    done=frozenset({"needs documented"}),
    stage_since=datetime(2026, 10, 1, tzinfo=UTC),
    updated_at=datetime(2026, 10, 1, tzinfo=UTC),
    next_step="Call Anna",
    next_step_on=date(2026, 1, 15),
    next_step_by="Maya",
    part_of="D-2",
    own={"region": "North"},
)
AFTER = Deal(
    key="D-1",
    name="Portal 2",
    customer="Borealis",
    stage="Proposal",
    value=Decimal(200),
    currency="SEK",
    probability=Decimal("0.6"),
    engaged_on=date(2027, 1, 1),
    expected_close=date(2027, 2, 1),
    start=date(2027, 3, 1),
    closed_on=date(2027, 4, 1),
    owner="Tom",
    team="south",
    service="app",
    lead_source="web page",
    lost_reason="time",
    notes=(Note("x" * 90_000 + "\nend"),),
    contacts=(Contact("Bo", "bo@example.org"),),
    roles=(RoleDemand("Front", Decimal(10), 5),),
    done=frozenset({"price agreed"}),
    stage_since=datetime(2026, 10, 15, tzinfo=UTC),
    updated_at=datetime(2026, 10, 15, tzinfo=UTC),
    next_step="Send the offer",
    next_step_on=date(2027, 1, 15),
    next_step_by="Tom",
    part_of="D-3",
    own={"region": "South"},
)
REGION = DealField("region", Kind.TEXT, "Region", column=100, headers="region", is_own=True)
TABLE = BUILT_IN.with_own([REGION])
EVERY_FIELD = [field.name for field in TABLE]
CHANGED = [name for name in EVERY_FIELD if name not in UNRECORDED]


def recorded(store: DealStore) -> dict[str, tuple[str, str]]:
    """Returns what the history says of each field: before and after."""
    found = {each.field: (each.before, each.after) for each in store.changes("D-1")}
    for move in store.history("D-1"):
        if move.from_stage:
            found["stage"] = (move.from_stage, move.to_stage)
    return found


def expected(name: str) -> tuple[str, str]:
    return format_cell(name, held(BEFORE, name)), format_cell(name, held(AFTER, name))


def test_the_two_deals_differ_in_every_field_but_the_key() -> None:
    same = [name for name in EVERY_FIELD if held(BEFORE, name) == held(AFTER, name)]
    assert same == ["key"]


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", CHANGED)
def test_every_field_that_a_program_changes_is_recorded_whole(store: DealStore, name: str) -> None:
    store.upsert([BEFORE])
    store.upsert([with_values(BEFORE, {name: held(AFTER, name)})], by="nightly")

    assert recorded(store)[name] == expected(name)
    assert {each.by for each in store.changes("D-1", fields=[name])} <= {"nightly"}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", [name for name in CHANGED if name not in FIXED_FIELDS])
def test_every_field_that_people_edit_is_recorded_whole(
    store: DealStore, clock: StandingClock, name: str
) -> None:
    store.add(BEFORE)
    later = clock.forward(hours=1)
    store.edit("D-1", {name: held(AFTER, name)}, by="tom")

    (change,) = [each for each in store.changes("D-1") if each.at == later]
    assert (change.field, (change.before, change.after)) == (name, expected(name))
    assert (change.at, change.by) == (later, "tom")


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", [name for name in CHANGED if name != "stage_since"])
def test_every_field_that_a_file_changes_is_recorded_whole(
    store: DealStore, tmp_path: Path, name: str
) -> None:
    store.add(BEFORE)
    file = tmp_path / "deals.csv"
    cells = {"key": "D-1", "name": BEFORE.name, name: expected(name)[1]}
    file.write_text(
        ",".join(cells) + "\n" + ",".join(f'"{text}"' for text in cells.values()) + "\n",
        encoding="utf-8",
    )
    import_deals(store, file, ImportOptions(by="maya", fields=TABLE))

    assert recorded(store)[name] == expected(name)
    assert "maya" in {each.by for each in (*store.changes("D-1"), *store.history("D-1"))}


def test_an_action_that_is_checked_off_and_taken_back_is_recorded(store: DealStore) -> None:
    store.add(Deal("D-1", "Portal"))
    store.done("D-1", "price agreed", by="tom")
    store.undone("D-1", "price agreed", by="maya")

    assert [(each.field, each.before, each.after, each.by) for each in store.changes("D-1")] == [
        ("done", "", "price agreed", "tom"),
        ("done", "price agreed", "", "maya"),
    ]


def test_a_move_is_reported_once_and_not_again_as_a_change(store: DealStore) -> None:
    store.add(Deal("D-1", "Portal", stage="Lead"))
    store.move("D-1", Destination("Proposal", Category.PROPOSAL))

    assert not list(store.changes("D-1"))
    assert [move.to_stage for move in store.history("D-1")] == ["Lead", "Proposal"]


def test_a_reopened_deal_keeps_in_its_history_why_and_when_it_was_lost(
    store: DealStore, clock: StandingClock
) -> None:
    store.add(Deal("D-1", "Portal", stage="Proposal"))
    store.move("D-1", Destination("Lost", Category.LOST, lost_reason="too dear"), by="tom")
    clock.forward(days=30)
    store.move("D-1", Destination("Proposal", Category.PROPOSAL), by="maya")

    assert [(each.field, each.before, each.after, each.by) for each in store.changes("D-1")] == [
        ("closed_on", "", "2026-11-02", "tom"),
        ("lost_reason", "", "too dear", "tom"),
        ("closed_on", "2026-11-02", "", "maya"),
        ("lost_reason", "too dear", "", "maya"),
    ]


def test_the_changes_of_some_fields_can_be_asked_for(store: DealStore) -> None:
    store.add(Deal("D-1", "Portal"))
    store.edit("D-1", {"name": "New portal", "value": Decimal(5)})

    assert [each.field for each in store.changes(fields=["value"])] == ["value"]
