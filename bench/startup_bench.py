"""How long the program takes to say its version, against importing click alone."""

from __future__ import annotations

import subprocess
import sys
import time

from bench.table import print_table

ROUNDS = 20
COMMANDS = {
    "python -c 'import click'": [sys.executable, "-c", "import click"],
    "pipeline-sync --version": [sys.executable, "-m", "taiga_pipeline", "--version"],
    "pipeline-sync --help": [sys.executable, "-m", "taiga_pipeline", "--help"],
}


def main() -> None:
    """Prints the median and the least wall time of each command, and the ratio to the first."""
    seconds: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(ROUNDS):
        for name, command in COMMANDS.items():
            began = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            seconds[name].append(time.perf_counter() - began)
    base = _median(next(iter(seconds.values())))
    rows = [
        [name, 1000 * _median(times), 1000 * min(times), _median(times) / base]
        for name, times in seconds.items()
    ]
    header = ["command", "median, ms", "least, ms", "ratio (promised: at most 3)"]
    print_table("Start-up", header, rows)


def _median(times: list[float]) -> float:
    return sorted(times)[len(times) // 2]


if __name__ == "__main__":
    main()
