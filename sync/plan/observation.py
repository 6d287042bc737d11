"""What was seen of the target: one complete list of roots, and the children of those that moved."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sync.errors import Failing, Malformed, SyncError
from sync.plan.group_planner import strays_in, the_one
from sync.plan.known import Known, Seen
from sync.records.model import Marker, Observed, RecordKey
from sync.state.store import GroupRow
from sync.target import ExplainsUnread, ObservesOwn, Target, TellsHidden, unreadable

log = logging.getLogger(__name__)

UNREADABLE = "its contents could not be read; the next run tries again"

PAGE = 100
"""Roots on a page of a list, at least: what a complete list of all bound ones would take."""


@dataclass(slots=True)
class Observation:
    """The roots of one pipeline in the target.

    ``moved`` holds the bound roots whose change token is not the remembered one, by key; ``still``
    the keys of those in which nothing moved (they are not held in memory); ``candidates`` the
    unbound roots that carry a marker of this pipeline, by key; ``others`` the unbound roots of
    other pipelines, by their keys there. ``marked`` counts the bound roots that carry their marker,
    and ``unmarked`` holds those that are followed and do not, by key. ``unknown`` are unbound roots
    whose markers could not be read: each may be the one of any group that is not bound.
    """

    moved: dict[str, Observed] = field(default_factory=dict)
    still: set[str] = field(default_factory=set)
    candidates: dict[str, list[Observed]] = field(default_factory=dict)
    others: dict[str, list[Observed]] = field(default_factory=dict)
    marked: int = 0
    unmarked: dict[str, Observed] = field(default_factory=dict)
    unknown: list[Observed] = field(default_factory=list)

    def may_stand_for(self, key: str) -> list[Observed]:
        """Returns the unbound roots that are, or may be, the one of an unbound group."""
        return self.candidates.get(key) or self.unknown[:1]


def observe(
    target: Target,
    pipeline: str,
    index: Mapping[str, GroupRow],
    look_at_all: bool = False,
    own_only: bool = False,
) -> Observation:
    """Reads all roots, completely; keeps in memory only what may have to be merged.

    With ``look_at_all`` every bound root counts as moved, whatever its change token says. With
    ``own_only``, a target that can be asked for the pipeline's own roots is asked for no others.
    """
    key_of = {row.root_id: key for key, row in index.items() if row.root_id}
    seen = Observation()
    if own_only and isinstance(target, ObservesOwn):
        roots = target.observe_own(list(key_of))
    else:
        roots = target.observe_roots()
    for root in roots:
        key = key_of.get(root.id)
        is_ours = key is not None and root.belongs_to(Marker(pipeline, key))
        seen.marked += is_ours
        if key is None or (index[key].deleted and not is_ours):
            _note_candidate(seen, pipeline, root)
        elif not root.readable:
            seen.moved[key] = root
        elif not is_ours and index[key].is_followed and not index[key].by_hand:
            seen.unmarked[key] = root
        elif _stands_still(root, index[key]) and not look_at_all:
            seen.still.add(key)
        else:
            seen.moved[key] = root
    return seen


def _stands_still(root: Observed, row: GroupRow) -> bool:
    """Whether nothing moved. A root that was gone, and is back just as it was, did move."""
    return bool(root.change_token) and root.change_token == row.change_token and not row.deleted


def _note_candidate(seen: Observation, pipeline: str, root: Observed) -> None:
    if not root.markers_readable:
        seen.unknown.append(root)
    for marker in root.markers:
        if marker.pipeline == pipeline:
            seen.candidates.setdefault(marker.key, []).append(root)
        else:
            seen.others.setdefault(marker.key, []).append(root)


def look_for_made(
    target: Target, pipeline: str, made: Mapping[RecordKey, str], seen: Observation
) -> None:
    """Adds roots that were made and not completed, of groups of which no root is seen.

    They are looked at by their ids (``made``): a list may show only what the account belongs to.
    One that is hidden from it stands for its group all the same, so that no other is made.
    """
    for key, root_id in made.items():
        if seen.candidates.get(key.group):
            continue
        marker = Marker(pipeline, key.group)
        root = observe_root(target, key.kind, root_id)
        if root is None and isinstance(target, TellsHidden) and target.hides_root(root_id):
            root = replace(unreadable(key.kind, root_id, "", (marker,)), obstacle=_hidden(root_id))
        if root is not None and (marker in root.markers or not root.markers_readable):
            seen.candidates[key.group] = [root]


def _hidden(root_id: str) -> str:
    return (
        f"{root_id} was made for it, is not complete, and this account may not see it; make the "
        "account an administrator of it, or delete it. No other one is made meanwhile"
    )


def recall(
    target: Target, index: Mapping[str, GroupRow], keys: Collection[str]
) -> dict[str, Observed]:
    """Reads roots again that are wanted after all, by key; one that is not there is missing.

    They are read one by one only where another complete list would not take fewer requests.
    """
    if len(keys) <= 1 + len(index) // PAGE:
        found = {key: observe_root(target, index[key].kind, index[key].root_id) for key in keys}
        return {key: root for key, root in found.items() if root is not None}
    key_of = {index[key].root_id: key for key in keys}
    if isinstance(target, ObservesOwn):
        roots = target.observe_own(list(key_of))
    else:
        roots = target.observe_roots()
    seen = {key_of[root.id]: root for root in roots if root.id in key_of}
    for key in sorted(set(keys) - seen.keys()):
        # Even a list that comes whole may lie: what it lacks is asked for by itself.
        root = observe_root(target, index[key].kind, index[key].root_id)
        if root is not None:
            seen[key] = root
    return seen


def observe_root(target: Target, kind: str, root_id: str) -> Observed | None:
    """Returns one root as it is now; what goes wrong with it alone is its own obstacle."""
    try:
        return target.observe_root(root_id)
    except (Malformed, Failing) as error:
        log.warning("%s %s could not be read: %s", kind, root_id, error)
        return unreadable(kind, root_id, str(error))


def look(
    target: Target,
    roots: Mapping[str, Observed],
    candidates: Mapping[str, list[Observed]],
    keys: Collection[str],
) -> dict[str, Seen]:
    """Returns what is seen of the groups of ``keys``, with the children of their roots."""
    standing = {
        key: root
        for key in keys
        if (root := roots.get(key) or the_one(candidates.get(key))) is not None
    }
    ids = [root.id for root in standing.values() if root.readable and not root.hides_children]
    children = target.observe_children(ids) if ids else {}
    seen = {}
    for key in keys:
        root = standing.get(key)
        readable = root is None or root.id in children
        found = children.get(root.id, ()) if root else ()
        trouble = next((child.obstacle for child in found if not child.readable), "")
        if trouble:
            readable, found = False, ()
        if root is not None and not readable and root.readable and not root.hides_children:
            root = replace(root, obstacle=root.obstacle or trouble or _why_unread(target, root.id))
        seen[key] = Seen(
            root=_with_facts(root, found) if root and key in roots else None,
            candidates=[_with_facts(c, found) for c in candidates.get(key, ())],
            children=[child for child in found if root and child.kind != root.kind],
            readable=readable,
        )
    return seen


def _why_unread(target: Target, root_id: str) -> str:
    """Returns why the children of a root are not to be seen, as far as the target tells."""
    why = ""
    if isinstance(target, ExplainsUnread):
        try:
            why = target.why_unread(root_id)
        except SyncError as error:
            log.info("it is unknown why %s cannot be read: %s", root_id, error)
    return f"its contents could not be read: {why}" if why else UNREADABLE


def look_for_missing(
    target: Target, seen: Mapping[str, Seen], known: Mapping[str, Known]
) -> dict[str, Seen]:
    """Returns ``seen``, with another look where a bound child was not to be seen.

    That someone deleted it is concluded from two looks: a list that comes whole may be wrong.
    """
    roots = {
        key: each.root
        for key, each in seen.items()
        if each.root is not None and each.readable and _lacks_children(known[key], each)
    }
    return {**seen, **look(target, roots, {}, list(roots))}


def with_strays(seen: Mapping[str, Seen]) -> dict[str, Seen]:
    """Returns ``seen``, with each group's children that people moved into other groups' roots."""
    elsewhere: dict[str, list[Observed]] = {}
    for key, each in seen.items():
        for child in strays_in(key, each):
            elsewhere.setdefault(child.group, []).append(child)
    return {
        key: replace(each, elsewhere=elsewhere[key]) if key in elsewhere else each
        for key, each in seen.items()
    }


def _lacks_children(known: Known, seen: Seen) -> bool:
    shown = {(child.kind, child.id) for child in seen.children}
    return any(
        (key.kind, bound.binding.target_id) not in shown
        for key, bound in known.bound.items()
        if not (key.is_root or bound.binding.deleted or bound.binding.unlinked)
    )


def _with_facts(root: Observed, children: Sequence[Observed]) -> Observed:
    """Returns ``root`` with the facts that only its children tell."""
    facts = [child.facts for child in children if (child.kind, child.id) == (root.kind, root.id)]
    return replace(root, facts={**root.facts, **facts[0]}) if facts else root


def look_at_one(target: Target, key: str, known: Known) -> Seen:
    """Observes one bound group right now."""
    found = (bound.binding for record, bound in known.bound.items() if record.is_root)
    bound = next(found, None)
    root = observe_root(target, bound.key.kind, bound.target_id) if bound is not None else None
    return look(target, {key: root} if root else {}, {}, [key])[key]
