"""What waits for somebody, and how it is done."""

from __future__ import annotations

import re

from taiga_pipeline.app.deals.editing import edit_deal
from taiga_pipeline.app.deals.looking import show_deal
from taiga_pipeline.app.deals.values import read_fields
from taiga_pipeline.app.workspace import Workspace
from tests.web.conftest import Browse, text_of


def headings(page: str) -> list[str]:
    return re.findall(r"<h2[^>]*>([^<]*)</h2>", page)


def test_everybody_sees_their_own_first_and_all_on_demand(browse: Browse, deals: Workspace) -> None:
    browser = browse("sell", "sara", owner="Sara Ek")
    mine = browser.get("/follow-ups").text
    assert headings(mine) == ["Overdue (1)"]
    assert "mine (1)" in text_of(browser.pages[-1]) and "all (2)" in text_of(browser.pages[-1])
    assert headings(browser.get("/follow-ups?who=all").text) == ["Overdue (1)", "No next step (1)"]


def test_who_owns_no_deal_by_name_sees_all_at_first(browse: Browse, deals: Workspace) -> None:
    browser = browse("admin", "web")
    assert headings(browser.get("/follow-ups").text) == ["Overdue (1)", "No next step (1)"]
    assert not headings(browser.get("/follow-ups?who=mine").text)


def test_somebody_sees_what_they_are_to_do_on_deals_of_others(
    browse: Browse, deals: Workspace
) -> None:
    edit_deal(deals, "D-1", read_fields({"next_step_by": "Mia Holm"}), by="test")
    browser = browse("sell", "mia", owner="Mia Holm")
    assert "New web shop" in browser.get("/follow-ups").text


def test_one_click_does_a_step_and_asks_for_the_next(browse: Browse, deals: Workspace) -> None:
    browser = browse("sell", "sara", owner="Sara Ek")
    form = {"key": "D-1", "step": "Call about the price", "back": "/follow-ups?who=all"}
    asked = browser.post("/follow-ups/done", **form)
    assert "What is next with New web shop?" in asked.text
    assert 'value="2026-11-30"' in asked.text  # a week after today
    deal = show_deal(deals, "D-1").deal
    assert deal.next_step == "" and deal.notes[0].text == "Done: Call about the price"
    version = re.search(r'name="version" value="([^"]*)"', asked.text)
    assert version
    page = browser.post(
        "/follow-ups/done",
        key="D-1",
        version=version[1],
        next_step="Send the offer",
        next_step_on="2026-12-01",
        note="They like it.",
        back="/follow-ups?who=all",
    )
    assert str(page.url).endswith("/follow-ups?who=all")
    deal = show_deal(deals, "D-1").deal
    assert (deal.next_step, str(deal.next_step_on)) == ("Send the offer", "2026-12-01")
    assert (deal.notes[0].text, deal.notes[0].by) == ("They like it.", "sara")


def test_a_step_that_somebody_changed_meanwhile_is_not_done(
    browse: Browse, deals: Workspace
) -> None:
    browser = browse("sell", "sara")
    browser.get("/follow-ups?who=all")
    edit_deal(deals, "D-1", read_fields({"next_step": "Visit them"}), by="olle")
    page = browser.post("/follow-ups/done", key="D-1", step="Call about the price")
    assert "This step was changed meanwhile: Visit them" in text_of(page)
    assert show_deal(deals, "D-1").deal.next_step == "Visit them"


def test_two_who_give_a_next_step_at_once_overwrite_each_other_knowingly_only(
    browse: Browse, deals: Workspace
) -> None:
    browser = browse("sell", "sara")
    asked = browser.get("/follow-ups/next?key=D-2").text
    version = re.search(r'name="version" value="([^"]*)"', asked)
    assert version
    edit_deal(deals, "D-2", read_fields({"next_step": "Visit them"}), by="olle")
    form = {"key": "D-2", "next_step": "Call", "next_step_on": "2026-12-01"}
    answer = browser.post("/follow-ups/done", **form, version=version[1])
    assert answer.status_code == 409 and "Visit them" in answer.text
    again = re.search(r'name="version" value="([^"]*)"', answer.text)
    assert again and 'value="Call"' in answer.text
    browser.post("/follow-ups/done", **form, version=again[1])
    assert show_deal(deals, "D-2").deal.next_step == "Call"


def test_a_day_that_is_none_is_asked_for_again(browse: Browse, deals: Workspace) -> None:
    answer = browse("sell").post(
        "/follow-ups/done", key="D-2", next_step="Call", next_step_on="soon"
    )
    assert answer.status_code == 422 and "soon" in answer.text and 'value="Call"' in answer.text


def test_where_the_mapping_cannot_be_read_it_is_not_said_that_nothing_waits(
    browse: Browse, deals: Workspace
) -> None:
    (mapping,) = deals.settings.sync.mappings.glob("*.toml")
    mapping.write_text(mapping.read_text(encoding="utf-8") + "\nbroken = [\n", encoding="utf-8")
    browser = browse("sell", "sara", owner="Sara Ek")
    said = text_of(browser.get("/follow-ups"))
    assert "The mapping cannot be read." in said and "is not TOML" in said
    assert "Nothing waits" not in said
