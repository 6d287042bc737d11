"""What watches a database notices every write of others, and nothing but writes."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from sync.database.watching import Watch


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database with a table, in a folder whose name has signs that addresses know."""
    folder = tmp_path / "a ? b # c % d"
    folder.mkdir()
    write(folder / "it.db", "PRAGMA journal_mode = WAL", "CREATE TABLE t (x)")
    return folder / "it.db"


def write(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        for each in statements:
            connection.execute(each)
        connection.commit()


def test_every_write_gives_another_mark(path: Path) -> None:
    watch = Watch(path)
    marks = {watch.mark()}
    for number in range(5):
        write(path, f"INSERT INTO t VALUES ({number})")
        marks.add(watch.mark())
    assert len(marks) == 6 and None not in marks


def test_reading_and_tidying_up_leave_the_mark_as_it_is(path: Path) -> None:
    watch = Watch(path)
    write(path, "INSERT INTO t VALUES (1)")
    mark = watch.mark()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT x FROM t").fetchall() == [(1,)]
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
    assert watch.mark() == mark


def test_another_file_in_its_place_gives_another_mark(path: Path) -> None:
    watch = Watch(path)
    mark = watch.mark()
    other = path.with_name("other.db")
    write(other, "CREATE TABLE t (x)")
    other.replace(path)
    assert watch.mark() not in (mark, None)


def test_of_a_file_that_is_not_there_nothing_is_known(tmp_path: Path) -> None:
    path = tmp_path / "missing.db"
    watch = Watch(path)
    assert watch.mark() is None
    assert not path.exists()
    write(path, "CREATE TABLE t (x)")
    assert watch.mark() is not None
