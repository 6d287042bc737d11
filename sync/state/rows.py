"""What the state store keeps, row by row, and how it is written as JSON text."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from sync.plan.issue_ways import usual_ways_out
from sync.plan.model import Action, ActionType, Issue, IssueKind
from sync.records.model import Base, Binding, RecordKey, WhenDropped, decode, encode
from sync.records.record_merge import Bases
from sync.ways_out import load as load_ways

KEEP: Final = "keep"
"""The journal's word for an edit by people that stays."""

TAKE_AWAY: Final = "take away"
BRING_BACK: Final = "bring back"
"""The journal's words for what people did to an object as a whole, found out about in a run."""

READ: Final = "read"
"""The verdict on a text that was read right before it was written again: as it stood then."""

BY_PEOPLE: Final = frozenset({KEEP, TAKE_AWAY, BRING_BACK})
"""Entries that report people: nothing was written."""

TAKE_OVER: Final = "take over"
"""The journal's word for a root that another group's key is written on, as a person decided."""

UNLINK: Final = "unlink"
"""The journal's word for a root that a person no longer wants to be followed."""

SUCCESSFUL: Final = ("done", "partial")
"""Outcomes of runs that came to their end."""


@dataclass(frozen=True, slots=True)
class GroupRow:
    """What is remembered of a bound group, to see that nothing moved since.

    ``kind`` is the root's. ``change_token`` is "" if the group has to be compared in full.
    ``deleted`` and ``unlinked`` are those of the root's binding. ``by_hand`` says that a person
    bound it and no run has marked it since.
    """

    root_id: str
    fingerprint: str = ""
    change_token: str = ""
    state: str = ""
    deleted: bool = False
    unlinked: bool = False
    by_hand: bool = False
    kind: str = ""

    @property
    def is_followed(self) -> bool:
        """Whether the group is kept in step."""
        return not (self.deleted or self.unlinked)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How a group stands after it was synced: see `GroupRow`, and its delivery facts.

    ``likeness`` is that of `sync.records.model.DesiredGroup`.
    """

    key: str
    fingerprint: str
    change_token: str
    state: str
    facts: Mapping[str, object]
    likeness: str = ""


OPEN: Final = "open"
"""The status of an intent whose outcome is not known yet."""
PUT_OFF: Final = "put off"
"""The status of such an intent of a group that the source does not hold just now: what became of
it is looked at when the group is back."""
UNSETTLED: Final = (OPEN, PUT_OFF)


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One write: what was intended, and what became of it. Times are UTC.

    The actions in `BY_PEOPLE` stand for what people did, and what stays as they made it: nothing
    was written.
    ``status`` is ``open``, ``put off`` (see `PUT_OFF`), ``done``, ``failed`` or ``settled`` (found
    out about later).
    ``intended`` are the bases that stand once the write is known to have happened. ``identity`` and
    ``when_dropped`` are those of the record (see `sync.records.model.Desired`).
    """

    id: int
    run_id: int
    key: RecordKey
    action: str
    reason: str
    changes: Sequence[Mapping[str, object]]
    intended: Bases
    identity: str
    when_dropped: WhenDropped
    status: str
    target_id: str
    error: str
    intended_at: datetime
    finished_at: datetime | None

    @property
    def is_removal(self) -> bool:
        """Whether the object was to be removed. A retirement that marks writes something."""
        is_retirement = self.action == ActionType.RETIRE and not self.intended
        return self.action == ActionType.REMOVE or is_retirement


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run. Times are UTC; ``outcome`` is ``running``, ``done``, ``partial`` or an error."""

    id: int
    started_at: datetime
    finished_at: datetime | None
    outcome: str
    is_full: bool
    summary: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OpenIssue:
    """An issue, and since when it has been open (UTC)."""

    issue: Issue
    since: datetime


def journal_changes(action: Action) -> list[dict[str, object]]:
    """Returns what the journal keeps of the fields of an action.

    Besides the changes these are the texts that hold several fields, as they were read before they
    are written again. A server without versions cannot be kept from writing over what someone saves
    in that very moment; what stood there before is not lost with it.
    """
    changes = [change.to_json() for change in action.changes]
    if not changes or action.observed is None or action.desired is None:
        return changes
    texts: list[dict[str, object]] = [
        {"field": name, "observed": value, "verdict": READ}
        for name, value in sorted(action.observed.fields.items())
        if name not in action.desired.fields and isinstance(value, str) and value
    ]
    return [*changes, *texts]


def read_entry(row: Any) -> JournalEntry:
    """Returns the journal entry in a row of its table."""
    return JournalEntry(
        id=row.id,
        run_id=row.run_id,
        key=RecordKey(row.grp, row.kind, row.name),
        action=row.action,
        reason=row.reason,
        changes=json.loads(row.changes_json),
        intended=read_bases(row.intended_json),
        identity=row.identity,
        when_dropped=WhenDropped(row.when_dropped),
        status=row.status,
        target_id=row.target_id,
        error=row.error,
        intended_at=row.intended_at,
        finished_at=row.finished_at,
    )


def read_run(row: Any) -> RunRow:
    """Returns the run in a row of its table."""
    return RunRow(
        row.id,
        row.started_at,
        row.finished_at,
        row.outcome,
        row.is_full,
        json.loads(row.summary_json),
    )


def read_binding(key: RecordKey, row: Any) -> Binding:
    """Returns the binding in a row of its table."""
    return Binding(
        key=key,
        target_id=row.target_id,
        created=row.created,
        when_dropped=WhenDropped(row.when_dropped),
        deleted=row.deleted,
        unlinked=row.unlinked,
    )


def issue_id(issue: Issue) -> tuple[str, RecordKey, str]:
    """Returns what makes two issues the same one."""
    return issue.kind.value, issue.key, issue.field


def read_issue(row: Any) -> Issue:
    """Returns the issue in a row of its table."""
    detail = json.loads(row.detail_json)
    issue = Issue(
        kind=IssueKind(row.issue),
        key=RecordKey(row.grp, row.kind, row.name),
        message=detail["message"],
        field=row.field,
        base=decode(detail["base"]),
        desired=decode(detail["desired"]),
        observed=decode(detail["observed"]),
    )
    # One that an earlier version wrote has them in its message alone.
    ways = load_ways(detail["ways_out"]) if "ways_out" in detail else usual_ways_out(issue)
    return replace(issue, ways_out=ways)


def read_bases(text: str) -> dict[str, Base]:
    """Returns the bases, by field, that `dump_bases` wrote."""
    return {
        name: Base(decode(desired), decode(observed))
        for name, (desired, observed) in json.loads(text).items()
    }


def dump_bases(bases: Bases) -> str:
    """Returns bases as JSON text."""
    return dump(
        {name: [encode(base.desired), encode(base.observed)] for name, base in bases.items()}
    )


def dump(data: object) -> str:
    """Returns JSON text, as short as it gets."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))
