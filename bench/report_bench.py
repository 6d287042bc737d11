"""The report for a large pipeline: time to write it, its size, and how long Chromium takes."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import time
import tomllib
from collections.abc import Sequence
from contextlib import closing
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from bench.command import least, measure
from bench.table import print_table
from sync.clock import SystemClock
from sync.records.model import Binding, RecordKey
from sync.state.rows import Checkpoint
from sync.state.store import StateStore
from taiga_pipeline.people.model import Allocation, Person
from taiga_pipeline.people.store import PeopleStore
from taiga_pipeline.pipeline.model import Deal, RoleDemand
from taiga_pipeline.pipeline.store import DealStore

DEALS, PEOPLE, ROUNDS = 2_000, 100, 5
MANY: Final = 8_800
"""Deals of the public export of opportunities."""
ROLES = ("Back", "Front", "Design", "UX", "Data", "Lead")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--hide-scrollbars", "--window-size=1280,900",
)  # fmt: skip


def main() -> None:
    """Prints one table."""
    with TemporaryDirectory() as scratch, TemporaryDirectory() as other:
        folder, large = Path(scratch), Path(other)
        fill(folder, DEALS)
        fill(large, MANY)
        cost = least(folder, ["report"], ROUNDS)
        of_many = least(large, ["report"], ROUNDS)
        page = folder / "report.html"
        rows: list[list[object]] = [
            ["writing the report, s (promised: under 3)", cost.wall],
            ["of it processor time, s", cost.processor],
            ["peak memory, MB", round(cost.memory)],
            [f"processor time of {MANY:,} deals, s (promised: under 3)", of_many.processor],
            ["size of the file, MB (promised: under 5)", page.stat().st_size / 1e6],
        ]
        chromium = shutil.which("chromium")
        if chromium:
            (folder / "empty.html").write_text("<!doctype html><title>x</title>")
            empty, full = (shown(chromium, folder / name) for name in ("empty.html", page.name))
            rows.append(["Chromium, start to picture, beyond an empty page, s", full - empty])
    load = f"least of {ROUNDS}, load {os.getloadavg()[0]:.1f}"
    title = f"The report, {DEALS:,} deals, {PEOPLE} people ({load})"
    print_table(title, ["figure", "measured"], rows)


def fill(folder: Path, count: int) -> None:
    """Sets a pipeline up, with so many made-up deals, people and allocations."""
    measure(folder, ["init", ".", "--taiga-url", "http://localhost", "--username", "bench"])
    url, chance, today = f"sqlite:///{folder}/pipeline.db", random.Random(1), date.today()
    deals = [_deal(number, chance, today) for number in range(count)]
    store = DealStore.open(url, SystemClock().now)
    store.upsert(deals)
    store.close()
    people = [
        Person(f"p{n}@example.test", f"Person {n}", ROLES[n % len(ROLES)]) for n in range(PEOPLE)
    ]
    won = [deal for deal in deals if deal.stage == "Won"]
    roster = PeopleStore.open(url, SystemClock().now)
    roster.upsert(people)
    roster.allocate_each(
        Allocation(chance.choice(won).key, person.email, person.role, Decimal(20))
        for person in people
        for _ in range(2)
    )
    roster.close()
    remember(folder, deals, today)


def remember(folder: Path, deals: Sequence[Deal], today: date) -> None:
    """Fills the state as runs would have: projects of open and won deals, with their facts."""
    synced = [deal for deal in deals if deal.stage in ("Proposal", "Won")]
    pipeline = tomllib.loads((folder / "config.toml").read_text(encoding="utf-8"))["pipeline"]
    with closing(StateStore(f"sqlite:///{folder}/state.db", pipeline, SystemClock())) as state:
        for number, deal in enumerate(synced):
            root = RecordKey(deal.key, "project")
            state.adopt(Binding(root, str(number), created=True), {})
        state.save_checkpoints(
            [Checkpoint(deal.key, "x", "x", "staffed", _facts(deal, today)) for deal in synced]
        )


def _facts(deal: Deal, today: date) -> dict[str, object]:
    milestone = {"name": "Kick-off", "start": f"{today}", "finish": f"{today}"}
    url = f"http://localhost/project/{deal.key}"
    return {"url": url, "title": deal.name, "progress": 0.5, "milestones": [milestone]}


def _deal(number: int, chance: random.Random, today: date) -> Deal:
    stage = chance.choices(("Lead", "Qualified", "Proposal", "Won", "Lost"), (3, 3, 6, 3, 3))[0]
    engaged = today - timedelta(days=chance.randrange(5, 400))
    closed = min(today, engaged + timedelta(days=chance.randrange(5, 120)))
    role = RoleDemand(chance.choice(ROLES), Decimal(chance.choice((10, 20, 30))), 8)
    return Deal(
        key=f"D-{number}",
        name=f"Project {number}",
        customer=f"Customer {number % 97}",
        stage=stage,
        value=Decimal(chance.randrange(10, 200) * 1000),
        currency="EUR",
        engaged_on=engaged,
        expected_close=today + timedelta(days=chance.randrange(5, 150)),
        closed_on=closed if stage in ("Won", "Lost") else None,
        owner="Maya Lindqvist",
        service="web",
        roles=(role,),
    )


def shown(chromium: str, page: Path) -> float:
    """Returns the least of five wall times, in seconds, from start to a picture of the page."""
    times = []
    for number in range(5):
        profile = page.parent / f"profile-{page.stem}-{number}"
        command = [chromium, *FLAGS, f"--user-data-dir={profile}"]
        command += [f"--screenshot={page.parent / 'shot.png'}", page.as_uri()]
        began = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True, env=os.environ)
        times.append(time.perf_counter() - began)
    return min(times)


if __name__ == "__main__":
    main()
