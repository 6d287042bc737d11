"""Deals as rows of the store's tables, and back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import Row

from taiga_pipeline.days import known_day
from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.pipeline.fields.field import Kind
from taiga_pipeline.pipeline.fields.table import BUILT_IN
from taiga_pipeline.pipeline.model import Deal, FieldChange, Note, StageMove
from taiga_pipeline.pipeline.notation import (
    format_contacts,
    format_list,
    format_roles,
    parse_contacts,
    parse_list,
    parse_roles,
)
from taiga_pipeline.pipeline.text import folded

_WRITERS: Final[Mapping[Kind, Callable[[Any], str]]] = {
    Kind.CONTACTS: format_contacts,
    Kind.ROLES: format_roles,
    Kind.ACTIONS: lambda actions: format_list(sorted(actions)),
}
_READERS: Final[Mapping[Kind, Callable[[str], Any]]] = {
    Kind.CONTACTS: parse_contacts,
    Kind.ROLES: parse_roles,
    Kind.ACTIONS: lambda text: frozenset(parse_list(text)),
}
_PLAIN: Final = BUILT_IN.where(
    lambda field: field.kind not in _WRITERS and field.kind is not Kind.NOTES
)
"""The fields that are stored as they are; notes have a table of their own."""

_LISTS: Final = tuple(
    (field.name, _WRITERS[field.kind]) for field in BUILT_IN if field.kind in _WRITERS
)
_VALUES: Final = tuple(field.name for field in fields(Deal) if field.name not in ("notes", "own"))
"""The fields of a deal in their order, but for the two that are read in another way."""
# Notes come in between, and the user's own fields at the end.
_NOTES_AT: Final = [field.name for field in fields(Deal)].index("notes")
_DAYS_AT: Final = tuple(
    _VALUES.index(name) for name in BUILT_IN.where(lambda field: field.kind is Kind.DATE)
)
_LISTS_AT: Final = tuple(
    (_VALUES.index(field.name), _READERS[field.kind], field.empty)
    for field in BUILT_IN
    if field.kind in _READERS
)


def deal_to_row(deal: Deal) -> dict[str, Any]:
    """Returns the columns of a deal in its normal form."""
    row: dict[str, Any] = {name: getattr(deal, name) for name in _PLAIN}
    row["key_folded"] = folded(deal.key)
    row["stage_folded"] = folded(deal.stage)
    for name, write in _LISTS:
        row[name] = write(getattr(deal, name))
    row["own"] = json.dumps(deal.own, ensure_ascii=False, sort_keys=True) if deal.own else ""
    return row


def deal_reader(columns: Sequence[str]) -> Callable[[Row[Any], tuple[Note, ...]], Deal]:
    """Returns what makes a deal of a row with these columns, those of the table ``deals`` among
    them, and of its notes."""
    pick, own_at = itemgetter(*map(columns.index, _VALUES)), columns.index("own")

    def read_deal(row: Row[Any], notes: tuple[Note, ...]) -> Deal:
        values = list(pick(row))
        for at in _DAYS_AT:
            if values[at] is not None:
                values[at] = known_day(values[at])
        for at, read, empty in _LISTS_AT:
            values[at] = read(values[at]) if values[at] else empty
        values.insert(_NOTES_AT, notes)
        values.append(read_own_column(values[0], row[own_at]))
        return Deal(*values)

    return read_deal


def read_own_column(key: str, text: str) -> dict[str, str]:
    """Returns the fields of the user's own of a deal.

    :raises InvalidValue: someone wrote something else into the column.
    """
    if not text:
        return {}
    try:
        own = json.loads(text)
    except ValueError:
        own = None
    if isinstance(own, dict) and all(isinstance(each, str) for each in own.values()):
        return own
    raise InvalidValue(
        f"deal {key}: the column own of the table deals is not readable; empty it, or restore a "
        "backup"
    )


def note_to_row(key: str, note: Note) -> dict[str, Any]:
    """Returns the columns of a note, which has a time."""
    return {
        "deal_key": key,
        "at": note.at,
        "by": note.by,
        "text": note.text,
        "origin": note.origin or None,
    }


def row_to_note(row: Row[Any]) -> Note:
    """Returns the note of a row; times of notes are whole seconds, as they are written."""
    columns = row._mapping
    at: datetime = columns["at"]
    return Note(columns["text"], at.replace(microsecond=0), columns["by"], columns["origin"] or "")


def move_to_row(move: StageMove) -> dict[str, Any]:
    """Returns the columns of a stage move."""
    return {
        "deal_key": move.deal_key,
        "from_stage": move.from_stage,
        "to_stage": move.to_stage,
        "at": move.at,
        "by": move.by,
        "forced": json.dumps(move.forced, ensure_ascii=False),
    }


def row_to_move(row: Row[Any]) -> StageMove:
    """Returns the stage move of a row of the table ``stage_moves``."""
    columns: tuple[Any, ...] = tuple(row)  # by their places: there are many of them
    _, key, before, after, at, by, forced = columns
    skipped = () if forced == "[]" else tuple(json.loads(forced))  # nearly all are empty
    return StageMove(key, before, after, at, by, skipped)


def change_to_row(change: FieldChange) -> dict[str, Any]:
    """Returns the columns of a field change."""
    return {
        "deal_key": change.deal_key,
        "field": change.field,
        "before": change.before,
        "after": change.after,
        "at": change.at,
        "by": change.by,
    }


def row_to_change(row: Row[Any]) -> FieldChange:
    """Returns the field change of a row."""
    columns = row._mapping
    return FieldChange(
        deal_key=columns["deal_key"],
        field=columns["field"],
        before=columns["before"],
        after=columns["after"],
        at=columns["at"],
        by=columns["by"],
    )
