"""What a run did, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from sync.errors import Stop
from sync.plan.model import Action, ActionType, GroupPlan, Issue, IssueKind, Plan
from sync.records.model import RecordKey
from sync.source import WriteBackResult
from sync.ways_out import Explained, Statement


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
    ``refusals`` say why nothing was applied; ``stopped_by`` is the error that ended the run early,
    if one did. ``new_notes`` are the plan's notes that no run has reported before. ``held`` are
    groups that feed back and are as they should be, as they were read last (`Runner.settle`).
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
    refusals: tuple[Explained, ...] = ()
    stopped_by: Stop | None = None
    write_back: WriteBackResult = field(default_factory=WriteBackResult)
    new_notes: tuple[str, ...] = ()
    held: tuple[GroupPlan, ...] = ()

    @property
    def refusal(self) -> str:
        """What was refused, one reason a line; "" if nothing was."""
        return "\n".join(each.message for each in self.refusals)

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

    def summary(self) -> dict[str, object]:
        """Returns what is kept of a run, as JSON-compatible data."""
        return {
            **self.plan.summary(),
            "requests": self.requests,
            "applied": len(self.applied),
            "failed": len(self.failed),
            "issues": len(self.issues),
            "skipped": self.skipped,
            "refusal": [Statement.of(each).to_json() for each in self.refusals],
            "taken_away": len(self.taken_away),
            "unread": self.unread,
            "stopped_by": Statement.of(self.stopped_by).to_json() if self.stopped_by else "",
            "written_back": self.write_back.written,
            "write_back_problems": len(self.write_back.problems),
        }
