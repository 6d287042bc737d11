"""Deals as a CSV file in the pipeline's own format, for programs or for a spreadsheet."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from typing import Final, TextIO

from taiga_pipeline.pipeline.columns import deal_cells
from taiga_pipeline.pipeline.fields.field import DealField, FieldTable
from taiga_pipeline.pipeline.fields.table import BUILT_IN
from taiga_pipeline.pipeline.files.csv_reader import guard
from taiga_pipeline.pipeline.files.dialects import PLAIN, Dialect
from taiga_pipeline.pipeline.model import Deal
from taiga_pipeline.pipeline.versions import COLUMN, Version

_FIGURE: Final = re.compile(r"-?[0-9.]+")


def export_deals(
    deals: Iterable[tuple[Deal, Version]],
    stream: TextIO,
    table: FieldTable = BUILT_IN,
    dialect: Dialect = PLAIN,
) -> int:
    """Writes deals with all columns, their versions and a header; returns how many.

    Text that a spreadsheet would take for a formula gets an apostrophe in front, which an import
    takes away again. ``stream`` is open for text, with ``newline=""``. Fields of the user's own
    stand after the others.
    """
    names = table.names
    stream.write(dialect.beginning)
    writer = csv.DictWriter(
        stream, (*names, COLUMN), lineterminator="\n", delimiter=dialect.delimiter
    )
    writer.writeheader()
    fields = tuple(table)
    count = 0
    for deal, version in deals:
        cells = deal_cells(deal)
        row = {name: cells.get(name, "") for name in names}
        row = {field.name: _written(field, row[field.name], dialect) for field in fields}
        writer.writerow({**row, COLUMN: str(version)})
        count += 1
    return count


def _written(field: DealField, text: str, dialect: Dialect) -> str:
    return dialect.cell(field, _guarded(field, text) if field.is_guarded else text)


def _guarded(field: DealField, text: str) -> str:
    """Returns text that no spreadsheet computes; a figure is one for it, with its sign."""
    return text if field.is_own and _FIGURE.fullmatch(text) else guard(text)
