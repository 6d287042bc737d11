"""Many pipelines on one, two and four workers: throughput, fairness, and no overlap.

    python -m bench.workers_bench [--pipelines N] [--deals N] [--hosts N] [--workers N ...] [--once]

Each pipeline is a folder with a CSV file and has an account of its own, each host a sandbox with
latency in a process of its own; the first host has several times as many pipelines as the others.
The queue is a throw-away PostgreSQL. All pipelines are queued at once, twice: first every deal is
new, then nothing changed. With ``--once``, only the first number of workers begins with new deals;
the others find its projects. What is told comes from the workers' logs.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.sandbox_process import PASSWORD as SECRET
from bench.sandbox_process import sandbox_process
from bench.table import print_table
from taiga_pipeline.workers.ledger import Ledger
from taiga_pipeline.workers.tables import set_up
from tests.live.fleets import PASSWORD, QUEUE, Fleet, Worker
from tests.live.postgresql import Cluster

LATENCY = 0.03
BIG = 3
"""How many times as many pipelines the first host has."""
ENDED = re.compile(r"^(\S+): (\w[\w ]*) in ([0-9.]+) s, ([0-9]+) changes")


@dataclass(frozen=True, slots=True)
class Size:
    """What is measured."""

    pipelines: int = 500
    deals: int = 20
    hosts: int = 10
    concurrency: int = 4
    per_host: int = 4


@dataclass(frozen=True, slots=True)
class Run:
    """A run as its worker's log tells it; times in seconds since the epoch."""

    pipeline: str
    ending: str
    began: float
    ended: float
    changes: int


@dataclass(frozen=True, slots=True)
class Pass:
    """All pipelines once."""

    workers: int
    name: str
    seconds: float
    queued_at: float
    runs: Sequence[Run]
    load: float
    look: float


def main(size: Size, counts: Sequence[int], *, once: bool = False) -> None:
    """Prints two tables: throughput, and fairness."""
    passes: list[Pass] = []
    hosts: dict[str, int] = {}
    with Cluster() as cluster:
        for several in [counts] if once else [[count] for count in counts]:
            with world(size, cluster) as (fleet, hosts):
                passes += measure(fleet, several[0], size, ("all new", "no change"))
                for count in several[1:]:
                    passes += measure(fleet, count, size, ("no change",))
    print_table(
        f"{size.pipelines} pipelines of {size.deals} deals on {size.hosts} hosts with "
        f"{1000 * LATENCY:.0f} ms of latency",
        [
            "workers",
            "runs",
            "what",
            "s",
            "runs a minute",
            "changes a second",
            "status --all, s",
            "load before",
        ],
        [throughput(each) for each in passes],
    )
    print_table(
        "Fairness: seconds until a run began, and what ran at the same time",
        [
            *("workers", "what", "median wait, small hosts", "median wait, big host"),
            *("most at once on a host", "allowed", "pipelines that overlapped themselves"),
        ],
        [fairness(each, hosts, size) for each in passes],
    )


@contextmanager
def world(size: Size, cluster: Cluster) -> Iterator[tuple[Fleet, dict[str, int]]]:
    """Makes hosts, pipelines and a queue; also returns the host of each pipeline."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="fleet-")))
        hosts = dict(deal_out(size))
        urls = []
        for host in range(size.hosts):
            accounts = [name for name, its in hosts.items() if its == host]
            urls.append(stack.enter_context(sandbox_process(LATENCY, accounts)).url)
        url = cluster.database()
        fleet = Fleet(folder, {PASSWORD: SECRET, QUEUE: url})
        settings = {"concurrency": size.concurrency, "per_host": size.per_host}
        fleet.write(settings, {"every": "30d"})
        for name, host in hosts.items():
            fleet.add(name, urls[host], size.deals, username=name, concurrency=2, timeout=60)
        set_up(url)
        yield fleet, hosts
        cluster.drop(url)


def deal_out(size: Size) -> Iterator[tuple[str, int]]:
    """Yields pipelines and their hosts; the first host has its share several times."""
    turns = [0] * BIG + list(range(1, size.hosts))
    for number in range(size.pipelines):
        yield f"p{number:04}", turns[number % len(turns)]


def measure(fleet: Fleet, count: int, size: Size, names: Sequence[str]) -> Iterator[Pass]:
    """Starts workers, and queues all pipelines as often as there are names for it."""
    ledger = Ledger(fleet.environment[QUEUE], "pipelines")
    workers = [fleet.start("--log-format", "json") for _ in range(count)]
    try:
        while not all("pipelines" in worker.said() for worker in workers):
            time.sleep(0.2)
        for name in names:
            load = os.getloadavg()[0]
            queued_at = time.time()
            result = fleet.run("enqueue", "--all", timeout=600)
            assert result.returncode == 0, result.stderr
            wait_for_all(ledger, workers)
            seconds = time.time() - queued_at
            runs = [run for run in read_logs(workers) if run.began >= queued_at]
            assert len(runs) >= size.pipelines, "some pipeline was not run"
            began = time.perf_counter()
            fleet.run("status", "--all", "--json", timeout=600)
            look = time.perf_counter() - began
            yield Pass(count, name, seconds, queued_at, runs, load, look)
    finally:
        for worker in workers:
            worker.stop(60)
        ledger.close()


def wait_for_all(ledger: Ledger, workers: Sequence[Worker]) -> None:
    """Waits until nothing is queued any more."""
    while ledger.jobs():
        for worker in workers:
            assert worker.process.poll() is None, worker.said()
        time.sleep(0.25)


def read_logs(workers: Sequence[Worker]) -> Iterator[Run]:
    """Yields the runs that the workers' logs report."""
    for worker in workers:
        for line in worker.said().splitlines():
            entry = json.loads(line) if line.startswith("{") else {}
            match = ENDED.match(entry.get("message", ""))
            if match:
                ended = datetime.fromisoformat(entry["time"]).timestamp()
                began = ended - float(match[3])
                yield Run(match[1], match[2], began, ended, int(match[4]))


def throughput(each: Pass) -> list[object]:
    """Returns a row of the first table."""
    changes = sum(run.changes for run in each.runs)
    minutes = each.seconds / 60
    return [
        each.workers,
        len(each.runs),
        each.name,
        each.seconds,
        round(len(each.runs) / minutes),
        changes / each.seconds,
        each.look,
        each.load,
    ]


def fairness(each: Pass, hosts: dict[str, int], size: Size) -> list[object]:
    """Returns a row of the second table."""
    waits: dict[int, list[float]] = {}
    for run in each.runs:
        waits.setdefault(hosts[run.pipeline], []).append(run.began - each.queued_at)
    medians = {host: statistics.median(found) for host, found in waits.items()}
    small = [median for host, median in medians.items() if host]
    return [
        each.workers,
        each.name,
        f"{min(small):.1f} to {max(small):.1f}",
        medians[0],
        max(most_at_once(r for r in each.runs if hosts[r.pipeline] == host) for host in medians),
        size.per_host,
        sum(most_at_once(r for r in each.runs if r.pipeline == name) > 1 for name in hosts),
    ]


def most_at_once(runs: Iterable[Run]) -> int:
    """Returns how many runs were under way at the same time at most."""
    events = sorted(
        [event for run in runs for event in ((run.began, 1), (run.ended, -1))],
        key=lambda event: (event[0], event[1]),
    )
    most = now = 0
    for _, step in events:
        now += step
        most = max(most, now)
    return most


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pipelines", type=int, default=500)
    parser.add_argument("--deals", type=int, default=20)
    parser.add_argument("--hosts", type=int, default=10)
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2, 4])
    parser.add_argument("--once", action="store_true")
    given = parser.parse_args()
    main(Size(given.pipelines, given.deals, given.hosts), given.workers, once=given.once)
