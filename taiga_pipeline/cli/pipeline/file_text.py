"""What importing and exporting commands share."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, TextIO

import click

from taiga_pipeline.cli.exit_codes import ExitCode
from taiga_pipeline.cli.output import print_json
from taiga_pipeline.cli.wording import row_words
from taiga_pipeline.files import PRIVATE, explaining, is_stdout, write_text, writing
from taiga_pipeline.language import text as _
from taiga_pipeline.language import translated
from taiga_pipeline.report.terminal import safe

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from taiga_pipeline.people.csv_files import RowsReport
    from taiga_pipeline.pipeline.importing.rows import BadRow

_SHOWN_KINDS: Final = 20
"""Reasons for which rows are left out that are shown, each with a few rows."""
_FEW_ALIKE: Final = 4
_VARYING: Final = re.compile(r"'[^']*'|\"[^\"]*\"|[0-9]+")


@contextmanager
def writing_to(file: Path | None) -> Iterator[TextIO]:
    """Opens a file for CSV text, or stdout. A file appears whole or not at all, and is
    readable for its owner alone: it holds people and customers (see `taiga_pipeline.files`)."""
    if file is None or is_stdout(file):
        with _stdout() as text:
            yield text
        return
    with writing(file) as stream:
        text = io.TextIOWrapper(stream, encoding="utf-8", newline="")
        yield text
        text.flush()
        text.detach()


@contextmanager
def _stdout() -> Iterator[TextIO]:
    """Opens stdout for what a file would hold: in UTF-8, or harmless on a terminal."""
    buffer = getattr(sys.stdout, "buffer", None)
    if sys.stdout.isatty() or buffer is None:
        yield _HarmlessTerminal(sys.stdout) if sys.stdout.isatty() else sys.stdout
        return
    with explaining(Path("/dev/stdout")):
        sys.stdout.flush()
        shared = _Shared(buffer)
        yield io.TextIOWrapper(shared, encoding="utf-8", newline="", write_through=True)
        buffer.flush()


class _Shared(io.RawIOBase):
    """A buffer that stays open whatever becomes of what writes to it.

    Text over stdout itself would close it where the last bytes cannot be written.
    """

    name = "<stdout>"

    def __init__(self, buffer: BinaryIO) -> None:
        self._buffer = buffer

    def writable(self) -> bool:
        return True

    def write(self, data: Buffer, /) -> int:
        return self._buffer.write(data)


def write_result(file: Path, text: str, mode: int = PRIVATE) -> None:
    """Writes what a command makes to a file that a person named, or stdout."""
    if is_stdout(file):
        with writing_to(None) as stream:
            stream.write(text)
        return
    write_text(file, text, mode)


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
    """Says on stderr which rows were left out, and why: a few for each reason."""
    of_a_kind: dict[str, list[BadRow]] = {}
    for row in rows:
        of_a_kind.setdefault(_VARYING.sub("…", row.reason), []).append(row)
    shown = 0
    for alike in list(of_a_kind.values())[:_SHOWN_KINDS]:
        some = alike if len(alike) <= _FEW_ALIKE + 1 else alike[:_FEW_ALIKE]
        for row in some:
            key = f" ({row.key})" if row.key else ""
            click.echo(
                safe(
                    _(
                        "{file}:{line}: left out{key}: {row_words}",
                        file=file,
                        line=row.line,
                        key=key,
                        row_words=row_words(row),
                    )
                ),
                err=True,
            )
        more = alike[len(some) :]
        if more:
            lines = ", ".join(f"{row.line}" for row in more[:_FEW_ALIKE])
            text = _(
                "{file}: {count:,} more left out for this reason (lines {lines} …)",
                file=file,
                count=len(more),
                lines=lines,
            )
            click.echo(safe(text), err=True)
        shown += len(alike)
    if len(rows) > shown:
        click.echo(_("and {count:,} more; --json lists all", count=len(rows) - shown), err=True)


def bad_rows_json(rows: Sequence[BadRow]) -> list[dict[str, Any]]:
    """Returns bad rows as plain data."""
    return [_row_json(row) for row in rows]


def _row_json(row: BadRow) -> dict[str, Any]:
    """Returns a bad row; what it does not have is not in it."""
    more = {"missing": row.missing, "unknown_person": row.unknown_person}
    known = {name: value for name, value in more.items() if value}
    return {"line": row.line, "key": row.key, "reason": row.reason, **known}


def report_rows(report: RowsReport, file: Path, as_json: bool) -> ExitCode:
    """Prints what an import of rows did; returns the exit code."""
    if as_json:
        print_json({**asdict(report), "bad_rows": bad_rows_json(report.bad_rows)})
    else:
        click.echo(
            _(
                "{added:,} added, {changed:,} changed, {unchanged:,} unchanged, {count:,} left out",
                added=report.added,
                changed=report.changed,
                unchanged=report.unchanged,
                count=len(report.bad_rows),
            )
        )
        for notice in report.notices:
            click.echo(_("note: {notice}", notice=safe(translated(notice))))
        if report.unused_headers:
            headers = ", ".join(map(safe, report.unused_headers))
            click.echo(_("note: columns that were not used: {headers}", headers=headers))
        print_bad_rows(report.bad_rows, file)
    return ExitCode.PARTIAL if report.bad_rows else ExitCode.DONE
