"""What a form was made from: who decides about something has to have seen what it is now.

A deal has versions of its own, by which edits of two people are merged field by field. Whatever
else a form replaces, removes or decides about goes by a mark of what its page showed.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from taiga_pipeline.language import marked
from taiga_pipeline.language import text as _
from taiga_pipeline.pipeline.errors import AlreadyThere

if TYPE_CHECKING:
    from taiga_pipeline.web.visit import Visit

_CHANGED = marked(
    "This was changed since your page was loaded. Nothing was done: load the page again, and look "
    "at what it is now."
)


class NotSeen(AlreadyThere):
    """Something is another thing than the page showed."""

    def __init__(self) -> None:
        super().__init__(_(_CHANGED))


def mark_of(*shown: object) -> str:
    """Returns a short text that is another one where something else is shown."""
    return sha256(repr(shown).encode("utf-8", "backslashreplace")).hexdigest()[:16]


def refuse_unseen(visit: Visit, *now: object) -> None:
    """Lets a form pass whose field ``seen`` is the mark of what there is now.

    :raises NotSeen: it is another one, or none.
    """
    if visit.form.text("seen") != mark_of(*now):
        raise NotSeen
