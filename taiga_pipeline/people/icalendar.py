"""Time off as iCalendar (RFC 5545), the format of calendar programs. Needs the extra ``planning``.

An event is the time off of its attendees, else of its organizer, or of the person who is named for
the whole file. What an event says of itself counts: cancelled, declined, tentative, shown as free,
working elsewhere or standing in for someone is not time off. Events that repeat are unfolded
within a time span. Hours become days as `taiga_pipeline.people.event_days` says; what takes only a
part of a day is left out and reported.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any, Final

import recurring_ical_events  # type: ignore[import-untyped]
from icalendar import Calendar, Component, Event

from taiga_pipeline.people.cleaning import clean_time_off
from taiga_pipeline.people.event_days import RULE, DaysTaken, days_taken
from taiga_pipeline.people.event_meaning import CANCELLED, is_all_day, whose, why_no_absence
from taiga_pipeline.people.event_rules import check_rule
from taiga_pipeline.people.model import TimeOff
from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.pipeline.text import counted
from taiga_pipeline.problems import Problem, ProblemsError

_DAY: Final = timedelta(days=1)
_JOINERS: Final = "\u200c\u200d"
"""Persian and family emoji are written with them, though they cannot be seen alone."""
MAX_EVENTS: Final = 50_000
MAX_OCCURRENCES: Final = 200_000
MAX_SECONDS: Final = 60
_SHOWN: Final = 60
_LONGEST_IDENTITY: Final = 500
NAMELESS: Final = "#"
"""What the identity of an event begins with that has none of its own."""

# What the library raises on values and rules that are invalid, beside its own ValueErrors.
_BROKEN: Final = (ValueError, KeyError, TypeError, AttributeError, OverflowError, IndexError)
_TIMES: Final = ("DTSTART", "DTEND", "DURATION", "RRULE", "EXDATE", "RDATE", "RECURRENCE-ID")
_ZONE_LABEL: Final = re.compile(
    r"^((?:DTSTART|DTEND|EXDATE|RDATE|RECURRENCE-ID)(?:;VALUE=[A-Z-]+)?;TZID=)([^\r\n\"]*[^\w/+.\r\n\"-]"
    r"[^\r\n\"]*)(:\d{8}(?:T\d{4,6}Z?)?(?:,\d{8}(?:T\d{4,6}Z?)?)*\r?)$",
    re.M | re.I,
)
"""The name of a time zone that would have to be in quotation marks and is not."""


@dataclass(frozen=True, slots=True)
class CalendarReading:
    """What a calendar file holds.

    ``by_event`` has the time off of each event by its identity in the file. ``left_out`` are the
    events that could not be taken, with the reason; ``unread`` their identities. ``ignored`` counts
    those that are not time off by their own word, by reason. ``notes`` say what else was noticed.
    """

    by_event: Mapping[str, tuple[TimeOff, ...]] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    ignored: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    unread: frozenset[str] = frozenset()

    @property
    def time_off(self) -> tuple[TimeOff, ...]:
        """All time off, each span of a person once, by person and day."""
        every = (each for found in self.by_event.values() for each in found)
        spans = {(each.email, each.first, each.last): each for each in every}
        return tuple(spans[span] for span in sorted(spans))


@dataclass(frozen=True, slots=True)
class Asked:
    """What is looked for in a calendar: time off that touches the days ``first`` to ``last``.

    ``known`` are the addresses of the roster (lower case), among which an event's attendees and
    organizer are looked up. With ``email`` every event is this person's, whoever it names.
    ``zone`` decides on which days hours are. ``seconds`` is a clock, by which reading ends.
    """

    first: date
    last: date
    known: Collection[str] = ()
    email: str = ""
    zone: tzinfo = UTC
    seconds: Callable[[], float] = lambda: 0.0


def read_time_off(content: bytes, asked: Asked) -> CalendarReading:
    """Reads the time off of an iCalendar file.

    :raises ProblemsError: it is not an iCalendar file, or holds more than can be read.
    """
    reader = _Reader(asked)
    for calendar in _parse(content):
        reader.take(calendar)
    return reader.reading()


class _Reader:
    """Goes through the events of a file and keeps what they say."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._begun = asked.seconds()
        self._events = self._occurrences = self._in_part = self._outside = 0
        self._by_event: dict[str, list[TimeOff]] = {}
        self._left_out: dict[str, None] = {}
        self._unread: set[str] = set()
        self._ignored: Counter[str] = Counter()
        self._unknown: Counter[str] = Counter()

    def take(self, calendar: Calendar) -> None:
        """Reads the events of one calendar."""
        is_cancelled = str(calendar.get("METHOD", "")).upper() == "CANCEL"
        for identity, series in _series(calendar):
            self._events += len(series.events)
            self._check_bounds()
            if is_cancelled:
                self._ignored[CANCELLED] += 1
                self._by_event.setdefault(identity, [])
                continue
            self._take_series(identity, series)

    def _take_series(self, identity: str, series: Calendar) -> None:
        kept = self._by_event.setdefault(identity, [])
        reasons: Counter[str] = Counter()
        whys: set[str] = set()
        unknown: set[str] = set()
        before = self._occurrences
        try:
            for event in self._unfolded(series):
                self._occurrences += 1
                self._check_bounds()
                kept += self._time_off(event, reasons, whys, unknown)
            self._outside += self._occurrences == before
        except InvalidValue as error:
            self._leave_out(identity, f"{_title(series.events[0])} {error}")
        except _BROKEN:
            self._leave_out(identity, f"{_title(series.events[0])} {_what_is_broken(series)}")
        self._ignored.update(whys)
        self._unknown.update(unknown)
        for reason, times in reasons.items():
            again = f" ({times:,} times)" if times > 1 else ""
            self._left_out[f"{reason}{again}"] = None

    def _leave_out(self, identity: str, message: str) -> None:
        self._left_out[message] = None
        self._unread.add(identity)

    def _check_bounds(self) -> None:
        if self._events > MAX_EVENTS:
            raise _too_much(f"more than {MAX_EVENTS:,} events")
        if self._occurrences > MAX_OCCURRENCES:
            raise _too_much(f"events that happen more than {MAX_OCCURRENCES:,} times")
        if self._asked.seconds() - self._begun > MAX_SECONDS:
            raise _too_much(f"rules of repetition that take more than {MAX_SECONDS} s to unfold")

    def _unfolded(self, series: Calendar) -> Iterator[Component]:
        """Yields the times of an event between the two days."""
        for event in series.events:
            check_rule(event)
        # The library takes an end before the begin for no end at all.
        begin, end = (series.events[0].get(name) for name in ("DTSTART", "DTEND"))
        if begin and end and _day(end.dt) < _day(begin.dt):
            raise InvalidValue(f"on {_day(begin.dt)} ends before it begins")
        query = recurring_ical_events.of(series, components=["VEVENT"])
        yield from query.between(self._asked.first, self._asked.last + _DAY)

    def _time_off(
        self, event: Any, reasons: Counter[str], whys: set[str], unknown: set[str]
    ) -> Iterator[TimeOff]:
        """Yields the time off of one occurrence; notes why there is none, and who is unknown."""
        why = why_no_absence(event)
        if why:
            whys.add(why)
            return
        start = event.start
        shown = f"{_title(event)} on {_day(start)}"
        try:
            named = whose(event, self._asked.known, self._asked.email)
            unknown.update(named.unknown if named.people else ())
            if named.why_unknown:
                whys.add(named.why_unknown)
                return
            if not named.people:
                who = ", ".join(named.unknown) or "no one"
                reasons[f"{_title(event)} names {who}, who is not on the roster; {_WAY_OUT}"] += 1
                return
            taken = days_taken(start, event.end, self._asked.zone, is_all_day=is_all_day(event))
        except InvalidValue as error:
            reasons[f"{shown} {error}"] += 1
            return
        if taken.part or taken.first is None:
            self._in_part += 1
            reasons[_in_part(event, taken)] += 1
        if taken.first is not None and taken.last is not None:
            for each in named.people:
                reason = str(event.get("SUMMARY", ""))
                yield clean_time_off(TimeOff(each, taken.first, taken.last, reason))

    def reading(self) -> CalendarReading:
        """Returns what was found in all calendars."""
        notes = [
            f"{who} is named by {counted(count, 'event')} of others as well, and is not on the "
            "roster"
            for who, count in sorted(self._unknown.items())
        ]
        if self._in_part:
            notes.append(f"part of a day only, {self._in_part:,} times: {RULE}")
        if self._outside:
            span = f"{self._asked.first} to {self._asked.last}"
            notes.append(f"{counted(self._outside, 'event')} outside of {span}: skipped")
        by_event = {each: tuple(dict.fromkeys(found)) for each, found in self._by_event.items()}
        return CalendarReading(
            by_event,
            tuple(self._left_out),
            dict(sorted(self._ignored.items())),
            tuple(notes),
            frozenset(self._unread),
        )


_WAY_OUT: Final = "name a person for the whole file with --person"


def _too_much(what: str) -> ProblemsError:
    message = f"the calendar holds {what}, which is too much; export a shorter period"
    return ProblemsError([Problem(message)])


def _in_part(event: Any, taken: DaysTaken) -> str:
    if taken.first is None:
        moment = event.start
        at = f"{moment:%H:%M}" if isinstance(moment, datetime) else ""
        return f"{_title(event)} on {_day(moment)} {at} takes part of a day".replace("  ", " ")
    days = ", ".join(map(str, taken.part))
    return (
        f"{_title(event)}: {days} in part; the whole days {taken.first} to {taken.last} are counted"
    )


def _parse(content: bytes) -> list[Calendar]:
    text = _ZONE_LABEL.sub(_in_quotes, _decoded(content).lstrip("\ufeff"))
    if "BEGIN:VCALENDAR" not in text.upper():
        raise _no_calendar("it has no VCALENDAR")
    try:
        found = Calendar.from_ical(text, multiple=True)
    except _BROKEN:
        raise _no_calendar("its lines cannot be read, or it is cut off; export it again") from None
    calendars = [each for each in found if isinstance(each, Calendar)]
    if not calendars:
        raise _no_calendar("it has no VCALENDAR")
    return calendars


def _no_calendar(reason: str) -> ProblemsError:
    return ProblemsError([Problem(f"this is not an iCalendar file: {reason}")])


def _decoded(content: bytes) -> str:
    """Calendars are UTF-8; some old programs write their own machine's letters."""
    encodings = ["utf-8-sig", "cp1252"]
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encodings.insert(0, "utf-16")
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return content.decode("utf-8", "replace")


def _in_quotes(match: re.Match[str]) -> str:
    label = match[2].replace("\\,", ",").replace("\\;", ";")
    return f'{match[1]}"{label}"{match[3]}'


def _series(calendar: Calendar) -> Iterator[tuple[str, Calendar]]:
    """Yields each event with its exceptions by itself, so that a broken one harms no other; and
    what it is known by."""
    by_identity: dict[str, list[Component]] = {}
    for event in calendar.walk("VEVENT"):
        by_identity.setdefault(_identity(event), []).append(event)
    zones = calendar.walk("VTIMEZONE")
    for identity, events in by_identity.items():
        for group in _versions(events):
            alone = Calendar()
            for component in (*zones, *group):
                alone.add_component(component)
            yield identity, alone


def _identity(event: Component) -> str:
    """Returns what an event is known by in every export of its calendar."""
    identity = str(event.get("UID", "")).strip()
    if identity:
        return identity[:_LONGEST_IDENTITY]
    begin = getattr(event.get("DTSTART"), "dt", "")
    return f"{NAMELESS}{begin}|{event.get('SUMMARY', '')}"[:_LONGEST_IDENTITY]


def _versions(events: list[Component]) -> Iterator[list[Component]]:
    """Yields the events of one identity that belong together.

    Of several versions of an event the newest counts. Events that some programs gave one identity
    by mistake are events of their own.
    """
    moved = [event for event in events if "RECURRENCE-ID" in event]
    whole = [event for event in events if "RECURRENCE-ID" not in event]
    if len({_version(event) for event in whole}) > 1:
        whole = [max(whole, key=_version)]
    if len(whole) <= 1:
        yield [*whole, *moved]
        return
    yield [whole[0], *moved]
    yield from ([event] for event in whole[1:])


def _version(event: Component) -> int:
    try:
        return int(str(event.get("SEQUENCE", 0)))
    except ValueError:
        return 0


def _what_is_broken(series: Calendar) -> str:
    """Says which property of an event cannot be read, in words for people."""
    for event in series.events:
        for name in _TIMES:
            found: Any = event.get(name)
            for each in found if isinstance(found, list) else [found]:
                if type(each).__name__ == "vBroken":
                    return f"cannot be read: {name} {str(each)[:_SHOWN]!r} is invalid"
        if "DTSTART" not in event:
            return "cannot be read: it has no DTSTART"
        if "RRULE" in event:
            return "cannot be read: its rule of repetition (RRULE) is invalid"
    return "cannot be read: its begin and end do not match"


def _title(event: Component) -> str:
    return repr(str(event.get("SUMMARY", "an event"))[:_SHOWN])


def _day(moment: date) -> date:
    return moment.date() if isinstance(moment, datetime) else moment


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


def as_text(text: str) -> str:
    """Returns text on one line, as calendars can show it: controls are forbidden in their files."""
    shown = (each if each.isprintable() or each in _JOINERS else " " for each in text)
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
    event.add("SUMMARY", as_text(time_off.reason) or "Time off")
    event.add("ORGANIZER", f"mailto:{time_off.email}")
    event.add("TRANSP", "OPAQUE")
    return event
