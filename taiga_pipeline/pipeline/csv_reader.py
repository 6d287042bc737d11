"""CSV files as they occur: any separator and encoding, with broken rows in between.

A broken row costs that row only: reading begins again at the line after the one on which the
broken row began, so that a quote that is never closed does not swallow the rest of the file. How
much is read again in all is bounded: the time it takes grows with the file, not with its square.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sync.errors import Unreachable
from taiga_pipeline.problems import Problem, ProblemsError

DELIMITERS: Final = (",", ";", "\t", "|")
MAX_CELL: Final = 200_000
"""Characters in one cell."""
_READ_AGAIN: Final = 4
"""How many times the length of a file its lines are read again, for broken rows."""
_ALWAYS_AGAIN: Final = 2_000_000
"""Characters that are read again in a file of any length."""
_TELLING: Final = 3
"""Cells from which on a line tells a row from a sentence with a comma in it."""
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SEPARATOR_LINE = re.compile(r"sep=(.)\r?\n?", re.IGNORECASE)
_RISKY = re.compile(r"'*[=+\-@\t\r＝＋－＠]")
_GUARDED = re.compile(r"'+[=+\-@\t\r＝＋－＠]")


@dataclass(frozen=True, slots=True)
class BrokenRow:
    """A row that cannot be taken apart. ``cells`` are those before the break, as far as known.

    ``cut_off`` says that the file may end too early: rows that are missing prove nothing then.
    """

    line: int
    reason: str
    cells: tuple[str, ...] = ()
    cut_off: bool = False


@dataclass(frozen=True, slots=True)
class RawRow:
    """A row as it stands in the file. ``line`` is the line on which it begins, from 1.

    ``inside`` is the first line within it that looks like a row of its own, 0 if none does: the
    quotation mark of a cell may have been closed by that of a later row.
    """

    line: int
    cells: tuple[str, ...]
    inside: int = 0


@dataclass(frozen=True, slots=True)
class CsvText:
    """A file that was read and decoded. ``first_line`` is the number of the header's line."""

    name: str
    text: str
    delimiter: str
    encoding: str
    headers: tuple[str, ...]
    first_line: int

    def rows(self) -> Iterator[RawRow | BrokenRow]:
        """Goes through the rows below the header; those that are blank are left out."""
        lines = _Lines(self.text, self.first_line)
        next(_records(lines, self.delimiter))
        for record in _records(lines, self.delimiter):
            if isinstance(record, BrokenRow):
                yield record
            elif any(cell.strip() for cell in record.cells):
                yield self._checked(record, lines)

    def _checked(self, row: RawRow, lines: _Lines) -> RawRow | BrokenRow:
        expected, found = len(self.headers), len(row.cells)
        if any("\0" in cell for cell in row.cells):
            return BrokenRow(row.line, "a NUL character, which text cannot hold")
        if found > expected and any(cell.strip() for cell in row.cells[expected:]):
            reason = f"{found} cells where {expected} were expected"
        elif found < expected:
            reason = f"only {found} of {expected} cells"
        else:
            inside = lines.row_inside(self.delimiter, expected)
            return RawRow(row.line, row.cells[:expected], inside)
        cut_off = found < expected and lines.ends_abruptly
        reason += "; the file ends in the middle of this row" if cut_off else ""
        lines.again_after_first()
        return BrokenRow(row.line, reason, row.cells, cut_off)


_NEVER_CLOSED: Final = "a quotation mark is opened and never closed"
_AMONG_BROKEN: Final = (
    "a quotation mark is opened and not closed on its line, where so many rows are broken that "
    "only lines that are whole are read"
)


class _Lines:
    """The lines of a text, of which the ones of the present record can be given out again.

    A line that begins a record is given out in any case. Those after it that were given out before
    are so until the bound is reached: from there on a record ends with its line.
    """

    def __init__(self, text: str, first_line: int) -> None:
        self._lines = list(io.StringIO(text, newline=""))
        self._next = first_line - 1
        self._start = self._next
        self._fresh = self._next
        self._left = max(_READ_AGAIN * len(text), _ALWAYS_AGAIN)
        self.is_held_back = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self._next >= len(self._lines):
            raise StopIteration
        line = self._lines[self._next]
        if self._start < self._next < self._fresh:
            self.is_held_back = self._left < len(line)
            if self.is_held_back:
                raise StopIteration
            self._left -= len(line)
        self._next += 1
        self._fresh = max(self._fresh, self._next)
        return line

    def begin(self) -> int:
        """Begins a record; returns the number of its first line."""
        self._start = self._next
        self.is_held_back = False
        return self._start + 1

    def again_after_first(self) -> None:
        """Gives the lines of the present record out again, but for its first."""
        self._next = self._start + 1

    def row_inside(self, delimiter: str, expected: int) -> int:
        """Returns the number of the first later line of the present record that is a whole row."""
        for number in range(self._start + 1, self._next if expected >= _TELLING else 0):
            text = self._lines[number]
            if text.count(delimiter) >= expected - 1:
                cells = next(csv.reader([text], delimiter=delimiter), [])
                if len(cells) == expected and cells[0].strip():
                    return number + 1
        return 0

    @property
    def ends_abruptly(self) -> bool:
        """Whether the present line is the last one and has no end."""
        at_end = self._next >= len(self._lines)
        return at_end and not self._lines[-1].endswith(("\n", "\r"))


def _records(lines: _Lines, delimiter: str) -> Iterator[RawRow | BrokenRow]:
    csv.field_size_limit(MAX_CELL)
    while True:
        start = lines.begin()
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            lines.again_after_first()
            reason = _AMONG_BROKEN if lines.is_held_back else _explained(error)
            yield BrokenRow(start, reason, cut_off=reason == _NEVER_CLOSED)
        else:
            yield RawRow(start, tuple(cells))


def _explained(error: csv.Error) -> str:
    text = str(error)
    if "new-line" in text:
        return "a line end in the middle of a cell that has no quotation marks"
    if "unexpected end" in text:
        return _NEVER_CLOSED
    if "expected after" in text:
        return "a quotation mark inside a cell is not doubled, or one is opened and never closed"
    if "field larger" in text:
        return f"a cell of more than {MAX_CELL:,} characters, or {_NEVER_CLOSED}"
    return text


def read_csv(path: Path, *, encoding: str = "", delimiter: str = "") -> CsvText:
    """Reads and decodes a CSV file with a header line.

    Without ``encoding``: UTF-8, or UTF-16 where the file says so by its first bytes. With it,
    bytes that do not fit cost only their row. Without ``delimiter``, the one of comma, semicolon,
    tab and bar that gives the most columns.

    :raises Unreachable: the file cannot be read.
    :raises ProblemsError: it cannot be decoded (names line and byte), or has no header.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise Unreachable(f"{path} cannot be read: {error.strerror or error}") from error
    text, used = decode(data, str(path), encoding)
    first_line = 1
    if said := _SEPARATOR_LINE.match(text):
        delimiter, first_line = delimiter or said[1], 2
    delimiter = delimiter or _sniff(text, first_line)
    header = next(_records(_Lines(text, first_line), delimiter), None)
    if not isinstance(header, RawRow) or not any(cell.strip() for cell in header.cells):
        reason = f": {header.reason}" if isinstance(header, BrokenRow) else ""
        message = f"no header line with the names of the columns{reason}"
        raise ProblemsError([Problem(message, str(path), first_line)])
    headers = tuple(cell.strip() for cell in header.cells)
    return CsvText(str(path), text, delimiter, used, headers, first_line)


def decode(data: bytes, name: str, encoding: str = "") -> tuple[str, str]:
    """Decodes a file; returns its text and the encoding that was used.

    :raises ProblemsError: bytes that are no UTF-8 when no encoding was given, or an encoding that
        does not exist.
    """
    marked = next((known for bom, known in _BOMS if data.startswith(bom)), "")
    used = encoding or marked or "utf-8"
    if used.lower().replace("_", "-") in ("utf-8", "utf8"):
        used = "utf-8-sig"
    try:
        text = data.decode(used, "surrogateescape" if encoding and "16" not in used else "strict")
    except LookupError:
        message = f"there is no encoding {encoding!r}; try utf-8, latin-1, cp1252 or utf-16"
        raise ProblemsError([Problem(message, name)]) from None
    except UnicodeDecodeError as error:
        raise ProblemsError([_undecodable(data, name, used, error)]) from None
    if "\0" in text[:1000] and not encoding and not marked:
        message = "NUL characters, as in UTF-16 without its mark; try --encoding utf-16-le"
        raise ProblemsError([Problem(message, name, 1)])
    return text, used


def _undecodable(data: bytes, name: str, used: str, error: UnicodeDecodeError) -> Problem:
    line = data.count(b"\n", 0, error.start) + 1
    column = error.start - (data.rfind(b"\n", 0, error.start) + 1) + 1
    return Problem(
        f"byte 0x{data[error.start]:02x} is not {used.removesuffix('-sig').upper()}; if the file "
        "was saved in another encoding, name it: --encoding latin-1 (or cp1252)",
        name,
        line,
        column,
    )


def _sniff(text: str, first_line: int) -> str:
    def columns(delimiter: str) -> int:
        header = next(_records(_Lines(text[:20_000], first_line), delimiter), None)
        return len(header.cells) if isinstance(header, RawRow) else 0

    return max(DELIMITERS, key=columns)


def guard(text: str) -> str:
    """Puts an apostrophe before text that a spreadsheet would take for a formula."""
    return f"'{text}" if _RISKY.match(text) else text


def unguard(text: str) -> str:
    """Takes the apostrophe away that `guard` has put there."""
    return text[1:] if _GUARDED.match(text) else text
