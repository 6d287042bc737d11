"""People who click through the pages of a large pipeline: how long pages and moves take.

``python -m bench.pages_bench [--people 50] [--deals 2000] [--seconds 60]`` serves a made-up
pipeline from a process of its own and asks it as browsers do: each of the people looks at the
board, at deals and at follow-ups, moves a card now and then, and reads for some seconds in between.
Afterwards every move that was answered has to be in the history.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from html import unescape
from pathlib import Path
from typing import Final

import httpx2

from taiga_pipeline.pipeline.model import Deal, RoleDemand
from taiga_pipeline.pipeline.store import DealStore
from taiga_pipeline.web.access.people import Person, Role, User, hashed, keep_user

PASSWORD: Final = "correct horse"
CONFIG: Final = """\
pipeline = "bench"
[source]
url = "sqlite:///pipeline.db"
[target]
url = "https://taiga.example.com"
username = "bot"
password_env = "SECRET"
[web]
users = "users.toml"
"""
STAGES: Final = {
    **{"Lead": 25, "Qualified": 15, "Needs analysis": 12, "Proposal": 8},
    **{"Won": 20, "Lost": 20},
}
OPEN: Final = ("Lead", "Qualified", "Needs analysis", "Proposal")
THINKING: Final = (2.0, 8.0)
"""Seconds for which somebody reads a page."""


def make(folder: Path, deals: int, people: int) -> None:
    """Makes a pipeline with deals, and people who may change them."""
    (folder / "config.toml").write_text(CONFIG)
    mappings = folder / "mappings"
    mappings.mkdir()
    shipped = Path(__file__).parent.parent / "mappings" / "default.toml"
    (mappings / "default.toml").write_text(shipped.read_text())
    rng, today = random.Random(3), date.today()
    made = [_deal(rng, number, today) for number in range(deals)]
    url = f"sqlite:///{folder / 'pipeline.db'}"
    store = DealStore.open(url, lambda: datetime.now(UTC), create=True)
    store.upsert(made, by="bench")
    store.close()
    for number in range(people):
        person = Person(f"p{number}", Role.SELL, f"Owner {number % 10}")
        keep_user(folder / "users.toml", User(person, _HASH))


_HASH: Final = hashed(PASSWORD, cost=10)


def _deal(rng: random.Random, number: int, today: date) -> Deal:
    stage = rng.choices(list(STAGES), list(STAGES.values()))[0]
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


class Clicker:
    """One of the people. ``times`` holds seconds by what was asked for, ``moved`` what was
    answered, ``wrong`` what was not."""

    def __init__(self, address: str, number: int) -> None:
        self.client = httpx2.AsyncClient(
            base_url=address, timeout=60, follow_redirects=True, trust_env=False
        )
        self.name, self.rng = f"p{number}", random.Random(number)
        self.times: dict[str, list[float]] = defaultdict(list)
        self.moved: list[tuple[str, str]] = []
        self.wrong: list[str] = []
        self.token = ""

    async def ask(self, what: str, method: str, path: str, **form: str) -> str:
        begin = time.perf_counter()
        data = {"csrf": self.token, **form} if method == "POST" else None
        headers = {"HX-Request": "true"} if what == "move" else {}
        answer = await self.client.request(method, path, data=data, headers=headers)
        self.times[what].append(time.perf_counter() - begin)
        if answer.status_code >= 400 and what != "move":
            self.wrong.append(f"{method} {path}: {answer.status_code}")
        if answer.status_code >= 500 or "locked" in answer.text:
            self.wrong.append(f"{method} {path}: {answer.status_code} {answer.text[-300:]}")
        if found := re.search(r'name="csrf" content="([^"]*)"', answer.text):
            self.token = unescape(found[1])
        return answer.text

    async def click(self, until: float) -> None:
        await self.ask("log-in", "GET", "/log-in")
        await self.ask("log-in", "POST", "/log-in", name=self.name, password=PASSWORD)
        while time.monotonic() < until:
            await asyncio.sleep(self.rng.uniform(*THINKING))
            await self.one()
        await self.client.aclose()

    async def one(self) -> None:
        board = await self.ask("board", "GET", "/?who=mine" if self.rng.random() < 0.5 else "/")
        cards = re.findall(r'data-key="([^"]*)" data-stage="([^"]*)"', board)
        if not cards:
            return
        key, stage = self.rng.choice(cards)
        choice = self.rng.random()
        if choice < 0.4:
            await self.ask("deal", "GET", f"/deal?key={key}")
        elif choice < 0.6:
            await self.ask("follow-ups", "GET", "/follow-ups?who=all")
        elif choice < 0.7:
            await self.ask("note", "POST", "/deal/note", key=key, text=f"by {self.name}")
        elif stage in OPEN:
            to = self.rng.choice([each for each in OPEN if each != stage])
            form = {"key": key, "stage": to, "seen_stage": stage, "asked": "yes", "force": "yes"}
            answer = await self.ask("move", "POST", "/move", **form, at="")
            if "is in" in answer and 'class="message done"' in answer:
                self.moved.append((key, to))


def started(folder: Path) -> tuple[subprocess.Popen[str], str]:
    """Starts the server; returns it and its address."""
    command = [sys.executable, "-m", "taiga_pipeline", "web", "--listen", "127.0.0.1:0"]
    server = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
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


async def clicks(address: str, people: int, seconds: float) -> list[Clicker]:
    """Lets all click for a while."""
    until = time.monotonic() + seconds
    found = [Clicker(address, number) for number in range(people)]
    await asyncio.gather(*(each.click(until) for each in found))
    return found


def missing(folder: Path, found: list[Clicker]) -> list[tuple[str, str]]:
    """Returns the moves that were answered and are not in the history."""
    url = f"sqlite:///{folder / 'pipeline.db'}"
    store = DealStore.open(url, lambda: datetime.now(UTC))
    made = [(each.deal_key, each.to_stage) for each in store.history()]
    store.close()
    answered = Counter(move for each in found for move in each.moved)
    return list((answered - Counter(made)).elements())


def share(times: list[float], of: float) -> float:
    """Returns the milliseconds within which a share of the answers came."""
    return 1000 * sorted(times)[min(len(times) - 1, int(len(times) * of))]


def main() -> int:
    """Serves, clicks, and prints what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--deals", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=60)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make(folder, arguments.deals, arguments.people)
        server, address = started(folder)
        try:
            found = asyncio.run(clicks(address, arguments.people, arguments.seconds))
            megabytes, processor = used_of(server)
        finally:
            server.terminate()
            server.wait(30)
        lost = missing(folder, found)
    print(f"{arguments.people} people, {arguments.deals:,} deals, {arguments.seconds:.0f} s")
    kinds = sorted({what for each in found for what in each.times})
    for what in kinds:
        times = [seconds for each in found for seconds in each.times[what]]
        print(
            f"{what:<11} {len(times):>6} answers   median {share(times, 0.5):6.0f} ms   "
            f"95 % within {share(times, 0.95):6.0f} ms"
        )
    wrong = [text for each in found for text in each.wrong]
    moved = sum(len(each.moved) for each in found)
    print(f"{moved} moves answered, {len(lost)} of them lost, {len(wrong)} answers wrong")
    print(f"server: {megabytes:.0f} MB at most, {processor:.1f} s of processor time")
    for text in wrong[:5]:
        print(text)
    return bool(lost or wrong)


if __name__ == "__main__":
    raise SystemExit(main())
