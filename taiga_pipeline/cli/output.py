"""Results on stdout: JSON, tables, colour."""

from __future__ import annotations

import json
import os
import re
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Final, TextIO

import click

from taiga_pipeline.report.terminal import UNSAFE, safe

GAP: Final = "  "


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
    raise TypeError(f"{type(value).__name__} has no JSON form")


def display_width(text: str) -> int:
    """Returns how many terminal cells ``text`` takes (wide characters two, combining none)."""
    return sum(_cells(character) for character in text)


def _cells(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Cf", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def pad(text: str, width: int, *, right: bool = False) -> str:
    """Returns ``text`` filled with spaces to ``width`` cells, to the right edge if asked."""
    space = " " * (width - display_width(text))
    return space + text if right else text + space


def shorten(text: str, width: int) -> str:
    """Returns ``text`` cut to ``width`` cells, with an ellipsis where something is missing."""
    if display_width(text) <= width:
        return text
    kept, used = "", 1
    for character in text:
        used += _cells(character)
        if used > width:
            break
        kept += character
    return kept.rstrip() + "…"


def table(
    headings: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()
) -> list[str]:
    """Returns the lines of an aligned table, its cells made harmless.

    ``right`` numbers the columns that are aligned to the right. When the table is wider than the
    terminal, the widest column gives way; when stdout is a file, nothing is cut.
    """
    cells = [[_one_line(cell) for cell in row] for row in [headings, *rows]]
    widths = [max(map(display_width, column)) for column in zip(*cells, strict=True)]
    _narrow(widths, terminal_width())
    lines = []
    for row in cells:
        parts = [
            pad(shorten(cell, widths[index]), widths[index], right=index in right)
            for index, cell in enumerate(row)
        ]
        lines.append(GAP.join(parts).rstrip())
    return lines


def _one_line(text: str) -> str:
    return " ".join(safe(text).split())


def _narrow(widths: list[int], available: int | None) -> None:
    """Makes the widest columns narrower until the table fits."""
    while available and sum(widths) + len(GAP) * (len(widths) - 1) > available:
        widest = max(range(len(widths)), key=widths.__getitem__)
        if widths[widest] <= 8:
            return
        widths[widest] -= 1


def print_table(
    headings: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()
) -> None:
    """Prints an aligned table, the headings dimmed."""
    heading, *lines = table(headings, rows, right)
    click.echo(style(heading, dim=True))
    for line in lines:
        click.echo(line)


def terminal_width() -> int | None:
    """Returns the width of the terminal that shows stdout, None when it is no terminal."""
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
    return click.style(text, fg=colour, bold=bold or None, dim=dim or None)


def print_pairs(pairs: Mapping[str, str]) -> None:
    """Prints ``name: value`` lines, the values aligned."""
    width = max(map(display_width, pairs), default=0) + 1
    for name, value in pairs.items():
        click.echo(f"{style(pad(name + ':', width), dim=True)} {safe(value)}")
