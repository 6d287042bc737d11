"""What holds for every answer, and for every change."""

from __future__ import annotations

import re

import pytest
from starlette.testclient import TestClient

from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.web.access.door import Door
from taiga_pipeline.web.access.people import Person, Role
from taiga_pipeline.web.application import STATIC, application
from taiga_pipeline.web.routes import SECTIONS
from tests.web.conftest import Browse, site_of

CHANGES = [
    (each.path, each.role)
    for section in SECTIONS
    for each in section.routes
    if each.method == "POST" and not each.outside
]
PAGES = [each for section in SECTIONS for each in section.routes if each.method == "GET"]


def test_every_answer_forbids_itself_what_it_does_not_need(
    browse: Browse, deals: Workspace
) -> None:
    browser = browse()
    for path in ("/", "/deal?key=D-1", "/nothing", "/static/page.css", "/log-in"):
        headers = browser.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'self'" in policy and "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"


def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites(browse: Browse) -> None:
    browser = browse()
    browser.client.cookies.clear()
    cookie = browser.client.get("/log-in").headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie and "Secure" not in cookie
    browser.client.cookies.clear()
    cookie = browser.client.get("https://localhost/log-in").headers["set-cookie"]
    assert "Secure" in cookie


@pytest.mark.parametrize(("path", "role"), CHANGES)
def test_no_change_is_made_without_the_sessions_token(
    browse: Browse, deals: Workspace, path: str, role: Role
) -> None:
    browser = browse("admin")
    for token in ("", "x", browser.token[:-1]):
        answer = browser.post(path, csrf=token, key="D-1")
        assert answer.status_code == 403 and "Nothing was changed" in answer.text
    other = browser.post(path, {"Sec-Fetch-Site": "cross-site"}, key="D-1")
    assert other.status_code == 403


@pytest.mark.parametrize(("path", "role"), [each for each in CHANGES if each[1] is not Role.READ])
def test_no_change_is_made_by_somebody_without_the_role(
    browse: Browse, deals: Workspace, path: str, role: Role
) -> None:
    answer = browse("read", "rita").post(path, key="D-1")
    assert answer.status_code == 403
    assert f"it takes the role {role}" in answer.text


@pytest.mark.parametrize(("path", "role"), CHANGES)
def test_more_than_a_form_may_have_is_refused_before_it_is_read(
    browse: Browse, deals: Workspace, path: str, role: Role
) -> None:
    route = next(e for s in SECTIONS for e in s.routes if e.path == path and e.method == "POST")
    browser = browse("admin")
    browser.client.headers["content-length"] = str(route.max_body + 1)
    answer = browser.post(path, key="D-1")
    assert answer.status_code == 413 and "too much" in answer.text


def test_a_server_answers_only_to_its_names(workspace: Workspace) -> None:
    door = Door(local=Person("sara", Role.ADMIN))
    site = site_of(workspace, door, hosts=("localhost", "::1", "*.example.com"))
    with TestClient(application(site)) as client:
        codes = {
            host: client.get("/log-in", headers={"host": host}).status_code
            for host in (
                "localhost:8085",
                "[::1]:8085",
                "a.example.com",
                "evil.test",
                "example.org",
            )
        }
    assert list(codes.values()) == [200, 200, 200, 421, 421]


def test_a_page_below_a_path_stays_below_it(deals: Workspace) -> None:
    door = Door(local=Person("sara", Role.ADMIN))
    site = site_of(deals, door, base="/sales/pipe")
    with TestClient(application(site), base_url="http://localhost") as client:
        answer = client.get(f"/sales/pipe/enter?token={door.link.token}")
        assert answer.status_code == 200 and answer.url.path == "/sales/pipe/"
        links = re.findall(r'(?:href|src|action)="(/[^"]*)"', answer.text)
        assert links and all(each.startswith("/sales/pipe/") for each in links)
        assert client.get("/sales/pipe/static/page.css").status_code == 200


def test_what_is_shipped_for_browsers_has_its_licence() -> None:
    scripts = sorted(each.name for each in (STATIC / "vendor").glob("*.js"))
    assert scripts == ["htmx.min.js", "sortable.min.js"]
    for name in scripts:
        licence = STATIC / "vendor" / f"{name.partition('.')[0]}.LICENSE.txt"
        assert "Permission" in licence.read_text()


def test_no_template_has_a_script_a_style_or_an_address_of_others() -> None:
    for path in (STATIC.parent / "templates").rglob("*.j2"):
        text = path.read_text()
        assert not re.search(r"<style|\sstyle=|<script(?![^>]* src=)|\son[a-z]+=", text), path
        assert not re.search(r"(src|href|action)=\"https?:", text), path


def test_an_unexpected_error_says_so_and_not_what_it_was(
    browse: Browse, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise KeyError("a customer's secret")

    browser = browse()
    monkeypatch.setattr("taiga_pipeline.web.routes.follow_ups.list_deals", fail)
    answer = browser.get("/follow-ups")
    assert answer.status_code == 500
    assert "not foreseen" in answer.text and "secret" not in answer.text
    assert "GET /follow-ups failed" in caplog.text
