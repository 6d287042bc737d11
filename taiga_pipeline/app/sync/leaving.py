"""Letting go of deals' projects, with or without what was written into them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sync.errors import NotLinked, Rejected, Stale, Vanished
from sync.run import manual_actions
from sync.run.leaving import Leaving, leave, plan_leaving
from taiga_pipeline.app.sync.deciding import as_usage_error, connected, find_project
from taiga_pipeline.app.sync.locked_state import locked_state
from taiga_pipeline.app.sync.traces import traces_of
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.problems import did_you_mean
from taiga_pipeline.records import PHASE_MARK
from taiga_pipeline.report.ways_out import in_words

if TYPE_CHECKING:
    from sync.state.store import StateStore
    from sync.target import Target


@dataclass(frozen=True, slots=True)
class UnlinkedDeal:
    """A deal that was unlinked, or would be.

    ``leaving`` is what was taken out of its project, None where that stays as it is. ``problem``
    says why it could not be unlinked, "" if it could.
    """

    deal: str
    leaving: Leaving | None = None
    problem: str = ""


def unlink_deals(
    workspace: Workspace, deal: str | None, *, clean: bool = False, dry_run: bool = False
) -> Iterator[UnlinkedDeal]:
    """Stops following a deal, or all (None). Yields each once it is done, under the run lock.

    ``clean`` takes out of the projects what was written into them. One that cannot be unlinked is
    said to be so, and the others are done. With ``dry_run`` nothing is done.

    :raises ProblemsError: the deal has no project.
    :raises Locked: a run is at work.
    """
    with locked_state(workspace) as store:
        near = did_you_mean(deal, store.index()) if deal else ""
        target = connected(workspace, store)
        if deal is None:
            deals = _linked(store, clean=clean)
        else:
            with as_usage_error(near):
                _demand_linked(store, deal)
            deals = [deal, *_phases_of(store, deal)]
        for each in deals:
            yield _try(store, target, each, clean=clean, dry_run=dry_run)


def _linked(store: StateStore, *, clean: bool) -> list[str]:
    """Returns the deals that can be unlinked; ``clean``: also unlinked ones."""
    rows = store.index()
    return sorted(key for key, row in rows.items() if row.root_id and (clean or not row.unlinked))


def _phases_of(store: StateStore, deal: str) -> list[str]:
    """Returns the projects of a deal's phases that are kept in step, its own aside."""
    rows = store.index()
    return sorted(key for key in store.keys_below(f"{deal}{PHASE_MARK}") if rows[key].is_followed)


def _demand_linked(store: StateStore, deal: str) -> None:
    row = store.index().get(deal)
    if row is None or not row.root_id:
        raise NotLinked(deal)


def _try(
    store: StateStore, target: Target, deal: str, *, clean: bool, dry_run: bool
) -> UnlinkedDeal:
    try:
        if clean:
            act: Callable[..., Leaving] = plan_leaving if dry_run else leave
            return UnlinkedDeal(deal, act(store, target, deal, traces_of(deal)))
        if not dry_run:
            manual_actions.unlink(store, target, deal)
        return UnlinkedDeal(deal)
    except (Rejected, Stale, Vanished) as error:
        return UnlinkedDeal(deal, problem=in_words(error))


def disown_copy(workspace: Workspace, deal: str, project: str) -> None:
    """Takes a deal's marker off a copy of its project.

    :raises ProblemsError: there is no such project, or it is the deal's own.
    :raises Locked: a run is at work.
    """
    with locked_state(workspace) as store:
        near = did_you_mean(deal, store.index())
        target = connected(workspace, store)
        with as_usage_error(near):
            manual_actions.disown(store, target, deal, find_project(target, project))
