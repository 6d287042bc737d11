"""All that changed in deals, as one record: fields, notes that were added, keys that went."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from heapq import merge
from itertools import islice
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import Connection, Select, select

from taiga_pipeline.pipeline.model import FieldChange, StageMove
from taiga_pipeline.pipeline.rows import row_to_change, row_to_move
from taiga_pipeline.pipeline.schema import FIELD_CHANGES, STAGE_MOVES
from taiga_pipeline.pipeline.tables import key_changes
from taiga_pipeline.pipeline.tables.notes import note_events, row_to_event
from taiga_pipeline.pipeline.tables.queries import events, implied_by_move

_AT_ONCE: Final = 500


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


def moves_of(
    connection: Connection, keys: Collection[str] | None = None
) -> dict[str, list[StageMove]]:
    """Returns the moves of some deals (None: of all), the oldest first, by their keys."""
    found: dict[str, list[StageMove]] = {}
    query = select(STAGE_MOVES).order_by(STAGE_MOVES.c.id)
    queries = (
        [query]
        if keys is None
        else [query.where(STAGE_MOVES.c.deal_key.in_(chunk)) for chunk in _chunks(sorted(keys))]
    )
    for each in queries:
        for row in connection.execute(each):
            move = row_to_move(row)
            found.setdefault(move.deal_key, []).append(move)
    return found


def _chunks(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    for begin in range(0, len(keys), _AT_ONCE):
        yield keys[begin : begin + _AT_ONCE]
