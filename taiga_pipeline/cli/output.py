"""Results on stdout: JSON, tables, colour."""

from __future__ import annotations

import io
import json
import os
import re
import sys
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Final, Literal, TextIO

import click

from taiga_pipeline.language import text as _
from taiga_pipeline.report.terminal import UNSAFE, safe

if TYPE_CHECKING:  # Rich is imported where something is drawn: a quiet run does without
    from rich.console import RenderableType
    from rich.text import Text

GAP: Final = 2
_LATIN: Final = re.compile("[ -~\u00a1-\u00ac\u00ae-\u02ff]*")
"""Text of which each character takes one cell, as nearly all does."""
_UNBOUNDED: Final = 1_000_000
"""Cells in a line of a file: it is read by programs and mailed by cron, so nothing is cut."""
_LEGIBLE: Final = 8
"""Cells of a text below which a table is of no use."""
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}|\d{4}-W\d{2}|")
"""A cell of days or weeks: cut, it says nothing."""
_LONGEST_KEY: Final = 32
"""Cells of the first column beyond which it is cut as well, so that one row does not rule all."""


def print_json(data: object) -> None:
    """Prints ``data`` as one JSON document: UTF-8, keys in the order given, two spaces."""
    click.echo(to_json(data))


def to_json(data: object) -> str:
    """Returns ``data`` as JSON. Dates become ISO 8601, money stays exact (as text).

    What a terminal would obey is written as JSON's own escapes: the same data, but harmless.
    """
    text = json.dumps(data, ensure_ascii=False, indent=2, default=_plain, allow_nan=False)
    lines = text.split("\n")  # inside of strings, line ends are escaped already
    return "\n".join(UNSAFE.sub(_escape, line) for line in lines)


def _escape(match: re.Match[str]) -> str:
    """Returns a character as JSON escapes it: ``\\u009b``, with two escapes beyond FFFF."""
    return json.dumps(match[0])[1:-1]


def _plain(value: object) -> object:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(_("{name} has no JSON form", name=type(value).__name__))


def shorten(text: str, width: int) -> str:
    """Returns ``text`` cut to ``width`` cells, with an ellipsis where something is missing."""
    if _cells_of(text) <= width:
        return text
    from rich.cells import set_cell_size

    return set_cell_size(text, width - 1).rstrip() + "…"


def table(
    headings: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()
) -> list[str]:
    """Returns the lines of an aligned table, its cells made harmless, the headings dimmed.

    ``right`` numbers the columns that are aligned to the right: figures. When the table is wider
    than the terminal, the widest text gives way; figures and days are never cut, nor is the first
    column, by which a row is known, unless it is very long. Where that leaves too little of the
    texts, each row is a block of lines. When stdout is a file, nothing is cut.
    """
    kept = frozenset((0, *right, *_columns_of_days(rows)))
    room = (terminal_width() or _UNBOUNDED) - GAP * (len(headings) - 1)
    widths = _widths(headings, rows)
    if sum(widths) > room:
        widths = _least_widths(widths, headings, rows, kept)
        if sum(widths) > room:
            return _blocks(headings, rows)
    if is_plain():
        cells = [[_line(text) for text in row] for row in (headings, *rows)]
        return aligned(cells, right)
    from rich.table import Table

    grid = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="dim")
    for index, heading in enumerate(headings):
        justify: Literal["left", "right"] = "right" if index in right else "left"
        is_kept = index in kept
        most = widths[index] if is_kept else None
        grid.add_column(_cell(heading), justify=justify, no_wrap=is_kept, max_width=most)
    for row in rows:
        grid.add_row(*map(_cell, row))
    return rendered(grid)


def _columns_of_days(rows: Sequence[Sequence[str]]) -> list[int]:
    """Returns the columns that hold nothing but days, weeks or empty cells."""
    columns = enumerate(zip(*rows, strict=True))
    return [at for at, cells in columns if all(map(_DAY.fullmatch, cells)) and any(cells)]


def is_plain() -> bool:
    """Whether stdout is read by programs: nothing is cut or coloured, and Rich is not needed."""
    return terminal_width() is None and not use_colour()


def aligned(
    rows: Sequence[Sequence[str]], right: Collection[int], gap: int = GAP, least: int = 0
) -> list[str]:
    """Returns rows of harmless cells as lines. Columns in ``right`` are aligned to the right, and
    take ``least`` cells at least."""
    taken = [[_cells_of(text) for text in row] for row in rows]
    widths = [
        max(least if place in right else 0, *column)
        for place, column in enumerate(zip(*taken, strict=True))
    ]
    lines = []
    for row, sizes in zip(rows, taken, strict=True):
        padded = [
            " " * (widths[place] - sizes[place]) + text
            if place in right
            else text + " " * (widths[place] - sizes[place])
            for place, text in enumerate(row)
        ]
        lines.append((" " * gap).join(padded).rstrip())
    return lines


def _cells_of(text: str) -> int:
    """Returns how many cells a text takes."""
    if _LATIN.fullmatch(text):
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def _widths(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    """Returns how many cells each column takes."""
    return [
        max(_cells_of(_line(text)) for text in (heading, *(row[place] for row in rows)))
        for place, heading in enumerate(headings)
    ]


def _least_widths(
    widths: Sequence[int],
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    kept: Collection[int],
) -> list[int]:
    """Returns how many cells each column needs to be of use; the cells of ``kept`` are not cut."""
    brief = [heading[:_LEGIBLE] for heading in headings]
    whole = _widths(brief, rows)
    whole[0] = min(whole[0], _LONGEST_KEY)
    return [whole[at] if at in kept else min(w, _LEGIBLE) for at, w in enumerate(widths)]


def _blocks(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Returns rows as ``Heading: value`` lines, an empty line between them; nothing is cut. A
    column without a heading stands below the one before it."""
    lines: list[str] = []
    for row in rows:
        lines += [""] if lines else []
        shown = ((heading, _line(cell)) for heading, cell in zip(headings, row, strict=True))
        lines += _named_lines([each for each in shown if each[1]])
    return lines


def _line(text: str) -> str:
    return " ".join(safe(text).split())


def _cell(text: str) -> Text:
    """Returns a cell: text that is never read as markup, and that stays on one line."""
    from rich.text import Text

    return Text(_line(text), no_wrap=True, overflow="ellipsis")


def rendered(what: RenderableType) -> list[str]:
    """Returns what Rich makes of something, line by line: as wide as stdout, coloured if it is.

    It is drawn into memory: stdout is written to by click alone, whose errors are understood.
    """
    from rich.console import Console

    drawn = io.StringIO()
    console = Console(
        file=drawn,
        width=terminal_width() or _UNBOUNDED,
        color_system="standard" if use_colour() else None,
        force_terminal=use_colour(),
        markup=False,
        highlight=False,
        emoji=False,
    )
    console.print(what)
    return [line.rstrip() for line in drawn.getvalue().rstrip("\n").split("\n")]


def print_table(
    headings: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()
) -> None:
    """Prints an aligned table, the headings dimmed."""
    for line in table(headings, rows, right):
        click.echo(line)


def terminal_width() -> int | None:
    """Returns the width of the terminal that shows stdout, None when it is not a terminal."""
    if not sys.stdout.isatty():
        return None
    return os.get_terminal_size(sys.stdout.fileno()).columns or None


def use_colour(stream: TextIO | None = None) -> bool:
    """Tells whether to colour: on a terminal, unless ``NO_COLOR`` is set to anything."""
    stream = stream or sys.stdout
    dumb = os.environ.get("TERM") == "dumb"
    return stream.isatty() and not os.environ.get("NO_COLOR") and not dumb


def style(text: str, *, colour: str | None = None, bold: bool = False, dim: bool = False) -> str:
    """Returns ``text`` with terminal colours where stdout shows them, else as it is."""
    if not use_colour():
        return text
    from rich.color import ColorSystem
    from rich.style import Style

    look = Style(color=colour, bold=bold or None, dim=dim or None)
    return look.render(text, color_system=ColorSystem.STANDARD)


def print_pairs(pairs: Mapping[str, str]) -> None:
    """Prints ``name: value`` lines, the values aligned. Values are never cut."""
    for line in pair_lines(pairs):
        click.echo(line)


def pair_lines(pairs: Mapping[str, str]) -> list[str]:
    """Returns ``name: value`` lines, the values aligned and made harmless; "" for none."""
    return _named_lines(list(pairs.items()))


def _named_lines(pairs: Sequence[tuple[str, str]]) -> list[str]:
    from rich.cells import cell_len

    width = max((cell_len(name) for name, _value in pairs), default=0) + 1
    return [
        f"{style(f'{name}:', dim=True) if name else ' '}"
        f"{' ' * (width - cell_len(name))}{safe(value)}"
        for name, value in pairs
    ]
