"""Days on which people do not work."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO

from sync.errors import Unreachable
from taiga_pipeline.app.extras import need_extra
from taiga_pipeline.app.store_access import people_store
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.pipeline.errors import InvalidValue

if TYPE_CHECKING:
    from taiga_pipeline.people.calendar_import import EventsReport
    from taiga_pipeline.people.csv_files import RowsReport, Writing
    from taiga_pipeline.people.icalendar import CalendarReading
    from taiga_pipeline.people.model import TimeOff

_BACK: Final = timedelta(weeks=52)
_AHEAD: Final = timedelta(weeks=104)
_LARGEST: Final = 50_000_000


@dataclass(frozen=True, slots=True)
class CalendarImported:
    """What was read of a calendar, and what became of it in the store."""

    reading: CalendarReading
    report: EventsReport

    @property
    def is_whole(self) -> bool:
        """Whether nothing was left out, and nothing kept that the file no longer has."""
        return not (self.reading.left_out or self.report.kept)


def list_time_off(workspace: Workspace, email: str = "") -> tuple[TimeOff, ...]:
    """Returns the time off of one person, or of all (""), by address and first day.

    :raises UnknownPerson: no person has this address.
    """
    with people_store(workspace) as store:
        return tuple(store.time_off(email))


def add_time_off(workspace: Workspace, time_off: TimeOff, *, by: str = "") -> TimeOff:
    """Records days on which a person does not work. The same days again change the reason.

    :raises UnknownPerson: no person has this address.
    :raises InvalidValue: the last day is before the first.
    """
    with people_store(workspace, by=by) as store:
        return store.add_time_off(time_off)


def remove_time_off(
    workspace: Workspace, email: str, first: date, last: date, *, by: str = ""
) -> TimeOff:
    """Takes time off back.

    :raises UnknownName: nothing is recorded for exactly these days.
    """
    with people_store(workspace, by=by) as store:
        return store.remove_time_off(email, first, last)


def import_time_off(
    workspace: Workspace, file: Path, writing: Writing, *, by: str = ""
) -> RowsReport:
    """Imports time off from a CSV file (email, first, last, reason)."""
    from taiga_pipeline.people.csv_files import import_time_off as run_import

    with people_store(workspace, by=by) as store:
        return run_import(store, file, writing)


def export_time_off(workspace: Workspace, stream: TextIO) -> None:
    """Writes everyone's time off as CSV. ``stream`` is open for text, with ``newline=""``."""
    from taiga_pipeline.people.csv_files import TIME_OFF_FILE, write_file

    with people_store(workspace) as store:
        write_file(TIME_OFF_FILE, store.time_off(), stream)


def import_calendar(
    workspace: Workspace,
    file: Path,
    *,
    person: str = "",
    origin: str = "",
    remove_many: bool = False,
    by: str = "",
) -> CalendarImported:
    """Imports time off of the past year and the next two from an iCalendar file.

    ``person`` says whose it is ("": each event does). ``origin`` names the calendar across imports,
    "" for its file's name. With ``remove_many`` it may remove more than half of what it brought
    last.

    :raises Unreachable: the file or the store cannot be used.
    :raises ProblemsError: it is not an iCalendar file, or ``person`` is not on the roster.
    """
    need_extra("iCalendar", "planning", "icalendar", "recurring_ical_events")
    from taiga_pipeline.people.calendar_import import Events
    from taiga_pipeline.people.icalendar import NAMELESS, Asked, read_time_off

    today = workspace.today
    first, last = today - _BACK, today + _AHEAD
    with people_store(workspace, by=by) as store:
        email = store.get(person).email if person else ""
        known = {each.email for each in store.people()}
        asked = Asked(first, last, known, email, workspace.zone, workspace.clock.monotonic)
        reading = read_time_off(_content(file), asked)
        nameless = frozenset(each for each in reading.by_event if each.startswith(NAMELESS))
        events = Events(reading.by_event, nameless, reading.unread, first, last, email)
        name = f"{origin or file.name}{f' of {email}' if email else ''}"
        report = store.store_events(name, events, remove_many=remove_many)
    return CalendarImported(reading, report)


def _content(file: Path) -> bytes:
    try:
        if file.stat().st_size > _LARGEST:
            raise InvalidValue(f"{file} is larger than {_LARGEST // 1_000_000} MB")
        return file.read_bytes()
    except OSError as error:
        raise Unreachable(f"{file} cannot be read: {error.strerror}") from error


def calendar_of(workspace: Workspace) -> bytes:
    """Returns everyone's time off as an iCalendar file.

    :raises Unreachable: the store cannot be used.
    """
    need_extra("iCalendar", "planning", "icalendar", "recurring_ical_events")
    from taiga_pipeline.people.icalendar import write_time_off

    with people_store(workspace) as store:
        return write_time_off(store.time_off(), now=workspace.clock.now())
