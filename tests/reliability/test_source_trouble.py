"""A source in trouble: no project is retired because of it, and the message says what to do.

All of it with ``when_gone = "retire"``, the setting with which a deal that is gone from the source
has its project retired; `source_trouble_world` sets that up.
"""

from __future__ import annotations

import random
import resource
import sqlite3
import subprocess
import sys
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sync.database import engine as database
from taiga_pipeline.sandbox.persistence import dump, load
from tests.profiles import sampled
from tests.reliability.source_trouble_world import (
    DEALS,
    HEADER,
    ROWS,
    Company,
    checkpoint,
    company,
    row,
    taiga,
    with_store,
)

pytestmark = pytest.mark.sampled_tests(4)

__all__ = ["company", "taiga", "with_store"]  # fixtures

PAGE = 4096
_HOLD = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA locking_mode = EXCLUSIVE")
connection.execute("BEGIN EXCLUSIVE")
connection.execute("CREATE TABLE held (held)")
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Lets another process hold a SQLite file for itself, in the middle of a change."""
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        yield
    finally:
        holder.kill()
        holder.communicate()


def replace_database(file: Path, content: bytes) -> None:
    """Puts another content in place of a SQLite file, and takes its side files away."""
    for side in ("-wal", "-shm"):
        file.with_name(file.name + side).unlink(missing_ok=True)
    file.write_bytes(content)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits for a locked database only briefly."""
    defaults: dict[str, Any] = dict(database.open_engine.__kwdefaults__)
    monkeypatch.setattr(database.open_engine, "__kwdefaults__", defaults | {"busy_seconds": 0.05})


# A CSV file that is cut off


@pytest.mark.parametrize("share", [0.3, 0.85])
@pytest.mark.parametrize("column", range(HEADER.count(",") + 1))
def test_a_file_that_is_cut_off_in_any_column_puts_nothing_away(
    company: Company, share: float, column: int
) -> None:
    text = company.file.read_text()
    line = ROWS[int(share * DEALS)]
    cells = line.split(",")
    kept = len(",".join(cells[:column])) + len(cells[column]) // 2 + (column > 0)
    company.file.write_text(text[: text.index(line) + kept])
    result = company.run()
    assert result.exit_code in (0, 3), result.output
    company.assert_untouched()
    company.write()
    company.assert_in_step()


def test_a_file_that_is_cut_off_between_two_rows_is_held_back_by_the_limit(
    company: Company,
) -> None:
    company.write(ROWS[:12])
    result = company.run()
    assert result.exit_code == 4
    assert "limit 'source_shrink': 8 planned, 6 (30% of 20) allowed" in result.stderr
    company.assert_untouched()
    company.write()
    company.assert_in_step()


@pytest.mark.parametrize("rows", [ROWS[:2], (), ROWS[7:8]])
def test_a_source_that_suddenly_holds_next_to_nothing_is_refused(
    company: Company, rows: tuple[str, ...]
) -> None:
    company.write(rows)
    result = company.run()
    assert result.exit_code == 4
    assert f"limit 'source_shrink': {DEALS - len(rows)} planned" in result.stderr
    assert "nothing is retired because it is missing" in result.stderr
    company.assert_untouched()
    company.write()
    company.assert_in_step()


def test_a_source_that_lost_a_column_clears_no_fact_in_every_project(company: Company) -> None:
    company.write_without("value")
    result = company.run()
    assert result.exit_code == 4
    assert f"limit 'cleared': {DEALS} planned (Value)" in result.stderr
    assert "a column that the source does not hold any more" in result.stderr
    company.assert_untouched()
    company.write()
    company.assert_in_step()


@pytest.mark.parametrize("left", [0, 1, 2])
def test_a_small_source_that_lost_its_deals_is_refused_too(company: Company, left: int) -> None:
    company.write(ROWS[:5])
    allowed = company.run("--allow", "source_shrink", "--allow", "retire")
    assert allowed.exit_code == 0, allowed.output
    company.remember()
    company.write(ROWS[:left])
    assert company.run().exit_code == 4
    company.assert_untouched()


def test_one_deal_that_is_gone_is_put_away_as_the_setting_asks(company: Company) -> None:
    company.write(ROWS[1:])
    assert company.run().exit_code == 0
    names = [str(project["name"]) for project in company.projects().values()]
    assert [name for name in names if name.startswith("(gone)")] == ["(gone) Acme: Deal 01"]


# Keys


COMPOSED, DECOMPOSED = (unicodedata.normalize(form, "D-Å1") for form in ("NFC", "NFD"))


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("D-01", "key 'D-01' is in line 2 already, which counts"),
        ("d-01", "key 'd-01' differs only in case or Unicode form from 'D-01' in line 2"),
        ("Ｄ-01", "key 'Ｄ-01' differs only in case or Unicode form from 'D-01' in line 2"),
    ],
)
def test_of_two_rows_with_one_key_the_first_counts(company: Company, key: str, words: str) -> None:
    company.write([*ROWS, row(1, key=key, name="Another")])
    result = company.run()
    assert result.exit_code == 3
    assert f"deals.csv:22: {words}" in " ".join(result.stdout.split())
    company.assert_untouched()


@pytest.mark.parametrize("key", ["d-01", "Ｄ-01", "D‑01".replace("‑", "－")])
def test_a_key_that_comes_back_in_another_form_makes_and_puts_away_nothing(
    company: Company, key: str
) -> None:
    company.write([row(1, key=key), *ROWS[1:]])
    result = company.run()
    assert result.exit_code == 3
    assert "differ only in case or Unicode form; nothing was made" in result.stdout
    company.assert_untouched()
    company.write()
    company.assert_in_step()


def test_a_key_in_another_normal_form_is_the_same_key(company: Company) -> None:
    company.write([*ROWS, row(21, key=COMPOSED)])
    assert company.run().exit_code == 0
    company.remember()
    company.write([*ROWS, row(21, key=DECOMPOSED)])
    assert company.run().exit_code == 0
    company.assert_untouched()


def test_after_the_old_key_was_let_go_of_the_new_one_makes_its_project(company: Company) -> None:
    company.write([row(1, key="d-01"), *ROWS[1:]])
    company.run()
    assert company.command("unlink", "D-01").exit_code == 0
    assert company.run().exit_code == 0
    assert len(company.projects()) == DEALS + 1


# Values


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("value", "a lot", "'a lot' is not an amount"),
        ("start", "soon", "is not a date"),
        ("value", "inf", "'inf' is not an amount"),
        ("value", "-Infinity", "is not an amount"),
        ("value", "1e999999", "is not an amount"),
        ("value", "1e-999999", "is not an amount"),
        ("value", "9" * 100_000, "is not an amount"),
        ("probability", "Infinity", "is not a probability"),
        ("probability", "1e999999", "is not a probability"),
        ("roles", "Back:1e-999999999h x10w", "roles"),
        ("roles", f"Back:{'9' * 100_000}h x10w", "roles"),
        ("start", "9" * 100_000, "is not a date"),
        ("roles", "Back:nanh x10w", "roles"),
        ("roles", "Back:infh x10w", "roles"),
    ],
)
def test_a_value_that_is_no_number_costs_the_row_and_nothing_else(
    company: Company, column: str, value: str, words: str
) -> None:
    company.write([row(1, **{column: value}), *ROWS[1:]])
    result = company.run()
    assert result.exit_code == 3
    assert f"deals.csv:2: {column}:" in " ".join(result.stdout.split())
    assert words in result.stdout
    assert max(map(len, result.stdout.splitlines())) < 1_000
    company.assert_untouched()


@pytest.mark.parametrize("column", ["value", "probability", "start"])
@pytest.mark.parametrize("word", ["NaN", "NULL", "N/A", "-"])
def test_a_word_for_nothing_is_a_blank_cell(company: Company, column: str, word: str) -> None:
    company.write([row(1, **{column: ""}), *ROWS[1:]])
    assert company.run().exit_code == 0
    company.remember()
    company.write([row(1, **{column: word}), *ROWS[1:]])
    assert company.run().exit_code == 0
    company.assert_untouched()


@pytest.mark.parametrize("column", ["value", "probability", "start"])
def test_nan_in_a_file_of_another_program_is_no_value_and_costs_nothing(
    company: Company, column: str
) -> None:
    company.write([row(1, **{column: ""}), *ROWS[1:]])
    assert company.run().exit_code == 0
    company.write([row(1, **{column: "NaN"}), *ROWS[1:]])
    result = company.run()
    assert result.exit_code == 0
    assert "unchanged" in result.stdout or not result.stdout


def test_a_time_without_zone_is_taken_for_utc_each_time(company: Company) -> None:
    company.write([row(1, updated_at="2026-11-20T10:00:00"), *ROWS[1:]])
    assert company.run().exit_code == 0
    company.assert_untouched()


@pytest.mark.parametrize("place", [b"D-05", b"Deal 05", b"Proposal"])
def test_bytes_that_are_no_text_prove_nothing(company: Company, place: bytes) -> None:
    damaged = company.file.read_bytes().replace(place, place[:2] + b"\xff" + place[3:], 1)
    company.file.write_bytes(damaged[: -len(ROWS[-1]) - 1])
    result = company.run()
    assert result.exit_code == 3, result.output
    company.assert_untouched()


# A SQLite store


@pytest.mark.usefixtures("impatient")
def test_a_store_that_another_program_holds_is_left_for_the_next_run(with_store: Company) -> None:
    with locked(with_store.store):
        result = with_store.run()
    assert result.exit_code == 6
    assert "pipeline.db is in use by another program" in result.stderr
    with_store.assert_untouched()
    with_store.assert_in_step()


_PATTERNS: dict[str, Callable[[int], bytes]] = {
    "ones": lambda page: b"\xff" * PAGE,
    "zeros": lambda page: b"\0" * PAGE,
    "noise": lambda page: random.Random(page).randbytes(PAGE),
}


@pytest.mark.parametrize("pattern", _PATTERNS)
@pytest.mark.sampled_inside
def test_a_store_with_any_page_damaged_puts_nothing_away(with_store: Company, pattern: str) -> None:
    good = with_store.store.read_bytes()
    noticed = 0
    for page in sampled(range(len(good) // PAGE), 2):
        spoilt = good[: page * PAGE] + _PATTERNS[pattern](page) + good[(page + 1) * PAGE :]
        replace_database(with_store.store, spoilt)
        result = with_store.run()
        assert result.exit_code in (0, 6), (page, result.output)
        if result.exit_code == 6:
            noticed += 1
            assert "pipeline.db is damaged or not a SQLite database" in result.stderr
        with_store.assert_untouched()
    assert noticed > 3
    replace_database(with_store.store, good)
    with_store.assert_in_step()


@pytest.mark.parametrize("size", [0, 1, 99, PAGE, PAGE + 1000, "half", "all but a page"])
def test_a_store_that_was_cut_off_puts_nothing_away(with_store: Company, size: int | str) -> None:
    good = with_store.store.read_bytes()
    sizes = {"half": len(good) // 2, "all but a page": len(good) - PAGE}
    replace_database(with_store.store, good[: sizes.get(str(size), size)])  # type: ignore[misc]
    result = with_store.run()
    assert result.exit_code == 6, result.output
    assert "pipeline.db" in result.stderr
    with_store.assert_untouched()


def test_a_full_disk_undoes_an_import_as_a_whole(
    with_store: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_store.write([row(n, name="N" * 500) for n in range(21, 300)])
    with full_at(monkeypatch, with_store.store, extra_pages=3):
        result = with_store.command("deals", "import", str(with_store.file))
    assert result.exit_code == 6
    assert "pipeline.db cannot grow: the disk is full" in result.stderr
    with_store.run()
    with_store.assert_untouched()


# The connector's own state


@contextmanager
def full_at(monkeypatch: pytest.MonkeyPatch, file: Path, extra_pages: int) -> Iterator[None]:
    """Lets a SQLite file grow by so many pages and no more, as on a disk that is full then."""
    checkpoint(file)
    pages = file.stat().st_size // PAGE + extra_pages
    prepare = database._prepare_sqlite

    def limited(connection: sqlite3.Connection, record: object) -> None:
        prepare(connection, record)
        (_, _, name), *_ = connection.execute("PRAGMA database_list").fetchall()
        if Path(name).name == file.name:
            connection.execute(f"PRAGMA max_page_count = {pages}")

    with monkeypatch.context() as patch:
        patch.setattr(database, "_prepare_sqlite", limited)
        database._first_engine.cache_clear()  # what it is made of is kept for all of one file
        yield
    database._first_engine.cache_clear()


def test_a_disk_that_is_full_at_any_moment_of_a_run_doubles_and_loses_nothing(
    with_store: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_store.write([*ROWS, *(row(number) for number in range(21, 31))])
    with_store.command("deals", "import", str(with_store.file))
    checkpoint(with_store.state)
    state, server = with_store.state.read_bytes(), dump(with_store.taiga.store)
    made = set()
    for extra_pages in range(0, 40, 2):
        replace_database(with_store.state, state)
        load(with_store.taiga.store, server)
        with full_at(monkeypatch, with_store.state, extra_pages):
            result = with_store.run()
        if result.exit_code == 0:
            break
        assert result.exit_code == 2, result.output
        assert "state.db cannot grow: the disk is full. Free some space" in result.stderr
        made.add(len(with_store.projects()))
        assert with_store.run().exit_code == 0
        names = [project["name"] for project in with_store.projects().values()]
        assert len(names) == len(set(names)) == DEALS + 10
        with_store.assert_in_step()
    assert len(made) > 3, "the disk was full at too few moments"


def test_a_file_size_limit_in_a_real_process_doubles_and_loses_nothing(
    with_store: Company,
) -> None:
    with_store.write([*ROWS, *(row(number) for number in range(21, 31))])
    with_store.command("deals", "import", str(with_store.file))
    checkpoint(with_store.store)

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))

    ended = subprocess.run(
        [sys.executable, "-m", "taiga_pipeline", "run"],
        cwd=with_store.folder,
        env={"TAIGA_PASSWORD": with_store.taiga.password, "PYTHONPATH": str(Path.cwd())},
        preexec_fn=limit,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 2, ended.stdout + ended.stderr
    assert "state.db" in ended.stderr
    assert with_store.run().exit_code == 0
    names = [project["name"] for project in with_store.projects().values()]
    assert len(names) == len(set(names)) == DEALS + 10
    with_store.assert_in_step()


@pytest.mark.usefixtures("impatient")
def test_a_state_that_another_program_holds_is_left_for_the_next_run(company: Company) -> None:
    with locked(company.state):
        result = company.run()
    assert result.exit_code == 2
    assert "state.db is in use by another program" in result.stderr
    company.assert_untouched()
    company.assert_in_step()


@pytest.mark.sampled_inside
def test_a_state_with_any_page_damaged_doubles_and_puts_away_nothing(company: Company) -> None:
    checkpoint(company.state)
    good, server = company.state.read_bytes(), dump(company.taiga.store)
    noticed = 0
    for page in sampled(range(len(good) // PAGE), 2):
        pattern = list(_PATTERNS.values())[page % len(_PATTERNS)]
        spoilt = good[: page * PAGE] + pattern(page) + good[(page + 1) * PAGE :]
        replace_database(company.state, spoilt)
        load(company.taiga.store, server)
        result = company.run()
        assert result.exit_code in (0, 2), (page, result.output)
        noticed += result.exit_code == 2
        assert company.projects() == company.before
    assert noticed > 3


@pytest.mark.parametrize("place", ["/proc/self/state.db", "/no/such/folder/state.db"])
def test_a_state_that_cannot_be_written_stops_the_run_before_anything(
    company: Company, place: str
) -> None:
    config = company.folder / "config.toml"
    config.write_text(f'{config.read_text()}state = "sqlite:///{place}"\n')
    result = company.run()
    assert result.exit_code == 2, result.output
    assert place in result.stderr
    company.assert_untouched()
