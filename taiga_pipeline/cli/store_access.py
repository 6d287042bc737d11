"""Opening the built-in store for the length of a command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from taiga_pipeline.cli.context import Context

if TYPE_CHECKING:
    from taiga_pipeline.people.store import PeopleStore
    from taiga_pipeline.pipeline.store import DealStore

_NAMES: Final = ("PIPELINE_SYNC_USER", "USER", "LOGNAME", "USERNAME")


@contextmanager
def deal_store(context: Context, *, create: bool = False) -> Iterator[DealStore]:
    """Opens the deals, and closes them again."""
    store = context.open_deal_store(create=create)
    try:
        yield store
    finally:
        store.close()


@contextmanager
def people_store(context: Context, *, create: bool = False) -> Iterator[PeopleStore]:
    """Opens the roster, and closes it again."""
    store = context.open_people_store(create=create)
    try:
        yield store
    finally:
        store.close()


def who(context: Context) -> str:
    """Returns who runs the command, for the history: the name of the account, "" if unknown."""
    return next((name for each in _NAMES if (name := context.environment.get(each, ""))), "")
