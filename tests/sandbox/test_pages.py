"""The pages for people: what they show, and that hostile text stays text."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest
import requests

from taiga_pipeline.sandbox.embedded import Sandbox

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'--><svg/onload=alert(1)>",
    "</style></pre></title><b>x",
    "{{7*7}} ${x} %s {0}",
    "\u202egnp.exe",
)
KNOWN_TAGS = frozenset(
    [
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "header",
        "main",
        "nav",
        "footer",
        "a",
        "span",
        "div",
        "p",
        "b",
        "small",
        "time",
        "pre",
        "h1",
        "h2",
        "h3",
        "form",
        "input",
        "button",
        "article",
        "section",
        "ul",
        "li",
        "table",
        "tr",
        "th",
        "td",
        "details",
        "summary",
    ]
)


class Tags(HTMLParser):
    """Collects tags and attribute names of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links |= {value or "" for name, value in attrs if name in ("href", "src", "action")}


def page(sandbox: Sandbox, path: str) -> requests.Response:
    session = requests.Session()
    session.trust_env = False
    with session:
        return session.get(sandbox.url + path, timeout=60)


def fill(api: Any, text: str) -> dict[str, Any]:
    """A project with one text in every place that a page shows."""
    project = api.project(text, description=text, tags=[text])
    number, role = project["id"], {"name": text, "permissions": ["view_project"]}
    made = api.call("POST", "/roles", {"project": number, **role}).json()
    people = {"project": number, "role": made["id"], "username": "ana@example.test"}
    assert api.call("POST", "/memberships", people).status_code == 201
    note = {"is_looking_for_people": True, "looking_for_people_note": text}
    api.call("PATCH", f"/projects/{number}", note)
    sprint = {"estimated_start": "2026-01-01", "estimated_finish": "2026-01-09"}
    milestone = api.call("POST", "/milestones", {"project": number, "name": text, **sprint}).json()
    story = {"project": number, "subject": text, "tags": [text], "milestone": milestone["id"]}
    assert api.call("POST", "/userstories", story).status_code == 201
    wiki = {"project": number, "slug": "home", "content": text}
    assert api.call("POST", "/wiki", wiki).status_code == 201
    return dict(project)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_as_text(sandbox: Sandbox, api: Any, text: str) -> None:
    sandbox.people.add("mallory", "ma<b>@example.test", text)
    project = fill(api, text)
    for path in ("/", f"/project/{project['slug']}"):
        answer = page(sandbox, path)
        assert answer.status_code == 200
        parser = Tags()
        parser.feed(answer.text)
        assert parser.tags <= KNOWN_TAGS
        assert not any(name.startswith("on") for name in parser.attributes)
        assert all(link.startswith("/") for link in parser.links)


def test_what_is_searched_for_is_shown_as_text(sandbox: Sandbox) -> None:
    answer = page(sandbox, "/?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E")
    assert "<script" not in answer.text


def test_the_list_shows_name_tags_people_and_what_is_looked_for(sandbox: Sandbox, api: Any) -> None:
    fill(api, "Acme: ERP")
    text = page(sandbox, "/").text
    for shown in ("Acme: ERP", "acme: erp", "Looking for people", "Pipeline Bot", "Ana Müller"):
        assert shown in text
    assert re.search(r"<time datetime=", text)


def test_a_project_shows_team_milestones_board_and_wiki(sandbox: Sandbox, api: Any) -> None:
    project = fill(api, "Kick-off")
    text = page(sandbox, f"/project/{project['slug']}").text
    for shown in ("Product Owner", "2026-01-09", "0 of 1", "#1", "In progress", "home"):
        assert shown in text


def test_invited_people_appear_by_their_address(sandbox: Sandbox, api: Any) -> None:
    project = api.project()
    body = {"project": project["id"], "role": project["roles"][0]["id"], "username": "x@y.example"}
    api.call("POST", "/memberships", body)
    assert "x@y.example (invited)" in page(sandbox, f"/project/{project['slug']}").text


def test_the_list_finds_by_name_and_tag_and_is_cut(sandbox: Sandbox, api: Any) -> None:
    bot = sandbox.as_user("pipeline-bot")
    for number in range(203):
        bot.post("/projects", {"name": f"Deal {number}", "description": "d"})
    text = page(sandbox, "/").text
    assert text.count("<article") == 200
    assert "The 200 of 203" in text
    assert page(sandbox, "/?q=deal+202").text.count("<article") == 1


def test_pages_load_nothing_and_run_no_script(sandbox: Sandbox) -> None:
    answer = page(sandbox, "/")
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "http" not in answer.text.replace(sandbox.url, "")
    assert 'name="viewport"' in answer.text
    assert "prefers-color-scheme:dark" in answer.text


def test_an_unknown_page_is_404_and_pages_are_not_in_the_log(sandbox: Sandbox) -> None:
    assert page(sandbox, "/project/none").status_code == 404
    assert page(sandbox, "/favicon.ico").status_code == 404
    assert sandbox.requests == []
