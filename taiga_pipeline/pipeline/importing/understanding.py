"""What an import understood of a file, before it stores anything: for a person to look at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from taiga_pipeline.pipeline.importing.options import Funnel, Layout
from taiga_pipeline.pipeline.importing.readings import Readings
from taiga_pipeline.pipeline.importing.rows import Draft

SAMPLES: Final = 3
"""Rows that are shown."""


@dataclass(frozen=True, slots=True)
class UnderstoodColumn:
    """A field, the file's header for it ("" for one that is made of others), by which evidence it
    is read as it is ("" where nothing had to be decided), and its values in the sample rows."""

    field: str
    header: str
    decided: str
    samples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UnderstoodStage:
    """A stage, how many rows are in it, and whether the mapping knows it."""

    name: str
    rows: int
    is_known: bool


@dataclass(frozen=True, slots=True)
class Understanding:
    """What was understood of a file. ``kind`` says what it is; ``kept`` are options that earlier
    imports of the origin were given. ``lines`` are those of the sample rows. ``is_first`` says that
    nothing was ever imported from the origin."""

    origin: str
    kind: str
    rows: int
    bad_rows: int
    lines: tuple[int, ...]
    columns: tuple[UnderstoodColumn, ...]
    stages: tuple[UnderstoodStage, ...]
    unused_headers: tuple[str, ...]
    kept: tuple[str, ...]
    is_first: bool


def understood_columns(
    layout: Layout, readings: Readings, drafts: Sequence[Draft]
) -> tuple[UnderstoodColumn, ...]:
    """Returns the columns with the values of the first rows; fields made of others come last."""
    cells = [draft.cells() for draft in drafts[:SAMPLES]]
    decided = readings.decisions()
    names = dict.fromkeys(
        [*layout.columns, *(name for each in cells for name in each if each[name])]
    )
    return tuple(
        UnderstoodColumn(
            name,
            layout.header_of(name) if name in layout.columns else "",
            decided.get(name, ""),
            tuple(each.get(name, "") for each in cells),
        )
        for name in names
    )


def understood_stages(drafts: Sequence[Draft], funnel: Funnel) -> tuple[UnderstoodStage, ...]:
    """Returns the stages of the rows, the most frequent first."""
    counts = Counter(
        str(draft.values.get("stage") or draft.weak.get("stage") or "") for draft in drafts
    )
    return tuple(
        UnderstoodStage(name, count, funnel.is_known(name))
        for name, count in counts.most_common()
        if name
    )
