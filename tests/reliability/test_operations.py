"""What people and monitors see of years of runs, and how a run is ended."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, Final

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import event
from sqlalchemy.pool import Pool

from sync.state.store import StateStore
from taiga_pipeline.cli.context import CommandContext
from taiga_pipeline.cli.main import cli
from taiga_pipeline.sandbox.embedded import Sandbox
from taiga_pipeline.sandbox.faults import Fault, FaultKind
from taiga_pipeline.sandbox.serving.wire import Request
from tests.prepared import prepare

pytestmark = pytest.mark.sampled_tests(4)

Run = Callable[..., Result]
CONFIG: Final = Path("config.toml")
SHOP: Final = "(tentative) Alder & Finch: Web shop"
TOKEN: Final = "5f3c-heartbeat-token"


class MovableClock:
    """The machine's clock, moved on by a test."""

    def __init__(self) -> None:
        self.later = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.later

    def monotonic(self) -> float:
        return time.monotonic() + self.later.total_seconds()

    def sleep(self, seconds: float) -> None:
        """Does not wait."""


@pytest.fixture
def taiga() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def environment(taiga: Sandbox) -> dict[str, str]:
    return {"TAIGA_PASSWORD": taiga.password}


@pytest.fixture
def run(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    taiga: Sandbox,
    clock: MovableClock,
    environment: dict[str, str],
) -> Run:
    """Runs commands in a folder with the sample pipeline."""
    folder = tmp_path / "acme"
    folder.mkdir()
    monkeypatch.chdir(folder)

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(cli, arguments, obj=CommandContext(clock, environment))

    def make() -> None:
        login = ("--taiga-url", taiga.url, "--username", taiga.username)
        assert invoke("init", "--sample", *login).exit_code == 0

    prepare("sample of operations", folder, taiga, make)
    return invoke


@pytest.fixture
def synced(run: Run) -> Run:
    assert run("run").exit_code == 0
    return run


def configure(text: str) -> None:
    """Adds a section to the configuration."""
    CONFIG.write_text(f"{CONFIG.read_text()}\n{text}\n")


def project(taiga: Sandbox, name: str) -> dict[str, Any]:
    (found,) = (p for p in taiga.as_user("admin").get("/projects") if p["name"] == name)
    return dict(found)


def names(taiga: Sandbox) -> list[str]:
    return sorted(project["name"] for project in taiga.as_user("admin").get("/projects"))


class TestStatus:
    def test_all_is_well(self, synced: Run) -> None:
        assert synced("status", "--max-age", "1h").exit_code == 0

    def test_a_monitor_is_warned_when_the_last_success_is_too_old(
        self, synced: Run, clock: MovableClock
    ) -> None:
        clock.later = timedelta(hours=2)
        assert synced("status", "--max-age", "1h").exit_code == 7
        assert synced("status", "--max-age", "3h").exit_code == 0

    def test_no_success_at_all_is_too_old(self, run: Run) -> None:
        assert run("status", "--max-age", "365d").exit_code == 7

    def test_a_run_that_fails_is_no_success_and_says_why(
        self, synced: Run, clock: MovableClock, environment: dict[str, str]
    ) -> None:
        clock.later = timedelta(hours=2)
        environment["TAIGA_PASSWORD"] = "wrong"
        assert synced("run").exit_code == 6
        result = synced("status", "--max-age", "1h")
        assert result.exit_code == 7
        assert "error" in result.stdout
        assert "refuses the log-in" in result.stdout

    def test_something_that_waits_for_a_person_is_3(self, synced: Run, taiga: Sandbox) -> None:
        taiga.as_user("admin").delete(f"/projects/{project(taiga, SHOP)['id']}")
        synced("run")
        result = synced("status", "--max-age", "1h")
        assert result.exit_code == 3
        assert "1 deleted (pipeline-sync conflicts)" in result.stdout
        data = json.loads(synced("status", "--json").stdout)
        assert (data["issues"], data["waiting"], data["open_intents"]) == ({"deleted": 1}, 1, 0)
        assert data["age_seconds"] < 60

    @pytest.mark.parametrize("age", ["", "1", "h", "-1h", "1 week", "nan", "9" * 30 + "d"])
    def test_what_is_no_age_is_refused(self, synced: Run, age: str) -> None:
        result = synced("status", f"--max-age={age}")
        assert result.exit_code == 2
        assert "write 90m, 1h or 2d" in result.stderr


class TestHistory:
    def test_a_manager_s_edit_that_was_kept_is_reported_once_as_hers(
        self, synced: Run, taiga: Sandbox
    ) -> None:
        found = project(taiga, SHOP)
        taiga.as_user("admin").patch(
            f"/projects/{found['id']}", {"name": "(tentative) The new shop"}
        )
        for _ in range(3):
            assert synced("run", "--full").exit_code == 0
        rows = json.loads(synced("history", "D-105", "--json").stdout)
        kept = [row for row in rows if row["who"] == "people"]
        assert [(row["action"], row["changes"][0]["field"]) for row in kept] == [("keep", "title")]
        text = synced("history", "D-105").stdout
        assert "Alder & Finch: Web shop → The new shop" in " ".join(text.split())
        assert "edited by people, and kept" in text

    def test_an_edit_that_was_written_over_is_reported_as_such(
        self, synced: Run, taiga: Sandbox
    ) -> None:
        found = project(taiga, SHOP)
        changed = found["description"].replace("Alder & Finch", "Someone else")
        assert changed != found["description"]
        taiga.as_user("admin").patch(f"/projects/{found['id']}", {"description": changed})
        assert synced("run", "--full").exit_code == 0
        assert "(written back)" in " ".join(synced("history", "D-105").stdout.split())

    def test_it_tells_who_when_and_why(self, synced: Run) -> None:
        row, *sold = json.loads(synced("history", "D-105", "--json").stdout)
        assert sold
        assert {each["who"] for each in (row, *sold)} == {"sales"}
        assert row["reason"]
        assert datetime.fromisoformat(row["intended"]).tzinfo is not None


@contextmanager
def monitor(status: int = 200) -> Iterator[tuple[str, list[str]]]:
    """A small web server; yields its address and the paths that it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(status)
            self.send_header("Location", "http://127.0.0.1:9/elsewhere")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Writes nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/{TOKEN}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class TestHeartbeat:
    def test_it_is_sent_after_a_run_that_came_to_its_end(
        self, run: Run, environment: dict[str, str]
    ) -> None:
        configure('[monitoring]\nheartbeat_url_env = "HEARTBEAT"')
        with monitor() as (url, asked):
            environment["HEARTBEAT"] = url
            assert run("run").exit_code == 0
            assert asked == [f"/{TOKEN}"]

    def test_it_is_not_sent_after_a_run_that_was_refused_or_failed(
        self, run: Run, environment: dict[str, str]
    ) -> None:
        CONFIG.write_text(CONFIG.read_text().replace("create = 50", "create = 1"))
        with monitor() as (url, asked):
            configure(f'[monitoring]\nheartbeat_url = "{url}"')
            assert run("run").exit_code == 4
            environment["TAIGA_PASSWORD"] = "wrong"
            assert run("run").exit_code == 6
        assert asked == []

    @pytest.mark.parametrize("status", [302, 404, 500])
    def test_a_monitor_that_fails_makes_no_run_fail_and_the_address_stays_secret(
        self, run: Run, status: int
    ) -> None:
        with monitor(status) as (url, _):
            configure(f'[monitoring]\nheartbeat_url = "{url}"')
            result = run("run", "-vv")
        assert result.exit_code == 0
        assert TOKEN not in result.stdout + result.stderr
        assert status == 302 or f"the heartbeat was answered with {status}" in result.stderr

    def test_a_monitor_that_is_away_makes_no_run_fail(self, run: Run) -> None:
        with monitor() as (url, _):
            pass
        configure(f'[monitoring]\nheartbeat_url = "{url}"')
        result = run("run", "-vv")
        assert result.exit_code == 0
        assert "the heartbeat was not sent (ConnectionError)" in result.stderr
        assert TOKEN not in result.stdout + result.stderr

    @pytest.mark.parametrize("address", ["", f"ftp://x/{TOKEN}", f"nonsense {TOKEN}"])
    def test_an_address_that_is_none_is_said_without_showing_it(
        self, run: Run, environment: dict[str, str], address: str
    ) -> None:
        configure('[monitoring]\nheartbeat_url_env = "HEARTBEAT"')
        environment["HEARTBEAT"] = address
        result = run("run")
        assert result.exit_code == 0
        assert "heartbeat_url_env holds no address" in result.stderr
        assert TOKEN not in result.stderr


METRIC: Final = re.compile(
    r"(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)\{(?P<labels>[^{}]*)\} (?P<value>[-+0-9.eE]+)"
)
LABEL: Final = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"')


def parse(text: str) -> dict[tuple[str, str], float]:
    """Returns the samples of a file of metrics by name and labels; fails on any mistake in it."""
    assert text.endswith("\n")
    described: dict[str, set[str]] = {"HELP": set(), "TYPE": set()}
    samples: dict[tuple[str, str], float] = {}
    for line in text.splitlines():
        if line.startswith("# "):
            _, kind, name, *rest = line.split(" ")
            assert rest, line
            assert name not in described[kind], f"{name} is reported twice"
            assert kind == "HELP" or rest == ["gauge"]
            described[kind].add(name)
            current = name
            continue
        match = METRIC.fullmatch(line)
        assert match, line
        assert match["name"] == current, "samples of one metric stand together"
        assert ",".join(found[0] for found in LABEL.finditer(match["labels"])) == match["labels"]
        key = (match["name"], match["labels"])
        assert key not in samples
        samples[key] = float(match["value"])
    assert described["HELP"] == described["TYPE"] == {name for name, _ in samples}
    return samples


class TestMetrics:
    @pytest.fixture
    def file(self, run: Run, tmp_path: Path) -> Path:
        path = tmp_path / "pipeline.prom"
        configure(f'[monitoring]\nprometheus_file = "{path}"')
        return path

    def test_a_run_writes_what_a_monitor_wants_to_know(
        self, run: Run, file: Path, clock: MovableClock
    ) -> None:
        run("run")
        samples = parse(file.read_text())
        me = 'pipeline="acme"'
        now = clock.now().timestamp()
        assert now - samples["pipeline_sync_last_success_timestamp_seconds", me] < 60
        assert samples["pipeline_sync_last_run_info", f'{me},outcome="done"'] == 1
        assert samples["pipeline_sync_last_run_planned", f'{me},action="create"'] == 6
        assert samples["pipeline_sync_projects", f'{me},state="tentative"'] == 4
        assert samples["pipeline_sync_open_issues", f'{me},kind="conflict"'] == 0
        assert samples["pipeline_sync_open_intents", me] == 0

    def test_a_run_that_fails_leaves_the_time_of_the_last_success_as_it_was(
        self, run: Run, file: Path, clock: MovableClock, environment: dict[str, str]
    ) -> None:
        run("run")
        before = parse(file.read_text())
        clock.later = timedelta(hours=1)
        environment["TAIGA_PASSWORD"] = "wrong"
        run("run")
        after = parse(file.read_text())
        name = ("pipeline_sync_last_success_timestamp_seconds", 'pipeline="acme"')
        assert after[name] == before[name]
        assert after["pipeline_sync_last_run_info", 'pipeline="acme",outcome="error"'] == 1

    def test_the_collector_may_read_it_and_finds_nothing_beside_it(
        self, run: Run, file: Path
    ) -> None:
        before = os.umask(0o077)
        try:
            run("run")
        finally:
            os.umask(before)
        assert file.stat().st_mode & 0o777 == 0o644
        assert [path.name for path in file.parent.iterdir() if path.is_file()] == [file.name]

    def test_a_folder_that_is_not_there_makes_no_run_fail(self, run: Run) -> None:
        configure('[monitoring]\nprometheus_file = "nowhere/pipeline.prom"')
        result = run("run")
        assert result.exit_code == 0
        assert "was not written: No such file" in result.stderr


class TestLog:
    def test_every_line_is_an_object_that_says_what_it_is_about(self, run: Run) -> None:
        result = run("--log-format", "json", "-vv", "run")
        assert result.exit_code == 0
        lines = [json.loads(line) for line in result.stderr.splitlines()]
        done = [line for line in lines if line["message"].endswith("create done")]
        assert {line["deal"] for line in done} >= {"D-105", "D-106"}
        assert {(line["run"], line["action"], line["level"]) for line in done} == {
            (1, "create", "info")
        }
        posts = [line for line in lines if line["message"].startswith("POST projects:")]
        assert posts
        assert all("deal" in line and datetime.fromisoformat(line["time"]) for line in posts)

    def test_the_configuration_may_choose_it_and_an_error_is_an_object_too(
        self, run: Run, environment: dict[str, str]
    ) -> None:
        configure('[monitoring]\nlog_format = "json"')
        environment["TAIGA_PASSWORD"] = "wrong"
        lines = [json.loads(line) for line in run("run").stderr.splitlines()]
        assert lines[-1]["level"] == "error"
        assert "refuses the log-in" in lines[-1]["message"]
        assert not run("--log-format", "text", "run").stderr.startswith("{")


class TestDocs:
    PAGE: Final = Path(__file__).parents[2] / "docs" / "operations.md"

    def blocks(self, language: str) -> list[str]:
        text = self.PAGE.read_text(encoding="utf-8")
        found = re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        assert found
        return [str(block) for block in found]

    def test_every_sample_of_a_configuration_is_taken(self, run: Run) -> None:
        before = CONFIG.read_text()
        for block in self.blocks("toml"):
            CONFIG.write_text(f"{before}\n{block}")
            assert run("status").exit_code == 0

    def test_the_sample_of_the_log_has_the_fields_that_the_log_has(self, run: Run) -> None:
        (sample,) = self.blocks("json")
        lines = map(json.loads, run("-v", "--log-format", "json", "run").stderr.splitlines())
        done = next(line for line in lines if line["message"].endswith("done"))
        assert json.loads(sample).keys() == done.keys()

    def test_every_metric_is_in_the_table(self, run: Run, tmp_path: Path) -> None:
        configure(f'[monitoring]\nprometheus_file = "{tmp_path / "x.prom"}"')
        run("run")
        names = {name for name, _ in parse((tmp_path / "x.prom").read_text())}
        page = self.PAGE.read_text(encoding="utf-8")
        assert not [n for n in names if f"`{n.removeprefix('pipeline_sync_')}`" not in page]


# --- ending a run: real processes


@contextmanager
def started(taiga: Sandbox, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "taiga_pipeline", "run", *arguments]
    environment = {**os.environ, "TAIGA_PASSWORD": taiga.password}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for(condition: Callable[[], bool], seconds: float = 120) -> None:
    """Returns when something is so; fails if it never is."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        threading.Event().wait(0.01)


def hold_first_project(taiga: Sandbox) -> tuple[threading.Event, threading.Event]:
    """Has the first request for a project set the one event, and wait for the other."""
    held, opened = threading.Event(), threading.Event()
    handle = taiga.application.handle

    def holding(request: Request) -> Any:
        if (request.method, request.path) == ("POST", "/api/v1/projects"):
            held.set()
            opened.wait(300)
        return handle(request)

    taiga.application.handle = holding  # type: ignore[method-assign]
    return held, opened


def assert_next_run_ends_it(run: Run, taiga: Sandbox, clock: MovableClock) -> None:
    taiga.set_delay(0)
    taiga.faults.replace([])
    clock.later += timedelta(minutes=15)
    assert run("run").exit_code == 0
    assert len(names(taiga)) == len(set(names(taiga))) == 6


class TestSignals:
    @pytest.mark.parametrize("signals", [1, 2])
    def test_it_finishes_the_action_under_way_and_the_next_run_does_the_rest(
        self, run: Run, taiga: Sandbox, clock: MovableClock, signals: int
    ) -> None:
        said, asked = "", ("Finishing the current action", "Still finishing")
        held, opened = hold_first_project(taiga)
        with started(taiga) as process:
            assert process.stderr is not None
            assert held.wait(120)
            for number in range(signals):
                process.send_signal(signal.SIGTERM)
                while asked[number] not in said and (line := process.stderr.readline()):
                    said += line
            opened.set()
            said += process.communicate(timeout=300)[1]
        assert process.returncode == 3, said
        assert [words in said for words in asked] == [True, signals == 2]
        assert 0 < len(names(taiga)) < 6
        with closing(sqlite3.connect("state.db")) as connection:
            query = "SELECT count(*) FROM sync_journal WHERE status = 'open'"
            assert connection.execute(query).fetchone() == (0,)
            assert connection.execute("SELECT outcome FROM sync_run").fetchall() == [("stopped",)]
        assert_next_run_ends_it(run, taiga, clock)

    def test_a_run_that_hangs_in_a_request_ends_with_that_requests_time(
        self, run: Run, taiga: Sandbox, clock: MovableClock
    ) -> None:
        CONFIG.write_text(CONFIG.read_text().replace("timeout_seconds = 30", "timeout_seconds = 4"))
        hanging = Fault(FaultKind.NO_ANSWER_BEFORE, path="/projects$", times=99, seconds=600)
        taiga.faults.replace([hanging])
        with started(taiga) as process:
            wait_for(lambda: any(r.path == "/projects" for r in taiga.requests))
            process.send_signal(signal.SIGTERM)
            _, said = process.communicate(timeout=300)  # the server is silent for ten minutes
        assert process.returncode in (3, 6), said
        assert_next_run_ends_it(run, taiga, clock)


# --- years of runs


class TestYears:
    def test_a_year_of_runs_does_not_slow_the_next_one(
        self, synced: Run, clock: MovableClock
    ) -> None:
        fresh = steps_of(synced)
        fill(35_000, clock.now())
        bound = 2 * fresh + 100 * 35_000
        assert steps_of(synced) < bound
        clock.later = timedelta(hours=25)
        assert steps_of(synced) < bound, "the one run of the day that also forgets"
        assert 0 < count("sync_run") < 35_000 / 365 * 95

    def test_what_tells_something_stays(self, synced: Run, clock: MovableClock) -> None:
        with closing(sqlite3.connect("state.db")) as connection:
            described = connection.execute("PRAGMA table_info(sync_journal)").fetchall()
            columns = ", ".join(row[1] for row in described if row[1] not in ("id", "reason"))
            connection.execute(
                f"INSERT INTO sync_journal ({columns}, reason) SELECT {columns}, 'newer'"
                " FROM sync_journal WHERE grp = 'D-105' AND kind = 'project'"
            )
            connection.execute("UPDATE sync_journal SET status = 'open' WHERE grp = 'D-106'")
            connection.commit()
        before = count("sync_journal")
        store = StateStore("sqlite:///state.db", "acme", clock)
        long_after = clock.now() + timedelta(days=4000)
        store.prune(long_after, long_after)
        assert count("sync_journal") == before - 1  # the older of two entries of one record
        assert [entry.reason for entry in store.history("D-105") if entry.key.is_root] == ["newer"]
        assert {entry.key.group for entry in store.open_intents()} == {"D-106"}
        assert len(store.runs()) == 1
        store.close()


def steps_of(run: Run) -> int:
    """How many steps of its machine SQLite takes for a run: the same on any machine."""
    steps = 0

    def count_them() -> None:
        nonlocal steps
        steps += 100

    def watch(connection: sqlite3.Connection, _: object) -> None:
        connection.set_progress_handler(count_them, 100)

    event.listen(Pool, "connect", watch)
    try:
        assert run("run").exit_code == 0
    finally:
        event.remove(Pool, "connect", watch)
    assert steps, "nothing was counted"
    return steps


def fill(runs: int, now: datetime) -> None:
    """Puts a year of runs that changed nothing into the state store."""
    step = timedelta(days=365) / runs
    rows = [
        ("acme", str(now - step * n)[:26], str(now - step * n)[:26], "done", n % 96 == 0, "{}")
        for n in range(runs, 0, -1)
    ]
    with closing(sqlite3.connect("state.db")) as connection:
        connection.executemany(
            "INSERT INTO sync_run (pipeline, started_at, finished_at, outcome, is_full,"
            " summary_json) VALUES (?, ?, ?, ?, ?, ?)",
            rows,
        )
        connection.commit()


def count(table: str) -> int:
    with closing(sqlite3.connect("state.db")) as connection:
        return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
