"""What people made of fields of which a source wants to know, for what depends on them. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from sync.plan.known import Known
from sync.plan.model import GroupPlan
from sync.records.model import KEPT, RecordKey, encode
from sync.records.record_merge import Bases
from sync.source import WatchedEdits


def edits_that_stay(group: GroupPlan) -> Mapping[str, object]:
    """Returns the fact that lists people's edits of watched fields; nothing where there is none."""
    kept = [
        [key.kind, key.name, change.field, encode(change.observed)]
        for key, change in group.kept
        if change.field in group.desired.watched
    ]
    return {KEPT: kept} if kept else {}


def watched_edits_of(group: GroupPlan, known: Known) -> WatchedEdits | None:
    """Returns what a plan found out about watched fields of children; None where none is."""
    if not (group.desired.watched and group.desired.follow_children):
        return None
    bases: dict[RecordKey, Bases] = {}
    adopted = {action.key: action.remember for action in group.actions}
    for child in group.desired.children:
        bound = known.bound.get(child.key)
        fields = {
            **(bound.base if bound else {}),
            **group.remember.get(child.key, {}),
            **adopted.get(child.key, {}),
        }
        found = {name: fields[name] for name in group.desired.watched & fields.keys()}
        if found:
            bases[child.key] = found
    return WatchedEdits(bases, edits_that_stay(group)) if bases else None
