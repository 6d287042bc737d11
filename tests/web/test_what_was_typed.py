"""What somebody typed is done once, and is not lost, whatever happened while they typed."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

import anyio
import pytest
from httpx2 import Response as Page
from starlette.responses import PlainTextResponse, Response

from taiga_pipeline.app.deals.editing import remove_deal, rename_deal
from taiga_pipeline.app.deals.looking import show_deal
from taiga_pipeline.app.store_access import deal_store
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.web.access.session import Session
from taiga_pipeline.web.repeated import Repeated
from tests.web.conftest import Browse, Browser, text_of

SAID = "Ruth asks for <b>three</b> references"


def mark_in(page: Page, before: str) -> str:
    """Returns what a form of a page is known by: the first one behind a text."""
    found = re.search(r'name="once" value="([^"]*)"', page.text[page.text.index(before) :])
    assert found
    return unescape(found[1])


def _new_deal(browser: Browser) -> tuple[str, dict[str, object]]:
    mark = mark_in(browser.get("/deal/new"), "<form")
    return "/deal/new", {"name": "Third", "once": mark}


def _note(browser: Browser) -> tuple[str, dict[str, object]]:
    mark = mark_in(browser.get("/deal?key=D-1"), "/deal/note")
    return "/deal/note", {"key": "D-1", "text": SAID, "once": mark}


def _step(browser: Browser) -> tuple[str, dict[str, object]]:
    mark = mark_in(browser.get("/follow-ups?who=all"), "/follow-ups/done")
    return "/follow-ups/done", {"key": "D-1", "step": "Call about the price", "once": mark}


@pytest.mark.parametrize("form", [_new_deal, _note, _step])
def test_a_form_that_is_sent_twice_is_done_once_and_answered_alike(
    browse: Browse,
    deals: Workspace,
    form: Callable[[Browser], tuple[str, dict[str, object]]],
) -> None:
    browser = browse("sell")
    path, filled = form(browser)
    first, second = (browser.post(path, **filled) for _ in range(2))
    assert (first.status_code, first.url) == (second.status_code, second.url)
    with deal_store(deals) as store:
        assert sum(1 for _ in store.deals()) == (3 if path == "/deal/new" else 2)
        assert len(store.get("D-1").notes) == (0 if path == "/deal/new" else 1)
    path, filled = form(browser) if path != "/follow-ups/done" else _note(browser)
    browser.post(path, **filled)
    with deal_store(deals) as store:
        assert sum(1 for _ in store.deals()) + len(store.get("D-1").notes) == 4, (
            "another form is another one"
        )


def test_a_form_that_was_refused_may_be_sent_again(browse: Browse, deals: Workspace) -> None:
    browser = browse("sell")
    path, filled = _new_deal(browser)
    assert browser.post(path, **{**filled, "name": " "}).status_code == 422
    assert browser.post(path, **filled).url.path == "/deal"


def test_a_form_that_arrives_while_the_first_is_under_way_waits_for_it() -> None:
    repeated, done = Repeated(), []

    async def work() -> tuple[PlainTextResponse, Session]:
        await anyio.lowlevel.checkpoint()
        done.append(1)
        return PlainTextResponse("done"), Session("sara", csrf="c")

    async def both() -> list[tuple[Response, Session]]:
        answers: list[tuple[Response, Session]] = []

        async def send() -> None:
            answers.append(await repeated.once(("form",), work))

        async with anyio.create_task_group() as group:
            group.start_soon(send)
            group.start_soon(send)
        return answers

    (first, session), (second, _) = anyio.run(both)
    assert (first.body, done, session.name) == (second.body, [1], "sara")
    first.set_cookie("pipeline_sync", "renewed")
    assert "set-cookie" in first.headers and "set-cookie" not in second.headers


def test_what_is_refused_by_the_store_is_said_on_the_form(browse: Browse, deals: Workspace) -> None:
    browser = browse("sell")
    for form, said in (
        ({"name": "Long", "customer": "c" * 1001}, "Customer: 1001 characters"),
        ({"name": "Sure", "probability": "150%"}, "Probability: 1.5 is not between 0 and 1"),
        ({"name": "Taken", "key": "D-1"}, "deal D-1 exists already"),
    ):
        answer = browser.post("/deal/new", **form)
        assert answer.status_code == 422 and said in text_of(answer)
        assert all(f'value="{text}"' in answer.text for text in form.values())
    version = show_deal(deals, "D-1").version
    answer = browser.post("/deal/edit", key="D-1", version=version, name="n" * 1001)
    assert answer.status_code == 422 and "Name: 1001 characters" in text_of(answer)


def test_a_page_of_before_a_deal_got_another_key_does_what_it_was_for(
    browse: Browse, deals: Workspace
) -> None:
    browser = browse("sell")
    version = show_deal(deals, "D-1").version
    rename_deal(deals, "D-1", "N-1", by="olle")
    answer = browser.post("/deal/edit", key="D-1", version=version, name="Bigger shop")
    assert answer.url.params.get("key") == "N-1", text_of(answer)
    assert "Changed: Name." in text_of(answer)
    browser.post("/deal/note", key="D-1", text=SAID)
    assert [each.text for each in show_deal(deals, "N-1").deal.notes] == [SAID]
    for path in ("/deal", "/deal/edit", "/move", "/follow-ups/next"):
        kept = browser.get(f"{path}?key=D-1&back=/")
        assert kept.status_code == 200 and kept.url.path == path
        assert dict(kept.url.params) == {"key": "N-1", "back": "/"}


def test_what_was_typed_about_a_deal_that_is_gone_is_shown(
    browse: Browse, deals: Workspace
) -> None:
    browser = browse("sell")
    browser.get("/deal?key=D-1")
    remove_deal(deals, "D-1", by="olle")
    answer = browser.post("/deal/note", key="D-1", text=SAID)
    page = text_of(answer)
    assert answer.status_code == 404 and "deal 'D-1' was removed" in page and SAID in page
    assert "<b>three" not in answer.text and browser.token not in page


def test_a_session_that_ends_while_somebody_types_loses_nothing(
    browse: Browse, deals: Workspace
) -> None:
    browser = browse("sell")
    browser.get("/deal?key=D-1")
    browser.client.cookies.clear()
    headers = {"Referer": "http://localhost/deal?key=D-1"}
    answer = browser.post("/deal/note", headers, key="D-1", text=SAID)
    assert answer.status_code == 401 and "Your session has ended." in text_of(answer)
    assert SAID in text_of(answer) and "/log-in?back=%2Fdeal%3Fkey%3DD-1" in answer.text
    assert not show_deal(deals, "D-1").deal.notes


def test_a_page_of_another_site_has_nothing_shown_here(browse: Browse, deals: Workspace) -> None:
    browser = browse("sell")
    browser.get("/")
    elsewhere = {"Sec-Fetch-Site": "cross-site", "Referer": "https://evil.example/deal"}
    assert SAID not in text_of(browser.post("/deal/note", elsewhere, key="D-1", text=SAID))
    browser.client.cookies.clear()
    answer = browser.post("/deal/note", elsewhere, key="D-1", text=SAID)
    assert answer.url.path == "/log-in" and SAID not in text_of(answer)
