"""Open pages learn that something changed, whoever changed it."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator
from typing import cast

import anyio
import pytest

from taiga_pipeline.app.deals.editing import edit_deal
from taiga_pipeline.app.serving import Served
from taiga_pipeline.app.sync.watching import Watch
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.web.routes import live
from tests.web.conftest import Browse, Clock


@pytest.fixture
def served(deals: Workspace, monkeypatch: pytest.MonkeyPatch) -> Served:
    monkeypatch.setattr(live, "LOOK", 0.0)
    settle(deals)
    found = Served.of(deals)
    found.watch = Watch(found._mark, iter(range(0, 1000, 2)).__next__)  # each look is due
    return found


def settle(deals: Workspace) -> None:
    """Makes files older: one that was written this very moment tells nothing yet."""
    for path in deals.config_path.parent.rglob("*"):
        os.utime(path, (1.0, 1.0))


async def take(
    served: Served, number: int, change: object = None, seen: str | None = None
) -> list[str]:
    """Returns the first events after a change was made."""
    seen = served.watch.seen() if seen is None else seen
    events = cast(AsyncIterator[str], live._events(served, seen))
    found = [await anext(events)]
    for _ in range(number):
        found.append(await anext(events))
        if callable(change):
            change()
            change = None
            await anyio.sleep(0.15)
    await events.aclose()  # type: ignore[attr-defined]
    return found


def test_a_change_by_anybody_is_told(served: Served, deals: Workspace) -> None:
    def change() -> None:
        edit_deal(deals, "D-1", {"owner": "Mia"}, by="mia")

    said = anyio.run(take, served, 2, change)
    assert said[0].startswith("retry:")
    assert "event: changed" in said[-1]
    assert served.listeners == 0


def test_a_change_before_a_page_listened_is_told_once(served: Served, deals: Workspace) -> None:
    seen = served.watch.seen()
    edit_deal(deals, "D-1", {"owner": "Mia"}, by="mia")
    settle(deals)
    told = anyio.run(take, served, 2, None, seen)
    assert told[1].startswith("event: changed\nid: ")
    known = told[1].split("id: ")[1].split("\n")[0]
    assert anyio.run(take, served, 1, None, known)[1] == told[2] == ": alive\n\n"


def test_a_page_says_as_of_when_it_is(browse: Browse, deals: Workspace) -> None:
    settle(deals)
    page = browse("read").get("/").text
    assert re.search(r'name="live"[^>]* data-seen="[0-9a-f]{16}"', page)


def test_a_quiet_pipeline_says_that_the_connection_is_alive(served: Served) -> None:
    assert anyio.run(take, served, 1)[-1] == ": alive\n\n"


def test_a_broken_configuration_ends_no_stream(served: Served) -> None:
    served.config.write_text("nonsense")
    assert anyio.run(take, served, 1)[-1] == ": alive\n\n"


def test_a_server_that_ends_lets_its_listeners_go(served: Served) -> None:
    async def listened() -> list[str]:
        served.ended.set()
        return [each async for each in live._events(served, "")]

    assert anyio.run(listened) == ["retry: 5000\n\n"]


def test_too_many_listeners_are_sent_away(browse: Browse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "MOST", 0)
    assert browse("read").get("/live").status_code == 204


def test_many_that_ask_at_once_look_once() -> None:
    looks: list[int] = []
    clock = Clock()
    watch = Watch(lambda: looks.append(1) or len(looks), clock.monotonic)  # type: ignore[func-returns-value]
    assert [watch.mark(), watch.mark()] == [1, 1]
    clock.seconds = 2.0
    assert watch.mark() == 2


def test_nothing_is_told_while_nothing_tells() -> None:
    marks = iter(["a", None, "b"])
    watch = Watch(lambda: next(marks), iter(range(0, 100, 5)).__next__)
    assert [watch.mark(), watch.mark(), watch.mark()] == ["a", "a", "b"]
