"""Time off from and to iCalendar files (``.ics``), for ``people off import`` and ``export``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from taiga_pipeline.app.people import time_off
from taiga_pipeline.cli.context import CommandContext
from taiga_pipeline.cli.exit_codes import ExitCode
from taiga_pipeline.cli.output import print_json
from taiga_pipeline.files import writing
from taiga_pipeline.language import counted, figure, translated
from taiga_pipeline.language import text as _
from taiga_pipeline.report.terminal import safe

if TYPE_CHECKING:
    from taiga_pipeline.people.calendar_import import EventsReport
    from taiga_pipeline.people.icalendar import CalendarReading
    from taiga_pipeline.people.model import TimeOff

_SUFFIXES: Final = (".ics", ".ical", ".icalendar")
_SHOWN: Final = 50
_BEGINNING: Final = 100
_MARK: Final = b"BEGIN:VCALENDAR"


def is_calendar(file: Path | None) -> bool:
    """Tells an iCalendar file by its name."""
    return file is not None and file.suffix.lower() in _SUFFIXES


def holds_calendar(file: Path) -> bool:
    """Tells an iCalendar file by its name, or by how it begins."""
    if is_calendar(file):
        return True
    try:
        with file.open("rb") as stream:
            return stream.read(_BEGINNING).lstrip(b"\xef\xbb\xbf \t\r\n").upper().startswith(_MARK)
    except OSError:
        return False  # whoever reads it says why


def import_calendar(
    context: CommandContext,
    file: Path,
    person: str,
    as_json: bool,
    *,
    origin: str = "",
    remove_many: bool = False,
) -> int:
    """Imports time off from an iCalendar file, and prints what became of it."""
    done = time_off.import_calendar(
        context,
        file,
        person=person,
        origin=origin,
        remove_many=remove_many,
        by=context.by,
    )
    if as_json:
        print_json(_as_json(done.reading, done.report))
    else:
        _print(done.reading, done.report, file)
    return ExitCode.DONE if done.is_whole else ExitCode.PARTIAL


def _as_json(reading: CalendarReading, report: EventsReport) -> dict[str, Any]:
    return {
        **{outcome.value: count for outcome, count in report.counts.items()},
        "left_out": reading.left_out,
        "ignored": reading.ignored,
        "notes": reading.notes,
        "taken_back": [asdict(each) for each in report.taken_back],
        "kept": report.kept,
        "given_up": report.given_up,
    }


def _print(reading: CalendarReading, report: EventsReport, file: Path) -> None:
    outcomes = ", ".join(
        f"{figure(count, ',')} {_(outcome.value)}" for outcome, count in report.counts.items()
    )
    back = _(", {count:,} removed", count=len(report.taken_back)) if report.taken_back else ""
    click.echo(
        _(
            "{outcomes}{back}, {count:,} left out",
            outcomes=outcomes,
            back=back,
            count=len(reading.left_out),
        )
    )
    _print_notes(reading, report)
    if report.kept:
        _print_kept(report, file)
    _print_left_out(reading, file)


def _print_notes(reading: CalendarReading, report: EventsReport) -> None:
    for reason, count in reading.ignored.items():
        click.echo(
            _(
                "note: {events} no time off: {reason}",
                events=counted(count, "event"),
                reason=translated(reason),
            )
        )
    for note in reading.notes:
        click.echo(_("note: {note}", note=safe(translated(note))))
    for each in report.taken_back[:_SHOWN]:
        click.echo(
            safe(
                _(
                    "note: gone or moved at the source: {email} {span}",
                    email=each.email,
                    span=_span(each),
                )
            )
        )
    if report.given_up:
        click.echo(
            _(
                "note: {spans} of time off removed by hand before: not added "
                "again; to add it: people off add",
                spans=counted(report.given_up, "span"),
            )
        )


def _print_kept(report: EventsReport, file: Path) -> None:
    click.echo(
        _(
            "{file}: {events} of the last import are gone from the file; their "
            "time off is kept, because they are many or the rest of the file "
            "changed too. If they were cancelled, import again with "
            "--remove-gone. If it is another calendar, give it its own name: "
            "--origin NAME",
            file=file,
            events=counted(report.kept, "event"),
        ),
        err=True,
    )


def _print_left_out(reading: CalendarReading, file: Path) -> None:
    for reason in reading.left_out[:_SHOWN]:
        click.echo(
            safe(_("{file}: left out: {reason}", file=file, reason=translated(reason))), err=True
        )
    if len(reading.left_out) > _SHOWN:
        click.echo(
            _("and {count:,} more; --json lists all", count=len(reading.left_out) - _SHOWN),
            err=True,
        )


def _span(days: TimeOff) -> str:
    return _("{first} to {last}", first=days.first, last=days.last)


def export_calendar(context: CommandContext, file: Path) -> None:
    """Writes everyone's time off to an iCalendar file, whole or not at all.

    :raises Unreachable: the store cannot be used.
    """
    content = time_off.calendar_of(context)
    with writing(file) as stream:
        stream.write(content)
