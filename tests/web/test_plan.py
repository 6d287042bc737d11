"""The page of the plan: hours by week, what if, scenarios."""

from __future__ import annotations

import os
import re
from decimal import Decimal
from html import unescape
from pathlib import Path

import pytest

pytest.importorskip("numpy", reason="the extra 'planning' is not installed")

from taiga_pipeline.app.planning import playing
from taiga_pipeline.app.planning.scenarios import saved_scenario
from taiga_pipeline.app.store_access import deal_store, people_store
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.people.model import Allocation, Person
from taiga_pipeline.pipeline.destination import Destination
from taiga_pipeline.pipeline.model import Category, Note
from taiga_pipeline.pipeline.notation import parse_roles
from tests.mapping.support import deal
from tests.web.conftest import Browse, seen_in, text_of

ANA = Person("ana@example.org", "Ana Berg", "Back", (), Decimal(40))


@pytest.fixture
def plan(workspace: Workspace) -> Workspace:
    """A developer, who is reserved for one of three proposals, and a project that nobody is on."""
    with deal_store(workspace, create=True) as store:
        store.upsert(
            deal(
                key=f"D-{number}",
                name=f"Shop {number}",
                customer="Vela",
                stage="Proposal",
                probability=Decimal("0.5" if number == 1 else "0.9"),
                start=workspace.today,
                expected_close=workspace.today,
                roles=parse_roles("Back:30h x6w"),
            )
            for number in range(1, 4)
        )
        start, roles = workspace.today, parse_roles("Back:36h x6w")
        store.upsert([deal(key="W-1", name="Won", stage="Won", start=start, roles=roles)])
    with people_store(workspace) as people:
        people.add(ANA)
        people.allocate(Allocation("D-1", ANA.email, "Back", Decimal(20), confirmed=False))
    return workspace


def test_the_plan_shows_people_roles_and_the_deals_behind_missing_hours(
    browse: Browse, plan: Workspace
) -> None:
    text = browse("read").get("/plan?weeks=8").text
    assert "Ana Berg" in text and "Roles by week" in text
    assert 'class="short">−' in text
    assert "Vela: Shop 2" in text and "adds" in text
    assert "url(#hatched)" in text and re.search(r'<small class="chance">\d+%</small>', text)
    assert "Save this as" not in text
    told = re.findall(r'<button type="button" class="told" aria-label="([^"]*)"', text)
    assert any("Ana Berg, " in each and "; D-1 20 h (reserved)" in each for each in told)
    assert any(each.startswith("Back, ") and "missing at P80" in each for each in told)


def test_a_supposed_deal_shows_before_and_after_and_nothing_real_changes(
    browse: Browse, plan: Workspace
) -> None:
    browser = browse("plan")
    text = browser.get("/plan?weeks=8&fate.D-1=win&later.D-2=4&size.D-3=50").text
    assert "supposed" in text and "was " in text
    assert text.count('class="supposed"') == 3
    assert "4 weeks later</option>" in text
    with deal_store(plan) as store:
        assert store.get("D-1").stage == "Proposal"


def test_what_contradicts_itself_is_explained(browse: Browse, plan: Workspace) -> None:
    answer = browse("read").get("/plan?fate.D-1=lose&later.D-1=4")
    assert answer.status_code == 422 and "cannot be delayed" in answer.text
    answer = browse("read").get("/plan?win=D-9")
    assert "there is no deal &#39;D-9&#39;" in answer.text
    answer = browse("read").get("/plan?" + "&".join(f"win=D-{n}" for n in range(120)))
    assert answer.status_code == 422 and "100 are allowed" in answer.text


def test_the_deals_behind_missing_hours_are_those_of_what_is_supposed(
    browse: Browse, plan: Workspace
) -> None:
    browser = browse("read")
    today = browser.get("/plan?size.D-1=200")
    address = re.search(r'hx-get="([^"]*)"', today.text)
    assert "This is today&#39;s plan" in today.text and address
    then = browser.get(unescape(address[1]))
    behind = then.text[then.text.index('id="behind"') :].split("</section>")[0]
    assert "the plan with what is supposed" in behind and "D-1" in behind
    assert behind != today.text[today.text.index('id="behind"') :].split("</section>")[0]


def test_what_is_supposed_is_saved_as_a_scenario_and_taken_away_again(
    browse: Browse, plan: Workspace
) -> None:
    browser = browse("plan")
    answer = browser.post("/plan/scenario", name="Big <b>", win="D-1", delay="D-2=4w")
    assert answer.status_code == 200 and "Big &lt;b&gt;" in answer.text
    saved = saved_scenario(plan, "Big <b>")
    assert saved.win == ("D-1",) and saved.delay == {"D-2": 4}
    assert answer.text.count('class="supposed"') == 2
    again = browser.post("/plan/scenario", name="Big <b>", win="D-3")
    assert again.status_code == 409 and "already" in again.text
    seen = {"name": "Big <b>", "seen": seen_in(answer, "Saved scenarios")}
    form = {**seen, "opened": "Big <b>", "replace": "yes"}
    browser.post("/plan/scenario", **form, win="D-1", delay="D-2=8w")
    assert saved_scenario(plan, "Big <b>").delay == {"D-2": 8}
    for path, sent in (("/plan/scenario", form | {"win": "D-1"}), ("/plan/scenario/delete", seen)):
        late = browser.post(path, **sent)
        assert late.status_code == 409 and "changed since your page" in late.text
    assert saved_scenario(plan, "Big <b>").delay == {"D-2": 8}
    now = seen_in(browser.get("/plan"), "Saved scenarios")
    gone = browser.post("/plan/scenario/delete", name="Big <b>", seen=now)
    assert "is deleted" in gone.text
    empty = browser.post("/plan/scenario", name="Nothing")
    assert empty.status_code == 422


def test_the_plan_is_drawn_again_when_people_or_deals_change(
    browse: Browse, plan: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[object] = []
    opened = playing.open_questions
    monkeypatch.setattr(
        playing, "open_questions", lambda *a, **k: drawn.append(a) or opened(*a, **k)
    )
    for path in (plan.config_path, *Path("mappings").iterdir()):
        os.utime(path, (1e9, 1e9))  # what was written this very moment is not remembered
    browser = browse("plan")
    for address in ("/plan", "/plan?fate.D-1=win", "/plan?role=Back"):
        browser.get(address)
    assert len(drawn) == 1
    with people_store(plan) as people:
        people.edit(ANA.email, {"hours_per_week": Decimal(20)})
    browser.get("/plan")
    assert len(drawn) == 2
    with deal_store(plan) as store:
        store.edit("D-2", {"probability": Decimal("0.8")}, by="test")
    browser.get("/plan")
    assert len(drawn) == 3
    with deal_store(plan) as store:
        store.edit("D-2", {"next_step": "Call"}, by="test")
        store.add_note("D-2", Note("called"))
    browser.get("/plan")
    assert len(drawn) == 3  # what sales say and do next changes no plan


def test_a_suggestion_is_made_explained_and_accepted_deal_by_deal(
    browse: Browse, plan: Workspace
) -> None:
    browser = browse("plan", "pia")
    assert "There is no suggestion yet" in browser.get("/plan/staffing").text
    page = browser.post("/plan/staffing")
    text = page.text
    assert "W-1" in text and "Ana Berg" in text
    assert "Accept" in text
    assert browser.post("/plan/staffing/accept", key="W-1", seen="another").status_code == 409
    seen = seen_in(page)
    accepted = browser.post("/plan/staffing/accept", key="W-1", seen=seen).text
    assert "W-1: 1 allocation is stored" in accepted and "accepted</span>" in accepted
    with people_store(plan) as people:
        on = [each for each in people.allocations() if each.deal_key == "W-1"]
    assert [each.email for each in on] == [ANA.email]
    with deal_store(plan) as store:
        store.edit("W-1", {"roles": parse_roles("Back:12h x6w")}, by="test")
    assert "Ask for a new one" in browser.get("/plan/staffing").text
    assert browser.post("/plan/staffing/accept", key="W-1", seen=seen).status_code == 409
    assert browser.post("/plan/staffing/accept", key=" ").status_code == 422


def test_nobody_is_merely_reserved_for_a_deal_that_is_won(browse: Browse, plan: Workspace) -> None:
    browser = browse("read")
    assert "reserved</span>" in browser.get("/deal?key=D-1").text
    with deal_store(plan) as store:
        store.move("D-1", Destination("Won", Category.WON, ()), by="test")
    page = browser.get("/deal?key=D-1").text
    assert "confirmed</span>" in page and "reserved</span>" not in page


def test_who_can_take_a_deal_is_shown_with_free_hours_and_put_on_it(
    browse: Browse, plan: Workspace
) -> None:
    assert "W-1" in browse("read").get("/plan/who").text
    browser = browse("plan", "pia")
    page = browser.get("/plan/who?key=W-1")
    assert "Ana Berg" in page.text and "Put on" in page.text
    form = {"key": "W-1", "email": ANA.email, "role": "Back", "hours": "36", "seen": seen_in(page)}
    answer = browser.post("/plan/who", **form, start="2026-11-23", end="2027-01-03")
    assert "ana@example.org is on W-1" in answer.text
    assert "All that it asks for is allocated" in answer.text
    assert browser.post("/plan/who", **{**form, "hours": "8"}).status_code == 409
    assert browser.post("/plan/who", **{**form, "hours": "lots"}).status_code == 422
    assert browser.get("/plan/who?key=nothing").status_code == 404


def test_without_a_roster_the_pages_say_who_adds_people_and_name_no_command(
    browse: Browse, deals: Workspace
) -> None:
    browser = browse("plan")
    pages = [browser.get("/plan/who"), browser.post("/plan/staffing", delay="0")]
    for page in pages:
        assert page.status_code == 422
        assert "The roster is empty." in text_of(page)
        assert "pipeline-sync" not in text_of(page)
