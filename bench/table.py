"""Prints results as a table in Markdown, so that it can be put into the docs as it is."""

from __future__ import annotations

from collections.abc import Sequence


def print_table(title: str, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Prints one table; a number is right-aligned."""
    cells = [[_text(cell) for cell in row] for row in rows]
    widths = [
        max(len(line[column]) for line in [list(header), *cells]) for column in range(len(header))
    ]
    print(f"\n### {title}\n")
    print(_line(header, widths))
    print("|" + "|".join("-" * (width + 2) for width in widths) + "|")
    for row in cells:
        print(_line(row, widths))


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    return "| " + " | ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) + " |"


def _text(cell: object) -> str:
    return f"{cell:,.2f}" if isinstance(cell, float) else str(cell)
