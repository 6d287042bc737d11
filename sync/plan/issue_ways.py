"""Which ways out an issue has by its kind. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sync.plan.model import Issue, IssueKind
from sync.way_out import WayOut
from sync.ways_out import (
    Adopt,
    Adoption,
    DeleteInTarget,
    Effect,
    MakeNameable,
    MoveBack,
    RemoveMarker,
    Resolve,
    RetireGone,
    Side,
    TakeOver,
    Unlink,
)


def with_usual_ways_out(issue: Issue) -> Issue:
    """Returns an issue with the ways out that issues of its kind have."""
    return replace(issue, ways_out=usual_ways_out(issue))


def usual_ways_out(issue: Issue) -> tuple[WayOut, ...]:
    """Returns the ways out that issues of a kind have, () for a kind that has no usual ones."""
    return tuple(_usual(issue))


def _usual(issue: Issue) -> Iterator[WayOut]:
    kind, key = issue.kind, issue.key
    if kind is IssueKind.CONFLICT:
        yield from (Resolve(key, side, Effect.VALUE, issue.field) for side in Side)
    elif kind is IssueKind.AMBIGUOUS:
        yield Adopt(key.group)
    elif kind is IssueKind.COPIED and isinstance(issue.observed, frozenset):
        yield from _with_copies(key.group, sorted(issue.observed, key=_by_number))
    elif kind is IssueKind.MOVED:
        yield MoveBack()
        yield Resolve(key, Side.DELIVERY, Effect.LEAVE)
    elif kind is IssueKind.UNMARKED:
        yield Adopt(key.group, str(issue.observed), Adoption.MARK)
        yield Unlink(key.group)
    elif kind is IssueKind.LEFTOVER:
        yield Resolve(key, Side.DELIVERY, Effect.REMOVED)
    elif kind is IssueKind.DELETED:
        yield Resolve(key, Side.SALES, Effect.MAKE_AGAIN)
        yield Resolve(key, Side.DELIVERY, Effect.STAY_AWAY)
    elif kind is IssueKind.DROPPED:
        yield Resolve(key, Side.DELIVERY, Effect.LEAVE)
        yield Resolve(key, Side.SALES, Effect.REMOVE)
    elif kind is IssueKind.WAITING and issue.desired:
        yield MakeNameable(str(issue.desired))
    elif kind is IssueKind.GONE:
        yield from (RetireGone(), TakeOver(key.group), Unlink(key.group))


def _with_copies(group: str, copies: list[str]) -> Iterator[WayOut]:
    yield DeleteInTarget(tuple(copies))
    yield from (RemoveMarker(group, copy) for copy in copies)
    yield from (Adopt(group, copy, Adoption.INSTEAD) for copy in copies)


def _by_number(root_id: str) -> tuple[int, str]:
    return len(root_id), root_id
