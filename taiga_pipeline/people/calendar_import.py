"""Storing what calendars say, so that importing them again keeps up with them.

It is kept which time off came from which event. What is moved, cancelled or taken out at the source
goes here as well; what people typed stays, and what they removed is not made again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, Table, delete, select

from taiga_pipeline.people.model import TimeOff
from taiga_pipeline.pipeline.batch import Outcome
from taiga_pipeline.pipeline.schema import TIME_OFF, TIME_OFF_IMPORTED

_FEW: Final = 10


class _Span(NamedTuple):
    email: str
    first: date
    last: date


class _Imported(NamedTuple):
    event: str
    span: _Span


@dataclass(frozen=True, slots=True)
class Events:
    """What a calendar holds between the days ``first`` and ``last``.

    ``by_event`` has all events that were seen, also those that are not time off, by what they are
    known by everywhere; ``nameless`` of them are known by that only within their file.
    ``unread`` could not be understood, and say nothing. ``person`` is whose the whole file is.
    """

    by_event: Mapping[str, tuple[TimeOff, ...]]
    nameless: frozenset[str]
    unread: frozenset[str]
    first: date
    last: date
    person: str = ""


@dataclass(frozen=True, slots=True)
class EventsReport:
    """What an import of a calendar did.

    ``taken_back`` is time off that is gone at the source. ``kept`` counts events that are gone from
    the file and were kept nevertheless, because they are so many. ``given_up`` counts spans of the
    file that someone removed by hand, which stay away.
    """

    counts: Mapping[Outcome, int]
    taken_back: tuple[TimeOff, ...] = ()
    kept: int = 0
    given_up: int = 0


def store_events(
    connection: Connection, origin: str, events: Events, *, remove_many: bool = False
) -> EventsReport:
    """Stores the time off of a calendar, and removes what is no longer in it.

    ``remove_many`` lets more than half of what the last import brought go.
    """
    before = list(_imported(connection, origin))
    old = [each for each in before if _touches(each.span, events)]
    wanted = {
        _Imported(event, _Span(each.email, each.first, each.last)): each.reason
        for event, found in events.by_event.items()
        for each in found
    }
    gone = [each for each in old if _is_gone(each, events, wanted)]
    removed = [each for each in gone if each.event not in events.by_event]
    is_same = any(each.event in events.by_event for each in old)
    too_many = len(removed) > max(_FEW, len(old) // 2)
    kept = 0
    if removed and (not is_same or (too_many and not remove_many)):
        gone = [each for each in gone if each.event in events.by_event]
        kept = len({each.event for each in removed})
    moved = _moved_elsewhere(connection, origin, events, wanted)
    taken_back = [
        *_take_back(connection, [(origin, each) for each in gone], wanted),
        *_take_back(connection, moved, wanted),
    ]
    counts, given_up = _put(connection, origin, wanted, frozenset(before))
    return EventsReport(counts, tuple(taken_back), kept, given_up)


def _imported(connection: Connection, origin: str) -> Iterator[_Imported]:
    table = TIME_OFF_IMPORTED
    for row in connection.execute(select(table).where(table.c.origin == origin)):
        yield _Imported(row.event, _Span(row.email, row.first, row.last))


def _touches(span: _Span, events: Events) -> bool:
    return span.last >= events.first and span.first <= events.last


def _is_gone(each: _Imported, events: Events, wanted: Mapping[_Imported, str]) -> bool:
    return each not in wanted and each.event not in events.unread


def _moved_elsewhere(
    connection: Connection, origin: str, events: Events, wanted: Mapping[_Imported, str]
) -> list[tuple[str, _Imported]]:
    """Returns what other files said of events of this one that happen at another time by now."""
    table = TIME_OFF_IMPORTED
    found = []
    for row in connection.execute(select(table).where(table.c.origin != origin)):
        each = _Imported(row.event, _Span(row.email, row.first, row.last))
        if each.event not in events.by_event or each.event in events.nameless:
            continue
        people = {time_off.email for time_off in events.by_event[each.event]}
        is_reported = row.email in people or (not people and events.person in ("", row.email))
        if is_reported and _touches(each.span, events) and _is_gone(each, events, wanted):
            found.append((row.origin, each))
    return found


def _take_back(
    connection: Connection,
    gone: list[tuple[str, _Imported]],
    wanted: Mapping[_Imported, str],
) -> Iterator[TimeOff]:
    """Forgets what imports brought; yields the time off that no one claims any more."""
    spans = {each.span for each in wanted}
    for origin, each in gone:
        where = (TIME_OFF_IMPORTED.c.origin == origin, TIME_OFF_IMPORTED.c.event == each.event)
        connection.execute(
            delete(TIME_OFF_IMPORTED).where(*where, *_is(TIME_OFF_IMPORTED, each.span))
        )
        claimed = connection.execute(
            select(TIME_OFF_IMPORTED.c.event).where(*_is(TIME_OFF_IMPORTED, each.span)).limit(1)
        ).first()
        row = connection.execute(select(TIME_OFF).where(*_is(TIME_OFF, each.span))).first()
        if row is None or claimed or each.span in spans:
            continue
        connection.execute(delete(TIME_OFF).where(*_is(TIME_OFF, each.span)))
        yield TimeOff(**row._mapping)


def _put(
    connection: Connection,
    origin: str,
    wanted: Mapping[_Imported, str],
    before: frozenset[_Imported],
) -> tuple[Mapping[Outcome, int], int]:
    """Stores time off that the file asks for; returns what became of it, and how many spans
    someone had taken back by hand."""
    counts: Counter[Outcome] = Counter(dict.fromkeys(Outcome, 0))
    given_up = 0
    spans = {each.span: reason for each, reason in wanted.items()}
    mine = set(_claimed(connection))
    stored = {
        _Span(row.email, row.first, row.last): row.reason
        for row in connection.execute(select(TIME_OFF))
    }
    taken = {each.span for each in before}
    for span, reason in spans.items():
        if span not in stored:
            if span in taken:
                given_up += 1
                continue
            connection.execute(TIME_OFF.insert().values(**span._asdict(), reason=reason))
            counts[Outcome.ADDED] += 1
        elif span in mine and stored[span] != reason:
            update = TIME_OFF.update().where(*_is(TIME_OFF, span))
            connection.execute(update.values(reason=reason))
            counts[Outcome.CHANGED] += 1
        else:
            counts[Outcome.UNCHANGED] += 1
    typed = {span for span in stored if span not in mine}
    new = [each for each in wanted if each not in before and each.span not in typed]
    if new:
        rows = [{"origin": origin, "event": each.event, **each.span._asdict()} for each in new]
        connection.execute(TIME_OFF_IMPORTED.insert(), rows)
    return counts, given_up


def _claimed(connection: Connection) -> Iterator[_Span]:
    table = TIME_OFF_IMPORTED
    for row in connection.execute(select(table.c.email, table.c.first, table.c.last).distinct()):
        yield _Span(row.email, row.first, row.last)


def _is(table: Table, span: _Span) -> tuple[ColumnElement[bool], ...]:
    columns = table.c
    return columns.email == span.email, columns.first == span.first, columns.last == span.last
