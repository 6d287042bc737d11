"""Leaving: what the connector wrote is taken out of a root again, and what people wrote stays.

The group is unlinked first, so that no run puts back what is being taken out. Every write has its
intent in the journal. Whatever cuts it off, doing it again does the rest: it writes only what is
still there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from sync.errors import NotLinked, Rejected, Stale
from sync.plan.known import Bound, Known
from sync.plan.model import Action, ActionType, Change
from sync.records.merge import Decision, Verdict
from sync.records.model import Base, Marker, Observed, Owner, RecordKey, Value
from sync.records.record_merge import Bases
from sync.records.traces import Traces
from sync.state.manual_decisions import BY_HAND
from sync.state.store import StateStore
from sync.target import Place, Target
from sync.ways_out import Unlink

_ATTEMPTS: Final = 3


@dataclass(frozen=True, slots=True)
class Leaving:
    """What has to be done to unlink a group; ``root`` is None if it no longer exists.

    ``remember`` are bases of what was taken out before, by a write whose receipt was lost.
    """

    root: Observed | None
    actions: tuple[Action, ...] = ()
    remember: Mapping[RecordKey, Bases] = field(default_factory=dict)


def plan_leaving(
    store: StateStore, target: Target, group: str, traces: Mapping[str, Traces]
) -> Leaving:
    """Returns what would be taken out of a group's root and of what is in it; writes nothing.

    :param traces: what is left on records, by kind.
    :raises Rejected: the group has no root, or it is not this pipeline's (any longer).
    """
    known = store.known([group])[group]
    key = next((key for key, bound in known.bound.items() if key.is_root), None)
    if key is None or not known.bound[key].binding.target_id:
        raise NotLinked(group)
    root = target.observe_root(known.bound[key].binding.target_id)
    if root is None:
        return Leaving(None)
    children = target.observe_children([root.id]).get(root.id, ())
    seen = {(each.kind, each.id): each for each in (*children, root)}
    actions, remember = [], {}
    for record, bound in known.bound.items():
        found = seen.get((record.kind, bound.binding.target_id))
        if record.kind not in traces or found is None:
            continue
        action, bases = _cleaning(target, record, bound, found, traces[record.kind])
        actions += [action] if action else []
        remember[record] = bases
    _refuse_stranger(store, root, known.bound[key], actions)
    return Leaving(root, tuple(actions), remember)


def _cleaning(
    target: Target, record: RecordKey, bound: Bound, found: Observed, traces: Traces
) -> tuple[Action | None, dict[str, Base]]:
    """Returns the action that takes out of one object what the connector wrote, None if nothing
    is left of it; and the bases of what was taken out before."""
    base = bound.base
    hints = [
        {name: each.observed for name, each in base.items()},
        {name: each.desired for name, each in base.items()},
    ]
    # What is written and never read back (the facts on a card) is believed to be there.
    seen = {**_believed(base, traces), **target.split(found, hints)}
    wanted = {name: value for name, value in _wanted(base, seen, traces).items() if name in seen}
    changes = tuple(
        Change(name, base[name].observed, value, seen[name], Owner.SALES, _write(value))
        for name, value in wanted.items()
        if seen[name] != value
    )
    bases = {name: _base(value) for name, value in wanted.items() if seen[name] == value}
    if not changes:
        return None, bases
    fields = {**seen, **{change.field: change.desired for change in changes}}
    reason = "no longer kept in step: what was written is removed"
    action = Action(
        ActionType.UPDATE, record, reason, observed=found, fields=fields, changes=changes
    )
    return action, bases


def _wanted(base: Bases, seen: Mapping[str, Value], traces: Traces) -> dict[str, Value]:
    """Returns what fields should hold that the connector has written, as far as it may say so."""
    wanted = {name: value for name, value in traces.own.items() if name in base}
    for name, value in traces.shared.items():
        if name in base and seen.get(name) in (base[name].observed, value):
            wanted[name] = value
    for name in traces.sets & base.keys():
        wanted[name] = _elements(seen.get(name)) - _elements(base[name].observed)
    return wanted


def _base(value: Value) -> Base:
    """Returns the base of what was taken out: of a set, nothing is the connector's any more."""
    own = frozenset[str]() if isinstance(value, frozenset) else value
    return Base(own, own)


def _believed(base: Bases, traces: Traces) -> dict[str, Value]:
    return {name: base[name].observed for name in traces.own if name in base}


def _write(value: Value) -> Decision:
    return Decision(Verdict.WRITE, value, _base(value))


def _elements(value: Value) -> frozenset[str]:
    return value if isinstance(value, frozenset) else frozenset()


def _refuse_stranger(
    store: StateStore, root: Observed, bound: Bound, actions: Sequence[Action]
) -> None:
    """Refuses a root that does not say that it is ours.

    One that was unlinked before has no marker. It is known by what was written there and still is.
    """
    marker = Marker(store.pipeline, bound.binding.key.group)
    others = root.claimed_by_others(store.pipeline)
    if not others and root.belongs_to(marker):
        return
    still_ours = any(
        change.observed == change.base != change.desired
        for action in actions
        if action.key.is_root
        for change in action.changes
    )
    if not others and bound.binding.unlinked and (still_ours or not actions):
        return
    raise Rejected(
        f"{marker.key}: {root.kind} {root.id} does not carry the marker of this key alone: nothing "
        "in it is changed",
        ways_out=[Unlink(marker.key)],
    )


def leave(store: StateStore, target: Target, group: str, traces: Mapping[str, Traces]) -> Leaving:
    """Stops following a group, and takes out of its root what the connector wrote; returns what.

    People's text, title and content stay. What is left of an attempt that was cut off is done.

    :raises Rejected: as `plan_leaving`, or the target refuses.
    """
    leaving = done = plan_leaving(store, target, group, traces)
    known = store.known([group])[group]
    root = next(key for key in known.bound if key.is_root)
    store.unlink(root)
    found = leaving.root
    if found is None:
        return done
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            _write_all(store, target, leaving, known)
            break
        except Stale:
            if attempt == _ATTEMPTS:
                raise
            leaving = plan_leaving(store, target, group, traces)
    for record, bases in leaving.remember.items():
        store.rebase(record, bases)
    marker = Marker(store.pipeline, group)
    if marker in found.markers:
        target.unmark(found.id, marker)
    return done


def _write_all(store: StateStore, target: Target, leaving: Leaving, known: Known) -> None:
    """Writes the children's changes, then the root's."""
    assert leaving.root is not None, "there is nothing to write otherwise"
    ids = {key: bound.binding.target_id for key, bound in known.bound.items()}
    place = Place(leaving.root.id, ids)
    for action in sorted(leaving.actions, key=lambda each: each.key.is_root):
        assert action.observed is not None, "it was seen when it was planned"
        changes = {change.field: change.desired for change in action.changes}
        bases = {name: _base(value) for name, value in changes.items()}
        intent = store.intend(BY_HAND, action, bases)
        try:
            target.update(action.observed, changes, action.fields, place)
        except (Rejected, Stale) as error:
            store.fail(intent, str(error))
            raise
        binding = known.bound[action.key].binding
        is_root = action.key.is_root
        store.receive(intent, replace(binding, unlinked=is_root or binding.unlinked), bases)
