"""A pipeline whose deals are cards on a board, in one process: its stores, its Taiga, its runs."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from pathlib import Path
from typing import Any, Final

from sync.errors import SyncError
from taiga_pipeline.app.engine import make_runner
from taiga_pipeline.app.portfolio import follow_up_of
from taiga_pipeline.app.state_access import state_to_read
from taiga_pipeline.app.store_access import deal_store, people_store
from taiga_pipeline.app.sync.locked_state import locked_state
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.people.model import Person
from taiga_pipeline.pipeline.model import Deal
from taiga_pipeline.records import portfolio_key
from taiga_pipeline.sandbox.clock import Clock as SandboxClock
from taiga_pipeline.sandbox.embedded import Sandbox
from tests.crashes import Killed, observing

from .wire import ADDRESS, Wire
from .world import PIPELINE, Clock

GATE: Final = "needs documented"
SECOND_GATE: Final = "budget known"
CONFIG: Final = f"""
pipeline = "{PIPELINE}"

[target]
url = "{ADDRESS}"
username = "{{username}}"
password_env = "OFFICE_PASSWORD"
concurrency = 1

[portfolio]
enabled = true
editable = "sales"
plan_weeks = 0
members = ["pm@example.test", "ana@example.test"]

[limits]
create = 1000
retire = "100%"
rename = 1000
staff = 1000
"""
MAPPING: Final = f"""
[mapping]
name = "all"

[[stage]]
name = "Lead"
category = "lead"

[[stage]]
name = "Needs"
category = "needs"
requires = ["{GATE}", "{SECOND_GATE}"]

[[stage]]
name = "Proposal"
category = "proposal"

[[stage]]
name = "Won"
category = "won"
project = "staffed"

[[stage]]
name = "Lost"
category = "lost"

[project]
title = "{{customer}}: {{name}}"
template = "kanban"
"""
PEOPLE: Final = {"Ana Analyst": "ana@example.test", "Petra Manager": "pm@example.test"}
_MEMORY: Final = Path("/dev/shm")


class Office:
    """Everything, and the runs of the connector over it."""

    def __init__(self) -> None:
        memory = str(_MEMORY) if _MEMORY.is_dir() else None
        self.folder = Path(tempfile.mkdtemp(dir=memory))
        self.clock = Clock()
        self.sandbox = Sandbox(clock=SandboxClock(self.clock.now))
        self.wire = Wire(self.sandbox.application)
        self.admin = self.sandbox.as_user("admin")
        self._write("config.toml", CONFIG.format(username=self.sandbox.username))
        self._write("mappings/all.toml", MAPPING)
        self.workspace = self._process()
        with people_store(self.workspace, create=True) as store:
            for name, email in PEOPLE.items():
                store.add(Person(email, name))

    def _write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def close(self) -> None:
        shutil.rmtree(self.folder)

    # --- runs

    def _process(self) -> Workspace:
        """Returns a workspace as a new process has it."""
        environment = {"OFFICE_PASSWORD": self.sandbox.password}
        workspace = Workspace(clock=self.clock, environment=environment)
        workspace.use_config(str(self.folder / "config.toml"))
        return workspace

    def run(self, *, full: bool = False) -> None:
        """Runs as cron does, a quarter of an hour after the last time."""
        self.clock.advance(minutes=15)
        workspace = self._process()
        with locked_state(workspace) as store:
            runner = make_runner(workspace, store)
            client = runner.target._adapter._client  # type: ignore[attr-defined]
            client._transport._session.mount(ADDRESS, self.wire)
            client._transport._session.trust_env = False
            client._chance = lambda: 0.0
            result = runner.run(look_at_all=full)
            follow_up_of(workspace, runner, result, lambda report: [])

    def run_killed(self, at: int) -> None:
        """Runs until the crash point of number ``at``, or to the end."""
        count = 0

        def observe(name: str) -> None:
            nonlocal count
            count += 1
            if count == at:
                raise Killed(name)

        with observing(observe):
            try:
                self.run()
            except (Killed, SyncError):
                return

    def writes(self) -> list[str]:
        """Returns what the connector wrote since the log of requests was cleared."""
        return [
            f"{line.method} {line.path}"
            for line in self.sandbox.requests
            if line.method != "GET" and not line.path.startswith(("/auth", "/api/v1/auth"))
        ]

    # --- what is there

    @property
    def key(self) -> str:
        """The key of the board's group."""
        return portfolio_key(PIPELINE)

    def deals(self) -> dict[str, Deal]:
        with deal_store(self.workspace) as store:
            return {deal.key: deal for deal in store.deals()}

    def issues(self) -> list[Any]:
        with state_to_read(self.workspace) as store:
            return [item.issue for item in store.issues()]

    def token(self) -> str:
        """Returns a word that is nowhere else."""
        return secrets.token_hex(6)
