"""``people import``: the roster from a file of any HR program."""

from __future__ import annotations

from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from taiga_pipeline.app.people import roster
from taiga_pipeline.cli.context import CommandContext, pass_context
from taiga_pipeline.cli.exit_codes import ExitCode
from taiga_pipeline.cli.file_arguments import ReadFile
from taiga_pipeline.cli.options import json_option
from taiga_pipeline.cli.output import print_json
from taiga_pipeline.cli.pipeline.file_text import bad_rows_json, print_bad_rows
from taiga_pipeline.hints import command
from taiga_pipeline.language import plural, translated
from taiga_pipeline.language import text as _
from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.report.terminal import safe

if TYPE_CHECKING:
    from taiga_pipeline.people.roster_import import RosterReport

_SHOWN: Final = 20
_TAB_NAMES: Final = ("tab", "\\t")


@click.command("import")
@click.argument("file", type=ReadFile())
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="OURS=THEIRS",
    help="Field=header; without a header, the field is left out.",
)
@click.option(
    "--full-time",
    default="",
    metavar="HOURS",
    help="Hours of a full-time week, for shares of it and unknown hours (default: from the file, "
    "else 40).",
)
@click.option(
    "--date-format", default="", help="Such as %m/%d/%Y (default: decided by the column)."
)
@click.option("--delimiter", default="", help="Cell separator, or tab (default: detected).")
@click.option("--encoding", default="", help="Such as latin-1 (default: UTF-8 or UTF-16).")
@click.option("--sheet", default="", metavar="NAME", help="The sheet of a workbook.")
@click.option("--origin", default="", help="Names the file across imports (default: its name).")
@click.option("--dry-run", is_flag=True, help="Report only, store nothing.")
@json_option
@pass_context
def import_people(
    context: CommandContext,
    /,
    file: Path,
    columns: tuple[str, ...],
    full_time: str,
    delimiter: str,
    as_json: bool,
    **texts: Any,
) -> int:
    """Import a roster from a CSV file or a workbook (.xlsx, .ods) of any HR program.

    Well-known headers are found automatically; name the others with --column. Hours may be a share
    of full time. The whole column decides how hours, dates and names are read, and assumptions are
    reported. People on the roster already are updated; an edit on the roster stays until the file's
    value changes. People who are no longer in the file are named and kept. A person who seems to
    have a new address is held back until you use "people rename".
    """
    from taiga_pipeline.people.roster_layout import RosterOptions

    options = RosterOptions(
        columns=read_columns(columns),
        full_time=_full_time(full_time) if full_time else None,
        delimiter=read_delimiter(delimiter),
        zone=context.zone,
        **texts,
    )
    report = roster.import_people(context, file, options, by=context.by)
    if as_json:
        print_json({**asdict(report), "bad_rows": bad_rows_json(report.bad_rows)})
    else:
        _print(report, file)
    is_partial = report.bad_rows or report.held_back
    return ExitCode.PARTIAL if is_partial else ExitCode.DONE


def read_columns(texts: tuple[str, ...]) -> dict[str, str]:
    """Reads ``OURS=THEIRS``.

    :raises click.UsageError: it is written otherwise.
    """
    columns = {}
    for text in texts:
        ours, equals, theirs = text.partition("=")
        if not equals or not ours.strip():
            raise click.UsageError(_("--column {text!r}: write --column FIELD=HEADER", text=text))
        columns[ours.strip()] = theirs.strip()
    return columns


def read_delimiter(text: str) -> str:
    """Reads what stands between cells.

    :raises click.UsageError: it cannot.
    """
    if text in _TAB_NAMES:
        return "\t"
    if len(text) > 1 or text in tuple('"\r\n'):
        raise click.UsageError(
            _("--delimiter {text!r}: write one character, or tab", text=text[:40])
        )
    return text


def _full_time(text: str) -> Decimal:
    from taiga_pipeline.people.roster_hours import read_full_time

    try:
        return read_full_time(text)
    except InvalidValue as error:
        raise click.UsageError(
            _("--full-time {text!r}: {error}", text=text[:40], error=translated(str(error)))
        ) from None


def _print(report: RosterReport, file: Path) -> None:
    would = _("would be ") if report.dry_run else ""
    held = _(", {count:,} held back", count=len(report.held_back)) if report.held_back else ""
    click.echo(
        _(
            "{added:,} {would}added, {changed:,} {would}changed, {unchanged:,} "
            "unchanged, {count:,} left out{held}",
            added=report.added,
            would=would,
            changed=report.changed,
            unchanged=report.unchanged,
            count=len(report.bad_rows),
            held=held,
        )
    )
    for notice in report.notices:
        click.echo(_("note: {notice}", notice=safe(translated(notice))))
    if report.unused_headers:
        headers = ", ".join(map(safe, report.unused_headers))
        click.echo(_("note: columns that were not used: {headers}", headers=headers))
    _print_gone(report)
    print_bad_rows(report.bad_rows, file)
    for each in report.held_back:
        message = _(
            "{file}:{line}: held back: {email} may be {old_email} with a new "
            "address ({reason}; the old address is not in the file). If so: "
            "{command}; if they are two people: {command2}. Then import again",
            file=file,
            line=each.line,
            email=each.email,
            old_email=each.old_email,
            reason=translated(each.reason),
            command=command("people rename", each.old_email, each.email),
            command2=command("people add", each.email, "NAME"),
        )
        click.echo(safe(message), err=True)


def _print_gone(report: RosterReport) -> None:
    if report.gone:
        shown = ", ".join(each.email for each in report.gone[:_SHOWN])
        more = len(report.gone) - _SHOWN
        way = command("people edit", report.gone[0].email, options="--ends DATE")
        click.echo(
            safe(
                plural(
                    "note: {number:,} person of earlier imports is no longer in the file; "
                    "kept with all hours: {shown}{more}. Who has left: {way}",
                    "note: {number:,} people of earlier imports are no longer in the file; "
                    "kept with all hours: {shown}{more}. Who has left: {way}",
                    len(report.gone),
                    shown=shown,
                    more=_(" and {more:,} more", more=more) if more > 0 else "",
                    way=way,
                )
            )
        )
    if not report.complete:
        click.echo(
            _(
                "note: the file is cut off or has rows without a person, so missing "
                "people are ignored"
            )
        )
