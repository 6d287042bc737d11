"""What people did on the cards of the board, and whether a run has taken all of it up."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from sync.plan.model import GroupPlan
from taiga_pipeline.records import Kind

if TYPE_CHECKING:
    from taiga_pipeline.pipeline.model import StageMove


class CardEvent(StrEnum):
    """What people did on a card."""

    NEW = "new"
    EDITED = "edited"
    DONE = "done"
    UNDONE = "undone"
    NOTED = "noted"
    MOVED = "moved"


@dataclass(frozen=True, slots=True)
class CardChange:
    """Something that people did on a card, and what became of it.

    ``deal`` is the deal's key, "" for a card of which none was made. ``field`` is the deal's field,
    ``text`` what is there now: the value, the task, the comment, the column. ``by`` is who did it,
    "" if unknown. ``move`` is the move of a deal. ``error`` says why the deal could not follow.
    """

    event: CardEvent
    deal: str
    tool: str
    field: str = ""
    text: str = ""
    by: str = ""
    move: StageMove | None = None
    error: Exception | None = None

    @property
    def goes_back(self) -> bool:
        """Whether the card is set back in the next run."""
        return self.error is not None and self.event is not CardEvent.NEW


def seen_on(group: GroupPlan) -> frozenset[tuple[str, ...]]:
    """Returns what there was to take up on a board, each thing once."""
    kept = {
        (str(key), change.field, str(change.observed))
        for key, change in group.kept
        if key.kind in (Kind.STORY, Kind.TASK)
    }
    cards = [child for child in group.children if child.kind == Kind.STORY]
    new = {
        ("new", card.id, card.change_token)
        for card in cards
        if not card.identity and not card.group
    }
    talk = {
        ("comments", card.id, str(card.facts["comments"]))
        for card in cards
        if card.facts.get("comments")
    }
    return frozenset(kept | new | talk)
