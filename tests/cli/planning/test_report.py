"""``report`` on the sample pipeline."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from taiga_pipeline.app.planning.report_idle import idle_of_people
from taiga_pipeline.planning.capacity.result import (
    CapacityReport,
    Idle,
    PersonCapacity,
    PersonWeek,
)
from taiga_pipeline.planning.weeks import Weeks
from taiga_pipeline.sandbox.embedded import Sandbox
from tests.cli.conftest import Run


def test_the_report_shows_everything_on_one_page(sample: Run, taiga: Sandbox) -> None:
    assert sample("run").exit_code == 0
    assert sample("scenario", "add", "both", "--win", "D-105", "--win", "D-106").exit_code == 0
    result = sample("report", "--trials", "500")
    assert result.exit_code == 0, result.stderr
    assert result.stdout == "Wrote report.html\n"
    text = Path("report.html").read_text(encoding="utf-8")
    for heading in (
        "Who is short",
        "hours to spare",
        "in money",
        "What will be won",
        "busy",
        "What if",
        "pipeline",
        "The sync",
    ):
        assert heading in text
    assert "Alder &amp; Finch: Web shop" in text
    assert f"{taiga.url}/project/" in text
    assert re.search(r"D-10\d [^<;]*: [^<;]*: \+1 h \(", text), "a deal behind a gap, by its name"
    assert ": +0 h (" not in text


def test_a_part_that_cannot_be_made_is_named_and_the_rest_is_there(
    sample: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "numpy", None)
    result = sample("report", "--trials", "200", "--json")
    assert result.exit_code == 0, result.stderr
    assert set(json.loads(result.stdout)["missing"]) == {
        "What will be won",
        "Who is short, and when",
    }
    assert "Alder &amp; Finch: Web shop" in Path("report.html").read_text(encoding="utf-8")


def test_the_timeline_shows_reservations_apart_from_what_is_sure(sample: Run) -> None:
    """A reservation for an open deal is hatched, with the deal's chance; hours stand below it."""
    staffed = sample(
        "deals",
        "staff",
        "D-105",
        "ana@example.test",
        "--role",
        "Back",
        "--hours",
        "7",
        "--tentative",
    )
    assert staffed.exit_code == 0, staffed.stderr
    assert sample("report", "--trials", "200", "--weeks", "26").exit_code == 0
    text = Path("report.html").read_text(encoding="utf-8")
    row = re.search(r'<td colspan="\d+" class="maybe"><span>Alder &amp; Finch: Web shop<', text)
    assert row
    told = re.search(
        r'<th scope="row">Ana Müller</th><td>Alder &amp; Finch: Web shop.*?</tr>', text
    )
    assert told
    assert re.search(r"<td>(\d to )?7</td>", told.group())
    assert re.search(r"tentative, \d+ %", told.group())
    assert 'class="sure"><span>' in text


def test_the_quarter_is_whole_and_past_forecasts_are_shown(sample: Run) -> None:
    assert sample("report", "--trials", "200").exit_code == 0
    text = Path("report.html").read_text(encoding="utf-8")
    assert text.count("Won so far</th>") >= 4  # Wins and value, by month and by quarter.
    assert 'class="done"' in text
    assert "Past forecasts, and what came" in text


def test_charts_are_written_as_pictures_too(sample: Run) -> None:
    pytest.importorskip("matplotlib", reason="the extra 'report' is not installed")
    result = sample("report", "out.html", "--trials", "200", "--png", "charts")
    assert result.exit_code == 0, result.stderr
    assert Path("charts/capacity.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in Path("charts/forecast-1.svg").read_text(encoding="utf-8")
    assert Path("charts/timeline.png").read_bytes().startswith(b"\x89PNG")
    assert Path("charts/calibration.png").read_bytes().startswith(b"\x89PNG")


def test_without_the_package_for_pages_it_says_in_one_line_how_to_get_it(
    sample: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    result = sample("report")
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: report needs packages that are not installed (jinja2);")
    assert "[report]" in result.stderr
    assert not Path("report.html").exists()


def test_hours_to_spare_are_coloured_by_what_is_asked_for_beyond_what_there_is() -> None:
    idle = Idle(0.0, 0.0, 0.0, 0.0)
    over = PersonWeek(capacity=30, confirmed=45, tentative=0, expected=45, idle=idle)
    away = replace(over, capacity=0, confirmed=0, expected=0)
    person = PersonCapacity("a@x.se", "Ana", "Back", (over, away), over)
    weeks = Weeks(date(2026, 11, 23), 2)
    report = CapacityReport(weeks.first, weeks, 0.8, 100, 1, 0.0, 0, people=(person,))
    heat = idle_of_people(report, {})
    assert heat is not None
    assert [cell.load for cell in heat.rows[0].cells] == [1.5, None]
