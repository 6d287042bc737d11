"""What is bound and is not ours: a root that does not carry this pipeline's marker.

Numbers do not tell two servers apart, and a server restored from a backup gives numbers out
again. So a bound root counts as ours only while it says so itself. Where it does not, nothing of
it is written, removed or marked: one or two are reported, more are a limit's business (see
`sync.plan.limits`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sync.plan.issue_ways import usual_ways_out
from sync.plan.model import Issue, IssueKind
from sync.records.model import Marker, Observed, RecordKey
from sync.ways_out import UnlinkElsewhere


def stranger(marker: Marker, root: Observed, *, by_hand: bool = False) -> Issue | None:
    """Returns the issue of a root that is bound under ``marker`` and is not ours, else None.

    What was bound ``by_hand``, and not synced since, is not marked yet: the next run does that.
    """
    others = root.claimed_by_others(marker.pipeline)
    if root.belongs_to(marker) or (by_hand and not others):
        return None
    whose = _whose(marker, root, others)
    message = f"{marker.key}: {root.kind} {root.id} {whose}; nothing is written to it"
    key = RecordKey(marker.key, root.kind)
    issue = Issue(IssueKind.UNMARKED, key, message, observed=root.id)
    elsewhere = tuple(UnlinkElsewhere(pipeline) for pipeline in others)
    return replace(issue, ways_out=(*elsewhere, *usual_ways_out(issue)))


def _whose(marker: Marker, root: Observed, others: Sequence[str]) -> str:
    """Says by what a root is known, other than by ``marker`` alone."""
    if others:
        also = "also " if marker in root.markers else ""
        return f"{also}carries the marker of the pipeline {', '.join(others)}"
    keys = ", ".join(sorted(each.key for each in root.markers))
    if keys:
        return f"carries the marker of another key ({keys})"
    return "does not carry this pipeline's marker"
