"""The state store of a workspace, opened for changes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sync.run.runner import open_for_run
from sync.state.store import StateStore
from taiga_pipeline.app.workspace import Workspace


@contextmanager
def locked_state(workspace: Workspace) -> Iterator[StateStore]:
    """Opens the state store for changes, under the run lock.

    :raises Locked: a run is at work.
    """
    settings = workspace.settings
    with open_for_run(workspace.state_url, settings.pipeline, workspace.clock) as store:
        yield store
