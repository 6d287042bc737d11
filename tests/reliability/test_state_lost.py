"""The state store is lost, old, damaged or another person's: nothing is made twice."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

import pytest
from click.testing import CliRunner, Result

from sync.clock import SystemClock
from sync.state.schema import STEPS
from sync.state.store import StateStore
from taiga_pipeline.cli.context import CommandContext
from taiga_pipeline.cli.main import cli
from taiga_pipeline.sandbox.embedded import Sandbox
from tests.prepared import prepare

pytestmark = pytest.mark.sampled_tests(4)

SAMPLES: Final = Path(__file__).parent / "state_samples"
VERSIONS: Final = range(1, len(STEPS) + 1)
SHOP: Final = "(tentative) Alder & Finch: Web shop"
STATE: Final = Path("state.db")
CONFIG: Final = Path("config.toml")

Run = Callable[..., Result]


@pytest.fixture
def taiga() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taiga: Sandbox) -> Run:
    """Runs commands in a folder with the sample pipeline."""
    folder = tmp_path / "acme"
    folder.mkdir()
    monkeypatch.chdir(folder)

    def invoke(*arguments: str) -> Result:
        context = CommandContext(environment={"TAIGA_PASSWORD": taiga.password})
        return CliRunner().invoke(cli, arguments, obj=context)

    def make() -> None:
        login = ("--taiga-url", taiga.url, "--username", taiga.username)
        assert invoke("init", "--sample", *login).exit_code == 0

    prepare("sample that is lost", folder, taiga, make)
    return invoke


@pytest.fixture
def synced(run: Run) -> Run:
    assert run("run").exit_code == 0
    return run


def names(taiga: Sandbox) -> list[str]:
    return sorted(project["name"] for project in taiga.as_user("admin").get("/projects"))


def rename(taiga: Sandbox, old: str, new: str) -> None:
    admin = taiga.as_user("admin")
    (found,) = (project for project in admin.get("/projects") if project["name"] == old)
    admin.patch(f"/projects/{found['id']}", {"name": new})


def writes(taiga: Sandbox) -> list[str]:
    return [
        f"{request.method} {request.path}"
        for request in taiga.requests
        if request.method != "GET" and not request.path.startswith(("/auth", "/user-storage"))
    ]


def assert_settled(run: Run, taiga: Sandbox) -> None:
    taiga.clear_requests()
    assert run("run").exit_code == 0
    assert writes(taiga) == []


class TestLost:
    def test_without_its_state_it_finds_its_projects_by_their_markers_and_says_so(
        self, synced: Run, taiga: Sandbox
    ) -> None:
        before = names(taiga)
        STATE.unlink()
        result = synced("run")
        assert result.exit_code == 0
        assert (
            "6 projects were found by their marker and adopted, none was made again"
            in result.stdout
        )
        assert names(taiga) == before
        assert_settled(synced, taiga)

    def test_a_script_can_see_it_too(self, synced: Run) -> None:
        STATE.unlink()
        assert json.loads(synced("run", "--json").stdout)["run"]["adopted_by_marker"] == 6

    def test_a_first_run_says_nothing_of_the_kind(self, run: Run) -> None:
        assert "marker" not in run("run").stdout

    def test_an_edit_of_people_and_one_of_sales_survive_the_loss(
        self, synced: Run, taiga: Sandbox
    ) -> None:
        rename(taiga, SHOP, "(tentative) The shop")
        synced("deals", "move", "D-106", "Negotiation", "--force")
        STATE.unlink()
        result = synced("run")
        assert "(tentative) The shop" in names(taiga)
        assert len(names(taiga)) == 6
        assert result.exit_code == 3  # who is right about the name, it is unknown any more
        assert "resolve D-105 --field title" in result.stdout

    def test_an_old_copy_that_is_restored_makes_nothing_twice(
        self, synced: Run, taiga: Sandbox
    ) -> None:
        assert synced("backup", "old.tar.gz").exit_code == 0
        assert synced("deals", "add", "D-200", "Late arrival", "--stage", "Proposal").exit_code == 0
        synced("deals", "edit", "D-106", "--name", "Newer name")
        rename(taiga, SHOP, "(tentative) The shop")
        assert synced("run").exit_code == 0
        before = names(taiga)
        assert len(before) == 7
        with tarfile.open("old.tar.gz") as archive:
            archive.extract("state.db", filter="data")
        for leftover in ("state.db-wal", "state.db-shm"):
            Path(leftover).unlink(missing_ok=True)
        result = synced("run")
        assert result.exit_code == 0, result.stdout
        assert "1 project was found by its marker and adopted" in result.stdout
        assert names(taiga) == before
        assert_settled(synced, taiga)


class TestAnothers:
    def test_a_pipeline_that_was_renamed_makes_nothing_a_second_time(
        self, synced: Run, taiga: Sandbox
    ) -> None:
        before = names(taiga)
        text = CONFIG.read_text()
        CONFIG.write_text(re.sub(r'^pipeline = ".*"', 'pipeline = "renamed"', text, flags=re.M))
        taiga.clear_requests()
        result = synced("run")
        assert result.exit_code == 4
        assert "limit 'other_pipeline': 6 planned (D-105 by acme" in result.stderr
        assert "give it its old name again" in result.stderr
        assert "--allow other_pipeline" in result.stderr
        assert names(taiga) == before
        assert writes(taiga) == []

    def test_that_may_be_allowed(self, synced: Run, taiga: Sandbox) -> None:
        text = CONFIG.read_text()
        CONFIG.write_text(re.sub(r'^pipeline = ".*"', 'pipeline = "second"', text, flags=re.M))
        assert synced("run", "--allow", "other_pipeline").exit_code == 0
        assert len(names(taiga)) == 12
        assert synced("run").exit_code == 0

    def test_a_project_of_another_pipeline_is_not_adopted(
        self, synced: Run, taiga: Sandbox
    ) -> None:
        text = CONFIG.read_text()
        CONFIG.write_text(re.sub(r'^pipeline = ".*"', 'pipeline = "second"', text, flags=re.M))
        project = taiga.as_user("admin").get("/projects")[0]["id"]
        result = synced("adopt", "D-105", str(project))
        assert result.exit_code != 0
        assert "belongs to the pipeline 'acme'" in result.stderr

    def test_deals_of_another_store_with_other_keys_are_held_back_and_change_nothing(
        self, synced: Run, taiga: Sandbox
    ) -> None:
        before = names(taiga)
        Path("other").mkdir()
        shutil.copy("pipeline.db", "other/pipeline.db")
        with closing(sqlite3.connect("other/pipeline.db")) as connection:
            connection.execute("UPDATE deals SET key = 'X' || key, key_folded = 'x' || key_folded")
            connection.commit()
        CONFIG.write_text(CONFIG.read_text().replace("pipeline.db", "other/pipeline.db"))
        taiga.clear_requests()
        result = synced("run")
        assert result.exit_code == 3
        assert "'XD-105' is new in the source and 'D-105' is gone from it" in result.stdout
        assert "pipeline-sync adopt --renumbered" in result.stdout
        assert names(taiga) == before
        assert writes(taiga) == []


def load(version: int, path: Path) -> None:
    """Makes a state file from the sample of a version."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((SAMPLES / f"version_{version}.sql").read_text())
        connection.execute("PRAGMA journal_mode = WAL")


def schema_version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(
            connection.execute(
                "SELECT version FROM schema_version WHERE name = 'state'"
            ).fetchone()[0]
        )


class TestVersions:
    def test_there_is_a_sample_of_every_version(self) -> None:
        found = {int(path.stem.removeprefix("version_")) for path in SAMPLES.glob("*.sql")}
        assert found == set(VERSIONS), "keep a dump of a state file of the new version"

    @pytest.mark.parametrize("version", VERSIONS)
    def test_every_older_one_is_brought_up_to_date_and_nothing_is_lost(
        self, tmp_path: Path, version: int
    ) -> None:
        path = tmp_path / "state.db"
        load(version, path)
        store = StateStore(f"sqlite:///{path}", "acme", SystemClock())
        try:
            assert sorted(store.index()) == [f"D-{n}" for n in range(105, 111)]
            assert [issue.issue.kind.value for issue in store.issues()] == ["conflict"]
            assert [run.outcome for run in store.runs()] == ["partial", "done"]
            assert len(store.open_intents()) == 1
            assert store.dangling() == []
            assert all(known.bound for known in store.known(list(store.index())).values())
            assert store.identity() == store.identity()
        finally:
            store.close()
        assert schema_version(path) == len(STEPS)

    @pytest.mark.parametrize("command", ["status", "history", "conflicts", "plan"])
    @pytest.mark.parametrize("version", VERSIONS)
    def test_who_only_looks_changes_no_older_state(
        self, run: Run, version: int, command: str
    ) -> None:
        load(version, STATE)
        before = STATE.read_bytes()
        assert run(command).exit_code in (0, 3)
        assert STATE.read_bytes() == before

    def test_a_newer_one_is_refused_untouched(self, run: Run, taiga: Sandbox) -> None:
        load(VERSIONS[-1], STATE)
        with closing(sqlite3.connect(STATE)) as connection:
            connection.execute("UPDATE schema_version SET version = 99")
            connection.commit()
        before = STATE.read_bytes()
        for command in ("run", "plan", "status", "check"):
            result = run(command)
            assert result.exit_code == 2
            assert "newer version" in result.stdout + result.stderr
        assert STATE.read_bytes() == before
        assert names(taiga) == []


class TestCheck:
    def test_a_sound_state_is_said_to_be_so(self, synced: Run) -> None:
        result = synced("check")
        assert result.exit_code == 0
        assert "6 projects are kept in step" in result.stdout
        assert "pipeline.db is sound" in result.stdout

    @pytest.mark.parametrize("file", ["state.db", "pipeline.db"])
    def test_a_damaged_file_is_found(self, synced: Run, file: str) -> None:
        damage(Path(file))
        result = synced("check", "--offline")
        assert result.exit_code == 2
        assert f"{file}: is damaged" in result.stdout
        assert "Restore a backup" in result.stdout

    def test_a_binding_without_its_project_is_found(self, synced: Run) -> None:
        with closing(sqlite3.connect(STATE)) as connection:
            connection.execute("DELETE FROM sync_binding WHERE grp = 'D-105' AND name = ''")
            connection.commit()
        result = synced("check", "--offline")
        assert result.exit_code == 2
        assert "knows parts of 1 deal(s) but not their projects: D-105" in result.stdout

    def test_writes_that_were_cut_off_are_reported(self, run: Run) -> None:
        text = CONFIG.read_text()
        CONFIG.write_text(re.sub(r'^pipeline = ".*"', 'pipeline = "acme"', text, flags=re.M))
        load(VERSIONS[-1], STATE)
        assert "1 writes of a run that was cut off" in run("check", "--offline").stdout


def damage(path: Path) -> None:
    """Overwrites the second half of a database file, and keeps its length."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2] + b"\xa5" * (len(data) - len(data) // 2))


class TestBackup:
    def test_it_holds_both_databases_whole(self, synced: Run, tmp_path: Path) -> None:
        result = synced("backup", "copy.tar.gz")
        assert result.exit_code == 0, result.stderr
        with tarfile.open("copy.tar.gz") as archive:
            archive.extractall(tmp_path / "restored", filter="data")
        for name, table in (("state.db", "sync_binding"), ("pipeline.db", "deals")):
            with closing(sqlite3.connect(tmp_path / "restored" / name)) as connection:
                assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
                assert connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] > 0

    def test_one_command_restores_it_on_another_machine(
        self, synced: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        Path("scenarios.toml").write_text("[scenario.both]\nwin = []\n")
        Path("staffing.json").write_text("{}")
        assert synced("backup", "copy.tar.gz").exit_code == 0
        other = tmp_path / "other machine"
        command = f"mkdir -p '{other}' && tar xzf copy.tar.gz -C '{other}'"
        subprocess.run(command, shell=True, check=True)
        monkeypatch.chdir(other)
        for name in ("config.toml", "scenarios.toml", "staffing.json"):
            assert Path(name).is_file()
        result = synced("plan", "--exit-code")
        assert result.exit_code == 0, result.output

    def test_two_databases_of_one_name_are_both_in_it(self, synced: Run, tmp_path: Path) -> None:
        for name, folder in (("pipeline.db", "deals"), (str(STATE), "state")):
            Path(folder).mkdir()
            Path(name).rename(Path(folder) / "data.db")
        config = Path("config.toml").read_text()
        config = config.replace("sqlite:///pipeline.db", "sqlite:///deals/data.db")
        Path("config.toml").write_text(
            config.replace("sqlite:///state.db", "sqlite:///state/data.db")
        )
        result = synced("backup", "copy.tar.gz")
        assert result.exit_code == 0, result.stderr
        with tarfile.open("copy.tar.gz") as archive:
            assert {"deals/data.db", "state/data.db"} <= set(archive.getnames())
            archive.extractall(tmp_path / "restored", filter="data")
        for name, table in (("state", "sync_binding"), ("deals", "deals")):
            path = tmp_path / "restored" / name / "data.db"
            with closing(sqlite3.connect(path)) as connection:
                assert connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] > 0

    def test_killed_at_any_moment_it_leaves_nothing_or_a_whole_archive(
        self, synced: Run, tmp_path: Path
    ) -> None:
        temporary = tmp_path / "temporary"
        temporary.mkdir()
        before = {path.name for path in Path().iterdir()}
        command = [sys.executable, "-m", "taiga_pipeline", "backup", "copy.tar.gz"]
        for delay in (0.3, 0.6, 0.8, 1.0, 1.2):
            process = subprocess.Popen(
                command, env={**os.environ, "TMPDIR": str(temporary)}, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )  # fmt: skip
            with suppress(subprocess.TimeoutExpired):
                process.wait(delay)
            process.kill()
            process.wait(120)
            if Path("copy.tar.gz").exists():
                with tarfile.open("copy.tar.gz") as archive:
                    assert {"pipeline.db", "state.db"} <= set(archive.getnames())
                Path("copy.tar.gz").unlink()
            parts = {path.name for path in Path().iterdir()} - before
            assert not [name for name in parts if name.endswith(".part")]
            assert not list(temporary.iterdir())

    def test_it_is_for_its_owner_alone(self, synced: Run) -> None:
        synced("backup", "copy.tar.gz")
        assert Path("copy.tar.gz").stat().st_mode & 0o777 == 0o600
        with tarfile.open("copy.tar.gz") as archive:
            assert {member.mode & 0o777 for member in archive} == {0o600}

    def test_it_never_overwrites(self, synced: Run) -> None:
        Path("copy.tar.gz").write_text("mine")
        result = synced("backup", "copy.tar.gz")
        assert result.exit_code == 2
        assert "exists already" in result.stderr
        assert Path("copy.tar.gz").read_text() == "mine"

    def test_it_is_made_while_another_program_writes(self, synced: Run) -> None:
        with closing(sqlite3.connect(STATE, isolation_level=None)) as writer:
            writer.execute("BEGIN IMMEDIATE")
            writer.execute("DELETE FROM sync_binding")
            assert synced("backup", "copy.tar.gz").exit_code == 0
            writer.execute("ROLLBACK")
        with tarfile.open("copy.tar.gz") as archive:
            archive.extract("state.db", "copy", filter="data")
        with closing(sqlite3.connect("copy/state.db")) as connection:
            assert connection.execute("SELECT count(*) FROM sync_binding").fetchone()[0] > 0

    def test_of_a_damaged_file_there_is_no_copy_that_looks_like_one(self, synced: Run) -> None:
        damage(STATE)
        result = synced("backup", "copy.tar.gz")
        assert result.exit_code == 2
        assert not Path("copy.tar.gz").exists()

    def test_where_there_is_nothing_yet_it_says_so(self, run: Run) -> None:
        Path("pipeline.db").unlink()
        result = run("backup", "copy.tar.gz")
        assert result.exit_code == 2
        assert "nothing to back up" in result.stderr
        assert not Path("copy.tar.gz").exists()
