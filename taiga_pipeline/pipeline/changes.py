"""What changed in a deal: every field, whole, and what it held before."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import datetime
from typing import Final

from taiga_pipeline.pipeline.columns import deal_cells, format_cell
from taiga_pipeline.pipeline.model import Deal, FieldChange

UNRECORDED: Final = frozenset({"key", "updated_at"})
"""A key never changes, and when a deal was updated last is what the record itself tells."""

RECORDED_FIELDS: Final = tuple(field.name for field in fields(Deal) if field.name not in UNRECORDED)


def changes_between(before: Deal, after: Deal, at: datetime, by: str) -> list[FieldChange]:
    """Returns the changes of all fields, made at a time by somebody."""
    return [
        FieldChange(
            deal_key=after.key,
            field=field,
            before=format_cell(field, getattr(before, field)),
            after=format_cell(field, getattr(after, field)),
            at=at,
            by=by,
        )
        for field in RECORDED_FIELDS
        if getattr(before, field) != getattr(after, field)
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


def fingerprint(cells: Mapping[str, str]) -> str:
    """Returns a short text that is another one as soon as any recorded field is another one."""
    held = [cells["key"], *(cells[field] for field in RECORDED_FIELDS)]
    return hashlib.sha256(json.dumps(held).encode()).hexdigest()[:12]
