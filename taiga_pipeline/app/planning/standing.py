"""What plans and forecasts of a pipeline are made from, as one mark that is cheap to ask for."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from taiga_pipeline.app.memory import files_mark
from taiga_pipeline.app.state_access import state_to_read
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.pipeline.tables.standing import store_standing

_SECONDS: Final = 120.0
"""So long is believed what was read from a place that does not tell whether it changed."""


SAID: Final = ("notes", "next_step", "next_step_on", "next_step_by")
"""Fields that people write in all the time, and that no plan or forecast is made from."""


def plan_standing(workspace: Workspace) -> object:
    """Returns what is equal as long as plans and forecasts come out the same: that of
    `standing_of`, whatever sales say and do next.

    :raises Unreachable: the store cannot be used.
    """
    return standing_of(workspace, but=SAID)


def standing_of(workspace: Workspace, *, but: Collection[str] = ()) -> object:
    """Returns what is equal as long as nothing changed that a page shows: deals (but for fields
    ``but``), people, mappings, settings, what delivery reported, the day. None if nothing tells
    yet.

    Of deals that are read from elsewhere it is another one every two minutes.

    :raises Unreachable: the store cannot be used.
    """
    settings = workspace.settings
    if workspace.has_store:
        held: object = store_standing(settings.source.address(workspace.environment), but=but)
    else:
        held = int(workspace.clock.monotonic() / _SECONDS)
    files = files_mark([workspace.config_path, *sorted(settings.sync.mappings.glob("*.toml"))])
    return files and (workspace.today, held, _last_run(workspace), files)


def _last_run(workspace: Workspace) -> object:
    if not workspace.has_state():
        return None
    with state_to_read(workspace) as store:
        return [(run.id, run.outcome) for run in store.runs(limit=1)]
