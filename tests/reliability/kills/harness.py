"""Worlds that can be copied, and child processes in them that can be killed."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from taiga_pipeline.sandbox.embedded import Sandbox
from taiga_pipeline.sandbox.persistence import dump, load

from . import scenario
from .child import KILLED, NEVER
from .picture import Picture, difference, picture, remembered

ROOT: Final = Path(__file__).resolve().parents[3]
DONE: Final = 0
PARTIAL: Final = 3
"""How every run of the scenario ends: two conflicts wait in it for a person."""


Prepare = Callable[[Path, Sandbox, scenario.Run], None]
"""Brings a situation about: in a folder, in a sandbox, by running the program."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a world looks like: to people, and in the state store."""

    seen: list[Picture]
    remembered: Picture

    def difference(self, other: Outcome) -> str:
        """Says what ``other`` has that this one has not, and the other way round."""
        return "\n".join(
            part
            for part in (
                difference("sandbox", self.seen, other.seen),
                difference("state", self.remembered, other.remembered),
            )
            if part
        )


class Children:
    """Runs the program in child processes that are forked from one that has it loaded."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.reliability.kills.forkserver"],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def close(self) -> None:
        """Ends the process that forks."""
        assert self._server.stdin and self._server.stdout
        self._server.stdin.close()
        self._server.wait(timeout=120)
        self._server.stdout.close()

    def run(self, folder: Path, *arguments: str, kill_at: int = NEVER) -> int:
        """Runs a command line in ``folder``; returns the exit code."""
        assert self._server.stdin and self._server.stdout
        job = {"folder": str(folder), "kill_at": kill_at, "arguments": arguments}
        self._server.stdin.write(json.dumps(job) + "\n")
        self._server.stdin.flush()
        answer = self._server.stdout.readline()
        assert answer, "the process that forks is gone"
        return int(answer)

    def start(self, folder: Path, *arguments: str, kill_at: int = NEVER) -> subprocess.Popen[str]:
        """Starts the true command line, in an interpreter of its own."""
        command = [sys.executable, "-m", "tests.reliability.kills.child", str(folder), str(kill_at)]
        return subprocess.Popen(
            [*command, *arguments],
            cwd=ROOT,
            env={**os.environ, **self._environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


@dataclass(frozen=True, slots=True)
class World:
    """One sandbox and one folder with configuration, deals and state."""

    sandbox: Sandbox
    folder: Path
    children: Children

    def run(self, *arguments: str, kill_at: int = NEVER) -> int:
        """Runs a command line in a child process; returns the exit code."""
        return self.children.run(self.folder, *arguments, kill_at=kill_at)

    def run_well(self, *arguments: str) -> None:
        """Runs a command line that has to succeed."""
        code = self.run(*(arguments or ("run",)))
        assert code == DONE, f"{arguments}: exit code {code}\n{self.said()}"

    def said(self) -> str:
        """Returns what the last child said."""
        return "".join((self.folder / name).read_text() for name in ("stdout", "stderr"))

    def crash_points_reached(self) -> list[str]:
        """Returns the crash points that the last child reached."""
        return (self.folder / "crash_points_reached").read_text().splitlines()

    def outcome(self) -> Outcome:
        """Returns how everything stands now."""
        store = self.sandbox.store
        return Outcome(picture(store), remembered(self.folder / "state.db", store))

    def reads_of_a_run(self) -> int:
        """Runs, and returns how often the run read."""
        self.sandbox.clear_requests()
        self.run("run")
        return len(self.requests(writes=False))

    def open_intents(self) -> int:
        """Returns how many intents have no receipt."""
        with closing(sqlite3.connect(self.folder / "state.db")) as connection:
            query = "SELECT count(*) FROM sync_journal WHERE status = 'open'"
            return int(connection.execute(query).fetchone()[0])

    def forget_intents(self) -> None:
        """Makes the state store believe that no write was ever without a receipt."""
        with closing(sqlite3.connect(self.folder / "state.db")) as connection, connection:
            connection.execute("UPDATE sync_journal SET status = 'failed' WHERE status = 'open'")

    @contextmanager
    def undone(self) -> Iterator[None]:
        """Undoes whatever happens in the block, on both sides."""
        data = json.loads(json.dumps(dump(self.sandbox.store)))
        kept = self.folder.with_name(f"{self.folder.name}-kept")
        shutil.copytree(self.folder, kept)
        yield
        shutil.rmtree(self.folder)
        kept.rename(self.folder)
        load(self.sandbox.store, data)

    def requests(self, *, writes: bool) -> list[str]:
        """Returns the requests since the last `clear`, log-ins aside."""
        return [
            f"{line.method} {line.path}"
            for line in self.sandbox.requests
            if (line.method != "GET") is writes and not line.path.startswith("/auth")
        ]


class Gate:
    """Holds one request up right before the server takes effect, until it is opened."""

    def __init__(self, sandbox: Sandbox, number: int) -> None:
        self._number = number
        self._numbers = itertools.count(1)
        self._reached = threading.Event()
        self._opened = threading.Event()
        self._opens_itself = False
        sandbox.set_delay(1.0)  # lets the server call `sleep` for each request; no time is added
        sandbox.application.sleep = self._sleep

    def _sleep(self, seconds: float) -> None:
        if next(self._numbers) == self._number:
            self._reached.set()
            self._opened.wait(300)
        elif self._opens_itself:
            self._opened.set()

    def wait(self) -> None:
        """Waits until the request is there."""
        assert self._reached.wait(300), f"request {self._number} never came"

    def open(self) -> None:
        """Lets the request take effect."""
        self._opened.set()

    def open_with_the_next(self) -> None:
        """Lets the request take effect once another one comes."""
        self._opens_itself = True


class Prepared:
    """A situation that worlds are copied from, all with the same sandbox, one at a time."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._data: dict[str, Any] = json.loads(json.dumps(dump(world.sandbox.store)))
        self._count = 0

    @contextmanager
    def another(self, **configuration: Any) -> Iterator[World]:
        """Yields a world in this situation; what comes of it is thrown away."""
        self._count += 1
        folder = self._world.folder.parent / f"copy-{self._count}"
        shutil.copytree(self._world.folder, folder)
        sandbox = self._world.sandbox
        load(sandbox.store, self._data)
        sandbox.clear_requests()
        sandbox.set_delay(0)
        if configuration:
            scenario.write_configuration(folder, sandbox, **configuration)
        yield World(sandbox, folder, self._world.children)
        shutil.rmtree(folder)


def killed(world: World, number: int) -> bool:
    """Runs, and kills the run at a crash point; returns whether it got that far."""
    code = world.run("run", kill_at=number)
    assert code in (KILLED, PARTIAL), f"crash point {number}: exit code {code}\n{world.said()}"
    return code == KILLED


def recover(world: World) -> Outcome:
    """Runs to the end; returns what came of it."""
    code = world.run("run")
    outcome = world.outcome()
    outcome.remembered["exit code"] = code
    return outcome


@contextmanager
def fleet(size: int, prepare: Prepare = scenario.prepare) -> Iterator[list[Prepared]]:
    """Yields so many equal situations, each with a sandbox and a process that forks."""
    with ExitStack() as stack:
        place = "/dev/shm" if Path("/dev/shm").is_dir() else None
        folder = Path(stack.enter_context(TemporaryDirectory(dir=place, prefix="kills-")))
        yield [
            stack.enter_context(_prepared(folder / str(number), prepare)) for number in range(size)
        ]


@contextmanager
def _prepared(folder: Path, prepare: Prepare) -> Iterator[Prepared]:
    with Sandbox() as sandbox:
        children = Children({scenario.PASSWORD: sandbox.password})
        try:
            world = World(sandbox, folder / "prepared", children)
            world.folder.mkdir(parents=True)
            prepare(world.folder, sandbox, world.run_well)
            yield Prepared(world)
        finally:
            children.close()
