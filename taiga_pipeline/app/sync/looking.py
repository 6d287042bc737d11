"""How the sync is going, what waits for a person, and what happened."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from sync.errors import SyncError
from sync.run import server_identity
from sync.state.health import Health, look_at
from taiga_pipeline.app.state_access import state_to_read
from taiga_pipeline.app.store_access import deal_store, people_store
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.language import ENGLISH, use
from taiga_pipeline.records import PHASE_MARK
from taiga_pipeline.report.ways_out import in_words
from taiga_pipeline.sources.port import TellsHistory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sync.state.store import JournalEntry, OpenIssue, RunRow, StateStore
    from taiga_pipeline.pipeline.model import FieldChange, PlanningChange, StageMove

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for a person, and when that was looked at (UTC). ``tool`` is the target's name."""

    issues: tuple[OpenIssue, ...]
    now: datetime
    tool: str


@dataclass(frozen=True, slots=True)
class Past:
    """What happened: entries of the journal, moves and edits by sales, changes of people and plans,
    each the newest first."""

    written: tuple[JournalEntry, ...]
    moves: tuple[StageMove, ...] = ()
    changes: tuple[FieldChange, ...] = ()
    planning: tuple[PlanningChange, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing happened."""
        return not (self.written or self.moves or self.changes or self.planning)


@dataclass(frozen=True, slots=True)
class StateServer:
    """The server and account that the state was made with (None: no run noted them yet), and how
    many projects are kept in step."""

    pipeline: str
    server: server_identity.Identity | None
    projects: int


def sync_health(workspace: Workspace) -> Health:
    """Returns how the last run went, and what is open."""
    with state_to_read(workspace) as store:
        return look_at(store)


def waiting(workspace: Workspace) -> Waiting:
    """Returns everything that waits for a person."""
    tool = workspace.target_title
    with state_to_read(workspace) as store:
        return Waiting(tuple(store.issues()), store.now(), tool)


def recent_runs(workspace: Workspace, limit: int = 10) -> tuple[RunRow, ...]:
    """Returns the last runs, the newest first."""
    with state_to_read(workspace) as store:
        return tuple(store.runs(limit=limit))


def past_of(workspace: Workspace, deal: str | None = None, limit: int = 50) -> Past:
    """Returns what was done about a deal, or all (None): at most ``limit`` of each kind.

    What sales did is known where deals are read from keeps a record of it.

    :raises UnknownDeal: nothing happened, and the built-in store has no such deal.
    """
    with state_to_read(workspace) as store:
        written = tuple(_written(store, deal, limit))
    past = _with_sales(workspace, written, deal or "", limit)
    if deal and workspace.has_store and past.is_empty:
        with suppress(SyncError), deal_store(workspace) as deals:
            deals.get(deal)
    return past


def _written(store: StateStore, deal: str | None, limit: int) -> Sequence[JournalEntry]:
    """Returns what was written, of a deal in the projects of all its phases; the newest first."""
    found = store.history(deal, limit)
    for key in store.keys_below(f"{deal}{PHASE_MARK}") if deal else ():
        found = sorted([*found, *store.history(key, limit)], key=lambda e: e.id, reverse=True)
    return found[:limit]


def _with_sales(
    workspace: Workspace, written: tuple[JournalEntry, ...], deal: str, limit: int
) -> Past:
    if not workspace.source_capabilities.history:
        return Past(written)
    source = workspace.make_deal_source()
    if not isinstance(source, TellsHistory):
        return Past(written)
    try:
        with source.past(deal, newest=limit) as past:
            found = Past(written, tuple(past.moves), tuple(past.changes))
        return replace(found, planning=_planning(workspace, deal, limit))
    except SyncError as error:
        with use(ENGLISH):
            log.warning("what sales changed is not in this list: %s", in_words(error))
        return Past(written)


def _planning(workspace: Workspace, deal: str, limit: int) -> tuple[PlanningChange, ...]:
    if not workspace.has_store:
        return ()
    with people_store(workspace) as store:
        return tuple(store.history(limit, deal_key=deal))


def server_of(workspace: Workspace) -> StateServer:
    """Returns which server the state belongs to."""
    with state_to_read(workspace) as store:
        made_with = server_identity.noted(store)
        followed = sum(row.is_followed for row in store.index().values())
    return StateServer(workspace.settings.pipeline, made_with, followed)
