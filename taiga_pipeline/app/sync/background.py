"""Runs that a program which serves for long makes beside its other work.

At most one is under way for each pipeline, by the same lock as every other run. Whoever asks for
one while another is under way gets one after it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from taiga_pipeline.app.engine import checked_limits
from taiga_pipeline.app.sync.running import Performed, perform
from taiga_pipeline.app.trouble import Trouble, trouble_of
from taiga_pipeline.language import ENGLISH, use
from taiga_pipeline.report.ways_out import in_words

if TYPE_CHECKING:
    from taiga_pipeline.app.workspace import Workspace

log = logging.getLogger(__name__)

AGAIN: Final = 10.0
"""Seconds after which a run is tried again that found another one at work."""
LONGEST: Final = 6
"""A run that is asked for again and again waits for at most so many times its pause."""


class Phase(StrEnum):
    """What the runs in the background are at."""

    IDLE = "idle"
    WAITING = "waiting"
    RUNNING = "running"


@dataclass(frozen=True, slots=True)
class Progress:
    """Where the runs in the background stand.

    ``done`` of ``total`` projects are done in the run that is under way; both are 0 where that is
    not known. ``error`` is why the last one could do nothing, "" if it could.
    """

    phase: Phase = Phase.IDLE
    done: int = 0
    total: int = 0
    error: str = ""


Runs = Callable[..., Performed]


class BackgroundRuns:
    """The runs of one pipeline. ``workspace`` makes a workspace for one run."""

    def __init__(self, workspace: Callable[[], Workspace], run: Runs = perform) -> None:
        self._workspace, self._run = workspace, run
        self._change = threading.Condition()
        self._stop = threading.Event()
        self._progress = Progress()
        self._due: float | None = None
        self._latest = 0.0
        self._allow: frozenset[str] = frozenset()
        self._thread: threading.Thread | None = None

    @property
    def progress(self) -> Progress:
        """Where they stand now."""
        with self._change:
            return self._progress

    def ask(self, *, pause: float = 0.0, allow: Sequence[str] = ()) -> None:
        """Asks for a run after a ``pause`` in seconds without another request.

        ``allow`` names limits that are lifted this once.

        :raises UnknownLimits: there is no such limit.
        """
        lifted = checked_limits(allow)
        with self._change:
            if self._stop.is_set():
                return
            now = time.monotonic()
            if self._due is None:
                self._latest = now + LONGEST * pause
            self._due = min(now + pause, max(self._latest, now))
            self._allow |= lifted
            if self._progress.phase is Phase.IDLE:
                self._progress = replace(self._progress, phase=Phase.WAITING)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, daemon=True, name="runs")
                self._thread.start()
            self._change.notify_all()

    def close(self, timeout: float = 20.0) -> None:
        """Ends the run that is under way in good order; after ``timeout`` seconds, leaves it."""
        with self._change:
            self._stop.set()
            self._change.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join(timeout)

    def _work(self) -> None:
        while (allow := self._next()) is not None:
            error, is_locked = self._perform(allow)
            with self._change:
                if is_locked and not self._stop.is_set():
                    self._due = time.monotonic() + AGAIN if self._due is None else self._due
                    self._allow |= allow
                phase = Phase.IDLE if self._due is None else Phase.WAITING
                self._progress = Progress(phase, error="" if is_locked else error)
                self._change.notify_all()

    def _next(self) -> frozenset[str] | None:
        """Waits until a run is due; returns the limits to lift, None once all is to end."""
        with self._change:
            while not self._stop.is_set():
                left = None if self._due is None else self._due - time.monotonic()
                if left is not None and left <= 0:
                    allow, self._allow, self._due = self._allow, frozenset(), None
                    self._progress = Progress(Phase.RUNNING)
                    return allow
                self._change.wait(left)
            return None

    def _perform(self, allow: frozenset[str]) -> tuple[str, bool]:
        """Runs; returns why nothing could be done, and whether another run was at work."""
        try:
            self._run(self._workspace(), self._stop, self._note, allow=sorted(allow))
        except Exception as error:
            with use(ENGLISH):
                log.warning(
                    "the run failed: %s", in_words(error), exc_info=trouble_of(error) is None
                )
            return in_words(error), trouble_of(error) is Trouble.LOCKED
        return "", False

    def _note(self, done: int, total: int) -> None:
        with self._change:
            self._progress = Progress(Phase.RUNNING, done, total)
