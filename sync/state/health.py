"""How a pipeline is doing, for people and for monitors: what the state store says of itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sync.clock import is_ahead
from sync.plan.model import PARTIAL
from sync.state.store import RunRow, StateStore


@dataclass(frozen=True, slots=True)
class Health:
    """A pipeline at one moment (``now``, UTC).

    ``last_success`` is the last run that finished, whatever it left open. ``issues`` counts
    what is open by kind, ``waiting`` those of them that make a run incomplete; ``states`` counts
    groups by state. ``open_intents`` are writes whose outcome is not known. ``taken_away`` counts
    by kind what people took away, and what is kept away.
    """

    pipeline: str
    now: datetime
    last_run: RunRow | None = None
    last_success: RunRow | None = None
    issues: Mapping[str, int] = field(default_factory=dict)
    waiting: int = 0
    open_intents: int = 0
    states: Mapping[str, int] = field(default_factory=dict)
    taken_away: Mapping[str, int] = field(default_factory=dict)

    @property
    def age(self) -> timedelta | None:
        """The time since the last success.

        None if there was none, or if it lies in the future: it is unknown when it really was.
        """
        finished = self._succeeded_at
        return self.now - finished if finished and not self.is_ahead else None

    @property
    def is_ahead(self) -> bool:
        """Whether the last success lies in the future: a clock was wrong, then or now."""
        return is_ahead(self._succeeded_at, self.now)

    @property
    def _succeeded_at(self) -> datetime | None:
        return self.last_success.finished_at if self.last_success else None

    def is_fresh(self, longest: timedelta) -> bool:
        """Whether the last success is known to be no longer ago than that."""
        return self.age is not None and self.age <= longest


def look_at(store: StateStore) -> Health:
    """Returns how the pipeline of ``store`` is doing now, by the clock that dates its rows."""
    issues = [item.issue for item in store.issues()]
    last_run, last_success = store.runs(limit=1), store.runs(limit=1, only_successful=True)
    return Health(
        pipeline=store.pipeline,
        now=store.now(),
        last_run=last_run[0] if last_run else None,
        last_success=last_success[0] if last_success else None,
        issues=Counter(issue.kind.value for issue in issues),
        waiting=sum(issue.kind in PARTIAL for issue in issues),
        open_intents=len(store.open_intents()),
        states=Counter(row.state for row in store.index().values() if row.is_followed),
        taken_away=Counter(key.kind for key in store.taken_away()),
    )
