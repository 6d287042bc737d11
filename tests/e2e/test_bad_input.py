"""Bad input: one clear message with the place and the way out, the documented exit code,
everything else synced where that is safe, and nothing lost."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from sync.database import engine as database
from taiga_pipeline.sandbox.embedded import Sandbox
from tests.cli.conftest import Run, damage_stage, project_names, writes


def edit(path: str, old: str, new: str) -> None:
    text = Path(path).read_text(encoding="utf-8")
    assert old in text
    Path(path).write_text(text.replace(old, new, 1), encoding="utf-8")


def test_an_unknown_stage_leaves_one_deal_out_and_names_the_nearest(
    sample: Run, taiga: Sandbox
) -> None:
    damage_stage("D-105", "Propsal")
    result = sample("run")
    assert result.exit_code == 3
    assert "D-105" in result.stdout
    assert "Propsal" in result.stdout
    assert "did you mean 'Proposal'" in result.stdout.replace('"', "'")
    assert len(project_names(taiga)) == 5


@pytest.mark.parametrize(
    ("old", "new", "column", "message"),
    [
        ('title = "{customer}', 'title = "{custmer}', 10, 'did you mean "customer"'),
        ("closed_within_days", "closed_wihtin_days", 1, '"closed_within_days"'),
        ("probability = 0.05", 'probability = "low"', 15, "must be a number"),
        ('category = "lead"', 'category = "lead', 17, "is not TOML"),
    ],
    ids=["unknown placeholder", "unknown key", "wrong type", "broken TOML"],
)
def test_a_mistake_in_a_mapping_stops_the_run_with_its_place(
    sample: Run, taiga: Sandbox, old: str, new: str, column: int, message: str
) -> None:
    text = Path("mappings/default.toml").read_text(encoding="utf-8")
    line = text[: text.index(old)].count("\n") + 1
    edit("mappings/default.toml", old, new)
    result = sample("run")
    assert result.exit_code == 2
    assert f"default.toml:{line}:{column}:" in result.stderr
    assert message in result.stderr
    assert writes(taiga) == []


def test_two_mappings_for_one_deal_are_named_both(sample: Run, taiga: Sandbox) -> None:
    text = Path("mappings/default.toml").read_text(encoding="utf-8")
    for name in ("one", "two"):
        match = f'name = "{name}"\nmatch = {{ {"service" if name == "one" else "customer"} = '
        match += '["web"] }' if name == "one" else '["Alder & Finch"] }'
        copy = text.replace('name = "default"', match, 1)
        Path(f"mappings/{name}.toml").write_text(copy, encoding="utf-8")
    result = sample("run")
    assert result.exit_code in (2, 3)
    said = result.stdout + result.stderr
    assert "one.toml" in said
    assert "two.toml" in said


def test_a_wrong_password_says_so_and_nothing_is_sent(
    sample: Run, taiga: Sandbox, environment: dict[str, str]
) -> None:
    environment["TAIGA_PASSWORD"] = "guessed"
    result = sample("run")
    assert result.exit_code == 6
    assert "password" in result.stderr.lower()
    assert "guessed" not in result.output + result.stderr
    assert writes(taiga) == []


def test_an_address_where_something_else_answers_is_named(sample: Run, taiga: Sandbox) -> None:
    edit("config.toml", taiga.url, f"{taiga.url}/elsewhere")
    result = sample("run")
    assert result.exit_code == 6
    assert "/elsewhere" in result.stderr


def test_an_address_where_nobody_answers_is_named(sample: Run, taiga: Sandbox) -> None:
    edit("config.toml", taiga.url, "http://127.0.0.1:9")
    result = sample("run")
    assert result.exit_code == 6
    assert "127.0.0.1:9" in result.stderr


def test_a_project_without_rights_waits_and_all_others_are_synced(
    sample: Run, taiga: Sandbox
) -> None:
    assert sample("run").exit_code == 0
    bot = taiga.as_user(taiga.username)
    project = next(p for p in bot.get("/projects") if p["name"].endswith("Web shop"))
    taiga.lock_project(project["id"], blocked_code="blocked-by-staff")
    for key in ("D-105", "D-106"):
        assert sample("deals", "edit", key, "--value", "1000").exit_code == 0
    result = sample("run")
    assert result.exit_code == 3
    assert "D-105" in result.stdout
    assert "blocked" in result.stdout
    descriptions = {p["name"]: p["description"] for p in bot.get("/projects")}
    changed = [name for name, text in descriptions.items() if "Value: 1,000 EUR" in text]
    assert [name.endswith("Meter dashboard") for name in changed] == [True]


def test_a_locked_store_is_named_with_the_way_out(
    sample: Run, taiga: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(database.open_engine.__kwdefaults__, "busy_seconds", 0.05)
    connection = sqlite3.connect("pipeline.db", isolation_level=None)
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.execute("BEGIN EXCLUSIVE")
    result = sample("run")
    connection.close()
    assert result.exit_code == 6
    assert "pipeline.db is in use" in result.stderr
    assert writes(taiga) == []


def test_a_damaged_store_is_named_and_its_deals_are_not_taken_for_gone(
    sample: Run, taiga: Sandbox
) -> None:
    assert sample("run").exit_code == 0
    before = project_names(taiga)
    for extra in ("-wal", "-shm"):
        Path(f"pipeline.db{extra}").unlink(missing_ok=True)
    Path("pipeline.db").write_bytes(b"no database at all, " * 200)
    result = sample("run")
    assert result.exit_code == 6
    assert "pipeline.db" in result.stderr
    assert "damaged" in result.stderr
    assert project_names(taiga) == before


def test_a_latin_1_file_with_a_broken_row_comes_in_as_far_as_it_can(sample: Run) -> None:
    rows = ["key;namn;kund;steg;värde", "X-1;Butik;Åkes Järn;Proposal;1000", "X-2;Trasig;B;;mycket"]
    Path("affärer.csv").write_bytes("\n".join(rows).encode("latin-1"))
    found = sample("deals", "import", "affärer.csv", "--dry-run")
    assert "read as cp1252" in found.stdout and "--encoding NAME" in found.stdout
    columns = ("--column", "name=namn", "--column", "customer=kund", "--column", "stage=steg")
    latin = ("--encoding", "latin-1", "--column", "value=värde", "--currency", "SEK")
    result = sample("deals", "import", "affärer.csv", *latin, *columns)
    assert result.exit_code == 3
    assert "3" in result.output
    assert "mycket" in result.output + result.stderr
    assert "Åkes Järn" in sample("deals", "show", "X-1").stdout
    assert sample("deals", "show", "X-2").exit_code == 2


def test_the_same_key_twice_counts_once_and_is_reported(sample: Run) -> None:
    Path("twice.csv").write_text(
        "key,name,stage\nX-1,First,Lead\nX-1,Second,Lead\nx-1,Third,Lead\n", encoding="utf-8"
    )
    result = sample("deals", "import", "twice.csv")
    assert result.exit_code == 3
    said = result.output + result.stderr
    assert "line 3" in said or ":3" in said
    assert "First" in sample("deals", "show", "X-1").stdout
