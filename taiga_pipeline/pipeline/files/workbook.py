"""A sheet of a workbook as a table of rows, as a CSV file is one: a header, and rows below it.

The content decides what a file is, never its name. Of several sheets the one counts that was named,
else the only one that holds something, else the only one whose header is known.
"""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import chain, islice
from typing import Final

from taiga_pipeline.installing import how_to_get
from taiga_pipeline.pipeline.files.csv_reader import (
    ABOVE,
    IsKnown,
    RawRow,
    choose_header,
    distinct,
    known_headers,
)
from taiga_pipeline.pipeline.files.grid import (
    Grid,
    Merge,
    Sheet,
    TooMuch,
    column_letters,
    with_merged,
)
from taiga_pipeline.pipeline.files.ods_reader import ods_sheets
from taiga_pipeline.pipeline.files.packed import unpacked
from taiga_pipeline.pipeline.files.xlsx_reader import BROKEN, xlsx_sheets
from taiga_pipeline.pipeline.text import counted, folded
from taiga_pipeline.problems import Problem, ProblemsError, did_you_mean

EXTRA: Final = "spreadsheets"
_FEW: Final = 2
_LISTED: Final = 20
_NO_XLSX: Final = (
    "reading Excel workbooks needs a package that is not installed (openpyxl); install it with: "
)
_DAMAGED: Final = "the workbook is damaged, or not written as its format asks; save it again"
_BINARY: Final = (
    "this is an Excel workbook of the binary kind (.xlsb); save it as .xlsx or as CSV, and import "
    "that file"
)


@dataclass(frozen=True, slots=True)
class SheetTable:
    """A sheet that was read; see `csv_reader.CsvText`, which it stands in for.

    ``sheet`` is its name, ``first_line`` the row of its header.
    """

    name: str
    sheet: str
    headers: tuple[str, ...]
    first_line: int
    lines: Mapping[int, Sequence[str]] = field(repr=False)
    notes: tuple[tuple[str, str], ...] = ()

    @property
    def is_whole(self) -> bool:
        """A workbook that is cut off cannot be read at all."""
        return True

    @property
    def kind(self) -> str:
        """Says in words what was read."""
        return f"sheet {self.sheet!r}, header in row {self.first_line}"

    def rows(self, *, pad: bool = False) -> Iterator[RawRow]:
        """Goes through the rows below the header; those that are blank are left out.

        ``pad`` is there for files that may be cut short.
        """
        width, before = len(self.headers), self.first_line
        for number, cells in self.lines.items():
            kept = tuple(cells[:width])
            if number <= self.first_line or not any(cell.strip() for cell in kept):
                continue
            yield RawRow(
                number, kept + ("",) * (width - len(kept)), after_blank=number > before + 1
            )
            before = number


def is_workbook(data: bytes) -> bool:
    """Tells by its content whether a file is a workbook that can be read."""
    if not data.startswith(b"PK\x03\x04"):
        return False
    return bool(_kind(data))


def _kind(data: bytes) -> str:
    """Returns "xlsx", "xlsb" or "ods", "" for another archive."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = set(archive.namelist())
            mimetype = archive.read("mimetype")[:100] if "mimetype" in names else b""
    except BROKEN:
        return ""
    if b"opendocument.spreadsheet" in mimetype and "content.xml" in names:
        return "ods"
    if "xl/workbook.bin" in names:
        return "xlsb"
    return "xlsx" if any(each.startswith("xl/") for each in names) else ""


def read_workbook(
    data: bytes,
    name: str,
    *,
    sheet: str = "",
    option: str = "--sheet {name}",
    is_known: IsKnown = lambda header: False,
) -> SheetTable:
    """Reads one sheet of a workbook. ``option`` is how the choice of the sheet is written.

    :raises ProblemsError: it is damaged or too large, holds nothing, or does not say which of its
        sheets is meant; lists them.
    """
    try:
        sheets = _sheets(data, name)
        read = _read(sheets, name, sheet, option)
        chosen = _chosen(read, name, option, is_known)
        names = [each.name for each in (read if len(read) > 1 else sheets)]
        return _table(chosen, name, is_known, names, option)
    except TooMuch as error:
        raise _problem(name, f"{error}: this is too much; export less, or as CSV") from None
    except BROKEN:
        raise _problem(name, _DAMAGED) from None


@dataclass(frozen=True, slots=True)
class _Read:
    """A sheet with its cells."""

    name: str
    grid: Grid
    is_hidden: bool


def _sheets(data: bytes, name: str) -> list[Sheet]:
    kind = _kind(data)
    if kind == "xlsb":
        raise _problem(name, _BINARY)
    if kind == "xlsx" and find_spec("openpyxl") is None:
        raise _problem(name, f"{_NO_XLSX}{how_to_get(EXTRA)}")
    with unpacked(data, name) as archive:
        return ods_sheets(archive) if kind == "ods" else xlsx_sheets(data)


def _read(sheets: list[Sheet], name: str, asked: str, option: str) -> list[_Read]:
    """Reads the sheet that was asked for, else all that hold something."""
    wanted = sheets
    if asked:
        names = [each.name for each in sheets]
        found = _named(sheets, asked)
        if found is None:
            near, listed = did_you_mean(asked, names), _listed(names)
            shown = option.format(name=asked)
            raise _problem(name, f"{shown}: no sheet {asked!r}{near} (sheets: {listed})")
        wanted = [found]
    read = [_Read(each.name, each.read(), each.is_hidden) for each in wanted]
    filled = [each for each in read if each.grid.rows]
    if not filled:
        what = f"sheet {wanted[0].name!r}" if asked else "the workbook"
        raise _problem(name, f"{what} holds no cells")
    return filled


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _LISTED
    return ", ".join(map(repr, names[:_LISTED])) + (f" and {more:,} more" if more > 0 else "")


def _chosen(sheets: list[_Read], name: str, option: str, is_known: IsKnown) -> _Read:
    shown = [each for each in sheets if not each.is_hidden] or sheets
    if len(shown) == 1:
        return shown[0]
    known = [each for each in shown if _score(each, is_known) >= _FEW]
    if len(known) == 1:
        return known[0]
    raise _problem(
        name,
        f"{counted(len(sheets), 'sheet')} with cells, and it is open which one is meant: choose "
        f"one with {option.format(name='NAME')} (sheets: "
        f"{_listed([each.name for each in sheets])})",
    )


def _named(sheets: list[Sheet], asked: str) -> Sheet | None:
    """Returns the sheet of a name, whatever its letter case, or else of a number from 1."""
    exact = [each for each in sheets if each.name == asked]
    alike = [each for each in sheets if folded(each.name.strip()) == folded(asked.strip())]
    if exact or alike:
        return (exact or alike)[0]
    number = int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 4 else 0
    return sheets[number - 1] if 0 < number <= len(sheets) else None


def _score(sheet: _Read, is_known: IsKnown) -> int:
    header = choose_header(_first_rows(sheet.grid.rows), is_known)
    return known_headers(header, is_known) if isinstance(header, RawRow) else 0


def _first_rows(rows: Mapping[int, Sequence[str]]) -> list[RawRow]:
    return [RawRow(number, tuple(cells)) for number, cells in islice(rows.items(), ABOVE)]


def _table(sheet: _Read, name: str, is_known: IsKnown, names: list[str], option: str) -> SheetTable:
    rows = dict(sorted(with_merged(sheet.grid.rows, sheet.grid.merges).items()))
    header = _lowest_header(rows, sheet.grid.merges, is_known)
    headers, repeated = distinct(_told_apart(header, rows, sheet.grid.merges))
    table = SheetTable(name, sheet.name, headers, header.line, rows)
    notes: Iterator[tuple[str, str]] = _notes(sheet, table, next(iter(rows)), repeated)
    if len(names) > 1:
        notes = chain(_said_of_sheets(sheet, names, option), notes)
    return SheetTable(name, sheet.name, headers, header.line, rows, tuple(notes))


def _lowest_header(
    rows: Mapping[int, Sequence[str]], merges: Sequence[Merge], is_known: IsKnown
) -> RawRow:
    """Returns the row of the header; of one in several rows, held together by merged cells, the
    lowest that names more columns."""
    records = _first_rows(rows)
    chosen = choose_header(records, is_known)
    header = chosen if isinstance(chosen, RawRow) else records[0]
    for below in records[records.index(header) + 1 :]:
        is_held = any(
            merge.top <= header.line and (merge.bottom >= below.line or merge.right > merge.left)
            for merge in merges
            if merge.bottom >= header.line
        )
        names_more = known_headers(below, is_known) > known_headers(header, is_known)
        if below.line != header.line + 1 or not is_held or not names_more:
            break
        header = below
    return header


def _told_apart(
    header: RawRow, rows: Mapping[int, Sequence[str]], merges: Sequence[Merge]
) -> tuple[str, ...]:
    """Returns the headers; those that are repeated get the words of the merged cells above them."""
    repeated = Counter(folded(cell.strip()) for cell in header.cells)
    cells = list(header.cells)
    above = rows.get(header.line - 1, ())
    for merge in merges:
        if merge.bottom != header.line - 1 or merge.left > len(above):
            continue
        group = above[merge.left - 1].strip()
        for at in range(merge.left - 1, min(merge.right, len(cells))):
            if group and cells[at].strip() and repeated[folded(cells[at].strip())] > 1:
                cells[at] = f"{group} {cells[at].strip()}"
    return tuple(cells)


def _said_of_sheets(sheet: _Read, names: list[str], option: str) -> Iterator[tuple[str, str]]:
    others = _listed([each for each in names if each != sheet.name])
    other = option.format(name="NAME")
    yield "sheet", f"sheet {sheet.name!r} was read; the others are {others} (choose with {other})"


def _notes(
    sheet: _Read, table: SheetTable, first: int, repeated: list[str]
) -> Iterator[tuple[str, str]]:
    if table.first_line > first:
        said = f"the header is row {table.first_line}; rows above it were skipped"
        yield "header", said
    if repeated:
        listed = ", ".join(map(repr, dict.fromkeys(repeated)))
        yield (
            "repeated_headers",
            f"several columns are called {listed}; the second is {repeated[0] + ' (2)'!r} in "
            "messages and for --column",
        )
    if aside := _aside(table):
        yield "no_header", f"cells in columns without a header were left out ({aside})"
    if count := sheet.grid.uncomputed:
        yield (
            "uncomputed",
            f"{counted(count, 'formula')} without a result in the file (first: "
            f"{sheet.grid.first_uncomputed}), read as text: open the workbook in a spreadsheet and "
            "save it",
        )


def _aside(table: SheetTable) -> str:
    """Names the first cell below the header that stands right of the last column."""
    width = len(table.headers)
    for number, cells in table.lines.items():
        if number > table.first_line:
            for at, cell in enumerate(cells[width:], width + 1):
                if cell.strip():
                    return f"first: {column_letters(at)}{number}"
    return ""


def _problem(name: str, message: str) -> ProblemsError:
    return ProblemsError([Problem(message, name)])
