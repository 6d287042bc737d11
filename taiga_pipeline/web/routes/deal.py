"""One deal: everything that is known of it, and every way to change it."""

from __future__ import annotations

from starlette.responses import Response

from taiga_pipeline.app.deals.looking import show_deal
from taiga_pipeline.web.pages import Section, get
from taiga_pipeline.web.visit import Visit


def show(visit: Visit) -> Response:
    """Shows a deal."""
    details = show_deal(visit.workspace, visit.query.text("key"))
    return visit.show("deal.html.j2", details=details, fields=visit.workspace.fields)


DEAL = Section("Deal", "", (get("/deal", show),))
