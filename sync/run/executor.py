"""Applies a plan: intent, write, receipt, one action after the other within a group.

Groups are independent and applied in parallel; within a group there is one writer. An error ends
with the smallest unit that it concerns: `Rejected` with the action, anything else that can be
waited out with the group, a `Stop` with the run.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from sync.clock import Clock
from sync.errors import (
    Failing,
    IncompleteRead,
    Malformed,
    NotSent,
    OutcomeUnknown,
    Rejected,
    Stale,
    Stop,
    SyncError,
    Unavailable,
    Unreachable,
)
from sync.plan.doubles import double_issue
from sync.plan.dropped_children import touched_issue
from sync.plan.group_planner import adopt_child, find_child
from sync.plan.issue_ways import with_usual_ways_out
from sync.plan.known import Bound
from sync.plan.model import Action, ActionType, Change, GroupPlan, Issue, IssueKind
from sync.plan.references import absent, waiting_issue
from sync.records.merge import base_after_create, base_after_write
from sync.records.model import Base, Binding, Desired, Marker, Observed, RecordKey, Value
from sync.run.log_context import logged
from sync.run.unexpected_errors import unforeseen
from sync.state.store import StateStore
from sync.target import (
    CompletesChildren,
    CompletesRoots,
    FindsLeftovers,
    HandsOver,
    Place,
    Target,
    Written,
)
from sync.ways_out import Explained

log = logging.getLogger(__name__)

SETTLE_WAITS = (0.5, 2.0, 5.0)
"""Seconds between looks for an object whose creation was not answered."""

STALE_ATTEMPTS = 3
"""How often a group is merged again because people changed it in that very moment."""

Replan = Callable[[GroupPlan], GroupPlan]
"""Observes a group again and plans it again."""


@dataclass(slots=True)
class Applied:
    """What was done. ``touched`` are the plans of the groups that were begun."""

    actions: list[Action] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)
    touched: list[GroupPlan] = field(default_factory=list)
    failed: set[str] = field(default_factory=set)
    """Keys of groups of which some action did not take place."""
    taken_away: list[RecordKey] = field(default_factory=list)
    """What people were found to have taken away."""
    skipped: int = 0
    """Groups that were not begun because the run was stopped."""
    stopped_by: Stop | None = None


@dataclass(slots=True)
class Executor:
    """Applies group plans to a target.

    ``replan`` observes a group again and plans it again; it is called where people changed an
    object since it was observed, so that their edit is merged, not written over.
    ``permit`` is called before each action and may raise a `Stop`. ``stop`` may be set from
    outside to end after the actions under way. ``progress`` is called with the number of groups
    that are done, from any thread.
    """

    target: Target
    store: StateStore
    clock: Clock
    run_id: int
    replan: Replan
    concurrency: int = 1
    stop: threading.Event = field(default_factory=threading.Event)
    progress: Callable[[int], None] = lambda done: None
    permit: Callable[[], None] = lambda: None
    _applied: Applied = field(default_factory=Applied, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)
    _unavailable_in_a_row: int = field(default=0, init=False)

    def apply(self, groups: Sequence[GroupPlan]) -> Applied:
        """Applies the groups; never raises a `SyncError`, but reports it in the answer."""
        if self.concurrency == 1 or len(groups) == 1:
            for group in groups:
                self._apply_safely(group)
        else:
            with ThreadPoolExecutor(self.concurrency, "sync") as pool:
                for future in [pool.submit(self._apply_safely, group) for group in groups]:
                    future.result()
        return self._applied

    # --- one group

    def _apply_safely(self, group: GroupPlan) -> None:
        """Applies a group; turns errors into issues, and a `Stop` into the end of the run."""
        if self.stop.is_set():
            with self._lock:
                self._applied.skipped += 1
            return
        try:
            with logged(run=self.run_id, group=group.key):
                self._apply_group(group)
            with self._lock:
                self._unavailable_in_a_row = 0
        except IncompleteRead as error:  # of what is in this group: others can be read
            self._add_issue(group, IssueKind.FAILED, error)
        except Stop as error:
            self._end_run(error)
            self._add_issue(group, IssueKind.FAILED, error)
        except OutcomeUnknown as error:
            self._add_issue(group, IssueKind.UNCERTAIN, error)
        except SyncError as error:
            self._add_issue(group, IssueKind.FAILED, error)
            self._count_unavailable(error)
        except Exception as error:
            issue = unforeseen(group.desired.root.key, error)
            self._add_issue(group, issue.kind, issue)
        with self._lock:
            self._applied.touched.append(group)
            done = len(self._applied.touched)
        self.progress(done)

    def _apply_group(self, group: GroupPlan) -> None:
        for _ in range(STALE_ATTEMPTS - 1):
            try:
                return self._apply_plan(group)
            except Stale as error:
                log.info("%s: merged again, because of a change just now (%s)", group.key, error)
                group = self.replan(group)
        return self._apply_plan(group)

    def _apply_plan(self, group: GroupPlan) -> None:
        taken = self.store.note(group, self.run_id)
        with self._lock:
            self._applied.taken_away += taken
        self._apply_actions(group)

    def _apply_actions(self, group: GroupPlan) -> None:
        """Applies a group's actions; what depends on a root that failed is not tried."""
        is_new = group.root is None  # nothing of it can be bound
        bound = {} if is_new else self.store.known([group.key])[group.key].bound
        progress = _GroupProgress.begin(group, bound)
        for planned in group.actions:
            if self.stop.is_set():
                raise Unavailable(f"{group.key}: the run was stopped before it was finished")
            self.permit()
            if planned.if_untouched and not self._may_take_back(planned, progress):
                continue
            action, is_asked = self._nameable(planned, progress)
            if not is_asked:
                continue
            try:
                with logged(action=action.type.value, record=str(action.key)):
                    self._apply_action(action, progress)
                    log.info("%s: %s done", action.key, action.type.value)
            except (Rejected, Malformed) as error:
                kind = IssueKind.DOUBLE if action.stays else IssueKind.FAILED
                self._add_issue(group, kind, error, action.key)
                if action.key.is_root:
                    return
                progress.unavailable[action.key] = absent(action.key)
            except OutcomeUnknown as error:
                if action.key.is_root:
                    raise
                self._add_issue(group, IssueKind.UNCERTAIN, error, action.key)
                progress.unavailable[action.key] = absent(action.key)
            else:
                with self._lock:
                    self._applied.actions.append(action)

    def _nameable(self, action: Action, progress: _GroupProgress) -> tuple[Action, bool]:
        """Returns an action without what names a child that turned out not to be there, or that
        cannot be named; whether anything is left of it. The plan had counted on that child."""
        record = action.desired
        missing = {
            name: reference
            for name, reference in (record.refers.items() if record else ())
            if reference.key in progress.unavailable and action.fields.get(name)
        }
        if record is None or not missing:
            return action, True
        for name, reference in missing.items():
            why = progress.unavailable[reference.key] if reference.key else ""
            with self._lock:
                self._applied.issues.append(waiting_issue(action.key, name, reference, why))
        changes = tuple(each for each in action.changes if each.field not in missing)
        if action.type is not ActionType.CREATE:
            return replace(action, changes=changes), bool(changes) or not action.changes
        fields = {**record.fields, **dict.fromkeys(missing)}
        record = replace(record, fields=fields)
        return replace(action, desired=record, fields=fields, changes=changes), True

    # --- one action

    def _apply_action(self, action: Action, progress: _GroupProgress) -> None:
        if action.stays is not None:
            self._take_back(action, action.stays, progress)
        elif action.type is ActionType.REMOVE:
            self._remove(action, progress)
        elif action.type is ActionType.CREATE:
            self._create(action, progress)
        elif action.delete and self._may_delete(action):
            self._remove(action, progress)
        elif action.changes or action.mark:
            self._update(action, progress)
        else:
            self._adopt(action, progress)

    def _may_delete(self, action: Action) -> bool:
        """Whether a root is still ours, and only the connector ever touched it."""
        root = self.target.observe_root(_observed(action).id)
        marker = Marker(self.store.pipeline, action.key.group)
        return root is not None and root.belongs_to(marker) and self.target.untouched(root.id)

    def _create(self, action: Action, progress: _GroupProgress) -> None:
        record = _desired(action)
        found = find_child(record, progress.born) if not record.key.is_root else None
        if found is not None:
            self._adopt(adopt_child(record, found, self.target.split), progress)
            return
        intended = {name: Base(value, value) for name, value in record.fields.items()}
        intent = self.store.intend(self.run_id, action, intended)
        with self._failing(intent):
            written = self._send_create(record, progress, intent)
        fields = self.target.split(written.record, [record.fields])
        bases = _bases_after_create(record, fields, written.unwritten)
        binding = _binding(action, written.record.id)
        self.store.receive(intent, replace(binding, created=not written.found), bases)
        progress.note(record.key, written)
        if action.again:
            self._report_leftover(record, written.record)

    def _report_leftover(self, record: Desired, made: Observed) -> None:
        """Says what an earlier attempt left; that this cannot be found out harms nothing."""
        if not isinstance(self.target, FindsLeftovers):
            return
        try:
            text = self.target.leftover(made)
        except SyncError as error:
            log.warning("%s: it is unknown what an earlier attempt left: %s", record.key, error)
            return
        if text:
            issue = Issue(IssueKind.LEFTOVER, record.key, f"{record.key}: {text}")
            issue = with_usual_ways_out(issue)
            with self._lock:
                self._applied.issues.append(issue)

    def _send_create(self, record: Desired, progress: _GroupProgress, intent: int) -> Written:
        """Sends a create; an answer that was lost is looked for, never asked for again."""
        marker = Marker(self.store.pipeline, record.key.group)
        try:
            if record.key.is_root:
                return self.target.create_root(record, marker)
            return self.target.create_child(record, progress.place)
        except NotSent:
            raise
        except (OutcomeUnknown, Unavailable, Malformed) as error:
            made = error.made if isinstance(error, OutcomeUnknown) else ""
            self._note_made(intent, made)
            found = self._look_for(record, marker, progress, made)
            if found is None:
                raise OutcomeUnknown(_not_found(record, error, made), made=made) from error
            log.info("%s: it was created, although its answer was lost", record.key)
            return found

    def _note_made(self, intent: int, made: str) -> None:
        """Commits the id of what was made, by which alone it may be found again."""
        if made:
            self.store.note_made(intent, made)

    def _look_for(
        self, record: Desired, marker: Marker, progress: _GroupProgress, made: str
    ) -> Written | None:
        """Looks for an object whose creation was not answered; None if it does not appear.

        What has an id (``made``) is there by now, or is not shown.
        """
        for seconds in SETTLE_WAITS[:1] if made else SETTLE_WAITS:
            self.clock.sleep(seconds)
            if record.key.is_root:
                roots = [root for root in self._roots(marker, made) if root.readable]
                if len(roots) == 1:
                    return self._completed_root(record, roots[0], progress.place)
            else:
                children = self.target.observe_children([progress.place.root_id])
                found = find_child(record, children.get(progress.place.root_id, ()))
                if found is not None:
                    self._complete_found(record, found, progress.place)
                    return Written(found, unwritten=self._lacking(record, found))
        return None

    def _roots(self, marker: Marker, made: str) -> Sequence[Observed]:
        if not made:
            return self.target.find_roots(marker)
        root = self.target.observe_root(made)
        return [root] if root is not None and marker in root.markers else []

    def _completed_root(self, record: Desired, root: Observed, place: Place) -> Written:
        """Completes a root that was found after its creation was not answered."""
        if isinstance(self.target, CompletesRoots):
            self._complete_found(record, root, place)
            root = self.target.observe_root(root.id) or root
        children = self.target.observe_children([root.id]).get(root.id, ())
        return Written(root, tuple(children), unwritten=self._lacking(record, root))

    def _complete_found(self, record: Desired, found: Observed, place: Place) -> None:
        """Completes what was made just now; a refusal does not say that it was never made.

        :raises OutcomeUnknown: it is refused: the next run tries again.
        """
        try:
            self._complete(record, found, place)
        except (NotSent, Rejected, Stale) as error:
            raise OutcomeUnknown(
                f"{record.key}: {record.key.kind} {found.id} was made, and is not complete: "
                f"{error}; the next run goes on with it",
                made=found.id,
            ) from error

    def _complete(self, record: Desired, found: Observed, place: Place) -> None:
        """Does what was left undone when a creation was cut off."""
        if record.key.is_root:
            if isinstance(self.target, CompletesRoots):
                marker = Marker(self.store.pipeline, record.key.group)
                self.target.complete_root(record, found, marker)
        elif isinstance(self.target, CompletesChildren):
            self.target.complete_child(record, found, place)

    def _lacking(self, record: Desired, found: Observed) -> frozenset[str]:
        """Names what an object does not hold whose creation was cut off after its first request."""
        fields = self.target.split(found, [record.fields])
        return frozenset(
            name
            for name, value in record.fields.items()
            if not isinstance(value, frozenset) and fields.get(name, value) != value
        )

    def _update(self, action: Action, progress: _GroupProgress) -> None:
        record, observed = _desired(action), _observed(action)
        intended = {change.field: _intended(change) for change in action.changes}
        intent = self.store.intend(self.run_id, action, intended)
        changes = {change.field: change.decision.value for change in action.changes}
        with self._failing(intent):
            if action.mark:
                self.target.mark(observed.id, Marker(self.store.pipeline, record.key.group))
                # Should the rest fail, its sets must not pass for the connector's own.
                self.store.rebase_under_way(record.key, _nothing_added(record))
            if action.type is ActionType.ADOPT and action.created:
                self._complete(record, observed, progress.place)
            written = Written(observed)
            if changes:
                written = self.target.update(observed, changes, action.fields, progress.place)
        fields = self.target.split(written.record, [action.fields])
        bases = {
            c.field: base_after_write(c.decision, c.desired, fields.get(c.field, c.decision.value))
            for c in action.changes
        }
        binding = _binding(action, observed.id)
        self.store.receive(intent, binding, {**action.remember, **bases})
        progress.note(record.key, written)

    def _adopt(self, action: Action, progress: _GroupProgress) -> None:
        """Binds an object for which nothing has to be written."""
        observed = _observed(action)
        if action.created:
            self._complete(_desired(action), observed, progress.place)
        self.store.adopt(_binding(action, observed.id), action.remember)
        progress.note(action.key, Written(observed))

    def _remove(
        self, action: Action, progress: _GroupProgress, heir: Observed | None = None
    ) -> None:
        """Removes an object; ``heir`` gets what the connector put into it."""
        intent = self.store.intend(self.run_id, action, {})
        with self._failing(intent):
            if heir is not None and isinstance(self.target, HandsOver):
                self.target.hand_over(_observed(action), heir, progress.place)
            self.target.remove(action.key.kind, _observed(action).id, progress.place)
        keys = list(progress.place.bound) if action.key.is_root else [action.key]
        self.store.receive_removal(intent, keys)

    def _may_take_back(self, action: Action, progress: _GroupProgress) -> bool:
        """Whether nothing was touched of what is to be removed; else it stays, and is reported."""
        if self.target.untouched_child(_observed(action), progress.place):
            return True
        self.store.let_stay(action.key)
        with self._lock:
            self._applied.issues.append(touched_issue(action.key))
        return False

    def _take_back(self, action: Action, older: Observed, progress: _GroupProgress) -> None:
        """Removes a double that the connector made, and keeps the older one in step.

        Two machines may each have made a container with a child in it, and which child stays says
        nothing of the containers: what stays is handed over.

        :raises Rejected: someone touched it.
        """
        younger, place = _observed(action), progress.place
        is_free = self.target.untouched_child(younger, place)
        if not is_free and not self._holds_only_own(younger, place):
            double = double_issue(action.key, [older, younger], younger)
            raise Rejected(double.message, ways_out=double.ways_out)
        self._remove(action, progress, heir=None if is_free else older)
        log.warning("%s: %s was made twice; %s stays", action.key, action.key.kind, older.id)
        self._adopt(adopt_child(_desired(action), older, self.target.split), progress)

    def _holds_only_own(self, child: Observed, place: Place) -> bool:
        return isinstance(self.target, HandsOver) and self.target.holds_only_own(child, place)

    # --- errors

    @contextmanager
    def _failing(self, intent: int) -> Iterator[None]:
        """Closes an intent whose write certainly did not happen; any other stays open."""
        try:
            yield
        except (NotSent, Rejected, Stale) as error:
            self.store.fail(intent, str(error))
            raise
        except OutcomeUnknown as error:
            self._note_made(intent, error.made)
            raise

    def _add_issue(
        self, group: GroupPlan, kind: IssueKind, why: Explained, key: RecordKey | None = None
    ) -> None:
        root, text = group.desired.root.key, why.message
        text = text if text.startswith(group.key) else f"{group.key}: {text}"
        issue = Issue(kind, key or root, text, ways_out=tuple(why.ways_out))
        with self._lock:
            self._applied.issues.append(issue)
            self._applied.failed.add(group.key)

    def _end_run(self, error: Stop) -> None:
        self.stop.set()
        with self._lock:
            self._applied.stopped_by = self._applied.stopped_by or error

    def _count_unavailable(self, error: SyncError) -> None:
        """Ends the run when the target has been unavailable for several groups in a row."""
        if not isinstance(error, Unavailable) or isinstance(error, Failing) or self.stop.is_set():
            return
        with self._lock:
            self._unavailable_in_a_row += 1
            in_a_row = self._unavailable_in_a_row
        if in_a_row >= 3 * self.concurrency:
            self._end_run(
                Unreachable(
                    f"{self.target.name} was unavailable {in_a_row} times in a row ({error}); the "
                    "rest is left for the next run"
                )
            )


@dataclass(slots=True)
class _GroupProgress:
    """What is known of a group while its actions are carried out.

    ``born`` are children that came into being along with the root. ``unavailable`` are children
    that no field of another can name, with the reason.
    """

    place: Place
    born: tuple[Observed, ...] = ()
    unavailable: dict[RecordKey, str] = field(default_factory=dict)

    @classmethod
    def begin(cls, group: GroupPlan, bound: Mapping[RecordKey, Bound]) -> _GroupProgress:
        ids = {
            key: item.binding.target_id for key, item in bound.items() if not item.binding.deleted
        }
        deleted = frozenset(bound.keys() - ids.keys())
        return cls(Place(group.root.id if group.root else "", ids, deleted))

    def note(self, key: RecordKey, written: Written) -> None:
        """Takes up what a write has brought."""
        root_id = written.record.id if key.is_root else self.place.root_id
        bound = {**self.place.bound, key: written.record.id}
        self.place = replace(self.place, root_id=root_id, bound=bound)
        if written.record.unavailable:
            self.unavailable[key] = f"{key.name} {written.record.unavailable}"
        self.born = (*self.born, *written.children)


def _not_found(record: Desired, error: SyncError, made: str) -> str:
    """Says what is known of a creation that was not confirmed."""
    if made:
        return f"{record.key}: {error}; the next run goes on with it"
    return (
        f"{record.key}: it is unknown whether the {record.key.kind} was created, "
        f"because no answer came ({error}); the next run looks for it first"
    )


def _nothing_added(record: Desired) -> dict[str, Base]:
    sets = (name for name, value in record.fields.items() if isinstance(value, frozenset))
    return {name: Base(frozenset(), frozenset()) for name in sets}


def _bases_after_create(
    record: Desired, fields: Mapping[str, Value], unwritten: Collection[str]
) -> dict[str, Base]:
    """Returns what to remember of a record that was created and answered with ``fields``.

    Of an unwritten field, sales and target are taken to have agreed on what the target holds, so
    that the value that is wanted counts as a change that is still to be written.
    """
    bases = {}
    for name, value in record.fields.items():
        answered = fields.get(name, value)
        is_unwritten = name in unwritten
        bases[name] = (
            Base(answered, answered) if is_unwritten else base_after_create(value, answered)
        )
    return bases


def _intended(change: Change) -> Base:
    """Returns the base that stands once the change is known to have happened."""
    if isinstance(change.desired, frozenset) and change.decision.base is not None:
        return change.decision.base
    return Base(change.desired, change.desired)


def _binding(action: Action, target_id: str) -> Binding:
    record = _desired(action)
    return Binding(
        key=action.key,
        target_id=target_id,
        created=action.created,
        when_dropped=record.when_dropped,
    )


def _desired(action: Action) -> Desired:
    assert action.desired is not None, "every action but a removal has a desired record"
    return action.desired


def _observed(action: Action) -> Observed:
    assert action.observed is not None, "every action but a creation has an observed object"
    return action.observed
