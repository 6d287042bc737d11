"""All deals of any source, read once as long as nobody writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taiga_pipeline.app.store_access import deal_store
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.pipeline.tables.rereading import KnownDeals

if TYPE_CHECKING:
    from taiga_pipeline.pipeline.model import Deal


def all_deals(workspace: Workspace) -> tuple[Deal, ...]:
    """Returns all deals, in the order of their keys.

    :raises ProblemsError: what is wrong with the source's settings.
    :raises Unreachable: the source cannot be used.
    """
    if not workspace.has_store:
        deals = workspace.make_deal_source().read().deals
        return tuple(sorted(deals, key=lambda each: each.key))
    return workspace.remembered("deals", workspace.store_mark(), lambda: _stored(workspace))


def _stored(workspace: Workspace) -> tuple[Deal, ...]:
    """Returns the deals of the store; those that did not change are the same objects as before."""
    with deal_store(workspace) as store:
        if workspace.memory is None:
            return tuple(store.deals())
        place = workspace.settings.source.address(workspace.environment)
        return store.reread(workspace.remembered("known-deals", place, KnownDeals))
