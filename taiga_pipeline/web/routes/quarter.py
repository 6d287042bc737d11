"""The quarter: won so far, what its rest may bring, against its goal; by team and service."""

from __future__ import annotations

from starlette.responses import Response

from taiga_pipeline.app.planning.quarter import quarter_of
from taiga_pipeline.web.pages import Section, get
from taiga_pipeline.web.visit import Visit


def show(visit: Visit) -> Response:
    """Shows a quarter."""
    return visit.show("quarter.html.j2", quarter=quarter_of(visit.workspace, visit.query.text("q")))


QUARTER = Section("Quarter", "/quarter", (get("/quarter", show),))
