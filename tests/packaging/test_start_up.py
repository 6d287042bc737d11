"""Starting up costs little more than the library that reads the command line."""

from __future__ import annotations

import resource
import subprocess
import sys
from typing import Final

ROUNDS: Final = 7


def best_of(*command: str) -> float:
    """Returns the processor seconds of the cheapest of several calls.

    Processor time, as the clock on the wall also counts what else the machine is doing.
    """
    costs = []
    for _ in range(ROUNDS):
        before = _spent()
        subprocess.run(command, check=True, capture_output=True, timeout=120)
        costs.append(_spent() - before)
    return min(costs)


def _spent() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def test_version_takes_less_than_three_times_the_import_of_click() -> None:
    click = best_of(sys.executable, "-c", "import click")
    version = best_of(sys.executable, "-m", "taiga_pipeline", "--version")
    assert version < 3 * click, f"{version:.3f} s against {click:.3f} s"
