"""The docs as a site: each page has its place, each link leads somewhere, nothing is loaded from
elsewhere. ``make docs`` builds it, and fails on what these tests find.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

ROOT: Final = Path(__file__).parent.parent
DOCS: Final = ROOT / "docs"
SITE: Final[dict[str, Any]] = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
PAGES: Final = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]
KINDS: Final = ["Tutorials", "How-to guides", "Reference", "Explanation"]


def places(entries: list[Any]) -> Iterator[str]:
    """Yields the files that the navigation names."""
    for entry in entries:
        if isinstance(entry, str):
            yield entry
        for value in entry.values() if isinstance(entry, dict) else ():
            yield from [value] if isinstance(value, str) else places(value)


def test_every_page_has_one_place_in_the_site() -> None:
    placed = sorted(places(SITE["nav"]))
    assert placed == sorted(str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md")), (
        "give each page of docs/ its place under 'nav' in mkdocs.yml"
    )


def test_the_pages_are_of_four_kinds() -> None:
    names = [name for entry in SITE["nav"] for name in entry]
    assert names == ["Start", *KINDS]


def test_the_start_page_links_to_every_page() -> None:
    linked = set(re.findall(r"\]\(([\w/-]+\.md)", (DOCS / "index.md").read_text(encoding="utf-8")))
    assert set(places(SITE["nav"])) - {"index.md"} - linked == set()


def text_of(page: Path) -> str:
    """Returns a page without its code, in which brackets are not links."""
    text = re.sub(r"^( *)```.*?^\1```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    return re.sub(r"`[^`\n]*`", lambda code: code[0].replace("](", "] ("), text)


def anchors(page: Path) -> set[str]:
    """Returns the anchors of a page's headings."""
    titles = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.casefold()).strip().replace(" ", "-") for title in titles}


def broken_links(page: Path) -> Iterator[str]:
    for link in re.findall(r"\]\(([^)\s]+)\)", text_of(page)):
        if re.match(r"https?://|mailto:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if DOCS in page.parents and DOCS not in target.parents:
            yield f"{link} (leads out of the site)"
        elif not target.exists() or (anchor and anchor not in anchors(target)):
            yield link


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_every_link_leads_somewhere(page: Path) -> None:
    assert list(broken_links(page)) == []


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# One two\n[a](#one-two) [b](#three) [c](gone.md) `[d](code.md)`\n")
    assert list(broken_links(page)) == ["#three", "gone.md"]


def test_the_site_asks_for_nothing_from_elsewhere() -> None:
    assert SITE["theme"]["font"] is False
    assert SITE["plugins"] == ["search"]
    assert not SITE.keys() & {"extra_javascript", "repo_url", "site_url"}
    styles = [(DOCS / name).read_text(encoding="utf-8") for name in SITE["extra_css"]]
    assert not any(re.search(r"url\(|@import", style) for style in styles)
    assert "analytics" not in SITE.get("extra", {})


def test_no_page_has_what_the_theme_would_fetch_a_script_for() -> None:
    assert [page.name for page in PAGES if "```mermaid" in page.read_text(encoding="utf-8")] == []


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.stem)
def test_what_belongs_to_a_numbered_item_stands_four_spaces_in(page: Path) -> None:
    """The site ends a list at a block of code that stands less far in."""
    text = page.read_text(encoding="utf-8")
    assert re.findall(r"^ {1,3}```\w+$", text, re.MULTILINE) == []
