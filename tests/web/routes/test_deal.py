"""One deal: what is shown of it, and edits that lose nothing of anybody's."""

from __future__ import annotations

import re
from html import unescape

import pytest
from httpx2 import Response

from taiga_pipeline.app.deals.editing import edit_deal
from taiga_pipeline.app.deals.looking import show_deal
from taiga_pipeline.app.deals.values import read_fields
from taiga_pipeline.app.workspace import Workspace
from tests.web.conftest import Browse, Browser, text_of


def fields_of(answer: Response) -> dict[str, list[str]]:
    """Returns what a form of a page holds, as a browser would send it."""
    form = answer.text[answer.text.index('class="fields"') :]
    found: dict[str, list[str]] = {}
    for tag in re.findall(r"<input[^>]*>", form):
        name = re.search(r'name="([^"]*)"', tag)
        value = re.search(r'value="([^"]*)"', tag)
        if name and "radio" not in tag and "checkbox" not in tag:
            found.setdefault(name[1], []).append(unescape(value[1]) if value else "")
    for name, body in re.findall(r'<select[^>]*name="([^"]*)"[^>]*>(.*?)</select>', form, re.S):
        chosen = re.search(r'<option value="([^"]*)" selected', body)
        found.setdefault(name, []).append(unescape(chosen[1]) if chosen else "")
    return found


def edited(browser: Browser, key: str, **changes: object) -> dict[str, object]:
    """Opens the form of a deal, and fills something in."""
    return {**fields_of(browser.get(f"/deal/edit?key={key}")), **changes}


def test_a_deal_shows_everything_that_is_known_of_it(browse: Browse, deals: Workspace) -> None:
    values = read_fields(
        {"roles": "Back:30h x10w@+2w"}, contacts=["Ida Berg | ida@nordlund.test | 08-1 | user"]
    )
    edit_deal(deals, "D-1", values, by="olle")
    page = text_of(browse("read").get("/deal?key=D-1"))
    for shown in (
        "Customer Nordlund & Co",
        "Value 120,000 EUR",
        "Ida Berg user · ida@nordlund.test · 08-1",
        "Back 30 10 3",
        "price agreed: open",
        "No run has made one yet.",
        "… → Proposal",
        "olle",
    ):
        assert shown in page


def test_a_field_of_ones_own_is_shown_and_edited(browse: Browse, deals: Workspace) -> None:
    config = deals.config_path
    config.write_text(
        config.read_text() + '[[field]]\nname = "region"\nlabel = "Region"\nkind = "choice"\n'
        'choices = ["Norr", "Söder"]\n'
    )
    browser = browse("sell")
    form = edited(browser, "D-1", region="Söder")
    page = text_of(browser.post("/deal/edit", **form))
    assert "Changed: Region." in page and "Region Söder" in page


def test_an_edit_changes_what_was_changed_and_nothing_else(
    browse: Browse, deals: Workspace
) -> None:
    before = show_deal(deals, "D-1").deal
    browser = browse("sell", "mia")
    page = browser.post("/deal/edit", **edited(browser, "D-1", value="130 000", service="web"))
    assert "Changed: Value, Service." in text_of(page)
    details = show_deal(deals, "D-1")
    changed = {each.field: each.by for each in details.changes[-2:]}
    assert changed == {"value": "mia", "service": "mia"}
    assert details.deal.next_step_on == before.next_step_on


def test_a_form_that_is_sent_as_it_is_changes_nothing(browse: Browse, deals: Workspace) -> None:
    values = read_fields(
        {"roles": "Back:30.5h x10w@+2w; Design:8h x4w", "probability": "35 %"},
        contacts=["Ida Berg | ida@nordlund.test | 08-1 | decision maker"],
    )
    before = edit_deal(deals, "D-1", values, by="olle").deal
    browser = browse("sell")
    page = browser.post("/deal/edit", **edited(browser, "D-1"))
    assert "Nothing was different." in page.text
    assert show_deal(deals, "D-1").deal == before


def test_contacts_and_roles_are_rows(browse: Browse, deals: Workspace) -> None:
    browser = browse("sell")
    form = edited(browser, "D-1")
    form |= {
        "contact_name": ["Ida Berg", ""],
        "contact_email": ["ida@nordlund.test", ""],
        "contact_phone": ["", ""],
        "contact_part": ["decision maker", "other"],
        "role_name": ["Back", "Design", ""],
        "role_hours": ["30,5", "16", ""],
        "role_weeks": ["10", "4", ""],
        "role_start": ["0", "2", "0"],
        "role_skills": ["python, sql", "", ""],
    }
    browser.post("/deal/edit", **form)
    deal = show_deal(deals, "D-1").deal
    assert [(each.name, each.part.value) for each in deal.contacts] == [
        ("Ida Berg", "decision maker")
    ]
    assert [(each.role, str(each.hours_per_week), each.start_week) for each in deal.roles] == [
        ("Back", "30.5", 0),
        ("Design", "16", 2),
    ]
    assert deal.roles[0].skills == ("python", "sql")


def test_what_cannot_be_read_is_said_at_its_field_and_nothing_typed_is_lost(
    browse: Browse, deals: Workspace
) -> None:
    before = show_deal(deals, "D-1").deal
    browser = browse("sell")
    form = edited(browser, "D-1", value="plenty", expected_close="some day", name="Renamed")
    form |= {"role_name": ["Back"], "role_hours": ["many"], "role_weeks": ["x"]}
    form |= {"role_start": ["0"], "role_skills": [""]}
    answer = browser.post("/deal/edit", **form)
    assert answer.status_code == 422
    page = text_of(answer)
    assert "Nothing was kept yet" in page
    for each in ("Value: ", "Expected close: ", "Back: 'many'"):
        assert each in page
    kept = fields_of(answer)
    assert kept["value"] == ["plenty"] and kept["expected_close"] == ["some day"]
    assert kept["name"] == ["Renamed"] and kept["role_hours"][0] == "many"
    assert show_deal(deals, "D-1").deal == before


def test_of_two_people_the_second_sees_both_values_and_chooses(
    browse: Browse, deals: Workspace
) -> None:
    sara, olle = browse("sell", "sara"), browse("admin", "olle")
    saras = edited(sara, "D-1", value="130000", service="web")
    olle.post("/deal/edit", **edited(olle, "D-1", value="150000", team="south"))
    answer = sara.post("/deal/edit", **saras)
    page = text_of(answer)
    assert answer.status_code == 409
    assert "Kept: Service." in page and "olle" in page
    assert all(each in page for each in ("120000", "150000", "130000"))
    deal = show_deal(deals, "D-1").deal
    assert (str(deal.value), deal.team, deal.service) == ("150000", "south", "web")
    choice = {**fields_of(answer), "take_value": "ours"}
    assert "Changed: Value." in text_of(sara.post("/deal/choose", **choice))
    deal = show_deal(deals, "D-1").deal
    assert (str(deal.value), deal.team) == ("130000", "south")


def test_who_leaves_the_other_value_changes_nothing(browse: Browse, deals: Workspace) -> None:
    sara = browse("sell", "sara")
    saras = edited(sara, "D-1", value="130000")
    edit_deal(deals, "D-1", read_fields({"value": "150000"}), by="olle")
    answer = sara.post("/deal/edit", **saras)
    sara.post("/deal/choose", **fields_of(answer), take_value="theirs")
    assert str(show_deal(deals, "D-1").deal.value) == "150000"


def test_somebody_who_writes_again_while_one_chooses_is_seen_too(
    browse: Browse, deals: Workspace
) -> None:
    sara = browse("sell", "sara")
    saras = edited(sara, "D-1", value="130000")
    edit_deal(deals, "D-1", read_fields({"value": "150000"}), by="olle")
    choice = {**fields_of(sara.post("/deal/edit", **saras)), "take_value": "ours"}
    edit_deal(deals, "D-1", read_fields({"value": "170000"}), by="mia")
    again = sara.post("/deal/choose", **choice)
    assert again.status_code == 409 and "170000" in again.text
    assert str(show_deal(deals, "D-1").deal.value) == "170000"


def test_notes_are_a_log_with_their_authors(browse: Browse, deals: Workspace) -> None:
    page = browse("sell", "mia").post(
        "/deal/note", key="D-1", text="Called.\r\nThey want <b>two</b>"
    )
    assert "They want <b>two</b>" in text_of(page)
    note = show_deal(deals, "D-1").deal.notes[0]
    assert (note.by, note.text) == ("mia", "Called.\nThey want <b>two</b>")


def test_actions_are_checked_off_and_taken_back(browse: Browse, deals: Workspace) -> None:
    browser = browse("sell")
    browser.post("/deal/done", key="D-1", action="price agreed")
    assert show_deal(deals, "D-1").deal.done == {"price agreed"}
    assert 'name="was" value="price agreed"' in browser.get("/deal?key=D-1").text
    form = {"key": "D-1", "was": "price agreed", "action": "needs documented"}
    page = browser.post("/deal/done", **form)
    assert "1 checked off, 1 taken back." in page.text
    assert show_deal(deals, "D-1").deal.done == {"needs documented"}


def test_what_others_checked_off_meanwhile_stays(browse: Browse, deals: Workspace) -> None:
    browse("sell", "sara").post("/deal/done", key="D-1", action="price agreed")
    browse("plan", "olle").post("/deal/done", key="D-1", action="needs documented")
    assert show_deal(deals, "D-1").deal.done == {"price agreed", "needs documented"}


@pytest.mark.parametrize("path", ["/deal/edit", "/follow-ups/done", "/deal/choose"])
def test_a_form_that_names_no_version_overwrites_nothing(
    browse: Browse, deals: Workspace, path: str
) -> None:
    before = show_deal(deals, "D-1").deal
    ours = {"next_step": "Send it", "field": "next_step", "take_next_step": "ours"}
    sent = {"key": "D-1", "next_step_on": "2026-11-20", "ours_next_step": "Send it", **ours}
    answer = browse("sell").post(path, **sent)
    assert answer.status_code == 409
    assert "Call about the price" in answer.text and "Send it" in answer.text
    assert show_deal(deals, "D-1").deal == before


def test_a_new_deal_gets_its_key_by_the_rule(browse: Browse, deals: Workspace) -> None:
    browser = browse("sell", "mia", owner="Mia Holm")
    form = fields_of(browser.get("/deal/new"))
    assert form["owner"] == ["Mia Holm"]
    page = browser.post("/deal/new", **{**form, "name": "Third", "customer": "Fjord"})
    assert "Third is in Lead, as D-3." in text_of(page)
    nameless = browser.post("/deal/new", **{**form, "customer": "Fjord"})
    assert nameless.status_code == 422 and "A deal needs a name." in nameless.text


def test_without_a_way_to_the_tool_the_plan_says_why(browse: Browse, deals: Workspace) -> None:
    answer = browse("read").get("/deal/plan?key=D-1")
    assert answer.status_code == 422 and "SECRET" in answer.text


@pytest.mark.parametrize("path", ["/deal", "/deal/edit", "/deal/plan", "/move", "/follow-ups/next"])
def test_a_deal_that_is_not_there_is_said_to_be_missing(
    browse: Browse, deals: Workspace, path: str
) -> None:
    answer = browse("admin").get(f"{path}?key=D-11")
    assert answer.status_code == 404 and "there is no deal" in answer.text
