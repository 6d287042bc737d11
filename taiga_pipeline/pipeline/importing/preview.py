"""What a row of an import would change, before anything is stored: for a person to look at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from taiga_pipeline.pipeline.batch import Outcome
from taiga_pipeline.pipeline.changes import changes_between
from taiga_pipeline.pipeline.columns import deal_cells
from taiga_pipeline.pipeline.model import Deal

_KEPT_BY_ITSELF: Final = ("key", "updated_at", "stage_since")
"""Fields that are not among the changes: what is told of them is told by the others."""


@dataclass(frozen=True, slots=True)
class RowPreview:
    """What a row would do to its deal. ``changes`` are field, text before and text after; of a new
    deal, all that it holds."""

    line: int
    key: str
    name: str
    outcome: Outcome
    changes: tuple[tuple[str, str, str], ...] = ()


def row_preview(line: int, before: Deal | None, after: Deal, now: datetime) -> RowPreview:
    """Returns what a row would do that makes ``after`` of ``before`` (None: a new deal)."""
    if before is None:
        cells = deal_cells(after)
        shown = ((name, text) for name, text in cells.items() if name not in _KEPT_BY_ITSELF)
        filled = tuple((name, "", text) for name, text in shown if text)
        return RowPreview(line, after.key, after.name, Outcome.ADDED, filled)
    changes = tuple(
        (each.field, each.before, each.after)
        for each in changes_between(before, after, now, "")
        if each.field not in _KEPT_BY_ITSELF
    )
    outcome = Outcome.UNCHANGED if before == after else Outcome.CHANGED
    return RowPreview(line, after.key, after.name, outcome, changes)
