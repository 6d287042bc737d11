"""Workspaces for a program that serves for weeks: each request gets one of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sync.clock import Clock, SystemClock
from taiga_pipeline.app.deals.intake import Inquiries
from taiga_pipeline.app.deals.uploads import Uploads
from taiga_pipeline.app.memory import Memory, files_mark
from taiga_pipeline.app.planning.standing import standing_of
from taiga_pipeline.app.store_access import deal_store
from taiga_pipeline.app.sync.background import BackgroundRuns
from taiga_pipeline.app.sync.watching import Watch
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.config import load


@dataclass
class Served:
    """A pipeline that is served. Its configuration is read again once its file was changed.

    ``ended`` is set once the server ends; ``listeners`` counts pages that listen for changes.
    """

    config: Path
    environment: Mapping[str, str]
    clock: Clock = field(default_factory=SystemClock)
    memory: Memory = field(default_factory=Memory)
    uploads: Uploads = field(init=False)
    runs: BackgroundRuns = field(init=False)
    watch: Watch = field(init=False)
    inquiries: Inquiries = field(init=False)
    ended: threading.Event = field(default_factory=threading.Event)
    listeners: int = 0
    has_begun: bool = False

    def __post_init__(self) -> None:
        self.inquiries = Inquiries(self.clock.monotonic)
        self.watch = Watch(self._mark, time.monotonic)
        self.uploads = Uploads(self.clock.monotonic)
        self.runs = BackgroundRuns(self.workspace)

    @classmethod
    def of(cls, workspace: Workspace) -> Served:
        """Returns the pipeline of a workspace."""
        return cls(workspace.config_path.absolute(), workspace.environment, workspace.clock)

    def _mark(self) -> object:
        """Returns what is another one once anything changed that a page shows."""
        standing = standing_of(self.workspace())
        return standing and (standing, self.runs.progress)

    def close(self) -> None:
        """Ends what goes on beside requests, in good order."""
        self.ended.set()
        self.runs.close()

    def prepare(self) -> None:
        """Makes the store of deals, where there is none yet; from now on, none is made.

        :raises ProblemsError: the configuration has problems.
        :raises Unreachable: the store cannot be used.
        """
        workspace = self.workspace()
        if workspace.has_store:
            with deal_store(workspace, create=True):
                pass
        self.has_begun = True

    def workspace(self) -> Workspace:
        """Returns a workspace for one request: what one use case keeps, no other request sees.

        :raises ProblemsError: the configuration has problems.
        """
        fresh = Workspace(self.clock, self.environment, memory=self.memory)
        fresh.makes_stores = not self.has_begun
        fresh.use_config(str(self.config))
        mark = files_mark([self.config])
        fresh.use_settings(fresh.remembered("settings", mark, lambda: load(self.config)))
        return fresh
