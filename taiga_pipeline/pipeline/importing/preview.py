"""What a row of an import would change, before anything is stored: for a person to look at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from taiga_pipeline.pipeline.batch import Outcome
from taiga_pipeline.pipeline.changes import changes_between
from taiga_pipeline.pipeline.columns import deal_cells
from taiga_pipeline.pipeline.model import Deal


@dataclass(frozen=True, slots=True)
class RowPreview:
    """What a row would do to its deal. ``outcome`` None: it would be left out, for ``reason``.

    ``changes`` are field, text before and text after; of a new deal, all that it holds.
    """

    line: int
    key: str
    name: str
    outcome: Outcome | None
    changes: tuple[tuple[str, str, str], ...] = ()
    reason: str = ""


def row_preview(line: int, before: Deal | None, after: Deal, now: datetime) -> RowPreview:
    """Returns what a row would do that makes ``after`` of ``before`` (None: a new deal)."""
    if before is None:
        cells = deal_cells(after)
        filled = tuple((name, "", text) for name, text in cells.items() if text and name != "key")
        return RowPreview(line, after.key, after.name, Outcome.ADDED, filled)
    changes = tuple(
        (each.field, each.before, each.after) for each in changes_between(before, after, now, "")
    )
    outcome = Outcome.UNCHANGED if before == after else Outcome.CHANGED
    return RowPreview(line, after.key, after.name, outcome, changes)
