"""A pipeline and a Taiga in one process, in which nothing takes time: sales, people, runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from sync.errors import SyncError
from sync.plan.limit_settings import DEFAULTS, Limit
from sync.plan.pipeline_planner import Rules
from sync.records.model import DesiredGroup
from sync.run.runner import Options, Runner, RunReport
from sync.state.store import StateStore
from taiga_pipeline.app.engine import phases_in
from taiga_pipeline.credentials import Secret
from taiga_pipeline.http.connection import Connection
from taiga_pipeline.mapping.demand import Staffing
from taiga_pipeline.mapping.load import parse_mapping
from taiga_pipeline.people.model import Allocation
from taiga_pipeline.pipeline.model import Deal, RoleDemand
from taiga_pipeline.records import deal_of
from taiga_pipeline.sandbox.client import TestClient
from taiga_pipeline.sandbox.clock import Clock as SandboxClock
from taiga_pipeline.sandbox.embedded import Sandbox
from taiga_pipeline.sandbox.models import Project
from taiga_pipeline.sources.mapped import Extent, MappedSource
from taiga_pipeline.sources.port import DealReading, by_deal
from taiga_pipeline.targets.taiga.adapter import TaigaTarget
from taiga_pipeline.targets.taiga.client import Client
from taiga_pipeline.targets.taiga.fitting import fit
from taiga_pipeline.targets.taiga.identity import decode_markers
from tests.crashes import Killed, observing
from tests.reliability.kills.scenario import MAPPING

from .wire import ADDRESS, Wire

PIPELINE: Final = "acme"
START: Final = date(2026, 12, 7)
LOOSE: Final = Rules(
    {name: Limit(10_000) for name in DEFAULTS},
    # Of three deals, three may well be deleted, or lose their marks: people say that it was them.
    allow=frozenset({"missing", "unmarked"}),
)
_TEXT: Final = MAPPING.format(name="all", match="", how="mark")
_MAPPING: Final = parse_mapping(_TEXT)
_TWO_PHASES: Final = """
[[phase]]
name = "Discovery"
keeps_project = true

[[phase]]
name = "Build"
after = "discovery"
takes_roles = true
"""
_THREE_PHASES: Final = f"""{_TWO_PHASES}
[[phase]]
name = "Support"
after = "build"
when = "staffed"
"""
MAPPINGS: Final = (
    _MAPPING,
    *(parse_mapping(_TEXT + each) for each in (_THREE_PHASES, _TWO_PHASES)),
)
"""A project for each deal, one for each of three phases, one for each of two."""


class Clock:
    """Stands still until someone sleeps, or moves it."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return self.time.timestamp()

    def sleep(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)

    def advance(self, **delta: float) -> None:
        self.time += timedelta(**delta)


class Book:
    """Where sales keep their deals."""

    def __init__(self) -> None:
        self.deals: dict[str, Deal] = {}
        self.staffed: dict[tuple[str, str], str] = {}
        """Roles, by deal and e-mail address."""

    def read(self) -> DealReading:
        return DealReading(
            deals=list(self.deals.values()),
            allocations=by_deal(self.allocations()),
            people={},
        )

    def allocations(self) -> Iterator[Allocation]:
        for (key, email), role in self.staffed.items():
            yield Allocation(key, email, role, Decimal(20))

    def put(self, key: str, **changes: Any) -> None:
        """Changes a deal, or adds it."""
        known = self.deals.get(key) or Deal(
            key=key,
            name=f"Title of {key}",
            customer="Acme",
            stage="Proposal",
            value=Decimal(1_000),
            currency="EUR",
            start=START,
            owner="Maya",
            service="web",
            roles=(RoleDemand("Back", Decimal(30), 10),),
        )
        deal = replace(known, **changes)
        closed = date(2026, 11, 20) if deal.stage in ("Won", "Lost") else None
        self.deals[key] = replace(deal, closed_on=closed)


class World:
    """Everything, and what can be done to it."""

    def __init__(self, state_url: str = "sqlite://") -> None:
        self._state_url = state_url
        self.clock = Clock()
        self.sandbox = Sandbox(clock=SandboxClock(self.clock.now))
        self.book = Book()
        self.wire = Wire(self.sandbox.application)
        self._target: TaigaTarget | None = None
        self.mapping = _MAPPING
        self.state = StateStore(state_url, PIPELINE, self.clock)
        self.admin: TestClient = self.sandbox.as_user("admin")
        self.petra: TestClient = self.sandbox.as_user("pm")

    def close(self) -> None:
        self.state.close()

    def reopen(self) -> None:
        """Opens the state store again, as a new process does."""
        self.state.close()
        self._target = None
        self.state = StateStore(self._state_url, PIPELINE, self.clock)

    # --- runs

    def source(self) -> MappedSource:
        extent = Extent(phases=lambda: phases_in(self.state))
        return MappedSource(self.book, self.mapping, self.clock, extent)

    def target(self) -> TaigaTarget:
        """Returns a target as a new process has it."""
        connection = Connection(
            ADDRESS,
            PIPELINE,
            username=self.sandbox.username,
            password=Secret(self.sandbox.password),
            concurrency=1,
        )
        client = Client(connection, self.clock, chance=lambda: 0.0)
        session = client._transport._session
        session.mount(ADDRESS, self.wire)
        session.trust_env = False  # proxies and .netrc play no part here, and take time
        return TaigaTarget(client, connection)

    def runner(self) -> Runner:
        """Returns a runner that is logged in still, unless the process was killed since."""
        self._target = self._target or self.target()
        options = Options(rules=LOOSE)
        return Runner(self.source(), self._target, self.state, self.clock, options)

    def run(self, *, full: bool = False) -> RunReport:
        """Runs as cron does, a quarter of an hour after the last time."""
        self.clock.advance(minutes=15)
        try:
            return self.runner().run(look_at_all=full)
        except SyncError:
            self._target = None  # this process ends; what it knew of its log-in is gone with it
            raise

    def run_killed(self, at: int) -> bool:
        """Runs until the crash point of number ``at``; returns whether it got that far."""
        count = 0

        def observe(name: str) -> None:
            nonlocal count
            count += 1
            if count == at:
                raise Killed(name)

        with observing(observe):
            try:
                self.run()
            except Killed:
                self._target = None
                return True
        return False

    def project_keys(self) -> list[str]:
        """Returns the keys of the projects of all deals."""
        return [key for deal in self.book.deals.values() for key in self.keys_of(deal.key)]

    def keys_of(self, key: str) -> tuple[str, ...]:
        """Returns the keys of a deal's projects."""
        return self.mapping.keys_of(self.book.deals[key]) or (key,)

    def desired(self, key: str) -> DesiredGroup | None:
        """Returns what sales want of a deal, or of its phase, as the target can hold it."""
        deal = self.book.deals.get(deal_of(key))
        if deal is None:
            return None
        allocations = by_deal(self.book.allocations()).get(deal.key, ())
        asked = deal, Staffing(allocations, {}), self.clock.now().date()
        groups = self.mapping.desired_groups(*asked, phases_in(self.state).dates)
        group = next(each for each in groups if each.key == key)
        return replace(group, root=fit(group.root), children=tuple(map(fit, group.children)))

    # --- what is there

    def bound(self, key: str) -> Project | None:
        """Returns the project that is bound to a deal, if it is there."""
        row = self.state.index().get(key)
        return self.sandbox.store.projects.get(int(row.root_id)) if row else None

    def marked(self, key: str) -> list[Project]:
        """Returns all projects that carry a deal's marker."""
        return [
            project
            for project in self.sandbox.store.projects
            if any(marker.key == key for marker in decode_markers(project.tags_colors))
        ]

    def writes(self) -> list[str]:
        """Returns what the connector wrote since the last `clear_requests`."""
        return [
            f"{line.method} {line.path}"
            for line in self.sandbox.requests
            if line.method != "GET" and not line.path.startswith("/auth")
        ]
