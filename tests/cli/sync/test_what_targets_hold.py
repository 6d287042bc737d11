"""What the target cannot hold of a mapping is left out, and said once: here, of a Redmine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import NOW, Run
from tests.targets.redmine.fake import KEY, ROBOT_KEY, URL, FakeRedmine

NOTE = "Redmine has no place for"


@pytest.fixture
def redmine(run: Run, environment: dict[str, str]) -> Iterator[FakeRedmine]:
    """A Redmine, and a pipeline of one deal that is connected to it."""
    fake = FakeRedmine(now=lambda: NOW)
    run("init")
    config = Path("config.toml")
    text = config.read_text(encoding="utf-8")
    begin, end = text.index("[target]"), text.index("[sync]")
    section = f'[target]\nkind = "redmine"\nurl = "{URL}"\ntoken_env = "REDMINE_TOKEN"\n\n'
    config.write_text(text[:begin] + section + text[end:], encoding="utf-8")
    environment["REDMINE_TOKEN"] = KEY
    run("deals", "add", "D-1", "Shop", "--stage", "Proposal", "--start", "2027-01-11")
    with fake.answer():
        yield fake


def test_one_note_is_told_by_the_run_that_first_leaves_something_out(
    run: Run, redmine: FakeRedmine
) -> None:
    first = run("run")
    assert first.exit_code == 0, first.stderr
    assert first.stdout.count(NOTE) == 1
    assert "pages" in first.stdout
    assert "start of milestones" in first.stdout
    run("deals", "add", "D-2", "Portal", "--stage", "Proposal", "--start", "2027-01-11")
    assert NOTE not in run("run").stdout
    assert run("run").stdout == ""


def test_a_note_that_says_something_new_is_told(run: Run, redmine: FakeRedmine) -> None:
    run("run")
    with Path("mappings/default.toml").open("a", encoding="utf-8") as file:
        file.write('\n[[story]]\nsubject = "Call them"\ntags = ["call"]\n')
    assert "tags of stories" in run("run").stdout


def test_a_plan_and_a_check_say_it_whenever_they_are_asked(run: Run, redmine: FakeRedmine) -> None:
    run("run")
    assert run("plan").stdout.count(NOTE) == 1
    (note,) = json.loads(run("plan", "--json").stdout)["notes"]
    assert note.startswith(NOTE)
    for command in (("check",), ("check", "--offline")):
        assert run(*command).stdout.count(NOTE) == 1, command


def test_a_check_refuses_a_project_as_template_where_none_can_be_copied(
    run: Run, redmine: FakeRedmine
) -> None:
    mapping = Path("mappings/default.toml")
    text = mapping.read_text(encoding="utf-8")
    assert 'template = "scrum"' in text
    text = text.replace('template = "scrum"', 'template = "project:42"')
    mapping.write_text(text, encoding="utf-8")
    result = run("check")
    assert result.exit_code == 2, result.stdout
    assert "default.toml" in result.stdout
    assert "Redmine copies no project by its API" in result.stdout
    assert "Redmine copies no project by its API" in run("run").stdout


def test_a_check_says_that_nothing_keeps_a_second_machine_out(
    run: Run, redmine: FakeRedmine, environment: dict[str, str]
) -> None:
    """Where the account may not write the wiki page that the turns are on."""
    environment["REDMINE_TOKEN"] = ROBOT_KEY
    run("run")
    reported = "Redmine does not keep a second machine out"
    assert reported in run("check").stdout
    text = Path("config.toml").read_text(encoding="utf-8")
    Path("config.toml").write_text(text.replace("[sync]", "[sync]\nlease_seconds = 0", 1))
    assert reported not in run("check").stdout


def test_a_target_that_is_not_installed_hides_nothing_else(run: Run, redmine: FakeRedmine) -> None:
    config = Path("config.toml")
    text = config.read_text(encoding="utf-8").replace('"redmine"', '"redmin"')
    config.write_text(text, encoding="utf-8")
    assert run("check", "--offline").exit_code == 0
    result = run("check")
    assert result.exit_code == 2
    assert result.stdout.count("'redmin' is not installed; did you mean 'redmine'") == 1


def test_an_explanation_shows_what_is_held_and_says_what_is_not(
    run: Run, redmine: FakeRedmine
) -> None:
    shown = json.loads(run("mapping", "explain", "D-1", "--json").stdout)
    (project,) = [record for record in shown["records"] if record["kind"] == "project"]
    assert "tags" not in {field["field"] for field in project["fields"]}
    assert sum(NOTE in remark for remark in shown["remarks"]) == 1


def test_an_edit_of_what_cannot_be_held_changes_nothing(run: Run, redmine: FakeRedmine) -> None:
    run("run")
    mapping = Path("mappings/default.toml")
    edited = Path("edited.toml")
    text = mapping.read_text(encoding="utf-8").replace('template = "scrum"', 'template = "kanban"')
    assert text != mapping.read_text(encoding="utf-8")
    edited.write_text(text, encoding="utf-8")
    result = run("mapping", "diff", "edited.toml", "--json")
    assert json.loads(result.stdout)["deals"] == []
