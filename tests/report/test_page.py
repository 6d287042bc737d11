"""The report as one HTML file: whole, harmless, and readable by machines that read to people."""

from __future__ import annotations

import re
from datetime import date
from html.parser import HTMLParser

from taiga_pipeline.report.page.html import FEW_CARDS, render
from taiga_pipeline.report.page.model import (
    Card,
    Cell,
    Comparison,
    Health,
    HeatMap,
    HeatRow,
    Page,
    Period,
    Range,
    Series,
    Stage,
)

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>\u202e{{7*7}}\x1b[31m"
VOID = {"meta", "link", "br", "img", "input", "line", "rect"}


class Elements(HTMLParser):
    """Collects elements and their attributes; fails on one that is closed out of turn."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def parsed(page: Page) -> Elements:
    elements = Elements()
    elements.feed(render(page))
    assert elements._open == []
    return elements


def whole(text: str = "Acme") -> Page:
    """A page with every section, and ``text`` in every place that a text can come from."""
    short = Cell("12", 1.3, f"{text}: short", [f"{text}: +12 h"])
    heat = HeatMap(["2026-W49", text], [HeatRow(text, text, [short, Cell("", 0.2)], short)], text)
    span = Range(1, 2, 3)
    return Page(
        text,
        date(2026, 11, 23),
        stages=[Stage(text, text, [Card(text, text, [text], "https://taiga.example.com/p")])],
        forecast=[Series(text, [Period(text, span, span, span)])],
        forecast_notes=[text],
        capacity=heat,
        people=heat,
        scenarios=Comparison(["today", text], [(text, ["1", text])]),
        health=Health([(text, text)], [text], is_well=False),
        notices=[text],
        missing=[(text, text)],
    )


def test_every_section_that_there_is_something_for_can_be_jumped_to():
    elements = parsed(whole())
    ids = {attributes["id"] for tag, attributes in elements.found if "id" in attributes}
    links = {a["href"] for tag, a in elements.found if tag == "a" and str(a["href"])[0] == "#"}
    assert links == {f"#{each}" for each in ids}
    assert len(links) == 8  # seven sections and the main part


def test_a_page_without_anything_is_still_a_page():
    assert "<h1>Acme</h1>" in render(Page("Acme", date(2026, 11, 23)))


def test_hostile_text_is_text_everywhere():
    elements = parsed(whole(HOSTILE))
    tags = {tag for tag, _ in elements.found}
    assert not tags & {"script", "img", "iframe", "object", "form", "link"}
    assert not any(name.startswith("on") for _, attributes in elements.found for name in attributes)
    text = render(whole(HOSTILE))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "{{7*7}}" in "".join(elements.texts)


def test_an_address_that_is_no_web_page_is_no_link():
    page = Page(
        "p", date(2026, 1, 1), stages=[Stage("s", "", [Card("k", "t", [], "javascript:1")])]
    )
    assert "javascript" not in render(page)


def test_nothing_is_looked_up_anywhere():
    text = render(whole())
    assert "default-src 'none'" in text
    assert not re.search(r"(src|@import|url\()\s*=?\s*[\"']?(https?:)?//", text)


def test_a_cell_with_drivers_can_be_reached_and_says_everything():
    elements = parsed(whole())
    buttons = [a for tag, a in elements.found if tag == "button"]
    assert buttons
    assert all("Acme: short" in str(a["aria-label"]) for a in buttons)
    assert all("+12 h" in str(a["aria-label"]) for a in buttons)


def test_charts_have_a_name_and_their_numbers_beside_them():
    elements = parsed(whole())
    charts = [a for tag, a in elements.found if tag == "svg"]
    assert [a["role"] for a in charts] == ["img"]
    assert "2 " in "".join(elements.texts)
    assert all(a.get("scope") in ("row", "col") for tag, a in elements.found if tag == "th")


def test_colours_follow_the_load():
    loads = [0.0, 0.6, 0.9, 1.0, 1.1, 1.5, None]
    row = HeatRow("Back", "", [Cell("1", load) for load in loads], Cell("", 0.0))
    text = render(Page("p", date(2026, 1, 1), capacity=HeatMap(["w"] * 7, [row], "")))
    assert re.findall(r'<td class="(h\w)"', text)[:7] == ["h0", "h1", "h2", "h2", "h3", "h4", "hn"]


def test_a_long_column_opens_on_demand():
    cards = [Card(f"D-{n}", "t", []) for n in range(FEW_CARDS + 5)]
    text = render(Page("p", date(2026, 1, 1), stages=[Stage("Lead", "", cards)]))
    assert "<summary>5 more</summary>" in text
