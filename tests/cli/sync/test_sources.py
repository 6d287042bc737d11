"""Deals from a database and from Tryton, through the commands: messages, exit codes, facts."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from taiga_pipeline.cli.context import CommandContext
from taiga_pipeline.cli.exit_codes import ExitCode
from taiga_pipeline.cli.main import cli
from taiga_pipeline.sandbox.embedded import Sandbox
from tests.cli.conftest import FixedClock, Run, project_names, writes
from tests.sources.tryton.fake import KEY, URL, FakeTryton

SQL = """
[source]
kind = "sql"
url = "sqlite:///crm.db"
query = "SELECT number, title, account, phase, worth FROM opp"
currency = "EUR"
[source.columns]
key = "number"
stage = "phase"
value = "worth"
{more}
"""
WRITE_BACK = """
[source.write_back]
table = "opp"
key = "number"
[source.write_back.columns]
url = "project"
start = "begins"
progress = "done"
"""
TRYTON = f"""
[source]
kind = "tryton"
url = "{URL}"
database = "erp"
token_env = "TRYTON_KEY"
{{more}}
[source.stages]
opportunity = "Proposal"
[source.write_back]
url = "project_url"
"""


@pytest.fixture
def shop(run: Run, taiga: Sandbox, environment: dict[str, str]) -> Run:
    """A folder with a configuration for `taiga`, in which commands are run."""
    environment["TAIGA_PASSWORD"] = taiga.password
    environment["TRYTON_KEY"] = KEY
    assert run("init", "--taiga-url", taiga.url, "--username", taiga.username).exit_code == 0
    return run


def configure(source: str, more: str = "") -> None:
    """Puts another source into the configuration."""
    file = Path("config.toml")
    begin, _, rest = file.read_text(encoding="utf-8").partition("[source]")
    rest = rest[rest.index("[target]") :]
    file.write_text(begin + source.replace("{more}", more) + rest, encoding="utf-8")


def crm(statement: str, *parameters: object) -> list[Any]:
    connection = sqlite3.connect("crm.db")
    with connection:
        rows = connection.execute(statement, parameters).fetchall()
    connection.close()
    return rows


@pytest.fixture
def opportunities(shop: Run) -> Run:
    """Two deals in a database of others."""
    crm(
        "CREATE TABLE opp (number TEXT, title TEXT, account TEXT, phase TEXT, worth REAL,"
        " project TEXT, begins DATE, done INTEGER, note TEXT)"
    )
    for number in ("D-1", "D-2"):
        crm(
            "INSERT INTO opp (number, title, account, phase, worth, note) VALUES (?,?,?,?,?,?)",
            *(number, f"Portal {number}", "Acme", "Proposal", 1200.5, "do not touch"),
        )
    configure(SQL)
    return shop


@pytest.fixture
def tryton() -> Iterator[FakeTryton]:
    fake = FakeTryton()
    mock = fake.answer()
    mock.start()
    yield fake
    mock.stop(allow_assert=False)


class HurryingClock(FixedClock):
    """Is a second later at every look."""

    def __init__(self) -> None:
        self.time = 0.0

    def monotonic(self) -> float:
        self.time += 1
        return self.time


def test_check_ends_in_bounded_time_whatever_the_source_holds(
    opportunities: Run, environment: dict[str, str]
) -> None:
    del opportunities
    crm(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)"
        " INSERT INTO opp (number, title, phase) SELECT 'N-' || i, 'Deal', 'Proposal' FROM n"
    )
    context = CommandContext(clock=HurryingClock(), environment=environment)
    result = CliRunner().invoke(cli, ["check", "--offline"], obj=context)

    assert result.exit_code == 0, result.stdout
    assert "deals are fine; the others were not checked within 60 s" in result.stdout


def test_check_shows_some_of_very_many_bad_rows_and_counts_the_others(opportunities: Run) -> None:
    crm(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)"
        " INSERT INTO opp (number, title, phase) SELECT 'N-' || i, 'Deal', 'Elsewhere' FROM n"
    )
    result = opportunities("check", "--offline")
    assert result.exit_code == 2
    assert result.stdout.count("\n    N-") == 100
    assert "and 400 more like these" in result.stdout


def test_check_tells_of_columns_and_that_the_connection_cannot_write(opportunities: Run) -> None:
    result = opportunities("check")
    assert result.exit_code == 0, result.stdout
    assert "source: 2 deals" in result.stdout
    assert "columns: key from number, stage from phase, value from worth" in result.stdout
    assert "the connection that reads cannot write (tried)" in result.stdout
    assert "delivery facts" not in result.stdout


def test_deals_of_a_database_become_projects_and_nothing_is_written_there(
    opportunities: Run, taiga: Sandbox
) -> None:
    before = Path("crm.db").read_bytes()
    assert "D-1" in opportunities("plan").stdout
    assert opportunities("run").exit_code == 0
    assert project_names(taiga) == [
        "(tentative) Acme: Portal D-1",
        "(tentative) Acme: Portal D-2",
    ]
    assert Path("crm.db").read_bytes() == before


def test_facts_are_written_back_once_and_only_where_they_belong(
    opportunities: Run, taiga: Sandbox
) -> None:
    configure(SQL, WRITE_BACK)
    assert "delivery facts go into project, begins, done of opp" in opportunities("check").stdout
    opportunities("plan")
    assert crm("SELECT project FROM opp") == [(None,), (None,)]
    first = json.loads(opportunities("run", "--json").stdout)["run"]
    assert (first["written_back"], first["write_back_problems"]) == (2, [])
    rows = crm("SELECT number, title, phase, worth, note, project FROM opp")
    for number, title, phase, worth, note, project in rows:
        assert (title, phase, worth) == (f"Portal {number}", "Proposal", 1200.5)
        assert note == "do not touch"
        assert project.startswith(f"{taiga.url}/project/")
    before = Path("crm.db").read_bytes()
    wrote = len(writes(taiga))
    second = json.loads(opportunities("run", "--json").stdout)["run"]
    assert (second["written_back"], second["applied"]) == (0, 0)
    assert Path("crm.db").read_bytes() == before
    assert len(writes(taiga)) == wrote


def test_what_others_put_in_its_place_is_mended_and_reported(opportunities: Run) -> None:
    configure(SQL, WRITE_BACK)
    opportunities("run")
    crm("UPDATE opp SET project = 'elsewhere' WHERE number = 'D-1'")
    result = opportunities("run")
    assert "1 written back to the source" in result.stdout
    assert crm("SELECT project FROM opp WHERE number = 'D-1'") != [("elsewhere",)]
    assert opportunities("run").stdout == ""


def test_a_place_that_is_not_there_leaves_the_sync_done_in_part(
    opportunities: Run, taiga: Sandbox
) -> None:
    configure(SQL, WRITE_BACK.replace('"done"', '"dnoe"'))
    checked = opportunities("check")
    assert checked.exit_code == ExitCode.USAGE
    assert "there is no column 'dnoe' in opp; did you mean" in checked.stdout
    result = opportunities("run")
    assert result.exit_code == ExitCode.PARTIAL
    assert "there is no column 'dnoe'" in result.stderr
    assert len(project_names(taiga)) == 2


def test_a_database_that_cannot_be_reached_loses_nothing(
    opportunities: Run, taiga: Sandbox
) -> None:
    opportunities("run")
    names = project_names(taiga)
    Path("crm.db").rename("elsewhere.db")
    for command in ("check", "plan", "run"):
        result = opportunities(command)
        assert result.exit_code == ExitCode.UNREACHABLE, command
        assert "crm.db: no such file" in result.output
    Path("elsewhere.db").rename("crm.db")
    assert opportunities("run").exit_code == 0
    assert project_names(taiga) == names


def test_a_wrong_password_is_reported_without_it(
    shop: Run, environment: dict[str, str], postgresql_url: str
) -> None:
    environment["CRM_URL"] = postgresql_url.replace("throw-away", "hunter2")
    configure(SQL.replace('url = "sqlite:///crm.db"', 'url_env = "CRM_URL"'))
    for command in ("check", "run"):
        result = shop(command)
        assert result.exit_code == ExitCode.UNREACHABLE
        assert "refuses this account" in result.output
        assert "hunter2" not in result.output


def test_a_query_that_writes_is_a_mistake_in_the_configuration(opportunities: Run) -> None:
    configure(
        SQL.replace("SELECT number, title, account, phase, worth FROM opp", "DELETE FROM opp")
    )
    result = opportunities("run")
    assert result.exit_code == ExitCode.USAGE
    assert "[source] query: it begins with DELETE" in result.stderr
    assert len(crm("SELECT * FROM opp")) == 2


def test_a_row_that_cannot_be_read_is_reported_and_the_others_are_synced(
    opportunities: Run, taiga: Sandbox
) -> None:
    crm("UPDATE opp SET worth = 'a lot' WHERE number = 'D-1'")
    result = opportunities("run")
    assert result.exit_code == ExitCode.PARTIAL
    assert "D-1: row 1 of the query: worth: 'a lot' is not an amount" in result.stdout
    assert project_names(taiga) == ["(tentative) Acme: Portal D-2"]


def test_tryton_through_the_commands(shop: Run, taiga: Sandbox, tryton: FakeTryton) -> None:
    number = tryton.opportunity(description="Portal")
    configure(TRYTON)
    checked = shop("check")
    assert checked.exit_code == 0, checked.stdout
    assert "delivery facts go into project_url of sale.opportunity" in checked.stdout
    assert not tryton.writes
    shop("run")
    assert project_names(taiga) == ["(tentative) Kunde GmbH: Portal"]
    assert tryton.rows[number]["project_url"].startswith(f"{taiga.url}/project/")
    assert len(tryton.writes) == 1
    assert shop("run").stdout == ""
    assert len(tryton.writes) == 1


def test_a_cache_is_written_by_a_run_and_by_nothing_else(shop: Run, tryton: FakeTryton) -> None:
    tryton.opportunity(description="Portal")
    configure(TRYTON, 'cache = "cache.db"')
    for command in ("check", "plan"):
        shop(command)
        assert not Path("cache.db").exists()
    shop("run")
    assert Path("cache.db").exists()
    assert "(those that changed)" in shop("-v", "plan").stderr
    assert "(all)" in shop("-v", "run", "--full").stderr


def test_a_key_that_is_wrong_is_reported_and_never_shown(
    shop: Run, tryton: FakeTryton, environment: dict[str, str]
) -> None:
    configure(TRYTON)
    environment["TRYTON_KEY"] = "hunter2"
    for command in ("check", "plan", "run"):
        result = shop(command, *(["--json"] if command == "check" else []))
        assert result.exit_code == ExitCode.UNREACHABLE
        assert "application key (401)" in result.output
        assert "hunter2" not in result.output


def test_a_secret_in_the_file_is_sent_to_the_environment(shop: Run) -> None:
    configure(TRYTON.replace('token_env = "TRYTON_KEY"', 'token = "hunter2"'))
    result = shop("check")
    assert result.exit_code == ExitCode.USAGE
    assert 'token_env = "TRYTON_TOKEN"' in result.output
    assert "hunter2" not in result.output
