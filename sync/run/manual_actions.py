"""The hands-on cases: what a person decides about one group, for the next run to carry out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sync.errors import NotLinked, Rejected, Vanished
from sync.plan.issue_ways import usual_ways_out
from sync.plan.model import Issue, IssueKind
from sync.records.model import TITLE, Base, Binding, Marker, Observed, RecordKey
from sync.records.traces import Traces
from sync.run.leaving import leave
from sync.run.take_over import take_over
from sync.state.store import StateStore
from sync.target import Target
from sync.ways_out import ListOpen, Side, TakeOver, Unlink, UnlinkElsewhere

_DECIDED = (IssueKind.CONFLICT, IssueKind.DELETED, IssueKind.MOVED, IssueKind.LEFTOVER)
"""What `resolve` settles."""


def resolve(store: StateStore, key: str, take: Side, field: str | None = None) -> list[Issue]:
    """Settles conflicts and deletions of a record (or of a whole group); returns which.

    ``key`` is a record's key as messages show it, or a group's. Taking delivery's side keeps what
    people made of it, and sales' differing value stops counting as a change; a deleted root is
    then no longer followed. Taking sales' side has the next run write sales' value, or make a
    deleted root again. Of a child that nothing asks for any more, sales' side has the next run
    remove it, and delivery's leaves it to the group.

    Taking sales' side for a child that people took away has it made again.

    :raises Rejected: nothing is open under this key and field.
    """
    issues = [
        item.issue
        for item in store.issues()
        if _is_meant(item.issue, key) and field in (None, item.issue.field)
    ]
    taken = [each for each in store.taken_away() if str(each) == key and field is None]
    for each in taken if take is Side.SALES else ():
        store.forget_child(each)
    if not issues and not taken:
        named = f"{key} {field}" if field else key
        raise Rejected(f"{named}: nothing here waits for a decision", ways_out=[ListOpen()])
    _refuse_impossible(issues, take)
    for issue in issues:
        _settle(store, issue, take)
    return [*issues, *(Issue(IssueKind.DELETED, each, "taken away by people") for each in taken)]


def _is_meant(issue: Issue, key: str) -> bool:
    """Whether an issue waits for a decision, and is named by ``key``.

    What nothing asks for any more is named by itself alone: a decision about a whole group is
    about what is in dispute. A whole group that nothing asks for is unlinked, not decided.
    """
    if issue.kind is IssueKind.DROPPED:
        return key == str(issue.key) and not issue.key.is_root
    return issue.kind in _DECIDED and key in (str(issue.key), issue.key.group)


def _refuse_impossible(issues: Sequence[Issue], take: Side) -> None:
    moved = [issue for issue in issues if issue.kind is IssueKind.MOVED]
    if moved and take is Side.SALES:
        raise Rejected(
            f"{moved[0].key}: people moved it to {moved[0].observed}",
            ways_out=usual_ways_out(moved[0]),
        )


def _settle(store: StateStore, issue: Issue, take: Side) -> None:
    if issue.kind is IssueKind.CONFLICT:
        store.rebase(issue.key, {issue.field: _agreed(issue, take)})
    elif issue.kind is IssueKind.DROPPED:
        (store.give_up if take is Side.SALES else store.let_go)(issue.key)
    elif issue.kind is IssueKind.LEFTOVER:
        store.drop_issue(issue)
    elif take is Side.SALES:
        store.forget(issue.key.group)
    else:
        store.unlink(issue.key)


def _agreed(issue: Issue, take: Side) -> Base:
    """Returns the base from which the next merge comes to the side that was taken.

    It is as if both had agreed on the value that was turned down, and the side that was taken had
    moved since: a change of the other side that this decision did not know of is a conflict again.
    """
    value = issue.desired if take is Side.DELIVERY else issue.observed
    return Base(value, value)


def adopt(
    store: StateStore,
    target: Target,
    root: RecordKey,
    root_id: str,
    traces: Mapping[str, Traces] | None = None,
) -> Observed:
    """Binds a group to an existing root that a person chose; returns what was found there.

    The next run marks it, keeps what delivery own, writes what sales own, and reports shared fields
    that differ. One that another group had until it was unlinked is taken over with all that was
    agreed upon (`sync.run.take_over`). One that the group itself had before is unlinked, without
    the ``traces`` of what the connector wrote there. One that the group has, and that lost its
    marker, is marked again, with all that was agreed upon.

    :raises Vanished: there is no such root, or the account cannot see it.
    :raises Rejected: it belongs to another group or pipeline.
    """
    found = target.observe_root(root_id)
    if found is None:
        raise Vanished(f"{target.name} does not show this account the {root.kind} {root_id}")
    _refuse_anothers(store, root, found)
    index = store.index()
    if _is_as_agreed(store, target, root, found):
        target.mark(found.id, Marker(store.pipeline, root.group))
        store.marked_by_hand(root)
        return found
    _let_go_of_other(store, target, root.group, found.id, traces)
    holders = [key for key, row in index.items() if row.root_id == found.id and key != root.group]
    if holders:
        return take_over(store, target, root, holders[0])
    store.bind_by_hand(Binding(root, found.id, created=False))
    return found


def _is_as_agreed(store: StateStore, target: Target, root: RecordKey, found: Observed) -> bool:
    """Whether an object is the very one that the group is kept in step with.

    That it has the number alone proves nothing: a server that was restored gives numbers out again.
    It is the one if something in it still names the group, or if it has the title agreed upon.
    """
    known = store.known([root.group])[root.group].bound.get(root)
    if known is None or known.binding.target_id != found.id or not known.base:
        return False
    if known.binding.unlinked or known.binding.deleted:
        return False
    title = target.split(found, [{name: each.observed for name, each in known.base.items()}])
    if TITLE in known.base and title.get(TITLE) == known.base[TITLE].observed:
        return True
    children = target.observe_children([found.id]).get(found.id, ())
    return any(child.group == root.group for child in children)


def _let_go_of_other(
    store: StateStore, target: Target, group: str, root_id: str, traces: Mapping[str, Traces] | None
) -> None:
    """Lets go of the root that a group is bound to, and that another one takes the place of."""
    row = store.index().get(group)
    if row is None or not row.is_followed or row.root_id == root_id:
        return
    if traces is None or not _is_left(store, target, group, traces):
        target.unmark(row.root_id, Marker(store.pipeline, group))
    store.forget(group)


def _is_left(store: StateStore, target: Target, group: str, traces: Mapping[str, Traces]) -> bool:
    """Takes the connector's traces out of a root; False if it says that it is not the group's."""
    try:
        leave(store, target, group, traces)
    except Rejected:
        return False
    return True


def _refuse_anothers(store: StateStore, root: RecordKey, found: Observed) -> None:
    for marker in found.markers:
        if marker.pipeline != store.pipeline:
            raise Rejected(
                f"{found.kind} {found.id} belongs to the pipeline '{marker.pipeline}' (as "
                f"{marker.key})",
                ways_out=[UnlinkElsewhere(marker.pipeline)],
            )
        if marker.key != root.group and _is_bound(store, marker.key, found.id):
            raise Rejected(
                f"{found.kind} {found.id} belongs to {marker.key}",
                ways_out=[TakeOver(marker.key, root.group), Unlink(marker.key)],
            )


def _is_bound(store: StateStore, group: str, root_id: str) -> bool:
    row = store.index().get(group)
    return row is not None and row.root_id == root_id and row.is_followed


def unlink(store: StateStore, target: Target, group: str) -> str:
    """Stops following a group, and takes its marker off; returns the root's id.

    Everything else in the target stays as it is.

    :raises Rejected: the group is not bound.
    """
    known = store.known([group])[group].bound
    root = next((bound.binding for key, bound in known.items() if key.is_root), None)
    if root is None:
        raise NotLinked(group)
    target.unmark(root.target_id, Marker(store.pipeline, group))
    store.unlink(root.key)
    return root.target_id


def disown(store: StateStore, target: Target, group: str, root_id: str) -> None:
    """Takes a group's marker off a copy of its root; everything else in the copy stays.

    :raises Rejected: that is the one that the group is bound to.
    """
    if _is_bound(store, group, root_id):
        kind = store.index()[group].kind
        raise Rejected(
            f"{group}: {kind} {root_id} is the one that is kept in step", ways_out=[Unlink(group)]
        )
    target.unmark(root_id, Marker(store.pipeline, group))
