"""Time off as iCalendar (RFC 5545), the format of calendar programs. Needs the extra ``planning``.

An event is a person's time off if its organizer or an attendee has the person's address, or if a
person is named for the whole file. Events that repeat are unfolded within a time span. Events of
which only some hours are taken are left out and reported: time off is counted in days.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

import recurring_ical_events  # type: ignore[import-untyped]
from icalendar import Calendar, Component, Event

from taiga_pipeline.people.cleaning import clean_time_off
from taiga_pipeline.people.model import TimeOff
from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.problems import Problem, ProblemsError

_DAY: Final = timedelta(days=1)
_JOINERS: Final = "\u200c\u200d"
"""Persian and family emoji are written with them, though they cannot be seen alone."""
_MAX_DAYS: Final = 3660
_TOO_OFTEN: Final = ("SECONDLY", "MINUTELY", "HOURLY")
"""A rule that repeats so often would unfold to millions of events."""

# What the library raises on values and rules that make no sense, beside its own ValueErrors.
_BROKEN: Final = (ValueError, KeyError, TypeError, AttributeError, OverflowError)


@dataclass(frozen=True, slots=True)
class CalendarReading:
    """What a calendar file holds: time off, and the events left out with the reason."""

    time_off: tuple[TimeOff, ...]
    left_out: tuple[str, ...] = ()


def read_time_off(
    content: bytes, *, first: date, last: date, known: Collection[str] = (), email: str = ""
) -> CalendarReading:
    """Reads time off that touches the days ``first`` to ``last``.

    ``known`` are the addresses of the roster (lower case), among which an event's organizer and
    attendees are looked up. With ``email`` every event is this person's, whoever it names.

    :raises ProblemsError: it is no iCalendar file.
    """
    kept: list[TimeOff] = []
    left_out: list[str] = []
    for series in _series(_parse(content)):
        try:
            for event in _occurrences(series, first, last):
                kept += _time_off(event, known, email)
        except InvalidValue as error:
            left_out.append(str(error))
        except _BROKEN as error:
            reason = str(error).partition("\n")[0][:200]
            left_out.append(f"{_title(series.events[0])} cannot be read: {reason}")
    unique = dict.fromkeys(sorted(kept, key=lambda each: (each.email, each.first, each.last)))
    return CalendarReading(tuple(unique), tuple(dict.fromkeys(left_out)))


def _parse(content: bytes) -> Calendar:
    try:
        calendar = Calendar.from_ical(content)
    except _BROKEN as error:
        reason = str(error).partition("\n")[0][:200]
        raise ProblemsError([Problem(f"this is no iCalendar file: {reason}")]) from None
    if not isinstance(calendar, Calendar):
        raise ProblemsError([Problem("this is no iCalendar file: it has no VCALENDAR")])
    return calendar


def _series(calendar: Calendar) -> Iterator[Calendar]:
    """Yields each event with its exceptions by itself, so that a broken one harms no other."""
    by_identity: dict[str, list[Component]] = {}
    for number, event in enumerate(calendar.walk("VEVENT")):
        by_identity.setdefault(str(event.get("UID", number)), []).append(event)
    for events in by_identity.values():
        alone = Calendar()
        for zone in calendar.walk("VTIMEZONE"):
            alone.add_component(zone)
        for event in events:
            alone.add_component(event)
        yield alone


def _occurrences(series: Calendar, first: date, last: date) -> Iterator[Component]:
    """Yields the times of an event between two days."""
    event = series.events[0]
    rule: Any = event.get("RRULE", {})
    often = [name for name in _TOO_OFTEN if name in str(rule).upper()]
    if often:
        raise InvalidValue(f"{_title(event)} repeats {often[0].lower()}, which is no time off")
    # The library takes an end before the begin for no end at all.
    begin, end = (event.get(name) for name in ("DTSTART", "DTEND"))
    if begin and end and _day(end.dt) < _day(begin.dt):
        raise InvalidValue(f"{_title(event)} on {_day(begin.dt)} ends before it begins")
    yield from recurring_ical_events.of(series, components=["VEVENT"]).between(first, last + _DAY)


def _title(event: Component) -> str:
    return repr(str(event.get("SUMMARY", "an event")))


def _time_off(event: Component, known: Collection[str], email: str) -> Iterator[TimeOff]:
    if str(event.get("STATUS", "")).upper() == "CANCELLED":
        return
    first, last = _days(event)
    people = [email] if email else sorted(_people(event) & set(known))
    if not people:
        named = ", ".join(sorted(_people(event))) or "nobody"
        raise InvalidValue(
            f"{_title(event)} on {first} names {named}, who is not on the roster; name a person "
            "for the whole file with --person"
        )
    for each in people:
        yield clean_time_off(TimeOff(each, first, last, str(event.get("SUMMARY", ""))))


def _days(event: Any) -> tuple[date, date]:
    """Returns the first and the last whole day of an event."""
    start, end = event.start, event.end
    if isinstance(start, datetime) or isinstance(end, datetime):
        if any(isinstance(each, datetime) and each.time() != time(0) for each in (start, end)):
            raise InvalidValue(
                f"{_title(event)} on {start:%Y-%m-%d %H:%M} takes part of a day; time off is "
                "counted in whole days"
            )
        start, end = _day(start), _day(end)
    if not start < end:
        raise InvalidValue(f"{_title(event)} on {start} has no length")
    if (end - start).days > _MAX_DAYS:
        raise InvalidValue(f"{_title(event)} on {start}: {(end - start).days:,} days off")
    return start, end - _DAY


def _day(moment: date) -> date:
    return moment.date() if isinstance(moment, datetime) else moment


def _people(event: Component) -> set[str]:
    attendees: Any = event.get("ATTENDEE", [])
    named = [event.get("ORGANIZER"), *(attendees if isinstance(attendees, list) else [attendees])]
    addresses = (str(each).lower().removeprefix("mailto:") for each in named if each)
    return {address.strip() for address in addresses}


def write_time_off(time_off: Iterable[TimeOff], *, now: datetime) -> bytes:
    """Returns an iCalendar file of whole-day events; ``now`` (aware) is their time stamp.

    The same time off has the same identity in each export, so that a calendar program that
    imports it twice shows it once.
    """
    calendar = Calendar()
    calendar.add("PRODID", "-//pipeline-sync//time off//EN")
    calendar.add("VERSION", "2.0")
    for each in time_off:
        calendar.add_component(_event(each, now))
    return bytes(calendar.to_ical())


def _as_text(reason: str) -> str:
    """Returns a reason as calendars can show it: controls are forbidden in their files."""
    shown = (each if each.isprintable() or each in _JOINERS else " " for each in reason)
    return " ".join("".join(shown).split())


def _event(time_off: TimeOff, now: datetime) -> Event:
    identity = f"{time_off.email}|{time_off.first}|{time_off.last}"
    digest = hashlib.sha256(identity.encode()).hexdigest()[:32]
    event = Event()
    event.add("UID", f"{digest}@pipeline-sync")
    event.add("DTSTAMP", now.astimezone(UTC))
    event.add("DTSTART", time_off.first)
    # The day after the last one; the calendar ends with the year 9999.
    event.add("DTEND", min(time_off.last, date.max - _DAY) + _DAY)
    event.add("SUMMARY", _as_text(time_off.reason) or "Time off")
    event.add("ORGANIZER", f"mailto:{time_off.email}")
    event.add("TRANSP", "OPAQUE")
    return event
