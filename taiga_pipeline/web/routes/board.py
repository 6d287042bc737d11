"""The board: the stages of the funnel as columns, deals as cards."""

from __future__ import annotations

from starlette.responses import Response

from taiga_pipeline.app.deals.listing import Selection, list_deals
from taiga_pipeline.web.pages import Section, get
from taiga_pipeline.web.visit import Visit


def show(visit: Visit) -> Response:
    """Shows the board."""
    listing = list_deals(visit.workspace, Selection(scored=False))
    return visit.show("board.html.j2", listing=listing)


BOARD = Section("Board", "/", (get("/", show),))
