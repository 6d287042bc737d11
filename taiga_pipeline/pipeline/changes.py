"""What changed in a deal: every field, whole, and what it held before."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import datetime
from typing import Final

from taiga_pipeline.pipeline.columns import deal_cells, format_cell
from taiga_pipeline.pipeline.fields.field import held
from taiga_pipeline.pipeline.fields.table import BUILT_IN
from taiga_pipeline.pipeline.model import Deal, FieldChange
from taiga_pipeline.pipeline.notes import BEFORE_THE_LOG

UNRECORDED: Final = frozenset({"key", "updated_at", "notes"})
"""A key never changes in place, notes are a log of their own, and when a deal was updated last is
what the record itself tells."""

RECORDED_FIELDS: Final = tuple(
    field.name for field in fields(Deal) if field.name in BUILT_IN and field.name not in UNRECORDED
)
_FIRST: Final = tuple(
    field.name
    for field in fields(Deal)
    if field.name in BUILT_IN
    and field.name not in ("key", "updated_at")
    and BUILT_IN[field.name].since == 1
)
"""What the first versions of deals were made of; all else counts where it holds something, so that
a file of before there were more fields is known still."""


def changes_between(before: Deal, after: Deal, at: datetime, by: str) -> list[FieldChange]:
    """Returns the changes of all fields, made at a time by someone."""
    own = sorted(before.own.keys() | after.own.keys()) if before.own != after.own else ()
    return [
        FieldChange(
            deal_key=after.key,
            field=name,
            before=format_cell(name, held(before, name)),
            after=format_cell(name, held(after, name)),
            at=at,
            by=by,
        )
        for name in (*RECORDED_FIELDS, *own)
        if held(before, name) != held(after, name)
    ]


def cells_before(deal: Deal, later: Iterable[FieldChange]) -> dict[str, str]:
    """Returns what the fields of a deal held before some changes, as text.

    ``later`` are all its changes since then, the oldest first.
    """
    cells = deal_cells(deal)
    since: dict[str, str] = {}
    for change in later:
        since.setdefault(change.field, change.before)
    return {**cells, **since}


def notes_before_the_log(deal: Deal, later: Iterable[FieldChange]) -> str:
    """Returns what the notes were when they were one text, before some changes of that time."""
    recorded = (change.before for change in later if change.field == "notes")
    taken_over = (note.text for note in deal.notes if note.origin == BEFORE_THE_LOG)
    return next(recorded, next(taken_over, ""))


def fingerprint(cells: Mapping[str, str], notes: str = "") -> str:
    """Returns a short text that is another one as soon as any recorded field is another one.

    ``notes`` are those of before they were a log: a file that was exported then is known still.
    """
    cells = {**cells, "notes": notes}
    more = sorted(cells.keys() - {*_FIRST, *UNRECORDED})
    text = [cells["key"], *(cells[field] for field in _FIRST)]
    text += [part for name in more if cells[name] for part in (name, cells[name])]
    return hashlib.sha256(json.dumps(text).encode()).hexdigest()[:12]
