"""Who works on which deal, over all deals."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from taiga_pipeline.app.deals.booking import Booker
from taiga_pipeline.app.deals.staffing import Staffing, won_among
from taiga_pipeline.app.pipeline_data import who_left
from taiga_pipeline.app.store_access import deal_store, people_store
from taiga_pipeline.app.workspace import Workspace

if TYPE_CHECKING:
    from taiga_pipeline.people.csv_files import RowsReport, Writing
    from taiga_pipeline.people.model import Allocation


def list_allocations(workspace: Workspace, *, deal: str = "", person: str = "") -> Staffing:
    """Returns allocations, only of a deal or a person if named.

    :raises UnknownDeal: nothing was found, and there is no such deal.
    :raises UnknownPerson: nothing was found, and no person has this address.
    """
    with people_store(workspace) as store:
        found = tuple(store.allocations(deal_key=deal, email=person))
        if person and not found:
            store.get(person)
    if deal and not found:
        with deal_store(workspace) as deals:
            deals.get(deal)
    won = won_among(workspace, (each.deal_key for each in found))
    return Staffing(found, who_left(workspace), won)


def import_allocations(
    workspace: Workspace, file: Path, writing: Writing, *, by: str = ""
) -> RowsReport:
    """Imports allocations from a CSV file (deal, email, role, hours_per_week, start, ...).

    Those without a status are settled as `Booker` does; unknown roles are reported by line.
    """
    from taiga_pipeline.people.csv_files import import_allocations as run_import

    with people_store(workspace, by=by) as store:
        booker = Booker(workspace, store)

        def settle(allocation: Allocation, says_status: bool) -> Allocation:
            return booker.settled(allocation, says_status=says_status)

        return run_import(store, file, writing, settle)


def export_allocations(workspace: Workspace, stream: TextIO) -> None:
    """Writes all allocations as CSV. ``stream`` is open for text, with ``newline=""``."""
    from taiga_pipeline.people.csv_files import ALLOCATIONS_FILE, write_file

    with people_store(workspace) as store:
        write_file(ALLOCATIONS_FILE, store.allocations(), stream)
