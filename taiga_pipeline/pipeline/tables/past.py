"""All that changed in deals, as one record: fields, notes that were added, keys that went."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from heapq import merge
from itertools import islice
from operator import attrgetter
from typing import Any

from sqlalchemy import Select

from taiga_pipeline.pipeline.model import FieldChange
from taiga_pipeline.pipeline.rows import row_to_change
from taiga_pipeline.pipeline.schema import FIELD_CHANGES
from taiga_pipeline.pipeline.tables import key_changes
from taiga_pipeline.pipeline.tables.notes import note_events, row_to_event
from taiga_pipeline.pipeline.tables.queries import events, implied_by_move


def all_changes(
    stream: Callable[[Select[Any]], Iterator[Any]],
    key: str,
    newest: int | None,
    fields: Collection[str],
) -> Iterator[FieldChange]:
    """Goes through the recorded changes of one deal, or of all; see `DealStore.changes`."""
    query = events(FIELD_CHANGES, key, newest).where(~implied_by_move())
    if fields:
        query = query.where(FIELD_CHANGES.c.field.in_(fields))
    found = [map(row_to_change, stream(query))]
    if not fields or "notes" in fields:
        found.append(map(row_to_event, stream(note_events(key, newest))))
    if not fields or "key" in fields:
        gone = stream(key_changes.key_events(key, newest))
        found.append(map(key_changes.row_to_event, gone))
    return islice(merge(*found, key=attrgetter("at"), reverse=newest is not None), newest)
