"""Capacity: time and memory, distance from exact computation, and how often plans are exceeded.

Generated deals ask for one to five of 12 roles over 52 weeks, each with a profile of its own.
"""

from __future__ import annotations

import multiprocessing
import re
import sys
import time
from collections.abc import Collection, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import NormalDist
from tempfile import TemporaryDirectory

import numpy as np

from bench.command import Cost, least, measure
from bench.table import print_table
from sync.clock import SystemClock
from taiga_pipeline.mapping.load import parse_mapping
from taiga_pipeline.mapping.mapping_set import MappingSet
from taiga_pipeline.people.model import Person
from taiga_pipeline.people.store import PeopleStore
from taiga_pipeline.pipeline.model import Deal, RoleDemand
from taiga_pipeline.pipeline.store import DealStore
from taiga_pipeline.planning.capacity.find import Options, find_capacity
from taiga_pipeline.planning.capacity.result import CapacityReport
from taiga_pipeline.planning.capacity.rows import Floats, Row, Shape, Table, expected_hours
from taiga_pipeline.planning.demand.deals import Situation, find_demand
from taiga_pipeline.planning.demand.stated_outlook import plain_outlooks
from taiga_pipeline.planning.outlook import Outlooks
from taiga_pipeline.planning.shock import before_shock
from taiga_pipeline.planning.weeks import Weeks
from tests.planning.exact import exact

MONDAY = date(2026, 11, 23)
ROLES, WEEKS, TRIALS, ROUNDS = 12, 52, 10_000, 3
LIMITS = {200: None, 2_000: (2.0, 250.0), 20_000: (8.0, None)}
"""Seconds and MB at most."""
SHOCK = Outlooks(common_shock_sd=0.25)
SHAPE = Shape(ROLES, WEEKS, SHOCK.common_shock_sd, SHOCK.median)
CLOSE_ENOUGH, SHARE_CLOSE = 0.02, 0.95
CHECKED_CELLS = 120
WORLDS = {200: 2_000, 2_000: 500}
P80_EXCEEDED = (0.17, 0.23)
WEIGHTED_EXCEEDED = (0.40, 0.60)
MAPPING = """\
[mapping]
name = "bench"
[[stage]]
name = "Proposal"
category = "proposal"
[[stage]]
name = "Won"
category = "won"
"""


def main() -> int:
    """Prints four tables; returns 1 if a target was missed."""
    speed = [speed_row(count) for count in LIMITS]
    header = ["open deals", "wall, s", "processor, s", "peak memory, MB", "target", "met"]
    print_table(f"Time and memory: {ROLES} roles, {WEEKS} weeks, {TRIALS:,} trials", header, speed)
    commands = [command_row(count) for count in LIMITS]
    print_table("The whole command: starting, reading, learning, working out", header, commands)
    accuracy = [accuracy_row(count) for count in (200, 2_000)]
    header = ["open deals", "role-weeks", "median", "95 % below", "within 2 %", "target", "met"]
    print_table("P80 against the exact one (relative distance)", header, accuracy)
    exceeded = [row for count in WORLDS for row in exceeded_rows(count)]
    header = ["open deals", "outcomes", "drawn with", "weighted sum", "P80", "target", "met"]
    print_table(
        "How often a plan is exceeded, of role-weeks in simulated outcomes", header, exceeded
    )
    return 0 if all(row[-1] != "NO" for row in (*speed, *commands, *accuracy, *exceeded)) else 1


def deals(count: int, seed: int = 1) -> Iterator[Deal]:
    """Yields deals that close in the weeks to come."""
    source = np.random.default_rng(seed)
    for number in range(count):
        roles = tuple(
            RoleDemand(
                f"Role {role:02}",
                Decimal(int(source.choice([8, 16, 20, 24, 32, 40, 60]))),
                int(source.integers(2, 17)),
                int(source.integers(0, 6)),
            )
            for role in source.choice(ROLES, int(source.integers(1, 6)), replace=False).tolist()
        )
        yield Deal(
            key=f"D-{number}",
            name="bench",
            stage="Proposal",
            probability=Decimal(str(round(float(source.beta(2, 4)), 2))),
            expected_close=MONDAY + timedelta(days=int(source.integers(-20, 330))),
            roles=roles,
        )


def situation(count: int) -> Situation:
    """Returns deals, and people enough for about half of the futures."""
    heads = max(1, count // 100)
    people = tuple(
        Person(f"{role}.{head}@bench.example", "x", role=f"Role {role:02}")
        for role in range(ROLES)
        for head in range(heads)
    )
    return Situation(MONDAY, tuple(deals(count)), people)


def mappings() -> MappingSet:
    """Returns the stages."""
    return parse_mapping(MAPPING, "bench.toml")


def no_holidays(country: str, years: Collection[int]) -> list[date]:
    """Returns no holidays."""
    return []


def answer(given: Situation) -> CapacityReport:
    """Does what the command does once everything has been read."""
    rules = mappings()
    options = Options(Weeks(MONDAY, WEEKS), no_holidays, trials=TRIALS)
    return find_capacity(given, rules, plain_outlooks(given.deals, rules, MONDAY), options)


def speed_row(count: int) -> list[object]:
    """Measures one size in a process of its own."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_measure, args=(theirs, count))
    process.start()
    wall, processor, memory = ours.recv()
    process.join()
    return _judged(count, Cost(wall, processor, memory))


def command_row(count: int) -> list[object]:
    """Measures ``pipeline-sync capacity`` over a store of so many open deals."""
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        measure(folder, ["init", ".", "--taiga-url", "http://localhost", "--username", "bench"])
        _fill(f"sqlite:///{folder}/pipeline.db", situation(count))
        asked = ["capacity", "--weeks", str(WEEKS), "--trials", str(TRIALS)]
        return _judged(count, least(folder, asked, ROUNDS))


def _fill(url: str, given: Situation) -> None:
    today = date.today()
    deals = [
        replace(
            deal,
            engaged_on=today - timedelta(days=30 + number % 300),
            expected_close=(deal.expected_close or MONDAY) + (today - MONDAY),
        )
        for number, deal in enumerate(given.deals)
    ]
    with closing(DealStore.open(url, SystemClock().now)) as store:
        store.upsert(deals)
    with closing(PeopleStore.open(url, SystemClock().now)) as store:
        store.upsert(given.people)


def _judged(count: int, cost: Cost) -> list[object]:
    row: list[object] = [f"{count:,}", cost.wall, cost.processor, round(cost.memory)]
    limit = LIMITS[count]
    if limit is None:
        return [*row, "", ""]
    seconds, megabytes = limit
    met = cost.wall < seconds and (megabytes is None or cost.memory < megabytes)
    target = f"< {seconds:g} s" + (f", < {megabytes:g} MB" if megabytes else "")
    return [*row, target, "yes" if met else "NO"]


def _measure(pipe: Connection, count: int) -> None:
    given = situation(count)
    answer(situation(10))  # what is loaded once
    begun, used = time.perf_counter(), time.process_time()
    report = answer(given)
    assert report.total.expected_gap > 0
    wall, processor = time.perf_counter() - begun, time.process_time() - used
    pipe.send((wall, processor, _peak_megabytes()))


def _peak_megabytes() -> float:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found, "needs Linux"
    return int(found[1]) / 1024


def rows_of(count: int) -> list[Row]:
    """Returns generated deals as the simulation takes them."""
    given, weeks = situation(count), Weeks(MONDAY, WEEKS)
    rules = mappings()
    demand = find_demand(given, rules, plain_outlooks(given.deals, rules, MONDAY), weeks)
    rows = []
    for each in demand.open:
        steps = [
            step
            for stretch in each.stretches
            for step in (
                (int(stretch.role[5:]), stretch.first, stretch.hours),
                (int(stretch.role[5:]), stretch.after, -stretch.hours),
            )
        ]
        starts = tuple((weeks.index(week), chance) for week, chance in each.starts)
        rows.append(Row(each.probability, starts, tuple(steps)))
    return rows


def accuracy_row(count: int) -> list[object]:
    """Compares P80 with the exact one, in role-weeks chosen at random."""
    rows, shape = rows_of(count), SHAPE
    report = answer(situation(count))
    cells = np.random.default_rng(3).permutation(ROLES * WEEKS)[:CHECKED_CELLS]
    distances = []
    for role, week in (divmod(int(cell), WEEKS) for cell in cells):
        truth = exact(rows, shape, role, week, nodes=64).quantile(0.8)
        found = report.roles[role].weeks[week].quantile
        if truth or found:
            distances.append(abs(found - truth) / max(truth, 1.0))
    close = float(np.mean([each <= CLOSE_ENOUGH for each in distances]))
    middle, high = np.quantile(distances, [0.5, 0.95])
    target = f">= {SHARE_CLOSE:.0%}"
    met = "yes" if close >= SHARE_CLOSE else "NO"
    shown = [f"{each:.2%}" for each in (middle, high, close)]
    return [f"{count:,}", len(distances), *shown, target, met]


@dataclass(frozen=True)
class Model:
    """How outcomes are drawn: a shared factor, or a shared latent normal variable."""

    name: str
    common_shock_sd: float = 0.0
    correlation: float = 0.0
    judged: bool = False

    def chances(self, probability: Floats, normal: float) -> Floats:
        if self.correlation:
            inverse = NormalDist().inv_cdf
            latent = np.array([inverse(min(max(p, 1e-9), 1 - 1e-9)) for p in probability])
            shifted = latent + self.correlation**0.5 * normal
            scaled = shifted / (1 - self.correlation) ** 0.5
            return np.array([NormalDist().cdf(each) for each in scaled])
        median = Outlooks(common_shock_sd=self.common_shock_sd).median
        before = before_shock(probability, self.common_shock_sd)
        return np.minimum(1, before * np.exp(median + self.common_shock_sd * normal))


MODELS = (
    Model("a shared factor of sd 0.25, as planned", 0.25, judged=True),
    Model("a shared factor of sd 0.15", 0.15),
    Model("a shared factor of sd 0.35", 0.35),
    Model("no shock: independent deals", 0.0),
    Model("a shared latent variable, correlation 0.05", correlation=0.05),
)


def exceeded_rows(count: int) -> Iterator[list[object]]:
    """Yields how often the weighted sum and P80 are exceeded, for each way to draw outcomes."""
    rows, shape = rows_of(count), SHAPE
    report = answer(situation(count))
    planned = np.array([[cell.quantile for cell in role.weeks] for role in report.roles])
    weighted = np.array(
        [hours.sum(axis=0) for _, hours in expected_hours(Table.of(rows, shape.weeks), shape)]
    )
    asked = weighted > 0
    worlds = WORLDS[count]
    for model in MODELS:
        over_weighted = over_planned = 0.0
        for hours in outcomes(rows, model, worlds):
            over_weighted += float((hours > weighted + 1e-6)[asked].mean())
            over_planned += float((hours > planned + 1e-6)[asked].mean())
        shares = over_weighted / worlds, over_planned / worlds
        inside = _within(shares[0], WEIGHTED_EXCEEDED) and _within(shares[1], P80_EXCEEDED)
        judged = ("17-23 %, about half", "yes" if inside else "NO") if model.judged else ("", "")
        yield [
            f"{count:,}",
            f"{worlds:,}",
            model.name,
            *(f"{share:.1%}" for share in shares),
            *judged,
        ]


def _within(share: float, span: tuple[float, float]) -> bool:
    return span[0] <= share <= span[1]


def outcomes(rows: list[Row], model: Model, worlds: int) -> Iterator[Floats]:
    """Yields hours by role and week, drawn deal by deal: nothing is shared with the simulation."""
    source = np.random.default_rng(99)
    probability = np.array([row.probability for row in rows])
    shocks = [NormalDist().inv_cdf((world + 0.5) / worlds) for world in range(worlds)]
    for normal in shocks:
        won = source.random(len(rows)) < model.chances(probability, normal)
        changes = np.zeros((ROLES, WEEKS + 1))
        for number in np.flatnonzero(won).tolist():
            row = rows[number]
            week = _drawn(row.starts, source.random())
            for role, late, hours in row.steps:
                changes[role, min(max(week + late, 0), WEEKS)] += hours
        yield np.cumsum(changes, axis=1)[:, :-1]


def _drawn(starts: tuple[tuple[int, float], ...], at: float) -> int:
    for week, chance in starts:
        at -= chance
        if at < 0:
            return week
    return starts[-1][0]


if __name__ == "__main__":
    sys.exit(main())
