"""Deals from and to CSV files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from taiga_pipeline.app.deals.funnel import funnel_of
from taiga_pipeline.app.store_access import deal_store
from taiga_pipeline.app.workspace import Workspace

if TYPE_CHECKING:
    from taiga_pipeline.pipeline.importing.csv_import import ImportReport
    from taiga_pipeline.pipeline.importing.options import ImportOptions


def import_deals(workspace: Workspace, file: Path, options: ImportOptions) -> ImportReport:
    """Imports deals from a CSV file, by the stages and gates of the mappings.

    ``options.by`` says who does it. With ``options.dry_run`` nothing is stored: the report is a
    preview.

    :raises ProblemsError: an option is wrong for the file, or a mapping has problems.
    :raises Unreachable: the file or the store cannot be used.
    """
    from taiga_pipeline.pipeline.importing.csv_import import import_deals as run_import

    funnel = funnel_of(workspace)
    with deal_store(workspace, create=not options.dry_run) as store:
        return run_import(store, file, replace(options, fields=workspace.fields), funnel)


def export_deals(workspace: Workspace, stream: TextIO) -> int:
    """Writes all deals as CSV, which an import reads back without loss; returns how many.

    ``stream`` is open for text, with ``newline=""``.
    """
    from taiga_pipeline.pipeline.files.csv_export import export_deals as write

    with deal_store(workspace) as store:
        return write(store.versions(), stream, workspace.fields)
