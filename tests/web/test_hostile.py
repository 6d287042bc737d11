"""Text of strangers is text on every page, and comes back from every form as it was."""

from __future__ import annotations

import re
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any, Final
from urllib.parse import quote

import pytest

from taiga_pipeline.app.deals.editing import add_deal, edit_deal
from taiga_pipeline.app.deals.looking import show_deal
from taiga_pipeline.app.deals.notes import add_note
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.pipeline.model import Contact, RoleDemand
from taiga_pipeline.pipeline.text import line
from tests.reliability.hostile.corpus import STORABLE
from tests.web.conftest import Browse, text_of
from tests.web.routes.test_deal import fields_of

TEXTS: Final = {name: text for name, text in STORABLE.items() if len(text) < 2_000}
PLAIN: Final = "plain"


class Structure(HTMLParser):
    """The tags of a page with the names of their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: set[tuple[str, str]] = set()
        self.links: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found |= {(tag, name) for name, _ in attrs} | {(tag, "")}
        self.links |= {value or "" for name, value in attrs if name in ("href", "src", "action")}


def store(workspace: Workspace, key: str, text: str) -> str:
    """Stores a deal that holds a text wherever it can; returns its key."""
    values: dict[str, Any] = {
        name: line(text)
        for name in ("customer", "owner", "team", "service", "lead_source", "next_step")
    }
    called = line(text) or "x"
    values["contacts"] = (Contact(called, "a@b.test", line(text)),)
    values["roles"] = (RoleDemand(called, Decimal(8), 2, 0, (called,)),)
    try:
        added = add_deal(workspace, text, text, by="test", stage="Proposal", values=values)
    except InvalidValue:
        values = {name: value for name, value in values.items() if isinstance(value, str)}
        added = add_deal(workspace, key, line(text) or "x", by=text, stage="Proposal")
        edit_deal(workspace, key, values, by="test")
    add_note(workspace, added.deal.key, text or "x", by=text)
    return added.deal.key


def pages_of(key: str) -> list[str]:
    asked = quote(key, safe="")
    return [
        f"/deal?key={asked}",
        f"/deal/edit?key={asked}",
        f"/move?key={asked}&back={asked}",
        f"/move?key={asked}&stage=Won",
        f"/move?key={asked}&stage=Lost",
        f"/follow-ups/next?key={asked}",
        f"/?q={asked}&team={asked}&open={asked}",
        f"/log-in?back={asked}",
    ]


@pytest.mark.sampled(8)
@pytest.mark.parametrize("name", TEXTS)
def test_text_of_strangers_is_text_on_every_page(
    browse: Browse, workspace: Workspace, name: str
) -> None:
    keys = [store(workspace, "D-1", PLAIN), store(workspace, "D-2", TEXTS[name])]
    browser = browse("admin")
    plain, hostile = ([Structure(browser.get(path).text) for path in pages_of(key)] for key in keys)
    for expected, found in zip(plain, hostile, strict=True):
        assert found.found <= expected.found
        assert all(re.match("/(?!/)|#", link) for link in found.links)
    both = (
        Structure(browser.get("/?cards=all").text),
        Structure(browser.get("/follow-ups?who=all").text),
    )
    assert all(("script", "") in each.found and ("img", "") not in each.found for each in both)


@pytest.mark.sampled(8)
@pytest.mark.parametrize("name", TEXTS)
def test_a_form_sends_back_what_it_was_filled_with(
    browse: Browse, workspace: Workspace, name: str
) -> None:
    key = store(workspace, "D-2", TEXTS[name])
    before = show_deal(workspace, key).deal
    browser = browse("sell")
    form = fields_of(browser.get(f"/deal/edit?key={quote(key, safe='')}"))
    answer = browser.post("/deal/edit", **form)
    assert "Nothing was different." in text_of(answer)
    assert show_deal(workspace, key).deal == before
