"""A queue that is full of pipelines of a host that refuses: how fast do the others go?

    python -m bench.draining_bench [--refused N] [--good N] [--concurrency N]

All pipelines are queued at once, those of the refusing host first, on a throw-away PostgreSQL; the
good ones are on two sandboxes with latency. One worker runs them. The same good ones alone are
measured before, as what to compare with.
"""

from __future__ import annotations

import argparse
import os
import socket
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.sandbox_process import PASSWORD as SECRET
from bench.sandbox_process import sandbox_process
from bench.table import print_table
from taiga_pipeline.workers.ledger import Ledger
from taiga_pipeline.workers.tables import set_up
from tests.live.fleets import PASSWORD, QUEUE, Fleet
from tests.live.postgresql import Cluster

LATENCY = 0.03


@dataclass(frozen=True, slots=True)
class Drained:
    """What one worker did until the last good pipeline was done; ``load`` is of before."""

    name: str
    good: int
    refused: int
    tried: int
    seconds: float
    load: float

    @property
    def per_minute(self) -> float:
        """Runs of good hosts a minute."""
        return 60 * self.good / self.seconds


def main(refused: int, good: int, concurrency: int) -> None:
    """Prints what the good ones came to, alone and among many that are refused."""
    with Cluster() as cluster:
        alone = drain(cluster, "alone", 0, good, concurrency)
        among = drain(cluster, "among them", refused, good, concurrency)
    print_table(
        f"{good} pipelines of two hosts, alone and among {refused} of a host that refuses; one "
        f"worker, {concurrency} runs at a time",
        [
            *("what", "s until all were done", "runs of good hosts a minute"),
            *("share of alone", "runs that were refused meanwhile", "load before"),
        ],
        [
            [
                *(each.name, each.seconds, round(each.per_minute)),
                *(f"{each.per_minute / alone.per_minute:.0%}", each.tried, each.load),
            ]
            for each in (alone, among)
        ],
    )


def drain(cluster: Cluster, name: str, refused: int, good: int, concurrency: int) -> Drained:
    """Queues everything, and works until all good pipelines are done."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="fleet-")))
        names = [f"good{number:04}" for number in range(good)]
        urls = [stack.enter_context(sandbox_process(LATENCY, names)).url for _ in range(2)]
        taken = stack.enter_context(socket.socket())
        taken.bind(("127.0.0.1", 0))  # no one listens: every connection is refused
        url = cluster.database()
        fleet = Fleet(folder, {PASSWORD: SECRET, QUEUE: url})
        fleet.write({"concurrency": concurrency, "per_host": concurrency}, {"every": "30d"})
        for number in range(refused):  # by name, they come first
            fleet.add(f"down{number:04}", f"http://127.0.0.1:{taken.getsockname()[1]}", 1)
        for number, each in enumerate(names):
            fleet.add(each, urls[number % 2], 1, username=each)
        set_up(url)
        result = fleet.run("enqueue", "--all", timeout=600)
        assert result.returncode == 0, result.stderr
        load = os.getloadavg()[0]
        ledger = Ledger(url, "pipelines")
        worker = fleet.start()
        while "pipelines" not in worker.said():
            assert worker.process.poll() is None, worker.said()
            time.sleep(0.1)
        began = time.monotonic()
        try:
            while sum(done(ledger, names)) < good:
                assert worker.process.poll() is None, worker.said()
                time.sleep(0.5)
            seconds = time.monotonic() - began
            tried = sum(run.ending == "unreachable" for run in ledger.look().runs.values())
        finally:
            worker.stop()
            ledger.close()
        return Drained(name, good, refused, tried, seconds, load)


def done(ledger: Ledger, names: list[str]) -> list[bool]:
    """Returns which of the pipelines came to their end."""
    runs = ledger.look().runs
    return [name in runs and runs[name].ending == "done" for name in names]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--refused", type=int, default=4_900)
    parser.add_argument("--good", type=int, default=100)
    parser.add_argument("--concurrency", type=int, default=4)
    given = parser.parse_args()
    main(given.refused, given.good, given.concurrency)
