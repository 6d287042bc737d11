"""What is reported of a group's records: conflicts, and what people deleted."""

from __future__ import annotations

from sync.plan.issue_ways import with_usual_ways_out
from sync.plan.model import Change, Issue, IssueKind
from sync.records.model import RecordKey, Value

LONGEST_SHOWN = 200
"""Characters of a value in a message; the whole is in the issue itself."""


def conflict_issue(key: RecordKey, change: Change) -> Issue:
    """Returns the issue of a field that both sides changed."""
    wanted, there = (shortened(value) for value in (change.desired, change.observed))
    message = (
        f"{key}: '{change.field}' was changed on both sides: sales want {wanted}, the "
        f"target has {there}"
    )
    issue = Issue(
        IssueKind.CONFLICT,
        key,
        message,
        field=change.field,
        base=change.base,
        desired=change.desired,
        observed=change.observed,
    )
    return with_usual_ways_out(issue)


def shortened(value: Value) -> str:
    """Returns a value for a message: people paste whole documents into a description."""
    text = repr(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}… ({len(text):,} in all)"


def deleted_issue(key: RecordKey) -> Issue:
    """Returns the issue of a root that people deleted."""
    message = (
        f"{key.group}: its {key.kind} was deleted or archived in the target, or the account can no "
        "longer see it; it is not made again"
    )
    return with_usual_ways_out(Issue(IssueKind.DELETED, key, message))
