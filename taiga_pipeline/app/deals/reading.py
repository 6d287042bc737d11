"""All deals of any source, read once as long as nobody writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taiga_pipeline.app.store_access import deal_store
from taiga_pipeline.app.workspace import Workspace

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
    with deal_store(workspace) as store:
        return tuple(store.deals())
