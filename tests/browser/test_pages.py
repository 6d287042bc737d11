"""The pages in a real browser: cards are dragged and moved by keys, by two people, and by all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import pytest

from taiga_pipeline.app.deals.editing import edit_deal
from taiga_pipeline.app.deals.looking import show_deal
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.web.access.door import Door
from taiga_pipeline.web.routes import live
from tests.browser.chromium import Chromium
from tests.browser.conftest import Open

pytestmark = pytest.mark.sampled_tests(3)

AXE: Final = Path(__file__).parent / "axe" / "axe.min.js"
SAID: Final = "document.querySelector('#messages .message')?.textContent"
OPEN_DIALOG: Final = "document.querySelector('dialog[open] h1')?.textContent"
CUT_OFF: Final = (
    "[...document.querySelectorAll('.wide')].filter("
    "e => e.scrollHeight > e.clientHeight + 2).map(e => e.innerText.slice(0, 40)).join('; ')"
)
"""Tables of which rows are out of sight."""
RIGHT: Final = 39
PAGES: Final = (
    "/",
    "/?open=Won&open=Lost&q=shop",
    "/follow-ups?who=all",
    "/follow-ups/next?key=D-1",
    "/deal?key=D-1",
    "/deal/edit?key=D-1",
    "/deal/new",
    "/deal/lessons?key=D-1",
    "/calendar",
    "/move?key=D-1",
    "/move?key=D-1&stage=Won",
    "/move?key=D-2&stage=Lost",
    "/plan",
    "/plan?win=D-1&behind=yes",
    "/plan/staffing",
    "/plan/who?key=D-1",
    "/quarter",
    "/customers",
    "/customer?name=Nordlund+%26+Co",
    "/import",
    "/health",
    "/mapping",
    "/no-such-page",
)


ON_PHONES: Final = ("/", "/deal?key=D-1", "/deal/new", "/health")


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page looks for no changes of others while it is tried."""
    monkeypatch.setattr(live, "LOOK", 600.0)


def card(key: str) -> str:
    return f'[data-key="{key}"]'


def lane_of(browser: Chromium, key: str) -> object:
    found = json.dumps(card(key))
    return browser.value(f"document.querySelector({found}).closest('.lane').dataset.stage")


def test_a_card_is_dragged_and_the_gate_of_the_next_stage_is_asked_for(
    alone: None, open_browser: Open, site: tuple[str, Door], deals: Workspace
) -> None:
    browser = open_browser()
    browser.drag(f"{card('D-2')} .marks", '[data-stage="Proposal"] .cards')
    assert browser.wait_for(SAID) == "Old web shop is in Proposal now."
    assert lane_of(browser, "D-2") == "Proposal"
    assert show_deal(deals, "D-2").moves[-1].by == "sara"
    browser.drag(f"{card('D-2')} .marks", '[data-stage="Won"] .cards')
    assert browser.wait_for(OPEN_DIALOG) == "Move Old web shop to Won"
    assert lane_of(browser, "D-2") == "Proposal"  # until the gate is passed
    browser.value("document.querySelectorAll('dialog [name=action]').forEach(e => e.click())")
    browser.click("dialog button")
    browser.wait_for(f"{SAID} == 'Old web shop is in Won now.'")
    assert show_deal(deals, "D-2").deal.stage == "Won"


def test_a_card_is_moved_by_keys_and_keeps_the_focus(
    alone: None, open_browser: Open, site: tuple[str, Door], deals: Workspace
) -> None:
    browser = open_browser()
    browser.value(f"document.querySelector({json.dumps(card('D-2'))}).focus()")
    browser.press("ArrowRight", RIGHT, shift=True)
    assert browser.wait_for(SAID) == "Old web shop is in Proposal now."
    assert browser.value("document.activeElement.dataset.key") == "D-2"
    browser.press("ArrowRight", RIGHT, shift=True)
    assert browser.wait_for(OPEN_DIALOG)
    browser.press("Escape", 27)
    browser.wait_for("!document.querySelector('dialog[open]')")
    assert show_deal(deals, "D-2").deal.stage == "Proposal"


def test_of_two_browsers_the_second_is_told_what_the_first_did(
    open_browser: Open, site: tuple[str, Door], deals: Workspace
) -> None:
    address, _ = site
    first, second = open_browser(), open_browser()
    for browser, value in ((first, "130000"), (second, "150000")):
        browser.go(f"{address}/deal/edit?key=D-1")
        browser.fill("#f-value", value)
    first.click("form.fields button")
    first.wait_for("location.pathname == '/deal'")
    second.click("form.fields button")
    second.wait_for("!!document.querySelector('input[value=ours]')")
    page = second.value("document.querySelector('fieldset').innerText")
    assert "130000" in page and "150000" in page
    second.click("input[value=ours]")
    second.click("form.fields button")
    second.wait_for("location.pathname == '/deal'")
    assert str(show_deal(deals, "D-1").deal.value) == "150000"
    assert [str(each.after) for each in show_deal(deals, "D-1").changes[-2:]] == [
        "130000",
        "150000",
    ]


def test_what_others_change_appears_without_loading_the_page_again(
    open_browser: Open, site: tuple[str, Door], deals: Workspace
) -> None:
    browser = open_browser()
    browser.value("window.sameDocument = true")
    edit_deal(deals, "D-1", {"name": "Bought by <b>all</b>"}, by="mia")
    name = f"document.querySelector({json.dumps(card('D-1'))}).innerText"
    browser.wait_for(f"{name}.includes('Bought by <b>all</b>')")
    assert browser.value("window.sameDocument") is True
    browser.drag(f"{card('D-2')} .marks", '[data-stage="Proposal"] .cards')
    assert browser.wait_for(SAID) == "Old web shop is in Proposal now."
    assert lane_of(browser, "D-2") == "Proposal"


def test_a_form_in_which_somebody_is_at_work_is_left_alone(
    open_browser: Open, site: tuple[str, Door], deals: Workspace
) -> None:
    address, _ = site
    browser = open_browser()
    browser.go(f"{address}/deal/edit?key=D-1")
    browser.fill("#f-value", "130000")
    edit_deal(deals, "D-1", {"name": "Another name"}, by="mia")
    said = browser.wait_for("document.getElementById('changed')?.textContent")
    assert str(said).startswith("Something was changed meanwhile.")
    assert browser.value("document.getElementById('f-value').value") == "130000"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_has_anything_serious_against_it(
    open_browser: Open, site: tuple[str, Door], deals: Workspace, scheme: str
) -> None:
    address, _ = site
    browser, script = open_browser(), AXE.read_text(encoding="utf-8")
    found = {}
    for width, path in (*((360, each) for each in ON_PHONES), *((1400, each) for each in PAGES)):
        browser.call(
            "Emulation.setEmulatedMedia",
            features=[{"name": "prefers-color-scheme", "value": scheme}],
        )
        browser.go(f"{address}{path}", width)
        browser.call("Runtime.evaluate", expression=script)
        violations = browser.awaited(
            "axe.run().then(all => all.violations.map(each => "
            "[each.id, each.impact, each.nodes[0].html, each.nodes[0].failureSummary]))"
        )
        if violations:
            found[path] = violations
    assert found == {}


def test_a_page_fits_into_the_window_of_a_phone(
    open_browser: Open, site: tuple[str, Door], deals: Workspace
) -> None:
    address, _ = site
    browser = open_browser()
    wide, cut = {}, {}
    for path in PAGES:
        browser.go(f"{address}{path}", 360)
        width = browser.value("document.documentElement.scrollWidth")
        if width > 360:
            wide[path] = width
        if lost := browser.value(CUT_OFF):
            cut[path] = lost
    assert (wide, cut) == ({}, {})
