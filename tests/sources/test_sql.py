"""A query as a source: what it may be, what is reported if it is wrong, that nothing is written."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from sync.clock import SystemClock
from sync.errors import Stop, Unauthorised, Unreachable
from taiga_pipeline.problems import ProblemsError
from taiga_pipeline.sources.port import DealReading
from taiga_pipeline.sources.registry import create
from taiga_pipeline.sources.sql.source import SqlSource
from taiga_pipeline.sources.sql.statement import objection
from tests.live.postgresql import Server
from tests.targets.support import ManualClock

QUERY = "SELECT id, title, worth FROM opp"
COLUMNS = {"key": "id", "name": "title", "value": "worth"}
Make = Callable[..., SqlSource]


@pytest.fixture
def crm(tmp_path: Path) -> Path:
    """A database with three deals."""
    path = tmp_path / "crm.db"
    execute(path, "CREATE TABLE opp (id INTEGER, title TEXT, worth REAL, changed TEXT)")
    execute(path, "INSERT INTO opp (id, title, worth) VALUES (1,'A',10),(2,'B',20),(3,'C',NULL)")
    return path


def execute(path: Path, statement: str) -> list[Any]:
    connection = sqlite3.connect(path)
    with connection:
        rows = connection.execute(statement).fetchall()
    connection.close()
    return rows


@pytest.fixture
def make(crm: Path) -> Make:
    """Makes the source on the three deals; settings may be changed."""

    def make(clock: Any = None, **changes: object) -> SqlSource:
        settings = {
            "url": f"sqlite:///{crm}",
            "query": QUERY,
            "columns": COLUMNS,
            "environment": {},
            **changes,
        }
        source = create("sql", settings, clock or SystemClock())
        assert isinstance(source, SqlSource)
        return source

    return make


def read(source: SqlSource) -> tuple[list[str], DealReading]:
    reading = source.read()
    return [deal.key for deal in reading.deals], reading


def complaint(make: Make, **changes: object) -> str:
    with pytest.raises((ProblemsError, Stop)) as caught:
        read(make(**changes))
    return str(caught.value)


# --- what a query may be


@pytest.mark.parametrize(
    "query",
    [
        "select 1",
        "  -- all of them\n/* ; delete from x */ SELECT 1;",
        "WITH open AS (SELECT 1) SELECT * FROM open",
        "SELECT 'insert into; delete from' AS \"update x set\"",
        "SELECT replace(a, 'x', $$;delete from$$) FROM t",
        "VALUES (1)",
        "SELECT deleted, updated, into_ FROM t",
    ],
)
def test_a_query_that_reads_is_taken(query: str) -> None:
    assert objection(query) == ""


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("DELETE FROM opp", "begins with DELETE"),
        ("-- x\nUPDATE opp SET a = 1", "begins with UPDATE"),
        ("", "begins with no word"),
        ("SELECT 1; DELETE FROM opp", "several statements"),
        ("WITH gone AS (DELETE FROM opp RETURNING *) SELECT * FROM gone", "DELETE FROM"),
        ("WITH x AS (INSERT INTO opp VALUES (1)) SELECT 1", "INTO"),
        ("SELECT * INTO copy FROM opp", "INTO"),
        ("SELECT * FROM opp FOR UPDATE", "FOR UPDATE"),
    ],
)
def test_a_query_that_writes_is_refused_before_anything_is_connected(
    query: str, expected: str
) -> None:
    assert expected in objection(query)


def test_what_is_refused_says_so_as_a_problem_of_the_configuration(make: Make, crm: Path) -> None:
    assert "[source] query: it begins with DELETE" in complaint(make, query="DELETE FROM opp")
    assert len(execute(crm, "SELECT * FROM opp")) == 3


def test_a_query_that_hides_its_write_is_refused_by_the_connection(
    postgresql_url: str, postgresql: Server, make: Make
) -> None:
    database = str(make_url(postgresql_url).database)
    statement = "CREATE FUNCTION sneak() RETURNS int LANGUAGE sql AS 'DELETE FROM opp RETURNING 1'"
    postgresql.execute("CREATE TABLE opp (id int)", database=database)
    postgresql.execute(statement, database=database)
    postgresql.execute("GRANT ALL ON opp TO PUBLIC", database=database)
    query = "SELECT sneak() AS id, 'x' AS title, 1 AS worth"
    said = complaint(make, url=postgresql_url, query=query)
    assert "it writes, which was refused" in said


# --- settings and columns


def test_all_that_is_wrong_with_the_settings_is_reported_at_once(make: Make) -> None:
    said = complaint(
        make,
        qurey="x",
        query="DROP TABLE opp",
        timeout_seconds="long",
        columns=[1],
        write_back={"tabel": "opp", "columns": {"ulr": "a"}},
    )
    assert "unknown setting qurey of a sql source; did you mean 'query'?" in said
    assert "begins with DROP" in said
    assert "timeout_seconds must be a number from 1 to 86400, not 'long'" in said
    assert "[source.columns] must be a table" in said
    assert "[source.write_back] unknown setting tabel of a sql source" in said
    assert "did you mean 'table'?" in said
    assert "[source.write_back] key is missing" in said
    assert "'ulr' is not a fact that can be written back; did you mean 'url'?" in said


def test_no_query_is_a_problem(make: Make) -> None:
    assert "[source] query is missing" in complaint(make, query="")


def test_a_query_without_a_key_column_says_which_columns_there_are(make: Make) -> None:
    said = complaint(make, query="SELECT title, worth FROM opp", columns={"name": "title"})
    assert 'no column for the deal\'s key; name it with [source.columns] key = "HEADER"' in said
    assert "(columns: title, worth)" in said


def test_unknown_columns_are_all_reported_with_the_nearest(make: Make) -> None:
    said = complaint(make, columns={"key": "idd", "name": "titel", "valeu": "worth"})
    assert "no column 'idd'; did you mean 'id'?" in said
    assert "no column 'titel'; did you mean 'title'?" in said
    assert "'valeu' is not a field of a deal; did you mean 'value'?" in said


def test_an_unknown_time_zone_is_reported_with_the_nearest(make: Make) -> None:
    said = complaint(make, time_zone="Europe/Stokholm")
    assert "unknown time zone 'Europe/Stokholm'" in said
    assert "did you mean 'Europe/Stockholm'?" in said


def test_a_query_that_the_database_does_not_take_is_reported_in_its_words(make: Make) -> None:
    said = complaint(make, query="SELECT id, title FROM oppp")
    assert "[source] query:" in said
    assert "no such table: oppp" in said


# --- rows


def test_a_column_of_the_wrong_type_costs_its_row_with_key_and_column(
    make: Make, crm: Path
) -> None:
    execute(crm, "UPDATE opp SET worth = 'a lot' WHERE id = 2")
    execute(crm, "INSERT INTO opp VALUES (4, 'D', 9e999, NULL), (5, x'00ff', 1, NULL)")
    keys, reading = read(make())
    assert keys == ["1", "3"]
    reported = {bad.key: (bad.place, bad.reason) for bad in reading.quarantined}
    assert reported["2"] == ("row 2 of the query", "worth: 'a lot' is not an amount")
    assert reported["4"] == ("row 4 of the query", "worth: inf is not a finite number")
    assert "title: 2 bytes" in reported["5"][1]
    assert reading.complete


def test_settings_for_rows_mean_what_they_mean_for_a_csv_file(make: Make, crm: Path) -> None:
    execute(crm, "UPDATE opp SET changed = '2026-07-01 12:00:00', worth = 1234.5 WHERE id = 1")
    source = make(
        query="SELECT id, title, worth, changed, 'open' AS phase, '31/12/2026' AS due FROM opp "
        "WHERE id = 1",
        columns={**COLUMNS, "stage": "phase", "expected_close": "due", "updated_at": "changed"},
        stages={"open": "Proposal"},
        defaults={"team": "north"},
        date_format="%d/%m/%Y",
        time_zone="Europe/Stockholm",
        currency="SEK",
    )
    (deal,) = source.read().deals
    assert (deal.stage, deal.team, deal.currency) == ("Proposal", "north", "SEK")
    assert deal.value == Decimal("1234.5")
    assert str(deal.expected_close) == "2026-12-31"
    assert deal.updated_at == datetime(2026, 7, 1, 10, tzinfo=UTC)


def test_a_wrong_date_names_the_setting_that_mends_it(make: Make) -> None:
    query = "SELECT id, title, '05/10/2026' AS due FROM opp WHERE id = 1"
    _, reading = read(make(query=query, columns={"key": "id", "expected_close": "due"}))
    assert '[source] date_format = "%d/%m/%Y"' in reading.quarantined[0].reason


def test_roles_stand_in_a_column(make: Make) -> None:
    query = "SELECT id, title, 'Back:30h x10w' AS roles FROM opp WHERE id = 1"
    (deal,) = make(query=query, columns={"key": "id", "name": "title"}).read().deals
    assert [role.role for role in deal.roles] == ["Back"]


# --- the connection


def test_a_missing_driver_is_reported_with_what_to_install(make: Make) -> None:
    assert "pip install pymysql" in complaint(make, url="mysql+pymysql://crm/sales")


def test_what_is_no_url_is_not_repeated(make: Make) -> None:
    said = complaint(make, url="hunter2")
    assert "[source] url: not a database URL" in said
    assert "hunter2" not in said


def test_a_file_that_is_not_there_is_not_made(make: Make, tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match=r"gone\.db: no such file"):
        read(make(url=f"sqlite:///{tmp_path / 'gone.db'}"))
    assert not (tmp_path / "gone.db").exists()


def test_a_file_that_is_no_database_is_reported(make: Make, tmp_path: Path) -> None:
    (tmp_path / "x.db").write_text("no database, but long enough to look at " * 100)
    with pytest.raises(Unreachable, match="not a database"):
        read(make(url=f"sqlite:///{tmp_path / 'x.db'}"))


def test_a_query_that_takes_too_long_is_broken_off(make: Make) -> None:
    class Rushing(ManualClock):
        def monotonic(self) -> float:
            self._now += 1
            return self._now

    endless = "WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r) "
    query = f"{endless} SELECT count(*) AS id, 'x' AS title FROM r"
    source = make(Rushing(), query=query, columns={"key": "id"}, timeout_seconds=30)
    with pytest.raises(Unreachable, match=r"within 30 s; make it faster .* raise timeout_seconds"):
        read(source)


def test_a_slow_query_on_postgresql_is_broken_off(postgresql_url: str, make: Make) -> None:
    query = "SELECT pg_sleep(30)::text AS id, 'x' AS title"
    source = make(url=postgresql_url, query=query, columns={"key": "id"}, timeout_seconds=1)
    with pytest.raises(Unreachable, match="within 1 s"):
        read(source)


def test_a_table_that_may_not_be_read_is_reported(
    postgresql_url: str, postgresql: Server, make: Make
) -> None:
    postgresql.execute("CREATE TABLE opp (id int)", database=str(make_url(postgresql_url).database))
    query = "SELECT id, 'x' AS title FROM opp"
    with pytest.raises(Unauthorised, match="permission denied for table opp"):
        read(make(url=postgresql_url, query=query, columns={"key": "id"}))


def test_per_cent_signs_and_colons_in_a_query_are_its_own(make: Make, postgresql_url: str) -> None:
    query = "SELECT 1 AS id, 'a:b %s' AS title WHERE 'x' LIKE '%x%' AND 5 % 2 = 1"
    for changes in ({}, {"url": postgresql_url}):
        (deal,) = make(query=query, columns={"key": "id", "name": "title"}, **changes).read().deals
        assert deal.name == "a:b %s"


def test_types_of_postgresql_are_read(make: Make, postgresql_url: str) -> None:
    query = """SELECT '6f9619ff-8b86-d011-b42d-00cf4fc964ff'::uuid AS id, 'x' AS title,
        'NaN'::numeric AS worth
        UNION ALL SELECT '00000000-0000-0000-0000-000000000001'::uuid, 'y', 12.50"""
    keys, reading = read(make(url=postgresql_url, query=query))
    assert keys == ["00000000-0000-0000-0000-000000000001"]
    assert [bad.reason for bad in reading.quarantined] == ["worth: NaN is not a finite number"]


def test_examining_tells_of_columns_and_of_what_the_connection_may_do(make: Make) -> None:
    columns, rights = make(query=f"{QUERY} -- all", columns={**COLUMNS}).examine()
    assert columns == "columns: key from id, name from title, value from worth"
    assert rights == "the connection that reads cannot write (tried)"
    assert "not used: changed" in make(query="SELECT * FROM opp").examine()[0]


def test_a_deal_may_be_gone_through_in_part_and_the_connection_is_closed(
    make: Make, crm: Path
) -> None:
    deals = iter(make().read().deals)
    next(deals)
    deals.close()  # type: ignore[attr-defined]
    execute(crm, "DROP TABLE opp")
