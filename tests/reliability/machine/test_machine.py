"""No one loses anything, whatever the order of events: a state machine in two processes.

The schedules are always the same; half of a long run's are of a random seed.
RELIABILITY_SEED sets the seed of one half, RELIABILITY_SCHEDULES how many schedules there are.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.figures import Figure
from tests.profiles import LONG, PROFILE

ROOT = Path(__file__).resolve().parents[3]
SCHEDULES = int(
    os.environ.get("RELIABILITY_SCHEDULES") or {"sample": 4, "whole": 60, "long": 10_000}[PROFILE]
)
BOARDS = max(4, SCHEDULES // 6)
"""A schedule of a board, or of phases, takes so many times as long."""
SHORT = {"projects": 10, "cards": 6, "phases": 6}
"""So many steps has a schedule of a sample, of which the first is one rule again and again."""
SEED = 1


@pytest.mark.sampled_inside
@pytest.mark.parametrize("of", ["projects", "cards", "phases"])
def test_nobody_loses_anything_whatever_the_order_of_events(figure: Figure, of: str):
    drawn = random.SystemRandom().randrange(2**32) if LONG else SEED
    number = int(os.environ.get("RELIABILITY_SEED") or drawn)
    began = time.monotonic()
    processes = [_start(of)]
    if of == "projects" or PROFILE != "sample":  # runs of the others are many
        processes.append(_start(of, "--seed", str(number)))
    outputs = [process.communicate()[0] for process in processes]
    for process, output in zip(processes, outputs, strict=True):
        assert process.returncode == 0, f"RELIABILITY_SEED={number}\n{output}"
    count = sum(int(output.split()[-1]) for output in outputs)
    seconds = time.monotonic() - began
    figure(f"{count} schedules of {of}, no violation, {seconds:.0f} s (RELIABILITY_SEED={number})")


def _start(of: str, *options: str) -> subprocess.Popen[str]:
    count = (SCHEDULES if of == "projects" else BOARDS) // 2
    command = [sys.executable, "-m", "tests.reliability.machine.schedules", str(count), "--of", of]
    if PROFILE == "sample":
        command += ["--steps", str(SHORT[of])]
    return subprocess.Popen(
        [*command, *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
