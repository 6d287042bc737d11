"""What questions about a plan cost beside the plan itself, in processor time.

The plan is worked out from deals in memory, as `capacity_bench` does it; reading comes on top of it
once. A question changes one deal. Five scenarios change three deals each, one of them hires.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from bench.capacity_bench import MONDAY, TRIALS, WEEKS, mappings, no_holidays, situation
from bench.table import print_table
from taiga_pipeline.planning.capacity.find import Options, find_capacity
from taiga_pipeline.planning.demand.stated_outlook import plain_outlooks
from taiga_pipeline.planning.scenario.compare import compare_scenarios
from taiga_pipeline.planning.scenario.model import Hire, Scenario
from taiga_pipeline.planning.scenario.what_if import WhatIf
from taiga_pipeline.planning.weeks import Weeks

COUNTS, ROUNDS = (200, 2_000), 3


def main() -> None:
    """Prints one table."""
    load = f"least of {ROUNDS}, load {os.getloadavg()[0]:.1f}"
    header = [
        "open deals",
        "one plan, s",
        "a question, s",
        "of the plan",
        "six columns, plans",
    ]
    print_table(f"What if, in processor time ({load})", header, [row(n) for n in COUNTS])


def row(count: int) -> list[object]:
    """Measures one size."""
    given, rules = situation(count), mappings()
    outlooks = plain_outlooks(given.deals, rules, MONDAY)
    options = Options(Weeks(MONDAY, WEEKS), no_holidays, trials=TRIALS, with_drivers=False)
    what_if = WhatIf(given, rules, outlooks, options)
    numbers = iter(range(10 * ROUNDS))
    plan = least(lambda: find_capacity(given, rules, outlooks, options))
    question = least(lambda: what_if.suppose(Scenario("one", win=(f"D-{next(numbers)}",))))
    brief = replace(options, brief=True)  # as the command compares
    all_ = least(lambda: compare_scenarios(given, rules, outlooks, brief, five()))
    shares = [f"{part / plan:.2f}" for part in (question, all_)]
    return [f"{count:,}", plan, question, *shares]


def five() -> list[Scenario]:
    """Returns five scenarios of three deals each, one of which hires."""
    found = []
    for number in range(5):
        won, late, small = (f"D-{3 * number + each}" for each in range(3))
        hire = (Hire("Role 01", Decimal(40)),) if number == 4 else ()
        found.append(
            Scenario(f"s{number}", win=(won,), delay={late: 4}, resize={small: 0.5}, hire=hire)
        )
    return found


def least(work: Callable[[], object]) -> float:
    """Returns the least processor time of some rounds, in seconds."""
    times = []
    for _ in range(ROUNDS):
        begun = time.process_time()
        work()
        times.append(time.process_time() - begun)
    return min(times)


if __name__ == "__main__":
    main()
