"""What questions about a plan cost beside the plan itself, in processor time.

The plan is worked out from deals in memory, as `capacity_bench` does it; reading comes on top of it
once. A question changes one deal. Five scenarios change three deals each, one of them hires.

The page "Plan" is asked as a browser asks it: with reading, the question, and its HTML.
"""

from __future__ import annotations

import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from html import unescape
from pathlib import Path
from typing import Final

import httpx2

from bench.capacity_bench import MONDAY, TRIALS, WEEKS, mappings, no_holidays, situation
from bench.pages_bench import started, used_of
from bench.report_bench import PEOPLE, fill
from bench.table import print_table
from taiga_pipeline.planning.capacity.find import Options, find_capacity
from taiga_pipeline.planning.demand.stated_outlook import plain_outlooks
from taiga_pipeline.planning.scenario.compare import compare_scenarios
from taiga_pipeline.planning.scenario.model import Hire, Scenario
from taiga_pipeline.planning.scenario.what_if import WhatIf
from taiga_pipeline.planning.weeks import Weeks
from taiga_pipeline.web.access.people import Person, Role, User, hashed, keep_user

COUNTS, ROUNDS = (200, 2_000), 3
PASSWORD: Final = "correct horse"
WEB: Final = """
[web]
users = "users.toml"
"""


def main() -> None:
    """Prints two tables."""
    load = f"least of {ROUNDS}, load {os.getloadavg()[0]:.1f}"
    header = [
        "open deals",
        "one plan, s",
        "a question, s",
        "of the plan",
        "six columns, plans",
    ]
    print_table(f"What if, in processor time ({load})", header, [row(n) for n in COUNTS])
    header = ["the page of a plan", "elapsed, s", "processor, s"]
    title = f"The same by the page, {COUNTS[-1]:,} deals, {PEOPLE} people ({load})"
    print_table(title, header, list(pages(COUNTS[-1])))


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


def pages(count: int) -> Iterator[list[object]]:
    """Measures the first look at a plan, the next one, and questions of one deal each."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fill(folder, count)
        with (folder / "config.toml").open("a", encoding="utf-8") as config:
            config.write(WEB)
        keep_user(folder / "users.toml", User(Person("pm", Role.PLAN), hashed(PASSWORD, cost=10)))
        server, address = started(folder)
        try:
            with httpx2.Client(
                base_url=address, timeout=120, follow_redirects=True, trust_env=False
            ) as client:
                log_in(client)

                def asked(path: str) -> tuple[float, float]:
                    used, begun = used_of(server)[1], time.perf_counter()
                    client.get(path).raise_for_status()
                    return time.perf_counter() - begun, used_of(server)[1] - used

                yield ["the first time, drawn", *asked("/plan")]
                yield ["again", *map(min, zip(*(asked("/plan") for _ in range(3)), strict=True))]
                questions = [asked(f"/plan?fate.D-{7 * number}=win") for number in range(9)]
                yield ["one deal supposed won, least", *map(min, zip(*questions, strict=True))]
                yield ["the same, most of nine", *map(max, zip(*questions, strict=True))]
        finally:
            server.terminate()
            server.wait(30)


def log_in(client: httpx2.Client) -> None:
    """Logs in as the one who plans."""
    token = re.search(r'name="csrf" (?:content|value)="([^"]*)"', client.get("/log-in").text)
    form = {"csrf": unescape(token[1]) if token else "", "name": "pm", "password": PASSWORD}
    client.post("/log-in", data=form).raise_for_status()


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
