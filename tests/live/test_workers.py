"""Real worker processes on a real PostgreSQL, against small Taigas: killed, stopped, misled."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from taiga_pipeline.sandbox.embedded import Sandbox
from taiga_pipeline.sandbox.errors import ApiError
from taiga_pipeline.sandbox.serving import auth
from taiga_pipeline.sandbox.serving.wire import Request
from taiga_pipeline.workers.fleet import read_fleet
from taiga_pipeline.workers.jobs import hurry
from taiga_pipeline.workers.ledger import Ledger
from taiga_pipeline.workers.queued import RUN
from taiga_pipeline.workers.tables import set_up
from tests.live.fleets import PASSWORD, QUEUE, Fleet, Worker, wait_until
from tests.live.postgresql import Cluster, Server

pytestmark = pytest.mark.sampled_tests(16)

DEALS = 3


@dataclass(frozen=True, slots=True)
class Session:
    """The requests that one log-in made: whose, and when the first began and the last ended."""

    user: str
    began: float
    ended: float


@dataclass(slots=True)
class Host:
    """A small Taiga that notes which log-in asks when."""

    sandbox: Sandbox
    _times: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def watch(self) -> None:
        application = self.sandbox.application
        handle = application.handle

        def watched(request: Request) -> Any:
            began = time.monotonic()
            try:
                return handle(request)
            finally:
                self._note(request, began, time.monotonic())

        application.handle = watched  # type: ignore[method-assign]

    def _note(self, request: Request, began: float, ended: float) -> None:
        token = request.headers.get("authorization", "")
        if not token or request.path.endswith("/auth"):
            return
        try:
            with self.sandbox.store.lock:
                user = auth.authenticate(self.sandbox.store, token)
        except ApiError:
            return
        with self._lock:
            name = user.username if user else ""
            self._times.setdefault((name, token), []).extend((began, ended))

    def sessions(self) -> list[Session]:
        """Returns all sessions so far, the earliest first."""
        with self._lock:
            found = [Session(u, min(t), max(t)) for (u, _), t in self._times.items()]
        return sorted(found, key=lambda session: session.began)

    def most_at_once(self) -> int:
        """Returns how many sessions overlapped at most."""
        sessions = self.sessions()
        return max(
            (sum(o.began <= s.began < o.ended for o in sessions) for s in sessions), default=0
        )

    def overlaps(self) -> list[tuple[Session, Session]]:
        """Returns sessions of the same pipeline that overlap: none, it is hoped."""
        sessions = self.sessions()
        return [
            (one, other)
            for number, one in enumerate(sessions)
            for other in sessions[number + 1 :]
            if one.user == other.user and other.began < one.ended
        ]

    def projects(self) -> Counter[str]:
        """Returns how often each name of a project is there."""
        found = self.sandbox.as_user("admin").get("/projects")
        return Counter(project["name"] for project in found)


class Gate:
    """Lets a server's requests wait, from when so many projects were asked for until it opens."""

    def __init__(self, sandbox: Sandbox, after: int) -> None:
        self._waiting = 0
        self._left = after
        self._opened = threading.Event()
        self._lock = threading.Lock()
        application = sandbox.application
        handle = application.handle

        def held(request: Request) -> Any:
            if not self._lets_through(request):
                self._opened.wait(300)
                with self._lock:
                    self._waiting -= 1
            return handle(request)

        application.handle = held  # type: ignore[method-assign]

    @property
    def waiting(self) -> int:
        """How many requests wait now."""
        with self._lock:
            return self._waiting

    def open(self) -> None:
        """Lets all through, those that wait and those that come."""
        self._opened.set()

    def _lets_through(self, request: Request) -> bool:
        with self._lock:
            if self._left <= 0 and not self._opened.is_set():
                self._waiting += 1
                return False
            self._left -= (request.method, request.path) == ("POST", "/api/v1/projects")
            return True


@pytest.fixture
def hosts() -> Iterator[list[Host]]:
    """Three small Taigas."""
    with ExitStack() as stack:
        found = [Host(stack.enter_context(Sandbox())) for _ in range(3)]
        for host in found:
            host.watch()
        yield found


@pytest.fixture
def fleet(tmp_path: Path, postgresql_url: str, hosts: list[Host]) -> Iterator[Fleet]:
    """A fleet without pipelines, its queue set up; workers that were started end with the test."""
    made = Fleet(tmp_path / "fleet", {PASSWORD: hosts[0].sandbox.password, QUEUE: postgresql_url})
    made.write({"dead_after": "2s", "concurrency": 2}, {"every": "30d"})
    set_up(postgresql_url)
    yield made
    for worker in made.started:
        if worker.process.poll() is None:
            worker.kill(with_children=True)


def populate(fleet: Fleet, hosts: list[Host], count: int, deals: int = DEALS) -> None:
    """Adds pipelines, dealt to the hosts, each with an account of its own."""
    for number in range(count):
        name = f"p{number:02}"
        host = hosts[number % len(hosts)]
        host.sandbox.people.add(name, f"{name}@example.test")
        fleet.add(name, host.sandbox.url, deals, username=name)


@contextmanager
def ledger_of(fleet: Fleet) -> Iterator[Ledger]:
    """The ledger of a fleet's queue."""
    ledger = Ledger(fleet.environment[QUEUE], "pipelines")
    yield ledger
    ledger.close()


def enqueue_all(fleet: Fleet) -> None:
    """Queues all pipelines, as ``enqueue --all`` does."""
    members = read_fleet(fleet.folder / "workers.toml").members.values()
    with ledger_of(fleet) as ledger:
        asyncio.run(hurry(fleet.environment[QUEUE], ledger, list(members)))


def endings(fleet: Fleet) -> dict[str, str]:
    """Returns how the last run of each pipeline ended."""
    with ledger_of(fleet) as ledger:
        return {name: run.ending for name, run in ledger.look().runs.items()}


def queued(fleet: Fleet) -> dict[str, bool]:
    """Returns the pipelines whose job waits (False) or is under way (True)."""
    with ledger_of(fleet) as ledger:
        return {job.name: job.is_running for job in ledger.jobs()}


def expected(fleet: Fleet, deals: int = DEALS) -> Counter[str]:
    """Returns the projects that have to be there in the end, each once."""
    return Counter(
        f"(tentative) Customer {name}: Portal {n}" for name in fleet.names for n in range(deals)
    )


def all_projects(hosts: list[Host]) -> Counter[str]:
    return sum((host.projects() for host in hosts), Counter())


def test_killed_workers_lose_nothing_and_do_nothing_twice(fleet: Fleet, hosts: list[Host]) -> None:
    populate(fleet, hosts, 9)
    gates = [Gate(host.sandbox, after=1) for host in hosts]
    enqueue_all(fleet)
    workers = [fleet.start() for _ in range(3)]
    crashed, lost, last = workers
    wait_until(lambda: sum(gate.waiting for gate in gates) == 6, workers=workers)
    assert [len(worker.children()) for worker in workers] == [4, 4, 4], "each has two runs"
    crashed.kill(with_children=False)
    lost.kill(with_children=True)
    for gate in gates:
        gate.open()

    wait_until(
        lambda: set(endings(fleet).values()) == {"done"} and not queued(fleet), workers=workers
    )
    assert last.stop() == 0
    assert all_projects(hosts) == expected(fleet)
    assert [host.overlaps() for host in hosts] == [[], [], []]
    assert {session.user for host in hosts for session in host.sessions()} == set(fleet.names)


def test_a_worker_that_is_stopped_finishes_its_action_and_leaves_the_rest_to_others(
    fleet: Fleet, hosts: list[Host]
) -> None:
    populate(fleet, hosts[:1], 1, deals=8)
    hosts[0].sandbox.set_delay(0.2)
    gate = Gate(hosts[0].sandbox, after=1)
    enqueue_all(fleet)
    worker = fleet.start()
    wait_until(lambda: gate.waiting == 1, workers=[worker])
    worker.process.send_signal(signal.SIGTERM)
    wait_until(lambda: "Finishing the current action" in worker.said(), workers=[worker])
    gate.open()
    assert worker.process.wait(180) == 0
    made = len(hosts[0].projects())
    assert 1 <= made < 8
    assert endings(fleet) == {"p00": "stopped"}
    assert queued(fleet) == {"p00": False}
    with closing(sqlite3.connect(fleet.folder / "p00" / "state.db")) as state:
        open_intents = "SELECT count(*) FROM sync_journal WHERE status = 'open'"
        assert state.execute(open_intents).fetchone() == (0,)
    hosts[0].sandbox.set_delay(0)

    def finished() -> bool:
        assert fleet.run("worker", "--once").returncode == 0
        return endings(fleet) == {"p00": "done"}

    wait_until(finished)  # what was stopped is due again within moments, maybe after a first look
    assert all_projects(hosts) == expected(fleet, 8)
    assert hosts[0].overlaps() == []


@pytest.fixture
def down() -> Iterator[str]:
    """The address of a host that is down: nobody listens, and nobody else gets the port."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


def test_a_slow_host_and_one_that_is_down_hold_up_nobody_else(
    fleet: Fleet, hosts: list[Host], down: str
) -> None:
    slow, quick, _ = hosts
    gate = Gate(slow.sandbox, after=0)
    fleet.add("a-down", down, 1)
    populate_as(fleet, slow, [f"b{n}" for n in range(8)])
    populate_as(fleet, quick, [f"c{n}" for n in range(4)])
    fleet.write({"dead_after": "2s", "concurrency": 3, "per_host": 1}, {"every": "30d"})
    enqueue_all(fleet)
    worker = fleet.start()

    def done(letter: str) -> int:
        found = endings(fleet)
        return sum(name[0] == letter and found[name] == "done" for name in found)

    wait_until(lambda: done("c") == 4, workers=[worker])
    wait_until(lambda: endings(fleet).get("a-down") == "unreachable", workers=[worker])
    wait_until(lambda: queued(fleet).get("a-down") is False, workers=[worker])
    with ledger_of(fleet) as ledger:
        sight = ledger.look()
    assert gate.waiting == 1, "a run of the slow host, which has one place"
    assert done("b") == 0
    gate.open()
    wait_until(lambda: done("b") == 8, workers=[worker])
    assert worker.stop() == 0
    assert slow.most_at_once() == 1
    (job,) = (job for job in sight.jobs if job.name == "a-down")
    ended = sight.runs["a-down"].finished_at
    assert job.due and ended
    assert timedelta(seconds=10) < job.due - ended <= timedelta(minutes=1)


def populate_as(fleet: Fleet, host: Host, names: Sequence[str]) -> None:
    for name in names:
        host.sandbox.people.add(name, f"{name}@example.test")
        fleet.add(name, host.sandbox.url, 1, username=name)


def test_what_stands_in_the_queue_is_not_trusted(
    fleet: Fleet, hosts: list[Host], postgresql: Server
) -> None:
    populate(fleet, hosts[:1], 1, deals=1)
    evil = fleet.folder.parent / "evil"
    shutil.copytree(fleet.folder / "p00", evil)
    url = fleet.environment[QUEUE]
    database = str(make_url(url).database)
    for task, arguments in (
        (RUN, {"pipeline": "../evil"}),
        (RUN, {"pipeline": str(evil / "config.toml")}),
        (RUN, {"pipeline": ["p00"]}),
        (RUN, {"pipeline": None, "config": str(evil)}),
        (RUN, {}),
        (RUN, {"pipeline": "p00\x1b[2J", "timestamp": 1}),
        (RUN, {"pipeline": "p00", "config": str(evil / "config.toml"), "environment": {"A": "b"}}),
        ("os.system", {"command": f"touch {evil}/was-here"}),
        ("pipeline-sync.recover", {"timestamp": "x", "more": 1}),
    ):
        postgresql.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, args) "
            "VALUES ('pipelines', %s, %s::jsonb)",
            *(task, json.dumps(arguments)),
            database=database,
        )
    result = fleet.run("-v", "worker", "--once")
    assert result.returncode == 0, result.stderr
    assert endings(fleet) == {"p00": "done"}
    assert all_projects(hosts) == expected(fleet, 1)
    assert sorted(path.name for path in evil.iterdir()) == ["config.toml", "deals.csv"]
    assert "\x1b" not in result.stderr


def test_workers_outlive_a_restart_of_the_database(
    fleet: Fleet, hosts: list[Host], postgresql: Server
) -> None:
    if not isinstance(postgresql, Cluster):
        pytest.skip("the tests use a server that was given to them")
    populate(fleet, hosts[:1], 1, deals=1)
    worker = fleet.start()
    wait_until(lambda: "1 pipelines" in worker.said(), workers=[worker])
    postgresql.stop()
    wait_until(lambda: "database is away" in worker.said(), workers=[worker])
    postgresql.start()
    assert fleet.run("enqueue", "p00").returncode == 0
    wait_until(lambda: endings(fleet) == {"p00": "done"}, workers=[worker])
    assert worker.stop() == 0


@pytest.mark.parametrize(
    "how", ["stops at once", "stops in good order", "connections are cut", "is frozen and cut"]
)
def test_a_database_that_goes_away_in_mid_run_drops_no_run(
    fleet: Fleet, hosts: list[Host], postgresql: Server, how: str
) -> None:
    """Queue and state are in the same database, as on most installations.

    It goes away while each of the runs waits for an answer, with more to write, so that each loses
    its run lock.
    """
    if not isinstance(postgresql, Cluster):
        pytest.skip("the tests use a server that was given to them")
    fleet.environment["STATE_URL"] = fleet.environment[QUEUE]
    populate(fleet, hosts[:1], 3, deals=4)
    for name in fleet.names:
        config = fleet.folder / name / "config.toml"
        text = config.read_text().replace("[sync]\n", '[sync]\nstate_env = "STATE_URL"\n')
        config.write_text(text)
    fleet.write({"dead_after": "3s", "concurrency": 3, "per_host": 3}, {"every": "30d"})
    gate = Gate(hosts[0].sandbox, after=2)
    enqueue_all(fleet)
    worker = fleet.start()
    wait_until(lambda: gate.waiting == 3, workers=[worker])
    go_away(postgresql, how, gate, worker)
    wait_until(
        lambda: set(endings(fleet).values()) == {"done"} and not queued(fleet), workers=[worker]
    )
    assert worker.stop() == 0
    assert all_projects(hosts) == expected(fleet, 4)
    assert hosts[0].overlaps() == []
    said = worker.said()
    assert "Traceback" not in said
    assert "database" in said, "it is said"
    with ledger_of(fleet) as ledger:
        assert ledger.held_hosts() == {}, "the pipelines' host did nothing wrong"


def go_away(cluster: Cluster, how: str, gate: Gate, worker: Worker) -> None:
    """Takes the database away from everyone while requests wait, and brings it back."""
    if how.startswith("stops"):
        cluster.stop(signal.SIGQUIT if how == "stops at once" else signal.SIGINT)
        gate.open()
        wait_until(lambda: "database is away" in worker.said(), workers=[worker])
        cluster.start()
        return
    if how == "is frozen and cut":
        os.kill(cluster.process_id, signal.SIGSTOP)
        time.sleep(2)
        os.kill(cluster.process_id, signal.SIGCONT)
    for _ in range(4):
        cluster.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE pid <> pg_backend_pid() AND datname IS NOT NULL"
        )
        gate.open()
        time.sleep(0.5)


def test_a_worker_that_starts_while_the_database_is_away_waits_for_it(
    fleet: Fleet, hosts: list[Host], postgresql: Server
) -> None:
    if not isinstance(postgresql, Cluster):
        pytest.skip("the tests use a server that was given to them")
    populate(fleet, hosts[:1], 1, deals=1)
    enqueue_all(fleet)
    postgresql.stop()
    worker = fleet.start()
    once = fleet.run("worker", "--once")
    wait_until(lambda: "trying again" in worker.said(), workers=[worker])
    assert once.returncode == 6, "a single look is not worth the wait"
    postgresql.start()
    wait_until(lambda: endings(fleet) == {"p00": "done"}, workers=[worker])
    assert worker.stop() == 0


def test_a_worker_that_was_asleep_while_others_took_over_says_so_in_a_line(
    fleet: Fleet, hosts: list[Host]
) -> None:
    populate(fleet, hosts[:1], 1, deals=4)
    gate = Gate(hosts[0].sandbox, after=1)
    enqueue_all(fleet)
    sleeper = fleet.start()
    wait_until(lambda: gate.waiting == 1, workers=[sleeper])
    os.kill(sleeper.process.pid, signal.SIGSTOP)
    gate.open()
    other = fleet.start()
    wait_until(lambda: "its worker died" in other.said(), workers=[sleeper, other])
    os.kill(sleeper.process.pid, signal.SIGCONT)
    wait_until(
        lambda: endings(fleet) == {"p00": "done"} and not queued(fleet), workers=[sleeper, other]
    )
    assert sleeper.stop() == other.stop() == 0
    assert all_projects(hosts) == expected(fleet, 4)
    assert "Traceback" not in sleeper.said() + other.said()


def test_all_pipelines_are_shown_with_what_a_monitor_needs(fleet: Fleet, hosts: list[Host]) -> None:
    populate(fleet, hosts[:1], 2, deals=1)
    (fleet.folder / "p01" / "deals.csv").write_text("no header\n")
    broken = fleet.folder / "broken"
    broken.mkdir()
    (broken / "config.toml").write_text('pipeline = "x"\ntimeout = 3\n')
    enqueue_all(fleet)
    assert fleet.run("worker", "--once").returncode == 3
    result = fleet.run("status", "--all")
    assert result.returncode == 3
    first, second = (line for line in result.stdout.splitlines() if line.startswith("p0"))
    assert "done" in first
    assert "misconfigured" in second
    assert "deals.csv" in fleet.run("status", "--all", "--json").stdout  # a row is cut
    assert "broken/config.toml" in result.stderr
    assert fleet.run("status", "--all", "--max-age", "1h").returncode == 7
    shutil.rmtree(broken)
    shutil.rmtree(fleet.folder / "p01")
    assert fleet.run("status", "--all", "--max-age", "1h").returncode == 0
