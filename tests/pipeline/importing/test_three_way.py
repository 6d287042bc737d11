"""A spreadsheet never undoes newer work: what both sides changed is merged, or reported."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sync.records.merge import Verdict, merge_field
from sync.records.model import Base, Owner
from taiga_pipeline.pipeline.batch import Batch
from taiga_pipeline.pipeline.columns import format_cell
from taiga_pipeline.pipeline.destination import Destination
from taiga_pipeline.pipeline.fields.field import held, with_values
from taiga_pipeline.pipeline.files.csv_export import export_deals
from taiga_pipeline.pipeline.importing.csv_import import ImportReport, import_deals
from taiga_pipeline.pipeline.importing.options import Funnel, ImportOptions, Take
from taiga_pipeline.pipeline.importing.three_way import Merged, merge_row
from taiga_pipeline.pipeline.model import Category, Contact, Deal, Note, RoleDemand
from taiga_pipeline.pipeline.store import DealStore
from tests.pipeline.conftest import StandingClock
from tests.pipeline.strategies import OWN
from tests.pipeline.strategies import deals as any_deals
from tests.profiles import examples

Rows = dict[str, dict[str, str]]
Import = Callable[..., ImportReport]

PORTAL = Deal(
    "D-1",
    "Portal",
    customer="Acme",
    stage="Lead",
    value=Decimal(1000),
    currency="EUR",
    probability=Decimal("0.50"),
    start=date(2027, 1, 4),
    owner="Maya",
    notes=(Note("called", datetime(2026, 10, 1, tzinfo=UTC), "maya"),),
    contacts=(Contact("Anna"),),
    roles=(RoleDemand("Back", Decimal(30), 10),),
    done=frozenset({"needs documented"}),
)


def exported(store: DealStore) -> Rows:
    stream = io.StringIO(newline="")
    export_deals(store.versions(), stream)
    return {row["key"]: row for row in csv.DictReader(io.StringIO(stream.getvalue()))}


@pytest.fixture
def bring(store: DealStore, tmp_path: Path) -> Import:
    """Imports rows as a file: ``bring(rows, file="crm.csv", take=Take.FILE)``."""

    def invoke(
        rows: Mapping[str, Mapping[str, str]], file: str = "deals.csv", **options: Any
    ) -> ImportReport:
        path = tmp_path / file
        headers = dict.fromkeys(name for row in rows.values() for name in row)
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, headers)
            writer.writeheader()
            writer.writerows(rows.values())
        return import_deals(store, path, replace(ImportOptions(by="file"), **options))

    return invoke


def conflicts(report: ImportReport) -> set[tuple[str, str, str, str]]:
    return {(each.field, each.base, each.file, each.store) for each in report.conflicts}


# --- files that were exported


def test_an_edit_in_the_store_survives_a_file_that_was_exported_before(
    store: DealStore, bring: Import
) -> None:
    store.add(PORTAL)
    rows = exported(store)
    store.edit("D-1", {"value": Decimal(1200), "contacts": (), "owner": "Tom"})
    rows["D-1"]["name"] = "New portal"
    before = store.get("D-1")
    report = bring(rows)

    assert report.conflicts == ()
    assert store.get("D-1") == replace(before, name="New portal")


def test_what_both_changed_apart_is_reported_with_who_and_left_as_it_is(
    store: DealStore, bring: Import, clock: StandingClock
) -> None:
    store.add(PORTAL)
    rows = exported(store)
    at = clock.forward(hours=1)
    store.edit("D-1", {"service": "app", "owner": "Tom"}, by="tom")
    rows["D-1"] |= {"service": "shop", "owner": "Tom", "team": "north"}
    report = bring(rows)

    (conflict,) = report.conflicts
    assert (conflict.line, conflict.key, conflict.by, conflict.at) == (2, "D-1", "tom", at)
    assert conflicts(report) == {("service", "", "shop", "app")}
    after = store.get("D-1")
    assert (after.service, after.owner, after.team) == ("app", "Tom", "north")


def test_notes_of_both_sides_are_in_the_log_and_nothing_is_doubled(
    store: DealStore, bring: Import, clock: StandingClock
) -> None:
    store.add(PORTAL)
    rows = exported(store)
    later = clock.forward(hours=1)
    store.edit("D-1", {"notes": (Note("signed"),)}, by="tom")
    rows["D-1"]["notes"] = "They ask for a reference.\n" + rows["D-1"]["notes"]
    assert bring(rows).conflicts == ()
    assert bring(rows).unchanged == 1

    log = [(note.text, note.by) for note in store.get("D-1").notes]
    assert log[2:] == [("called", "maya")]
    assert set(log[:2]) == {("signed", "tom"), ("They ask for a reference.", "file")}
    assert {note.at for note in store.get("D-1").notes[:2]} == {later}
    assert bring(exported(store)).unchanged == 1
    rows["D-1"]["notes"] = ""
    assert bring(rows).unchanged == 1


@pytest.mark.parametrize("newest_is", ["first", "last"])
def test_a_field_of_another_program_that_grows_brings_only_what_is_new(
    store: DealStore, bring: Import, newest_is: str
) -> None:
    said = ["Met Anna.", "Sent the offer.\nShe will answer.", "Anna said yes."]
    for count in range(1, len(said) + 1):
        lines = said[:count] if newest_is == "last" else said[:count][::-1]
        bring({"7": {"key": "7", "name": "Portal", "description": "\n".join(lines)}}, "crm.csv")
    assert sorted(note.text for note in store.get("7").notes) == sorted(said)
    bring({"7": {"key": "7", "name": "Portal", "description": said[1]}}, "crm.csv")
    assert len(store.get("7").notes) == len(said)


@pytest.mark.parametrize(
    ("field", "cell"),
    [
        ("value", "1000.00"),
        ("probability", "50%"),
        ("currency", "eur"),
        ("start", "2027-01-04"),
        ("name", "  Portal "),
        ("roles", "Back:30.0h x10w"),
        ("contacts", "Anna"),
    ],
)
def test_a_value_that_a_spreadsheet_writes_in_another_way_is_no_change(
    store: DealStore, bring: Import, field: str, cell: str
) -> None:
    store.add(PORTAL)
    rows = exported(store)
    rows["D-1"][field] = cell
    assert bring(rows).unchanged == 1

    others = {"value": Decimal(7), "probability": None, "currency": "SEK", "start": None}
    others |= {"name": "Other", "roles": (), "contacts": ()}
    after = store.edit("D-1", {field: others[field]})
    report = bring(rows)
    assert (report.unchanged, report.conflicts) == (1, ())
    assert store.get("D-1") == after


def test_a_cell_that_was_cleared_clears_its_field_and_a_newer_edit_of_it_is_a_conflict(
    store: DealStore, bring: Import
) -> None:
    store.add(PORTAL)
    rows = exported(store)
    store.edit("D-1", {"owner": "Tom"})
    rows["D-1"] |= {"owner": "", "customer": "", "roles": ""}
    report = bring(rows)

    after = store.get("D-1")
    assert (after.owner, after.customer, after.roles) == ("Tom", "", ())
    assert conflicts(report) == {("owner", "Maya", "", "Tom")}


def test_an_amount_and_its_currency_are_one_value(store: DealStore, bring: Import) -> None:
    store.add(PORTAL)
    rows = exported(store)
    store.edit("D-1", {"currency": "SEK"})
    rows["D-1"]["value"] = "900"
    report = bring(rows)

    assert conflicts(report) == {
        ("value", "1000", "900", "1000"),
        ("currency", "EUR", "EUR", "SEK"),
    }
    assert (store.get("D-1").value, store.get("D-1").currency) == (Decimal(1000), "SEK")


def test_what_goes_with_a_move_waits_with_it(store: DealStore, bring: Import) -> None:
    store.add(PORTAL)
    rows = exported(store)
    store.move("D-1", Destination("Proposal", Category.PROPOSAL))
    rows["D-1"] |= {"stage": "Lost", "closed_on": "2026-11-01", "lost_reason": "price"}
    report = bring(rows)

    assert {each.field for each in report.conflicts} == {"stage", "closed_on", "lost_reason"}
    after = store.get("D-1")
    assert (after.stage, after.closed_on, after.lost_reason) == ("Proposal", None, "")


def test_gate_actions_are_merged_one_by_one(store: DealStore, bring: Import) -> None:
    store.add(PORTAL)
    rows = exported(store)
    store.done("D-1", "price agreed")
    rows["D-1"]["done"] = "contract sent"
    report = bring(rows)

    assert report.conflicts == ()
    assert store.get("D-1").done == {"price agreed", "contract sent"}


def test_the_same_conflict_is_reported_until_somebody_decides(
    store: DealStore, bring: Import
) -> None:
    store.add(PORTAL)
    rows = exported(store)
    store.edit("D-1", {"owner": "Tom"})
    rows["D-1"]["owner"] = "Ann"
    assert conflicts(bring(rows)) == conflicts(bring(rows)) == {("owner", "Maya", "Ann", "Tom")}

    assert bring(rows, take=Take.STORE).conflicts == ()
    assert store.get("D-1").owner == "Tom"
    assert bring(rows, take=Take.FILE).conflicts == ()
    assert store.get("D-1").owner == "Ann"
    assert (bring(rows).conflicts, store.get("D-1").owner) == ((), "Ann")


def test_a_second_copy_of_one_export_does_not_undo_the_first(
    store: DealStore, bring: Import
) -> None:
    store.add(PORTAL)
    maya, tom = exported(store), exported(store)
    maya["D-1"] |= {"value": "1100", "owner": "Ann"}
    tom["D-1"] |= {"team": "north", "owner": "Bo"}
    bring(maya)
    report = bring(tom)

    after = store.get("D-1")
    assert (after.value, after.team, after.owner) == (Decimal(1100), "north", "Ann")
    assert conflicts(report) == {("owner", "Maya", "Bo", "Ann")}


def test_a_version_of_another_store_proves_nothing_and_is_said(
    store: DealStore, bring: Import
) -> None:
    store.add(PORTAL)
    rows = exported(store)
    rows["D-1"]["version"] = "v0-0123456789ab"
    report = bring(rows)
    assert "1 row with a version that this store does not know" in " ".join(
        notice.text for notice in report.notices
    )


def test_a_column_version_of_another_tool_is_none_of_ours(store: DealStore, bring: Import) -> None:
    store.add(PORTAL)
    report = bring({"D-1": {"key": "D-1", "name": "Portal", "owner": "Ann", "version": "2.1"}})
    assert store.get("D-1").owner == "Ann"
    assert not [notice for notice in report.notices if notice.code == "unknown_version"]


def test_a_row_whose_key_was_changed_since_its_export_is_said(
    store: DealStore, bring: Import
) -> None:
    store.add(replace(PORTAL, key="007"))
    rows = exported(store)
    rows["007"]["key"] = "X-9"
    report = bring(rows)
    (notice,) = (each for each in report.notices if each.code == "unknown_version")
    assert (notice.count, report.added) == (1, 1)
    assert "their keys were changed" in notice.text


def test_times_that_a_spreadsheet_cut_to_the_minute_are_no_change(
    store: DealStore, bring: Import, clock: StandingClock
) -> None:
    clock.forward(seconds=53.5)
    store.add(PORTAL)
    rows = exported(store)
    clock.forward(days=1)
    rows["D-1"] |= {"updated_at": "2026-11-02T09:00Z", "stage_since": "2026-11-02T09:00Z"}
    assert bring(rows).unchanged == 1

    rows["D-1"]["stage"] = "Proposal"
    bring(rows)
    assert store.get("D-1").stage_since == clock.time


def test_an_export_that_comes_back_untouched_changes_nothing(
    store: DealStore, bring: Import
) -> None:
    store.add(PORTAL)
    store.edit("D-1", {"owner": "Tom"})
    store.move("D-1", Destination("Proposal", Category.PROPOSAL))
    before = store.get("D-1")
    assert bring(exported(store)).unchanged == 1
    assert store.get("D-1") == before


# --- when


def test_a_move_is_dated_now_and_updated_never_runs_backwards(
    store: DealStore, bring: Import, clock: StandingClock
) -> None:
    store.add(PORTAL)
    rows = exported(store)
    clock.forward(days=10)
    store.edit("D-1", {"owner": "Tom"})
    later = clock.forward(days=10)
    rows["D-1"]["stage"] = "Proposal"
    bring(rows)

    after = store.get("D-1")
    assert (after.stage, after.stage_since, after.updated_at) == ("Proposal", later, later)
    assert list(store.history("D-1"))[-1].at == later


def test_a_move_bears_the_date_that_the_file_gives_it(
    store: DealStore, bring: Import, clock: StandingClock
) -> None:
    store.add(PORTAL)
    rows = exported(store)
    clock.forward(days=20)
    rows["D-1"] |= {"stage": "Proposal", "stage_since": "2026-11-10"}
    bring(rows)
    assert store.get("D-1").stage_since == datetime(2026, 11, 10, tzinfo=UTC)


@pytest.mark.parametrize("given_date", ["2026-10-01", "2030-01-01"])
def test_a_move_is_dated_neither_before_the_last_one_nor_in_the_future(
    store: DealStore, bring: Import, clock: StandingClock, given_date: str
) -> None:
    store.add(PORTAL)
    rows = exported(store)
    now = clock.forward(days=20)
    rows["D-1"] |= {"stage": "Won", "stage_since": given_date, "closed_on": given_date}
    bring(rows)
    assert store.get("D-1").stage_since == now


def test_a_file_that_opens_a_lost_deal_takes_the_decision_away_and_history_keeps_it(
    store: DealStore, bring: Import
) -> None:
    store.add(PORTAL)
    store.move("D-1", Destination("Lost", Category.LOST, lost_reason="price"))
    rows = exported(store)
    rows["D-1"]["stage"] = "Proposal"
    bring(rows)

    after = store.get("D-1")
    assert (after.stage, after.closed_on, after.lost_reason) == ("Proposal", None, "")
    assert ("lost_reason", "price") in {(each.field, each.before) for each in store.changes("D-1")}


# --- files of other tools, imported every night


def test_an_edit_in_the_store_survives_while_the_file_stays_the_same(
    store: DealStore, bring: Import
) -> None:
    rows = {"1": {"key": "1", "name": "a", "value": "100", "owner": "Maya"}}
    bring(rows)
    store.edit("1", {"value": Decimal(150)}, by="tom")

    assert bring(rows).unchanged == 1
    rows["1"]["owner"] = "Ann"
    assert bring(rows).conflicts == ()
    assert (store.get("1").value, store.get("1").owner) == (Decimal(150), "Ann")


def test_a_file_that_moves_on_past_an_edit_is_reported_until_it_is_decided(
    store: DealStore, bring: Import
) -> None:
    rows = {"1": {"key": "1", "name": "a", "value": "100"}}
    bring(rows)
    store.edit("1", {"value": Decimal(150)}, by="tom")
    rows["1"]["value"] = "200"

    assert conflicts(bring(rows)) == {("value", "100", "200", "150")}
    assert conflicts(bring(rows)) == {("value", "100", "200", "150")}
    assert bring(rows, take=Take.STORE).conflicts == ()
    assert (bring(rows).conflicts, store.get("1").value) == ((), Decimal(150))

    rows["1"]["value"] = "250"
    assert conflicts(bring(rows)) == {("value", "200", "250", "150")}
    assert bring(rows, take=Take.FILE).conflicts == ()
    assert (bring(rows).unchanged, store.get("1").value) == (1, Decimal(250))


def test_a_file_that_is_older_than_the_last_one_changes_nothing_and_is_reported(
    store: DealStore, bring: Import
) -> None:
    row = {"key": "1", "name": "a", "value": "100", "updated_at": "2026-10-01"}
    newer = {**row, "value": "200", "updated_at": "2026-10-08"}
    bring({"1": newer})
    report = bring({"1": row})

    assert conflicts(report) == {("value", "200", "100", "200")}
    after = store.get("1")
    assert (after.value, after.updated_at) == (Decimal(200), datetime(2026, 10, 8, tzinfo=UTC))
    assert conflicts(bring({"1": row})) == {("value", "200", "100", "200")}
    assert bring({"1": newer}).unchanged == 1
    assert bring({"1": row}, take=Take.FILE).conflicts == ()
    assert store.get("1").value == Decimal(100)


def test_rows_from_another_origin_are_named_with_the_way_to_join_them(
    store: DealStore, bring: Import
) -> None:
    base = {"stage": "Proposal", "currency": "EUR"}
    first = {
        key: {"key": key, "name": key, "value": "1000", "expected_close": "2027-01-10", **base}
        for key in ("K1", "K2", "K3")
    }
    bring(first, file="deals-2026-11-19.csv")
    second = {"K1": {**first["K1"], "value": "", "expected_close": ""}, "K2": first["K2"]}
    report = bring(second, file="deals-2026-11-26.csv")

    (notice,) = (notice for notice in report.notices if notice.code == "other_origin")
    assert notice.count == 2
    assert "the first import under the name 'deals-2026-11-26.csv'; 2 deals came" in notice.text
    assert "1 deal of 'deals-2026-11-19.csv' not in this file" in notice.text
    assert "2 fields" in notice.text
    assert "--origin deals-2026-11-19.csv" in notice.text

    joined = bring(second, file="deals-2026-11-26.csv", origin="deals-2026-11-19.csv")
    assert joined.disappeared == ("K3",)
    assert (store.get("K1").value, store.get("K1").expected_close) == (None, None)


def test_an_edit_survives_the_same_list_under_another_name(store: DealStore, bring: Import) -> None:
    rows = {"1": {"key": "1", "name": "a", "value": "100", "owner": "Maya"}}
    bring(rows, file="monday.csv")
    store.edit("1", {"value": Decimal(150), "owner": "Tom"})
    rows["1"]["owner"] = "Ann"
    report = bring(rows, file="tuesday.csv")

    assert store.get("1").value == Decimal(150)
    assert conflicts(report) == {("owner", "Maya", "Ann", "Tom")}


def test_an_edit_survives_an_export_without_versions_that_says_when_it_was_written(
    store: DealStore, bring: Import, clock: StandingClock
) -> None:
    store.add(PORTAL)
    rows = exported(store)
    del rows["D-1"]["version"]
    clock.forward(days=1)
    store.edit("D-1", {"value": Decimal(1200), "owner": "Tom"})
    rows["D-1"] |= {"name": "New portal", "owner": "Ann"}
    report = bring(rows)

    after = store.get("D-1")
    assert (after.name, after.value, after.owner) == ("New portal", Decimal(1200), "Tom")
    assert conflicts(report) == {("owner", "Maya", "Ann", "Tom")}


def test_a_first_import_over_what_people_typed_is_said_and_history_keeps_it(
    store: DealStore, bring: Import
) -> None:
    store.add(PORTAL)
    rows = {"D-1": {"key": "D-1", "name": "Portal", "owner": "Ann"}}
    (notice,) = (each for each in bring(rows).notices if each.code == "no_base")

    assert "1 deal of the store that came from no file before took" in notice.text
    changed = {(each.field, each.before) for each in store.changes("D-1")}
    assert changed == {("notes", ""), ("owner", "Maya")}
    assert not [each for each in bring(rows).notices if each.code == "no_base"]


# --- while others work


def test_an_edit_that_is_made_while_a_file_is_merged_is_not_overwritten(
    store: DealStore, bring: Import, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.upsert([PORTAL, replace(PORTAL, key="D-2")])
    rows = exported(store)
    for row in rows.values():
        row["owner"] = "Ann"
    view = store.view

    @contextmanager
    def view_and_then_an_edit(*, by: str = "") -> Iterator[Batch]:
        with view(by=by) as batch:
            yield batch
        store.edit("D-1", {"owner": "Tom"}, by="tom")

    monkeypatch.setattr(store, "view", view_and_then_an_edit)
    report = bring(rows)

    assert conflicts(report) == {("owner", "Maya", "Ann", "Tom")}
    assert (store.get("D-1").owner, store.get("D-2").owner) == ("Tom", "Ann")


def test_a_file_is_read_and_merged_before_the_store_is_held(
    store: DealStore, bring: Import, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.add(PORTAL)
    rows = exported(store)
    rows["D-1"]["owner"] = "Ann"
    batch, steps = store.batch, []

    def merging(*arguments: Any, **options: Any) -> Merged:
        steps.append("merged")
        return merge_row(*arguments, **options)

    @contextmanager
    def held(**options: Any) -> Iterator[Batch]:
        steps.append("held")
        with batch(**options) as held_batch:
            yield held_batch

    monkeypatch.setattr("taiga_pipeline.pipeline.importing.csv_import.merge_row", merging)
    monkeypatch.setattr(store, "batch", held)
    bring(rows)
    assert steps == ["merged", "held"]


# --- no edit is ever lost without being reported

_EDITED = [
    "name", "customer", "value", "currency", "probability", "expected_close", "start",
    "owner", "team", "service", "lead_source", "contacts", "roles",
    "next_step", "next_step_on", "next_step_by", "region", "segment",
]  # fmt: skip
_edits = any_deals.flatmap(
    lambda deal: st.sets(st.sampled_from(_EDITED), max_size=6).map(
        lambda names: {name: held(deal, name) for name in names}
    )
)


@given(before=any_deals, in_store=_edits, in_file=_edits)
@settings(
    max_examples=examples(40),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_edits_on_both_sides_end_as_the_engines_table_says(
    tmp_path_factory: pytest.TempPathFactory,
    before: Deal,
    in_store: Mapping[str, Any],
    in_file: Mapping[str, Any],
) -> None:
    folder = tmp_path_factory.mktemp("merge")
    clock = StandingClock()
    clock.forward(days=40_000)  # after everything that was made up
    store = DealStore.open(f"sqlite:///{folder / 'pipeline.db'}", clock, create=True)
    base = store.add(before)
    edited = with_values(base, in_file)
    file = folder / "deals.csv"
    with file.open("w", encoding="utf-8", newline="") as stream:
        export_deals(((edited, version) for _, version in store.versions()), stream, OWN)
    observed = store.edit(base.key, in_store) if in_store else base
    report = import_deals(store, file, ImportOptions(fields=OWN), Funnel())
    after = store.get(base.key)
    reported = {conflict.field for conflict in report.conflicts}
    store.close()

    assert report.bad_rows == ()
    for unit in (("value", "currency"), *((name,) for name in _EDITED[4:]), ("name",)):
        values = [
            "|".join(format_cell(name, _normal(name, held(deal, name))) for name in unit)
            for deal in (base, edited, observed, after)
        ]
        base_text, file_text, store_text, after_text = values
        decision = merge_field(Owner.SHARED, Base(base_text, base_text), file_text, store_text)
        assert after_text == decision.value
        assert (decision.verdict is Verdict.CONFLICT) == bool(reported & set(unit)), unit
        if after_text != file_text and file_text != base_text:
            assert reported & set(unit), "an edit in the file is lost without a word"
        if after_text != store_text:
            assert store_text == base_text, "an edit in the store is lost"


def _normal(name: str, value: Any) -> Any:
    if isinstance(value, Decimal):
        return Decimal(format(value.normalize(), "f"))
    if name == "roles":
        return tuple(replace(e, hours_per_week=e.hours_per_week.normalize()) for e in value)
    return value
