"""What is open beyond a single group's plan: how each is reported. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sync.plan.group_planner import the_one
from sync.plan.issue_ways import with_usual_ways_out
from sync.plan.known import Known
from sync.plan.model import Issue, IssueKind
from sync.records.model import Binding, Observed, RecordKey
from sync.source import Quarantined
from sync.ways_out import DeleteInTarget, Unlink


def quarantine_issue(row: Quarantined) -> Issue:
    """Returns the issue of a row that could not be read."""
    key = RecordKey(row.key or row.place, "source")
    text = f"{row.place}: {row.reason}"
    return Issue(IssueKind.QUARANTINED, key, text, ways_out=row.ways_out)


def gone_issue(root: RecordKey) -> Issue:
    """Returns the issue of a followed group that is gone from the source."""
    message = f"{root.group}: no longer in the source; its {root.kind} stays as it is"
    return with_usual_ways_out(Issue(IssueKind.GONE, root, message))


def dropped_part_issue(root: RecordKey, whole: str) -> Issue:
    """Returns the issue of a followed part of ``whole``, which asks for it no longer."""
    message = (
        f"{root.group}: nothing asks for this part of {whole} any more; its {root.kind} stays as "
        "it is"
    )
    return Issue(IssueKind.DROPPED, root, message, ways_out=(Unlink(root.group),))


def moved_issue(stray: RecordKey, place: RecordKey) -> Issue:
    """Returns the issue of a child that people moved into another group's root (``place``)."""
    message = (
        f"{stray}: people moved this {stray.kind} into the {place.kind} of {place.group}; it stays "
        "there, and is not made again here"
    )
    issue = Issue(IssueKind.MOVED, stray, message, observed=place.group)
    return with_usual_ways_out(issue)


def copied_child_issue(stray: RecordKey, child: Observed, kept: str, place: RecordKey) -> Issue:
    """Returns the issue of a copy of a child, made by people in another group's root (``place``).

    ``kept`` is the id of the child itself, which is where it belongs.
    """
    message = (
        f"{stray}: {child.id} in the {place.kind} of {place.group} carries the reference of this "
        f"{stray.kind}, as a copy does; {kept} is kept in step, the copy is skipped"
    )
    ways = (DeleteInTarget((child.id,), is_named=True),)
    return Issue(IssueKind.COPIED, stray, message, observed=place.group, ways_out=ways)


def stray_issue(child: Observed, stray: Binding, place: RecordKey, *, is_gone: bool) -> Issue:
    """Returns the issue of a child that was seen in another group's root (``place``).

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
    is not an issue, or one of the group's own plan.
    """
    chosen = None if bound else the_one(candidates)
    kept = bound or (chosen.id if chosen else "")
    others = sorted({c.id for c in candidates} - {kept}, key=lambda name: (len(name), name))
    if not kept or not others:
        return None
    root = RecordKey(key, candidates[0].kind)
    message = (
        f"{key}: another {root.kind} carries its marker (id {', '.join(others)}), as a copy does; "
        f"the one with id {kept} is kept in step, the other is skipped"
    )
    issue = Issue(IssueKind.COPIED, root, message, observed=frozenset(others))
    return with_usual_ways_out(issue)


def copied_issues(
    candidates: Mapping[str, Sequence[Observed]], bound: Mapping[str, str]
) -> list[Issue]:
    """Returns the issues of all groups whose marker is on more roots than one.

    ``bound`` holds the ids of bound roots by key.
    """
    found = (copied_issue(k, bound.get(k, ""), roots) for k, roots in sorted(candidates.items()))
    return [issue for issue in found if issue is not None]
