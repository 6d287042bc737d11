"""Several objects in the target that answer to one record. Pure.

Where a server has no unique key for a kind of children, two machines that look at the same moment
both make one; and people copy things with all that is in them. One of the objects is kept in step.
The others are not removed, but reported until a person has decided, with one exception: whoever
made a younger one takes it back if it is untouched, and keeps the older one in step.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sync.plan.model import Action, ActionType, Issue, IssueKind
from sync.records.model import Binding, Desired, Observed, RecordKey, by_identity
from sync.ways_out import DeleteInTarget

Place = tuple[str, str]
"""Kind and id of an object."""


def all_alike(record: Desired, observed: Sequence[Observed]) -> list[Observed]:
    """Returns the objects that answer to the natural identity of ``record``, the oldest first."""
    key, name = record.key, record.natural_name.casefold()
    return oldest_first(by_identity(observed, key.kind, name, key.group))


def oldest_first(observed: Sequence[Observed]) -> list[Observed]:
    """Returns objects in the order in which they were made, as their ids tell it."""
    return sorted(observed, key=lambda item: (len(item.id), item.id))


def settle_doubles(
    record: Desired,
    binding: Binding | None,
    observed: Sequence[Observed],
    taken: Collection[Place],
) -> Action | Issue | None:
    """Returns what is to be done about objects that answer to ``record`` beside its own.

    ``taken`` are the objects that other records are bound to. A name that people gave twice to
    what they made themselves is their own business.

    :return: the action that removes a younger one that the connector made; else an issue; None
        if there are no doubles.
    """
    alike = [item for item in all_alike(record, observed) if (item.kind, item.id) not in taken]
    made = binding is not None and binding.created
    if len(alike) < 2 or not (made or any(item.marked for item in alike)):
        return None
    own = next((item for item in alike if binding and item.id == binding.target_id), None)
    if made and own is not None and own is not alike[0]:
        return _taking_back(record, own, alike[0])
    return double_issue(record.key, alike, own or alike[0])


def _taking_back(record: Desired, younger: Observed, older: Observed) -> Action:
    return Action(
        ActionType.REMOVE,
        record.key,
        f"made twice at the same moment: {older.id} stays, {younger.id} is removed unless someone "
        "edited it",
        desired=record,
        observed=younger,
        stays=older,
        created=True,
    )


def double_issue(key: RecordKey, alike: Sequence[Observed], kept: Observed) -> Issue:
    """Returns the issue about several objects that answer to one record."""
    ids = " and ".join(item.id for item in alike)
    others = tuple(item.id for item in alike if item.id != kept.id)
    message = f"{key}: {ids} are the same {key.kind} twice, and {kept.id} is kept in step"
    ways = (DeleteInTarget(others, is_named=True),)
    return Issue(IssueKind.DOUBLE, key, message, ways_out=ways)
