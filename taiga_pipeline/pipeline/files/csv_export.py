"""Deals as a CSV file in the pipeline's own format."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from typing import TextIO

from taiga_pipeline.pipeline.columns import COLUMNS, TEXT_COLUMNS, deal_cells
from taiga_pipeline.pipeline.files.csv_reader import guard
from taiga_pipeline.pipeline.importing.readings import LIST_COLUMNS
from taiga_pipeline.pipeline.model import Deal
from taiga_pipeline.pipeline.versions import COLUMN, Version

_GUARDED = frozenset((*TEXT_COLUMNS, *LIST_COLUMNS))


def export_deals(deals: Iterable[tuple[Deal, Version]], stream: TextIO) -> int:
    """Writes deals with all columns, their versions and a header; returns how many.

    Text that a spreadsheet would take for a formula gets an apostrophe in front, which an import
    takes away again. ``stream`` is open for text, with ``newline=""``.
    """
    writer = csv.DictWriter(stream, (*COLUMNS, COLUMN), lineterminator="\n")
    writer.writeheader()
    count = 0
    for deal, version in deals:
        cells = deal_cells(deal)
        row = {f: guard(text) if f in _GUARDED else text for f, text in cells.items()}
        writer.writerow({**row, COLUMN: str(version)})
        count += 1
    return count
