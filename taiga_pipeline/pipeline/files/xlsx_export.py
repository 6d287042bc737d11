"""Deals as an Excel workbook, which an import reads back as they are.

Text is text for the spreadsheet as well: it computes nothing of it, whatever it begins with, and
takes no key for a number. Days, amounts and chances are what they are, shown in the reader's own
language.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any, BinaryIO, Final

from taiga_pipeline.pipeline.columns import deal_cells
from taiga_pipeline.pipeline.fields.field import DealField, FieldTable, Kind
from taiga_pipeline.pipeline.fields.table import BUILT_IN
from taiga_pipeline.pipeline.files.csv_reader import is_guarded_text
from taiga_pipeline.pipeline.files.dialects import is_exact_in_binary
from taiga_pipeline.pipeline.model import Deal
from taiga_pipeline.pipeline.notes import format_notes
from taiga_pipeline.pipeline.text import counted
from taiga_pipeline.pipeline.versions import COLUMN, Version
from taiga_pipeline.problems import Problem, ProblemsError

_Cell = Any
"""A cell of openpyxl, which has no class of its own for those that are written at once."""
LONGEST: Final = 32_767
"""Characters (of UTF-16) that a cell holds; programs cut what is longer without a word."""
_SURELY_FITS: Final = 4_000
"""Characters that fit in whatever way they are written."""
_FIRST_DAY: Final = date(1900, 3, 1)
"""Before it, spreadsheets count days wrong, or not at all."""
_CONTROL: Final = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
"""What XML cannot hold, and what would be read as an escape of such."""
_RISKY: Final = re.compile(r"[=+\-@\t\r＝＋－＠]")
_MONEY: Final = re.compile(r"(?P<number>-?[0-9]+(?:\.[0-9]+)?)(?: (?P<currency>[A-Z]{3}))?")
_WIDTHS: Final = {Kind.NOTES: 40, Kind.ROLES: 30, Kind.CONTACTS: 30, Kind.ACTIONS: 30}
_SHEET: Final = "deals"
_TEXT: Final = "@"
_DAY: Final = "yyyy-mm-dd"


def export_workbook(
    deals: Iterable[tuple[Deal, Version]], stream: BinaryIO, table: FieldTable = BUILT_IN
) -> int:
    """Writes deals with all columns, their versions and a header; returns how many.

    The columns are those of the CSV format. ``stream`` is open for bytes.

    :raises ProblemsError: a text does not fit into a cell; names the deals.
    """
    from openpyxl import Workbook  # noqa: PLC0415 - an extra, and only workbooks need it

    book = Workbook(write_only=True)
    sheet: Any = book.create_sheet(_SHEET)
    try:
        count = _fill(sheet, deals, [table[name] for name in table.names])
    except BaseException:
        sheet.close()  # what is written at once lies in a temporary file
        raise
    sheet.auto_filter.ref = f"A1:{_letters(len(table.names) + 1)}{count + 1}"
    book.save(stream)
    return count


def _fill(sheet: Any, deals: Iterable[tuple[Deal, Version]], fields: list[DealField]) -> int:
    _set_up(sheet, fields)
    names = [field.name for field in fields]
    sheet.append([_text_cell(sheet, name, is_bold=True) for name in (*names, COLUMN)])
    count = 0
    too_long: list[Problem] = []
    for deal, version in deals:
        cells = deal_cells(deal) | {"notes": _newest(deal)}
        row = [_cell(sheet, field, cells.get(field.name, "")) for field in fields]
        sheet.append([*row, _text_cell(sheet, str(version))])
        too_long += _too_long(deal.key, cells)
        count += 1
    if too_long:
        raise ProblemsError(too_long)
    return count


def _set_up(sheet: Any, fields: list[DealField]) -> None:
    """Gives the columns their width, and the format of text, so that what is typed stays text."""
    sheet.freeze_panes = "B2"
    for at, field in enumerate(fields, 1):
        column = sheet.column_dimensions[_letters(at)]
        column.width = _WIDTHS.get(field.kind, 16)
        if field.is_guarded and field.kind not in (Kind.MONEY, Kind.NUMBER, Kind.DATE):
            column.number_format = _TEXT


def _letters(number: int) -> str:
    from openpyxl.utils import get_column_letter  # noqa: PLC0415

    return get_column_letter(number)


def _cell(sheet: Any, field: DealField, text: str) -> _Cell | None:
    """Returns the cell of a field; None for a blank one."""
    if not text:
        return None
    made: _Cell | None = None
    if field.kind in (Kind.MONEY, Kind.NUMBER):
        made = _figure(sheet, field, text)
    elif field.kind is Kind.SHARE:
        made = _share(sheet, text)
    elif field.kind is Kind.DATE:
        made = _day(sheet, text)
    return made or _text_cell(sheet, text)


def _figure(sheet: Any, field: DealField, text: str) -> _Cell | None:
    match = _MONEY.fullmatch(text)
    if match is None or (match["currency"] and field.kind is Kind.NUMBER):
        return None
    if field.kind is Kind.NUMBER:
        return _number(sheet, Decimal(match["number"]), "General")
    places = len(match["number"].partition(".")[2])
    currency = f' "{match["currency"]}"' if match["currency"] else ""
    return _number(
        sheet, Decimal(match["number"]), f"#,##0.{'0' * min(max(places, 2), 15)}{currency}"
    )


def _share(sheet: Any, text: str) -> _Cell | None:
    share = Decimal(text)
    places = len(format((share * 100).normalize(), "f").partition(".")[2])
    return _number(sheet, share, f"0.{'0' * min(places, 13)}%" if places else "0%")


def _number(sheet: Any, number: Decimal, shown: str) -> _Cell | None:
    return _made(sheet, number, shown) if is_exact_in_binary(number) else None


def _day(sheet: Any, text: str) -> _Cell | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:  # one of the user's own, from when its kind was another
        return None
    return _made(sheet, day, _DAY) if day >= _FIRST_DAY else None


def _text_cell(sheet: Any, text: str, *, is_bold: bool = False) -> _Cell:
    """Returns a cell of text that no spreadsheet computes, not even when somebody edits it."""
    # An import takes the apostrophe of a CSV file away, and so one of the text's own.
    kept = f"'{text}" if is_guarded_text(text) else text
    made = _made(sheet, _CONTROL.sub(_escaped, kept), _TEXT)
    made.data_type = "s"
    if _RISKY.match(text):
        made.quotePrefix = True
    if is_bold:
        from openpyxl.styles import Font  # noqa: PLC0415

        made.font = Font(bold=True)
    return made


def _made(sheet: Any, value: Any, shown: str) -> _Cell:
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415

    made: _Cell = WriteOnlyCell(sheet, value)
    made.number_format = shown
    return made


def _escaped(match: re.Match[str]) -> str:
    return f"_x{ord(match[0]):04X}_"


def _newest(deal: Deal) -> str:
    """Returns as many notes as a cell holds, the newest first: an import never takes notes away."""
    notes = deal.notes
    while notes and _size(text := format_notes(notes)) >= LONGEST:
        keep = min(len(notes) - 1, len(notes) * LONGEST // _size(text))
        notes = notes[:keep]
    return format_notes(notes)


def _size(text: str) -> int:
    return len(_CONTROL.sub(_escaped, text).encode("utf-16-le")) // 2


def _too_long(key: str, cells: dict[str, str]) -> Iterator[Problem]:
    for name, text in cells.items():
        size = _size(text) if len(text) > _SURELY_FITS else 0
        if size >= LONGEST:
            yield Problem(
                f"{key}: {name} has {counted(size, 'character')}; a cell of a workbook holds "
                f"{LONGEST:,}: export as CSV"
            )
