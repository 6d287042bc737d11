"""Databases keep decimals and times exact, and say what is wrong with them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Column, Engine, Integer, MetaData, Table, select, text
from sqlalchemy.engine.interfaces import CacheStats
from sqlalchemy.exc import IntegrityError

from sync.database.engine import (
    ExactDecimal,
    StorableText,
    UtcDateTime,
    by_letters,
    failures_as,
    open_engine,
    reading,
    writing,
)
from sync.errors import Stop, Unreachable

METADATA = MetaData()
THINGS = Table(
    "things",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("price", ExactDecimal),
    Column("at", UtcDateTime),
    Column("word", StorableText),
)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = open_engine(database_url, busy_seconds=0.05)
    with writing(engine) as connection:
        METADATA.create_all(connection)
    yield engine
    engine.dispose()


def another(engine: Engine) -> Engine:
    """An engine of another program, for the same database."""
    return open_engine(engine.url.render_as_string(hide_password=False), busy_seconds=0.05)


@pytest.mark.parametrize("digits", ["0.1", "1000.00", "12345678901234567890.123456789", "1E+3"])
def test_decimals_come_back_exactly(engine: Engine, digits: str) -> None:
    with writing(engine) as connection:
        connection.execute(THINGS.insert().values(id=1, price=Decimal(digits)))
    with reading(engine) as connection:
        assert connection.execute(select(THINGS.c.price)).scalar() == Decimal(digits)


def test_times_come_back_aware_and_in_utc(engine: Engine) -> None:
    in_sweden = datetime(2026, 7, 1, 14, 30, 0, 123, tzinfo=timezone(timedelta(hours=2)))
    with writing(engine) as connection:
        connection.execute(THINGS.insert().values(id=1, at=in_sweden))
    with reading(engine) as connection:
        found = connection.execute(select(THINGS.c.at)).scalar_one()
    assert found == in_sweden
    assert found.tzinfo is UTC


def test_a_naive_time_is_not_stored(engine: Engine) -> None:
    with pytest.raises(Exception, match="without a time zone"), writing(engine) as connection:
        connection.execute(THINGS.insert().values(id=1, at=datetime(2026, 7, 1)))


def test_a_database_in_use_is_named_with_the_way_out(engine: Engine) -> None:
    other = another(engine)
    with (
        writing(other) as holder,
        pytest.raises(Unreachable, match=r"/\w+(\.db)? is in use by another program.*Try again"),
        failures_as(Unreachable, engine),
    ):
        holder.execute(THINGS.insert().values(id=1))
        with writing(engine) as connection:
            connection.execute(THINGS.insert().values(id=1))
    other.dispose()


def test_a_reader_does_not_wait_for_a_writer(engine: Engine) -> None:
    other = another(engine)
    with writing(other) as writer:
        writer.execute(THINGS.insert().values(id=1))
        with reading(engine) as connection:
            assert connection.execute(select(THINGS.c.id)).all() == []
    other.dispose()


def test_a_reader_sees_one_unchanging_view(engine: Engine) -> None:
    other = another(engine)
    with reading(engine) as connection:
        assert connection.execute(select(THINGS.c.id)).all() == []
        with writing(other) as writer:
            writer.execute(THINGS.insert().values(id=1))
        assert connection.execute(select(THINGS.c.id)).all() == []
    with reading(engine) as connection:
        assert connection.execute(select(THINGS.c.id)).all() == [(1,)]
    other.dispose()


def test_text_is_ordered_by_its_letters_numbers_on_every_database(engine: Engine) -> None:
    words = ["b", "a", "B", "ä", "Z", "_", "a b", "a-b", "ab", "10", "9", "\U0001f600", "\uffee"]
    with writing(engine) as connection:
        rows = [{"id": number, "word": word} for number, word in enumerate(words)]
        connection.execute(THINGS.insert(), rows)
    with reading(engine) as connection:
        query = select(THINGS.c.word).order_by(by_letters(THINGS.c.word))
        assert connection.execute(query).scalars().all() == sorted(words)


@pytest.mark.parametrize("text", ["a\0b", "half \ud83d", "\0"])
def test_what_others_say_can_always_be_stored(engine: Engine, text: str) -> None:
    with writing(engine) as connection:
        connection.execute(THINGS.insert().values(id=1, word=text))
    with reading(engine) as connection:
        found = connection.execute(select(THINGS.c.word)).scalar_one()
        assert found == text.replace("\0", "\ufffd").replace("\ud83d", "\ufffd")
        same = select(THINGS.c.id).where(THINGS.c.word == text)
        assert connection.execute(same).scalar() == 1


def test_a_file_that_is_no_database_is_named_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "notes.db").write_text("these are my notes, and no database at all " * 50)
    engine = open_engine(f"sqlite:///{tmp_path / 'notes.db'}")
    with (
        pytest.raises(Unreachable, match=r"notes\.db is damaged or not a SQLite.*recover"),
        failures_as(Unreachable, engine),
        reading(engine) as connection,
    ):
        connection.execute(text("SELECT 1 FROM sqlite_master"))


def test_broken_constraints_are_left_to_the_caller(engine: Engine) -> None:
    with (
        pytest.raises(IntegrityError),
        failures_as(Unreachable, engine),
        writing(engine) as connection,
    ):
        connection.execute(THINGS.insert().values(id=1))
        connection.execute(THINGS.insert().values(id=1))


def test_a_missing_file_is_not_made_by_mistake(tmp_path: Path) -> None:
    with pytest.raises(Stop, match=r"gone\.db: no such file"):
        open_engine(f"sqlite:///{tmp_path / 'gone.db'}", create=False)
    assert not (tmp_path / "gone.db").exists()


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(Stop, match=r"the folder .*nowhere does not exist"):
        open_engine(f"sqlite:///{tmp_path / 'nowhere' / 'a.db'}")


@pytest.mark.parametrize("url", ["pipeline.db", "nonsense", "", "foo://bar/baz"])
def test_what_is_no_database_url_is_refused_with_an_example(url: str) -> None:
    with pytest.raises(Stop, match=r"sqlite:///|postgresql"):
        open_engine(url)


def test_a_password_in_the_url_is_never_shown() -> None:
    with pytest.raises(Stop) as caught:
        open_engine("foo://bot:s3cret@db/pipeline")
    assert "s3cret" not in str(caught.value)


def test_threads_of_one_program_write_in_turn_and_none_is_turned_away(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'shared.db'}"
    mine, theirs = open_engine(url, busy_seconds=0.01), open_engine(url, busy_seconds=0.01)
    with writing(mine) as connection:
        connection.exec_driver_sql("CREATE TABLE told (who)")
    failures: list[Exception] = []

    def write() -> None:
        try:
            with writing(theirs) as connection:
                connection.exec_driver_sql("INSERT INTO told VALUES ('they')")
        except Exception as error:
            failures.append(error)

    other = threading.Thread(target=write)
    with writing(mine) as connection:
        other.start()
        other.join(0.05)  # five times as long as SQLite would wait
        connection.exec_driver_sql("INSERT INTO told VALUES ('we')")
    other.join()
    assert failures == []
    with reading(mine) as connection:
        assert connection.exec_driver_sql("SELECT who FROM told").scalars().all() == ["we", "they"]
    mine.dispose()
    theirs.dispose()


def test_a_statement_is_compiled_once_for_all_files_of_a_process(tmp_path: Path) -> None:
    query = select(THINGS.c.word).where(THINGS.c.price == Decimal("0.1"))
    found = []
    for name in ("first", "second"):
        engine = open_engine(f"sqlite:///{tmp_path / name}.db")
        METADATA.create_all(engine)
        with reading(engine) as connection:
            result = connection.execute(query)
            assert result.all() == []
            found.append(result.context.cache_hit)
        engine.dispose()
    assert found[-1] is CacheStats.CACHE_HIT


def test_a_relative_file_is_the_one_of_the_folder_that_a_process_is_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        engine = open_engine("sqlite:///things.db")
        METADATA.create_all(engine)
        with writing(engine) as connection:
            connection.execute(THINGS.insert().values(word=name))
        with reading(engine) as connection:
            assert connection.execute(select(THINGS.c.word)).scalars().all() == [name]
        engine.dispose()
