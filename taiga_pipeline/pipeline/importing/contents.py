"""What stands below a header that means a text to one program, and the day of it to another.

"Next activity" is a text in one export and a date in another: the cells say which.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from enum import Enum
from typing import Final

from taiga_pipeline.pipeline.fields.field import FieldTable, Kind
from taiga_pipeline.pipeline.values.date_forms import SERIALS, readings_of

ENDING: Final = "_on"
_ENOUGH: Final = 200
"""So many cells that hold something tell what a column holds."""


class Content(Enum):
    """What a column holds, as far as its cells tell."""

    NOTHING = "nothing"
    DATES = "dates"
    TEXT = "text"


ContentOf = Callable[[str], Content]
"""Tells what a column holds, by its header."""


def unknown_content(header: str) -> Content:
    """Tells nothing: what a header says counts."""
    return Content.NOTHING


def contents(headers: Sequence[str], rows: Callable[[], Iterable[Sequence[object]]]) -> ContentOf:
    """Returns what tells the content of a column; ``rows`` gives all cells, each time anew."""

    def content_of(header: str) -> Content:
        place, seen = headers.index(header), 0
        for cells in rows():
            cell = cells[place] if place < len(cells) else None
            if cell is None or not str(cell).strip():
                continue
            if not _is_date(cell):
                return Content.TEXT
            seen += 1
            if seen == _ENOUGH:
                break
        return Content.DATES if seen else Content.NOTHING

    return content_of


def _is_date(cell: object) -> bool:
    """Whether a cell is a date; a bare number might be one to a spreadsheet, and is none here."""
    if isinstance(cell, date):
        return True
    return any(form not in SERIALS for form in readings_of(str(cell)))


def beside(table: FieldTable) -> Iterator[tuple[str, str]]:
    """Yields each text with its day and each day with its text: the day's name ends in ``_on``."""
    for each in table:
        text = each.name.removesuffix(ENDING)
        is_pair = text != each.name and text in table
        if is_pair and each.kind is Kind.DATE and table[text].kind is Kind.TEXT:
            yield text, each.name
            yield each.name, text
