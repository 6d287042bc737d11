"""Deals as a CSV file in the pipeline's own format."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from typing import TextIO

from taiga_pipeline.pipeline.columns import COLUMNS, LIST_COLUMNS, TEXT_COLUMNS, deal_cells
from taiga_pipeline.pipeline.csv_reader import guard
from taiga_pipeline.pipeline.model import Deal

_GUARDED = frozenset((*TEXT_COLUMNS, *LIST_COLUMNS))


def export_deals(deals: Iterable[Deal], stream: TextIO) -> int:
    """Writes deals with all columns and a header; returns how many.

    Text that a spreadsheet would take for a formula gets an apostrophe in front, which an import
    takes away again. ``stream`` is open for text, with ``newline=""``.
    """
    writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
    writer.writeheader()
    count = 0
    for deal in deals:
        cells = deal_cells(deal)
        writer.writerow({f: guard(text) if f in _GUARDED else text for f, text in cells.items()})
        count += 1
    return count
