"""Workspaces for a program that serves for weeks: each request gets one of its own."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from sync.clock import Clock, SystemClock
from taiga_pipeline.app.store_access import deal_store
from taiga_pipeline.app.workspace import Workspace

if TYPE_CHECKING:
    from taiga_pipeline.config import Settings

_Mark = tuple[int, int, int]


@dataclass
class Served:
    """A pipeline that is served. Its configuration is read again once its file was changed."""

    config: Path
    environment: Mapping[str, str]
    clock: Clock = field(default_factory=SystemClock)
    _loaded: tuple[_Mark, Settings] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def of(cls, workspace: Workspace) -> Served:
        """Returns the pipeline of a workspace."""
        return cls(workspace.config_path.absolute(), workspace.environment, workspace.clock)

    def prepare(self) -> None:
        """Makes the store of deals, where there is none yet.

        :raises ProblemsError: the configuration has problems.
        :raises Unreachable: the store cannot be used.
        """
        workspace = self.workspace()
        if workspace.has_store:
            with deal_store(workspace, create=True):
                pass

    def workspace(self) -> Workspace:
        """Returns a workspace for one request: what one use case keeps, no other request sees.

        :raises ProblemsError: the configuration has problems.
        """
        with self._lock:
            mark = _mark(self.config)
            known = self._loaded if self._loaded and self._loaded[0] == mark else None
            fresh = Workspace(self.clock, self.environment)
            fresh.use_config(str(self.config))
            if known is None:
                self._loaded = (mark, fresh.settings)
            else:
                fresh.use_settings(known[1])
        return fresh


def _mark(path: Path) -> _Mark:
    """Returns what is another one once a file was written again."""
    try:
        found = path.stat()
    except OSError:
        return (0, 0, 0)
    return found.st_mtime_ns, found.st_size, found.st_ino
