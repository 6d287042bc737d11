"""What a run did, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from sync.errors import Stop
from sync.plan.model import Action, ActionType, Issue, IssueKind, Plan
from sync.records.model import RecordKey
from sync.source import WriteBackResult


class Outcome(StrEnum):
    """How a run ended."""

    DONE = "done"
    PARTIAL = "partial"
    """Some records failed, are in conflict or in quarantine; all others were synced."""
    REFUSED = "refused"
    """A limit, or a plan that differs from the saved one; nothing was applied."""
    STOPPED = "stopped"
    """It was asked to stop, or the target went away; the rest is left for the next run."""
    LOCKED = "locked"
    """Another machine is at work; nothing was applied."""
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class RunReport:
    """What a run did. Times are UTC.

    ``issues`` is everything that is open now; ``new_issues`` and ``ended_issues`` are what
    changed about that. ``write_back`` says which delivery facts were written into
    the source.
    ``meanwhile`` names groups that people changed while they were being
    written; the next run merges them. ``taken_away`` is what people were found to have taken
    away. ``unread`` says why what was written could not be read back. ``skipped`` counts groups
    that were not begun.
    ``stopped_by`` is the error that ended the run early, if one did. ``new_notes`` are the plan's
    notes that no run has reported before.
    """

    run_id: int
    started: datetime
    finished: datetime
    outcome: Outcome
    plan: Plan
    requests: int
    applied: tuple[Action, ...] = ()
    issues: tuple[Issue, ...] = ()
    new_issues: tuple[Issue, ...] = ()
    ended_issues: tuple[Issue, ...] = ()
    meanwhile: tuple[str, ...] = ()
    taken_away: tuple[RecordKey, ...] = ()
    unread: str = ""
    skipped: int = 0
    refusal: str = ""
    stopped_by: Stop | None = None
    write_back: WriteBackResult = field(default_factory=WriteBackResult)
    new_notes: tuple[str, ...] = ()

    @property
    def failed(self) -> tuple[Issue, ...]:
        """What could not be applied in this run."""
        kinds = (IssueKind.FAILED, IssueKind.UNCERTAIN)
        return tuple(issue for issue in self.issues if issue.kind in kinds)

    @property
    def adopted_by_marker(self) -> int:
        """How many roots the store did not know, and that were found by their marker."""
        return sum(
            action.type is ActionType.ADOPT
            and action.key.is_root
            and not (action.mark or action.created)
            for action in self.applied
        )

    def to_json(self) -> dict[str, object]:
        """Returns the plan in its public format, with the run's own numbers added."""
        run = {
            "id": self.run_id,
            "started": self.started.isoformat(),
            "finished": self.finished.isoformat(),
            "outcome": self.outcome.value,
            "requests": self.requests,
            "applied": len(self.applied),
            "failed": len(self.failed),
            "adopted_by_marker": self.adopted_by_marker,
            "skipped": self.skipped,
            "refusal": self.refusal,
            "meanwhile": list(self.meanwhile),
            "taken_away": [key.to_json() for key in self.taken_away],
            "unread": self.unread,
            "written_back": self.write_back.written,
            "write_back_problems": list(self.write_back.problems),
        }
        issues = [issue.to_json() for issue in self.issues]
        return {**self.plan.to_json(), "issues": issues, "run": run}

    def summary(self) -> dict[str, object]:
        """Returns the numbers that are kept of a run."""
        return {
            **self.plan.summary(),
            "requests": self.requests,
            "applied": len(self.applied),
            "failed": len(self.failed),
            "issues": len(self.issues),
            "skipped": self.skipped,
            "refusal": self.refusal,
            "taken_away": len(self.taken_away),
            "unread": self.unread,
            "stopped_by": str(self.stopped_by or ""),
            "written_back": self.write_back.written,
            "write_back_problems": len(self.write_back.problems),
        }
