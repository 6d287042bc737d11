"""Starting up costs little more than the library that reads the command line."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Final

ROUNDS: Final = 7


def best_of(*command: str) -> float:
    """Returns the seconds of the quickest of several calls: what it takes, without disturbances."""
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True, timeout=30)
        times.append(time.perf_counter() - start)
    return min(times)


def test_version_takes_less_than_three_times_the_import_of_click() -> None:
    click = best_of(sys.executable, "-c", "import click")
    version = best_of(sys.executable, "-m", "taiga_pipeline", "--version")
    assert version < 3 * click, f"{version:.3f} s against {click:.3f} s"
