"""Two machines, one account: a state store each, nothing shared but the server."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest
from click.testing import CliRunner, Result

from sync.errors import Locked, SyncError
from sync.records.model import DesiredGroup
from sync.run.runner import Options, Outcome, Runner, RunReport
from sync.state.store import StateStore
from taiga_pipeline.cli.context import CommandContext
from taiga_pipeline.cli.main import cli
from taiga_pipeline.credentials import Secret
from taiga_pipeline.http.connection import Connection
from taiga_pipeline.sandbox.embedded import Sandbox
from taiga_pipeline.sandbox.faults import Fault, FaultKind
from taiga_pipeline.targets.taiga.adapter import TaigaTarget
from taiga_pipeline.targets.taiga.client import Client
from tests.crashes import observing
from tests.profiles import sampled
from tests.reliability.faults_world import Wishes, deal
from tests.reliability.interleaving import Choose, Gate, two_switches

pytestmark = pytest.mark.sampled_tests(3)

DEALS: Final = (deal("D1"), deal("D2"))
SWITCHES: Final = (1, 2, 3, 4, 6)
"""After so many requests the other machine goes on: the list of projects, the three requests for
the lease (read, add, read again), the project, what follows."""


class MachineClock:
    """A clock that is off by some hours, and on which waiting takes no time."""

    def __init__(self, hours_off: float) -> None:
        self.offset = timedelta(hours=hours_off)

    def now(self) -> datetime:
        return datetime(2026, 3, 2, 8, 0, tzinfo=UTC) + self.offset

    def monotonic(self) -> float:
        return self.offset.total_seconds()

    def sleep(self, seconds: float) -> None:
        self.offset += timedelta(seconds=seconds)


@dataclass
class Machine:
    """One of them."""

    name: str
    sandbox: Sandbox
    folder: Path
    hours_off: float = 0.0
    wishes: tuple[DesiredGroup, ...] = DEALS
    endings: list[RunReport | SyncError] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clock = MachineClock(self.hours_off)
        connection = Connection(
            self.sandbox.url,
            "acme",
            username=self.sandbox.username,
            password=Secret(self.sandbox.password),
        )
        self.target = TaigaTarget(Client(connection, self.clock), connection)
        self.store = StateStore(f"sqlite:///{self.folder / self.name}.db", "acme", self.clock)
        self.target.connect()

    def run(self) -> None:
        options = Options(holder=f"machine {self.name}", settle_seconds=1.0)
        runner = Runner(Wishes(self.wishes), self.target, self.store, self.clock, options)
        try:
            self.endings.append(runner.run())
        except SyncError as error:
            self.endings.append(error)

    @property
    def last(self) -> RunReport | SyncError:
        return self.endings[-1]

    def close(self) -> None:
        self.target.close()
        self.store.close()


@contextmanager
def two_machines(folder: Path, hours_off: float = 5) -> Iterator[tuple[Sandbox, Machine, Machine]]:
    folder.mkdir(exist_ok=True)
    with Sandbox() as sandbox:
        machines = [
            Machine("A", sandbox, folder, -hours_off),
            Machine("B", sandbox, folder, hours_off),
        ]
        try:
            yield sandbox, machines[0], machines[1]
        finally:
            for machine in machines:
                machine.close()


@contextmanager
def stepwise(gate: Gate) -> Iterator[None]:
    """Makes each request a step."""

    def observer(name: str) -> None:
        if name == "request sent":
            gate.step()

    with observing(observer):
        yield


def names(sandbox: Sandbox) -> list[str]:
    return sorted(project["name"] for project in sandbox.as_user("admin").get("/projects"))


def turns(sandbox: Sandbox) -> list[dict[str, object]]:
    return [dict(row) for row in sandbox.as_user(sandbox.username).get("/user-storage")]


def race(folder: Path, choose: Choose) -> tuple[RunReport | SyncError, RunReport | SyncError]:
    """Runs both at once, then once more after each other; nothing may be there twice."""
    with two_machines(folder) as (sandbox, a, b):
        a.wishes = b.wishes = DEALS[:1]
        gate = Gate()
        with stepwise(gate):
            gate.run([a.run, b.run], choose)
        first = (a.last, b.last)
        for machine in (a, b):
            machine.run()
            assert isinstance(machine.last, RunReport)
            assert machine.last.outcome is Outcome.DONE
        assert names(sandbox) == ["(tentative) Deal D1"]
        sandbox.clear_requests()
        a.run()
        b.run()
        assert {request.method for request in sandbox.requests} == {"GET"}
    return first


@pytest.mark.sampled_inside
def test_in_every_order_of_their_requests_nothing_is_made_twice(tmp_path: Path) -> None:
    outcomes = set()
    for first, second in sampled(itertools.product(SWITCHES, repeat=2), 3):
        endings = race(tmp_path / f"{first}-{second}", two_switches(first, second))
        outcomes.add(tuple(_kind(ending) for ending in endings))
    assert outcomes == {("did", "did"), ("did", "locked"), ("locked", "did")}


def _kind(ending: RunReport | SyncError) -> str:
    if isinstance(ending, Locked):
        return "locked"
    assert isinstance(ending, RunReport), ending
    return "did"


def test_the_second_machine_adopts_what_the_first_has_made(tmp_path: Path) -> None:
    with two_machines(tmp_path) as (sandbox, a, b):
        a.run()
        b.run()
        assert isinstance(b.last, RunReport)
        assert {action.type.value for action in b.last.applied} == {"adopt"}
        assert len(names(sandbox)) == 2


@pytest.mark.parametrize("kind", [FaultKind.NO_ANSWER_BEFORE, FaultKind.NO_ANSWER_AFTER])
@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
def test_a_lost_answer_about_the_lease_leads_to_no_duplicate(
    tmp_path: Path, method: str, kind: FaultKind
) -> None:
    with two_machines(tmp_path) as (sandbox, a, b):
        a.wishes = b.wishes = DEALS[:1]
        a.run()  # so that there is an old turn to remove
        a.wishes = b.wishes = DEALS
        sandbox.faults.replace([Fault(kind, method=method, path="/user-storage")])
        a.run()
        b.run()
        sandbox.faults.replace([])
        sandbox.clock.advance(601)
        for machine in (a, b):
            machine.run()
            assert isinstance(machine.last, RunReport)
            assert machine.last.outcome is Outcome.DONE
        assert names(sandbox) == ["(tentative) Deal D1", "(tentative) Deal D2"]


def test_a_lease_is_kept_while_a_create_may_still_take_effect(tmp_path: Path) -> None:
    with two_machines(tmp_path) as (sandbox, a, b):
        a.wishes = b.wishes = DEALS[:1]
        sandbox.faults.replace(
            [Fault(FaultKind.NO_ANSWER_BEFORE, method="POST", path="/projects$")]
        )
        a.run()
        b.run()
        assert isinstance(b.last, Locked)
        sandbox.faults.replace([])
        a.run()
        b.run()
        assert isinstance(b.last, RunReport)
        assert names(sandbox) == ["(tentative) Deal D1"]


@contextmanager
def suspended(machine: Machine, at: int, others: Callable[[], None]) -> Iterator[None]:
    """Has a machine stand still after its answer of number ``at``, while others go on."""
    count = 0

    def observer(name: str) -> None:
        nonlocal count
        count += name == "answer received"
        if name == "answer received" and count == at:
            count += 1_000  # the others' answers are not counted
            machine.sandbox.clock.advance(601)
            others()
            machine.clock.sleep(601)

    with observing(observer):
        yield


def test_a_run_that_lost_its_lease_stops_before_its_next_write(tmp_path: Path) -> None:
    wishes = DEALS
    endings = []
    for at in itertools.count(1):
        with two_machines(tmp_path / str(at)) as (sandbox, a, b):
            a.wishes = b.wishes = wishes
            with suspended(a, at, b.run):
                a.run()
            endings.append(_how_it_ended(a.last))
            if not b.endings:
                break  # the run was over before it could be suspended
            for machine in (a, b):
                machine.run()
                assert isinstance(machine.last, RunReport)
                assert machine.last.outcome is Outcome.DONE
            assert names(sandbox) == ["(tentative) Deal D1", "(tentative) Deal D2"]
    assert endings[-1] == "done"
    assert endings.count("stopped by Locked") >= len(wishes)


def _how_it_ended(ending: RunReport | SyncError) -> str:
    if isinstance(ending, SyncError):
        return type(ending).__name__
    stopped = ending.stopped_by
    return ending.outcome.value if stopped is None else f"stopped by {type(stopped).__name__}"


# --- the command line

Command = Callable[..., Result]


@dataclass
class RealClock:
    """The machine's clock, off by some hours."""

    hours_off: float = 0.0

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(hours=self.hours_off)

    def monotonic(self) -> float:
        return self.now().timestamp()

    def sleep(self, seconds: float) -> None:
        """Does not wait."""


@pytest.fixture
def taiga() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taiga: Sandbox) -> Command:
    monkeypatch.chdir(tmp_path)

    def invoke(*arguments: str, hours_off: float = 0.0) -> Result:
        environment = {"TAIGA_PASSWORD": taiga.password}
        context = CommandContext(clock=RealClock(hours_off), environment=environment)
        return CliRunner().invoke(cli, arguments, obj=context)

    login = ("--taiga-url", taiga.url, "--username", taiga.username)
    assert invoke("init", "--sample", *login).exit_code == 0
    return invoke


def plant(taiga: Sandbox, **value: object) -> None:
    """Leaves a turn in the server, as another machine would."""
    terms = {"token": "x", "holder": "old-server (/srv/state.db)", "seconds": 600, **value}
    taiga.as_user(taiga.username).post("/user-storage", {"key": turn_key(4), "value": terms})


def turn_key(number: int) -> str:
    (name,) = re.findall(r'^pipeline = "(.*)"', Path("config.toml").read_text(), re.MULTILINE)
    return f"pipeline-sync-lease:{name}:{number}"


@pytest.mark.parametrize("hours_off", [-5, 0, 5])
def test_a_run_that_finds_the_lease_taken_says_who_has_it_and_exits_with_5(
    command: Command, taiga: Sandbox, hours_off: float
) -> None:
    plant(taiga)
    taiga.clock.advance(60)
    result = command("run", hours_off=hours_off)
    assert result.exit_code == 5
    assert "old-server (/srv/state.db), turn 4" in result.stderr
    assert "it ends by itself in" in result.stderr
    assert names(taiga) == []
    taiga.clock.advance(600)
    assert command("run", hours_off=hours_off).exit_code == 0
    assert [row["key"] for row in turns(taiga)] == [turn_key(5)]


def test_a_run_without_changes_makes_no_request_for_the_lease(
    command: Command, taiga: Sandbox
) -> None:
    assert command("run").exit_code == 0
    plant(taiga)
    taiga.clear_requests()
    assert command("run").exit_code == 0
    assert not [request for request in taiga.requests if "user-storage" in request.path]
    listed = [request for request in taiga.requests if not request.path.startswith("/auth")]
    assert len(listed) <= 2


def test_the_lease_can_be_done_without(command: Command, taiga: Sandbox) -> None:
    config = Path("config.toml")
    config.write_text(config.read_text().replace("[sync]", "[sync]\nlease_seconds = 0", 1))
    assert command("run").exit_code == 0
    assert turns(taiga) == []


def test_the_lease_says_nothing_that_others_could_use(command: Command, taiga: Sandbox) -> None:
    command("run")
    assert taiga.password not in json.dumps(turns(taiga))
    assert taiga.as_user("admin").get("/user-storage") == []
