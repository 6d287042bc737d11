"""A calendar of days, as programs subscribe to it (iCalendar, RFC 5545).

All events are whole days without a time zone: they are on the same day wherever they are looked
at. The same events make the same bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from icalendar import Calendar, Event

from taiga_pipeline.people.icalendar import as_text

_DAY: Final = timedelta(days=1)
_UNDATED: Final = datetime(2000, 1, 1, tzinfo=UTC)
_REFRESH: Final = "PT1H"
_LONGEST: Final = 1_000
"""Characters of a title or of one line of a description."""


@dataclass(frozen=True, slots=True)
class DayEvent:
    """Something that happens on a day. ``identity`` stays the same when the day moves.

    ``lines`` describe it, ``changed`` (aware) is when anything of it changed last, if known.
    """

    identity: str
    day: date
    title: str
    lines: tuple[str, ...] = ()
    category: str = ""
    is_tentative: bool = False
    changed: datetime | None = None


def calendar_bytes(name: str, events: Iterable[DayEvent]) -> bytes:
    """Returns the calendar, its events by day and identity. ``name`` is what programs show."""
    calendar = Calendar()
    calendar.add("PRODID", "-//pipeline-sync//deals//EN")
    calendar.add("VERSION", "2.0")
    calendar.add("X-WR-CALNAME", as_text(name))
    calendar.add("X-PUBLISHED-TTL", _REFRESH)
    for each in sorted(events, key=lambda event: (event.day, event.identity)):
        calendar.add_component(_event(each))
    return bytes(calendar.to_ical())


def _event(each: DayEvent) -> Event:
    digest = hashlib.sha256(each.identity.encode()).hexdigest()[:32]
    changed = (each.changed or _UNDATED).astimezone(UTC).replace(microsecond=0)
    event = Event()
    event.add("UID", f"{digest}@pipeline-sync")
    event.add("DTSTAMP", changed)
    event.add("LAST-MODIFIED", changed)
    event.add("DTSTART", each.day)
    # The day after; the calendar ends with the year 9999.
    event.add("DTEND", min(each.day, date.max - _DAY) + _DAY)
    event.add("SUMMARY", as_text(each.title)[:_LONGEST])
    if each.lines:
        event.add("DESCRIPTION", "\n".join(as_text(line)[:_LONGEST] for line in each.lines))
    if each.category:
        event.add("CATEGORIES", [as_text(each.category)])
    event.add("STATUS", "TENTATIVE" if each.is_tentative else "CONFIRMED")
    event.add("TRANSP", "TRANSPARENT")  # nobody is busy because a decision is expected
    return event
