"""Which changes of a deal are kept for later: what slipped, and when."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from taiga_pipeline.pipeline.columns import format_cell
from taiga_pipeline.pipeline.model import Deal, FieldChange

RECORDED_FIELDS: Final = ("value", "currency", "probability", "expected_close", "start", "owner")


def changes_between(before: Deal, after: Deal, at: datetime, by: str) -> list[FieldChange]:
    """Returns the changes of the recorded fields, made at a time by somebody."""
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
