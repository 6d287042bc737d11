"""Runs the program as the shell would, and ends the process at a crash point.

    python -m tests.reliability.kills.child FOLDER KILL_AT ARGUMENT...

The program itself has no such switch: this module adds an observer to `sync.crash_points`. The
names of the crash points that were reached are written to ``FOLDER/crash_points_reached``, one a
line.
"""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from sync import crash_points
from taiga_pipeline.cli.main import main

KILLED = 137
"""The exit code of a process that was ended here, as of one that got SIGKILL."""

NEVER = 0


def run(folder: Path, kill_at: int, arguments: Sequence[str]) -> None:
    """Runs the program in ``folder``; at the crash point of number ``kill_at`` the process ends."""
    os.chdir(folder)
    log = os.open("crash_points_reached", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    numbers = itertools.count(1)

    def observe(name: str) -> None:
        os.write(log, f"{name}\n".encode())
        if next(numbers) == kill_at:
            os._exit(KILLED)

    crash_points.observers.append(observe)
    sys.argv = ["pipeline-sync", *arguments]
    main()


if __name__ == "__main__":
    run(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
