"""Opening the built-in store for the length of a command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from taiga_pipeline.app.workspace import Workspace

if TYPE_CHECKING:
    from taiga_pipeline.people.store import PeopleStore
    from taiga_pipeline.pipeline.store import DealStore


@contextmanager
def deal_store(workspace: Workspace, *, create: bool = False) -> Iterator[DealStore]:
    """Opens the deals, and closes them again."""
    store = workspace.open_deal_store(create=create)
    try:
        yield store
    finally:
        store.close()


@contextmanager
def people_store(
    workspace: Workspace, *, by: str = "", create: bool = False
) -> Iterator[PeopleStore]:
    """Opens the roster for changes ``by`` someone, and closes it again."""
    store = workspace.open_people_store(by=by, create=create)
    try:
        yield store
    finally:
        store.close()
