"""The sheets of an Excel workbook (.xlsx, .xlsm), by openpyxl.

Formulas are never computed: what counts is the result that the spreadsheet stored. Where it stored
none (a program wrote the file), the formula itself is the cell's text.
"""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from xml.etree.ElementTree import ParseError, iterparse

from taiga_pipeline.pipeline.files.cell_text import day_cell, number_cell, other_cell
from taiga_pipeline.pipeline.files.csv_reader import MAX_CELL
from taiga_pipeline.pipeline.files.grid import (
    MAX_COLUMNS,
    MAX_MERGES,
    Grid,
    GridBuilder,
    Merge,
    Sheet,
    TooMuch,
    column_letters,
)
from taiga_pipeline.pipeline.files.packed import BROKEN_ARCHIVE

if TYPE_CHECKING:
    from openpyxl.workbook import Workbook

_MARKED: Final = re.compile(rb"<(?:\w+:)?(?:f|mergeCell)[\s/>]")
_REFERENCE: Final = re.compile(r"([A-Z]{1,3})([0-9]{1,7})(?::([A-Z]{1,3})([0-9]{1,7}))?")
_ESCAPED: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")
BROKEN: Final = (
    *BROKEN_ARCHIVE,
    ParseError,
    KeyError,
    TypeError,
    AttributeError,
    IndexError,
    OverflowError,
)
"""What openpyxl raises on files that do not hold what they should."""


def xlsx_sheets(data: bytes) -> list[Sheet]:
    """Returns the sheets of a workbook, in its order; charts are none.

    :raises BROKEN: the workbook is damaged.
    """
    from openpyxl import load_workbook  # noqa: PLC0415 - an extra, and only workbooks need it

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about styles and extensions that only matter for saving
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
    return [
        Sheet(
            sheet.title,
            partial(_grid, data, book, number),
            is_hidden=sheet.sheet_state != "visible",
        )
        for number, sheet in enumerate(book.worksheets)
    ]


def _grid(data: bytes, book: Workbook, number: int) -> Grid:
    sheet: Any = book.worksheets[number]
    merges, formulas = _beside_values(data, sheet._worksheet_path)
    sheet.reset_dimensions()  # which some programs write wrong
    builder = GridBuilder()
    uncomputed: list[str] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about days beyond the calendar, which become errors
        for at, row in enumerate(sheet.iter_rows(max_col=MAX_COLUMNS + 1), 1):
            cells = [_cell(each) for each in row]
            for column, formula in formulas.get(at, {}).items():
                if column <= len(cells) and not cells[column - 1]:
                    cells[column - 1] = formula
                    uncomputed.append(f"{column_letters(column)}{at}")
            builder.add(at, cells)
    return Grid(builder.rows, merges, len(uncomputed), next(iter(uncomputed), ""))


def _cell(cell: Any) -> str:
    value = cell.value
    if value is None or value == "":
        return ""
    if isinstance(value, str):
        return _unescaped(value)
    if isinstance(value, bool):
        return other_cell(value)
    if isinstance(value, int | float):
        return number_cell(value, cell.number_format or "")
    return day_cell(value) if isinstance(value, date) else other_cell(value)


def _unescaped(text: str) -> str:
    """Returns text as Excel shows it: what XML cannot hold is written as ``_x000D_``."""
    if len(text) > MAX_CELL:
        raise TooMuch(f"a cell of more than {MAX_CELL:,} characters")
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text) if "_x" in text else text


def _beside_values(
    data: bytes, part: str
) -> tuple[tuple[Merge, ...], Mapping[int, Mapping[int, str]]]:
    """Returns what the library does not give of a sheet that is streamed: which cells are merged,
    and formulas without a result, by row and column."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        xml = archive.read(part.lstrip("/"))
    if not _MARKED.search(xml):
        return (), {}
    merges: list[Merge] = []
    formulas: dict[int, dict[int, str]] = {}
    for _, element in iterparse(io.BytesIO(xml)):  # noqa: S314 - no document type gets this far
        name = element.tag.rpartition("}")[2]
        if name == "mergeCell" and len(merges) < MAX_MERGES:
            merges += _merged(element.get("ref", ""))
        elif name == "row":
            for row, column, formula in _without_results(element):
                formulas.setdefault(row, {})[column] = formula
            element.clear()
    return tuple(merges), formulas


def _without_results(row: Any) -> Iterator[tuple[int, int, str]]:
    for cell in row:
        parts = {part.tag.rpartition("}")[2]: part for part in cell}
        formula, result = parts.get("f"), parts.get("v")
        found = _REFERENCE.fullmatch(cell.get("r", ""))
        if formula is not None and found and (result is None or not result.text):
            is_text = cell.get("t") == "str" and result is not None  # the result is no text
            if not is_text:
                yield int(found[2]), _column(found[1]), f"={formula.text or '…'}"


def _merged(reference: str) -> Iterator[Merge]:
    found = _REFERENCE.fullmatch(reference)
    if found and found[3]:
        yield Merge(int(found[2]), _column(found[1]), int(found[4]), _column(found[3]))


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number
