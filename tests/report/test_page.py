"""The report as one HTML file: whole, harmless, and readable by machines that read to people."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser

import pytest

from taiga_pipeline.report.page.charts import drawing, past_windows
from taiga_pipeline.report.page.html import FEW_CARDS, MOST_TOLD, render
from taiga_pipeline.report.page.model import (
    Bar,
    Calibration,
    Card,
    Cell,
    ChanceGroup,
    Comparison,
    Health,
    HeatMap,
    HeatRow,
    Page,
    PastWindow,
    Period,
    Range,
    Series,
    Stage,
    Timeline,
    Track,
)

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>\u202e{{7*7}}\x1b[31m"
VOID = {"meta", "link", "br", "img", "input", "line", "rect", "circle"}


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
    sure = Bar(text, text, 0, 1, True, text, text, text, text)
    maybe = Bar(text, text, 1, 1, False, text, text, text, text)
    past = Calibration(90, [ChanceGroup(0.3, 0.4, 12)], [PastWindow(text, span, 4)])
    return Page(
        text,
        date(2026, 11, 23),
        stages=[Stage(text, text, [Card(text, text, [text], "https://taiga.example.com/p")])],
        forecast=[Series(text, [Period(text, span, span, span, 2)])],
        calibration=past,
        timeline=Timeline(["2026-W49", text], [Track(text, text, [[sure, maybe], [maybe]], 2)], 3),
        forecast_notes=[text],
        capacity=heat,
        people=heat,
        scenarios=Comparison(["today", text], [(text, ["1", text])]),
        health=Health([(text, text)], [text], is_well=False),
        notices=[text],
        missing=[(text, text)],
    )


def even(name: str, span: Range) -> Period:
    """A period of the same range in each part."""
    return Period(name, span, span, span)


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
    assert [a["role"] for a in charts] == ["img"] * 3
    assert all(a["aria-label"] for a in charts)
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


def test_a_period_that_has_begun_is_shown_as_a_whole() -> None:
    """Won so far, and the range of the whole on top of it: in the chart as in the numbers."""
    begun = Period("2026 Q4", Range(1, 2, 3), Range(0, 1, 2), Range(1, 3, 5), 4)
    series = Series("Wins", [begun, even("2027 Q1", Range(0, 4, 8))])
    chart = drawing(series)
    done, whole, now, *_ = chart.bars
    floor = max(line.y for line in chart.axis)
    assert (done.kind, done.top + done.height) == ("done", floor)
    per_win = (floor - min(line.y for line in chart.axis)) / 10
    assert done.top == pytest.approx(floor - 4 * per_win, abs=0.2)
    assert whole.top + whole.height == pytest.approx(floor - 5 * per_win, abs=0.2)
    assert now.top == pytest.approx(floor - 7 * per_win, abs=0.2)
    text = render(Page("p", date(2026, 11, 23), forecast=[series]))
    assert "<td>4</td>" in text
    assert "<td>7 <small>(5 to 9)</small></td>" in text


def test_where_the_median_is_nothing_the_chance_of_at_least_one_is_shown() -> None:
    seldom = Range(0, 0, 1, 0.35)
    page = Page("p", date(2026, 1, 1), forecast=[Series("Wins", [even("m", seldom)])])
    text = render(page)
    assert "at least one: 35 %" in text
    assert "≥ 1: 35%" in text
    often = replace(page, forecast=[Series("Wins", [even("m", Range(0, 1, 2, 0.9))])])
    assert "at least one" not in render(often)


def test_a_timeline_tells_sure_from_tentative_and_has_every_bar_in_numbers() -> None:
    weeks = [f"2026-W{number}" for number in range(10, 16)]
    sure = Bar("D-1", "Acme: Portal", 1, 2, True, "confirmed", weeks[1], weeks[2], "30")
    maybe = Bar("D-2", "Bolt: App", 4, 2, False, "tentative, 40 %", weeks[4], weeks[5], "8 to 16")
    line = Timeline(weeks, [Track("Ana", "Back", [[sure, maybe]])])
    text = render(Page("p", date(2026, 1, 1), people=HeatMap([], [], ""), timeline=line))
    row = re.search(r"<tr><th[^>]*>Ana.*?</tr>", text, re.DOTALL)
    assert row
    cells = re.findall(r'<td colspan="(\d)"(?: class="(\w+)")?>', row.group())
    assert cells == [("1", ""), ("2", "sure"), ("1", ""), ("2", "maybe")]
    below = text[row.end() :]
    for each in ("D-2", "2026-W14", "2026-W15", "8 to 16", "tentative, 40 %", "confirmed"):
        assert each in below


def test_every_cell_that_tells_something_can_be_reached_without_a_pointer() -> None:
    cells = [Cell("", 0.6, "30 of 50 h"), Cell("12", 0.2, "12 h free"), Cell("", 0.0, "nothing")]
    row = HeatRow("Back", "", cells, Cell("", 0.0))
    elements = parsed(Page("p", date(2026, 1, 1), capacity=HeatMap(["a", "b", "c"], [row], "")))
    reached = [str(a["aria-label"]) for tag, a in elements.found if tag == "button"]
    assert reached == ["30 of 50 h", "12 h free"]


def test_what_cells_tell_is_listed_for_paper_and_has_a_bound() -> None:
    cell = Cell("1", 2.0, "short", ["D-1: +3 h"])
    row = HeatRow("Back", "", [cell] * (MOST_TOLD + 5), cell)
    text = render(Page("p", date(2026, 1, 1), capacity=HeatMap(["w"] * len(row.cells), [row], "")))
    story = text[text.index("Every week that is short") :]
    assert story.count("<li>") == MOST_TOLD
    assert "5 more have no place here" in story


def test_past_ranges_that_missed_are_told_from_those_that_held() -> None:
    windows = [PastWindow("2026-01-05", Range(1, 2, 3), came) for came in (2, 7)]
    chart = past_windows(Calibration(90, [], windows))
    assert [dot.kind for dot in chart.dots] == ["came", "missed"]
    assert min(dot.y for dot in chart.dots) >= 0
    text = render(
        Page(
            "p", date(2026, 1, 1), forecast=[Series("s", [])],
            calibration=Calibration(90, [], windows),
        )
    )  # fmt: skip
    assert "1 of 2 ranges held it" in text


@pytest.mark.parametrize(
    ("highest", "figures"),
    [
        (0, ["0", "0.5", "1"]),
        (44.1, ["0", "25", "50"]),
        (6, ["0", "3", "6"]),
        (95e3, ["0", "50k", "100k"]),
    ],
)
def test_an_axis_ends_with_a_round_number(highest: float, figures: list[str]) -> None:
    series = Series("Wins", [even("m", Range(0, highest / 2, highest))])
    assert [line.text for line in drawing(series).axis] == figures
