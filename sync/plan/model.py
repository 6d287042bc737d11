"""A plan: what a run would do, group by group, and why. Plain data; made by
`sync.plan.group_planner`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from sync.plan.limits import Breach
from sync.records.merge import Decision
from sync.records.model import (
    Base,
    Binding,
    Desired,
    DesiredGroup,
    Observed,
    Owner,
    RecordKey,
    Value,
    digest,
    encode,
)
from sync.source import Quarantined
from sync.way_out import WayOut


class ActionType(StrEnum):
    """What is done to one record."""

    CREATE = "create"
    ADOPT = "adopt"
    UPDATE = "update"
    RETIRE = "retire"
    RESTORE = "restore"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class Change:
    """One field of an action: the three values, the owner, and what the merge decided."""

    field: str
    base: Value
    desired: Value
    observed: Value
    owner: Owner
    decision: Decision

    def to_json(self) -> dict[str, object]:
        """Returns the change as JSON-compatible data."""
        return {
            "field": self.field,
            "base": encode(self.base),
            "desired": encode(self.desired),
            "observed": encode(self.observed),
            "owner": self.owner.value,
            "verdict": self.decision.verdict.value,
        }


@dataclass(frozen=True, slots=True)
class Action:
    """What is to be done to one record.

    ``fields`` are all fields as they should be afterwards; ``changes`` those that are written;
    ``remember`` are bases to store although nothing is written for them. ``mark`` asks for the
    identity marker to be written on a root that lacks it. ``delete`` turns a retirement into a
    removal (see `sync.records.model.WhenRetired`). ``stays`` is, for a removal, the older object
    of the same identity that takes the place of the one that is removed. ``if_untouched`` lets a
    removal take place only if only the connector ever touched the object.
    """

    type: ActionType
    key: RecordKey
    reason: str
    desired: Desired | None = None
    observed: Observed | None = None
    fields: Mapping[str, Value] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()
    remember: Mapping[str, Base] = field(default_factory=dict)
    mark: bool = False
    delete: bool = False
    stays: Observed | None = None
    created: bool = False
    """For an adoption: the connector itself made the object (a receipt that was lost)."""
    again: bool = False
    """For a creation: an earlier request for the same object got no answer, and left nothing that
    can be seen."""
    if_untouched: bool = False

    @property
    def notes(self) -> tuple[str, ...]:
        """The remarks on how the values that are written were made to fit."""
        record, written = self.desired, {change.field for change in self.changes}
        if record is None:
            return ()
        return tuple(
            note
            for note in record.notes
            if (field := note.partition(" ")[0]) in written
            or (field not in record.fields and self.type in (ActionType.CREATE, ActionType.ADOPT))
        )

    def content(self) -> list[object]:
        """Returns everything that the action would do, as JSON-compatible data."""
        changes = [change.to_json() for change in self.changes]
        return [self.key.kind, str(self.key), self.type.value, changes, self.reason, self.notes]


class IssueKind(StrEnum):
    """What can stand in the way of one group while all others are synced."""

    CONFLICT = "conflict"
    """Both sides changed a shared field."""
    AMBIGUOUS = "ambiguous"
    """Several objects carry the group's marker and none is bound."""
    DOUBLE = "double"
    """Two objects answer to one record; only one of them can be kept in step."""
    COPIED = "copied"
    """More objects than the bound one carry the group's marker; ``observed`` has their ids. Or a
    child's reference is in another group's root, too, which ``observed`` names."""
    DELETED = "deleted"
    """People deleted the object in the target, or the account can no longer see it."""
    UNMARKED = "unmarked"
    """The bound object does not carry this pipeline's marker (any more), or another's as well."""
    OBSTACLE = "obstacle"
    """The object cannot be written (archived, blocked, no rights)."""
    UNCERTAIN = "uncertain"
    """A create was sent and it is not known yet whether it happened."""
    FAILED = "failed"
    """The target refused a change, or could not be reached for it."""
    QUARANTINED = "quarantined"
    """The source's record could not be read."""
    GONE = "gone"
    """The key is no longer in the source."""
    LEFTOVER = "leftover"
    """A creation that was cut off left something in the target, for a person to remove."""
    MOVED = "moved"
    """People moved a child into another group's root, which ``observed`` of the issue names."""
    DROPPED = "dropped"
    """A child is there that nothing asks for any more."""
    WAITING = "waiting"
    """A field is empty, because what it is to name is not there, or cannot be named."""


PARTIAL = frozenset(IssueKind) - {
    IssueKind.GONE,
    IssueKind.MOVED,
    IssueKind.DROPPED,
    IssueKind.LEFTOVER,
    IssueKind.WAITING,
}
"""Issues that make a run incomplete. The others are reported, but nothing is left undone."""


@dataclass(frozen=True, slots=True)
class Issue:
    """Something that a person has to know about one record, with the ways out."""

    kind: IssueKind
    key: RecordKey
    message: str
    field: str = ""
    base: Value = None
    desired: Value = None
    observed: Value = None
    ways_out: tuple[WayOut, ...] = ()


@dataclass(frozen=True, slots=True)
class GroupPlan:
    """What is to be done to one group.

    ``remember`` and ``bind`` are bookkeeping without any request: fields that agree by now, and
    bindings to store. ``forget`` lists records that are no longer kept in step, ``rekey`` those
    that are known by another key from now on (old, new).
    """

    key: str
    desired: DesiredGroup
    root: Observed | None
    actions: tuple[Action, ...] = ()
    issues: tuple[Issue, ...] = ()
    kept: tuple[tuple[RecordKey, Change], ...] = ()
    """People's edits that stay: fed back to the source side, never overwritten."""
    remember: Mapping[RecordKey, Mapping[str, Base]] = field(default_factory=dict)
    bind: tuple[Binding, ...] = ()
    forget: tuple[RecordKey, ...] = ()
    rekey: tuple[tuple[RecordKey, RecordKey], ...] = ()
    facts: Mapping[str, object] = field(default_factory=dict)
    strays: tuple[Observed, ...] = ()
    """Children in this group's root that name another group as theirs."""
    children: tuple[Observed, ...] = ()
    """All children that were seen, of a group that feeds back (see `DesiredGroup.feeds_back`)."""
    fingerprint: str = ""
    """Digest of what the source asks for (see `DesiredGroup.fingerprint`)."""

    @property
    def taken_away(self) -> tuple[RecordKey, ...]:
        """What people took away since the last look; from now on it is kept away."""
        return tuple(binding.key for binding in self.bind if binding.deleted)

    @property
    def is_quiet(self) -> bool:
        """Whether the target is already as it should be."""
        return not self.actions


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would do. ``bound`` counts the groups that are kept in step, retired ones aside:
    limits are shares of these, and must not grow with what was retired over the years."""

    pipeline: str
    groups: tuple[GroupPlan, ...]
    quarantined: tuple[Quarantined, ...] = ()
    breaches: tuple[Breach, ...] = ()
    other_issues: tuple[Issue, ...] = ()
    """Issues that no group's plan brings up: rows in quarantine, keys that are gone, and what
    is still open in groups in which nothing moved."""
    unchanged: int = 0
    left_alone: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Groups that a person may expect to be made, and that are not: reason -> keys."""
    bound: int = 0
    mails: Mapping[str, int] = field(default_factory=dict)
    """How many mails the target will send of its own accord, to whom."""
    notes: tuple[str, ...] = ()
    """Remarks about the whole, such as what the target cannot hold of it."""

    @property
    def actions(self) -> tuple[Action, ...]:
        """All actions, group by group."""
        return tuple(action for group in self.groups for action in group.actions)

    @property
    def issues(self) -> tuple[Issue, ...]:
        """All issues, of groups and others."""
        return self.other_issues + tuple(i for group in self.groups for i in group.issues)

    @property
    def taken_away(self) -> tuple[RecordKey, ...]:
        """What people took away since the last look, group by group."""
        return tuple(key for group in self.groups for key in group.taken_away)

    @property
    def conflicts(self) -> tuple[Issue, ...]:
        """The issues that wait for a person's decision."""
        waiting = (
            IssueKind.CONFLICT,
            IssueKind.AMBIGUOUS,
            IssueKind.DOUBLE,
            IssueKind.COPIED,
            IssueKind.DELETED,
            IssueKind.UNMARKED,
        )
        return tuple(issue for issue in self.issues if issue.kind in waiting)

    def summary(self) -> dict[str, int]:
        """Counts groups by what happens to their root; ``update`` includes changed children."""
        counts: Counter[str] = Counter(unchanged=self.unchanged)
        for group in self.groups:
            counts[_headline(group)] += 1
        names = ("create", "adopt", "update", "retire", "restore", "unchanged")
        return {name: counts[name] for name in names}

    def fingerprint(self) -> str:
        """Returns a digest of everything that would be written."""
        return digest([action.content() for action in self.actions])


def _headline(group: GroupPlan) -> str:
    for action in group.actions:
        if action.key.is_root:
            return action.type.value
    return ActionType.UPDATE.value if group.actions else "unchanged"
