"""Whatever the order of events, on every tool: no duplicate, no lost edit, nothing unsettled.

The schedules are always the same; a long run's are of a random seed. RELIABILITY_SEED sets one.
"""

from __future__ import annotations

import os
import random

import pytest

from tests.figures import Figure
from tests.profiles import LONG, PROFILE
from tests.reliability.tools.machine import STEPS, run_schedules
from tests.reliability.tools.servers import SERVERS, Server

pytestmark = pytest.mark.sampled_inside

SEED = 1
SCHEDULES = {"sample": 2, "whole": 6, "long": 200}[PROFILE]


@pytest.mark.parametrize("server", SERVERS, ids=lambda server: server.name)
def test_nobody_loses_anything_whatever_the_order_of_events(server: Server, figure: Figure) -> None:
    drawn = random.SystemRandom().randrange(2**32) if LONG else SEED
    number = int(os.environ.get("RELIABILITY_SEED") or drawn)
    if PROFILE == "sample":  # the first schedule of all is one rule again and again
        count = run_schedules(server, SCHEDULES, None, steps=STEPS // 2)
    else:
        count = run_schedules(server, SCHEDULES, number)
    figure(f"{server.name}: {count} schedules, no violation (RELIABILITY_SEED={number})")
