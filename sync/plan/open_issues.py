"""What is open beyond a single group's plan: how each is told, with the way out. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from sync.plan.group_planner import Known, the_one
from sync.plan.model import Issue, IssueKind
from sync.records.model import Binding, Observed, RecordKey
from sync.source import Quarantined


def operand(key: str) -> str:
    """Returns a key as one word of the commands in messages."""
    return shlex.quote(key) if key.isprintable() else repr(key)


def quarantine_issue(row: Quarantined) -> Issue:
    """Returns the issue of a row that could not be read."""
    key = RecordKey(row.key or row.place, "source")
    return Issue(IssueKind.QUARANTINED, key, f"{row.place}: {row.reason}")


def gone_issue(key: str) -> Issue:
    """Returns the issue of a followed group that is gone from the source."""
    word = operand(key)
    message = (
        f"{key}: the deal is no longer in the source; its project is left as it is. To put it "
        f'away: when_gone = "retire" under [sync]; if the deal has a new key: '
        f"'pipeline-sync adopt NEW --from {word}'; to forget it: 'pipeline-sync unlink {word}'"
    )
    return Issue(IssueKind.GONE, RecordKey(key, "project"), message)


def moved_issue(stray: RecordKey, place: str) -> Issue:
    """Returns the issue of a child that people moved into the root of the group ``place``."""
    message = (
        f"{stray}: people moved this {stray.kind} into the project of {place}; it is left as it "
        f"is there, and is not made again here. Move it back, or let it go: "
        f"'pipeline-sync resolve {operand(str(stray))} --take delivery'"
    )
    return Issue(IssueKind.MOVED, stray, message, observed=place)


def copied_child_issue(stray: RecordKey, child: Observed, kept: str, place: str) -> Issue:
    """Returns the issue of a copy of a child, made by people in the root of the group ``place``.

    ``kept`` is the id of the child itself, which is where it belongs.
    """
    message = (
        f"{stray}: {child.id} in the project of {place} carries the reference of this "
        f"{stray.kind}, as a copy does; {kept} is kept in step, the copy is left alone. Delete it "
        "in the target, or take its reference away if it is to stay"
    )
    return Issue(IssueKind.COPIED, stray, message, observed=place)


def stray_issue(child: Observed, stray: Binding, place: str, *, is_gone: bool) -> Issue:
    """Returns the issue of a child that was seen in the root of the group ``place``.

    ``stray`` is its binding in the group that it names, and ``is_gone`` says that what is bound
    there is not to be seen any more: then people moved it, else they copied it.
    """
    is_copy = stray.target_id != child.id and not (is_gone or stray.deleted)
    if is_copy:
        return copied_child_issue(stray.key, child, stray.target_id, place)
    return moved_issue(stray.key, place)


def stray_binding(child: Observed, known: Known) -> Binding:
    """Returns the binding of a child that was seen in another group's root, as far as known."""
    for key, bound in known.bound.items():
        is_named = (key.kind, key.name.casefold()) == (child.kind, child.identity)
        if is_named or (key.kind, bound.binding.target_id) == (child.kind, child.id):
            return bound.binding
    return Binding(RecordKey(child.group, child.kind, child.identity), child.id, created=False)


def copied_issue(key: str, bound: str, candidates: Sequence[Observed]) -> Issue | None:
    """Returns the issue of a group whose marker is on more roots than one.

    ``bound`` is the id of the one that is kept in step, "" if none is bound yet. None where that
    is no issue, or one of the group's own plan.
    """
    chosen = None if bound else the_one(candidates)
    kept = bound or (chosen.id if chosen else "")
    others = sorted({c.id for c in candidates} - {kept}, key=lambda name: (len(name), name))
    if not kept or not others:
        return None
    word = operand(key)
    message = (
        f"{key}: another project carries this deal's marker (id {', '.join(others)}), as a copy "
        f"does; the one with id {kept} is kept in step, the other is left alone. Delete the copy; "
        f"or take the marker off it: 'pipeline-sync unlink {word} --project {others[0]}'; or "
        f"follow it instead: 'pipeline-sync adopt {word} {others[0]}'"
    )
    root = RecordKey(key, candidates[0].kind)
    return Issue(IssueKind.COPIED, root, message, observed=frozenset(others))


def copied_issues(
    candidates: Mapping[str, Sequence[Observed]], bound: Mapping[str, str]
) -> list[Issue]:
    """Returns the issues of all groups whose marker is on more roots than one.

    ``bound`` holds the ids of bound roots by key.
    """
    found = (copied_issue(k, bound.get(k, ""), roots) for k, roots in sorted(candidates.items()))
    return [issue for issue in found if issue is not None]
