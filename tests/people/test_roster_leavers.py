"""Who is gone from a roster file, and who has a new address there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run, environment, run

__all__ = ["environment", "run"]


@pytest.fixture(autouse=True)
def pipeline(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(
        'pipeline = "test"\n[target]\nurl = "https://taiga.example.com"\nusername = "bot"\n'
        'password_env = "SECRET"\n'
    )


@pytest.fixture
def funnel(run: Run, tmp_path: Path) -> None:
    """A configuration with a mapping, where deals can be staffed and capacity be asked for."""
    (tmp_path / "config.toml").unlink()
    run("init", "--taiga-url", "https://taiga.example.com", "--username", "bot")


def save(folder: Path, *rows: str, name: str = "p.csv") -> None:
    header = "Employee ID,Email,Name,Role,Weekly hours,Start date,End date"
    (folder / name).write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")


def emails(run: Run) -> list[str]:
    return [each["email"] for each in json.loads(run("people", "list", "--json").stdout)]


OLD = ",ana.old@x.se,Ana Ek,Back,32,2024-01-01,"
NEW = ",ana.new@x.se,Ana Ek,Back,32,2024-01-01,"
BO = ",bo@x.se,Bo Li,Front,40,2024-01-01,"


def test_who_is_gone_from_the_file_is_named_and_kept_until_a_last_day_is_known(
    run: Run, tmp_path: Path
) -> None:
    save(tmp_path, OLD, BO)
    run("people", "import", "p.csv")
    save(tmp_path, BO)
    for _ in range(2):  # not only once: their hours still count
        result = run("people", "import", "p.csv")
        assert result.exit_code == 0
        assert "1 person of earlier imports is no longer in the file; kept" in result.stdout
        assert "pipeline-sync people edit ana.old@x.se --ends DATE" in result.stdout
    assert emails(run) == ["ana.old@x.se", "bo@x.se"]
    run("people", "edit", "ana.old@x.se", "--ends", "2026-11-30")
    assert "no longer in the file" not in run("people", "import", "p.csv").stdout


def test_nothing_is_concluded_from_a_file_that_is_cut_off(run: Run, tmp_path: Path) -> None:
    save(tmp_path, OLD, BO)
    run("people", "import", "p.csv")
    save(tmp_path, BO, ",ana.o")
    result = run("people", "import", "p.csv")
    assert "no longer in the file" not in result.stdout
    assert "missing people are ignored" in result.stdout


def test_a_row_that_cannot_be_read_is_not_gone(run: Run, tmp_path: Path) -> None:
    save(tmp_path, OLD, BO)
    run("people", "import", "p.csv")
    save(tmp_path, OLD.replace("32", "lots"), BO)
    result = run("people", "import", "p.csv")
    assert result.exit_code == 3
    assert "no longer in the file" not in result.stdout


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        (OLD, NEW, "same name 'Ana Ek'"),
        (OLD, NEW.replace("Ana Ek", "EK, ANA").replace("EK, ANA", '"EK, ANA"'), "same name"),
        (OLD, NEW.replace("Back", "Lead"), "same name"),
        (f"7{OLD}", f"7{NEW}", "same employee number '7'"),
        (f"7{OLD}", f"7{NEW.replace('Ana Ek', 'Ana Berg')}", "same employee number '7'"),
    ],
)
def test_somebody_with_a_new_address_is_held_back_and_never_counted_twice(
    run: Run, tmp_path: Path, before: str, after: str, reason: str
) -> None:
    save(tmp_path, before, BO)
    run("people", "import", "p.csv")
    save(tmp_path, after, BO)
    result = run("people", "import", "p.csv")
    assert result.exit_code == 3
    assert result.stdout.startswith("0 added, 0 changed, 1 unchanged, 0 left out, 1 held back\n")
    assert f"ana.new@x.se may be ana.old@x.se with a new address ({reason}" in result.stderr
    assert "pipeline-sync people rename ana.old@x.se ana.new@x.se" in result.stderr
    assert emails(run) == ["ana.old@x.se", "bo@x.se"]
    assert run("people", "rename", "ana.old@x.se", "ana.new@x.se").exit_code == 0
    assert run("people", "import", "p.csv").exit_code == 0
    assert emails(run) == ["ana.new@x.se", "bo@x.se"]


def test_somebody_typed_by_hand_is_not_added_again_by_the_first_import(
    run: Run, tmp_path: Path
) -> None:
    run("people", "add", "ana.old@x.se", "Ana Ek", "--role", "Back")
    save(tmp_path, NEW)
    assert run("people", "import", "p.csv").exit_code == 3
    assert emails(run) == ["ana.old@x.se"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (OLD, NEW.replace("Ana Ek", "Cy Ek")),
        (f"7{OLD}", f"8{NEW}"),
        (f"{OLD}2026-10-31", NEW),
    ],
    ids=["another name", "another number", "who left long ago"],
)
def test_two_people_are_two(run: Run, tmp_path: Path, before: str, after: str) -> None:
    save(tmp_path, before)
    run("people", "import", "p.csv")
    save(tmp_path, after)
    assert run("people", "import", "p.csv").exit_code == 0
    assert emails(run) == ["ana.new@x.se", "ana.old@x.se"]


def test_who_is_another_person_after_all_is_added_by_hand(run: Run, tmp_path: Path) -> None:
    save(tmp_path, OLD)
    run("people", "import", "p.csv")
    save(tmp_path, NEW)
    run("people", "add", "ana.new@x.se", "Ana Ek")
    assert run("people", "import", "p.csv").exit_code == 0
    assert len(emails(run)) == 2


def test_what_people_changed_stays_while_the_file_says_the_same(run: Run, tmp_path: Path) -> None:
    save(tmp_path, OLD)
    run("people", "import", "p.csv")
    run("people", "edit", "ana.old@x.se", "--hours", "20", "--team", "north")
    run("people", "import", "p.csv")
    (person,) = json.loads(run("people", "list", "--json").stdout)
    assert (person["hours_per_week"], person["team"]) == ("20", "north")
    save(tmp_path, OLD.replace("32", "36").replace("2024-01-01", ""))
    run("people", "import", "p.csv")
    (person,) = json.loads(run("people", "list", "--json").stdout)
    assert (person["hours_per_week"], person["team"], person["starts"]) == ("36", "north", None)


def test_a_list_with_the_day_in_its_name_says_how_to_join_it(run: Run, tmp_path: Path) -> None:
    save(tmp_path, OLD, BO, name="hr-1.csv")
    run("people", "import", "hr-1.csv")
    save(tmp_path, BO, name="hr-2.csv")
    assert "--origin hr-1.csv" in run("people", "import", "hr-2.csv").stdout
    result = run("people", "import", "hr-2.csv", "--origin", "hr-1.csv")
    assert "no longer in the file" in result.stdout


@pytest.mark.usefixtures("funnel")
def test_everything_of_a_person_goes_along_to_a_new_address(run: Run, tmp_path: Path) -> None:
    save(tmp_path, OLD)
    run("people", "import", "p.csv")
    run("people", "off", "add", "ana.old@x.se", "2026-12-21")
    run("deals", "add", "D-1", "One", "--customer", "C", "--stage", "Proposal")
    staff = ("deals", "staff", "D-1", "ana.old@x.se", "--role", "Back", "--hours", "30")
    assert run(*staff, "--tentative").exit_code == 0
    before = json.loads(run("people", "allocations", "list", "--json").stdout)
    run("people", "rename", "Ana.Old@x.se", "Ana.New@x.se")
    after = json.loads(run("people", "allocations", "list", "--json").stdout)
    assert after == [{**before[0], "email": "ana.new@x.se"}]
    (off,) = json.loads(run("people", "off", "list", "--json").stdout)
    assert off["email"] == "ana.new@x.se"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("nobody@x.se", "new@x.se", "no person has the address"),
        ("ana@x.se", "bo@x.se", "bo@x.se is on the roster already"),
        ("ana@x.se", "ANA@x.se", "is the address already"),
        ("ana@x.se", "nonsense", "not an e-mail address"),
    ],
)
def test_a_rename_that_cannot_be_changes_nothing(
    run: Run, old: str, new: str, message: str
) -> None:
    run("people", "add", "ana@x.se", "Ana")
    run("people", "add", "bo@x.se", "Bo")
    result = run("people", "rename", old, new)
    assert result.exit_code == 2
    assert message in result.stderr
    assert emails(run) == ["ana@x.se", "bo@x.se"]


@pytest.mark.usefixtures("funnel")
def test_capacity_counts_a_person_with_a_new_address_once(run: Run, tmp_path: Path) -> None:
    save(tmp_path, OLD)
    run("people", "import", "p.csv")
    before = run("capacity", "--weeks", "3", "--json")
    save(tmp_path, NEW)
    run("people", "import", "p.csv")
    after = run("capacity", "--weeks", "3", "--json")
    assert before.exit_code == after.exit_code == 0, after.output
    assert json.loads(before.stdout) == json.loads(after.stdout)
