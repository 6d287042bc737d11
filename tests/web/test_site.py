"""Several pipelines in one site, the language of a page, and settings that are read again."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from taiga_pipeline.app.deals.editing import add_deal
from taiga_pipeline.app.serving import Served
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.config import parse
from taiga_pipeline.problems import ProblemsError
from taiga_pipeline.web.access.door import Door
from taiga_pipeline.web.access.people import Person, Role
from taiga_pipeline.web.access.session import Sessions
from taiga_pipeline.web.application import application
from taiga_pipeline.web.routes import SECTIONS
from taiga_pipeline.web.serving import make_door, make_site
from taiga_pipeline.web.site import Site
from taiga_pipeline.web_settings import WebSettings
from tests.app.conftest import CONFIG, MAPPING
from tests.web.conftest import Browse, text_of


@pytest.fixture
def other(tmp_path: Path, workspace: Workspace) -> Workspace:
    """A second pipeline, in a folder of its own."""
    folder = tmp_path / "other"
    (folder / "mappings").mkdir(parents=True)
    (folder / "mappings" / "sales.toml").write_text(MAPPING)
    config = folder / "config.toml"
    config.write_text(CONFIG.replace('"test"', '"other"'))
    found = Workspace(clock=workspace.clock, environment={})
    found.use_config(str(config))
    add_deal(found, "O-1", "A deal of the others", by="test")
    return found


def test_each_pipeline_of_a_site_has_its_own_pages(deals: Workspace, other: Workspace) -> None:
    door = Door(local=Person("sara", Role.ADMIN))
    pipelines = {"test": Served.of(deals), "other": Served.of(other)}
    site = Site(pipelines, door, Sessions(b"k" * 32, 3600), SECTIONS)
    with TestClient(application(site), base_url="http://localhost") as client:
        first = client.get(f"/enter?token={door.link.token}").text
        assert "New web shop" in first and "A deal of the others" not in first
        assert 'href="/pipelines/other/"' in first
        second = client.get("/pipelines/other/").text
        assert "A deal of the others" in second and "New web shop" not in second
        pages = re.findall(r'(?:href|action)="(/[^"]*)"', second)
        stays = [each for each in pages if not each.startswith(("/static/", "/pipelines/other/"))]
        assert stays == ["/"]  # the way to the first one
        assert client.get("/pipelines/other/deal?key=D-1").status_code == 404


def test_a_page_is_in_the_language_that_the_browser_prefers(
    browse: Browse, deals: Workspace
) -> None:
    browser = browse()
    for asked, language in (
        ("sv-SE,sv;q=0.9,en;q=0.8", "sv"),
        ("de,en;q=0.5,sv;q=0.1", "en"),
        ("xx;q=oops,,;", "en"),
        ("", "en"),
    ):
        page = browser.get("/", **{"Accept-Language": asked}).text
        assert f'<html lang="{language}">' in page


def test_a_configuration_that_was_changed_counts_with_the_next_click(
    browse: Browse, deals: Workspace
) -> None:
    browser, config = browse(), deals.config_path
    text = config.read_text()
    config.write_text(text + "[webb]\n")
    broken = browser.get("/")
    assert broken.status_code == 422 and "webb" in text_of(broken)
    config.write_text(text)
    assert browser.get("/").status_code == 200


def test_what_somebody_else_writes_into_the_store_is_there_with_the_next_click(
    browse: Browse, deals: Workspace
) -> None:
    browser = browse()
    for number in range(4):
        assert f"Fresh {number}" not in browser.get("/").text
        add_deal(deals, "", f"Fresh {number}", by="cron")
        assert f"Fresh {number}" in browser.get("/").text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('listen = "8085"', "not an address to listen at"),
        ('listen = "127.0.0.1:99999"', "not an address to listen at"),
        ('base_path = "pipeline"', "not a path"),
        ('hosts = ["https://x.example"]', "not the name of a machine"),
        ('proxies = ["proxy"]', "not the address of a proxy"),
        ('user_header = "X-Remote-User"', "named proxy"),
        ('header_role = "read"', "needs user_header"),
        ('user_header = "X User"\nproxies = ["::1"]', "not the name of a header"),
        ("session_hours = 0", "must be more than 0"),
        ("port = 80", "unknown"),
    ],
)
def test_settings_that_cannot_be_say_so(text: str, message: str) -> None:
    with pytest.raises(ProblemsError, match=message):
        parse(f"{CONFIG}[web]\n{text}\n", Path("config.toml"))


def test_what_others_reach_needs_people_of_its_own(deals: Workspace, tmp_path: Path) -> None:
    pipelines = {"test": Served.of(deals)}
    settings = WebSettings()
    door = make_door(settings, "sara", lambda _: None)
    with pytest.raises(ProblemsError, match=r"0\.0\.0\.0 can be reached from other machines"):
        make_site(pipelines, settings, door, "0.0.0.0", tmp_path)
    site = make_site(pipelines, settings, door, "127.0.0.1", tmp_path)
    assert "localhost" in site.hosts and not list(tmp_path.glob("*.key"))


def test_sessions_of_people_outlast_the_server(deals: Workspace, tmp_path: Path) -> None:
    settings = WebSettings(users=tmp_path / "users.toml", proxies=["10.0.0.7"])
    door = make_door(settings, "sara", lambda _: None)
    assert door.local is None and door.proxies == (ipaddress.ip_network("10.0.0.7"),)
    pipelines = {"test": Served.of(deals)}
    one, other = (
        make_site(pipelines, settings, door, "0.0.0.0", tmp_path).sessions for _ in range(2)
    )
    cookie = one.write(one.read("", 0))
    assert other.read(cookie, 1) == one.read(cookie, 1)
    key = tmp_path / "web-sessions.key"
    assert key.stat().st_mode & 0o077 == 0
    key.write_text("short")
    with pytest.raises(ProblemsError, match="key of sessions"):
        make_site(pipelines, settings, door, "0.0.0.0", tmp_path)
