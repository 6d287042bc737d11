"""The calendar of the pipeline: written by runs, subscribed to by calendars."""

from __future__ import annotations

import stat
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from icalendar import Calendar

from taiga_pipeline.sources.store import StoreSource
from tests.cli.conftest import Run

HOSTILE = "Portal; \\n, BEGIN:VEVENT\x1b[31m"


@pytest.fixture
def config(tmp_path: Path, sample: Run) -> Path:
    """The configuration of the sample, which asks for a calendar of all that there is."""
    path = tmp_path / "config.toml"
    with path.open("a", encoding="utf-8") as file:
        file.write(
            '\n[[field]]\nname = "signed"\nkind = "date"\nlabel = "Contract signed"\n'
            '\n[[field]]\nname = "region"\n'
            '\n[calendar]\nfile = "deals.ics"\nname = "Sälj; Nord"\n'
            'events = ["expected_close", "start", "next_step_on", "signed"]\n'
        )
    return path


def add(run: Run, key: str, *options: str, stage: str = "Proposal", name: str = "Portal") -> None:
    result = run("deals", "add", key, name, "--customer", "Acme", "--stage", stage, *options)
    assert result.exit_code == 0, result.output


def events(content: bytes) -> dict[str, Any]:
    """Returns the events of the deals that tests add, by their key and category."""
    found = {}
    for event in Calendar.from_ical(content).walk("VEVENT"):
        key = str(event["DESCRIPTION"]).split("\n", 1)[0]
        if key.startswith("T-"):
            found[f"{key} {event['CATEGORIES'].cats[0]}"] = event
    return found


def exported(run: Run) -> bytes:
    result = run("calendar", "export", "out.ics")
    assert result.exit_code == 0, result.output
    return Path("out.ics").read_bytes()


def test_each_day_of_a_deal_is_an_event_on_that_whole_day(sample: Run, config: Path) -> None:
    add(
        sample, "T-1", "--value", "1200", "--currency", "SEK", "--expected-close", "2026-12-14",
        "--start", "2027-01-04", "--next-step", "Call Ann", "--next-step-on", "2026-11-30",
        "--set", "signed=2026-12-20", "--set", "region=North",
    )  # fmt: skip
    found = events(exported(sample))
    assert {event.end - event.start for event in found.values()} == {timedelta(days=1)}
    assert {name: str(event.start) for name, event in found.items()} == {
        "T-1 Decision expected": "2026-12-14",
        "T-1 Start": "2027-01-04",
        "T-1 Next step on": "2026-11-30",
        "T-1 Contract signed": "2026-12-20",
    }
    close, step = found["T-1 Decision expected"], found["T-1 Next step on"]
    assert str(close["SUMMARY"]) == "Decision expected: Acme: Portal (50 %)"
    assert str(step["SUMMARY"]) == "Call Ann – Acme: Portal"
    assert {"Value: 1200 SEK", "Region: North"} <= set(str(close["DESCRIPTION"]).split("\n"))
    assert (str(close["STATUS"]), str(close["TRANSP"])) == ("TENTATIVE", "TRANSPARENT")


def test_a_day_that_moves_keeps_its_event_and_a_lost_deal_has_none(
    sample: Run, config: Path
) -> None:
    add(sample, "T-1", "--expected-close", "2026-12-14")
    add(sample, "T-2", "--start", "2027-01-04", stage="Lost")
    before = events(exported(sample))
    sample("deals", "edit", "T-1", "--expected-close", "2027-02-01")
    after = events(exported(sample))
    assert list(before) == list(after) == ["T-1 Decision expected"]
    assert [str(each["T-1 Decision expected"]["UID"]) for each in (before, after)] == [
        str(before["T-1 Decision expected"]["UID"])
    ] * 2


def test_text_of_deals_is_text(sample: Run, config: Path) -> None:
    add(sample, "T-1", "--expected-close", "2026-12-14", name=HOSTILE)
    content = exported(sample)
    event = events(content)["T-1 Decision expected"]
    assert "Portal; \\n, BEGIN:VEVENT [31m" in str(event["SUMMARY"])
    assert b"\x1b" not in content
    assert str(Calendar.from_ical(content)["X-WR-CALNAME"]) == "Sälj; Nord"


def test_a_run_writes_it_once_and_leaves_it_alone_while_nothing_changes(
    sample: Run, config: Path, tmp_path: Path
) -> None:
    file = tmp_path / "deals.ics"
    add(sample, "T-1", "--expected-close", "2026-12-14")
    sample("run")
    first, content = file.stat(), file.read_bytes()
    assert "T-1 Decision expected" in events(content)
    assert stat.S_IMODE(first.st_mode) == 0o600
    sample("run")
    assert file.stat().st_ino == first.st_ino
    sample("deals", "edit", "T-1", "--expected-close", "2026-12-15")
    sample("run")
    assert file.read_bytes() != content
    assert not list(tmp_path.glob("*.part"))


def test_a_calendar_that_cannot_be_written_stops_no_run(
    sample: Run, config: Path, caplog: pytest.LogCaptureFixture
) -> None:
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace('"deals.ics"', '"no/such/folder/deals.ics"'), encoding="utf-8")
    result = sample("run")
    assert result.exit_code == 0, result.output
    assert "deals.ics" in result.stderr + caplog.text


def test_a_field_that_has_no_days_is_refused_with_those_that_have(
    sample: Run, config: Path
) -> None:
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace('"signed"]', '"singed"]'), encoding="utf-8")
    for command in (("calendar", "export"), ("check",)):
        result = sample(*command)
        assert result.exit_code == 2, result.output
        assert "'singed' cannot stand here; did you mean 'signed'" in result.output


def test_a_run_reads_the_deals_once_for_projects_and_calendar(
    sample: Run, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample("run")
    readings: list[int] = []
    read = StoreSource.read
    monkeypatch.setattr(StoreSource, "read", lambda self: readings.append(1) or read(self))
    add(sample, "T-1", "--expected-close", "2026-12-14")
    sample("run")
    assert "T-1 Decision expected" in events(Path("deals.ics").read_bytes())
    assert len(readings) == 1
