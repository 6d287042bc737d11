"""One run, from the lock to the summary. See `sync` for the ten steps."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sync.clock import Clock
from sync.errors import Locked, Refused, Rejected, SyncError, in_words, needed_by_every_run
from sync.plan.model import PARTIAL, GroupPlan, Issue, IssueKind, Plan
from sync.plan.pipeline_planner import PipelinePlanner, PlanningResult, Rules
from sync.plan.watched_edits import edits_that_stay
from sync.records.model import KEPT, STATE, Binding, RecordKey
from sync.run.executor import Applied, Executor
from sync.run.key_changes import follow_keys
from sync.run.lease import Lease, OffersLeases, Terms, acquire
from sync.run.lock import run_lock
from sync.run.log_context import logged
from sync.run.read_back import undone_writes
from sync.run.report import Outcome, RunReport
from sync.run.server_identity import note as note_server
from sync.run.server_identity import refuse_another
from sync.run.take_over import finish_all
from sync.source import GroupFacts, Source, TakesFacts, WriteBackResult
from sync.state.store import Checkpoint, StateStore
from sync.state.times import compare_is_due, settle_wait, trusted_now
from sync.target import Target
from sync.ways_out import Explained, SaveNewPlan, Statement

log = logging.getLogger(__name__)

__all__ = ["Options", "Outcome", "RunReport", "Runner", "open_for_run"]


LABELS = "labels"
"""The note of the state store that holds the labels that were ever written."""

NOTES = "notes"
"""The note of the state store that holds the remarks about the whole that were reported."""

_DIFFERS: Final = "the plan of now differs from the saved plan (source or target changed since)"

_RUNS_KEPT = timedelta(days=90)
"""How long a run that changed nothing is kept."""


@dataclass(frozen=True, slots=True)
class Options:
    """How a run behaves.

    ``settle_seconds`` is how long a write that was cut off may still take effect in the target;
    a run that finds a younger one waits that long before it looks. ``full_compare_hours`` is the
    age after which even groups in which nothing seems to have moved are compared.

    ``history_days`` is how long the journal is kept (see `sync.state.pruning`).
    ``lease_seconds`` is how long a machine that died keeps others from writing (0: no lease is
    taken); ``holder`` names this machine and the place of its state store. ``labels`` are all that
    may be written before a title: they are remembered, so that they are known for labels when they
    are used no more.
    """

    rules: Rules = field(default_factory=Rules)
    concurrency: int = 1
    settle_seconds: float = 30.0
    full_compare_hours: float = 24.0
    history_days: float = 730.0
    lease_seconds: float = 600.0
    holder: str = ""
    labels: frozenset[str] = frozenset()


@contextmanager
def open_for_run(url: str, pipeline: str, clock: Clock) -> Iterator[StateStore]:
    """Takes the run lock, then opens (and migrates) the state store at a database URL.

    :raises Locked: another run is at work.
    :raises StateUnusable: the store cannot be used.
    :raises Unreachable: its server cannot be reached, or was lost on the way.
    """
    with run_lock(url, pipeline, clock) as still_held:
        store = StateStore(url, pipeline, clock, permit=still_held)
        try:
            yield store
        finally:
            store.close()


@dataclass(slots=True)
class Runner:
    """Plans and runs one pipeline.

    ``stop`` may be set from outside: the run then ends after the actions under way.
    ``progress`` is called with the numbers of groups done and to do, from any thread.
    """

    source: Source
    target: Target
    store: StateStore
    clock: Clock
    options: Options = field(default_factory=Options)
    stop: threading.Event = field(default_factory=threading.Event)
    progress: Callable[[int, int], None] = lambda done, total: None
    _held: dict[str, GroupPlan] = field(default_factory=dict)

    @property
    def _planner(self) -> PipelinePlanner:
        return PipelinePlanner(self.source, self.target, self.store, self.options.rules)

    def plan(self, look_at_all: bool = False) -> Plan:
        """Returns what a run would do now; writes nothing anywhere.

        :raises Stop: source or target cannot be reached or read.
        """
        self.target.connect()
        refuse_another(self.store, self.target, self.source)
        return self._planner.plan(look_at_all).plan

    def run(self, look_at_all: bool = False, expect: str | None = None) -> RunReport:
        """Plans and applies.

        :param look_at_all: compare every group, also those in which nothing seems to have moved.
        :param expect: fingerprint of a saved plan; the run is refused if the present one differs.
        :raises Stop: source or target cannot be reached or read; nothing was applied.
        """
        started, requests = self.clock.now(), self.target.request_count
        self._held.clear()
        look_at_all = look_at_all or self._compares_all()
        run_id = self.store.begin_run(look_at_all)
        self.store.add_words(LABELS, self.options.labels)
        try:
            with logged(run=run_id):
                with needed_by_every_run():
                    self.target.connect()
                    refuse_another(self.store, self.target, self.source)
                self._wait_for_late_writes()
                finish_all(self.store, self.target)
                follow_keys(self.store, self.target, self.source)
                planned = self._planned(look_at_all)
                planned, done = self._carry_out(run_id, planned, look_at_all, expect)
                report = self._report(run_id, started, requests, planned, done)
        except BaseException as error:
            self._end_badly(run_id, error)
            raise
        self.store.end_run(run_id, report.outcome, report.summary())
        if look_at_all:
            self._prune()
        return report

    def _planned(self, look_at_all: bool) -> PlanningResult:
        with needed_by_every_run():
            return self._planner.plan(look_at_all)

    def _compares_all(self) -> bool:
        """Whether every group is to be compared; a run for some groups alone is no such run."""
        is_whole = self.options.rules.only is None
        return is_whole and compare_is_due(self.store, self.options.full_compare_hours)

    def _end_badly(self, run_id: int, error: BaseException) -> None:
        """Records how a run ended that did not finish, whatever ended it.

        Where nothing can be recorded, the first error counts.
        """
        outcome = _outcome_of(error)
        said = Statement(in_words(error))
        if isinstance(error, SyncError):
            said = Statement.of(error)
        with suppress(SyncError):
            self.store.end_run(run_id, outcome, {"error": said.to_json()})

    def _report(
        self, run_id: int, started: datetime, requests: int, planned: PlanningResult, done: _Done
    ) -> RunReport:
        write_back = self._write_back_facts(done)
        return RunReport(
            run_id=run_id,
            started=started,
            finished=self.clock.now(),
            outcome=self._outcome(done, write_back),
            plan=planned.plan,
            requests=self.target.request_count - requests,
            applied=tuple(done.applied.actions),
            issues=tuple(done.issues),
            new_issues=tuple(done.new_issues),
            ended_issues=tuple(done.ended_issues),
            meanwhile=tuple(done.meanwhile),
            taken_away=tuple(sorted(set(done.taken_away))),
            unread=done.unread,
            skipped=done.applied.skipped,
            refusals=done.refusals,
            stopped_by=done.applied.stopped_by,
            write_back=write_back,
            new_notes=self._new_notes(planned.plan, done),
            held=tuple(self._held.values()),
        )

    def settle(self, group: GroupPlan) -> None:
        """Stores that a group that feeds back is as it should be: one of `RunReport.held`, once
        what people changed in it is carried to the source."""
        self.store.save_checkpoints([self._checkpoint(group)])

    def _new_notes(self, plan: Plan, done: _Done) -> tuple[str, ...]:
        """Returns the remarks that no run has reported before, and remembers them."""
        known = self.store.words(NOTES)
        if not done.refusals:
            self.store.add_words(NOTES, plan.notes)
        return tuple(note for note in plan.notes if note not in known)

    def _prune(self) -> None:
        """Forgets what is old; once a day is often enough."""
        now = trusted_now(self.store)
        keep = timedelta(days=self.options.history_days)
        self.store.prune(now - min(_RUNS_KEPT, keep), now - keep)

    # --- before

    def _wait_for_late_writes(self) -> None:
        """Waits until a write that was cut off has either happened or never will.

        A server finishes a request whose client is gone. Looking too early would miss a new object
        and make a second one; or it would miss a change, which would then undo a newer one.
        """
        intents = self.store.open_intents()
        if not intents:
            return
        newest = max(intents, key=lambda intent: intent.id)
        wait = settle_wait(self.store, newest, self.options.settle_seconds)
        if wait > 0:
            log.warning(
                "the outcome of the write to %s is unknown; waiting %.0f s before looking",
                newest.key,
                wait,
            )
            self.clock.sleep(wait)

    # --- applying

    def _carry_out(
        self, run_id: int, planned: PlanningResult, look_at_all: bool, expect: str | None
    ) -> tuple[PlanningResult, _Done]:
        """Applies a plan unless a limit or ``expect`` forbids it; returns the plan that counted.

        The lease is taken only where there is something to write: a run that changes nothing makes
        no request for it.
        """
        refusals = _refusals(planned.plan, expect)
        if refusals:
            return planned, _Done(refusals=refusals)
        if not planned.plan.actions or self.stop.is_set():
            return planned, self._apply(run_id, planned)
        with self._leased() as lease:
            if lease is not None and lease.others_were_here:
                planned = self._planned(look_at_all)
                refusals = _refusals(planned.plan, expect)
            if refusals:
                return planned, _Done(refusals=refusals)
            return planned, self._apply(run_id, planned, lease)

    @contextmanager
    def _leased(self) -> Iterator[Lease | None]:
        """Holds the lease for as long as the block runs; None if the target offers none.

        It is not given back while a write may still take effect: another machine must not look
        for what became of it too early.
        """
        seconds = self.options.lease_seconds
        if not seconds or not isinstance(self.target, OffersLeases):
            yield None
            return
        terms = Terms(self.store.identity(), self.options.holder, seconds)
        try:
            lease = acquire(self.target.leases, self.store.pipeline, terms, self.clock)
        except Rejected as error:  # this account has no place for it there
            log.info("nothing keeps a second machine out: %s", error)
            yield None
            return
        self.target.guard(lease.check)
        try:
            yield lease
        finally:
            self.target.guard(lambda: None)
            if not self.store.open_intents():
                lease.release()

    def _apply(self, run_id: int, planned: PlanningResult, lease: Lease | None = None) -> _Done:
        """Applies the plan, looks at what was written, and stores how everything stands."""
        is_right = planned.observation.marked or not self.store.index()
        if is_right:
            note_server(self.store, self.target, self.source)
        self._settle_orphans(planned)
        quiet = [group for group in planned.plan.groups if group.is_quiet]
        busy = [group for group in planned.plan.groups if not group.is_quiet]
        checkpoints, taken_away = self._take_note(run_id, quiet)
        executor = Executor(
            target=self.target,
            store=self.store,
            clock=self.clock,
            run_id=run_id,
            replan=self._planner.plan_again,
            concurrency=self.options.concurrency,
            stop=self.stop,
            progress=lambda done: self.progress(min(done, len(busy)), len(busy)),
            permit=lease.keep if lease else lambda: None,
        )
        applied = executor.apply(busy)
        if is_right:
            note_server(self.store, self.target, self.source)  # some tell only now who they are
        done = _Done(applied)
        done.taken_away = [*taken_away, *applied.taken_away]
        done.issues = [*planned.plan.issues, *applied.issues]
        checkpoints += self._verify(run_id, done, executor)
        done.issues = _without_duplicates(done.issues)
        # A group with a checkpoint is not looked at again: its issues have to be stored first.
        done.new_issues, done.ended_issues = self.store.replace_issues(done.issues)
        self.store.save_checkpoints(checkpoints)
        return done

    def _checkpoint(self, group: GroupPlan) -> Checkpoint:
        assert group.root is not None
        # That one of two is gone may leave no trace: the next run looks again.
        is_doubled = any(issue.kind is IssueKind.DOUBLE for issue in group.issues)
        return Checkpoint(
            key=group.key,
            fingerprint=group.fingerprint,
            change_token="" if is_doubled else group.root.change_token,
            state=str(group.desired.root.fields.get(STATE, "")),
            facts=self._facts_of(group),
            likeness=group.desired.likeness,
        )

    def _facts_of(self, group: GroupPlan) -> Mapping[str, object]:
        """Returns a group's facts, with the edits of people that the source wants to know of."""
        if group.desired.follow_children:
            return {**group.facts, **edits_that_stay(group)}
        known = self.store.facts(group.key)[0]
        if group.root is not None and group.root.hides_children:  # as they were when last seen
            return {**known, **group.facts}
        # Children are left alone, and so are people's edits in them.
        kept = known.get(KEPT)
        return {**group.facts, KEPT: kept} if kept else group.facts

    def _settle_orphans(self, planned: PlanningResult) -> None:
        """Settles open intents of groups that are not planned in this run.

        A root that was being made is found by its marker, or was not made. What became of anything
        else is looked at when its group is back.
        """
        index = self.store.index()
        never, later = [], []
        for intent in planned.orphans:
            found = planned.observation.candidates.get(intent.key.group, [])
            is_unclear = len(found) > 1 or any(not root.readable for root in found)
            if not intent.key.is_root or intent.key.group in index or is_unclear:
                later.append(intent.id)
            elif found:
                binding = Binding(intent.key, found[0].id, created=True)
                self.store.adopt(binding, intent.intended)
            else:
                never.append(intent.id)
        self.store.abandon(never)
        self.store.postpone(later)

    def _take_note(
        self, run_id: int, groups: list[GroupPlan]
    ) -> tuple[list[Checkpoint], list[RecordKey]]:
        """Stores what agrees in groups for which nothing has to be written.

        Returns their checkpoints, and what people were found to have taken away.
        """
        self.store.note_kept(run_id, [edit for group in groups for edit in group.kept])
        taken = [key for group in groups for key in self.store.note(group, run_id)]
        resting = [group for group in groups if _may_rest(group)]
        self.store.look_again([group.key for group in groups if not _may_rest(group)])
        self._held.update({group.key: group for group in resting if group.desired.feeds_back})
        return [self._checkpoint(group) for group in resting if not group.desired.feeds_back], taken

    def _verify(self, run_id: int, done: _Done, executor: Executor) -> list[Checkpoint]:
        """Reads back everything that was written, and plans it again; returns checkpoints.

        Where that plan is empty, all is as it should be, and the group counts as settled from the
        change token that was read *before* its children. Where it is not, people changed the group
        while it was written (or the server did not keep what it confirmed): the next run merges it.
        """
        written = [g for g in done.applied.touched if g.key not in done.applied.failed]
        if not written or done.applied.stopped_by:
            return []
        try:
            again = self._planner.compare(written)
            again |= self._take_back_doubles(again, done, executor)
        except SyncError as error:
            done.unread = str(error)
            log.warning("what was written could not be read back; the next run reads it: %s", error)
            return []
        undone = self._note_undone(written, again)
        quiet = [g for g in again.values() if g.is_quiet and g.key not in undone]
        opened = {g.key for g in written if g.root is not None and g.root.hides_children}
        done.meanwhile = sorted(again.keys() - {group.key for group in quiet} - opened)
        done.issues.extend(issue for group in quiet for issue in group.issues)
        checkpoints, taken_away = self._take_note(run_id, quiet)
        done.taken_away += taken_away
        return checkpoints

    def _take_back_doubles(
        self, again: Mapping[str, GroupPlan], done: _Done, executor: Executor
    ) -> dict[str, GroupPlan]:
        """Takes back what another machine made at the same moment; returns how it stands then.

        Only the read after a write shows it: both had looked before, and found nothing.
        """
        applied = done.applied
        doubled = [
            group
            for group in again.values()
            if group.actions and all(action.stays is not None for action in group.actions)
        ]
        if not doubled or self.stop.is_set():
            return {}
        before = len(applied.issues)
        executor.apply(doubled)
        done.issues.extend(applied.issues[before:])
        return self._planner.compare(
            [group for group in doubled if group.key not in applied.failed]
        )

    def _note_undone(
        self, written: Collection[GroupPlan], again: Mapping[str, GroupPlan]
    ) -> set[str]:
        """Has the next run repeat what did not stay; returns the keys of the groups concerned."""
        undone = set()
        for group in written:
            bases = undone_writes(group, again[group.key]) if group.key in again else {}
            for key, fields in bases.items():
                self.store.rebase(key, fields)
                undone.add(group.key)
        return undone

    # --- after

    def _write_back_facts(self, done: _Done) -> WriteBackResult:
        """Writes delivery facts into a source that takes them.

        A failure does not undo what was synced; it is reported.
        """
        source = self.source
        ended_early = done.refusals or done.applied.stopped_by or self.stop.is_set()
        if ended_early or not isinstance(source, TakesFacts) or not source.takes_facts:
            return WriteBackResult()
        try:
            return source.take_facts(self._facts())
        except SyncError as error:
            return WriteBackResult(problems=(str(error),))
        except Exception as error:
            log.exception("delivery facts could not be written back")
            return WriteBackResult(
                problems=(f"delivery facts were not written back: {in_words(error)}",)
            )

    def _facts(self) -> Iterator[GroupFacts]:
        """Yields what is known of all groups but those that were unlinked; nothing of the gone."""
        index = self.store.index()
        for key, (facts, seen_at) in self.store.all_facts().items():
            row = index[key]
            if row.is_followed:
                yield GroupFacts(key, facts, seen_at, row.state)
            elif row.deleted:
                yield GroupFacts(key, {}, seen_at, "")

    def _outcome(self, done: _Done, write_back: WriteBackResult) -> Outcome:
        if done.refusals:
            return Outcome.REFUSED
        if done.applied.stopped_by or done.applied.skipped or self.stop.is_set():
            return Outcome.STOPPED
        partial = bool(write_back.problems or done.unread) or any(
            issue.kind in PARTIAL for issue in done.issues
        )
        return Outcome.PARTIAL if partial else Outcome.DONE


@dataclass(slots=True)
class _Done:
    """What came of applying a plan."""

    applied: Applied = field(default_factory=Applied)
    refusals: tuple[Explained, ...] = ()
    issues: list[Issue] = field(default_factory=list)
    new_issues: list[Issue] = field(default_factory=list)
    ended_issues: list[Issue] = field(default_factory=list)
    meanwhile: list[str] = field(default_factory=list)
    taken_away: list[RecordKey] = field(default_factory=list)
    unread: str = ""


def _outcome_of(error: BaseException) -> Outcome:
    if isinstance(error, Refused):
        return Outcome.REFUSED
    return Outcome.LOCKED if isinstance(error, Locked) else Outcome.ERROR


def _refusals(plan: Plan, expect: str | None) -> tuple[Explained, ...]:
    """Says why a plan must not be applied; nothing if it may."""
    if not plan.breaches and expect is not None and plan.fingerprint() != expect:
        return (Statement(_DIFFERS, (SaveNewPlan(),)),)
    return plan.breaches


def _may_rest(group: GroupPlan) -> bool:
    """Whether a group need not be looked at again until something moves."""
    in_the_way = (IssueKind.OBSTACLE, IssueKind.UNMARKED)
    obstructed = any(issue.kind in in_the_way for issue in group.issues)
    return group.root is not None and not obstructed


def _without_duplicates(issues: list[Issue]) -> list[Issue]:
    """Keeps the last of issues that are about the same thing."""
    return list({(issue.kind, issue.key, issue.field): issue for issue in issues}.values())
