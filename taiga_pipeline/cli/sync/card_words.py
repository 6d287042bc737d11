"""What a terminal says of what people did on cards."""

from __future__ import annotations

from sync.plan.group_issues import shortened
from taiga_pipeline.app.card_changes import CardChange, CardEvent
from taiga_pipeline.cli.wording import words
from taiga_pipeline.language import text as _


def card_words(change: CardChange) -> str:
    """Returns what people did on a card, and what became of it."""
    by = _(" by {by}", by=change.by) if change.by else ""
    deal = change.deal or repr(change.text)
    if change.error is not None:
        then = _("; its card goes back") if change.goes_back else ""
        return _(
            "{deal}: {did} in {tool}{by}: {words}{then}",
            deal=deal,
            did=_did(change),
            tool=change.tool,
            by=by,
            words=words(change.error),
            then=then,
        )
    return _("{deal}: {did} in {tool}{by}", deal=deal, did=_did(change), tool=change.tool, by=by)


def _did(change: CardChange) -> str:
    event, text = change.event, shortened(change.text)
    field = change.field.replace("_", " ")
    if event is CardEvent.MOVED and change.move is not None:
        start = change.move.from_stage or _("no stage")
        return _(
            "{start} → {to_stage}, as its card was moved",
            start=start,
            to_stage=change.move.to_stage,
        )
    return {
        CardEvent.NEW: _("made of a card") if change.deal else _("a card becomes no deal"),
        CardEvent.EDITED: _(
            "{field} is {text} now, as its card was edited", field=field, text=text
        ),
        CardEvent.DONE: _("{text} checked off", text=text),
        CardEvent.UNDONE: _("{text} no longer checked off", text=text),
        CardEvent.NOTED: _("noted {text}", text=text),
        CardEvent.MOVED: _("its card was moved to {text}", text=text),
    }[event]
