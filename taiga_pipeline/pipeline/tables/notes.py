"""Deals read and written with their notes, which have a table of their own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Row, Select, or_, select

from taiga_pipeline.pipeline.model import Deal, FieldChange, Note
from taiga_pipeline.pipeline.notes import BEFORE_THE_LOG, joined, stamped
from taiga_pipeline.pipeline.rows import deal_reader, note_to_row, row_to_note
from taiga_pipeline.pipeline.schema import NOTES
from taiga_pipeline.pipeline.tables.queries import events

CHUNK: Final = 500
"""Deals that are looked up by one statement; SQLite allows about a thousand parameters."""

_T = TypeVar("_T")


def rows_to_deals(connection: Connection, rows: Iterable[Row[Any]]) -> Iterator[Deal]:
    """Yields the deals of rows of the table ``deals``, with their notes."""
    for deal, _ in with_notes(connection, rows):
        yield deal


def with_notes(connection: Connection, rows: Iterable[Row[Any]]) -> Iterator[tuple[Deal, Row[Any]]]:
    """Yields deals with their notes, each with its row; reads no more rows ahead than needed."""
    for chunk in chunks(rows, CHUNK):
        columns = chunk[0]._fields
        key_at, read = columns.index("key"), deal_reader(columns)
        keys = [row[key_at] for row in chunk]
        notes = notes_of(connection, keys)
        for key, row in zip(keys, chunk, strict=True):
            yield read(row, notes.get(key, ())), row


def notes_of(connection: Connection, keys: Collection[str]) -> dict[str, tuple[Note, ...]]:
    """Returns the logs of deals that have any, by deal key; the newest note first."""
    found: dict[str, list[Note]] = defaultdict(list)
    query = select(NOTES).where(NOTES.c.deal_key.in_(list(keys)))
    for row in connection.execute(query.order_by(NOTES.c.at.desc(), NOTES.c.id.desc())):
        found[row.deal_key].append(row_to_note(row))
    return {key: tuple(notes) for key, notes in found.items()}


def with_new_notes(
    before: Deal | None, after: Deal, at: datetime, by: str, *, from_file: bool = False
) -> Deal:
    """Returns the deal as it is stored: no note of before is missing, and each new one is dated."""
    log = before.notes if before else ()
    if after.notes == log:
        return after
    known = set(log)
    new = [note for note in joined(log, after.notes) if note not in known]
    return replace(after, notes=joined(log, tuple(stamped(new, at, by, from_file=from_file))))


def note_events(key: str, newest: int | None) -> Select[Any]:
    """Asks for the notes that were added to one deal, or to all, in the order of `queries.events`.

    What a deal's notes were when they were one text was never added to a log.
    """
    typed = or_(NOTES.c.origin.is_(None), NOTES.c.origin != BEFORE_THE_LOG)
    return events(NOTES, key, newest).where(typed)


def row_to_event(row: Row[Any]) -> FieldChange:
    """Returns a note as the change that it was."""
    note = row_to_note(row)
    assert note.at
    return FieldChange(row.deal_key, "notes", "", note.text, note.at, note.by)


def is_note(change: FieldChange) -> bool:
    """Whether a change was a note that was added."""
    return change.field == "notes" and not change.before


def new_notes(before: Deal | None, after: Deal) -> list[dict[str, Any]]:
    """Returns the rows of the notes that a deal has and did not have, the oldest first."""
    known = set(before.notes) if before else set()
    return [note_to_row(after.key, note) for note in reversed(after.notes) if note not in known]


def chunks(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    """Cuts a sequence into lists of up to ``size``."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk
