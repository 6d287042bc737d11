"""Plans a whole pipeline: observe, read the source, merge, check the limits.

Only the groups that may have to be written are held in memory: in a run in which nothing moved,
that is none of them, however many there are. A group stands *still* when neither its fingerprint
(source side) nor its change token (target side) differs from what was remembered.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Final

from sync.errors import Malformed, SyncError, in_words
from sync.plan.counting import (
    Mailed,
    count_actions,
    count_mails,
    mails_origin,
    most_cleared,
    most_mails,
    name_some,
)
from sync.plan.group_planner import plan_group
from sync.plan.known import Known, Seen
from sync.plan.limit_settings import DEFAULTS, Limit
from sync.plan.limits import Amount, Breach, check_limits
from sync.plan.model import GroupPlan, Issue, IssueKind, Plan
from sync.plan.observation import (
    Observation,
    look,
    look_at_one,
    look_for_made,
    look_for_missing,
    observe,
    recall,
    with_strays,
)
from sync.plan.open_issues import (
    copied_issues,
    dropped_part_issue,
    gone_issue,
    quarantine_issue,
    stray_binding,
    stray_issue,
)
from sync.plan.other_server import hints, without_proof
from sync.plan.parts import dropped_parts, parts_of, renamed_groups
from sync.plan.watched_edits import watched_edits_of
from sync.records.model import RETIRED, TITLE, DesiredGroup, RecordKey, WhenGone
from sync.records.similar_keys import Likeness, Match, find_matches, held
from sync.run.server_identity import UNPROVEN
from sync.run.unexpected_errors import unforeseen
from sync.source import ChangesKeys, FollowsEdits, KeyChanges, Quarantined, Source, wholes_of
from sync.state.store import GroupRow, JournalEntry, StateStore
from sync.target import ObservesOwn, SendsMails, Target

log = logging.getLogger(__name__)

Index = Mapping[str, GroupRow]


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds a plan back, and what becomes of groups that are gone from the source.

    ``only`` names the groups that are planned, None for all; others stay as they are, with what is
    open about them.
    """

    limits: Mapping[str, Limit] = field(default_factory=lambda: dict(DEFAULTS))
    allow: frozenset[str] = frozenset()
    when_gone: WhenGone = WhenGone.REPORT
    only: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class PlanningResult:
    """A plan, and what planning found on the way.

    ``orphans`` are open intents of groups that the source does not (any longer) hold.
    """

    plan: Plan
    observation: Observation
    orphans: tuple[JournalEntry, ...] = ()


@dataclass(slots=True)
class _Wanted:
    """What the source holds, as far as it concerns this run.

    ``dropped`` are parts that are there and not asked for any more, each with its whole.
    """

    groups: dict[str, DesiredGroup] = field(default_factory=dict)
    present: set[str] = field(default_factory=set)
    gone: list[str] = field(default_factory=list)
    retired: set[str] = field(default_factory=set)
    dropped: dict[str, str] = field(default_factory=dict)
    quarantined: list[Quarantined] = field(default_factory=list)
    renumbered: list[Match] = field(default_factory=list)
    left_alone: dict[str, list[str]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    is_complete: bool = True
    unchanged: int = 0
    left_out: frozenset[str] = frozenset()


_IN_THE_WAY: Final = (IssueKind.FAILED, IssueKind.OBSTACLE)
"""What ended the work on a group before it was compared."""


@dataclass(frozen=True, slots=True)
class PipelinePlanner:
    """Plans a pipeline. Reads from source, target and store; writes nothing anywhere."""

    source: Source
    target: Target
    store: StateStore
    rules: Rules = field(default_factory=Rules)

    def plan(self, look_at_all: bool = False) -> PlanningResult:
        """Returns the plan of the whole pipeline.

        With ``look_at_all`` every bound group is compared, also where nothing seems to have moved.

        :raises Stop: the source or the target cannot be read (completely).
        """
        index = self.store.index()
        intents = self.store.open_intents()
        own_only = bool(index) and not intents and not look_at_all
        with _reading_all(self.target.name):
            observation = observe(self.target, self.store.pipeline, index, look_at_all, own_only)
            self._look_for_made(index, observation)
        unsettled = {intent.key.group for intent in intents}
        wanted = self._read_source(index, observation, unsettled)
        if own_only and wanted.groups.keys() - index.keys():
            self._look_among_others(index, observation)
        self._handle_gone(wanted, index)
        self._leave_others(wanted)
        looked = self._look(wanted.groups, index, observation)
        groups = [self._plan_group(wanted.groups[key], *seen) for key, seen in looked.items()]
        groups = self._follow_edits(groups, looked, wanted, index, observation)
        plan = Plan(
            pipeline=self.store.pipeline,
            groups=tuple(groups),
            quarantined=tuple(wanted.quarantined),
            breaches=self._breaches(groups, wanted, observation, index),
            other_issues=(
                *self._other_issues(index, wanted, observation),
                *_copies(index, wanted, observation),
                *self._moved_children(groups, index, wanted),
            ),
            unchanged=wanted.unchanged,
            left_alone={why: tuple(keys) for why, keys in wanted.left_alone.items()},
            bound=_kept_up(index),
            mails=count_mails(groups, self._mailed),
            notes=wanted.notes,
        )
        is_whole = self.rules.only is None  # else, the next whole run finds out about the others
        orphans = (i for i in intents if is_whole and i.key.group not in wanted.groups)
        return PlanningResult(plan, observation, tuple(orphans))

    def _leave_others(self, wanted: _Wanted) -> None:
        """Leaves out all groups but those that are meant: they count as if nothing had moved."""
        only = self.rules.only
        if only is not None:
            whole_of = wholes_of(self.source)
            wanted.left_out = frozenset(
                key for key in wanted.groups if key not in only and whole_of(key) not in only
            )
            wanted.unchanged += len(wanted.left_out)
            for key in wanted.left_out:
                del wanted.groups[key]

    def _look_among_others(self, index: Index, observation: Observation) -> None:
        """Looks at all roots, where only the pipeline's own were read: that a new group is nowhere
        yet, and no one else's, shows only there."""
        if isinstance(self.target, ObservesOwn):
            every = observe(self.target, self.store.pipeline, index)
            observation.candidates, observation.others = every.candidates, every.others
            self._look_for_made(index, observation)

    def _look_for_made(self, index: Index, observation: Observation) -> None:
        """Looks for the roots of which it is known that they were made, and not completed."""
        made = {k: name for k, name in self.store.made_roots().items() if k.group not in index}
        look_for_made(self.target, self.store.pipeline, made, observation)

    def _breaches(
        self,
        groups: Sequence[GroupPlan],
        wanted: _Wanted,
        observation: Observation,
        index: Index,
    ) -> tuple[Breach, ...]:
        """Returns the limits that a plan exceeds. A source without anything in it is broken."""
        limits, strange = dict(self.rules.limits), self._strange(groups, observation, index)
        counts = {
            **count_actions(groups),
            "cleared": most_cleared(groups),
            "mails": self._count_mails(groups),
            "source_shrink": Amount(len(wanted.gone), examples=name_some(wanted.gone)),
            **strange,
        }
        if not wanted.present:
            limits["source_shrink"] = Limit(0)
            empty = "the source holds nothing at all"
            counts["source_shrink"] = Amount(len(wanted.gone), detail=empty)
        for name in without_proof(strange, observation, self.store, self.target):
            limits[name] = Limit(0)
            counts[name] = replace(strange[name], detail=f"{UNPROVEN}: {strange[name].detail}")
        return check_limits(counts, _kept_up(index), limits, self.rules.allow)

    def _strange(
        self, groups: Sequence[GroupPlan], observation: Observation, index: Index
    ) -> dict[str, Amount]:
        found = hints(groups, observation, index, self.store, self.target)
        return {name: Amount(len(f), detail=name_some(f.values())) for name, f in found.items()}

    @property
    def _mailed(self) -> Mailed:
        target = self.target
        return target.mails if isinstance(target, SendsMails) else lambda desired: ""

    def _count_mails(self, groups: Sequence[GroupPlan]) -> Amount:
        mails = count_mails(groups, self._mailed)
        most = next(iter(mails), "")
        return most_mails(mails, mails_origin(groups, self._mailed, most) if most else "")

    def plan_again(self, group: GroupPlan) -> GroupPlan:
        """Plans one group again, from what source and store say and the target shows right now."""
        known = self.store.known([group.key])[group.key]
        if any(key.is_root for key in known.bound):
            seen = look_at_one(self.target, group.key, known)
        else:  # to be adopted: there is no binding yet
            seen = self._look_again(group)
        return self._plan_again(group, known, seen)

    def compare(self, groups: Collection[GroupPlan]) -> dict[str, GroupPlan]:
        """Plans groups again that were just written: an empty plan shows that all went well."""
        index = self.store.index()
        bound = [group for group in groups if group.key in index]
        roots = recall(self.target, index, [group.key for group in bound])
        seen = look(self.target, roots, {}, list(roots))
        known = self.store.known(list(roots))
        return {
            group.key: self._plan_again(group, known[group.key], seen[group.key])
            for group in bound
            if group.key in roots
        }

    def _look_again(self, group: GroupPlan) -> Seen:
        root = self.target.observe_root(group.root.id) if group.root else None
        candidates = {group.key: [root] if root else []}
        return look(self.target, {}, candidates, [group.key])[group.key]

    # --- the source

    def _read_source(
        self, index: Index, observation: Observation, unsettled: Collection[str]
    ) -> _Wanted:
        """Goes through the source once, and keeps the groups that have to be looked at."""
        reading = self.source.read()
        troubled = self._troubled()
        wanted = _Wanted()
        for group in reading.groups:
            wanted.present.add(group.key)
            if group.retired:
                wanted.retired.add(group.key)
            row = index.get(group.key)
            if row is None:
                makes = group.create and not group.retired
                if makes or group.key in observation.candidates or group.key in unsettled:
                    wanted.groups[group.key] = group
                elif group.left_alone:
                    wanted.left_alone.setdefault(group.left_alone, []).append(group.key)
            elif (
                group.key in observation.still
                and group.key not in troubled
                and _is_asked_as_before(group, row)
            ):
                wanted.unchanged += 1
            elif not row.unlinked:
                wanted.groups[group.key] = group
        wanted.quarantined = reading.quarantined
        wanted.dropped = dropped_parts(self.source, index, wanted.present)
        wanted.present |= reading.present | {row.key for row in reading.quarantined}
        wanted.present |= parts_of(self.source, index, wanted.present)
        wanted.is_complete = reading.complete
        wanted.notes = tuple(reading.notes)
        self._handle_renamed(wanted, index)
        made = wanted.groups.keys() - index.keys() - observation.candidates.keys() - set(unsettled)
        wanted.renumbered = self._renumbered(made, wanted, index, reading.fading)
        for match in wanted.renumbered:
            del wanted.groups[match.new]
            wanted.present.update(match.former)
            wanted.quarantined.append(held(match))
        return wanted

    def _troubled(self) -> frozenset[str]:
        """Returns the groups that could not be planned when they were last looked at: nothing has
        to move in them before they are looked at again."""
        issues = (open_issue.issue for open_issue in self.store.issues())
        return frozenset(each.key.group for each in issues if each.kind in _IN_THE_WAY)

    def _handle_renamed(self, wanted: _Wanted, index: Index) -> None:
        """Leaves out groups that take over the root of their former key as soon as a run begins."""
        for former, key in pending(renamed_groups(self.source, index), index):
            if former not in wanted.present and key in wanted.groups:
                del wanted.groups[key]
                wanted.present.add(former)
                wanted.notes = (*wanted.notes, f"{former} is {key} now: a run takes its root along")

    def _renumbered(
        self, made: Collection[str], wanted: _Wanted, index: Index, fading: Collection[str]
    ) -> list[Match]:
        """Returns which new groups may be bound ones of another key that are gone."""
        missing = [
            key
            for key, row in index.items()
            if row.is_followed and (key not in wanted.present or key in fading)
        ]
        if not missing or not made:
            return []
        new = {}
        for key in made:
            group = wanted.groups[key]
            new[key] = Likeness(group.likeness, self._title(group))
        found = self._likenesses([key for key in missing if index[key].state != RETIRED])
        # One that was lost and is gone since is not what a new one of its name is.
        return find_matches(new, {key: found.get(key, Likeness()) for key in missing})

    def _title(self, group: DesiredGroup) -> str:
        """Returns a root's title as it was remembered; planning reports a defect in it."""
        try:
            return str(self.target.fit(group.root).fields.get(TITLE) or "")
        except Exception:
            return ""

    def _likenesses(self, keys: Collection[str]) -> dict[str, Likeness]:
        """Returns what bound groups are recognised by; old ones by the title that they had."""
        found = {k: Likeness(text) for k, text in self.store.likenesses(keys).items()}
        unknown = [key for key, each in found.items() if not each.likeness]
        for key, known in self.store.known(unknown).items():
            titles = [bound.base.get(TITLE) for each, bound in known.bound.items() if each.is_root]
            title = next((base.desired for base in titles if base is not None), "")
            found[key] = Likeness(title=str(title or ""))
        return found

    def renumbered(self) -> list[Match]:
        """Returns the groups whose key may have changed: those that a plan holds back."""
        index = self.store.index()
        unsettled = {intent.key.group for intent in self.store.open_intents()}
        observation = observe(self.target, self.store.pipeline, index)
        return self._read_source(index, observation, unsettled).renumbered

    def _handle_gone(self, wanted: _Wanted, index: Index) -> None:
        """Finds the bound groups that are gone from the source; puts them away if so asked."""
        # A part that nothing asks for stays, but not beyond its whole.
        dropped = {key for key, whole in wanted.dropped.items() if whole in wanted.retired}
        self._put_away([key for key in dropped if index[key].state != RETIRED], wanted)
        if not wanted.is_complete:
            return
        gone = {k for k, row in index.items() if row.is_followed} - wanted.present
        wanted.gone = sorted(key for key in gone if index[key].state != RETIRED)
        removed = _key_changes(self.source).removed if wanted.gone else frozenset()
        whole_of = wholes_of(self.source)
        put_away = [key for key in wanted.gone if key in removed or whole_of(key) in removed]
        if self.rules.when_gone is WhenGone.RETIRE:
            put_away = wanted.gone
        # What was removed on purpose is no sign of a source that lost something.
        wanted.gone = [
            key for key in wanted.gone if key not in removed and whole_of(key) not in removed
        ]
        self._put_away(put_away, wanted)

    def _put_away(self, keys: Sequence[str], wanted: _Wanted) -> None:
        """Has groups retired that the source does not ask for."""
        for key, known in (self.store.known(keys) if keys else {}).items():
            root = next(bound for record, bound in known.bound.items() if record.is_root)
            base = {name: value.desired for name, value in root.base.items()}
            wanted.groups[key] = self.source.retired(key, base)

    # --- the groups

    def _follow_edits(
        self,
        groups: Sequence[GroupPlan],
        looked: Mapping[str, tuple[Known, Seen]],
        wanted: _Wanted,
        index: Index,
        observation: Observation,
    ) -> list[GroupPlan]:
        """Plans again what is asked for otherwise, now that people's edits in it are known."""
        found = ((group.key, watched_edits_of(group, looked[group.key][0])) for group in groups)
        edits = {key: each for key, each in found if each is not None}
        if not (edits and isinstance(self.source, FollowsEdits)):
            return list(groups)
        again: dict[str, DesiredGroup] = {}
        for group in self.source.follow(edits):
            before = wanted.groups.get(group.key)
            row = index.get(group.key)
            if before is not None:
                if group.fingerprint() != before.fingerprint():
                    again[group.key] = group
            elif row is not None and self._moves_now(group, row, wanted, observation):
                again[group.key] = group
                wanted.unchanged -= 1
        wanted.groups.update(again)
        others = {key: group for key, group in again.items() if key not in looked}
        seen = {**looked, **self._look(others, index, observation)} if others else looked
        planned = {key: self._plan_group(group, *seen[key]) for key, group in again.items()}
        replaced = [planned.pop(group.key, group) for group in groups]
        return [*replaced, *planned.values()]

    @staticmethod
    def _moves_now(
        group: DesiredGroup, row: GroupRow, wanted: _Wanted, observation: Observation
    ) -> bool:
        """Whether a group that counted as unchanged has to be looked at after all."""
        return (
            row.is_followed
            and group.key in observation.still
            and group.key not in wanted.left_out
            and not _is_asked_as_before(group, row)
        )

    def _look(
        self, wanted: Mapping[str, DesiredGroup], index: Index, observation: Observation
    ) -> dict[str, tuple[Known, Seen]]:
        """Returns what is known and what is seen of groups, by their keys."""
        strange = {k: Seen(root) for k, root in observation.unmarked.items() if k in wanted}
        others = [key for key in wanted if key not in strange]
        roots = {key: root for key, root in observation.moved.items() if key in others}
        unread = [
            key
            for key in others
            if key in observation.still
            or (key in index and key not in roots and not index[key].deleted)
        ]
        roots |= recall(self.target, index, unread)
        known = self.store.known(list(wanted))
        candidates = {
            key: observation.may_stand_for(key) if key not in index else observation.candidates[key]
            for key in (*wanted, *observation.candidates)
            if key not in index or key in observation.candidates
        }
        with _reading_all(self.target.name):
            first = look(self.target, roots, candidates, others)
            seen = with_strays({**look_for_missing(self.target, first, known), **strange})
        return {key: (known[key], seen[key]) for key in wanted}

    def _plan_group(self, desired: DesiredGroup, known: Known, seen: Seen) -> GroupPlan:
        """Plans a group; what goes wrong there is its own trouble, a defect of ours included."""
        try:
            plan = self._plan(self._fit(desired), known, seen)
            return replace(plan, fingerprint=desired.fingerprint())
        except Exception as error:
            return _unplanned(desired, error)

    def _plan_again(self, group: GroupPlan, known: Known, seen: Seen) -> GroupPlan:
        try:
            plan = self._plan(group.desired, known, seen)
        except Exception as error:
            return _unplanned(group.desired, error)
        return replace(plan, fingerprint=group.fingerprint)

    def _plan(self, desired: DesiredGroup, known: Known, seen: Seen) -> GroupPlan:
        return plan_group(desired, known, seen, self.target.split, self.store.pipeline)

    def _fit(self, group: DesiredGroup) -> DesiredGroup:
        """Returns the group with every value as the target can hold it."""
        return replace(
            group,
            root=self.target.fit(group.root),
            children=tuple(self.target.fit(child) for child in group.children),
        )

    # --- what else is open

    def _other_issues(
        self, index: Index, wanted: _Wanted, observation: Observation
    ) -> tuple[Issue, ...]:
        """Returns the issues that no group's plan brings up."""
        stays = [
            open_issue.issue
            for open_issue in self.store.issues()
            if self._still_open(open_issue.issue, wanted, observation)
        ]
        rows = [quarantine_issue(row) for row in wanted.quarantined]
        left = [key for key in wanted.gone if key not in wanted.groups]
        gone = [gone_issue(RecordKey(key, index[key].kind)) for key in left]
        dropped = [
            dropped_part_issue(RecordKey(key, index[key].kind), whole)
            for key, whole in wanted.dropped.items()
            if index[key].state != RETIRED and key not in wanted.groups
        ]
        return (*stays, *rows, *gone, *dropped)

    def _moved_children(
        self, groups: Sequence[GroupPlan], index: Index, wanted: _Wanted
    ) -> list[Issue]:
        """Returns the children that people moved into another group's root, and are followed."""
        strays = [(group.desired.root.key, child) for group in groups for child in group.strays]
        owners = {child.group for _, child in strays}
        known = self.store.known(owners & (index.keys() | wanted.groups.keys()))
        gone = {key for group in groups for key in group.taken_away}
        return [
            stray_issue(child, stray, place, is_gone=stray.key in gone)
            for place, child in strays
            if child.group in known
            if not (stray := stray_binding(child, known[child.group])).unlinked
        ]

    @staticmethod
    def _still_open(issue: Issue, wanted: _Wanted, observation: Observation) -> bool:
        """Whether an issue stays open because its group was not looked at in this run."""
        if issue.key.group in wanted.left_out:
            return True
        if issue.kind is IssueKind.GONE:
            return not wanted.is_complete
        if issue.kind is IssueKind.LEFTOVER:  # until a person says that it was removed
            return True
        is_found_anew = issue.kind in (IssueKind.COPIED, IssueKind.DROPPED) and issue.key.is_root
        if issue.kind is IssueKind.QUARANTINED or is_found_anew:  # looked for in every run
            return False
        if issue.kind is IssueKind.UNMARKED:
            return issue.key.group in observation.unmarked and issue.key.group not in wanted.groups
        # That a child is elsewhere is recognised by the group whose root it is in.
        is_elsewhere = issue.kind in (IssueKind.MOVED, IssueKind.COPIED)
        key = str(issue.observed) if is_elsewhere else issue.key.group
        return key in observation.still and key not in wanted.groups


@contextmanager
def _reading_all(name: str) -> Iterator[None]:
    """Turns what was not foreseen, in a reading that concerns all groups, into the engine's error.

    :raises Malformed: nothing was concluded, and nothing written.
    """
    try:
        yield
    except SyncError:
        raise
    except Exception as error:
        log.exception("%s could not be read", name)
        raise Malformed(
            f"the answer of {name} could not be understood ({in_words(error)}), and was not used. "
            "The log says where it happened"
        ) from error


def _is_asked_as_before(group: DesiredGroup, row: GroupRow) -> bool:
    """Whether the source asks for what it asked for before; where that is unknown, it is
    planned, and planning says what is wrong."""
    try:
        return group.fingerprint() == row.fingerprint
    except Exception:
        return False


def _unplanned(desired: DesiredGroup, error: Exception) -> GroupPlan:
    """Returns the plan of a group that could not be planned: nothing to do, and what is wrong."""
    return GroupPlan(desired.key, desired, None, issues=(unforeseen(desired.root.key, error),))


def _copies(index: Index, wanted: _Wanted, observation: Observation) -> list[Issue]:
    """Returns the issues of followed groups whose marker is on more roots than one."""
    bound = {key: row.root_id for key, row in index.items() if not row.unlinked}
    ours = {k: v for k, v in observation.candidates.items() if k in bound or k in wanted.groups}
    return copied_issues(ours, bound)


def _kept_up(index: Index) -> int:
    return sum(row.is_followed and row.state != RETIRED for row in index.values())


def _key_changes(source: Source) -> KeyChanges:
    return source.key_changes() if isinstance(source, ChangesKeys) else KeyChanges()


def pending(renamed: Iterable[tuple[str, str]], index: Index) -> list[tuple[str, str]]:
    """Returns the former keys whose root is still theirs, each with what it became in the end."""
    became = dict(renamed)
    found = []
    for former, next_key in became.items():
        key, seen = next_key, {former}
        while key in became and key not in seen:
            seen.add(key)
            key = became[key]
        row, new = index.get(former), index.get(key)
        if row is not None and row.is_followed and (new is None or not new.is_followed):
            found.append((former, key))
    return found
