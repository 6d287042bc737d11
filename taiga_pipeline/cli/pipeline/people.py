"""``people``: the roster, time off, and allocations as files."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from taiga_pipeline.app.people import allocations as use
from taiga_pipeline.app.people import roster, time_off
from taiga_pipeline.app.people.history import people_history
from taiga_pipeline.cli.context import CommandContext, pass_context
from taiga_pipeline.cli.file_arguments import ReadFile, WrittenFile
from taiga_pipeline.cli.options import json_option
from taiga_pipeline.cli.output import print_json, print_table
from taiga_pipeline.cli.pipeline.deal_text import allocation_json, print_allocations
from taiga_pipeline.cli.pipeline.file_text import report_rows, writing_to
from taiga_pipeline.cli.pipeline.people_import import (
    import_people,
    read_columns,
    read_delimiter,
)
from taiga_pipeline.cli.pipeline.people_rates import rate
from taiga_pipeline.cli.planning_changes import most_rows, show_changes
from taiga_pipeline.cli.translated_help import TranslatedGroup
from taiga_pipeline.language import counted
from taiga_pipeline.language import text as _
from taiga_pipeline.people.model import Person, TimeOff
from taiga_pipeline.pipeline.notation import format_skills, parse_skills
from taiga_pipeline.pipeline.values.dates import read_day
from taiga_pipeline.pipeline.values.numbers import read_hours
from taiga_pipeline.report.terminal import safe

if TYPE_CHECKING:
    from taiga_pipeline.people.model import Person, TimeOff

_FIELDS = (
    click.option("--role", metavar="TEXT", help="What they do."),
    click.option("--skills", metavar="TEXT", help='What they can ("python, sql").'),
    click.option("--hours", metavar="HOURS", help="Hours per week (default: 40)."),
    click.option("--team", metavar="TEXT", help="Which part of the company."),
    click.option("--country", metavar="CODE", help="For public holidays (SE, DE-BY)."),
    click.option("--starts", metavar="DATE", help="First day with the company."),
    click.option("--ends", metavar="DATE", help="Last day with the company."),
)


_column = click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="OURS=THEIRS",
    help="Field=header; without a header, the field is left out.",
)
_sheet = click.option("--sheet", default="", metavar="NAME", help="The sheet of a workbook.")
_date_format = click.option(
    "--date-format", default="", help="Such as %m/%d/%Y (default: decided by the column)."
)


def _field_options(function: Any) -> Any:
    for option in reversed(_FIELDS):
        function = option(function)
    return function


def _values(texts: dict[str, str | None]) -> dict[str, Any]:
    given = {name: text for name, text in texts.items() if text is not None}
    values: dict[str, Any] = dict(given)
    if "hours" in given:
        values["hours_per_week"] = read_hours(values.pop("hours"))
    if "skills" in given:
        values["skills"] = parse_skills(given["skills"])
    for name in ("starts", "ends"):
        if name in given:
            values[name] = read_day(given[name]) if given[name] else None
    return values


def person_json(person: Person) -> dict[str, Any]:
    """Returns a person as plain data."""
    return asdict(person)


@click.group(cls=TranslatedGroup)
def people() -> None:
    """Who can do the work."""


@people.command("list")
@json_option
@pass_context
def list_people(context: CommandContext, as_json: bool) -> None:
    """List the roster."""
    found = roster.list_people(context)
    if as_json:
        print_json([person_json(person) for person in found])
    elif found:
        headings = [
            "E-mail",
            _("Name"),
            _("Role"),
            _("Skills"),
            _("Per week"),
            _("Team"),
            _("From"),
            _("To"),
        ]
        print_table(headings, [_row(person) for person in found], right=(4,))
    else:
        click.echo(_("the roster is empty"), err=True)


def _row(person: Person) -> list[str]:
    return [
        safe(person.email),
        safe(person.name),
        safe(person.role),
        safe(format_skills(person.skills)),
        f"{person.hours_per_week:f} h",
        safe(person.team),
        str(person.starts or ""),
        str(person.ends or ""),
    ]


@people.command("add")
@click.argument("email")
@click.argument("name")
@_field_options
@json_option
@pass_context
def add_person(
    context: CommandContext, /, email: str, name: str, as_json: bool, **texts: str | None
) -> None:
    """Add a person. EMAIL identifies them, also in the target."""
    added = roster.add_person(
        context, Person(email=email, name=name, **_values(texts)), by=context.by
    )
    _report_person(added, _("added"), as_json)


@people.command("edit")
@click.argument("email")
@click.option("--name", metavar="TEXT", help="Their name.")
@_field_options
@json_option
@pass_context
def edit_person(context: CommandContext, /, email: str, as_json: bool, **texts: str | None) -> None:
    """Change the data of a person."""
    edited = roster.edit_person(context, email, _values(texts), by=context.by)
    _report_person(edited, _("changed"), as_json)


@people.command("remove")
@click.argument("email")
@json_option
@pass_context
def remove_person(context: CommandContext, email: str, as_json: bool) -> None:
    """Remove a person from the roster, with their time off and allocations."""
    removed = roster.remove_person(context, email, by=context.by)
    _report_person(removed, _("removed"), as_json)


def _report_person(person: Person, what: str, as_json: bool) -> None:
    if as_json:
        print_json(person_json(person))
    else:
        click.echo(safe(f"{what} {person.name} <{person.email}>"))


people.add_command(import_people)
people.add_command(rate)


@people.command("rename")
@click.argument("old")
@click.argument("new")
@json_option
@pass_context
def rename_person(context: CommandContext, old: str, new: str, as_json: bool) -> None:
    """Give a person another e-mail address: OLD becomes NEW.

    Time off, allocations and reservations move to NEW. A member whose account has the new address
    in the project tool stays. Otherwise the next run adds the new address to the projects, and
    removes the old one where it had added it.
    """
    renamed = roster.rename_person(context, old, new, by=context.by)
    _report_person(renamed.person, _("renamed"), as_json)
    if renamed.deals:
        deals = counted(len(renamed.deals), "deal")
        click.echo(
            _(
                "note: on {deals}. If their account in the project tool has the "
                "old address still, change it there before the next run: they stay "
                "a member then. Else the run adds the new address to the projects "
                "and takes the old one away where it had added it; pipeline-sync "
                "plan shows it",
                deals=deals,
            ),
            err=True,
        )


@people.command("history")
@click.argument("who", default="")
@click.option("--deal", default="", metavar="KEY", help="Only who was put on or off this deal.")
@most_rows
@json_option
@pass_context
def history(context: CommandContext, who: str, deal: str, limit: int, as_json: bool) -> None:
    """Show who changed people, time off, allocations and rates, the newest first.

    WHO is an e-mail address, a part of a name, or the role of a rate. Imports are in it with every
    person that they changed.
    """
    show_changes(people_history(context, who, deal=deal, limit=limit), as_json)


@people.command("export")
@click.argument("file", type=WrittenFile(), required=False)
@pass_context
def export_people(context: CommandContext, file: Path | None) -> None:
    """Export the roster as CSV, to FILE or stdout."""
    with writing_to(file) as stream:
        roster.export_people(context, stream)


@people.group("off")
def off() -> None:
    """Days on which people do not work."""


@off.command("list")
@click.argument("email", required=False)
@json_option
@pass_context
def list_off(context: CommandContext, email: str | None, as_json: bool) -> None:
    """List time off, of one person or all."""
    found = time_off.list_time_off(context, email or "")
    if as_json:
        print_json([asdict(each) for each in found])
    elif found:
        rows = [[safe(e.email), str(e.first), str(e.last), safe(e.reason)] for e in found]
        print_table([_("E-mail"), _("First day"), _("Last day"), _("Reason")], rows)
    else:
        click.echo(_("no time off is recorded"), err=True)


@off.command("add")
@click.argument("email")
@click.argument("first")
@click.argument("last", required=False)
@click.option("--reason", default="", help="The reason, if others may see it.")
@json_option
@pass_context
def add_off(
    context: CommandContext, email: str, first: str, last: str | None, reason: str, as_json: bool
) -> None:
    """Record time off from FIRST to LAST day (default: one day)."""
    days = TimeOff(email, read_day(first), read_day(last or first), reason)
    added = time_off.add_time_off(context, days, by=context.by)
    _report_time_off(added, _("is off"), as_json)


@off.command("remove")
@click.argument("email")
@click.argument("first")
@click.argument("last", required=False)
@json_option
@pass_context
def remove_off(
    context: CommandContext, email: str, first: str, last: str | None, as_json: bool
) -> None:
    """Remove time off."""
    days = read_day(first), read_day(last or first)
    gone = time_off.remove_time_off(context, email, *days, by=context.by)
    _report_time_off(gone, _("is not off"), as_json)


def _report_time_off(days: TimeOff, what: str, as_json: bool) -> None:
    if as_json:
        print_json(asdict(days))
    else:
        click.echo(
            safe(
                _(
                    "{email} {what} from {first} to {last}",
                    email=days.email,
                    what=what,
                    first=days.first,
                    last=days.last,
                )
            )
        )


@off.command("import")
@click.argument("file", type=ReadFile())
@_column
@click.option("--delimiter", default="", help="Cell separator, or tab (default: detected).")
@click.option("--encoding", default="", help="Such as latin-1 (default: UTF-8 or UTF-16).")
@_date_format
@_sheet
@click.option("--person", default="", metavar="EMAIL", help="The person of an .ics file.")
@click.option("--origin", default="", help="Names an .ics file across imports (default: its name).")
@click.option(
    "--remove-gone",
    is_flag=True,
    help="Remove time off that is gone from an .ics file, however much.",
)
@json_option
@pass_context
def import_off(
    context: CommandContext,
    file: Path,
    columns: tuple[str, ...],
    delimiter: str,
    encoding: str,
    date_format: str,
    sheet: str,
    person: str,
    origin: str,
    remove_gone: bool,
    as_json: bool,
) -> int:
    """Import time off: CSV or a workbook (email,first,last,reason), or iCalendar (.ics).

    Files of HR programs are read by their headers (From, To, Days, Type, Status); name the others
    with --column. Rows that are cancelled, refused or not granted yet, or half a day, are counted.

    In an iCalendar file, an event belongs to its attendees (else its organizer), unless --person
    names someone. Events that are cancelled, tentative, declined, shown as free, work elsewhere or
    a substitute's are not time off. Importing the file again removes time off that is gone or moved
    in it; time off that people entered stays.
    """
    from taiga_pipeline.cli.pipeline.people_calendar import holds_calendar, import_calendar
    from taiga_pipeline.people.csv_files import Writing

    if holds_calendar(file):
        options = {"--column": columns, "--delimiter": delimiter}
        options |= {"--encoding": encoding, "--date-format": date_format, "--sheet": sheet}
        _refuse(_("is for tables"), **options)
        return import_calendar(
            context, file, person, as_json, origin=origin, remove_many=remove_gone
        )
    given = {"--person": person, "--origin": origin, "--remove-gone": remove_gone}
    _refuse(_("is for iCalendar files (.ics)"), **given)
    writing = Writing(
        encoding,
        date_format,
        context.zone,
        read_columns(columns),
        read_delimiter(delimiter),
        sheet,
    )
    report = time_off.import_time_off(context, file, writing, by=context.by)
    return report_rows(report, file, as_json)


def _refuse(why: str, **options: object) -> None:
    for name, value in options.items():
        if value:
            raise click.UsageError(f"{name} {why}")


@off.command("export")
@click.argument("file", type=WrittenFile(), required=False)
@pass_context
def export_off(context: CommandContext, file: Path | None) -> None:
    """Export time off as CSV, to FILE or stdout; as iCalendar if FILE is named .ics."""
    from taiga_pipeline.cli.pipeline.people_calendar import export_calendar, is_calendar

    if file is not None and is_calendar(file):
        export_calendar(context, file)
        return
    with writing_to(file) as stream:
        time_off.export_time_off(context, stream)


@people.group("allocations")
def allocations() -> None:
    """Who works on which deal, as files (by hand: deals staff)."""


@allocations.command("list")
@click.option("--deal", default="", help="Only this deal.")
@click.option("--person", default="", help="Only this person (an e-mail address).")
@json_option
@pass_context
def list_allocations(context: CommandContext, deal: str, person: str, as_json: bool) -> None:
    """List allocations."""
    found = use.list_allocations(context, deal=deal, person=person)
    if as_json:
        print_json([allocation_json(each) for each in found.allocations])
    elif not print_allocations(found.allocations, found.left, won=found.won, with_deal=True):
        click.echo(_("no person is allocated"), err=True)


@allocations.command("import")
@click.argument("file", type=ReadFile())
@_column
@click.option("--encoding", default="", help="Such as latin-1 (default: UTF-8 or UTF-16).")
@_date_format
@_sheet
@json_option
@pass_context
def import_allocations(
    context: CommandContext,
    file: Path,
    columns: tuple[str, ...],
    encoding: str,
    date_format: str,
    sheet: str,
    as_json: bool,
) -> int:
    """Import allocations (deal,email,role,hours_per_week,start,end,status), CSV or a workbook."""
    from taiga_pipeline.people.csv_files import Writing

    writing = Writing(encoding, date_format, context.zone, read_columns(columns), sheet=sheet)
    report = use.import_allocations(context, file, writing, by=context.by)
    return report_rows(report, file, as_json)


@allocations.command("export")
@click.argument("file", type=WrittenFile(), required=False)
@pass_context
def export_allocations(context: CommandContext, file: Path | None) -> None:
    """Export allocations as CSV, to FILE or stdout."""
    with writing_to(file) as stream:
        use.export_allocations(context, stream)
