"""Taking the server of the configuration for the one that the state belongs to.

Nothing is written on any server; the next run does what follows.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from sync.run import server_move
from taiga_pipeline.app.engine import make_target
from taiga_pipeline.app.sync.locked_state import locked_state
from taiga_pipeline.app.workspace import Workspace

if TYPE_CHECKING:
    from sync.run.server_move import Evidence, Restored
    from sync.state.store import StateStore
    from sync.target import Target


def keep_server(workspace: Workspace) -> Evidence:
    """Takes it for the same server, under a new address or with another account.

    :raises Refused: its projects say that it is another one.
    :raises Locked: a run is at work.
    """
    with _connected(workspace) as (store, target):
        return server_move.same_server(store, target, workspace.make_deal_source())


def take_new_server(workspace: Workspace) -> int:
    """Takes it for another server: lets go of the old projects, and returns how many these are.

    :raises Locked: a run is at work.
    """
    with _connected(workspace) as (store, target):
        return server_move.new_server(store, target, workspace.make_deal_source())


def bring_back(workspace: Workspace, backup_at: datetime | None = None) -> Restored:
    """Takes it for the same server, restored from a backup that was made at that time (UTC).

    :raises Refused: its projects say that it is another one.
    :raises Locked: a run is at work.
    """
    with _connected(workspace) as (store, target):
        return server_move.restored(store, target, workspace.make_deal_source(), backup_at)


@contextmanager
def _connected(workspace: Workspace) -> Iterator[tuple[StateStore, Target]]:
    with locked_state(workspace) as store:
        target = make_target(workspace)
        target.connect()
        yield store, target
