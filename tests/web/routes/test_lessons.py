"""What past deals teach, on a deal's own pages."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

from taiga_pipeline.app.deals.editing import add_deal, edit_deal
from taiga_pipeline.app.deals.looking import show_deal
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.pipeline.notation import parse_roles
from tests.web.conftest import Browse, text_of


def decided(deals: Workspace, key: str, stage: str, **values: object) -> None:
    given = {"service": "web", "customer": "Fjord", "closed_on": date(2026, 8, 1), **values}
    add_deal(deals, key, f"Deal <{key}>", by="test", stage=stage, values=given)


def test_a_deal_shows_similar_ones_and_what_became_of_them(
    browse: Browse, deals: Workspace
) -> None:
    decided(deals, "W-1", "Won", value=Decimal(100_000), currency="EUR")
    decided(deals, "L-1", "Lost", lost_reason="price <b>")
    edit_deal(deals, "D-1", {"service": "web"}, by="test")
    browser = browse("sell")
    assert "/deal/lessons?key=D-1" in browser.get("/deal?key=D-1").text
    page = browser.get("/deal/lessons?key=D-1")
    said = text_of(page)
    assert "W-1 Deal <W-1>" in said and "lost: price <b>" in said
    assert "price <b>" not in page.text
    assert "What its project taught" not in said


def test_questions_about_a_project_are_answered_and_corrected_on_the_deal(
    browse: Browse, deals: Workspace
) -> None:
    decided(deals, "W-1", "Won")
    browser = browse("sell", "mia")
    page = browser.get("/deal/lessons?key=W-1")
    assert page.text.count("<textarea") == 3
    sent = {"key": "W-1", "answer.1": "Early tests", "was.1": ""}
    answer = browser.post("/deal/lessons", **sent)
    assert "What was learnt with W-1 is kept." in text_of(answer)
    assert re.search(r'name="answer.1"[^>]*>Early tests</textarea>', answer.text)
    corrected = {"key": "W-1", "answer.1": "Early tests, daily", "was.1": "Early tests"}
    assert "Early tests, daily" in browser.post("/deal/lessons", **corrected).text
    assert [each.by for each in show_deal(deals, "W-1").deal.notes] == ["mia", "mia"]
    assert browser.post("/deal/lessons", key="W-1").status_code == 422
    assert browse("read").post("/deal/lessons", **sent).status_code == 403


def test_a_new_deal_begins_from_another_one(browse: Browse, deals: Workspace) -> None:
    roles = parse_roles("Back:30h x10w")
    edit_deal(deals, "D-1", {"service": "web", "roles": roles}, by="test")
    page = browse("sell", owner="Mia Holm").get("/deal/new?like=D-1").text
    for name, text in (("service", "web"), ("value", "120000"), ("owner", "Mia Holm")):
        assert re.search(rf'name="{name}" value="{text}"', page)
    assert 'name="role_hours" value="30"' in page
    assert "Nordlund" not in page.partition("<datalist")[0] and "Call about" not in page
