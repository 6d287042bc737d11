"""``deals import`` and ``deals export``: CSV files and workbooks."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from taiga_pipeline.app.deals import tables
from taiga_pipeline.cli.context import CommandContext, pass_context
from taiga_pipeline.cli.exit_codes import ExitCode
from taiga_pipeline.cli.file_arguments import STDOUT, ReadFile, WrittenFile
from taiga_pipeline.cli.options import json_option
from taiga_pipeline.cli.output import print_json, shorten
from taiga_pipeline.cli.pipeline.file_text import bad_rows_json, print_bad_rows, writing_to
from taiga_pipeline.cli.pipeline.import_text import is_terminal, print_understanding
from taiga_pipeline.files import explaining, is_stdout, writing
from taiga_pipeline.hints import word
from taiga_pipeline.language import counted, translated
from taiga_pipeline.language import text as _
from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.pipeline.files.dialects import (
    PLAIN,
    Dialect,
    dialect_of_environment,
    excel_dialect,
)
from taiga_pipeline.pipeline.importing.options import ImportOptions, Take
from taiga_pipeline.report.terminal import safe

if TYPE_CHECKING:
    from taiga_pipeline.pipeline.importing.base import ImportConflict
    from taiga_pipeline.pipeline.importing.csv_import import ImportReport
_FORMATS: Final = "csv|xlsx".split("|")
_CSV, _XLSX = _FORMATS
_HERE: Final = "here"
"""What stands for the language of the environment."""
_LANGUAGE_NAMES: Final = ("LC_ALL", "LC_NUMERIC", "LANG")
_SHOWN_KEYS: Final = 20
_SHOWN_CONFLICTS: Final = 50
_BRIEF: Final = 60
_UNLIKE: Final = re.compile(r"[\s_-]+")


def _pairs(option: str, texts: tuple[str, ...]) -> dict[str, str]:
    """Splits ``a=b`` texts at their first equals sign. What is reported twice must be the same."""
    pairs: dict[str, str] = {}
    said: dict[str, str] = {}
    for text in texts:
        left, equals, right = (part.strip() for part in text.partition("="))
        if not equals or not left:
            raise click.UsageError(
                _("{option} {text!r}: write {option} NAME=NAME", option=option, text=text)
            )
        before = said.setdefault(_UNLIKE.sub("", left).casefold(), right)
        if before != right:
            raise click.UsageError(
                _(
                    "{option} {left}={right}: {left} is {before!r} by another "
                    "{option}; leave one out",
                    option=option,
                    left=left,
                    right=right,
                    before=before,
                )
            )
        pairs[left] = right
    return pairs


def _values(texts: tuple[str, ...]) -> dict[tuple[str, str], str]:
    values = {}
    for left, ours in _pairs("--value", texts).items():
        field, colon, theirs = left.partition(":")
        if not colon:
            raise click.UsageError(
                _("--value {left}={ours}: write --value FIELD:THEIRS=OURS", left=left, ours=ours)
            )
        values[field.strip(), theirs.strip()] = ours
    return values


@click.command("import")
@click.argument("file", type=ReadFile())
@click.option("--column", "columns", multiple=True, metavar="OURS=THEIRS", help="Field=header.")
@click.option(
    "--ignore", "ignored", multiple=True, metavar="HEADER", help="Leave a column of the file out."
)
@click.option("--stage", "stages", multiple=True, metavar="THEIRS=OURS", help="Rename a stage.")
@click.option(
    "--value", "values", multiple=True, metavar="FIELD:THEIRS=OURS", help="Replace a text."
)
@click.option("--default", "defaults", multiple=True, metavar="FIELD=TEXT", help="For blank cells.")
@click.option("--name", default="", metavar="TEXT", help='Compose names: "{customer}: {service}".')
@click.option("--key", default="", metavar="TEXT", help='Make keys: "{customer}-{name}".')
@click.option("--currency", default="", help="Currency of values without one (EUR).")
@click.option(
    "--date-format",
    default="",
    help="Such as %m/%d/%Y, or excel, unix, unix-ms (default: decided by the column).",
)
@click.option(
    "--decimal",
    type=click.Choice([".", ","]),
    help="Decimal separator of values (default: decided by the column).",
)
@click.option(
    "--probability-scale",
    default="",
    metavar="SCALE",
    help="How to read chances without %: percent or fraction (default: decided by the column).",
)
@click.option(
    "--time-zone",
    default="",
    help="Time zone of days, and of times without one (default: the pipeline's).",
)
@click.option("--delimiter", default="", help="Cell separator, or tab (default: detected).")
@click.option("--encoding", default="", help="Such as cp1252 (default: decided by the content).")
@click.option(
    "--sheet",
    default="",
    metavar="NAME",
    help="The sheet of a workbook, by name or number (default: the only one with deals).",
)
@click.option("--origin", default="", help="Names the file across imports (default: its name).")
@click.option(
    "--take",
    type=click.Choice([Take.FILE.value, Take.STORE.value]),
    help="Which side wins where both changed a field (default: neither; it is reported).",
)
@click.option("--clear-blank", is_flag=True, help="Blank cells clear what is in the store.")
@click.option("--force", is_flag=True, help="Move deals even if actions are open; recorded.")
@click.option(
    "--forget-columns",
    "forget",
    is_flag=True,
    help="Forget how earlier imports of this origin were told to read it.",
)
@click.option("--yes", "-y", is_flag=True, help="Do not ask on a terminal.")
@click.option("--dry-run", is_flag=True, help="Report only, store nothing.")
@json_option
@pass_context
def import_deals(
    context: CommandContext,
    /,
    file: Path,
    yes: bool,
    take: str | None,
    decimal: str | None,
    delimiter: str,
    columns: tuple[str, ...],
    stages: tuple[str, ...],
    values: tuple[str, ...],
    defaults: tuple[str, ...],
    as_json: bool,
    **texts: Any,
) -> int:
    """Import deals from any CSV file or workbook (.xlsx, .ods).

    Well-known headers are found automatically; name the others with --column. Deals that are in the
    store already are updated, never doubled. Changes in the store since the file was exported, or
    last imported, stay. If both sides changed a field, it is reported and stays as it is. Bad rows
    are reported and skipped, and so are rows that would move a deal past open actions. Deals that
    disappeared from the file are reported and kept.

    On a terminal, what was understood is shown before anything is stored, with three rows, and you
    are asked. The options that say how a list is read are kept for its next import, by --origin.
    """
    options: ImportOptions = ImportOptions(
        columns=_pairs("--column", columns),
        stages=_pairs("--stage", stages),
        values=_values(values),
        defaults=_pairs("--default", defaults),
        decimal=decimal or "",
        take=Take(take or Take.NEITHER),
        zone=context.zone,
        delimiter=delimiter,
        by=context.by,
        **texts,
    )
    with tables.reading_import(context, file, options) as prepared:
        understanding = prepared.understanding()
        if not as_json:
            is_asked = is_terminal() and not yes and not options.dry_run
            if is_asked or is_terminal() or options.dry_run:
                print_understanding(understanding)
            elif understanding.is_first and not context.quiet:
                print_understanding(understanding, err=True)
            if is_asked and not click.confirm(_("Import this?"), default=True):
                click.echo(_("nothing was imported"), err=True)
                return ExitCode.DONE
        report = prepared.run()
    if as_json:
        print_json({**_report_json(report), "understood": asdict(understanding)})
    else:
        _print_report(report, file)
    return ExitCode.PARTIAL if report.bad_rows or report.conflicts else ExitCode.DONE


def _report_json(report: ImportReport) -> dict[str, Any]:
    conflicts = [asdict(conflict) for conflict in report.conflicts]
    return {
        **asdict(report),
        "bad_rows": bad_rows_json(report.bad_rows),
        "conflicts": conflicts,
    }


def _print_report(report: ImportReport, file: Path) -> None:
    would = _("would be ") if report.dry_run else ""
    deals = len({conflict.key for conflict in report.conflicts})
    conflicts = _(", {deals} with conflicts", deals=counted(deals, "deal")) if deals else ""
    click.echo(
        _(
            "{rows}: {added:,} {would}added, {changed:,} {would}changed, "
            "{unchanged:,} unchanged, {count:,} left out{conflicts}",
            rows=counted(report.rows, "row"),
            added=report.added,
            would=would,
            changed=report.changed,
            unchanged=report.unchanged,
            count=len(report.bad_rows),
            conflicts=conflicts,
        )
    )
    for notice in report.notices:
        click.echo(_("note: {text}", text=safe(translated(notice.text))))
    for stage, count in report.unknown_stages.items():
        click.echo(
            _(
                "note: stage {stage!r} ({deals}) is in no mapping; rename it with "
                "--stage {stage2}, or add it to the aliases of a stage",
                stage=safe(stage),
                deals=counted(count, "deal"),
                stage2=word(f"{stage}=OURS"),
            )
        )
    if report.unused_headers:
        headers = ", ".join(map(safe, report.unused_headers))
        click.echo(_("note: columns that were not used: {headers}", headers=headers))
    _print_disappeared(report)
    print_bad_rows(report.bad_rows, file)
    _print_conflicts(report.conflicts, file)


def _print_conflicts(conflicts: Sequence[ImportConflict], file: Path) -> None:
    """Says on stderr which fields both sides changed, what each holds, and the way out."""
    for each in conflicts[:_SHOWN_CONFLICTS]:
        since = f", {each.at:%Y-%m-%d %H:%M} UTC" if each.at else ""
        who = _(" (by {by}{since})", by=each.by, since=since) if each.by else ""
        field = each.field.replace("_", " ")
        held = _(
            "{brief} in the file, {brief2} in the store{who}, {brief3} before",
            brief=_brief(each.file),
            brief2=_brief(each.store),
            who=who,
            brief3=_brief(each.base),
        )
        click.echo(safe(f"{file}:{each.line}: {each.key}: {field}: {held}"), err=True)
    if len(conflicts) > _SHOWN_CONFLICTS:
        click.echo(
            _("and {count:,} more; --json lists all", count=len(conflicts) - _SHOWN_CONFLICTS),
            err=True,
        )
    if conflicts:
        click.echo(
            _(
                "{fields} changed in the file and in the store: left as in the "
                "store. Decide with --take file or --take store, or correct the "
                "file; or export again, and edit that",
                fields=counted(len(conflicts), "field"),
            ),
            err=True,
        )


def _brief(text: str) -> str:
    return repr(shorten(" ".join(text.split()), _BRIEF)) if text else _("nothing")


def _print_disappeared(report: ImportReport) -> None:
    if report.disappeared:
        shown = ", ".join(map(safe, report.disappeared[:_SHOWN_KEYS]))
        more = len(report.disappeared) - _SHOWN_KEYS
        click.echo(
            _(
                "note: {deals} disappeared from the file, kept in the store: {shown}{more}",
                deals=counted(len(report.disappeared), "deal"),
                shown=shown,
                more=_(" and {more:,} more", more=more) if more > 0 else "",
            )
        )
    if not report.complete:
        click.echo(
            _(
                "note: the file is cut off or has rows without a readable key, so missing "
                "deals are ignored"
            )
        )


@click.command("export")
@click.argument("file", type=WrittenFile(), required=False)
@click.option(
    "--format",
    "kind",
    type=click.Choice(_FORMATS),
    help="csv, or xlsx for a workbook (default: by the name of FILE, else csv).",
)
@click.option(
    "--excel",
    is_flag=False,
    flag_value=_HERE,
    default=None,
    metavar="[LANGUAGE]",
    help="CSV as Excel opens it in a language: sv, de-CH (default: that of $LANG).",
)
@pass_context
def export_deals(
    context: CommandContext, file: Path | None, kind: str | None, excel: str | None
) -> None:
    """Export all deals as CSV or as a workbook (.xlsx), to FILE or stdout.

    An import reads it back without loss, also after it was edited in a spreadsheet. Text is never
    a formula. With --excel, the separator and the decimal mark are those of a language.
    """
    if file is None and excel is not None and _looks_like_a_file(excel):
        file, excel = Path(excel), _HERE
    dialect = PLAIN if excel is None else _dialect(excel, context.environment)
    if _kind_of_export(file, kind, excel) == _XLSX:
        count = _export_workbook(context, file)
    else:
        with writing_to(file) as stream:
            count = tables.export_deals(context, stream, dialect)
    if file and not is_stdout(file):
        click.echo(
            _("{deals} written to {file}", deals=counted(count, "deal"), file=file), err=True
        )


def _looks_like_a_file(text: str) -> bool:
    """Whether what stands after --excel is the FILE: a language has neither a point nor a slash."""
    return "/" in text or ("." in text and not text.casefold().endswith("utf-8"))


def _dialect(language: str, environment: Mapping[str, str]) -> Dialect:
    if language == _HERE:
        return dialect_of_environment(*(environment.get(name, "") for name in _LANGUAGE_NAMES))
    try:
        return excel_dialect(language)
    except InvalidValue as error:
        raise click.UsageError(
            _("--excel {language}: {error}", language=language[:40], error=translated(str(error)))
        ) from None


def _kind_of_export(file: Path | None, kind: str | None, excel: str | None) -> str:
    named = _XLSX if file is not None and file.suffix.casefold() == ".xlsx" else _CSV
    if excel is not None and (kind or named) == _XLSX:
        raise click.UsageError(_("--excel is for CSV; a workbook (.xlsx) needs no language"))
    return kind or named


def _export_workbook(context: CommandContext, file: Path | None) -> int:
    if file is not None:
        with writing(file) as stream:
            return tables.export_workbook(context, stream)
    if sys.stdout.isatty():
        raise click.UsageError(_("a workbook is not shown on a terminal; name a FILE"))
    content = io.BytesIO()
    count = tables.export_workbook(context, content)
    with explaining(STDOUT):
        sys.stdout.flush()
        sys.stdout.buffer.write(content.getvalue())
        sys.stdout.buffer.flush()
    return count
