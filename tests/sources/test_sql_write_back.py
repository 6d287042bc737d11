"""Delivery facts in a table: into its named columns, by the type that they have."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from sync.clock import SystemClock
from sync.errors import Stop, SyncError, Unauthorised
from sync.source import WriteBackResult
from taiga_pipeline.pipeline.model import DeliveryFacts
from taiga_pipeline.problems import ProblemsError
from taiga_pipeline.sources.registry import create
from taiga_pipeline.sources.sql.source import SqlSource
from tests.live.postgresql import Server

URL = "https://taiga.example.test/project/a"
MILESTONES = (("Kick-off", date(2027, 1, 4), date(2027, 1, 8)), ("Rest", None, date(2027, 3, 1)))
FACTS = DeliveryFacts(
    "1",
    url=URL,
    title="Acme: Portal",
    state="tentative",
    team=("Ana", "Bo"),
    progress=Decimal("0.374"),
    milestones=MILESTONES,
)
Make = Callable[..., SqlSource]


@pytest.fixture
def crm(tmp_path: Path) -> Path:
    path = tmp_path / "crm.db"
    execute(
        path,
        "CREATE TABLE opp (id INTEGER, title TEXT, url VARCHAR(60), begins DATE, at DATETIME,"
        " percent INTEGER, share REAL, anything, flag BLOB)",
    )
    execute(path, "INSERT INTO opp (id, title) VALUES (1, 'A'), (2, 'B')")
    return path


def execute(path: Path, statement: str) -> list[Any]:
    connection = sqlite3.connect(path)
    with connection:
        rows = connection.execute(statement).fetchall()
    connection.close()
    return rows


@pytest.fixture
def make(crm: Path) -> Make:
    def make(columns: dict[str, str], **changes: object) -> SqlSource:
        settings = {
            "url": f"sqlite:///{crm}",
            "query": "SELECT id, title FROM opp",
            "columns": {"key": "id"},
            "environment": {},
            "write_back": {"table": "opp", "key": "id", "columns": columns},
            **changes,
        }
        source = create("sql", settings, SystemClock())
        assert isinstance(source, SqlSource)
        return source

    return make


@pytest.mark.parametrize(
    ("fact", "column", "stands_there"),
    [
        ("url", "url", URL),
        ("title", "anything", "Acme: Portal"),
        ("state", "url", "tentative"),
        ("team", "url", "Ana, Bo"),
        ("start", "begins", "2027-01-04"),
        ("start", "at", "2027-01-04 00:00:00.000000"),
        ("finish", "url", "2027-03-01"),
        ("progress", "share", 0.37),
        ("progress", "percent", 37),
        ("progress", "url", "0.37"),
        ("progress", "anything", 0.37),
    ],
)
def test_every_fact_is_kept_as_its_column_keeps_things(
    make: Make, crm: Path, fact: str, column: str, stands_there: object
) -> None:
    source = make({fact: column})
    assert source.take_facts([FACTS]) == WriteBackResult(written=1)
    assert execute(crm, f"SELECT {column} FROM opp WHERE id = 1") == [(stands_there,)]
    assert source.take_facts([FACTS]) == WriteBackResult(), "what stands there is not written again"


def test_only_columns_that_differ_are_written(make: Make, crm: Path) -> None:
    execute(crm, "CREATE TABLE log (what TEXT)")
    for column in ("title", "url", "begins"):
        execute(
            crm,
            f"CREATE TRIGGER t_{column} AFTER UPDATE OF {column} ON opp "
            f"BEGIN INSERT INTO log VALUES ('{column}'); END",
        )
    source = make({"url": "url", "start": "begins"})
    source.take_facts([FACTS])
    execute(crm, "UPDATE opp SET begins = '2020-01-01' WHERE id = 1")
    execute(crm, "DELETE FROM log")
    assert source.take_facts([FACTS]) == WriteBackResult(written=1)
    assert execute(crm, "SELECT what FROM log") == [("begins",)]


def test_a_value_that_does_not_fit_costs_its_deal_only(make: Make, crm: Path) -> None:
    long = DeliveryFacts("1", url=f"{URL}/{'x' * 60}")
    source = make({"url": "url"})
    reported = source.take_facts([long, DeliveryFacts("2", url=URL)])
    assert reported.written == 1
    (problem,) = reported.problems
    assert problem.startswith("1: not written back: ")
    assert "url can hold 60" in problem
    assert execute(crm, "SELECT url FROM opp") == [(None,), (URL,)]


def test_a_key_that_two_rows_have_is_written_to_neither(make: Make, crm: Path) -> None:
    execute(crm, "INSERT INTO opp (id, title) VALUES (1, 'A again')")
    reported = make({"url": "url"}).take_facts([FACTS])
    assert reported.written == 0
    assert "2 rows of opp have this id" in " ".join(reported.problems)
    assert execute(crm, "SELECT count(url) FROM opp") == [(0,)]


def test_many_problems_are_counted(make: Make, crm: Path) -> None:
    execute(crm, "DELETE FROM opp")
    for number in range(30):
        execute(crm, f"INSERT INTO opp (id, title) VALUES ({number}, 'x')")
    long = f"{URL}/{'x' * 60}"
    reported = make({"url": "url"}).take_facts([DeliveryFacts(str(n), url=long) for n in range(30)])
    assert len(reported.problems) == 21
    assert reported.problems[-1] == "and 10 more deals whose facts could not be written back"


def test_examining_finds_all_that_is_wrong_with_the_columns(make: Make) -> None:
    with pytest.raises(ProblemsError) as caught:
        make({"url": "ulr", "start": "percent", "progress": "begins", "title": "flag"}).examine()
    said = str(caught.value)
    assert "there is no column 'ulr' in opp; did you mean 'url'?" in said
    assert "start does not fit into percent, which is INTEGER" in said
    assert "progress does not fit into begins, which is DATE" in said
    assert "title does not fit into flag, which is BLOB" in said


def test_an_unknown_table_is_reported_with_the_nearest_and_does_not_raise_in_a_run(
    make: Make,
) -> None:
    places = {"table": "oppp", "key": "id", "columns": {"url": "url"}}
    source = make({}, write_back=places)
    with pytest.raises(ProblemsError, match=r"there is no 'oppp'; did you mean 'opp'\?"):
        source.examine()
    reported = source.take_facts([FACTS])
    assert reported.written == 0
    assert "there is no 'oppp'" in reported.problems[0]


def test_examining_writes_nothing(make: Make, crm: Path) -> None:
    before = crm.read_bytes()
    (_, _, reported) = make({"url": "url"}).examine()
    assert reported == "delivery facts go into url of opp"
    assert crm.read_bytes() == before


def test_a_column_that_would_be_written_twice_is_refused(make: Make) -> None:
    with pytest.raises(ProblemsError, match="url would be written twice"):
        make({"url": "url", "title": "url"})
    with pytest.raises(ProblemsError, match="id would be written twice"):
        make({"url": "id"})


def test_a_database_that_went_away_is_reported_and_does_not_raise(make: Make, crm: Path) -> None:
    source = make({"url": "url"})
    crm.unlink()
    reported = source.take_facts([FACTS])
    assert reported.written == 0
    assert "no such file" in reported.problems[0]


class TestOnPostgresql:
    """With an account of its own, which may update two columns and nothing else."""

    @pytest.fixture
    def urls(self, postgresql: Server, postgresql_url: str) -> dict[str, str]:
        database = str(make_url(postgresql_url).database)

        def run(statement: str) -> None:
            postgresql.execute(statement, database=database)

        run("CREATE SCHEMA crm")
        run("CREATE TABLE crm.opp (id int PRIMARY KEY, title text, url text, begins date)")
        run("INSERT INTO crm.opp VALUES (1, 'A')")
        run("GRANT USAGE ON SCHEMA crm TO sync")
        run("GRANT SELECT ON crm.opp TO sync")
        return {"admin": postgresql.admin_url, "database": database, "reader": postgresql_url}

    def settings(self, urls: dict[str, str], **more: object) -> dict[str, object]:
        return {
            "url": urls["reader"],
            "query": "SELECT id, title FROM crm.opp",
            "columns": {"key": "id"},
            "environment": {"WRITER": self._admin(urls)},
            "write_back": {
                "table": "crm.opp",
                "key": "id",
                "columns": {"url": "url", "start": "begins"},
                **more,
            },
        }

    def _admin(self, urls: dict[str, str]) -> str:
        admin = make_url(urls["admin"]).set(database=urls["database"])
        return admin.render_as_string(hide_password=False)

    def test_a_reader_lacks_the_right_which_is_reported_by_check_and_by_a_run(
        self, urls: dict[str, str]
    ) -> None:
        source = create("sql", self.settings(urls), SystemClock())
        assert isinstance(source, SqlSource)
        with pytest.raises(Unauthorised, match="permission denied for table opp"):
            source.examine()
        reported = source.take_facts([FACTS])
        assert reported.written == 0
        assert "permission denied" in reported.problems[0]

    def test_an_account_of_its_own_writes(self, urls: dict[str, str], postgresql: Server) -> None:
        source = create("sql", self.settings(urls, url_env="WRITER"), SystemClock())
        assert isinstance(source, SqlSource)
        assert "delivery facts go into url, begins of crm.opp" in source.examine()
        assert source.take_facts([FACTS]) == WriteBackResult(written=1)
        found = postgresql.execute("SELECT * FROM crm.opp", database=urls["database"])
        assert found == [(1, "A", URL, date(2027, 1, 4))]
        assert source.take_facts([FACTS]) == WriteBackResult()

    def test_a_wrong_password_is_reported_without_it(self, urls: dict[str, str]) -> None:
        settings = self.settings(urls, url_env="WRITER")
        wrong = make_url(urls["admin"]).set(password="hunter2")
        settings["environment"] = {"WRITER": wrong.render_as_string(hide_password=False)}
        source = create("sql", settings, SystemClock())
        assert isinstance(source, SqlSource)
        with pytest.raises((SyncError, Stop)) as caught:
            source.examine()
        assert "hunter2" not in str(caught.value)
        assert "[source.write_back] url_env" in str(caught.value)
