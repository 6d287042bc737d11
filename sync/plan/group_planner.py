"""Plans one group: desired, known and seen go in, actions and issues come out. Pure.

What happens to a root:

=============  ==================  =====================================================
bound          seen                outcome
=============  ==================  =====================================================
yes            yes                 merge; update, retire or restore where fields moved
yes            without our marker  report; nothing of it is written, removed or marked
by hand        yes                 mark it, and merge
yes            no                  people deleted it: report, or create again
no             one with marker     adopt (or finish a create whose receipt was lost)
no             several             ambiguous: report, never guess
no             none                create, unless it is only to be followed when known
=============  ==================  =====================================================

A root that hides its children (an archived one) is restored first; the next run looks at them.

Children are matched by binding, then by their natural identity. A child that was found in place is
bound just as it is, whoever owns its fields: from then on it is merged like any other.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from sync.plan.doubles import all_alike, oldest_first, settle_doubles
from sync.plan.dropped_children import Outcome, removal, renamed, settle_dropped
from sync.plan.group_issues import conflict_issue, deleted_issue
from sync.plan.issue_ways import with_usual_ways_out
from sync.plan.known import Bound, Known, Making, Seen
from sync.plan.model import Action, ActionType, Change, GroupPlan, Issue, IssueKind
from sync.plan.references import Others, settled_references
from sync.plan.unmarked_roots import stranger
from sync.records.merge import Decision, Verdict
from sync.records.model import (
    RETIRED,
    STATE,
    Base,
    Binding,
    Desired,
    DesiredGroup,
    Marker,
    Observed,
    RecordKey,
    WhenDeleted,
    WhenDropped,
    WhenRetired,
    by_identity,
    counted,
)
from sync.records.record_merge import Bases, MergedRecord, Splitter, merge_record

HIDDEN: Final = "the target does not show what is in it as it is now (archived, for example)"
"""The obstacle of a root that hides its children, and that no change of ours would open."""


def plan_group(
    desired: DesiredGroup, known: Known, seen: Seen, split: Splitter, pipeline: str
) -> GroupPlan:
    """Plans everything that has to be done for one group of ``pipeline``."""
    bound = known.bound.get(desired.root.key)
    if bound is not None and bound.binding.unlinked:
        return GroupPlan(desired.key, desired, seen.root)
    planner = _GroupPlanner(desired, known, split)
    for root in (seen.root, *seen.candidates):
        if root is not None and not root.readable:
            planner.obstruct(root)
            return planner.finish(None)
    if bound is not None and seen.root is not None:
        issue = stranger(Marker(pipeline, desired.key), seen.root, by_hand=not bound.base)
        if issue is not None and not bound.binding.deleted:
            return GroupPlan(desired.key, desired, seen.root, issues=(issue,))
        if issue is not None:  # its number was given out again
            seen = Seen()
    found = the_one(seen.candidates) if bound is None else None
    if found is not None and found.claimed_by_others(pipeline):
        claimed = stranger(Marker(pipeline, desired.key), found)
        return GroupPlan(desired.key, desired, None, issues=(claimed,) if claimed else ())
    planner.strays = strays_in(desired.key, seen)
    planner.children = tuple(seen.children) if desired.feeds_back else ()
    root = planner.plan_root(bound, seen)
    unreadable = desired.follow_children and not seen.readable
    if desired.follow_children and seen.readable and (root is not None or planner.actions):
        planner.plan_children(seen.children, seen.elsewhere)
    if root is not None and root.hides_children and unreadable and not planner.actions:
        root = replace(root, obstacle=root.obstacle or HIDDEN)  # nothing would show them
    if root is not None and root.obstacle and (planner.actions or unreadable):
        planner.obstruct(root)
    return planner.finish(root)


@dataclass(slots=True)
class _GroupPlanner:
    """A group's plan in the making."""

    desired: DesiredGroup
    known: Known
    split: Splitter
    actions: list[Action] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)
    kept: list[tuple[RecordKey, Change]] = field(default_factory=list)
    remember: dict[RecordKey, Bases] = field(default_factory=dict)
    bind: list[Binding] = field(default_factory=list)
    forget: list[RecordKey] = field(default_factory=list)
    rekey: list[tuple[RecordKey, RecordKey]] = field(default_factory=list)
    strays: tuple[Observed, ...] = ()
    children: tuple[Observed, ...] = ()

    def finish(self, root: Observed | None) -> GroupPlan:
        return GroupPlan(
            key=self.desired.key,
            desired=self.desired,
            root=root,
            actions=tuple(self.actions),
            issues=tuple(self.issues),
            kept=tuple(self.kept),
            remember=self.remember,
            bind=tuple(self.bind),
            forget=tuple(self.forget),
            rekey=tuple(self.rekey),
            facts=root.facts if root else {},
            strays=self.strays,
            children=self.children,
        )

    # --- the root

    def plan_root(self, bound: Bound | None, seen: Seen) -> Observed | None:
        """Plans the root by the table above; returns the object that stands for it, if any."""
        record = self.desired.root
        if bound is not None and seen.root is not None:
            self._merge_root(bound, seen.root)
        elif bound is not None:
            self._handle_deleted(bound)
        elif seen.candidates:
            return self._plan_candidates(seen.candidates)
        elif self.desired.create and not self.desired.retired:
            again = record.key in self.known.making
            self.actions.append(replace(_create(record, record.reason), again=again))
        return seen.root

    def _plan_candidates(self, candidates: Sequence[Observed]) -> Observed | None:
        """Binds the one root that can be meant by the marker, or reports that there are several."""
        root = the_one(candidates)
        if root is None:
            self._report_ambiguous(candidates)
        else:
            self._adopt_root(root)
        return root

    def _merge_root(self, bound: Bound, root: Observed) -> None:
        record = self.desired.root
        if bound.binding.deleted:  # whoever deleted it, or left it, brought it back
            self.bind.append(replace(bound.binding, deleted=False))
        by_hand = not bound.base and not any(m.key == self.desired.key for m in root.markers)
        base = bound.base or ({} if by_hand else self._own_elements())
        merged = self._merge(record, base, root)
        if not merged.writes and not by_hand:
            self.remember[record.key] = merged.remember
            return
        self.actions.append(
            Action(
                type=self._root_action(bound.base),
                key=record.key,
                reason=_reason(record, merged),
                desired=record,
                observed=root,
                fields=merged.fields,
                changes=merged.writes,
                remember=merged.remember,
                mark=by_hand,
                delete=self._deletes(bound),
                created=bound.binding.created,
            )
        )

    def _root_action(self, base: Bases) -> ActionType:
        """Names what the changes of a bound root amount to."""
        # A root that was marked, and whose adoption then broke off, remembers empty sets alone.
        if all(each == Base(frozenset(), frozenset()) for each in base.values()):
            return ActionType.ADOPT
        was_retired = STATE in base and base[STATE].desired == RETIRED
        if self.desired.retired and not was_retired:
            return ActionType.RETIRE
        if was_retired and not self.desired.retired:
            return ActionType.RESTORE
        return ActionType.UPDATE

    def _deletes(self, bound: Bound) -> bool:
        """Whether a retirement may remove the root: asked for, and the connector's own."""
        return (
            self._root_action(bound.base) is ActionType.RETIRE
            and bound.binding.created
            and self.desired.when_retired is WhenRetired.DELETE_IF_UNTOUCHED
        )

    def _handle_deleted(self, bound: Bound) -> None:
        """Reports a root that people deleted, or makes it again if that is asked for."""
        key = self.desired.root.key
        wanted = self.desired.create and not self.desired.retired
        if key in self.known.removing:  # it was not people: the receipt was lost
            self.forget.extend(self.known.bound)
            if wanted:
                self.actions.append(_create(self.desired.root, self.desired.root.reason))
            return
        if wanted and self.desired.when_deleted is WhenDeleted.RECREATE:
            self.forget.extend(self.known.bound)
            reason = "deleted in the target, and made again, as is asked for"
            self.actions.append(_create(self.desired.root, reason))
            return
        if not bound.binding.deleted:
            self.bind.append(replace(bound.binding, deleted=True))
        if wanted:
            self.issues.append(deleted_issue(key))

    def _report_ambiguous(self, candidates: Sequence[Observed]) -> None:
        key = self.desired.root.key
        ids = ", ".join(sorted(candidate.id for candidate in candidates))
        found = counted(len(candidates), key.kind)
        message = f"{key}: {found} carry its marker (ids {ids}), and none is bound"
        self.issues.append(with_usual_ways_out(Issue(IssueKind.AMBIGUOUS, key, message)))

    def _adopt_root(self, root: Observed) -> None:
        """Binds the one root that carries the marker."""
        record = self.desired.root
        recovered = record.key in self.known.making
        base = self.known.made(record.key) or self._own_elements()
        merged = self._merge(record, base, root)
        why = "its creation is confirmed" if recovered else "found by its marker"
        self.actions.append(
            Action(
                type=ActionType.ADOPT,
                key=record.key,
                reason=f"{why}; {record.reason}",
                desired=record,
                observed=root,
                fields=merged.fields,
                changes=merged.writes,
                remember=merged.remember,
                created=recovered,
            )
        )

    def _own_elements(self) -> Bases:
        """Returns the bases of the sets of a root that carries the marker, and of which nothing is
        remembered: what the source asks for, or did in another state, is the connector's own."""
        record = self.desired.root
        if record.key in self.known.intents:
            return {}
        return {
            name: Base(frozenset(), value | record.at_any_time.get(name, frozenset()))
            for name, value in record.fields.items()
            if isinstance(value, frozenset)
        }

    # --- the children

    def plan_children(
        self, observed: Sequence[Observed], elsewhere: Sequence[Observed] = ()
    ) -> None:
        """Plans the children in their order, then the removals."""
        bound = {key: value for key, value in self.known.bound.items() if not key.is_root}
        if self._makes_root():
            bound = {}
        by_id = {(item.kind, item.id): item for item in observed}
        bound = self._rename(bound, by_id)
        taken = {(item.binding.key.kind, item.binding.target_id) for item in bound.values()}
        free = [item for item in observed if (item.kind, item.id) not in taken]
        for record in self.desired.children:
            known = bound.get(record.key)
            if self._takes_back_double(record, known, observed, taken):
                continue
            if known is not None:
                found = by_id.get((record.key.kind, known.binding.target_id))
                settled = self._refer(record, bound, observed, found)
                self._plan_bound_child(settled, known, found, free)
            else:
                settled = self._refer(record, bound, observed, None)
                self._plan_new_child(settled, free, elsewhere)
        wanted = {record.key for record in self.desired.children} | self.desired.waiting
        for key in sorted(bound.keys() - wanted, key=self._order_of_removal):
            target_id = bound[key].binding.target_id
            self._drop_child(bound[key], by_id.get((key.kind, target_id)))
        for key in sorted(self.known.making.keys() - bound.keys() - wanted):
            if not key.is_root:
                self._drop_unreceived(key, self.known.making[key], free)

    def _refer(
        self,
        record: Desired,
        bound: Mapping[RecordKey, Bound],
        observed: Sequence[Observed],
        found: Observed | None,
    ) -> Desired:
        """Returns a child that names others only as far as they can be named; reports the rest."""
        if not record.refers:
            return record
        made = frozenset(action.key for action in self.actions)
        base = bound[record.key].base if record.key in bound else {}
        settled, issues = settled_references(record, base, found, Others(bound, observed, made))
        self.issues.extend(issues)
        return settled

    def _rename(
        self, bound: Mapping[RecordKey, Bound], by_id: Mapping[tuple[str, str], Observed]
    ) -> dict[RecordKey, Bound]:
        """Returns what is bound, the records that have another key by now under the new one."""
        new = {each.key: each for each in self.desired.children if each.key not in bound}
        wanted = {each.key for each in self.desired.children} | self.desired.waiting
        dropped = {
            key: item.base
            for key, item in bound.items()
            if key not in wanted
            and key.kind in self.desired.when_dropped
            and key not in self.known.intents
            and (key.kind, item.binding.target_id) in by_id
        }
        pairs = {
            key: old
            for key, old in self.desired.former.items()
            if key in new and old in bound and old not in wanted and old not in self.known.intents
        }
        others = {key: item for key, item in bound.items() if key not in pairs.values()}
        unnamed = {key: record for key, record in new.items() if key not in pairs}
        pairs |= self._known_by_another_name(others, unnamed, wanted, by_id)
        left = {key: base for key, base in dropped.items() if key not in pairs.values()}
        unnamed = {key: record for key, record in new.items() if key not in pairs}
        if left and unnamed and not self.desired.knows_former:
            pairs |= renamed(left, unnamed)
        self.rekey.extend((old, key) for key, old in pairs.items())
        moved = {
            key: replace(bound[old], binding=replace(bound[old].binding, key=key))
            for key, old in pairs.items()
        }
        return {**{k: v for k, v in bound.items() if k not in pairs.values()}, **moved}

    def _known_by_another_name(
        self,
        bound: Mapping[RecordKey, Bound],
        new: Mapping[RecordKey, Desired],
        wanted: Collection[RecordKey],
        by_id: Mapping[tuple[str, str], Observed],
    ) -> dict[RecordKey, RecordKey]:
        """Returns the new keys of records that people renamed in the target as sales did: someone
        whose address changed on both sides is one member, who neither leaves nor comes."""
        found: dict[RecordKey, RecordKey] = {}
        for old, item in bound.items():
            seen = by_id.get((old.kind, item.binding.target_id))
            if seen is None or old in wanted or old in self.known.intents:
                continue
            for key in new:
                names = by_identity([seen], key.kind, key.name.casefold(), key.group)
                if names and key not in found:
                    found[key] = old
        return found

    def _order_of_removal(self, key: RecordKey) -> tuple[int, RecordKey]:
        kinds = list(self.desired.when_dropped)
        return (kinds.index(key.kind) if key.kind in kinds else -1), key

    def _takes_back_double(
        self,
        record: Desired,
        known: Bound | None,
        observed: Sequence[Observed],
        taken: Collection[tuple[str, str]],
    ) -> bool:
        """Takes back a younger double that the connector made; reports any other."""
        binding = known.binding if known else None
        own = {(record.key.kind, binding.target_id)} if binding else set()
        outcome = settle_doubles(record, binding, observed, set(taken) - own)
        if isinstance(outcome, Action):
            self.actions.append(outcome)
            return True
        if outcome is not None:
            self.issues.append(outcome)
        return False

    def _makes_root(self) -> bool:
        return any(a.type is ActionType.CREATE and a.key.is_root for a in self.actions)

    def _plan_bound_child(
        self, record: Desired, bound: Bound, found: Observed | None, free: Sequence[Observed]
    ) -> None:
        if found is None:
            self._handle_missing_child(record, bound, free)
            return
        if bound.binding.deleted:  # it is back
            self.bind.append(replace(bound.binding, deleted=False))
        merged = self._merge(record, bound.base, found)
        if not merged.writes:
            self.remember[record.key] = merged.remember
            return
        self.actions.append(
            Action(
                ActionType.UPDATE,
                record.key,
                _reason(record, merged),
                desired=record,
                observed=found,
                fields=merged.fields,
                changes=merged.writes,
                remember=merged.remember,
                created=bound.binding.created,
            )
        )

    def _handle_missing_child(
        self, record: Desired, bound: Bound, free: Sequence[Observed]
    ) -> None:
        """A person's deletion counts as an edit: the child stays away."""
        if record.key in self.known.removing:  # it was not people: the receipt was lost
            self.forget.append(record.key)
            self._plan_new_child(record, free, ())
        elif not bound.binding.deleted:
            self.bind.append(replace(bound.binding, deleted=True))

    def _plan_new_child(
        self, record: Desired, free: Sequence[Observed], elsewhere: Sequence[Observed]
    ) -> None:
        """Binds a child that is already in place as it is, or creates it.

        One that people moved into another root is bound, too: it is not made a second time.
        """
        found = find_child(record, free) or find_child(record, elsewhere)
        if found is None:
            self.actions.append(_create(record, record.reason))
            return
        made = self.known.made(record.key)
        self.actions.append(adopt_child(record, found, self.split, made))

    def _drop_child(self, bound: Bound, found: Observed | None) -> None:
        """Does with a child that is no longer wanted what `sync.plan.dropped_children` says."""
        binding = bound.binding
        policy = self.desired.when_dropped.get(binding.key.kind)
        outcome = settle_dropped(binding, bound.base, found, policy, self.split)
        if isinstance(outcome, Action):
            self.actions.append(outcome)
        elif isinstance(outcome, Issue):
            self.issues.append(outcome)
        elif outcome is Outcome.FORGET:
            self.forget.append(binding.key)

    def _drop_unreceived(self, key: RecordKey, making: Making, free: Sequence[Observed]) -> None:
        """Removes a child that was made without a receipt, and is no longer wanted."""
        found = _named(free, key, making.identity)
        is_taken = any(action.observed is found for action in self.actions)
        if making.when_dropped is WhenDropped.REMOVE and found is not None and not is_taken:
            self.actions.append(removal(key, found))

    # --- both

    def _merge(self, record: Desired, base: Bases, observed: Observed) -> MergedRecord:
        """Merges a record; notes its conflicts and the edits that are kept."""
        intended = self.known.intents.get(record.key, ())
        merged = merge_record(record, base, intended, observed, self.split)
        self.kept.extend((record.key, change) for change in merged.kept)
        self.issues.extend(conflict_issue(record.key, change) for change in merged.conflicts)
        return merged

    def obstruct(self, root: Observed) -> None:
        """Replaces the actions of a group whose root cannot be written by an issue."""
        key = self.desired.root.key
        waiting = f"{len(self.actions)} change(s) wait" if self.actions else "nothing is compared"
        message = f"{key}: {waiting}, because the {key.kind} cannot be written: {root.obstacle}"
        self.actions.clear()
        self.issues.append(Issue(IssueKind.OBSTACLE, key, message))


def the_one(candidates: Sequence[Observed] | None) -> Observed | None:
    """Returns the root that a marker means: the only one, or the only one that is not a copy."""
    originals = [root for root in candidates or () if root.original]
    found = originals or list(candidates or ())
    return found[0] if len(found) == 1 else None


def strays_in(group: str, seen: Seen) -> tuple[Observed, ...]:
    """Returns the children that name another group as theirs."""
    return tuple(child for child in seen.children if child.group not in ("", group))


def adopt_child(
    record: Desired, found: Observed, split: Splitter, made: Bases | None = None
) -> Action:
    """Returns the action that binds a child as it is found, without any request.

    ``made`` is given where the connector itself made it and the receipt was lost.
    """
    fields = split(found, [record.fields])
    base = {
        name: (made or {}).get(name, Base(value, fields.get(name, value)))
        for name, value in record.fields.items()
    }
    return Action(
        ActionType.ADOPT,
        record.key,
        f"already there; {record.reason}",
        desired=record,
        observed=found,
        fields=fields,
        remember=base,
        created=bool(made),
    )


def find_child(record: Desired, observed: Sequence[Observed]) -> Observed | None:
    """Returns the object that answers to the natural identity of ``record``, the oldest first.

    Letter case never tells two children apart: addresses and role names are typed by hand.
    """
    return next(iter(all_alike(record, observed)), None)


def _named(observed: Sequence[Observed], key: RecordKey, name: str) -> Observed | None:
    found = by_identity(observed, key.kind, name.casefold(), key.group)
    return next(iter(oldest_first(found)), None)


def _create(record: Desired, reason: str) -> Action:
    """Returns the action that makes a record: every field is written."""
    changes = tuple(
        Change(name, None, value, None, record.owner(name), Decision(Verdict.WRITE, value))
        for name, value in record.fields.items()
    )
    return Action(
        ActionType.CREATE,
        record.key,
        reason,
        desired=record,
        fields=record.fields,
        changes=changes,
        created=True,
    )


def _reason(record: Desired, merged: MergedRecord) -> str:
    """Says why a record is written, and which edits by people are written over."""
    back = [c.field for c in merged.writes if c.decision.verdict is Verdict.WRITE_BACK]
    parts = [record.reason] if record.reason else []
    if back:
        parts.append(f"owned by sales and written back: {', '.join(back)}")
    return "; ".join(parts)
