"""Migrations are taken once, in order, each together with its record."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, Engine, inspect, text

from sync.database.engine import open_engine, reading
from sync.database.migrations import migrate, statements, version_of
from sync.errors import StateUnusable
from sync.way_out import Upgrade

FIRST = statements("CREATE TABLE colours (id {identity}, name TEXT NOT NULL)")
SECOND = statements("INSERT INTO colours (name) VALUES ('red')", "CREATE TABLE tones (id INTEGER)")


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = open_engine(database_url)
    yield engine
    engine.dispose()


def test_all_steps_are_taken_in_order_and_only_once(engine: Engine) -> None:

    assert migrate(engine, "paint", [FIRST, SECOND]) == 2
    assert migrate(engine, "paint", [FIRST, SECOND]) == 0

    assert version_of(engine, "paint") == 2
    with reading(engine) as connection:
        assert connection.execute(text("SELECT id, name FROM colours")).all() == [(1, "red")]


def test_a_database_of_an_earlier_version_gets_only_the_new_steps(engine: Engine) -> None:
    migrate(engine, "paint", [FIRST])

    assert migrate(engine, "paint", [FIRST, SECOND]) == 1


def test_two_sets_of_tables_in_one_database_have_versions_of_their_own(engine: Engine) -> None:
    migrate(engine, "paint", [FIRST, SECOND])

    assert version_of(engine, "state") == 0
    assert migrate(engine, "state", [statements("CREATE TABLE runs (id {identity})")]) == 1


def test_a_step_that_fails_leaves_neither_tables_nor_a_record(engine: Engine) -> None:
    def breaks(connection: Connection) -> None:
        connection.execute(text("CREATE TABLE half (id INTEGER)"))
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        migrate(engine, "paint", [FIRST, breaks])

    assert version_of(engine, "paint") == 1
    assert "half" not in inspect(engine).get_table_names()
    assert migrate(engine, "paint", [FIRST, SECOND]) == 1


def test_a_newer_database_is_refused_with_both_numbers_and_the_file(engine: Engine) -> None:
    migrate(engine, "paint", [FIRST, SECOND])

    with pytest.raises(
        StateUnusable, match=r"/\w+(\.db)? was .* version 2, .* up to 1\."
    ) as caught:
        migrate(engine, "paint", [FIRST])
    assert caught.value.ways_out == (Upgrade(),)


def test_programs_that_start_together_take_each_step_once(engine: Engine) -> None:
    taken: list[int] = []
    threads = [
        threading.Thread(target=lambda: taken.append(migrate(engine, "paint", [FIRST, SECOND])))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)

    assert sum(taken) == 2
    assert len(taken) == 4
