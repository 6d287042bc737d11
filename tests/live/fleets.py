"""Fleets of small pipelines to try workers on: folders, configurations, deals; and real workers.

Used by the live tests of workers and by their benchmark.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
PASSWORD: Final = "TAIGA_PASSWORD"
QUEUE: Final = "QUEUE_URL"
_HEADER: Final = "key,name,customer,stage,value,currency,expected_close"

_CONFIG: Final = """\
pipeline = "{name}"

[source]
kind = "csv"
file = "deals.csv"

[target]
kind = "taiga"
url = "{url}"
username = "{username}"
password_env = "TAIGA_PASSWORD"
concurrency = {concurrency}
timeout_seconds = {timeout}

[sync]
mappings = "../mappings"
settle_seconds = 0.5

[limits]
create = 500
"""
_FLEET: Final = """\
[queue]
url_env = "QUEUE_URL"

[pipelines]
configs = ["*/config.toml"]
{pipelines}

[workers]
{workers}
"""


@dataclass(slots=True)
class Fleet:
    """A folder with a ``workers.toml``; ``environment`` is what its workers need."""

    folder: Path
    environment: dict[str, str]
    names: list[str] = field(default_factory=list)
    started: list[Worker] = field(default_factory=list)

    def write(
        self,
        workers: Mapping[str, object] | None = None,
        pipelines: Mapping[str, object] | None = None,
    ) -> None:
        """Writes the fleet's file."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if not (self.folder / "mappings").exists():
            (self.folder / "mappings").mkdir()
            shutil.copy(ROOT / "mappings" / "default.toml", self.folder / "mappings")
        text = _FLEET.format(workers=_lines(workers or {}), pipelines=_lines(pipelines or {}))
        (self.folder / "workers.toml").write_text(text)

    def add(
        self,
        name: str,
        url: str,
        deals: int = 2,
        *,
        username: str = "pipeline-bot",
        concurrency: int = 1,
        timeout: float = 60,
    ) -> None:
        """Adds a pipeline with so many deals at the proposal stage."""
        place = self.folder / name
        place.mkdir(parents=True)
        config = _CONFIG.format(
            name=name, url=url, username=username, concurrency=concurrency, timeout=timeout
        )
        (place / "config.toml").write_text(config)
        rows = [
            f"{name}-{n},Portal {n},Customer {name},Proposal,{10_000 + n},EUR,2027-01-15"
            for n in range(deals)
        ]
        (place / "deals.csv").write_text("\n".join([_HEADER, *rows]) + "\n")
        self.names.append(name)

    def run(self, *arguments: str, timeout: float = 300) -> subprocess.CompletedProcess[str]:
        """Runs the program in the fleet's folder to its end."""
        return subprocess.run(
            [sys.executable, "-m", "taiga_pipeline", *arguments],
            cwd=self.folder,
            env=self._variables(),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def start(self, *arguments: str) -> Worker:
        """Starts a worker; what it says goes into a file of its own."""
        log = self.folder / f"worker-{len(self.started)}.log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                [sys.executable, "-m", "taiga_pipeline", "-v", "worker", *arguments],
                cwd=self.folder,
                env=self._variables(),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
            )
        self.started.append(Worker(process, log))
        return self.started[-1]

    def _variables(self) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": str(ROOT), **self.environment}


@dataclass(slots=True)
class Worker:
    """A worker's process, its children, and what they said."""

    process: subprocess.Popen[bytes]
    log: Path

    def said(self) -> str:
        """Returns what it said so far."""
        return self.log.read_text()

    def children(self) -> list[int]:
        """Returns the processes that it started, and those that they did."""
        return list(_descendants(self.process.pid, _parents()))

    def kill(self, *, with_children: bool) -> None:
        """Ends it at once; with its children as when the machine dies, else as a crash does."""
        doomed = [self.process.pid, *(self.children() if with_children else [])]
        for number in doomed:
            _kill(number, signal.SIGKILL)
        self.process.wait(120)

    def stop(self, timeout: float = 180) -> int:
        """Asks it to end, and returns its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout)


def _kill(number: int, how: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(number, how)


def _parents() -> dict[int, int]:
    """Returns the parent of each process on this machine."""
    found: dict[int, int] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        found[int(status.parent.name)] = int(words[1])
    return found


def _descendants(number: int, parents: Mapping[int, int]) -> Iterable[int]:
    for child, parent in parents.items():
        if parent == number:
            yield child
            yield from _descendants(child, parents)


def _lines(table: Mapping[str, object]) -> str:
    return "\n".join(
        f"{key} = {value if isinstance(value, int) else f'{chr(34)}{value}{chr(34)}'}"
        for key, value in table.items()
    )


def wait_until(
    condition: Callable[[], bool], seconds: float = 300, workers: Sequence[Worker] = ()
) -> None:
    """Waits for what real processes do. Fails, with what the workers said, if it never comes."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            said = "\n".join(f"--- {worker.log.name}\n{worker.said()}" for worker in workers)
            raise AssertionError(f"did not happen within {seconds} s\n{said}")
        time.sleep(0.05)
