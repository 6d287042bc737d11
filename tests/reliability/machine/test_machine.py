"""Nobody loses anything, whatever the order of events: a state machine in two processes.

RELIABILITY_PROFILE is ``ci`` (fixed schedules, and as many of a random seed) or ``long``.
RELIABILITY_SEED repeats a random seed, RELIABILITY_SCHEDULES sets how many schedules there are.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
LONG = os.environ.get("RELIABILITY_PROFILE") == "long"
SCHEDULES = int(os.environ.get("RELIABILITY_SCHEDULES", "10000" if LONG else "200"))


def test_nobody_loses_anything_whatever_the_order_of_events(capsys: pytest.CaptureFixture[str]):
    number = int(os.environ.get("RELIABILITY_SEED") or random.SystemRandom().randrange(2**32))
    began = time.monotonic()
    with capsys.disabled():
        print(f"\n  RELIABILITY_SEED={number}", flush=True)
    processes = [_start(), _start("--seed", str(number))]
    outputs = [process.communicate()[0] for process in processes]
    for process, output in zip(processes, outputs, strict=True):
        assert process.returncode == 0, output
    count = sum(int(output.split()[-1]) for output in outputs)
    with capsys.disabled():
        print(f"  {count} schedules, no violation, {time.monotonic() - began:.0f} s")


def _start(*options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.reliability.machine.schedules", str(SCHEDULES // 2)]
    return subprocess.Popen(
        [*command, *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
