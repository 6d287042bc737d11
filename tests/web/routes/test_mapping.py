"""A mapping is edited in a page: its errors at their line, its effect before it is saved."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest

from taiga_pipeline.app.sync import mapping_files
from taiga_pipeline.app.workspace import Workspace
from tests.web.conftest import Browse, Browser, text_of

FILE = Path("mappings/sales.toml")


def opened(browser: Browser) -> dict[str, str]:
    """Opens the page; returns what its form holds."""
    page = browser.get("/mapping").text
    seen = re.search(r'name="seen" value="([^"]*)"', page)
    text = re.search(r"(?s)<textarea[^>]*>\n(.*?)</textarea>", page)
    assert seen and text
    return {"file": "sales.toml", "seen": seen[1], "text": unescape(text[1])}


def renamed(form: dict[str, str]) -> dict[str, str]:
    return form | {"text": form["text"].replace('project = "tentative"', 'project = "staffed"')}


def test_an_edit_shows_its_effect_on_all_deals_and_saves_nothing(
    browse: Browse, deals: Workspace
) -> None:
    browser = browse("admin")
    form = opened(browser)
    assert form["text"] == FILE.read_text(encoding="utf-8")
    before = FILE.read_text(encoding="utf-8")
    page = browser.post("/mapping/try", **renamed(form))
    said = text_of(page)
    assert "1 of 2 deals get something else." in said
    assert "D-1 (tentative -&gt; staffed)" in page.text or "(tentative -> staffed)" in said
    assert "Nothing is saved yet." in said
    assert FILE.read_text(encoding="utf-8") == before
    assert "project = &#34;staffed&#34;" in page.text


@pytest.mark.parametrize("path", ["/mapping/try", "/mapping/save"])
def test_errors_are_shown_at_their_line_and_the_text_stays(
    browse: Browse, deals: Workspace, path: str
) -> None:
    browser = browse("admin")
    form = opened(browser)
    wrong = form | {"text": form["text"].replace('project = "none"', 'project = "<b>nine</b>"')}
    page = browser.post(path, **wrong)
    said = text_of(page)
    assert "line 6" in said and "1 problem" in said
    assert "/tmp" not in said
    assert "&lt;b&gt;nine&lt;/b&gt;" in page.text and "<b>nine" not in page.text
    assert FILE.read_text(encoding="utf-8") == form["text"]


def test_what_is_saved_is_in_force_and_the_former_version_is_kept(
    browse: Browse, deals: Workspace
) -> None:
    browser = browse("admin", "sara")
    form = opened(browser)
    page = browser.post("/mapping/save", **renamed(form))
    assert "sales.toml is saved. The next run works by it." in text_of(page)
    assert 'project = "staffed"' in FILE.read_text(encoding="utf-8")
    assert "saved over by sara" in text_of(page)
    former = re.search(r'href="(/mapping\?file=sales.toml&amp;version=[^"]*)"', page.text)
    assert former
    assert "tentative" in browser.get(unescape(former[1])).text
    assert browser.get("/mapping?file=sales.toml&version=..%2Fsales.toml").status_code == 404
    assert len(deals.load_mappings().rules) == 1, "former versions are no mappings"


def test_of_two_who_edit_the_second_sees_what_the_first_saved(
    browse: Browse, deals: Workspace
) -> None:
    browser = browse("admin")
    first, second = opened(browser), opened(browser)
    browser.post("/mapping/save", **first | {"text": f"# first\n{first['text']}"})
    page = browser.post("/mapping/save", **second | {"text": f"# second\n{second['text']}"})
    assert page.status_code == 409
    assert "# first" in page.text and "# second" in page.text
    assert FILE.read_text(encoding="utf-8").startswith("# first")
    seen = re.search(r'name="seen" value="([^"]*)"', page.text)
    assert seen
    browser.post(
        "/mapping/save", **second | {"text": f"# second\n{second['text']}", "seen": seen[1]}
    )
    assert FILE.read_text(encoding="utf-8").startswith("# second")


@pytest.mark.parametrize("name", ["../config.toml", "/etc/passwd", "config.toml", "", ".."])
def test_only_mapping_files_are_shown_and_saved(
    browse: Browse, deals: Workspace, name: str
) -> None:
    browser = browse("admin")
    form = opened(browser) | {"file": name}
    assert browser.post("/mapping/try", **form).status_code == 404
    assert browser.post("/mapping/save", **form).status_code == 404
    if name:
        assert browser.get(f"/mapping?file={name}").status_code == 404


def test_others_may_read_but_not_save(browse: Browse, deals: Workspace) -> None:
    browser = browse("plan")
    form = opened(browser)
    assert "Save</button>" not in browser.pages[-1].text
    assert browser.post("/mapping/save", **renamed(form)).status_code == 403


def test_only_so_many_versions_are_kept(
    browse: Browse, deals: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mapping_files, "MOST_VERSIONS", 2)
    for number in range(4):
        file = mapping_files.read_mapping(deals, "sales.toml")
        text = f"# {number}\n{file.text}"
        mapping_files.save_mapping(deals, "sales.toml", text, seen=file.seen, by=f"../{number}")
    found = mapping_files.former_versions(deals, "sales.toml")
    assert len(found) == len(list(Path("mappings/.versions/sales.toml").iterdir())) <= 2
