"""Calendars of leave tools and calendar programs, imported from the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

from tests.cli.conftest import Run, environment, run

__all__ = ["environment", "run"]

CASES: Final = Path(__file__).parents[1] / "cases"
CONFIG: Final = (
    'pipeline = "test"\ntime_zone = "{zone}"\n[target]\nurl = "https://taiga.example.com"\n'
    'username = "bot"\npassword_env = "SECRET"\n'
)


def prepare(run: Run, folder: Path, zone: str, *people: str) -> None:
    (folder / "config.toml").write_text(CONFIG.format(zone=zone))
    for email in people:
        run("people", "add", email, email.partition("@")[0].capitalize())


def spans(run: Run) -> list[str]:
    found = json.loads(run("people", "off", "list", "--json").stdout)
    return [
        f"{each['email'].partition('@')[0]} {each['first']} {each['last']} {each['reason']}"
        for each in found
    ]


@pytest.mark.parametrize("name", ["time-off-leave-tool", "time-off-whole-days"])
def test_a_calendar_is_read_as_its_people_meant_it(run: Run, tmp_path: Path, name: str) -> None:
    wanted: dict[str, Any] = json.loads((CASES / name / "expected.json").read_text())
    prepare(run, tmp_path, wanted["time_zone"], *wanted["people"])
    whose = ("--person", wanted["person"]) if wanted["person"] else ()
    result = run("people", "off", "import", str(CASES / name / "calendar.ics"), *whose, "--json")
    assert result.exit_code == wanted["exit_code"], result.output
    report = json.loads(result.stdout)
    assert report["ignored"] == wanted["ignored"]
    assert report["left_out"] == wanted["left_out"]
    assert spans(run) == wanted["time_off"]


def calendar(*events: str) -> str:
    text = "\n".join(("BEGIN:VCALENDAR", "VERSION:2.0", *events, "END:VCALENDAR", ""))
    return text.replace("\n", "\r\n")


def day_off(uid: str, first: str, *lines: str, person: str = "ana") -> str:
    attendee = f"ATTENDEE:mailto:{person}@example.com"
    begin = f"DTSTART;VALUE=DATE:{first}"
    return "\n".join(("BEGIN:VEVENT", f"UID:{uid}", begin, attendee, *lines, "END:VEVENT"))


@pytest.fixture
def team(run: Run, tmp_path: Path) -> Run:
    """A roster of two, and ``team.ics`` imported once: Ana is off on three days, Ben on one."""
    prepare(run, tmp_path, "UTC", "ana@example.com", "ben@example.com")
    events = [day_off(f"{n}@x", f"2027010{n}") for n in (4, 5, 6)]
    save(tmp_path, *events, day_off("b@x", "20270201", person="ben"))
    assert run("people", "off", "import", "team.ics").stdout.startswith("4 added")
    return run


def save(folder: Path, *events: str, name: str = "team.ics") -> None:
    (folder / name).write_text(calendar(*events), newline="")


def test_the_same_calendar_again_changes_nothing(team: Run) -> None:
    before = spans(team)
    result = team("people", "off", "import", "team.ics")
    assert result.stdout == "0 added, 0 changed, 4 unchanged, 0 left out\n"
    assert spans(team) == before


def test_what_was_moved_or_cancelled_or_taken_out_goes_and_what_was_typed_stays(
    team: Run, tmp_path: Path
) -> None:
    team("people", "off", "add", "ana@example.com", "2027-03-01", "--reason", "typed")
    save(
        tmp_path,
        day_off("4@x", "20270111"),
        day_off("5@x", "20270105", "STATUS:CANCELLED"),
        day_off("b@x", "20270201", person="ben"),
    )
    result = team("people", "off", "import", "team.ics")
    assert result.stdout.startswith("1 added, 0 changed, 1 unchanged, 3 removed, 0 left out\n")
    assert "note: gone or moved at the source: ana@example.com 2027-01-06 to" in result.stdout
    assert [each.rpartition(" ")[0] for each in spans(team)] == [
        "ana 2027-01-11 2027-01-11",
        "ana 2027-03-01 2027-03-01",
        "ben 2027-02-01 2027-02-01",
    ]


def test_an_event_that_moved_goes_also_if_its_calendar_has_a_new_file_name(
    team: Run, tmp_path: Path
) -> None:
    save(tmp_path, day_off("4@x", "20270111"), name="team-2026-12.ics")
    team("people", "off", "import", "team-2026-12.ics")
    assert [each.split()[1] for each in spans(team)] == [
        "2027-01-05",
        "2027-01-06",
        "2027-01-11",
        "2027-02-01",
    ]


def test_days_that_somebody_typed_are_theirs_though_a_calendar_names_them_too(
    team: Run, tmp_path: Path
) -> None:
    team("people", "off", "add", "ana@example.com", "2027-03-01", "--reason", "typed")
    stays = day_off("4@x", "20270104")
    save(tmp_path, stays, day_off("t@x", "20270301", "SUMMARY:From the tool"))
    team("people", "off", "import", "team.ics")
    save(tmp_path, stays)
    team("people", "off", "import", "team.ics")
    assert "ana 2027-03-01 2027-03-01 typed" in spans(team)


def test_what_was_taken_back_by_hand_is_not_made_again(team: Run) -> None:
    team("people", "off", "remove", "ana@example.com", "2027-01-05")
    result = team("people", "off", "import", "team.ics")
    assert "1 span of time off removed by hand before: not added again" in result.stdout
    assert len(spans(team)) == 3


def test_another_calendar_with_the_same_file_name_takes_nothing_back(
    team: Run, tmp_path: Path
) -> None:
    save(tmp_path, day_off("other@y", "20270601", person="ben"))
    result = team("people", "off", "import", "team.ics")
    assert result.exit_code == 3
    assert "4 events of the last import are gone from the file" in result.stderr
    assert "--origin NAME" in result.stderr
    assert len(spans(team)) == 5


def test_a_calendar_that_lost_most_of_its_events_takes_them_back_only_if_asked(
    team: Run, tmp_path: Path
) -> None:
    many = [day_off(f"m{n}@x", f"202704{n:02}") for n in range(1, 31)]
    save(tmp_path, day_off("4@x", "20270104"), *many)
    team("people", "off", "import", "team.ics")
    save(tmp_path, day_off("4@x", "20270104"))
    result = team("people", "off", "import", "team.ics")
    assert result.exit_code == 3
    assert len(spans(team)) == 31
    assert team("people", "off", "import", "team.ics", "--remove-gone").exit_code == 0
    assert len(spans(team)) == 1


def test_files_of_two_people_with_one_name_are_two_calendars(team: Run, tmp_path: Path) -> None:
    for person, day in (("ana", "20270601"), ("ben", "20270602")):
        save(tmp_path, day_off("one@z", day, person="nobody"), name="calendar.ics")
        team("people", "off", "import", "calendar.ics", "--person", f"{person}@example.com")
    found = [each.rpartition(" ")[0] for each in spans(team)]
    assert "ana 2027-06-01 2027-06-01" in found
    assert "ben 2027-06-02 2027-06-02" in found


def test_options_for_calendars_are_refused_for_other_files(team: Run, tmp_path: Path) -> None:
    (tmp_path / "off.csv").write_text("email,first\nana@example.com,2027-01-04\n")
    for option in (("--person", "ana@example.com"), ("--origin", "x"), ("--remove-gone",)):
        assert team("people", "off", "import", "off.csv", *option).exit_code == 2
    assert team("people", "off", "import", "team.ics", "--encoding", "x").exit_code == 2


def test_a_calendar_is_known_by_its_content_too(team: Run, tmp_path: Path) -> None:
    save(tmp_path, day_off("z@x", "20270801"), name="export.txt")
    assert team("people", "off", "import", "export.txt").stdout.startswith("1 added")


def test_days_of_a_file_of_time_off_are_decided_by_their_column(run: Run, tmp_path: Path) -> None:
    prepare(run, tmp_path, "UTC", "ana@example.com")
    (tmp_path / "off.csv").write_text(
        "email,first,last\nAna <ana@example.com>,01/04/2027,01/08/2027\n"
        "ana@example.com;,02/15/2027,02/19/2027\n"
    )
    result = run("people", "off", "import", "off.csv")
    assert result.exit_code == 0, result.output
    assert "note: 'first': %m/%d/%Y reads all 2 cells, %d/%m/%Y 1" in result.stdout
    assert [each.split()[1] for each in spans(run)] == ["2027-01-04", "2027-02-15"]


def test_days_that_may_be_two_are_refused_until_somebody_says(run: Run, tmp_path: Path) -> None:
    prepare(run, tmp_path, "UTC", "ana@example.com")
    (tmp_path / "off.csv").write_text("email,first\nana@example.com,01/04/2027\n")
    result = run("people", "off", "import", "off.csv")
    assert result.exit_code == 3
    assert "--date-format" in result.stderr
    assert run("people", "off", "import", "off.csv", "--date-format", "%m/%d/%Y").exit_code == 0
    assert [each.split()[1] for each in spans(run)] == ["2027-01-04"]
