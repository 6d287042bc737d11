"""The report under a pointer, a finger and a keyboard, in the dark and on paper."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from taiga_pipeline.report.page.html import render
from taiga_pipeline.report.page.model import Cell, Comparison, HeatMap, HeatRow
from tests.browser.chromium import PATIENCE_SECONDS, Chromium
from tests.live.leaving_out import program
from tests.report.test_page import whole

WEEKS = 26
DRIVERS = [f"D-{number}: +12 h (50 %, closes 2026-12-{number + 10})" for number in range(5)]
HINT = "document.querySelector('[data-seen]').nextElementSibling"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    found = program("chromium", "chromium-browser")
    with Chromium(found, tmp_path_factory.mktemp("profile")) as chromium:
        yield chromium


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """Half a year of a few roles, short in every week."""
    cells = [Cell("1,200", 1.3, f"week {week}: short", DRIVERS) for week in range(WEEKS)]
    rows = [HeatRow(f"Role {number}", "3 people", cells, cells[0]) for number in range(4)]
    heat = HeatMap([f"2026-W{week + 10}" for week in range(WEEKS)], rows, "Hours missing.")
    path = tmp_path / "report.html"
    path.write_text(render(replace(whole(), capacity=heat)), encoding="utf-8")
    return path


def reach(browser: Chromium, number: int) -> tuple[float, float]:
    """Scrolls to a cell with a story, counted from 0 or (negative) from the last; returns where it
    is."""
    x, y = browser.value(
        "(() => { const all = [...document.querySelectorAll('#capacity .heat button')];"
        f"const one = all.at({number}); one.dataset.seen = 1;"
        "one.scrollIntoView({block: 'center', inline: 'center'});"
        "const box = one.getBoundingClientRect();"
        "return [box.x + box.width / 2, box.y + box.height / 2]; })()"
    )
    return x, y


def is_read_whole(browser: Chromium) -> bool:
    """Whether the story of the cell is shown, within the window, and nothing covers its corners."""
    seen: Any = browser.value(
        f"(() => {{ const hint = {HINT}; const box = hint.getBoundingClientRect();"
        "hint.style.pointerEvents = 'auto';"
        "const corners = [[box.left + 6, box.top + 6], [box.right - 6, box.top + 6],"
        "[box.left + 6, box.bottom - 6], [box.right - 6, box.bottom - 6]];"
        "return corners.map(([x, y]) => { const on = document.elementFromPoint(x, y);"
        "return on !== null && hint.contains(on); }); })()"
    )
    return bool(all(seen))


def comes_true(condition: Callable[[], bool]) -> bool:
    """Whether something is so in the end: a browser takes its time to draw."""
    until = time.monotonic() + PATIENCE_SECONDS
    while not (found := condition()) and time.monotonic() < until:
        time.sleep(0.02)
    return found


@pytest.mark.parametrize("number", [0, 5, 20, WEEKS, -1])
def test_a_cell_tells_its_story_to_a_pointer(browser: Chromium, page: Path, number: int) -> None:
    browser.open(page, 1280, 900)
    at = reach(browser, number)
    assert not is_read_whole(browser)
    browser.point_at(*at)
    assert comes_true(lambda: is_read_whole(browser))


@pytest.mark.parametrize("number", [0, 20, -1])
def test_a_cell_tells_its_story_to_a_finger(browser: Chromium, page: Path, number: int) -> None:
    browser.open(page, 390, 844)
    browser.tap(*reach(browser, number))
    assert comes_true(lambda: is_read_whole(browser))


def test_a_cell_tells_its_story_to_the_keyboard(browser: Chromium, page: Path) -> None:
    browser.open(page, 1280, 900)
    for _ in range(40):
        browser.press_tab()
        if browser.value("document.activeElement.matches('.heat button')"):
            break
    browser.value("document.activeElement.dataset.seen = 1")
    assert comes_true(lambda: is_read_whole(browser))
    assert "week 0: short; D-0: +12 h" in browser.value("document.activeElement.ariaLabel")


@pytest.mark.parametrize(("width", "height"), [(1280, 900), (390, 844), (320, 640)])
def test_nothing_is_wider_than_the_window(
    browser: Chromium, page: Path, width: int, height: int
) -> None:
    browser.open(page, width, height)
    assert browser.value("document.documentElement.scrollWidth") <= width


def test_numbers_stay_in_one_line(browser: Chromium, page: Path) -> None:
    browser.open(page, 1280, 900)
    one, line = browser.value(
        "(() => { const cell = document.querySelector('.heat button'); return ["
        "cell.getBoundingClientRect().height, parseFloat(getComputedStyle(cell).lineHeight)]; })()"
    )
    assert one < 1.5 * line


def test_dark_text_stands_on_light_paper_and_the_reverse(browser: Chromium, page: Path) -> None:
    def shades() -> tuple[float, float]:
        colours = browser.value(
            "(() => { const body = getComputedStyle(document.body);"
            "return [body.color, body.backgroundColor]; })()"
        )
        text, paper = (sum(map(int, re.findall(r"\d+", each)[:3])) for each in colours)
        return text, paper

    browser.open(page, 1280, 900)
    text, paper = shades()
    assert paper - text > 500
    browser.open(page, 1280, 900, dark=True)
    text, paper = shades()
    assert text - paper > 500


def test_half_a_year_fits_on_paper_with_the_deals_behind_the_gaps(
    browser: Chromium, page: Path
) -> None:
    browser.open(page, 1280, 900)
    paper = browser.paper()
    boxes = {tuple(map(float, each.split())) for each in re.findall(rb"/MediaBox \[(.*?)\]", paper)}
    assert all(width > height for _, _, width, height in boxes)
    browser.call("Emulation.setEmulatedMedia", media="print")
    browser.call(
        "Emulation.setDeviceMetricsOverride", width=1030, height=700, deviceScaleFactor=1,
        mobile=False,
    )  # fmt: skip
    assert browser.wait_for("document.documentElement.scrollWidth <= 1030")
    assert "D-4: +12 h" in browser.value("document.querySelector('.because').innerText")
    browser.call("Emulation.setEmulatedMedia", media="")


def test_a_cell_without_deals_tells_its_hours_to_a_finger(
    browser: Chromium, tmp_path: Path
) -> None:
    row = HeatRow("Back", "", [Cell("", 0.6, "30 of 50 h asked for")] * 3, Cell("", 0.0))
    path = tmp_path / "report.html"
    heat = HeatMap(["a", "b", "c"], [row], "")
    path.write_text(render(replace(whole(), capacity=heat)), encoding="utf-8")
    browser.open(path, 360, 800)
    x, y = reach(browser, 1)
    shown = (
        "(() => { const look = getComputedStyle(document.querySelector('[data-seen]'), '::after');"
        "return [look.display, look.content]; })()"
    )
    assert browser.value(shown)[0] == "none"
    browser.tap(x, y)
    assert comes_true(lambda: browser.value(shown) == ["block", '"30 of 50 h asked for"'])


def test_paper_has_every_bar_of_the_timeline_in_numbers(browser: Chromium, page: Path) -> None:
    seen = "document.querySelector('#people .story table').checkVisibility()"
    browser.open(page, 1030, 700)
    assert not browser.value(seen)
    browser.call("Emulation.setEmulatedMedia", media="print")
    assert browser.value(seen)
    browser.call("Emulation.setEmulatedMedia", media="")


def test_on_paper_no_heading_parts_from_what_it_heads(browser: Chromium, page: Path) -> None:
    browser.open(page, 1030, 700)
    browser.call("Emulation.setEmulatedMedia", media="print")
    parting = browser.value(
        "[...document.querySelectorAll('h2, section > h3, figcaption, summary, section > h2 + p')]"
        ".filter(each => getComputedStyle(each).breakAfter != 'avoid')"
        ".map(each => each.textContent)"
    )
    assert parting == []
    browser.call("Emulation.setEmulatedMedia", media="")


def test_words_of_a_table_that_scrolls_stay_whole_on_a_phone(
    browser: Chromium, tmp_path: Path
) -> None:
    names = [f"Reported{number}" for number in range(8)]
    compared = Comparison(names, [("Hours", ["1"] * 8)])
    path = tmp_path / "report.html"
    path.write_text(render(replace(whole(), scenarios=compared)), encoding="utf-8")
    browser.open(path, 360, 800)
    lines = browser.value(
        "[...document.querySelectorAll('#scenarios thead th')].map(each => "
        "each.getBoundingClientRect().height / parseFloat(getComputedStyle(each).lineHeight))"
    )
    assert max(lines) < 2
    assert browser.value("document.documentElement.scrollWidth") <= 360
