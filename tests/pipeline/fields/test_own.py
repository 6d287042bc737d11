"""Fields of the user's own are read, written, merged and recorded as the others: each kind."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from taiga_pipeline.pipeline.columns import parse_cell
from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.pipeline.fields.declared import Declaration, objections, table_with
from taiga_pipeline.pipeline.fields.field import OWN_KINDS, Kind
from taiga_pipeline.pipeline.fields.own import json_form, objection, read_own
from taiga_pipeline.pipeline.files.csv_export import export_deals
from taiga_pipeline.pipeline.importing.csv_import import ImportReport, import_deals
from taiga_pipeline.pipeline.importing.options import ImportOptions, Take
from taiga_pipeline.pipeline.model import Deal
from taiga_pipeline.pipeline.schema import DEALS
from taiga_pipeline.pipeline.store import DealStore
from tests.pipeline.conftest import StandingClock
from tests.pipeline.fields.support import DECLARED, TABLE

READ = [
    ("region", "  North \t West ", "North West"),
    ("region", "NULL", ""),
    ("region", "n/a", "n/a"),
    ("score", "1.234,50", "1234.5"),
    ("score", "1 000", "1000"),
    ("score", "-5", "-5"),
    ("score", "-0", "0"),
    ("score", "1e3", "1000"),
    ("score", "n/a", ""),
    ("signed_on", "31.12.2026", "2026-12-31"),
    ("signed_on", "Dec 31, 2026", "2026-12-31"),
    ("signed_on", "-", ""),
    ("segment", "public SECTOR", "Public sector"),
    ("segment", "#N/A", ""),
    ("segment", "n/a", ""),
    ("segment", "-", ""),
    ("margin", "1.234,50 €", "1234.5 EUR"),
    ("margin", "(500)", "-500 EUR"),
    ("margin", "unknown", ""),
    ("cost", "1200", "1200"),
    ("cost", "SEK 1 200", "1200 SEK"),
    ("strategic", "Ja", "yes"),
    ("strategic", "sí", "yes"),
    ("strategic", "x", "yes"),
    ("strategic", "WAHR", "yes"),
    ("strategic", "Não", "no"),
    ("strategic", "FALSCH", "no"),
    ("strategic", "0", "no"),
    ("strategic", "tbd", ""),
]
REFUSED = [
    ("score", "many", "'many' is not a number"),
    ("score", "12 EUR", "a number has no currency"),
    ("score", "1.234", "may be 1.234 or 1234"),
    ("signed_on", "soon", "'soon' is not a date"),
    ("signed_on", "03/04/2026", "in several ways"),
    ("segment", "Industri", "not one of the choices; did you mean 'Industry'"),
    ("margin", "12 SEK", "EUR"),
    ("cost", "1200 kr", "may be .*; write the code"),
    ("strategic", "perhaps", "neither yes nor no"),
]


@pytest.mark.parametrize(("name", "text", "expected"), READ)
def test_each_kind_is_read_as_people_write_it(name: str, text: str, expected: str) -> None:
    assert read_own(TABLE[name], text) == expected


@pytest.mark.parametrize(("name", "text", "expected"), READ)
def test_the_normal_form_is_read_as_itself(name: str, text: str, expected: str) -> None:
    assert read_own(TABLE[name], expected) == expected
    assert objection(TABLE[name], expected) == ""


@pytest.mark.parametrize(("name", "text", "reason"), REFUSED)
def test_what_cannot_be_read_is_refused_with_the_reason(name: str, text: str, reason: str) -> None:
    with pytest.raises(InvalidValue, match=reason):
        read_own(TABLE[name], text)


def test_who_types_a_word_for_nothing_is_told_how_to_clear_a_field() -> None:
    with pytest.raises(InvalidValue, match="write ''"):
        parse_cell(TABLE["score"], "n/a")
    assert parse_cell(TABLE["score"], "") == ""


def test_every_kind_is_among_those_that_are_tried() -> None:
    assert {Kind(each.kind) for each in DECLARED} == set(OWN_KINDS)


def test_yes_and_no_are_truth_values_in_json_and_nothing_is_null() -> None:
    assert json_form(TABLE["strategic"], "yes") is True
    assert json_form(TABLE["strategic"], "") is None
    assert json_form(TABLE["strategic"], "North") == "North"
    assert (json_form(TABLE["region"], ""), json_form(TABLE["score"], "5")) == ("", "5")


# --- what is declared


@pytest.mark.parametrize(
    ("declared", "reason"),
    [
        (Declaration("a", "choice"), "needs choices"),
        (Declaration("a", "text", choices=["x"]), 'belong to a field of kind "choice"'),
        (Declaration("a", "text", currency="EUR"), 'belongs to a field of kind "money"'),
        (Declaration("a", "money", currency="euros"), "not a currency code"),
        (Declaration("a", "choice", choices=["x", "X"]), "differ only in letter case"),
        (Declaration("a", "text", headers=["x|y"]), "cannot hold a bar"),
    ],
)
def test_a_declaration_that_makes_no_sense_is_refused(declared: Declaration, reason: str) -> None:
    assert any(reason in each for each in objections(declared))


def test_two_fields_share_neither_name_nor_header() -> None:
    with pytest.raises(InvalidValue, match="'region' is given to two fields"):
        table_with([Declaration("region", "text"), Declaration("region", "date")])
    with pytest.raises(InvalidValue, match="the header 'area'"):
        table_with([Declaration("region", "text", headers=["Area"]), Declaration("area", "text")])
    with pytest.raises(InvalidValue, match="the label 'Sales owner' stands for 'owner'"):
        table_with([Declaration("seller", "text", label="Sales owner")])
    with pytest.raises(InvalidValue, match="the label 'Area' stands for 'a' and for 'b'"):
        table_with([Declaration(name, "text", label="Area") for name in "ab"])


def test_money_is_no_fact_unless_that_is_asked_for() -> None:
    table = table_with([Declaration("margin", "money"), Declaration("budget", "money", fact=True)])
    assert (table["margin"].fact, table["budget"].fact is not None) == (None, True)


# --- files

HEADER = "key,name,currency,region,score,signed_on,segment,margin,cost,strategic"
ROW = 'D-1,Portal,SEK,North,"1.234,50",31.12.2026,industry,500 €,1200 kr,ja'
HELD = {
    "region": "North",
    "score": "1234.5",
    "signed_on": "2026-12-31",
    "segment": "Industry",
    "margin": "500 EUR",
    "cost": "1200 SEK",
    "strategic": "yes",
}


def bring(store: DealStore, folder: Path, text: str, **options: Any) -> ImportReport:
    file = folder / "deals.csv"
    file.write_text(text, encoding="utf-8", newline="")
    return import_deals(store, file, replace(ImportOptions(fields=TABLE, by="file"), **options))


def exported(store: DealStore) -> str:
    stream = io.StringIO(newline="")
    export_deals(store.versions(), stream, TABLE)
    return stream.getvalue()


def test_every_kind_comes_from_a_file_and_goes_back_without_loss(
    store: DealStore, tmp_path: Path
) -> None:
    report = bring(store, tmp_path, f"{HEADER}\n{ROW}\n")
    assert (report.bad_rows, report.unused_headers) == ((), ())
    assert store.get("D-1").own == HELD
    (row,) = csv.DictReader(exported(store).splitlines())
    assert {name: row[name] for name in HELD} == HELD
    again = bring(store, tmp_path, exported(store))
    assert (again.unchanged, again.bad_rows, again.conflicts) == (1, (), ())


def test_a_column_is_known_by_name_label_and_headers_and_may_be_named(
    store: DealStore, tmp_path: Path
) -> None:
    text = "key,name,Vertriebsgebiet,STRATEGIC ACCOUNT,Punkte\nD-1,Portal,North,yes,5\n"
    report = bring(store, tmp_path, text, columns={"score": "Punkte"})
    assert report.unused_headers == ()
    assert store.get("D-1").own == {"region": "North", "strategic": "yes", "score": "5"}


def test_a_header_of_a_field_of_ones_own_counts_before_what_programs_call_theirs(
    store: DealStore, tmp_path: Path
) -> None:
    fields = table_with([Declaration("product", "text")])
    bring(store, tmp_path, "key,name,Product\nD-1,Portal,Bridge\n", fields=fields)
    assert (store.get("D-1").own, store.get("D-1").service) == ({"product": "Bridge"}, "")


def test_a_column_of_figures_is_decided_by_all_its_cells(store: DealStore, tmp_path: Path) -> None:
    text = "Nr;name;score\n1;a;1.234\n2;b;5,5\n"
    report = bring(store, tmp_path, text, columns={"key": "Nr"})
    assert report.bad_rows == ()
    assert store.get("1").own == {"score": "1234"}


@pytest.mark.parametrize(("name", "text", "reason"), REFUSED[:5] + REFUSED[7:])
def test_a_row_that_cannot_be_read_is_left_out_with_its_line_and_the_others_are_taken(
    store: DealStore, tmp_path: Path, name: str, text: str, reason: str
) -> None:
    report = bring(store, tmp_path, f'Nr,name,{name}\n1,a,"{text}"\n2,b,\n', columns={"key": "Nr"})
    (bad,) = report.bad_rows
    assert (bad.line, bad.key) == (2, "1")
    assert bad.reason.startswith(f"{name}: ")
    assert [deal.key for deal in store.deals()] == ["2"]


def test_defaults_values_keys_and_names_may_be_of_ones_own_fields(
    store: DealStore, tmp_path: Path
) -> None:
    bring(
        store,
        tmp_path,
        "customer,region\nAcme,N\nBolt,\n",
        key="{customer}-{region}",
        name="{customer} in {region}",
        values={("region", "N"): "North"},
        defaults={"region": "South", "strategic": "ja"},
    )
    found = {deal.key: (deal.name, deal.own) for deal in store.deals()}
    assert found == {
        "Acme-North": ("Acme in North", {"region": "North", "strategic": "yes"}),
        "Bolt-South": ("Bolt in South", {"region": "South", "strategic": "yes"}),
    }


def test_a_field_that_is_not_declared_is_a_column_that_is_not_used(
    store: DealStore, tmp_path: Path
) -> None:
    bring(store, tmp_path, "key,name,region\nD-1,Portal,North\n")
    stream = io.StringIO(newline="")
    export_deals(store.versions(), stream)  # the configuration has lost the field
    text = stream.getvalue().replace("Portal", "Shop")
    report = bring(store, tmp_path, text, fields=table_with([]))
    assert (report.conflicts, report.changed) == ((), 1)
    assert store.get("D-1").own == {"region": "North"}, "nothing is lost"
    other = bring(store, tmp_path, "key,name,region\nD-2,X,South\n", fields=table_with([]))
    assert other.unused_headers == ("region",)


# --- merging and history


@pytest.mark.parametrize("name", HELD)
def test_an_edit_on_either_side_of_an_export_stays_and_two_apart_are_a_conflict(
    store: DealStore, tmp_path: Path, name: str
) -> None:
    other = {
        "region": "South",
        "score": "7",
        "signed_on": "2027-01-01",
        "segment": "Public sector",
        "margin": "1 EUR",
        "cost": "2 SEK",
        "strategic": "no",
    }[name]
    third = {**dict.fromkeys(HELD, ""), "region": "East"}[name]
    bring(store, tmp_path, f"{HEADER}\n{ROW}\n")
    text = exported(store)

    store.edit("D-1", {name: other}, by="maya")
    assert bring(store, tmp_path, text).conflicts == ()
    assert store.get("D-1").own[name] == other

    edited = text.replace(HELD[name], third, 1)
    (conflict,) = bring(store, tmp_path, edited).conflicts
    assert (conflict.field, conflict.base, conflict.file, conflict.store, conflict.by) == (
        name,
        HELD[name],
        third,
        other,
        "maya",
    )
    bring(store, tmp_path, edited, take=Take.FILE)
    assert store.get("D-1").own.get(name, "") == third
    changes = [(each.before, each.after, each.by) for each in store.changes("D-1", fields=[name])]
    assert changes == [(HELD[name], other, "maya"), (other, third, "file")]


def test_an_edit_is_recorded_with_who_made_it(store: DealStore, clock: StandingClock) -> None:
    store.add(Deal("D-1", "Portal"))
    store.edit("D-1", {"region": "North", "owner": "Ann"}, by="tom")
    store.edit("D-1", {"region": ""}, by="maya")
    reported = [(each.field, each.before, each.after, each.by) for each in store.changes("D-1")]
    assert reported == [
        ("owner", "", "Ann", "tom"),
        ("region", "", "North", "tom"),
        ("region", "North", "", "maya"),
    ]
    assert store.get("D-1").own == {}


def test_an_export_of_before_there_were_more_fields_is_known_still(
    store: DealStore, tmp_path: Path
) -> None:
    store.add(
        Deal("D-1", "Portal", stage="Lead", value=Decimal(5), start=date(2027, 1, 4)), by="tom"
    )
    rows = list(csv.DictReader(exported(store).splitlines()))
    kept = [name for name in rows[0] if name not in (*HELD, "next_step", "next_step_on")]
    stream = io.StringIO(newline="")
    writer = csv.DictWriter(stream, kept, extrasaction="ignore")
    writer.writeheader()
    writer.writerows({**row, "name": "Shop"} for row in rows)
    store.edit("D-1", {"region": "North", "next_step": "Call"}, by="maya")

    report = bring(store, tmp_path, stream.getvalue())

    assert not [each for each in report.notices if each.code == "unknown_version"]
    deal = store.get("D-1")
    assert (deal.name, deal.next_step, deal.own) == ("Shop", "Call", {"region": "North"})


def test_the_store_tells_which_deals_hold_something(store: DealStore) -> None:
    store.add(Deal("D-1", "Portal", own={"region": "North", "gone": "kept"}))
    store.add(Deal("D-2", "Audit"))
    assert dict(store.own_values()) == {"D-1": {"gone": "kept", "region": "North"}}


def test_a_word_for_nothing_may_be_a_choice() -> None:
    field = table_with([Declaration("level", "choice", choices=["None", "High"])])["level"]
    assert (read_own(field, "none"), read_own(field, "n/a")) == ("None", "")


def test_no_spreadsheet_computes_what_is_exported_and_figures_stay_figures(
    store: DealStore, tmp_path: Path
) -> None:
    own = {"region": "=1+1", "score": "-5", "margin": "-5 EUR", "segment": "@x"}
    store.add(Deal("D-1", "Portal", own=own))
    (row,) = csv.DictReader(exported(store).splitlines())
    assert [row[name] for name in own] == ["'=1+1", "-5", "'-5 EUR", "'@x"]
    text = exported(store).replace("'@x", "")
    assert bring(store, tmp_path, text).bad_rows == ()
    assert store.get("D-1").own == {name: own[name] for name in ("region", "score", "margin")}


@pytest.mark.parametrize("text", ["North", "[]", '{"region": 5}', "{"])
def test_what_somebody_wrote_into_the_database_is_named_and_no_crash(
    store: DealStore, text: str
) -> None:
    store.add(Deal("D-1", "Portal"))
    with store._engine.begin() as connection:
        connection.execute(DEALS.update().values(own=text))
    for look in (lambda: store.get("D-1"), lambda: list(store.own_values())):
        with pytest.raises(InvalidValue, match=r"deal D-1: the column own .* is not readable"):
            look()
