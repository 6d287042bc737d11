"""What reading back tells about writes that the target confirmed and did not keep. Pure.

Where two requests change one object at the same moment, some servers answer both with success and
keep one: the slower one saves the whole object as it was before the other (some do so). A field
that was just written then reads as it did before the write. That is taken for such an accident, and
the field is written again by the next run, rather than for a person's edit that would stay.
"""

from __future__ import annotations

from collections.abc import Mapping

from sync.plan.model import GroupPlan
from sync.records.model import Base, RecordKey
from sync.records.record_merge import Bases


def undone_writes(written: GroupPlan, again: GroupPlan) -> Mapping[RecordKey, Bases]:
    """Returns the bases from which the next merge writes once more what did not stay.

    ``again`` is the plan that was drawn up from what was read back after ``written`` was applied.
    """
    changes = {(a.key, change.field): change for a in written.actions for change in a.changes}
    bases: dict[RecordKey, dict[str, Base]] = {}
    for key, kept in again.kept:
        change = changes.get((key, kept.field))
        if change is None or isinstance(kept.observed, frozenset):
            continue
        if kept.observed == change.observed:
            bases.setdefault(key, {})[kept.field] = Base(change.base, change.observed)
    return bases
