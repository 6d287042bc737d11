"""The pages of one or several pipelines as an ASGI application."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount
from starlette.routing import Route as Address
from starlette.staticfiles import StaticFiles

from taiga_pipeline.web.access.feeds import feeds
from taiga_pipeline.web.access.log_in import ways_in
from taiga_pipeline.web.access.protection import Protection
from taiga_pipeline.web.endpoint import NOT_FOUND, endpoint

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from taiga_pipeline.web.site import Site

STATIC: Final = Path(__file__).parent / "static"


def application(site: Site) -> ASGIApp:
    """Returns the pages of a site."""
    first, *others = site.pipelines
    routes: list[BaseRoute] = [Mount("/static", StaticFiles(directory=STATIC), name="static")]
    routes += (Mount(f"/pipelines/{name}", routes=list(_addresses(site, name))) for name in others)
    routes += _addresses(site, first)
    pages = Starlette(routes=[Mount(site.base, routes=routes)] if site.base else routes)
    return Protection(pages, site.door, site.hosts)


def _addresses(site: Site, pipeline: str) -> Iterator[BaseRoute]:
    pages = (each for section in site.sections for each in section.routes)
    for each in (*ways_in(site.door, site.sessions), *feeds(site.door, site.sessions), *pages):
        yield Address(each.path, endpoint(site, pipeline, each), methods=[each.method])
    yield Address("/{rest:path}", endpoint(site, pipeline, NOT_FOUND), methods=["GET"])
