"""Addresses of one page of a tool, copied from a browser: the message names the one to write."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest

from sync.errors import SyncError, Unauthorised, Unreachable
from sync.target import Target
from taiga_pipeline.credentials import Secret
from taiga_pipeline.http.connection import Connection
from taiga_pipeline.http.shorter import shorter
from taiga_pipeline.sandbox.embedded import Sandbox
from taiga_pipeline.targets.registry import create
from tests.targets.kanboard.fake import TOKEN as KANBOARD_TOKEN
from tests.targets.kanboard.fake import URL as KANBOARD_URL
from tests.targets.kanboard.fake import FakeKanboard
from tests.targets.redmine.fake import KEY, URL, FakeRedmine
from tests.targets.support import ManualClock

Open = Callable[[str], Target]
PAGES = (
    "discover",
    "api",
    "projects/new-portal",
    "project/petra-new-portal/backlog",
    "login",
    "login?next=%2Fdiscover",
    "projects.json",
    "a/b/c/d/",
)


@pytest.fixture(scope="module")
def taiga_server() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture(params=["taiga", "taiga with a token", "redmine", "kanboard"])
def tool(request: pytest.FixtureRequest, taiga_server: Sandbox) -> Iterator[tuple[str, Open]]:
    """The address of a tool, and what makes a target out of an address."""
    clock = ManualClock()
    with ExitStack() as stack:
        if request.param == "redmine":
            fake = FakeRedmine(now=clock.now)
            stack.enter_context(fake.answer())
            url, connection = URL, Connection(URL, "acme", token=Secret(KEY))
        elif request.param == "kanboard":
            stack.enter_context(FakeKanboard(now=clock.now).answer())
            url = KANBOARD_URL
            connection = Connection(url, "acme", token=Secret(KANBOARD_TOKEN))
        else:
            url = taiga_server.url
            password = Secret(taiga_server.password)
            connection = Connection(url, "acme", username=taiga_server.username, password=password)
            if request.param != "taiga":
                connection = replace(connection, password=None, token=Secret("a:b"))
        kind = str(request.param).split()[0]

        def open_at(address: str) -> Target:
            return create(kind, replace(connection, url=address), clock)

        yield url, open_at


@pytest.mark.parametrize("page", PAGES)
def test_the_address_of_a_page_leads_to_that_of_the_tool(tool: tuple[str, Open], page: str) -> None:
    url, open_at = tool
    with pytest.raises(Unreachable) as caught:
        open_at(f"{url}/{page}").connect()
    assert f"answers at {url}: write that in target.url" in str(caught.value)


@pytest.mark.parametrize("page", ["api/v1", "api/v1/", "api/v1/projects"])
def test_an_address_of_the_api_is_understood_or_leads_to_that_of_the_tool(
    tool: tuple[str, Open], page: str
) -> None:
    url, open_at = tool
    try:
        open_at(f"{url}/{page}").connect()
    except Unauthorised:  # by the tool itself: the token is made up
        pass
    except SyncError as error:
        assert f"answers at {url}:" in str(error)


def test_nothing_is_suggested_where_no_shorter_address_is_the_tools(taiga_server: Sandbox) -> None:
    token = Connection(f"{taiga_server.url}/redmine/projects", "acme", token=Secret(KEY))
    with pytest.raises(SyncError) as caught:
        create("redmine", token, ManualClock()).connect()
    assert "answers at" not in str(caught.value)


def test_shorter_addresses_lose_one_part_after_the_other() -> None:
    assert list(shorter("https://tool.test/a/b//c/?x=1#y")) == [
        "https://tool.test/a/b",
        "https://tool.test/a",
        "https://tool.test",
    ]
    assert list(shorter("https://tool.test/")) == []
    assert len(list(shorter("https://tool.test" + "/a" * 500))) == 8
