"""The board, and the moves of its cards."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest

from taiga_pipeline.app.deals.editing import add_deal, move_deal
from taiga_pipeline.app.deals.looking import show_deal
from taiga_pipeline.app.workspace import Workspace
from tests.web.conftest import Browse, text_of

TO_WON = {"key": "D-1", "stage": "Won", "seen_stage": "Proposal"}
TO_LOST = {"key": "D-2", "stage": "Lost", "seen_stage": "Lead"}
SCRIPT = {"HX-Request": "true"}


def stage_of(workspace: Workspace, key: str) -> str:
    return show_deal(workspace, key).deal.stage


def test_stages_are_columns_with_what_their_deals_sum_up_to(
    browse: Browse, deals: Workspace
) -> None:
    page = text_of(browse("read").get("/"))
    assert re.findall("Lead 1 deal|Proposal 1 deal · 120,000 EUR|Won 0 deals", page) == [
        "Lead 1 deal",
        "Proposal 1 deal · 120,000 EUR",
        "Won 0 deals",
    ]
    assert "New web shop Nordlund & Co 120,000 EUR 2026-12-18 Sara Ek" in page
    assert "2026-11-20 Call about the price overdue gate 0 of 2" in page


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("q=NORDLUND", ["D-1"]),
        ("q=old", ["D-2"]),
        ("team=north", ["D-1"]),
        ("who=mine", ["D-1"]),
        ("waits=overdue", ["D-1"]),
        ("waits=no+next+step", ["D-2"]),
        ("q=nothing+of+this", []),
        ("team=nobody", []),
    ],
)
def test_cards_are_searched_and_filtered(
    browse: Browse, deals: Workspace, query: str, shown: list[str]
) -> None:
    page = browse("sell", "sara", owner="Sara Ek").get(f"/?{query}").text
    assert sorted(re.findall(r'class="card"[^>]* data-key="([^"]*)"', page)) == shown


def test_what_is_decided_is_folded_until_it_is_asked_for(browse: Browse, deals: Workspace) -> None:
    move_deal(deals, "D-2", "Lost", by="test", lost_reason="price")
    browser = browse("read")
    assert "Old web shop" not in browser.get("/").text
    assert "Old web shop" in browser.get("/?open=Lost").text


def test_a_stage_of_many_deals_shows_the_first_and_the_others_on_demand(
    browse: Browse, deals: Workspace
) -> None:
    for number in range(50):
        add_deal(deals, f"M-{number}", f"Many {number}", by="test", values={"value": Decimal(1)})
    browser = browse("read")
    page = browser.get("/").text
    assert page.count('class="card"') == 41
    assert "11 more deals" in page
    assert browser.get("/?cards=all").text.count('class="card"') == 52


def test_a_move_without_a_gate_is_made_at_once_and_stands_in_the_history(
    browse: Browse, deals: Workspace
) -> None:
    browser = browse("sell", "mia")
    page = browser.post("/move", key="D-2", stage="Proposal", seen_stage="Lead")
    assert page.url.path == "/" and "Old web shop is in Proposal now." in text_of(page)
    move = show_deal(deals, "D-2").moves[-1]
    assert (move.from_stage, move.to_stage, move.by) == ("Lead", "Proposal", "mia")


def test_a_move_through_a_gate_asks_what_is_done(browse: Browse, deals: Workspace) -> None:
    browser = browse("sell", "mia")
    asked = browser.post("/move", **TO_WON)
    assert "price agreed" in asked.text and stage_of(deals, "D-1") == "Proposal"
    refused = browser.post("/move", **TO_WON, asked="yes", action="price agreed")
    assert refused.status_code == 409 and "needs documented" in refused.text
    browser.post(
        "/move",
        key="D-1",
        stage="Won",
        seen_stage="Proposal",
        asked="yes",
        action=["needs documented"],
    )
    assert stage_of(deals, "D-1") == "Won"
    assert show_deal(deals, "D-1").moves[-1].forced == ()


def test_a_gate_may_be_passed_anyway_which_is_recorded(browse: Browse, deals: Workspace) -> None:
    browse("sell").post(
        "/move",
        key="D-1",
        stage="Won",
        seen_stage="Proposal",
        asked="yes",
        force="yes",
        closed_on="2026-11-20",
    )
    details = show_deal(deals, "D-1")
    assert details.moves[-1].forced == ("price agreed", "needs documented")
    assert str(details.deal.closed_on) == "2026-11-20"


def test_a_loss_asks_why_and_proposes_the_reasons_used(browse: Browse, deals: Workspace) -> None:
    add_deal(deals, "D-3", "Gone", by="test", stage="Lead")
    move_deal(deals, "D-3", "Lost", by="test", lost_reason="too expensive")
    browser = browse("sell")
    asked = browser.post("/move", key="D-2", stage="Lost")
    assert '<option value="too expensive">' in asked.text
    silent = browser.post("/move", **TO_LOST, asked="yes", lost_reason="  ")
    assert silent.status_code == 422 and "Say why" in silent.text
    browser.post("/move", **TO_LOST, asked="yes", lost_reason="no budget")
    assert show_deal(deals, "D-2").deal.lost_reason == "no budget"


def test_a_card_that_somebody_else_moved_meanwhile_stays_where_they_put_it(
    browse: Browse, deals: Workspace
) -> None:
    move_deal(deals, "D-2", "Proposal", by="olle")
    answer = browse("sell").post(
        "/move", key="D-2", stage="Lost", asked="yes", lost_reason="x", seen_stage="Lead"
    )
    assert answer.status_code == 409 and "changed in the meantime" in answer.text
    nowhere = browse("sell").post("/move", key="D-2", stage="Lost", asked="yes", lost_reason="x")
    assert nowhere.status_code == 409
    assert stage_of(deals, "D-2") == "Proposal"


def test_what_has_no_currency_is_summed_apart_and_said(browse: Browse, deals: Workspace) -> None:
    add_deal(deals, "D-3", "Third", by="test", stage="Lead", values={"value": Decimal(5)})
    page = text_of(browse("read").get("/"))
    assert "5 (no currency), 120,000 EUR" in page


def test_a_script_gets_the_columns_that_changed(browse: Browse, deals: Workspace) -> None:
    answer = browse("sell").post(
        "/move", SCRIPT, key="D-2", stage="Proposal", seen_stage="Lead", at="?q=shop"
    )
    assert re.findall(r'<section class="lane[^>]*data-stage="(\w+)"', answer.text) == [
        "Lead",
        "Proposal",
    ]
    assert "<html" not in answer.text and answer.text.count('class="card"') == 2


def test_a_script_gets_the_question_of_a_gate_alone(browse: Browse, deals: Workspace) -> None:
    answer = browse("sell").post("/move", SCRIPT, **TO_WON, at="")
    assert 'data-dialog="move"' in answer.text and "<html" not in answer.text


@pytest.mark.parametrize(
    ("form", "status", "words"),
    [
        ({"key": "D-9", "stage": "Won"}, 404, "there is no deal"),
        ({"key": "D-1", "stage": "Wonn"}, 404, "did you mean"),
        ({"key": "D-1", "stage": "Proposal", "seen_stage": "Proposal"}, 422, "already"),
        ({"key": "D-2", "stage": "Lost", "lost_reason": "x", "closed_on": "soon"}, 422, "soon"),
    ],
)
def test_a_move_that_cannot_be_says_why(
    browse: Browse, deals: Workspace, form: dict[str, str], status: int, words: str
) -> None:
    answer = browse("sell").post("/move", asked="yes", **form)
    assert answer.status_code == status
    assert words in text_of(answer)


def test_who_only_reads_is_offered_no_move(browse: Browse, deals: Workspace) -> None:
    page = browse("read").get("/").text
    assert 'class="move"' not in page and "data-move" not in page
