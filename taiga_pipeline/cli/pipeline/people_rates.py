"""``people rate``: what an hour costs, and what it is billed at."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from taiga_pipeline.app.people import rates as use
from taiga_pipeline.cli.context import CommandContext, pass_context
from taiga_pipeline.cli.exit_codes import ExitCode
from taiga_pipeline.cli.file_arguments import ReadFile, WrittenFile
from taiga_pipeline.cli.options import json_option
from taiga_pipeline.cli.output import print_json, print_table
from taiga_pipeline.cli.pipeline.file_text import report_rows, writing_to
from taiga_pipeline.cli.pipeline.people_import import read_columns
from taiga_pipeline.cli.translated_help import TranslatedGroup
from taiga_pipeline.language import figure, translated
from taiga_pipeline.language import text as _
from taiga_pipeline.people.model import Rate, RateChange
from taiga_pipeline.pipeline.values.dates import read_day
from taiga_pipeline.report.terminal import safe

_first_day = click.option("--from", "since", metavar="DATE", help="First day (default: from ever).")


@click.group("rate", cls=TranslatedGroup)
def rate() -> None:
    """What an hour of people and roles costs, and is billed at."""


@rate.command("set")
@click.argument("whose", metavar="WHO")
@click.option("--cost", default="", metavar="AMOUNT", help="What an hour costs: 60, or 60 EUR.")
@click.option("--bill", default="", metavar="AMOUNT", help="What an hour is billed at.")
@click.option("--currency", default="", metavar="CODE", help="Default: planning.currency.")
@_first_day
@json_option
@pass_context
def set_rate(
    context: CommandContext,
    /,
    whose: str,
    cost: str,
    bill: str,
    currency: str,
    since: str | None,
    as_json: bool,
) -> None:
    """Set a rate. WHO is a person's e-mail address, or a role.

    A person's own rate counts before that of the role. With --from, the rate holds from that day
    on, and earlier ones until then. What is left out stays as it was.
    """
    day = read_day(since) if since else None
    done = use.set_rate(
        context, whose, cost=cost, bill=bill, currency=currency, since=day, by=context.by
    )
    if as_json:
        print_json({**rate_json(done.rate), "outcome": done.outcome.value})
    else:
        click.echo(safe(f"{_(done.outcome.value)} {_sentence(done.rate)}"))
    if done.notice:
        click.echo(safe(_("note: {notice}", notice=translated(done.notice))), err=True)


def rate_json(rate: Rate) -> dict[str, Any]:
    """Returns a rate as plain data."""
    plain = asdict(rate)
    return {
        "person": plain.pop("email"),
        "role": plain["role"],
        "from": plain["since"],
        "cost": plain["cost"],
        "bill": plain["bill"],
        "currency": plain["currency"],
    }


def _sentence(rate: Rate) -> str:
    since = _(" from {since} on", since=rate.since) if rate.since else ""
    parts = [
        f"{name} {amount:f} {rate.currency}"
        for name, amount in (("cost", rate.cost), ("bill", rate.bill))
        if amount is not None
    ]
    return _(
        "{whose}: {parts} an hour{since}", whose=rate.whose, parts=", ".join(parts), since=since
    )


@rate.command("list")
@json_option
@pass_context
def list_rates(context: CommandContext, as_json: bool) -> None:
    """List the rates in force, with those of the configuration."""
    found = use.list_rates(context)
    if as_json:
        print_json([rate_json(each) for each in found])
    elif found:
        headings = [_("Person or role"), _("From"), _("Cost"), _("Bill"), _("Currency")]
        print_table(headings, [_row(each) for each in found], right=(2, 3))
    else:
        click.echo(_("no rates are set; set one with: people rate set ROLE --cost 60"), err=True)


def _row(rate: Rate) -> list[str]:
    amounts = ("" if each is None else figure(each, ",f") for each in (rate.cost, rate.bill))
    return [safe(rate.whose), str(rate.since or ""), *amounts, rate.currency]


@rate.command("history")
@click.argument("whose", metavar="WHO", default="")
@json_option
@pass_context
def history(context: CommandContext, whose: str, as_json: bool) -> None:
    """Show when rates were set and taken back, and by whom."""
    found = use.rate_history(context, whose)
    if as_json:
        print_json([_change_json(each) for each in found])
    elif found:
        headings = [
            _("When"),
            _("Who"),
            _("Person or role"),
            _("From"),
            _("Cost"),
            _("Bill"),
            _("Currency"),
        ]
        print_table(headings, [_change_row(each) for each in found], right=(4, 5))
    else:
        click.echo(_("no rate was set"), err=True)


def _change_json(change: RateChange) -> dict[str, Any]:
    removed = {"removed": change.is_removal}
    return {"at": change.at, "by": change.by, **rate_json(change.rate), **removed}


def _change_row(change: RateChange) -> list[str]:
    whose, since, cost, bill, currency = _row(change.rate)
    if change.is_removal:
        cost = "removed"
    return [f"{change.at:%Y-%m-%d %H:%M}", safe(change.by), whose, since, cost, bill, currency]


@rate.command("remove")
@click.argument("whose", metavar="WHO")
@_first_day
@json_option
@pass_context
def remove_rate(context: CommandContext, whose: str, since: str | None, as_json: bool) -> None:
    """Take a rate back. The history keeps it."""
    gone = use.remove_rate(context, whose, read_day(since) if since else None, by=context.by)
    if as_json:
        print_json(rate_json(gone))
    else:
        click.echo(safe(_("removed {sentence}", sentence=_sentence(gone))))


@rate.command("import")
@click.argument("file", type=ReadFile())
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="OURS=THEIRS",
    help="Field=header; without a header, the field is left out.",
)
@click.option("--encoding", default="", help="Such as latin-1 (default: UTF-8 or UTF-16).")
@click.option(
    "--date-format", default="", help="Such as %m/%d/%Y (default: decided by the column)."
)
@json_option
@pass_context
def import_rates(
    context: CommandContext,
    file: Path,
    columns: tuple[str, ...],
    encoding: str,
    date_format: str,
    as_json: bool,
) -> ExitCode:
    """Import rates (person,role,from,cost,bill,currency)."""
    from taiga_pipeline.people.csv_files import Writing

    writing = Writing(encoding, date_format, context.zone, read_columns(columns))
    report = use.import_rates(context, file, writing, by=context.by)
    return report_rows(report, file, as_json)


@rate.command("export")
@click.argument("file", type=WrittenFile(), required=False)
@pass_context
def export_rates(context: CommandContext, file: Path | None) -> None:
    """Export rates as CSV, to FILE or stdout."""
    with writing_to(file) as stream:
        use.export_rates(context, stream)
