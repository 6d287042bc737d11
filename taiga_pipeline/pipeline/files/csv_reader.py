"""CSV files as they occur: any separator and encoding, with broken rows in between.

The header is the first line that looks like one: reports begin with a title, and blank lines. What
was decided (encoding, line of the header, quoting) is in the notes of a file.

A broken row costs that row only: reading begins again at the line after the one on which the
broken row began, so that a quote that is never closed does not swallow the rest of the file. How
much is read again in all is bounded: the time it takes grows with the file, not with its square.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, takewhile
from typing import Final

from taiga_pipeline.pipeline.files.decoding import control_characters, decode
from taiga_pipeline.pipeline.files.grid import MAX_COLUMNS
from taiga_pipeline.pipeline.text import counted
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
_BEGINNING: Final = 20_000
"""Characters among which the header and the separator are looked for."""
ABOVE: Final = 40
"""Lines among which the header is looked for."""
_FEW: Final = 2
"""Known headers from which on a line is the header although it is not the first one."""
_SEPARATOR_LINE = re.compile(r'\ufeff?"?sep=(.)"?[,;\t|]*(?:\r?\n|\r|$)', re.IGNORECASE)
_ESCAPED = re.compile(r"\\[\"\n\r,;\t|]")
_NO_CELLS: Final = "\x00"
"""Separates nothing: no text has it in it."""
TAB_NAMES: Final = ("tab", "\\t")
_NO_DELIMITERS: Final = '"\r\n\0\ufeff'
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
    """A row as it is in the file. ``line`` is the line on which it begins, from 1.

    ``inside`` is the first line within it that looks like a row of its own, 0 if none does: the
    quotation mark of a cell may have been closed by that of a later row. ``short`` is how many
    cells there are in the file, if the row was padded with blank ones, else 0; ``after_blank``
    says that a blank line comes before it.
    """

    line: int
    cells: tuple[str, ...]
    inside: int = 0
    short: int = 0
    after_blank: bool = False


@dataclass(frozen=True, slots=True)
class CsvText:
    """A file that was read and decoded. ``first_line`` is the number of the header's line.

    No two ``headers`` are equal: a second ``Amount`` is called ``Amount (2)``. ``skips_blanks``
    tells that blanks before a cell are none of it (``1, "a, b"``). ``notes`` say what
    was decided about the file: a short name for programs, and a sentence.
    """

    name: str
    text: str
    delimiter: str
    encoding: str
    headers: tuple[str, ...]
    first_line: int
    escape: str = ""
    skips_blanks: bool = False
    notes: tuple[tuple[str, str], ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether the file ends as it was written to its end, and all its bytes fit its encoding.

        One that was cut off in its last column looks just like one without a line end, but for what
        `_LastCells` sees.
        """
        is_decoded = not any("\udc80" <= character <= "\udcff" for character in self.text)
        return is_decoded and self.text.endswith(("\n", "\r"))

    @property
    def kind(self) -> str:
        """Says in words what was read."""
        shown = "tab" if self.delimiter == "\t" else self.delimiter
        return f"CSV with {shown!r} between cells, header in line {self.first_line}"

    def rows(self, *, pad: bool = False) -> Iterator[RawRow | BrokenRow]:
        """Goes through the rows below the header; those that are blank are left out.

        With ``pad``, rows of one line that are cut short are given blank cells; else they are
        broken.
        """
        lines = _Lines(self.text, self.first_line)
        last_cells = None if self.text.endswith(("\n", "\r")) else _LastCells()
        next(_records(lines, self.delimiter, self.escape, self.skips_blanks))
        after_blank = False
        for record in _records(lines, self.delimiter, self.escape, self.skips_blanks):
            if isinstance(record, BrokenRow):
                yield record
            elif not any(cell.strip() for cell in record.cells):
                after_blank = True
                continue
            else:
                checked = self._checked(record, lines, pad)
                if last_cells and isinstance(checked, RawRow):
                    checked = last_cells.checked(checked, lines)
                if isinstance(checked, RawRow) and after_blank:
                    checked = replace(checked, after_blank=True)
                yield checked
            after_blank = False

    def _checked(self, row: RawRow, lines: _Lines, pad: bool) -> RawRow | BrokenRow:
        expected, found = len(self.headers), len(row.cells)
        if any("\0" in cell for cell in row.cells):
            return BrokenRow(row.line, "a NUL character, which text cannot hold")
        if found > expected and any(cell.strip() for cell in row.cells[expected:]):
            reason = f"{found} cells where {expected} were expected"
        elif found < expected:
            if pad and not lines.ends_abruptly and lines.is_one_line:
                blank = ("",) * (expected - found)
                return RawRow(row.line, row.cells + blank, short=found)
            reason = f"only {found} of {expected} cells"
        else:
            inside = lines.row_inside(self.delimiter, expected)
            return RawRow(row.line, row.cells[:expected], inside)
        cut_off = found < expected and lines.ends_abruptly
        reason += "; the file ends in the middle of this row" if cut_off else ""
        lines.again_after_first()
        return BrokenRow(row.line, reason, row.cells, cut_off)


class _LastCells:
    """Tells whether a file was cut off in the last cell of its last row, as far as that shows.

    It shows where all other cells of the column are days, moments or the like, written in one form
    ("2026-11-01"), of which this one is a beginning ("2026-1").
    """

    def __init__(self) -> None:
        self._forms: set[str] = set()

    def checked(self, row: RawRow, lines: _Lines) -> RawRow | BrokenRow:
        cell = row.cells[-1].strip()
        form = _FIGURE.sub("0", cell)
        if not lines.ends_abruptly:
            if form and len(self._forms) < _FEW:
                self._forms.add(form)
            return row
        whole = next(iter(self._forms)) if len(self._forms) == 1 else ""
        parts = len(_APART.findall(whole)) > 1
        if form and parts and form != whole and whole.startswith(form):
            reason = (
                f"the last cell, {cell!r}, is shorter than all others; the file ends in the middle "
                "of this row"
            )
            return BrokenRow(row.line, reason, row.cells, cut_off=True)
        return row


_FIGURE: Final = re.compile("[0-9]")
_APART: Final = re.compile("[^0-9]+")
_NEVER_CLOSED: Final = "a quotation mark is opened and never closed"
_AMONG_BROKEN: Final = (
    "a quotation mark is opened and not closed on its line; many rows are broken, so only "
    "complete lines are read"
)


class _Lines:
    """The lines of a text, of which the ones of the present record can be given out again.

    A line that begins a record is given out in any case. Those after it that were given out before
    are so until the bound is reached: from there on a record ends with its line.
    """

    def __init__(self, text: str, first_line: int, always: int = _ALWAYS_AGAIN) -> None:
        self._lines = list(io.StringIO(text, newline=""))
        self._next = first_line - 1
        self._start = self._next
        self._fresh = self._next
        self._left = max(_READ_AGAIN * len(text), always)
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
    def is_one_line(self) -> bool:
        """Whether the present record stands on one line."""
        return self._next == self._start + 1

    @property
    def ends_abruptly(self) -> bool:
        """Whether the present line is the last one and has no end."""
        at_end = self._next >= len(self._lines)
        return at_end and not self._lines[-1].endswith(("\n", "\r"))


def _records(
    lines: _Lines, delimiter: str, escape: str = "", skips_blanks: bool = False
) -> Iterator[RawRow | BrokenRow]:
    csv.field_size_limit(MAX_CELL)
    while True:
        start = lines.begin()
        reader = csv.reader(
            lines,
            delimiter=delimiter,
            strict=True,
            escapechar=escape or None,
            skipinitialspace=skips_blanks,
        )
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


IsKnown = Callable[[str], bool]
"""Tells whether a cell is a header that is known."""


def parse_csv(
    data: bytes,
    name: str,
    *,
    encoding: str = "",
    delimiter: str = "",
    is_known: IsKnown = lambda header: False,
) -> CsvText:
    """Decodes a CSV file with a header line. ``name`` is the file's, for messages.

    Without ``encoding``, the content decides (`decoding`). With it, bytes that do not
    fit cost only their row. Without ``delimiter``, the one of comma, semicolon, tab
    and bar that gives the most columns that are known, or else the most columns.

    :raises ProblemsError: it cannot be decoded (names line and byte), or has no header.
    """
    delimiter = "\t" if delimiter in TAB_NAMES else delimiter
    if delimiter and (len(delimiter) != 1 or delimiter in _NO_DELIMITERS):
        message = f"delimiter {delimiter!r}: write one character between cells, or tab"
        raise ProblemsError([Problem(message, name)])
    decoded = decode(data, name, encoding)
    text, first_line = decoded.text, 1
    if said := _SEPARATOR_LINE.match(text):
        delimiter, first_line = delimiter or said[1], 2
    text, is_unwrapped = _unwrapped(text, first_line, is_known)
    delimiter = delimiter or _sniff(text, first_line, is_known)
    header = _header(text, first_line, delimiter, is_known)
    if not isinstance(header, RawRow) or not any(cell.strip() for cell in header.cells):
        reason = f": {header.reason}" if isinstance(header, BrokenRow) else ""
        message = f"no header line with the names of the columns{reason}"
        raise ProblemsError([Problem(message, name, first_line)])
    named = len(header.cells) - sum(1 for _ in takewhile(_is_blank, reversed(header.cells)))
    if named > MAX_COLUMNS:
        message = f"a row of more than {MAX_COLUMNS:,} columns: this is too much; export less"
        raise ProblemsError([Problem(message, name, header.line)])
    headers, repeated = distinct(header.cells)
    csv_text = CsvText(
        name, text, delimiter, decoded.encoding, headers, header.line,
        notes=(
            *_notes(decoded.said, text, first_line, header, repeated),
            *((("quoted_lines", _QUOTED_LINES),) if is_unwrapped else ()),
        ),
    )  # fmt: skip
    return _with_blanks_skipped(_with_escapes(csv_text))


def _is_blank(cell: str) -> bool:
    return not cell.strip()


def _notes(
    said: str, text: str, first_line: int, header: RawRow, repeated: list[str]
) -> Iterator[tuple[str, str]]:
    if said:
        yield "encoding", said
    if header.line > first_line:
        yield "header", f"the header is line {header.line}; lines above it were skipped"
    if repeated:
        names = ", ".join(map(repr, dict.fromkeys(repeated)))
        yield (
            "repeated_headers",
            (
                f"several columns are called {names}; the second is {repeated[0] + ' (2)'!r} in "
                "messages and for --column"
            ),
        )
    count, first, line = control_characters(text)
    if count:
        yield (
            "control_characters",
            (
                f"{counted(count, 'control character')} that are invisible (first: {first}, line "
                f"{line}); programs drop them; if the encoding is another: --encoding NAME"
            ),
        )


def distinct(cells: tuple[str, ...]) -> tuple[tuple[str, ...], list[str]]:
    """Returns headers of which no two are equal, without unnamed ones at the end; and those that
    occur more than once."""
    headers: list[str] = []
    repeated = []
    for cell in (each.strip() for each in cells):
        header, number = cell, 2
        while cell and header in headers:
            header, number = f"{cell} ({number})", number + 1
        if header != cell:
            repeated.append(cell)
        headers.append(header)
    while headers and not headers[-1]:
        headers.pop()
    return tuple(headers), repeated


_QUOTED_LINES: Final = (
    "each line is in quotation marks as a whole in this file; they were taken off"
)


def _unwrapped(text: str, first_line: int, is_known: IsKnown) -> tuple[str, bool]:
    """Takes the quotation marks off where each line is one cell that holds a row of others, as some
    programs save a file that they took for one column; tells whether it did."""
    header = _header(text, first_line, _NO_CELLS, is_known)
    if not isinstance(header, RawRow) or not _is_quoted_row(text, header, is_known):
        return text, False
    lines = _Lines(text, first_line)
    cells = [row.cells[0] for row in _records(lines, _NO_CELLS) if row.cells]
    whole = [_line(text, 1)] * (first_line - 1) + cells
    return "".join(f"{each}\n" for each in whole), True


def _is_quoted_row(text: str, header: RawRow, is_known: IsKnown) -> bool:
    """Whether the header's line is one cell in quotation marks, and known headers are in it."""
    line = _line(text, header.line)
    inside = [next(csv.reader(header.cells, delimiter=each), []) for each in DELIMITERS]
    is_one = line[:1] == line[-1:] == '"' and len(header.cells) == 1
    return is_one and max(sum(map(is_known, cells)) for cells in inside) >= _FEW


def _line(text: str, number: int) -> str:
    """Returns a line near the beginning of a text, from 1, without what is around it."""
    lines = io.StringIO(text[: 2 * _BEGINNING], newline="")
    return next(islice(lines, number - 1, None), "").strip("\ufeff \t\r\n")


def _with_blanks_skipped(csv_text: CsvText) -> CsvText:
    """Returns the file with blanks before its cells left out, where quoted cells stand after them
    and no more rows are broken so."""
    if not re.search(rf'{re.escape(csv_text.delimiter)} +"', csv_text.text):
        return csv_text
    skipping = replace(csv_text, skips_blanks=True)
    return skipping if _broken(skipping) <= _broken(csv_text) else csv_text


def _with_escapes(csv_text: CsvText) -> CsvText:
    """Returns the file with backslashes as escapes, as databases export, if only so it fits."""
    if not _ESCAPED.search(csv_text.text):
        return csv_text
    delimiter = re.escape(csv_text.delimiter)
    nulls = re.compile(rf"(?:(?<=^)|(?<={delimiter}))\\N(?={delimiter}|[\r\n]|$)", re.MULTILINE)
    text = nulls.sub(r"\\\\N", csv_text.text)
    said = "quotation marks have a backslash before them in this file; the import allows for it"
    escaped = replace(
        csv_text, text=text, escape="\\", notes=(*csv_text.notes, ("backslashes", said))
    )
    return min((csv_text, escaped), key=_broken)


def _broken(csv_text: CsvText) -> int:
    return sum(isinstance(row, BrokenRow) for row in csv_text.rows(pad=True))


def _header(
    text: str, first_line: int, delimiter: str, is_known: IsKnown
) -> RawRow | BrokenRow | None:
    end = text.find("\n", _BEGINNING)
    lines = _Lines(text[: end + 1] if end >= 0 else text, first_line, always=0)
    return choose_header(list(islice(_records(lines, delimiter), ABOVE)), is_known)


def choose_header(
    records: Sequence[RawRow | BrokenRow], is_known: IsKnown
) -> RawRow | BrokenRow | None:
    """Returns the header among the first records: the first that is not blank, unless one below it
    has more known headers, and more cells than all above it."""
    filled = [each for each in records if _width(each)]
    if not filled:
        return next(iter(records), None)
    first, most = filled[0], _width(filled[0])
    if known_headers(first, is_known) >= _FEW:
        return first
    for each in filled[1:]:
        score, width = known_headers(each, is_known), _width(each)
        if score > max(known_headers(first, is_known), _FEW - 1) and width > most:
            return each
        most = max(most, width)
    return first


def _width(record: RawRow | BrokenRow) -> int:
    return sum(bool(cell.strip()) for cell in record.cells) or isinstance(record, BrokenRow)


def known_headers(record: RawRow | BrokenRow, is_known: IsKnown) -> int:
    """Counts the different known headers of a record."""
    is_row = isinstance(record, RawRow)
    return len({cell.strip() for cell in record.cells if is_known(cell.strip())}) if is_row else 0


def _sniff(text: str, first_line: int, is_known: IsKnown) -> str:
    beginning = text[:_BEGINNING]

    def columns(delimiter: str) -> tuple[int, int]:
        header = _header(beginning, first_line, delimiter, is_known)
        if not isinstance(header, RawRow):
            return 0, 0
        return known_headers(header, is_known), len(header.cells)

    return max(DELIMITERS, key=columns)


def guard(text: str) -> str:
    """Puts an apostrophe before text that a spreadsheet would take for a formula."""
    return f"'{text}" if _RISKY.match(text) else text


def is_guarded_text(text: str) -> bool:
    """Whether `unguard` takes an apostrophe away."""
    return _GUARDED.match(text) is not None


def unguard(text: str) -> str:
    """Takes the apostrophe away that `guard` has put there."""
    return text[1:] if _GUARDED.match(text) else text
