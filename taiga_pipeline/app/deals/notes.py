"""Notes on deals: a log to which every surface adds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from taiga_pipeline.app.store_access import deal_store
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.pipeline.model import Deal, Note


@dataclass(frozen=True, slots=True)
class Noted:
    """A deal after a note. ``is_new`` is False where its log held one of the same origin."""

    deal: Deal
    note: Note
    is_new: bool


def add_note(
    workspace: Workspace,
    key: str,
    text: str,
    *,
    by: str,
    at: datetime | None = None,
    origin: str = "",
) -> Noted:
    """Adds a note to a deal's log.

    ``at`` (UTC) is when it was written, None for now. ``origin`` names what it is taken over from,
    such as a comment on a card: a log holds one note of each.

    :raises UnknownDeal: there is no such deal.
    :raises InvalidValue: there is no text, or more than can be kept.
    """
    note = Note(text, at, by, origin)
    with deal_store(workspace) as store:
        return Noted(*store.add_note(key, note))


def notes_of(workspace: Workspace, key: str, *, limit: int | None = None) -> Sequence[Note]:
    """Returns the notes of a deal, the newest first, at most ``limit``.

    :raises UnknownDeal: there is no such deal.
    """
    with deal_store(workspace) as store:
        return store.get(key).notes[:limit]
