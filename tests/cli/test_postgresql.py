"""The commands with store and state on a PostgreSQL server, chosen by URL."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import make_url

from sync.database.engine import open_engine, reading
from sync.run.lock import run_lock
from taiga_pipeline.sandbox.embedded import Sandbox
from tests.cli.conftest import FixedClock, Run, project_names, writes
from tests.live.leaving_out import program
from tests.live.postgresql import PASSWORD, Server

pytestmark = pytest.mark.sampled_tests(6)

CONFIG = Path("config.toml")
ROOT = Path(__file__).parents[2]


@pytest.fixture
def on_server(sample: Run, postgresql_url: str, environment: dict[str, str]) -> Run:
    """The sample pipeline with everything in one database, whose URL is in the environment."""
    environment["PIPELINE_DATABASE"] = postgresql_url
    result = sample("store", "copy", "--to-env", "PIPELINE_DATABASE")
    assert result.exit_code == 0, result.stderr
    lines = CONFIG.read_text()
    lines = re.sub(r'(?m)^url = "sqlite.*$', 'url_env = "PIPELINE_DATABASE"', lines)
    lines = re.sub(r"(?m)^state = .*$\n?", "", lines)
    CONFIG.write_text(lines.replace("[sync]", '[sync]\nstate_env = "PIPELINE_DATABASE"'))
    for file in Path().glob("*.db*"):
        file.unlink()
    return sample


def test_a_pipeline_lives_in_one_database_and_a_second_run_writes_nothing(
    on_server: Run, taiga: Sandbox
) -> None:
    assert on_server("run").exit_code == 0
    assert on_server("deals", "move", "D-106", "Won", "--force").exit_code == 0
    assert on_server("run").exit_code == 0
    taiga.clear_requests()
    assert on_server("run").exit_code == 0
    assert writes(taiga) == []
    assert "6 projects are kept in step" in on_server("check").stdout
    assert not list(Path().glob("*.db*"))


def test_status_before_the_first_run_makes_nothing(on_server: Run, postgresql_url: str) -> None:
    engine = open_engine(postgresql_url)
    assert on_server("status").exit_code == 0
    assert on_server("plan").exit_code == 0
    assert "not there yet; the first run creates it" in on_server("check").stdout
    with reading(engine) as connection:
        assert not engine.dialect.has_table(connection, "sync_run")
    engine.dispose()


class TestTroubles:
    """Each ends with 6, names the database and never the password, and loses nothing."""

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"port": 1}, "cannot be reached"),
            ({"password": "wr0ng-one"}, "refuses the account"),
            ({"database": "nowhere"}, "does not exist: create it"),
        ],
    )
    @pytest.mark.parametrize("command", ["run", "plan", "status", "check"])
    def test_a_server_that_cannot_be_used(
        self,
        on_server: Run,
        environment: dict[str, str],
        command: str,
        change: dict[str, object],
        message: str,
    ) -> None:
        url = make_url(environment["PIPELINE_DATABASE"]).set(**change)  # type: ignore[arg-type]
        environment["PIPELINE_DATABASE"] = url.render_as_string(hide_password=False)
        result = on_server(command)
        reported = result.stdout + result.stderr
        assert result.exit_code == 6
        assert message in reported
        assert "wr0ng-one" not in reported
        assert PASSWORD not in reported

    def test_a_run_that_another_one_is_before(self, on_server: Run, postgresql_url: str) -> None:
        found = re.search(r'^pipeline = "(.*)"', CONFIG.read_text(), re.M)
        assert found
        with run_lock(postgresql_url, found[1], FixedClock()):
            result = on_server("run")
        assert result.exit_code == 5
        assert "is at work (process " in result.stderr


class TestCheck:
    @pytest.mark.parametrize(
        ("damage", "message"),
        [
            (
                "ALTER TABLE stage_moves DROP CONSTRAINT stage_moves_deal_key_fkey; "
                "INSERT INTO stage_moves (deal_key, from_stage, to_stage, at, by, forced) "
                "VALUES ('X-1', '', 'Lead', now(), '', '')",
                "1 row(s) of stage_moves refer to missing rows",
            ),
            ("ALTER TABLE people DROP COLUMN team", "the table people lacks team"),
            ("DROP TABLE time_off", "the table time_off is missing"),
            (
                "UPDATE pg_index SET indisvalid = false "
                "WHERE indexrelid = 'stage_moves_deal'::regclass",
                "stage_moves_deal is not valid: fix it with REINDEX",
            ),
            (
                "REVOKE DELETE ON allocations FROM sync",
                "the account may not DELETE in the table allocations: GRANT it",
            ),
            ("UPDATE pg_database SET datcollversion = '0.1' WHERE datname = current_database()",
             "orders text in another way"),
        ],
    )  # fmt: skip
    def test_what_is_not_sound_is_named(
        self, on_server: Run, postgresql: Server, postgresql_url: str, damage: str, message: str
    ) -> None:
        for statement in damage.split("; "):
            postgresql.execute(statement, database=str(make_url(postgresql_url).database))
        result = on_server("check", "--offline")
        assert result.exit_code == 2
        assert message in result.stdout

    def test_a_sound_one_is_said_to_be_so(self, on_server: Run, postgresql_url: str) -> None:
        assert f"/{make_url(postgresql_url).database} is sound" in on_server("check").stdout


class TestBackup:
    def test_it_says_how_and_what_it_says_works(
        self, on_server: Run, postgresql: Server, tmp_path: Path
    ) -> None:
        result = on_server("backup", "copy.tar.gz")
        assert result.exit_code == 2
        assert PASSWORD not in result.stderr
        (command,) = set(re.findall(r"pg_dump .*", result.stderr))
        program("pg_dump")
        done = subprocess.run(
            command,
            shell=True,
            env={"PATH": "/usr/bin:/bin", "PGPASSWORD": PASSWORD},
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        assert Path("pipeline-sync.dump").stat().st_size > 1000


RUNS_UNTIL = """
import os, signal, sys
from sync import crash_points
from taiga_pipeline.cli.main import cli
count = 0
def observer(name):
    global count
    count += 1
    if count == int(sys.argv[1]):
        os.kill(os.getpid(), signal.SIGKILL)
crash_points.observers.append(observer)
cli(["run"])
"""


@pytest.mark.parametrize("number", [2, 5, 9, 14, 20, 27])
def test_killed_for_real_the_next_run_goes_on_and_nothing_is_twice(
    on_server: Run,
    taiga: Sandbox,
    environment: dict[str, str],
    number: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    CONFIG.write_text(CONFIG.read_text().replace("[sync]", "[sync]\nsettle_seconds = 0"))
    command = [sys.executable, "-c", RUNS_UNTIL, str(number)]
    inherited = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "HOME": "/nonexistent"}
    killed = subprocess.run(
        command, env={**inherited, **environment}, check=False, capture_output=True, text=True
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    result = on_server("run")
    assert result.exit_code == 0, result.stderr
    names = project_names(taiga)
    assert len(names) == len(set(names)) == 6
    taiga.clear_requests()
    assert on_server("run").exit_code == 0
    assert writes(taiga) == []
