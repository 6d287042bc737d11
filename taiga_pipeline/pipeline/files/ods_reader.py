"""The sheets of an OpenDocument workbook (.ods), read from its one part of XML as it streams by.

Cells say themselves what they are: a share, an amount with its currency, a day.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from xml.etree.ElementTree import Element, iterparse

from taiga_pipeline.pipeline.files.cell_text import (
    day_cell,
    money_cell,
    number_cell,
    other_cell,
)
from taiga_pipeline.pipeline.files.csv_reader import MAX_CELL
from taiga_pipeline.pipeline.files.grid import (
    MAX_CELLS,
    MAX_COLUMNS,
    MAX_MERGES,
    MAX_ROWS,
    Grid,
    GridBuilder,
    Merge,
    Sheet,
    TooMuch,
)

_OFFICE: Final = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_TABLE: Final = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_TEXT: Final = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_CELLS: Final = (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell")
_ASIDE: Final = (f"{_OFFICE}annotation", f"{_TABLE}shapes")
MAX_SHEETS: Final = 500


@dataclass(slots=True)
class _Open:
    """A sheet that is being read."""

    name: str
    builder: GridBuilder = field(default_factory=GridBuilder)
    merges: list[Merge] = field(default_factory=list)
    at: int = 1
    too_much: str = ""

    def add(self, row: Element) -> None:
        """Takes a row, which may stand for many that are alike."""
        times = _times(row, "number-rows-repeated", 1 << 20)
        if not self.too_much:
            try:
                self._add(list(_row_cells(row)), times)
            except TooMuch as error:
                self.too_much = str(error)
        self.at += times

    def _add(self, cells: list[_Cell], times: int) -> None:
        texts = [each.text for each in cells]
        if any(texts):
            if times > MAX_ROWS:
                raise TooMuch(f"more than {MAX_ROWS:,} rows")
            for number in range(self.at, self.at + times):
                self.builder.add(number, texts)
        for column, each in enumerate(cells, 1):
            if (each.down > 1 or each.across > 1) and len(self.merges) < MAX_MERGES:
                bottom, right = self.at + each.down - 1, column + each.across - 1
                self.merges.append(Merge(self.at, column, bottom, right))

    def sheet(self) -> Sheet:
        """Returns what was read."""
        return Sheet(self.name, self._grid)

    def _grid(self) -> Grid:
        if self.too_much:
            raise TooMuch(self.too_much)
        return Grid(self.builder.rows, tuple(self.merges))


@dataclass(frozen=True, slots=True)
class _Cell:
    text: str = ""
    down: int = 1
    across: int = 1


def ods_sheets(archive: zipfile.ZipFile) -> list[Sheet]:
    """Returns the sheets of a workbook, in its order.

    :raises ValueError, ParseError, KeyError: the workbook is damaged or encrypted.
    """
    sheets: list[_Open] = []
    cells = 0
    with archive.open("content.xml") as stream:
        events = iterparse(stream, events=("start", "end"))  # noqa: S314 - no document type here
        depth = 0
        for event, element in events:
            is_table = element.tag == f"{_TABLE}table"
            if event == "start":
                depth += is_table
                if is_table and depth == 1:
                    sheets.append(_Open(element.get(f"{_TABLE}name", f"Sheet{len(sheets) + 1}")))
                if len(sheets) > MAX_SHEETS:
                    raise TooMuch(f"more than {MAX_SHEETS:,} sheets")
                continue
            depth -= is_table
            if element.tag == f"{_TABLE}table-row" and depth == 1:
                cells += len(element)
                sheets[-1].add(element)
                element.clear()
            if cells > MAX_CELLS * 2:
                raise TooMuch(f"more than {MAX_CELLS:,} cells")
    return [each.sheet() for each in sheets]


def _row_cells(row: Element) -> Iterator[_Cell]:
    count = 0
    pending = 0  # blank cells up to the end of a row are not worth a list
    for element in row:
        if element.tag not in _CELLS:
            continue
        times = _times(element, "number-columns-repeated", 1 << 20)
        cell = _Cell(
            "" if element.tag == _CELLS[1] else _cell(element),
            _times(element, "number-rows-spanned", MAX_ROWS),
            _times(element, "number-columns-spanned", MAX_COLUMNS),
        )
        if not cell.text and cell.down == cell.across == 1:
            pending += times
            continue
        if count + pending + times > MAX_COLUMNS:
            raise TooMuch(f"a row of more than {MAX_COLUMNS:,} columns")
        yield from (_Cell() for _ in range(pending))
        yield from (cell for _ in range(times))
        count, pending = count + pending + times, 0


def _times(element: Element, name: str, most: int) -> int:
    text = element.get(f"{_TABLE}{name}", "1")
    return max(1, min(int(text), most)) if text.isascii() and text.isdecimal() else 1


def _cell(element: Element) -> str:
    """Returns a cell as text that knows its type; a value that cannot be read is what it shows."""
    kind = element.get(f"{_OFFICE}value-type", "")
    try:
        found = _typed(element, kind)
    except (ValueError, InvalidOperation):
        found = None
    text = "\n".join(map(_paragraph, _paragraphs(element))) if found is None else found
    if len(text) > MAX_CELL:
        raise TooMuch(f"a cell of more than {MAX_CELL:,} characters")
    return text


def _typed(element: Element, kind: str) -> str | None:
    def said(name: str) -> str:
        return element.get(f"{_OFFICE}{name}", "")

    if kind in ("float", "percentage", "currency"):
        number = Decimal(said("value"))
        if not number.is_finite() or abs(number.adjusted()) > 40:
            return None
        if kind == "currency" and said("currency"):
            return money_cell(number, said("currency"))
        return number_cell(number, "0%" if kind == "percentage" else _zeros(element))
    if kind == "date":
        text = said("date-value")
        return day_cell(datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text))
    if kind == "boolean":
        return other_cell(said("boolean-value") == "true")
    return None


def _zeros(element: Element) -> str:
    """Returns the format of a number that is shown with zeros before it, as keys are; else ""."""
    shown = "".join(_paragraph(each) for each in _paragraphs(element))
    is_padded = len(shown) > 1 and shown.isascii() and shown.isdecimal() and shown[0] == "0"
    return "0" * len(shown) if is_padded else ""


def _paragraphs(element: Element) -> Iterator[Element]:
    for child in element:
        if child.tag == f"{_TEXT}p":
            yield child
        elif child.tag not in _ASIDE:
            yield from _paragraphs(child)


def _paragraph(element: Element) -> str:
    parts: list[str] = []
    _collect(element, parts)
    return "".join(parts)


def _collect(element: Any, parts: list[str]) -> None:
    """Adds the text of an element; blanks, tabs and line ends have elements of their own."""
    if element.tag == f"{_TEXT}s":
        parts.append(" " * min(_count(element.get(f"{_TEXT}c", "1")), MAX_CELL))
    elif element.tag == f"{_TEXT}tab":
        parts.append("\t")
    elif element.tag == f"{_TEXT}line-break":
        parts.append("\n")
    parts.append(element.text or "")
    for child in element:
        if child.tag not in _ASIDE:
            _collect(child, parts)
        parts.append(child.tail or "")


def _count(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 7 else 1
