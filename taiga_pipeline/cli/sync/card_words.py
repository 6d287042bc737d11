"""What a terminal says of what people did on cards."""

from __future__ import annotations

from sync.plan.group_issues import shortened
from taiga_pipeline.app.cards import CardChange, CardEvent
from taiga_pipeline.cli.wording import words


def card_words(change: CardChange) -> str:
    """Returns what people did on a card, and what became of it."""
    by = f" by {change.by}" if change.by else ""
    deal = change.deal or repr(change.text)
    if change.error is not None:
        then = "; its card goes back" if change.goes_back else ""
        return f"{deal}: {_did(change)} in {change.tool}{by}: {words(change.error)}{then}"
    return f"{deal}: {_did(change)} in {change.tool}{by}"


def _did(change: CardChange) -> str:
    event, text = change.event, shortened(change.text)
    if event is CardEvent.MOVED and change.move is not None:
        start = change.move.from_stage or "no stage"
        return f"{start} → {change.move.to_stage}, as its card was moved"
    return {
        CardEvent.NEW: "made of a card" if change.deal else "a card becomes no deal",
        CardEvent.EDITED: f"{change.field} is {text} now, as its card was edited",
        CardEvent.DONE: f"{text} checked off",
        CardEvent.UNDONE: f"{text} no longer checked off",
        CardEvent.NOTED: f"noted {text}",
        CardEvent.MOVED: f"its card was moved to {text}",
    }[event]
