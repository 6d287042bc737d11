"""The state store of a workspace, opened for a look. `sync.locked_state` opens it for changes.

Plans and reports look, and need nothing of what a run needs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.pipeline.delivery import delivery_facts, summed_up, understood
from taiga_pipeline.records import PHASE_MARK, is_phase_key

if TYPE_CHECKING:
    from sync.state.store import StateStore
    from taiga_pipeline.pipeline.model import DeliveryFacts


@contextmanager
def state_to_read(workspace: Workspace, *, is_there: bool | None = None) -> Iterator[StateStore]:
    """Opens the state store for a look, and changes nothing in it, not even an older format.

    Where there is none, it is an empty one that leaves no trace. ``is_there`` tells so where that
    is known.
    """
    # Not loaded where nothing was synced yet, or nothing of it is asked for.
    from sync.state.store import StateStore

    has_state = workspace.has_state() if is_there is None else is_there
    url = workspace.state_url if has_state else "sqlite://"
    store = StateStore(url, workspace.settings.pipeline, workspace.clock, changes=not has_state)
    try:
        yield store
    finally:
        store.close()


def has_project(workspace: Workspace, key: str) -> bool:
    """Whether a deal has a project of its own."""
    with state_to_read(workspace) as store:
        return key in store.index()


def facts_of(workspace: Workspace, key: str) -> DeliveryFacts | None:
    """Returns what became of a deal, None if nothing was synced for it yet."""
    with state_to_read(workspace) as store:
        return facts_in(store, key)


def facts_in(store: StateStore, key: str) -> DeliveryFacts | None:
    """Returns what became of a deal, in all its projects, by a state store; see `facts_of`."""
    index = store.index()
    phases = [each for each in store.keys_below(f"{key}{PHASE_MARK}") if each in index]
    followed = [each for each in phases if not index[each].unlinked]
    keys = [*(each for each in (key,) if each in index), *followed]
    found = [delivery_facts(each, *store.facts(each), index[each].state) for each in keys]
    return next(summed_up(found, lambda each: key), None)


def facts_by_project(store: StateStore) -> dict[str, Mapping[str, object]]:
    """Returns what delivery reported, by the projects' keys; not of phases that were unlinked."""
    index = store.index()
    return {
        key: understood(facts)
        for key, (facts, _) in store.all_facts().items()
        if not (is_phase_key(key) and index[key].unlinked)
    }
