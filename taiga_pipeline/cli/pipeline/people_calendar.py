"""Time off from and to iCalendar files (``.ics``), for ``people off import`` and ``export``."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from sync.errors import Unreachable
from taiga_pipeline.app.extras import need_extra
from taiga_pipeline.app.store_access import people_store
from taiga_pipeline.cli.context import CommandContext
from taiga_pipeline.cli.exit_codes import ExitCode
from taiga_pipeline.cli.output import print_json
from taiga_pipeline.files import writing
from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.pipeline.text import counted
from taiga_pipeline.report.terminal import safe

if TYPE_CHECKING:
    from taiga_pipeline.people.calendar_import import EventsReport
    from taiga_pipeline.people.icalendar import CalendarReading
    from taiga_pipeline.people.model import TimeOff

_SUFFIXES: Final = (".ics", ".ical", ".icalendar")
_BACK: Final = timedelta(weeks=52)
_AHEAD: Final = timedelta(weeks=104)
_LARGEST: Final = 50_000_000
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
    """Imports time off of the past year and the next two from an iCalendar file.

    ``origin`` names the calendar across imports, "" for its file's name. With ``remove_many`` it
    may take back more than half of what it brought last.

    :raises Unreachable: the file or the store cannot be used.
    :raises ProblemsError: it is no iCalendar file, or ``person`` is not on the roster.
    """
    need_extra("iCalendar", "planning", "icalendar", "recurring_ical_events")
    from taiga_pipeline.people.calendar_import import Events
    from taiga_pipeline.people.icalendar import NAMELESS, Asked, read_time_off

    today = context.today
    first, last = today - _BACK, today + _AHEAD
    with people_store(context) as store:
        email = store.get(person).email if person else ""
        known = {each.email for each in store.people()}
        asked = Asked(first, last, known, email, context.zone, context.clock.monotonic)
        reading = read_time_off(_content(file), asked)
        nameless = frozenset(each for each in reading.by_event if each.startswith(NAMELESS))
        events = Events(reading.by_event, nameless, reading.unread, first, last, email)
        name = f"{origin or file.name}{f' of {email}' if email else ''}"
        report = store.store_events(name, events, remove_many=remove_many)
    if as_json:
        print_json(_as_json(reading, report))
    else:
        _print(reading, report, file)
    is_partial = reading.left_out or report.kept
    return ExitCode.PARTIAL if is_partial else ExitCode.DONE


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
    outcomes = ", ".join(f"{count:,} {outcome.value}" for outcome, count in report.counts.items())
    back = f", {len(report.taken_back):,} taken back" if report.taken_back else ""
    click.echo(f"{outcomes}{back}, {len(reading.left_out):,} left out")
    for reason, count in reading.ignored.items():
        click.echo(f"note: {counted(count, 'event')} no time off: {reason}")
    for note in reading.notes:
        click.echo(f"note: {safe(note)}")
    for each in report.taken_back[:_SHOWN]:
        click.echo(safe(f"note: gone or moved at the source: {each.email} {_span(each)}"))
    if report.given_up:
        click.echo(
            f"note: {counted(report.given_up, 'span')} of time off removed by hand before: not "
            "added again; to add it: people off add"
        )
    if report.kept:
        click.echo(
            f"{file}: {counted(report.kept, 'event')} of the last import are gone from the file; "
            "their time off is kept, because they are many or the rest of the file changed too. "
            "If they were cancelled, import again with --remove-gone. If it is another calendar, "
            "give it its own name: --origin NAME",
            err=True,
        )
    for reason in reading.left_out[:_SHOWN]:
        click.echo(safe(f"{file}: left out: {reason}"), err=True)
    if len(reading.left_out) > _SHOWN:
        click.echo(f"and {len(reading.left_out) - _SHOWN:,} more; --json lists all", err=True)


def _span(time_off: TimeOff) -> str:
    return f"{time_off.first} to {time_off.last}"


def _content(file: Path) -> bytes:
    try:
        if file.stat().st_size > _LARGEST:
            raise InvalidValue(f"{file} is larger than {_LARGEST // 1_000_000} MB")
        return file.read_bytes()
    except OSError as error:
        raise Unreachable(f"{file} cannot be read: {error.strerror}") from error


def export_calendar(context: CommandContext, file: Path) -> None:
    """Writes everybody's time off to an iCalendar file, whole or not at all.

    :raises Unreachable: the store cannot be used.
    """
    need_extra("iCalendar", "planning", "icalendar", "recurring_ical_events")
    from taiga_pipeline.people.icalendar import write_time_off

    with people_store(context) as store:
        content = write_time_off(store.time_off(), now=context.clock.now())
    with writing(file) as stream:
        stream.write(content)
