"""A sheet of a workbook: rows of cells, and which of them are merged."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

MAX_ROWS: Final = 200_000
MAX_COLUMNS: Final = 1_000
MAX_CELLS: Final = 2_000_000
"""Cells of one sheet that hold something."""
MAX_MERGES: Final = 20_000


class TooMuch(Exception):
    """A sheet is larger than what is read; says what the bound is."""


@dataclass(frozen=True, slots=True)
class Merge:
    """Merged cells: the first and last row and column, from 1; the first cell holds the value."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(frozen=True, slots=True)
class Grid:
    """The cells of a sheet: row number (from 1) -> its cells, without blank ones at the end.

    Rows without any are missing. ``uncomputed`` counts formulas whose results are not in the file;
    ``first_uncomputed`` names the first such cell.
    """

    rows: Mapping[int, tuple[str, ...]]
    merges: tuple[Merge, ...] = ()
    uncomputed: int = 0
    first_uncomputed: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet that can be read."""

    name: str
    read: Callable[[], Grid]
    is_hidden: bool = False


@dataclass(slots=True)
class GridBuilder:
    """Takes the cells of a sheet row by row, within the bounds."""

    rows: dict[int, tuple[str, ...]] = field(default_factory=dict)
    _count: int = 0

    def add(self, number: int, cells: Iterable[str]) -> None:
        """Takes a row.

        :raises TooMuch: the sheet has more rows, columns or cells than are read.
        """
        kept = list(cells)
        while kept and not kept[-1].strip():
            kept.pop()
        if not kept:
            return
        self._count += sum(map(bool, kept))
        if len(kept) > MAX_COLUMNS:
            raise TooMuch(f"row {number:,} has more than {MAX_COLUMNS:,} columns")
        if len(self.rows) >= MAX_ROWS:
            raise TooMuch(f"more than {MAX_ROWS:,} rows")
        if self._count > MAX_CELLS:
            raise TooMuch(f"more than {MAX_CELLS:,} filled cells")
        self.rows[number] = tuple(kept)


def with_merged(
    rows: Mapping[int, tuple[str, ...]], merges: Iterable[Merge]
) -> dict[int, list[str]]:
    """Returns the rows with what is merged downwards in each of them that holds something else."""
    filled = {number: list(cells) for number, cells in rows.items()}
    for merge in merges:
        first = rows.get(merge.top, ())
        value = first[merge.left - 1] if merge.left <= len(first) else ""
        if not value or merge.bottom == merge.top:
            continue
        for number in range(merge.top + 1, min(merge.bottom, merge.top + MAX_ROWS) + 1):
            cells = filled.get(number)
            if cells is not None:
                cells += [""] * (merge.left - len(cells))
                cells[merge.left - 1] = cells[merge.left - 1] or value
    return filled


def column_letters(number: int) -> str:
    """Returns the letters of a column: 1 is A, 27 is AA."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
