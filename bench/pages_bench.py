"""People who click through the pages of a large pipeline: how long pages and moves take.

``python -m bench.pages_bench [--people 50] [--deals 2000] [--seconds 60] [--only calm|run]`` serves
a made-up pipeline from a process of its own and asks it as browsers do: each of the people looks at
the board, at deals and at follow-ups, writes notes, edits and moves deals, and reads for some
seconds in between; their open pages follow what others change. Then it does the same while a run
makes 500 projects from the same store. Afterwards every change that was answered has to be there.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import re
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Final

from bench.clicking import OPEN, PASSWORD, Clicker, clicks
from bench.command import Cost, measure
from bench.sandbox_process import PASSWORD as SECRET
from bench.sandbox_process import USERNAME, sandbox_process
from bench.table import print_table
from taiga_pipeline.pipeline.model import Deal, RoleDemand
from taiga_pipeline.pipeline.store import DealStore
from taiga_pipeline.web.access.people import Person, Role, User, hashed, keep_user

CONFIG: Final = """\
pipeline = "bench"
[source]
url = "sqlite:///pipeline.db"
[target]
url = "{target}"
username = "{username}"
password_env = "SECRET"
[limits]
create = {projects}
[web]
users = "users.toml"
"""
PROJECTS: Final = 500
"""So many deals ask for a project; the run makes all of them."""
STAGES: Final = {"Lead": 35, "Qualified": 25, "Needs analysis": 20, "Lost": 20}
_HASH: Final = hashed(PASSWORD, cost=10)


def make(folder: Path, deals: int, people: int, target: str) -> None:
    """Makes a pipeline with deals, and people who may change them."""
    config = CONFIG.format(target=target, username=USERNAME, projects=2 * PROJECTS)
    (folder / "config.toml").write_text(config)
    mappings = folder / "mappings"
    mappings.mkdir()
    shipped = Path(__file__).parent.parent / "mappings" / "default.toml"
    (mappings / "default.toml").write_text(shipped.read_text())
    rng, today = random.Random(3), date.today()
    made = [_deal(rng, number, today) for number in range(deals)]
    store = DealStore.open(_url(folder), lambda: datetime.now(UTC), create=True)
    store.upsert(made, by="bench")
    store.close()
    for number in range(people):
        person = Person(f"p{number}", Role.SELL, f"Owner {number % 10}")
        keep_user(folder / "users.toml", User(person, _HASH))


def _url(folder: Path) -> str:
    return f"sqlite:///{folder / 'pipeline.db'}"


def _deal(rng: random.Random, number: int, today: date) -> Deal:
    stage = rng.choices(list(STAGES), list(STAGES.values()))[0]
    stage = "Proposal" if number < PROJECTS else stage
    is_open = stage in OPEN
    return Deal(
        key=f"D-{number}",
        name=f"Deal {number}",
        customer=f"Customer {number % 300}",
        stage=stage,
        value=Decimal(rng.randrange(5, 500) * 1000),
        currency="EUR",
        expected_close=today + timedelta(days=rng.randrange(-20, 200)),
        closed_on=None if is_open else today - timedelta(days=rng.randrange(1, 300)),
        owner=f"Owner {number % 10}",
        team=rng.choice(["north", "south"]),
        service=rng.choice(["web", "data", "design"]),
        next_step="Call" if is_open else "",
        next_step_on=today + timedelta(days=rng.randrange(-10, 30)) if is_open else None,
        roles=(RoleDemand("Back", Decimal(30), 10), RoleDemand("Design", Decimal(16), 4, 2)),
        stage_since=datetime.now(UTC) - timedelta(days=rng.randrange(1, 60)),
    )


def started(folder: Path) -> tuple[subprocess.Popen[str], str]:
    """Starts the server; returns it and its address."""
    command = [sys.executable, "-m", "taiga_pipeline", "web", "--listen", "127.0.0.1:0"]
    server = subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, **_ENVIRONMENT},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert server.stdout
    line = server.stdout.readline()
    return server, line.split(" at ")[1].strip().rstrip("/")


def used_of(server: subprocess.Popen[str]) -> tuple[float, float]:
    """Returns megabytes at most, and seconds of the processor, of the server until now."""
    status = Path(f"/proc/{server.pid}/status").read_text()
    peak = re.search(r"VmHWM:\s+(\d+) kB", status)
    ticks = Path(f"/proc/{server.pid}/stat").read_text().rpartition(")")[2].split()
    assert peak
    return int(peak[1]) / 1024, (int(ticks[11]) + int(ticks[12])) / 100


@contextmanager
def _running(folder: Path, is_asked: bool) -> Iterator[list[Cost]]:
    """Runs the pipeline beside what goes on, if asked; what that took stands in the list."""
    costs: list[Cost] = []
    run = threading.Thread(target=lambda: costs.append(measure(folder, ["run"], _ENVIRONMENT)))
    if is_asked:
        run.start()
    yield costs
    if is_asked:
        run.join()


_ENVIRONMENT: Final = {"SECRET": SECRET}


def missing(folder: Path, found: list[Clicker]) -> Counter[object]:
    """Returns what was answered as done and is not there."""
    store = DealStore.open(_url(folder), lambda: datetime.now(UTC))
    moves = Counter((each.deal_key, each.to_stage) for each in store.history())
    notes = Counter(note.text for deal in store.deals() for note in deal.notes)
    steps = Counter(each.after for each in store.changes() if each.field == "next_step")
    store.close()
    lost: Counter[object] = Counter()
    lost += Counter(move for each in found for move in each.moved) - moves
    lost += Counter(text for each in found for text in each.noted) - notes
    lost += Counter(text for each in found for text in each.edited) - steps
    return lost


def share(times: list[float], of: float) -> float:
    """Returns the milliseconds within which a share of the answers came."""
    return 1000 * sorted(times)[min(len(times) - 1, int(len(times) * of))]


def bench(arguments: argparse.Namespace, with_run: bool) -> bool:
    """Serves, clicks, and prints what came of it; returns whether something went wrong."""
    with tempfile.TemporaryDirectory() as name, sandbox_process() as sandbox:
        folder = Path(name)
        make(folder, arguments.deals, arguments.people, sandbox.url)
        server, address = started(folder)
        try:
            with _running(folder, with_run) as costs:
                found = asyncio.run(clicks(address, arguments.people, arguments.seconds))
            megabytes, processor = used_of(server)
        finally:
            server.terminate()
            server.wait(30)
        lost = missing(folder, found)
    _print_times(arguments, found, with_run)
    moved, noted = sum(len(each.moved) for each in found), sum(len(each.noted) for each in found)
    edited = sum(len(each.edited) for each in found)
    wrong = [text for each in found for text in each.wrong]
    apart = sum(each.apart for each in found)
    print(f"answered as done: {moved} moves, {noted} notes, {edited} edits")
    print(f"lost of them: {lost.total()}; came second, and asked: {apart}; wrong: {len(wrong)}")
    answers = sum(len(times) for each in found for times in each.times.values())
    each_ms = 1000 * processor / answers
    print(f"server: {megabytes:.0f} MB at most, {each_ms:.1f} ms of processor time an answer")
    for cost in costs:
        print(f"run: {cost.wall:.1f} s, {cost.processor:.1f} s of processor time")
    for text in wrong[:5]:
        print(text)
    return bool(lost or wrong)


def _print_times(arguments: argparse.Namespace, found: list[Clicker], with_run: bool) -> None:
    during = f", while a run makes {PROJECTS} projects" if with_run else ""
    title = f"{arguments.people} people, {arguments.deals:,} deals, {arguments.seconds:.0f} s"
    rows = []
    for what in sorted({what for each in found for what in each.times}):
        times = [seconds for each in found for seconds in each.times[what]]
        rows.append([what, len(times), round(share(times, 0.5)), round(share(times, 0.95))])
    print_table(title + during, ["", "answers", "median, ms", "95 % within, ms"], rows)


def main() -> int:
    """Does both, or one of them; returns how many went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--deals", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--only", choices=["calm", "run"])
    arguments = parser.parse_args()
    asked = [arguments.only] if arguments.only else ["calm", "run"]
    return sum(bench(arguments, which == "run") for which in asked)


if __name__ == "__main__":
    raise SystemExit(main())
