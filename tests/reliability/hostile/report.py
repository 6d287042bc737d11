"""The report: its HTML as a parser reads it and as a browser builds it, and its charts as files."""

from __future__ import annotations

import contextlib
import re
import struct
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Final

from sync.records.model import Desired, RecordKey
from taiga_pipeline.planning.scenario.model import Scenario
from taiga_pipeline.planning.scenario.writing import put_scenario
from taiga_pipeline.portfolio.heat_map import draw
from taiga_pipeline.portfolio.plan_page import heat_of, plan_lines
from taiga_pipeline.records import Kind, Wiki
from taiga_pipeline.report.page.html import render
from taiga_pipeline.targets.taiga.fitting import fit
from taiga_pipeline.targets.taiga.pages import join_page
from tests.browser.test_report import browse
from tests.reliability.hostile.checks import Page, as_shown, assert_plain, assert_terminal_safe
from tests.reliability.hostile.commands import made_once
from tests.reliability.hostile.planning import Planning
from tests.reliability.hostile.taiga_pages import (
    MARKDOWN,
    assert_tables_keep_their_columns,
    without_own_bold,
    words_of_markdown,
)
from tests.reliability.hostile.world import key_of, stores
from tests.report.test_page import whole

PICTURES: Final = "http://www.w3.org/2000/svg"
SMALL: Final = ("--weeks", "2", "--trials", "50")
CHUNKS: Final = {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"pHYs", b"tEXt", b"tRNS"}


class Reported:
    """The report on the pipeline that `Planning` looks at."""

    def __init__(self, planning: Planning) -> None:
        self.folder = planning.world.folder
        self.charts = self.folder / "charts"
        with few_scenarios(self.folder):
            self.reported = planning.both("report", *SMALL, "--png", str(self.charts))
        self.text = (self.folder / "report.html").read_text(encoding="utf-8")
        self.page = Page(self.text)

    @cached_property
    def in_chromium(self) -> Page:
        """The page as a browser builds it, without the policy that forbids it everything."""
        folder = self.folder / "browser"
        folder.mkdir()
        bare, count = re.subn(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", self.text)
        assert count == 1
        (folder / "report.html").write_text(bare, encoding="utf-8")
        return Page(browse(folder, "--dump-dom"))


@contextlib.contextmanager
def few_scenarios(folder: Path) -> Iterator[None]:
    """Leaves one scenario: a report compares all there are, and each is simulated."""
    every = folder / "scenarios.toml"
    aside = every.rename(folder / "scenarios-aside.toml")
    put_scenario(every, Scenario("one", win=(key_of("html"),)))
    yield
    aside.replace(every)


@made_once
def reported(planning: Planning) -> Reported:
    """Returns the report, which is made once."""
    return Reported(planning)


TAGS: Final = {
    *("html", "head", "meta", "title", "style", "body", "header", "nav", "main", "section", "div"),
    *("h1", "h2", "h3", "p", "a", "b", "small", "span", "button", "ul", "li", "dl", "dt", "dd"),
    *("table", "thead", "tbody", "tr", "th", "td", "figure", "figcaption", "details", "summary"),
    *("svg", "line", "rect", "circle", "text"),
}
"""All elements that the report is made of."""


def html_report(out: Planning, name: str, text: str) -> None:
    made = reported(out)
    for text_shown in made.reported:
        assert_terminal_safe(text_shown)
    assert_nothing_was_added(made.page)
    assert as_shown(text) in " ".join(made.page.words.split())


def assert_nothing_was_added(page: Page) -> None:
    """No element, no attribute, no address that an entry made."""
    assert page.tags <= TAGS
    assert not [attribute for attribute, _ in page.attributes if attribute.startswith("on")]
    addresses = [value or "" for attribute, value in page.attributes if attribute == "href"]
    assert all(address.startswith("#") for address in addresses)
    assert "src" not in dict(page.attributes)


def html_report_places(out: Planning, name: str, text: str) -> None:
    """An entry in every place of the page at once: the same elements, with the same attributes."""
    assert _skeleton(text) == _skeleton("plain")


def _skeleton(text: str) -> Counter[str]:
    page = Page(render(whole(text)))
    names = Counter(attribute for attribute, _ in page.attributes)
    return names + Counter(page.tags - {"small"})  # a week's year is in one


def html_in_a_browser(out: Planning, name: str, text: str) -> None:
    page = reported(out).in_chromium
    assert_nothing_was_added(page)
    assert page.title == "acme, 2026-11-23"
    assert as_shown(text) in " ".join(page.words.split())


def chart_svg(out: Planning, name: str, text: str) -> None:
    files = sorted(reported(out).charts.glob("*.svg"))
    assert len(files) >= 4
    for file in files:
        assert not _elements_of(file) & {"script", "image", "a", "foreignObject", "text", "animate"}


@lru_cache(maxsize=20)
def _elements_of(file: Path) -> set[str]:
    """Returns the names of a picture's elements; none has an attribute that a browser runs."""
    found = set()
    for element in ET.parse(file).iter():
        found.add(str(element.tag).removeprefix(f"{{{PICTURES}}}"))
        links = [value for key, value in element.attrib.items() if key.endswith("href")]
        assert not [key for key in element.attrib if key.startswith("on")]
        assert all(link.startswith("#") for link in links)
    return found


def chart_png(out: Planning, name: str, text: str) -> None:
    files = sorted(reported(out).charts.glob("*.png"))
    assert len(files) >= 4
    for file in files:
        assert_png(file.read_bytes())


@lru_cache(maxsize=100)
def assert_png(data: bytes) -> None:
    """A picture, and nothing else: no text but the name of the program that made it."""
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    at = 8
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at : at + 8])
        assert kind in CHUNKS
        assert kind != b"tEXt" or data[at + 8 :].startswith(b"Software\0Matplotlib")
        at += size + 12
    assert at == len(data)


# --- the resource plan: Taiga's page shows forty roles, the functions below it each


def plan_of_a_role(out: Planning, name: str, text: str) -> None:
    lines = plan_lines(replace(out.capacity, roles=(out.role(text),)), *_who(out, name))
    key = RecordKey("~portfolio-acme", Kind.WIKI, "resource-plan")
    fitted = fit(Desired(key, {Wiki.TEXT: "", Wiki.FACTS: "\n".join(lines)}))
    page = join_page(fitted.fields, "")
    assert_plain(page, lines=True)
    assert_tables_keep_their_columns(page)
    assert not MARKDOWN.search(without_own_bold(page))
    assert words_of_markdown(text) in page


def _who(out: Planning, name: str) -> tuple[Any, Any, Any]:
    with stores(out.world) as (deals, people):
        found = {key: deals.get(key) for key in (key_of(name), f"W-{name}")}
        person = people.get(f"{name}@example.org")
        return found, {person.email: person}, people.allocations(email=person.email)


def plan_picture(out: Planning, name: str, text: str) -> None:
    assert_png(draw(heat_of(replace(out.capacity, roles=(out.role(text),)))))


REPORT: Final[Mapping[str, Callable[[Planning, str, str], None]]] = {
    "HTML: report": html_report,
    "HTML: report, each place": html_report_places,
    "HTML: report in Chromium": html_in_a_browser,
    "SVG: charts": chart_svg,
    "PNG: charts": chart_png,
    'Taiga: "Resource plan" of a role': plan_of_a_role,
    "Taiga: picture of the plan": plan_picture,
}
