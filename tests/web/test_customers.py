"""The pages of customers: the list, one of them, and names that a person joins."""

from __future__ import annotations

from urllib.parse import urlencode

from taiga_pipeline.app.deals.editing import add_deal
from taiga_pipeline.app.store_access import deal_store
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.pipeline.model import Contact, ContactPart
from tests.web.conftest import Browse

EVA = Contact("Eva Lind", "eva@example.com", part=ContactPart.DECISION_MAKER)
HOSTILE = "<script>alert(1)</script> & Sons"


def _fill(workspace: Workspace) -> None:
    for number, customer in enumerate(("Nordlund AB", "Nordlund AB", "NORDLUND", HOSTILE)):
        values = {"customer": customer, "contacts": (EVA,)}
        add_deal(workspace, f"K-{number}", "Shop", by="test", stage="Lead", values=values)


def test_customers_are_listed_and_each_has_a_page(browse: Browse, workspace: Workspace) -> None:
    _fill(workspace)
    browser = browse("read")
    text = browser.get("/customers").text
    assert "Nordlund AB</a>" in text and "&lt;script&gt;" in text and "<script>alert" not in text
    assert "Join NORDLUND" not in text
    page = browser.get(f"/customer?{urlencode({'name': HOSTILE})}")
    assert "What is open" in page.text and "K-3</a>" in page.text and "Eva Lind" in page.text
    assert "<script>alert" not in page.text
    assert browser.get("/customer?name=Nordlun AB").status_code == 404


def test_names_are_joined_by_a_click_and_apart_again(browse: Browse, workspace: Workspace) -> None:
    _fill(workspace)
    browser = browse("sell", "sara")
    assert "Join NORDLUND into Nordlund AB" in browser.get("/customers").text
    joined = browser.post("/customers/join", name="NORDLUND", into="Nordlund AB")
    assert "1 deal of NORDLUND is one of Nordlund AB now" in joined.text
    assert "Undo the join of NORDLUND" in joined.text
    with deal_store(workspace) as store:
        assert store.get("K-2").customer == "Nordlund AB"
        assert {each.by for each in store.changes("K-2")} >= {"sara"}
    undone = browser.post("/customers/undo", name="NORDLUND", into="Nordlund AB")
    assert "1 deal is NORDLUND&#39;s again" in undone.text
    assert "Undo the join" not in browser.get("/customer?name=Nordlund AB").text
    apart = browser.post("/customers/apart", name="NORDLUND", into="Nordlund AB", back="/customers")
    assert "are two customers" in apart.text and "Join NORDLUND" not in apart.text
    assert browser.post("/customers/join", name="NORDLUND").status_code == 422


def test_what_was_learnt_is_asked_when_a_project_has_ended_and_kept(
    browse: Browse, workspace: Workspace
) -> None:
    values = {"customer": "Vela"}
    add_deal(workspace, "W-1", "Shop", by="test", stage="Won", values=values)
    browser = browse("sell", "sara")
    answer = browser.post("/customer/answer", key="W-1", **{"answer.1": "Ask for <b>data</b>"})
    assert "What was learnt with W-1 is kept" in answer.text
    assert "Ask for &lt;b&gt;data&lt;/b&gt;" in answer.text and "<textarea" in answer.text
    assert browser.post("/customer/answer", key="W-1").status_code == 422
