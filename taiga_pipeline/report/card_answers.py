"""What cards are answered when something on them becomes a deal, or must not be so."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from taiga_pipeline.language import text as _
from taiga_pipeline.language import translated
from taiga_pipeline.pipeline.errors import GateClosed, UnknownStage

_MOST: Final = 1_000


def new_deal(deal: str, doubts: Sequence[str]) -> str:
    """Returns the comment on a card of which a deal was made."""
    lines = [_("This card is the deal {deal} now.", deal=deal)]
    lines += [_("Not understood, and left out: {each}", each=translated(each)) for each in doubts]
    return _cut("\n".join(lines))


def not_a_deal(error: Exception) -> str:
    """Returns the comment on a card of which no deal can be made."""
    return _cut(_("This card is no deal yet: {error}", error=translated(str(error))))


def sent_back(error: Exception, field: str, text: str, tasks: Collection[str] = ()) -> str:
    """Returns the comment on a card that is set back, with the reason and what to do.

    ``tasks`` are the actions that the card has as tasks: those of its own column.
    """
    if isinstance(error, GateClosed):
        why = translated(str(error))
        if set(error.missing) <= set(tasks):
            return _cut(
                _(
                    "This card went back to its column: {error}. Close these tasks on "
                    "the card, then move it again.",
                    error=why,
                )
            )
        return _cut(
            _(
                "This card went back to its column: {error}. Move it one column at a time: each "
                "column has its tasks on the card. Close them, then move it on.",
                error=why,
            )
        )
    if isinstance(error, UnknownStage):
        return _cut(_("This card went back to its column: {error}.", error=translated(str(error))))
    what = field or _("the task")
    return _cut(
        _(
            "{what}: {text!r} was set back: {error}. Correct it here, or leave it.",
            what=what,
            text=text,
            error=translated(str(error)),
        )
    )


def _cut(text: str) -> str:
    return text if len(text) <= _MOST else f"{text[: _MOST - 1]}…"
