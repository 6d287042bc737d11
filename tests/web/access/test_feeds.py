"""Calendars that programs subscribe to by an address of their own."""

from __future__ import annotations

import ipaddress
import re
from html import unescape
from pathlib import Path

import pytest

from taiga_pipeline.app.deals.editing import edit_deal
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.web.access.door import Door
from taiga_pipeline.web.access.people import Person, Role, User, hashed, keep_user, remove_user
from tests.web.access.test_log_in import Start, log_in, start
from tests.web.conftest import PASSWORD, Browse, Browser, text_of

__all__ = ["start"]


@pytest.fixture
def mia(users: Path) -> Path:
    """The file of people, with one who owns a deal."""
    keep_user(users, User(Person("mia", Role.READ, "Mia Holm"), hashed(PASSWORD, cost=10)))
    return users


def addresses(browser: Browser) -> dict[str, str]:
    page = browser.get("/calendar").text
    found = re.findall(r'<input id="(mine|all)" value="([^"]*)"', page)
    return {who: unescape(address) for who, address in found}


def test_a_program_reads_the_calendar_without_logging_in(
    start: Start, mia: Path, deals: Workspace
) -> None:
    edit_deal(deals, "D-2", {"owner": "Mia Holm", "next_step": "Ring 📞, on Monday"}, by="mia")
    days = {"next_step_on": deals.today}
    edit_deal(deals, "D-2", days, by="mia")
    browser, program = start(Door(users=mia)), start(Door(users=mia))
    log_in(browser, "mia")
    found = addresses(browser)
    mine, every = (program.client.get(found[who]) for who in ("mine", "all"))
    assert mine.headers["content-type"] == "text/calendar; charset=utf-8"
    assert "Ring 📞\\, on Monday" in mine.text and "New web shop" not in mine.text
    assert "New web shop" in every.text
    assert (
        not program.client.cookies and program.client.get("/", follow_redirects=False).is_redirect
    )


def test_the_address_of_a_calendar_ends_with_the_password_and_the_person(
    start: Start, mia: Path
) -> None:
    browser = start(Door(users=mia))
    log_in(browser, "mia")
    address = addresses(browser)["all"]
    assert browser.client.get(address).status_code == 200
    keep_user(mia, User(Person("mia", Role.READ), hashed("another horse", cost=10)))
    assert browser.client.get(address).status_code == 403
    remove_user(mia, "mia")
    assert browser.client.get(address).status_code == 403


@pytest.mark.parametrize(
    ("part", "other"),
    [
        ("who=mine", "who=all"),
        ("name=mia", "name=sell"),
        ("name=mia", "name=nobody"),
        ("token=", "token=é"),
        ("who=mine", "who=everybody"),
    ],
)
def test_an_address_of_a_calendar_is_good_for_what_it_was_made_for(
    start: Start, mia: Path, part: str, other: str
) -> None:
    browser = start(Door(users=mia))
    log_in(browser, "mia")
    address = addresses(browser)["mine"]
    assert part in address
    assert browser.client.get(address.replace(part, other)).status_code == 403


def test_whoever_comes_by_a_one_time_link_is_told_where_the_calendar_is(browse: Browse) -> None:
    browser = browse("admin")
    page = browser.get("/calendar")
    assert "the file that the configuration names" in text_of(page) and "token" not in page.text
    assert browser.get("/calendar.ics?name=sara&who=all&token=").status_code == 403


def test_addresses_are_those_that_the_browser_knows_behind_a_proxy(start: Start, mia: Path) -> None:
    proxies = (ipaddress.ip_network("127.0.0.1/32"),)
    browser = start(Door(users=mia, proxies=proxies), base="/sales")
    https = {"X-Forwarded-Proto": "https"}
    moved = browser.client.get("/sales", headers=https, follow_redirects=False)
    assert moved.headers["location"] == "https://localhost/sales/"
    elsewhere = start(Door(users=mia), peer="192.0.2.1", base="/sales")
    moved = elsewhere.client.get("/sales", headers=https, follow_redirects=False)
    assert moved.headers["location"] == "http://localhost/sales/"
