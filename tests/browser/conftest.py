"""A site on loopback, and browsers to look at it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import uvicorn

from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.web.access.door import Door
from taiga_pipeline.web.access.people import Person, Role
from taiga_pipeline.web.serving import bind, server_of
from tests.browser.chromium import Chromium
from tests.live.leaving_out import program
from tests.web.conftest import deals, site_of, workspace

__all__ = ["deals", "workspace"]

Open = Callable[..., Chromium]
"""Returns a browser of its own, in which somebody is logged in."""


@pytest.fixture
def site(deals: Workspace) -> Iterator[tuple[str, Door]]:
    """The address of a server of the small pipeline, and its door."""
    door = Door(local=Person("sara", Role.ADMIN, "Sara Ek"))
    served = site_of(deals, door)
    with bind("127.0.0.1", 0) as listening:
        server: uvicorn.Server = server_of(served)
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", door
        for each in served.pipelines.values():
            each.close()
        server.should_exit = True
        thread.join()


@pytest.fixture
def open_browser(site: tuple[str, Door], tmp_path: Path) -> Iterator[Open]:
    """Returns new browsers in which somebody is logged in."""
    address, door = site
    found = program("chromium", "chromium-browser")
    with ExitStack() as browsers:
        count = 0

        def opened() -> Chromium:
            nonlocal count
            count += 1
            profile = tmp_path / f"profile-{count}"
            browser = browsers.enter_context(Chromium(found, profile))
            browser.go(f"{address}/enter?token={door.link.token}")
            return browser

        yield opened
