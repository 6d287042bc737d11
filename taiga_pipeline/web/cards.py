"""Cards of the board as they were drawn last: most of a board is the same from look to look."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from taiga_pipeline.web.templates import templates

if TYPE_CHECKING:
    from taiga_pipeline.app.deals.board import Card
    from taiga_pipeline.web.visit import Visit

MOST: Final = 6_000
"""So many cards are remembered, of about a kilobyte each, the last ones that were looked at."""


class CardsDrawn:
    """Remembers cards as people saw them last, each with what it was drawn from."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._drawn: OrderedDict[tuple[str, str, str, bool, str], tuple[Card, str]]
        self._drawn = OrderedDict()

    def draw(self, visit: Visit, here: str, card: Card) -> str:
        """Returns a card as a template drew it, a part of a page as it is; ``here`` is where its
        board stands."""
        may_move = visit.may("sell")
        place = (visit.language, visit.base, here, may_move, card.deal.key)
        known = self._drawn.get(place)
        if known is None or not _is_same(known[0], card):
            drawing: Any = templates().get_template("board_card.html.j2").module
            known = (card, drawing.draw(card, visit.url, here, may_move))
        with self._lock:
            self._drawn[place] = known
            self._drawn.move_to_end(place)
            while len(self._drawn) > MOST:
                self._drawn.popitem(last=False)
        return known[1]


def _is_same(drawn: Card, card: Card) -> bool:
    """Whether a card shows what another one showed; deals that did not change are one object."""
    return drawn.listed is card.listed and (
        (drawn.done, drawn.open, drawn.project, drawn.issues)
        == (card.done, card.open, card.project, card.issues)
    )
