"""Planning a run in which nothing changed: time and memory for 10,000 to 100,000 deals.

The deals are generated, the projects are served by a sandbox over HTTP in pages of 1,000, the
state is a SQLite file; what is measured is a process that plans and ends.
"""

from __future__ import annotations

import json
import multiprocessing
import re
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.pipeline import MAPPINGS, GeneratedDeals, runner
from bench.sandbox_process import PASSWORD
from bench.table import print_table
from sync.clock import SystemClock
from sync.records.model import Marker, RecordKey, encode
from sync.state.schema import BINDINGS, GROUPS
from taiga_pipeline.mapping.load import load_mappings
from taiga_pipeline.sandbox.embedded import Sandbox
from taiga_pipeline.sources.mapped import MappedSource
from taiga_pipeline.targets.taiga import projects

SIZES = (10_000, 30_000, 100_000)


def main() -> None:
    """Prints one row per size."""
    rows = []
    for count in SIZES:
        with TemporaryDirectory() as folder, preloaded_sandbox(count) as url:
            remember(Path(folder), url, count)
            wall, processor, memory = measure(Path(folder), url, count)
        rows.append([f"{count:,}", wall, processor, round(memory), 1e6 * processor / count])
    header = ["deals", "wall, s", "processor, s", "peak memory, MB", "µs of processor per deal"]
    print_table("Planning without change", header, rows)


@contextmanager
def preloaded_sandbox(count: int) -> Iterator[str]:
    """Serves ``count`` projects that the connector made earlier."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, count), daemon=True)
    process.start()
    try:
        yield ours.recv()
    finally:
        process.terminate()


def _serve(pipe, count: int) -> None:
    source = MappedSource(GeneratedDeals(count), load_mappings([MAPPINGS]), SystemClock())
    with Sandbox(password=PASSWORD) as sandbox:
        bot = sandbox.as_user(sandbox.username)
        for group in source.read().groups:
            body = projects.creation(group.root.fields, Marker("bench", group.key), 2)
            bot.post("/projects", body)
        pipe.send(sandbox.url)
        pipe.recv()


def remember(folder: Path, url: str, count: int) -> None:
    """Writes the state that a first run would have left behind."""
    with runner(url, GeneratedDeals(count), folder) as first:
        roots = {m.key: root for root in first.target.observe_roots() for m in root.markers}
        bindings, groups = [], []
        for group in first.source.read().groups:
            root = roots[group.key]
            bindings.append(_binding(group.root.key, root.id, group.root.fields))
            groups.append(_group(group.key, group.fingerprint(), root.change_token))
        with first.store._engine.begin() as connection:
            connection.execute(BINDINGS.insert(), bindings)
            connection.execute(GROUPS.insert(), groups)


def _binding(key: RecordKey, target_id: str, fields) -> dict[str, object]:
    base = {name: [encode(value), encode(value)] for name, value in fields.items()}
    return {
        "pipeline": "bench", "grp": key.group, "kind": key.kind, "name": key.name,
        "target_id": target_id, "created": True, "when_dropped": "keep", "deleted": False,
        "unlinked": False, "base_json": json.dumps(base),
    }  # fmt: skip


def _group(key: str, fingerprint: str, change_token: str) -> dict[str, object]:
    return {
        "pipeline": "bench", "grp": key, "fingerprint": fingerprint, "stamp": change_token,
        "state": "tentative", "facts_json": "{}", "seen_at": SystemClock().now(),
    }  # fmt: skip


def measure(folder: Path, url: str, count: int) -> tuple[float, float, float]:
    """Plans in a fresh process; returns wall and processor seconds, and peak memory in MB."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_plan, args=(theirs, folder, url, count))
    process.start()
    result = ours.recv()
    process.join()
    return result


def _plan(pipe, folder: Path, url: str, count: int) -> None:
    began = time.perf_counter()
    with runner(url, GeneratedDeals(count), folder) as again:
        plan = again.plan()
    wall = time.perf_counter() - began
    assert plan.unchanged == count, plan.summary()
    usage = resource.getrusage(resource.RUSAGE_SELF)
    pipe.send((wall, usage.ru_utime + usage.ru_stime, peak_memory()))


def peak_memory() -> float:
    """Returns this process's peak resident memory in MB.

    Not by ``getrusage``: a process that was spawned inherits its parent's peak there.
    """
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024


if __name__ == "__main__":
    main()
