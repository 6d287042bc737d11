"""Follow-ups: what waits for somebody today, and what is odd about deals."""

from __future__ import annotations

from starlette.responses import Response

from taiga_pipeline.app.deals.listing import Selection, SortBy, list_deals
from taiga_pipeline.pipeline.follow_ups import FollowUp
from taiga_pipeline.web.pages import Section, get
from taiga_pipeline.web.visit import Visit


def show(visit: Visit) -> Response:
    """Shows what waits, the most urgent first."""
    is_mine = visit.query.text("who") == "mine"
    selection = Selection(
        owner=visit.person.known_as if is_mine else "",
        follow_ups=tuple(FollowUp),
        sort=SortBy.FOLLOW_UP,
        scored=False,
    )
    listing = list_deals(visit.workspace, selection)
    return visit.show("follow_ups.html.j2", listing=listing, is_mine=is_mine)


FOLLOW_UPS = Section("Follow-ups", "/follow-ups", (get("/follow-ups", show),))
