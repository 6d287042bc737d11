"""Workbooks are told apart by content, read within bounds, and by the types of their cells."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import pytest
from openpyxl import Workbook

from sync.clock import SystemClock
from taiga_pipeline.people.csv_files import TIME_OFF_FILE, Writing, read_file
from taiga_pipeline.people.roster_file import read_roster
from taiga_pipeline.people.roster_layout import RosterOptions
from taiga_pipeline.pipeline.files import grid, packed
from taiga_pipeline.pipeline.files.reading import read_table
from taiga_pipeline.pipeline.files.workbook import SheetTable, is_workbook
from taiga_pipeline.pipeline.importing.csv_import import ImportReport, import_deals
from taiga_pipeline.pipeline.importing.headers import is_known
from taiga_pipeline.pipeline.importing.options import ImportOptions
from taiga_pipeline.pipeline.store import DealStore
from taiga_pipeline.problems import ProblemsError
from taiga_pipeline.sources.csv_file import create

HEADER = ("Key", "Name", "Value", "Probability", "Expected close", "Notes")
Cell = tuple[Any, str]
"""A value and its number format."""

_NAMESPACES = (
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'
)
_ODS = "application/vnd.oasis.opendocument.spreadsheet"


def xlsx(sheets: Mapping[str, list[tuple[Any, ...]]], *merged: str) -> bytes:
    """Returns a workbook; a cell is a value, or a value and its number format."""
    book = Workbook()
    for at, (name, rows) in enumerate(sheets.items()):
        sheet = book.create_sheet(name, at)
        for y, row in enumerate(rows, 1):
            for x, each in enumerate(row, 1):
                value, shown = each if isinstance(each, tuple) else (each, "")
                cell = sheet.cell(y, x, value)
                if shown:
                    cell.number_format = shown
        for area in merged if at == 0 else ():
            sheet.merge_cells(area)
    del book["Sheet"]
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def ods(*tables: str) -> bytes:
    body = "".join(tables)
    xml = (
        f"<office:document-content {_NAMESPACES}><office:body><office:spreadsheet>{body}"
        "</office:spreadsheet></office:body></office:document-content>"
    )
    return packed_as({"mimetype": _ODS, "content.xml": xml})


def packed_as(parts: Mapping[str, str | bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return content.getvalue()


def table(name: str, *rows: str) -> str:
    return f'<table:table table:name="{name}">{"".join(map(row, rows))}</table:table>'


def row(cells: str) -> str:
    return f"<table:table-row>{cells}</table:table-row>"


def said(text: str, attributes: str = "") -> str:
    return f"<table:table-cell {attributes}><text:p>{text}</text:p></table:table-cell>"


def of_type(kind: str, attributes: str, shown: str) -> str:
    return said(shown, f'office:value-type="{kind}" {attributes}')


Bring = Callable[..., ImportReport]


@pytest.fixture
def bring(store: DealStore, tmp_path: Path) -> Bring:
    """Imports bytes as a file whose name says nothing."""

    def invoke(content: bytes, **options: Any) -> ImportReport:
        file = tmp_path / "list.csv"
        file.write_bytes(content)
        return import_deals(store, file, ImportOptions(**options))

    return invoke


@pytest.fixture
def opened(tmp_path: Path) -> Callable[..., SheetTable]:
    def invoke(content: bytes, **options: Any) -> SheetTable:
        file = tmp_path / "list"
        file.write_bytes(content)
        read = read_table(file, is_known=is_known, **options)
        assert isinstance(read, SheetTable)
        return read

    return invoke


def test_cells_are_read_by_the_type_that_the_workbook_gives_them(
    bring: Bring, store: DealStore
) -> None:
    rows = [
        HEADER,
        ((7, "0000"), "Portal", (1.234, '#,##0.00 "kr"'), (0.5, "0%"), date(2026, 12, 24), "a"),
        (
            (8, "0000"),
            "Audit",
            (1.235, "[$SEK] 0.00"),
            (0.125, "0.0%"),
            datetime(2027, 1, 2, 9),
            "b",
        ),
        ((9, "0000"), "Move", (250, '0 "tkr"'), (1, "0%"), "3/4/27", "c"),
        ((10, "0000"), "Parts", (0.1 + 0.2, "General"), None, "30/4/27", "d"),
    ]
    report = bring(xlsx({"Deals": rows}), currency="SEK")
    assert report.bad_rows == ()
    assert report.added == 4
    first, second, third, fourth = (store.get(key) for key in ("0007", "0008", "0009", "0010"))
    assert (first.value, first.currency) == (Decimal("1.234"), "SEK")
    assert (second.value, second.currency) == (Decimal("1.235"), "SEK")
    assert (third.value, third.expected_close) == (Decimal(250_000), date(2027, 4, 3))
    assert fourth.value == Decimal("0.3")
    assert [each.probability for each in (first, second, third)] == [
        Decimal("0.5"),
        Decimal("0.125"),
        Decimal(1),
    ]
    assert (first.expected_close, second.expected_close) == (date(2026, 12, 24), date(2027, 1, 2))


def test_a_workbook_of_libreoffice_is_read_by_its_types(bring: Bring, store: DealStore) -> None:
    content = ods(
        table(
            "Affärer",
            "".join(map(said, HEADER)),
            said("D-1")
            + said("A&amp;B<text:s text:c='2'/><text:span>x</text:span>")
            + of_type("currency", 'office:currency="SEK" office:value="1.234"', "1,23 kr")
            + of_type("percentage", 'office:value="0.25"', "25%")
            + of_type("date", 'office:date-value="2026-12-24"', "24.12.26")
            + "<table:table-cell><office:annotation><text:p>aside</text:p></office:annotation>"
            "<text:p>one</text:p><text:p>two</text:p></table:table-cell>",
            '<table:table-cell table:number-columns-repeated="16384"/>',
        ),
        table("Tom"),
    )
    assert bring(content).added == 1
    deal = store.get("D-1")
    assert (deal.name, [note.text for note in deal.notes]) == ("A&B x", ["one\ntwo"])
    assert (deal.value, deal.currency) == (Decimal("1.234"), "SEK")
    assert (deal.probability, deal.expected_close) == (Decimal("0.25"), date(2026, 12, 24))


def test_a_header_says_in_what_the_numbers_below_it_are_counted(
    bring: Bring, store: DealStore
) -> None:
    bring(xlsx({"x": [("Key", "Name", "Value (tkr)"), ("D-1", "Portal", 1.5)]}), currency="SEK")
    assert store.get("D-1").value == Decimal(1500)


@pytest.mark.parametrize("formula", ["=cmd|' /C calc'!A0", '=HYPERLINK("http://x")', "=1+1"])
def test_a_formula_is_never_computed(bring: Bring, store: DealStore, formula: str) -> None:
    report = bring(
        xlsx({"x": [("Key", "Name", "Value"), ("D-1", formula, 1), ("D-2", "b", "=A1")]})
    )
    assert store.get("D-1").name == formula
    assert [each.key for each in report.bad_rows] == ["D-2"]
    assert any("2 formulas without a result" in each.text for each in report.notices)


def test_headers_in_several_rows_are_held_together_by_merged_cells(
    opened: Callable[..., SheetTable],
) -> None:
    rows = [
        ("Pipeline of the quarter",),
        ("Key", "Who", None, "Money", None, "When"),
        (None, "Customer", "Owner", "Value", "Currency", "Expected close"),
        ("D-1", "Acme", "Maya", 5, "EUR", date(2026, 12, 1)),
        (None, None, None),
        ("D-2", "Acme", "Maya", 6, "EUR", date(2026, 12, 2)),
    ]
    read = opened(xlsx({"x": rows}, "A1:F1", "A2:A3", "B2:C2", "D2:E2"))
    assert read.headers == ("Key", "Customer", "Owner", "Value", "Currency", "Expected close")
    assert [(each.line, each.cells[0]) for each in read.rows()] == [(4, "D-1"), (6, "D-2")]


def test_repeated_headers_below_merged_ones_are_told_apart_by_them(
    opened: Callable[..., SheetTable],
) -> None:
    rows = [
        (None, None, "Planned", None, "Actual", None),
        ("Key", "Name", "Start", "Close", "Start", "Close"),
        ("D-1", "a", 1, 2, 3, 4),
    ]
    read = opened(xlsx({"x": rows}, "C1:D1", "E1:F1"))
    assert read.headers[2:] == ("Planned Start", "Planned Close", "Actual Start", "Actual Close")


def test_a_value_that_is_merged_downwards_counts_for_each_row(
    opened: Callable[..., SheetTable],
) -> None:
    rows = [("Key", "Name", "Customer"), ("1", "a", "Acme"), ("2", "b", None), (None, None, None)]
    read = opened(xlsx({"x": rows}, "C2:C4"))
    assert [each.cells[2] for each in read.rows()] == ["Acme", "Acme"]


class TestSheets:
    DEALS: ClassVar = [("Key", "Name", "Stage"), ("D-1", "Portal", "Lead")]
    OTHER: ClassVar = [("Key", "Name", "Stage"), ("D-2", "Audit", "Lead")]

    def test_the_only_one_with_known_headers_is_meant(
        self, opened: Callable[..., SheetTable]
    ) -> None:
        read = opened(xlsx({"Read me": [("hello",)], "Q4": self.DEALS, "Empty": []}))
        assert read.sheet == "Q4"
        assert "the others are 'Read me'" in dict(read.notes)["sheet"]

    def test_of_several_one_has_to_be_named(self, opened: Callable[..., SheetTable]) -> None:
        content = xlsx({"Q3": self.OTHER, "Q4": self.DEALS})
        with pytest.raises(ProblemsError, match=r"--sheet NAME \(sheets: 'Q3', 'Q4'\)"):
            opened(content)
        for name in ("q4", "2", "Q4"):
            assert opened(content, sheet=name).sheet == "Q4"
        with pytest.raises(ProblemsError, match=r"no sheet 'Q44'; did you mean 'Q4'"):
            opened(content, sheet="Q44")

    def test_a_csv_file_has_none(self, tmp_path: Path) -> None:
        file = tmp_path / "deals.xlsx"
        file.write_text("key,name\n1,a\n")
        assert read_table(file).headers == ("key", "name")
        with pytest.raises(ProblemsError, match="not a workbook"):
            read_table(file, sheet="Q4")


class TestBounds:
    def refused(self, opened: Callable[..., SheetTable], content: bytes) -> str:
        assert is_workbook(content)
        with pytest.raises(ProblemsError) as caught:
            opened(content)
        return str(caught.value)

    def test_what_unpacks_to_more_than_the_bound_is_not_unpacked(
        self, opened: Callable[..., SheetTable], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(packed, "MAX_UNPACKED", 1_000_000)
        bomb = packed_as({"mimetype": _ODS, "content.xml": b" " * 2_000_000})
        assert len(bomb) < 10_000
        assert "unpacks to 2 MB; up to 1 MB" in self.refused(opened, bomb)

    def test_entities_are_refused(self, opened: Callable[..., SheetTable]) -> None:
        xml = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><x>&b;</x>'
        for parts in (
            {"mimetype": _ODS, "content.xml": xml},
            {"[Content_Types].xml": xml, "xl/workbook.xml": "<x/>"},
        ):
            assert "document type" in self.refused(opened, packed_as(parts))

    def test_rows_and_columns_that_are_repeated_without_end_cost_nothing(
        self, opened: Callable[..., SheetTable]
    ) -> None:
        endless = 'table:number-columns-repeated="1000000"'
        rows = '<table:table-row table:number-rows-repeated="1000000"><table:table-cell/>'
        plain = table("x", said("Key") + said("Name"), said("1") + said("a"))
        end = f"{rows}</table:table-row></table:table>"
        assert opened(ods(plain.replace("</table:table>", end))).headers == ("Key", "Name")
        assert "more than 1,000 columns" in self.refused(
            opened, ods(table("x", said("Key") + said("a", endless)))
        )
        filled = f"{rows.replace('<table:table-cell/>', said('a'))}</table:table-row>"
        refused = self.refused(
            opened, ods(plain.replace("</table:table>", f"{filled}</table:table>"))
        )
        assert "more than 200,000 rows" in refused

    def test_more_cells_than_are_read_are_refused(
        self, opened: Callable[..., SheetTable], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(grid, "MAX_CELLS", 10)
        content = xlsx({"x": [("Key", "Name")] * 20})
        assert "more than 10 filled cells" in self.refused(opened, content)

    @pytest.mark.parametrize("part", ["xl/workbook.xml", "xl/worksheets/sheet1.xml"])
    @pytest.mark.parametrize("damage", [b"", b"<x", b"\x00" * 50, b"<worksheet/>"])
    def test_a_damaged_workbook_is_reported(self, tmp_path: Path, part: str, damage: bytes) -> None:
        whole = zipfile.ZipFile(io.BytesIO(xlsx({"x": [("Key", "Name"), ("1", "a")]})))
        parts = {each: whole.read(each) for each in whole.namelist()}
        file = tmp_path / "deals.xlsx"
        file.write_bytes(packed_as(parts | {part: damage}))
        with pytest.raises(ProblemsError, match=r"damaged|holds no cells"):
            read_table(file)

    def test_text_that_nests_without_end_is_reported(
        self, opened: Callable[..., SheetTable]
    ) -> None:
        deep = "<text:span>" * 5_000 + "x" + "</text:span>" * 5_000
        assert "damaged" in self.refused(opened, ods(table("x", said(deep))))


def test_people_and_time_off_come_from_workbooks_with_titles(tmp_path: Path) -> None:
    people = [("Our people",), (), ("E-mail", "Name", "Hours per week"), ("a@x.test", "Ann", 37.5)]
    off = [("Absence",), ("Email", "From", "To"), ("a@x.test", date(2026, 12, 1), "2026-12-04")]
    for name, rows in (("people", people), ("off", off)):
        (tmp_path / name).write_bytes(xlsx({"x": rows}))
    roster = read_roster(tmp_path / "people", RosterOptions())
    assert [entry.values["hours_per_week"] for entry in roster.entries] == [Decimal("37.5")]
    ((_, days),) = read_file(TIME_OFF_FILE, tmp_path / "off", Writing()).items
    assert (days.first, days.last) == (date(2026, 12, 1), date(2026, 12, 4))


def test_a_workbook_is_a_source_of_deals(tmp_path: Path) -> None:
    (tmp_path / "deals.xlsx").write_bytes(
        xlsx({"Q4": [("Key", "Name"), ("D-1", "Portal")], "Q3": [("Key", "Name"), ("D-2", "b")]})
    )
    settings = {"file": "deals.xlsx", "folder": str(tmp_path), "sheet": "Q4"}
    reading = create(settings, SystemClock()).read()
    assert ([deal.key for deal in reading.deals], reading.complete) == (["D-1"], True)


def test_a_moment_counts_in_the_time_zone_of_the_file(bring: Bring, store: DealStore) -> None:
    rows = [("Key", "Name", "updated_at"), ("D-1", "a", datetime(2026, 11, 20, 10, 30))]
    bring(xlsx({"x": rows}), time_zone="Europe/Stockholm")
    assert store.get("D-1").updated_at == datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
