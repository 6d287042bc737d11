"""Runs the real command in a process of its own, and says what it took."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Cost:
    """What a command took: wall and processor time in seconds, peak memory in MB."""

    wall: float
    processor: float
    memory: float


def measure(
    folder: Path, arguments: Sequence[str], environment: Mapping[str, str] | None = None
) -> Cost:
    """Runs the command in ``folder``, with more in its environment; returns what it took.

    Exit code 3 (done in part) passes; any other but 0 ends the benchmark.
    """
    command = [sys.executable, "-m", "taiga_pipeline", *arguments]
    began = time.perf_counter()
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, **(environment or {})},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert process.stderr is not None
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    if os.waitstatus_to_exitcode(status) not in (0, 3):
        raise SystemExit(f"{' '.join(arguments)} failed: {errors.decode()}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def least(folder: Path, arguments: Sequence[str], rounds: int) -> Cost:
    """Returns the least of several runs: what it takes where nothing else is in the way."""
    costs = [measure(folder, arguments) for _ in range(rounds)]
    return Cost(
        min(cost.wall for cost in costs),
        min(cost.processor for cost in costs),
        max(cost.memory for cost in costs),
    )
