"""What importing and exporting commands share."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO

import click

from taiga_pipeline.files import writing
from taiga_pipeline.report.terminal import safe

if TYPE_CHECKING:
    from taiga_pipeline.pipeline.import_rows import BadRow

_SHOWN_ROWS: Final = 50


@contextmanager
def writing_to(file: Path | None) -> Iterator[TextIO]:
    """Opens a file for CSV text, or stdout. A file appears whole or not at all, and is
    readable for its owner alone: it holds people and customers (see `taiga_pipeline.files`)."""
    if file is None:
        yield _HarmlessTerminal(sys.stdout) if sys.stdout.isatty() else sys.stdout
        return
    with writing(file) as stream:
        text = io.TextIOWrapper(stream, encoding="utf-8", newline="")
        yield text
        text.flush()
        text.detach()


class _HarmlessTerminal(io.StringIO):
    """A terminal that is shown a file: what it would obey is shown by its number instead."""

    def __init__(self, terminal: TextIO) -> None:
        super().__init__()
        self._terminal = terminal

    def write(self, text: str, /) -> int:
        """Writes text as far as it is harmless."""
        self._terminal.write(safe(text, keep_lines=True))
        return len(text)


def print_bad_rows(rows: Sequence[BadRow], file: Path) -> None:
    """Says on stderr which rows were left out, and why."""
    for row in rows[:_SHOWN_ROWS]:
        key = f" ({row.key})" if row.key else ""
        click.echo(safe(f"{file}:{row.line}: left out{key}: {row.reason}"), err=True)
    if len(rows) > _SHOWN_ROWS:
        click.echo(f"and {len(rows) - _SHOWN_ROWS:,} more; --json lists all", err=True)


def bad_rows_json(rows: Sequence[BadRow]) -> list[dict[str, Any]]:
    """Returns bad rows as plain data."""
    return [asdict(row) for row in rows]
