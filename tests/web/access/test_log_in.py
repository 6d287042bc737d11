"""Who gets in, and how."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from anyio import Semaphore
from starlette.testclient import TestClient

from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.problems import ProblemsError
from taiga_pipeline.web import endpoint
from taiga_pipeline.web.access import door as door_module
from taiga_pipeline.web.access import throttle as throttle_module
from taiga_pipeline.web.access.door import Door
from taiga_pipeline.web.access.people import (
    Person,
    Role,
    User,
    fits,
    hashed,
    keep_user,
    read_users,
    remove_user,
)
from taiga_pipeline.web.access.session import COOKIE
from taiga_pipeline.web.access.throttle import Throttle
from taiga_pipeline.web.application import application
from taiga_pipeline.web.pages import Queue
from tests.web.conftest import HASH, PASSWORD, Browser, Clock, site_of

Start = Callable[..., Browser]


@pytest.fixture
def start(deals: Workspace) -> Iterator[Start]:
    """Returns a browser that has not logged in."""
    with ExitStack() as clients:

        def browser(door: Door, peer: str = "127.0.0.1", **more: object) -> Browser:
            app = application(site_of(deals, door, **more))
            client = TestClient(app, base_url="http://localhost", client=(peer, 5000))
            return Browser(clients.enter_context(client))

        yield browser


def log_in(browser: Browser, name: str, password: str = PASSWORD) -> int:
    browser.get("/log-in")
    return browser.post("/log-in", name=name, password=password).status_code


def test_a_one_time_link_lets_one_browser_in(start: Start) -> None:
    told: list[str] = []
    door = Door(local=Person("sara", Role.ADMIN))
    door.link = type(door.link)(told.append)
    link = f"/enter?token={door.link.token}"
    mine, other = start(door), start(door)
    assert "Log out" in mine.get(link).text
    refused = other.get(link)
    assert refused.status_code == 403 and "used already" in refused.text
    assert "Log out" in other.get(f"/enter?token={told[0]}").text


def test_nobody_sees_anything_without_logging_in(start: Start) -> None:
    browser = start(Door(local=Person("sara", Role.ADMIN)))
    for path in ("/", "/follow-ups", "/deal?key=D-1", "/nothing"):
        answer = browser.client.get(path, follow_redirects=False)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/log-in?back=")


def test_somebody_logs_in_with_name_and_password_and_comes_back_where_they_were(
    start: Start, users: Path
) -> None:
    browser = start(Door(users=users))
    assert "Password" in browser.get("/follow-ups?who=mine").text
    answer = browser.post("/log-in", name="SELL", password=PASSWORD, back="/follow-ups?who=mine")
    assert answer.url.path == "/follow-ups" and answer.url.query == b"who=mine"
    assert "sell" in answer.text


@pytest.mark.parametrize("name", ["sell", "nobody", "", "sell\0", "’", "x" * 5000])
def test_a_wrong_password_is_refused_alike_whoever_it_is(
    start: Start, users: Path, name: str
) -> None:
    browser = start(Door(users=users))
    browser.get("/log-in")
    answer = browser.post("/log-in", name=name, password="wrong")
    assert answer.status_code == 403
    assert "do not belong together" in answer.text


def test_after_some_wrong_tries_the_next_has_to_wait(
    start: Start, users: Path, deals: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    deals.clock = clock = Clock()
    browser = start(Door(users=users))
    assert [log_in(browser, "sell", "wrong") for _ in range(5)] == [403] * 5
    with monkeypatch.context() as context:
        context.setattr(door_module, "fits", None)  # no processor is spent on those who wait
        assert log_in(browser, "sell") == 429
        assert log_in(browser, "plan") == 429  # the same address
    clock.seconds = 301
    assert log_in(browser, "sell") == 200


def test_tries_that_come_at_once_count_before_any_password_is_looked_at() -> None:
    by_name, by_address = Throttle(), Throttle()
    waits = [by_name.begin(1.0, "sell", f"10.0.0.{number}") for number in range(20)]
    assert waits[:5] == [0] * 5 and all(waits[5:])
    waits = [by_address.begin(1.0, f"name {number}", "10.0.0.1") for number in range(20)]
    assert waits[:5] == [0] * 5 and all(waits[5:])


def test_log_ins_wait_for_each_other_and_no_page_waits_for_them(
    start: Start, users: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoint, "TURN_SECONDS", 0.01)
    all_taken = {each: Semaphore(0) for each in Queue}
    browser = start(Door(users=users), turns=all_taken)
    assert log_in(browser, "sell") == 503
    assert browser.get("/log-in").status_code == 200


def test_people_who_get_in_from_one_address_do_not_count(start: Start, users: Path) -> None:
    browser = start(Door(users=users))
    assert [log_in(browser, name) for name in ("sell", "plan", "admin", "read") * 3] == [200] * 12


def test_an_address_is_not_forgotten_for_the_names_that_somebody_tries(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(throttle_module, "MOST", 10)
    throttle = Throttle(tries=20)
    for number in range(20):
        assert not throttle.begin(1.0, f"name {number}", f"2001:db8::{number}")
    assert throttle.begin(1.0, "another", "2001:db8::99")
    assert not throttle.begin(1.0, "another", "2001:db8:0:1::1")


def test_sessions_end_with_the_person_and_with_their_password(start: Start, users: Path) -> None:
    door = Door(users=users)
    browsers = {name: start(door) for name in ("sell", "plan")}
    for name, browser in browsers.items():
        assert log_in(browser, name) == 200
    remove_user(users, "sell")
    keep_user(users, User(Person("plan", Role.PLAN), hashed("another password", cost=10)))
    for browser in browsers.values():
        assert "Password" in browser.get("/").text


def test_a_role_that_is_taken_away_is_gone_at_once(start: Start, users: Path) -> None:
    browser = start(Door(users=users))
    log_in(browser, "admin")
    keep_user(users, User(Person("admin", Role.READ), HASH))
    assert "<small>read</small>" in browser.get("/").text


def test_a_cookie_of_another_server_or_an_old_one_is_nobodys(start: Start, users: Path) -> None:
    browser = start(Door(users=users))
    log_in(browser, "sell")
    cookie = browser.client.cookies["pipeline_sync"]
    for forged in (cookie[:-2], "x" + cookie, "", cookie.replace(".", "")):
        browser.client.cookies.clear()
        browser.client.cookies.set("pipeline_sync", forged)
        assert browser.client.get("/", follow_redirects=False).status_code == 303


def test_logging_out_ends_the_session_and_what_was_a_token_is_none(
    start: Start, users: Path
) -> None:
    browser = start(Door(users=users))
    log_in(browser, "sell")
    token = browser.token
    assert "Password" in browser.post("/log-out").text
    assert browser.token != token


def test_a_proxy_that_is_named_says_who_somebody_is(start: Start, users: Path) -> None:
    door = Door(users=users, header="X-Remote-User", proxies=(ipaddress.ip_network("10.0.0.7"),))
    through, around = start(door, "10.0.0.7"), start(door, "10.0.0.8")
    said = {"X-Remote-User": "plan"}
    assert "<small>plan</small>" in through.get("/", **said).text
    assert "Password" in around.get("/", **said).text
    assert "Password" in through.get("/", **{"X-Remote-User": "stranger"}).text


def test_whom_the_file_does_not_know_has_the_role_of_the_header(start: Start) -> None:
    proxies = (ipaddress.ip_network("10.0.0.0/8"),)
    door = Door(header="X-Remote-User", header_role=Role.READ, proxies=proxies)
    client = start(door, "10.1.2.3").client
    page = client.get("/", headers={b"X-Remote-User": "Åsa Öberg".encode()}).text
    assert "Åsa Öberg <small>read</small>" in page


def test_a_header_that_is_there_twice_is_nobodys(start: Start) -> None:
    proxies = (ipaddress.ip_network("10.0.0.7"),)
    door = Door(header="X-Remote-User", header_role=Role.READ, proxies=proxies)
    client = start(door, "10.0.0.7").client
    twice = [("X-Remote-User", "sara"), ("X-Remote-User", "admin")]
    assert client.get("/", headers=twice, follow_redirects=False).status_code == 303


@pytest.mark.parametrize(
    "back", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:x", "/\t/x"]
)
def test_logging_in_leads_to_no_other_server(start: Start, users: Path, back: str) -> None:
    browser = start(Door(users=users))
    browser.get("/log-in")
    answer = browser.client.post(
        "/log-in",
        data={"csrf": browser.token, "name": "sell", "password": PASSWORD, "back": back},
        follow_redirects=False,
    )
    assert answer.headers["location"] == "/"


def test_the_file_of_people_holds_no_password(users: Path) -> None:
    text = users.read_text()
    assert PASSWORD not in text and users.stat().st_mode & 0o077 == 0
    assert fits(PASSWORD, read_users(users)["sell"].hash)
    assert not fits("", "") and not fits(PASSWORD, "")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[[user]]\nname = "a b"\nrole = "read"', "not a name to log in with"),
        ('[[user]]\nname = "a"\nrole = "boss"', "'boss' is not a role"),
        ('[[user]]\nname = "a"\nrole = "read"\npassword = "plain text"', "not a hash"),
        ('[[user]]\nname = "a"\nrole = "read"\npasword = "x"', "unknown setting 'pasword'"),
        ("user = 3", "holds no list"),
        ("[[user", "not a file of users"),
    ],
)
def test_what_is_wrong_with_the_file_of_people_is_said(
    tmp_path: Path, text: str, message: str
) -> None:
    file = tmp_path / "users.toml"
    file.write_text(text)
    with pytest.raises(ProblemsError, match=message) as caught:
        read_users(file)
    assert "plain text" not in str(caught.value)


def test_who_logs_out_ends_the_session_for_every_copy_of_its_cookie(
    start: Start, users: Path
) -> None:
    browser = start(Door(users=users))
    log_in(browser, "sell")
    copy = browser.client.cookies[COOKIE]
    assert "Log out" in browser.get("/").text
    browser.post("/log-out")
    browser.client.cookies.clear()
    browser.client.cookies[COOKIE] = copy
    assert "Log out" not in browser.get("/").text


def test_what_is_wrong_with_the_servers_files_is_nothing_for_strangers(
    start: Start, users: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stranger = start(Door(users=users))
    config = Path("config.toml")
    config.write_text(config.read_text() + "\n[targ")
    answer = stranger.get("/log-in")
    assert answer.status_code == 503
    assert "config.toml" not in answer.text and "Its log says which" in answer.text
    assert "config.toml:" in caplog.text
