"""A pipeline made up for measuring: any number of deals, the default mapping, a fresh state."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.sandbox_process import PASSWORD, USERNAME
from sync.clock import SystemClock
from sync.plan.limit_settings import DEFAULTS
from sync.plan.pipeline_planner import Rules
from sync.run.runner import Options, Runner
from sync.state.store import StateStore
from sync.target import Target
from taiga_pipeline.credentials import Secret
from taiga_pipeline.http.connection import Connection
from taiga_pipeline.mapping.load import load_mappings
from taiga_pipeline.people.model import Allocation, Person
from taiga_pipeline.pipeline.model import Deal, RoleDemand
from taiga_pipeline.sources.mapped import MappedSource
from taiga_pipeline.sources.port import DealReading
from taiga_pipeline.targets.registry import create

MAPPINGS = Path(__file__).parent.parent / "mappings" / "default.toml"
PEOPLE = [Person(f"person{n}@example.test", f"Person {n}", "Back") for n in range(3)]
ALLOW = frozenset(DEFAULTS) - {"other_pipeline", "other_account", "swapped"}


@dataclass(frozen=True, slots=True)
class GeneratedDeals:
    """A source of ``count`` deals at one stage; staffed ones have ``members`` members."""

    count: int
    stage: str = "Proposal"
    members: int = 0

    def read(self) -> DealReading:
        allocations = {
            f"D-{n:06}": tuple(
                Allocation(f"D-{n:06}", person.email, "Back", Decimal(20))
                for person in PEOPLE[: self.members]
            )
            for n in range(self.count if self.members else 0)
        }
        people = {person.email: person for person in PEOPLE}
        return DealReading(self._deals(), allocations=allocations, people=people)

    def _deals(self) -> Iterator[Deal]:
        today = date.today()
        for n in range(self.count):
            yield Deal(
                key=f"D-{n:06}",
                name=f"Portal {n}",
                customer=f"Customer {n % 97}",
                stage=self.stage,
                value=Decimal(10_000 + n),
                currency="EUR",
                expected_close=today + timedelta(days=n % 120),
                closed_on=today if self.stage == "Won" else None,
                owner="Maya Lindqvist",
                service="web",
                roles=(RoleDemand("Back", Decimal(40), 8),),
            )


def connected_target(url: str, concurrency: int = 4) -> Target:
    """Returns a target that has just logged in."""
    connection = Connection(
        url,
        "bench",
        username=USERNAME,
        password=Secret(PASSWORD),
        concurrency=concurrency,
        reads_pages=True,  # the default mapping gives each staffed project one
    )
    target = create("taiga", connection, SystemClock())
    target.connect()
    return target


@contextmanager
def runner(
    url: str, source: GeneratedDeals, folder: Path | None = None, concurrency: int = 4
) -> Iterator[Runner]:
    """Opens a runner on a sandbox, with its state in ``folder`` (or one that is thrown away)."""
    clock = SystemClock()
    with TemporaryDirectory() as scratch:
        store = StateStore(f"sqlite:///{folder or scratch}/state.db", "bench", clock)
        target = connected_target(url, concurrency)
        options = Options(Rules(allow=ALLOW), concurrency=concurrency)
        mapped = MappedSource(source, load_mappings([MAPPINGS]), clock)
        try:
            yield Runner(mapped, target, store, clock, options)
        finally:
            store.close()
