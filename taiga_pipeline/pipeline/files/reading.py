"""A file with rows of a table, whatever kind it is: CSV, or a sheet of a workbook.

What it is, is decided by its content.
"""

from __future__ import annotations

from pathlib import Path

from sync.errors import Unreachable
from taiga_pipeline.pipeline.files.csv_reader import CsvText, IsKnown, parse_csv
from taiga_pipeline.pipeline.files.workbook import SheetTable, is_workbook, read_workbook
from taiga_pipeline.problems import Problem, ProblemsError

TableFile = CsvText | SheetTable
"""Both have ``name``, ``headers``, ``first_line``, ``notes``, ``is_whole`` and ``rows``."""


def read_table(  # noqa: PLR0913 - what people may say about a file
    path: Path,
    *,
    encoding: str = "",
    delimiter: str = "",
    sheet: str = "",
    sheet_option: str = "--sheet {name}",
    is_known: IsKnown = lambda header: False,
) -> TableFile:
    """Reads a file with a header line.

    ``encoding`` and ``delimiter`` are of CSV files (`csv_reader.parse_csv`), ``sheet`` is of
    workbooks (`workbook.read_workbook`); ``sheet_option`` is how its choice is written.

    :raises Unreachable: the file cannot be read.
    :raises ProblemsError: it cannot be decoded, has no header, or is a workbook that does not say
        which sheet is meant.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise Unreachable(f"{path} cannot be read: {error.strerror or error}") from error
    if is_workbook(data):
        return read_workbook(data, str(path), sheet=sheet, option=sheet_option, is_known=is_known)
    if sheet:
        shown = sheet_option.format(name=sheet)
        raise ProblemsError([Problem(f"{shown}: this is not a workbook with sheets", str(path))])
    return parse_csv(data, str(path), encoding=encoding, delimiter=delimiter, is_known=is_known)
