"""Exports for spreadsheets: shown right in a language, computed by none, read back as they were."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook

from taiga_pipeline.pipeline.fields.field import DealField, FieldTable, Kind
from taiga_pipeline.pipeline.fields.table import BUILT_IN
from taiga_pipeline.pipeline.files.csv_export import export_deals
from taiga_pipeline.pipeline.files.dialects import (
    dialect_of_environment,
    excel_dialect,
)
from taiga_pipeline.pipeline.files.xlsx_export import export_workbook
from taiga_pipeline.pipeline.importing.csv_import import import_deals
from taiga_pipeline.pipeline.importing.options import ImportOptions
from taiga_pipeline.pipeline.model import Contact, Deal, Note
from taiga_pipeline.pipeline.store import DealStore
from taiga_pipeline.problems import ProblemsError

OWN: FieldTable = BUILT_IN.with_own(
    DealField(name, kind, name, column=place, headers=name, is_own=True)
    for place, (name, kind) in enumerate(
        {"margin": Kind.MONEY, "seats": Kind.NUMBER, "signed": Kind.DATE}.items(), start=100
    )
)
DEAL = Deal(
    "0012",
    "=cmd|' /C calc'!A0",
    customer="+46 Å",
    stage="Lead",
    value=Decimal("1234.567"),
    currency="SEK",
    probability=Decimal("0.125"),
    expected_close=date(2026, 12, 24),
    next_step="'=x _x0041_ \x07",
    own={"margin": "12.5 SEK", "seats": "1.125", "signed": "2026-11-30"},
)


def as_csv(store: DealStore, language: str) -> str:
    stream = io.StringIO(newline="")
    export_deals(store.versions(), stream, OWN, excel_dialect(language))
    return stream.getvalue()


def as_workbook(store: DealStore) -> Workbook:
    content = io.BytesIO()
    export_workbook(store.versions(), content, OWN)
    content.seek(0)
    return load_workbook(content)


def saved_again(store: DealStore, edit: Callable[[dict[str, object]], None]) -> Workbook:
    """Returns the workbook as a spreadsheet saves it after somebody changed cells of its row."""
    book = as_workbook(store)
    headers, cells = book.active[1], book.active[2]
    values: dict[str, object] = {}
    edit(values)
    for header, cell in zip(headers, cells, strict=True):
        if header.value in values:
            cell.value = values[header.value]
    return book


def test_excel_finds_its_own_separator_and_decimal_mark(store: DealStore) -> None:
    store.upsert([DEAL])
    swedish, english = as_csv(store, "sv"), as_csv(store, "en-US")
    assert swedish.startswith("\ufeffsep=;\nkey;name;")
    assert ";1234,5670;SEK;0,1250;" in swedish
    assert ";12,5 SEK;1,1250;2026-11-30;" in swedish
    assert english.startswith("\ufeffsep=,\nkey,name,")
    assert ",1234.567,SEK,0.125," in english


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("", "", "sv_SE.UTF-8"), (";", ",")),
        (("en_GB.UTF-8", "", "sv_SE"), (",", ".")),
        (("C.UTF-8", "", "POSIX"), (";", ",")),
        (("de_CH",), (";", ".")),
    ],
)
def test_the_language_of_the_environment_decides(
    names: tuple[str, ...], expected: tuple[str, str]
) -> None:
    found = dialect_of_environment(*names)
    assert (found.delimiter, found.decimal) == expected


def test_text_is_text_and_figures_are_figures_in_a_workbook(store: DealStore) -> None:
    store.upsert([DEAL])
    sheet = as_workbook(store).active
    by_name = {head.value: cell for head, cell in zip(sheet[1], sheet[2], strict=True)}
    assert (by_name["name"].value, by_name["name"].data_type) == (DEAL.name, "s")
    assert by_name["name"].quotePrefix
    assert (by_name["key"].value, by_name["key"].number_format) == ("0012", "@")
    assert (by_name["value"].value, by_name["probability"].number_format) == (1234.567, "0.0%")
    assert by_name["expected_close"].value.date() == date(2026, 12, 24)
    assert (by_name["margin"].value, by_name["margin"].number_format) == (12.5, '#,##0.00 "SEK"')
    assert by_name["signed"].value.date() == date(2026, 11, 30)
    assert all(cell.data_type != "f" for cell in sheet[2])


def test_a_workbook_that_was_edited_and_saved_changes_what_was_edited_alone(
    store: DealStore, tmp_path: Path
) -> None:
    store.upsert([DEAL])

    def edit(values: dict[str, object]) -> None:
        values |= {"owner": "Maya", "value": 2000, "signed": None}

    book = saved_again(store, edit)
    store.edit("0012", {"team": "Consulting", "owner": "Bo"})
    file = tmp_path / "deals.xlsx"
    book.save(file)
    report = import_deals(store, file, ImportOptions(fields=OWN))
    assert [(each.field, each.file, each.store) for each in report.conflicts] == [
        ("owner", "Maya", "Bo")
    ]
    deal = store.get("0012")
    expected = replace(DEAL, value=Decimal(2000), owner="Bo", team="Consulting")
    kept = {name: text for name, text in DEAL.own.items() if name != "signed"}
    assert replace(deal, stage_since=None, updated_at=None) == replace(expected, own=kept)


def test_csv_that_excel_saved_again_is_read_with_its_decimal_commas(
    store: DealStore, tmp_path: Path
) -> None:
    store.upsert([DEAL])
    text = as_csv(store, "sv").replace("sep=;\n", "").replace("1234,5670", "1234,567")
    file = tmp_path / "deals.csv"
    file.write_text(text.replace("0,1250", "").replace("1,1250", "1,125"), encoding="utf-8")
    report = import_deals(store, file, ImportOptions(fields=OWN))
    assert (report.bad_rows, report.conflicts) == ((), ())
    assert (store.get("0012").value, store.get("0012").own["seats"]) == (DEAL.value, "1.125")


def test_a_text_that_no_cell_holds_is_reported_and_never_cut(store: DealStore) -> None:
    contacts = tuple(Contact("x" * 900, "", str(number)) for number in range(50))
    store.upsert([replace(DEAL, contacts=contacts)])
    with pytest.raises(ProblemsError, match=r"0012: contacts has [0-9,]+ characters; .* 32,767"):
        as_workbook(store)


def test_of_a_long_log_the_newest_notes_are_exported_and_none_is_lost(
    store: DealStore, tmp_path: Path
) -> None:
    notes = tuple(Note(f"{number} " + "x" * 9_000) for number in range(10))
    store.upsert([replace(DEAL, notes=notes)])
    before = store.get("0012").notes
    book = as_workbook(store)
    cell = next(each.value for each in book.active[2] if "x" * 9_000 in str(each.value))
    assert (cell.count("x" * 9_000), before[0].text in cell) == (3, True)
    book.save(tmp_path / "deals.xlsx")
    report = import_deals(store, tmp_path / "deals.xlsx", ImportOptions(fields=OWN))
    assert (report.unchanged, report.conflicts) == (1, ())
    assert store.get("0012").notes == before
