"""Deals from and to files: CSV and workbooks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TextIO

from taiga_pipeline.app.deals.funnel import funnel_of
from taiga_pipeline.app.extras import need_extra
from taiga_pipeline.app.store_access import deal_store
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.pipeline.files.dialects import PLAIN, Dialect

if TYPE_CHECKING:
    from taiga_pipeline.pipeline.importing.csv_import import ImportReport, PreparedImport
    from taiga_pipeline.pipeline.importing.options import ImportOptions


def import_deals(workspace: Workspace, file: Path, options: ImportOptions) -> ImportReport:
    """Imports deals from a CSV file or a workbook, by the stages and gates of the mappings.

    ``options.by`` says who does it. With ``options.dry_run`` nothing is stored: the report is a
    preview.

    :raises ProblemsError: an option is wrong for the file, or a mapping has problems.
    :raises Unreachable: the file or the store cannot be used.
    """
    with reading_import(workspace, file, options) as prepared:
        return prepared.run()


@contextmanager
def reading_import(
    workspace: Workspace, file: Path, options: ImportOptions
) -> Iterator[PreparedImport]:
    """Reads a file for an import; what was understood may be looked at before it is run.

    Nobody waits meanwhile: the store is not locked.

    :raises ProblemsError: an option is wrong for the file, or a mapping has problems.
    :raises Unreachable: the file or the store cannot be used.
    """
    from taiga_pipeline.pipeline.importing.csv_import import prepare_import

    funnel = funnel_of(workspace)
    with deal_store(workspace, create=not options.dry_run) as store:
        yield prepare_import(store, file, replace(options, fields=workspace.fields), funnel)


def export_deals(workspace: Workspace, stream: TextIO, dialect: Dialect = PLAIN) -> int:
    """Writes all deals as CSV, which an import reads back without loss; returns how many.

    ``stream`` is open for text, with ``newline=""``. ``dialect`` says for whom it is written.
    """
    from taiga_pipeline.pipeline.files.csv_export import export_deals as write

    with deal_store(workspace) as store:
        return write(store.versions(), stream, workspace.fields, dialect)


def export_workbook(workspace: Workspace, stream: BinaryIO) -> int:
    """Writes all deals as an Excel workbook (.xlsx), as `export_deals` does; returns how many.

    :raises ProblemsError: the package for it is not installed, or a text does not fit into a cell.
    """
    need_extra("an Excel workbook", "spreadsheets", "openpyxl")
    from taiga_pipeline.pipeline.files.xlsx_export import export_workbook as write

    with deal_store(workspace) as store:
        return write(store.versions(), stream, workspace.fields)
