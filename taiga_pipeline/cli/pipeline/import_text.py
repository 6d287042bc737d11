"""What an import understood of a file, as text."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import click

from taiga_pipeline.cli.output import shorten, table
from taiga_pipeline.language import counted, figure, translated
from taiga_pipeline.language import text as _
from taiga_pipeline.report.terminal import safe

if TYPE_CHECKING:
    from taiga_pipeline.pipeline.importing.understanding import Understanding, UnderstoodColumn

_SAMPLE: Final = 24
_DECIDED: Final = 60
_STAGES: Final = 20


def is_terminal() -> bool:
    """Whether a person sits before the program, who can be asked."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def print_understanding(what: Understanding, *, err: bool = False) -> None:
    """Prints which column is which field, three rows, the stages, and what is not used."""
    rows = _(
        "{rows}, {bad_rows:,} of them unreadable",
        rows=counted(what.rows, "row"),
        bad_rows=what.bad_rows,
    )
    click.echo(safe(f"{translated(what.kind)}: {rows}"), err=err)
    headings = [
        _("Field"),
        _("Column"),
        _("Read as"),
        *(_("Line {line}", line=line) for line in what.lines),
    ]
    for line in table(headings, [_row(each) for each in what.columns]):
        click.echo(line, err=err)
    for line in _below(what):
        click.echo(safe(line), err=err)


def _below(what: Understanding) -> Iterator[str]:
    """Yields what there is to say beside the columns."""
    if what.stages:
        shown = ", ".join(
            f"{each.name} ({figure(each.rows, ',')}{'' if each.is_known else _(', in no mapping')})"
            for each in what.stages[:_STAGES]
        )
        more = len(what.stages) - _STAGES
        yield _(
            "stages: {shown}{more}",
            shown=shown,
            more=_(" and {more:,} more", more=more) if more > 0 else "",
        )
    if what.unused_headers:
        yield _("not used: {unused_headers}", unused_headers=", ".join(what.unused_headers))
    if what.kept:
        yield _("as an earlier import was told: {kept}", kept=" ".join(what.kept))


def _row(column: UnderstoodColumn) -> list[str]:
    samples = [shorten(" ".join(each.split()), _SAMPLE) for each in column.samples]
    header = column.header or _("(made)")
    return [column.field, header, shorten(translated(column.decided), _DECIDED), *samples]
