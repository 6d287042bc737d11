"""How all pipelines are doing: the fleet, its last runs and its queue, put side by side. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from sync.clock import is_ahead
from taiga_pipeline.workers.decisions import LONGEST_WAIT, Ending
from taiga_pipeline.workers.fleet import Fleet, Member
from taiga_pipeline.workers.ledger import LastRun, Sight
from taiga_pipeline.workers.queued import QueuedJob

LOOK_AHEAD: Final = timedelta(minutes=1)
"""How far ahead of time slots are queued: as often as that is looked."""
_GRACE: Final = timedelta(minutes=5)
"""How long after a slot it counts as passed without a run: workers may be busy, or restart."""
_LATE: Final = timedelta(hours=1)
"""How long a job that is due may wait for its turn."""
_NEED_PERSON: Final = frozenset(ending.value for ending in Ending if ending.needs_person)


class Now(StrEnum):
    """What is happening to a pipeline."""

    RUNNING = "running"
    QUEUED = "queued"
    """It is due, and waits for a worker or for its place at the host."""
    WAITING = "waiting"
    """Its job waits for its time: a slot within the next minute, or another try."""
    HELD = "held"
    """Its host does not answer and is left alone for a while."""
    IDLE = "idle"
    OFF = "off"
    """It runs only when someone asks for it."""


@dataclass(frozen=True, slots=True)
class Line:
    """One pipeline. ``next`` is when it runs next (UTC); None while it runs, or if it is off.

    ``trouble`` says what is wrong with its schedule or its times; "" if nothing is.
    """

    name: str
    host: str
    now: Now
    run: LastRun
    next: datetime | None
    trouble: str = ""

    @property
    def needs_person(self) -> bool:
        """Whether something waits that time alone does not fix."""
        waits = self.run.waiting > 0 or self.run.ending in _NEED_PERSON
        return waits or bool(self.trouble)

    def age(self, now: datetime) -> timedelta | None:
        """Returns the time since its last success.

        None if there was none, or if it lies in the future: a clock was wrong then, and no one
        knows when it was.
        """
        success = self.run.succeeded_at
        return now - success if success and not is_ahead(success, now) else None

    def is_stale(self, now: datetime, longest: timedelta) -> bool:
        """Whether its last success is too long ago. One that is off is not expected to run."""
        age = self.age(now)
        return self.now is not Now.OFF and (age is None or age > longest)


def overview(fleet: Fleet, sight: Sight) -> list[Line]:
    """Returns one line for each pipeline of the fleet, by name."""
    jobs = {job.name: job for job in sorted(sight.jobs, key=lambda job: job.is_running)}
    return [
        _line(
            member,
            sight.runs.get(name) or LastRun(name),
            jobs.get(name),
            sight.held.get(member.host),
            sight.now,
        )
        for name, member in fleet.members.items()
    ]


def _line(
    member: Member, run: LastRun, job: QueuedJob | None, held: datetime | None, now: datetime
) -> Line:
    state, following = _now(member, job, held, now)
    trouble = _trouble(member, run, job, state, now)
    return Line(member.name, member.host, state, run, following, trouble)


def _trouble(member: Member, run: LastRun, job: QueuedJob | None, state: Now, now: datetime) -> str:
    """Says in which way a pipeline does not run as it should; "" if it does."""
    for what, noted, latest in (
        ("success", run.succeeded_at, now),
        ("slot", run.slot, now + LOOK_AHEAD),
    ):
        if is_ahead(noted, latest):
            return f"its last {what} is recorded for {_at(noted)}, which is in the future"
    if job is not None:
        return _trouble_in_queue(job, state, now)
    return _trouble_in_schedule(member, run, now)


def _trouble_in_schedule(member: Member, run: LastRun, now: datetime) -> str:
    """Says that a pipeline without a job should have one; "" if it need not."""
    if was_lost(run, now - _GRACE):
        return f"its run of {_at(run.started_at)} was lost, or its slot of {_at(run.slot)}"
    if member.schedule is None or run.slot is None:
        return ""
    slot = member.schedule.latest(member.name, now - _GRACE)
    started = run.started_at or run.slot
    if slot > run.slot and slot - LOOK_AHEAD > started:
        return f"its slot of {_at(slot)} passed without a run"
    return ""


def _trouble_in_queue(job: QueuedJob, state: Now, now: datetime) -> str:
    due = job.due or now
    if due > now + LONGEST_WAIT:
        return f"its job waits until {_at(due)}, which is too far ahead: a clock was wrong"
    if state is Now.QUEUED and now - due > _LATE:
        return f"its job has been due since {_at(due)}, and no worker takes it"
    return ""


def was_lost(run: LastRun, now: datetime) -> bool:
    """Whether a pipeline without a job should have one: its last run was begun and did not end, or
    its last slot was queued and passed without a run.
    """
    started = run.started_at
    if started is None or started > now:
        return False
    has_ended = run.finished_at is not None and run.finished_at >= started
    # A job that waited already when the slot was noted may run up to so long before it.
    is_skipped = run.slot is not None and started < run.slot - LOOK_AHEAD and run.slot <= now
    return not has_ended or is_skipped


def _at(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment else "no slot"


def _now(
    member: Member, job: QueuedJob | None, held: datetime | None, now: datetime
) -> tuple[Now, datetime | None]:
    if job is not None and job.is_running:
        return Now.RUNNING, None
    if job is not None:
        due = max(job.due or now, held or now)
        if held is not None and held > now:
            return Now.HELD, due
        return (Now.WAITING, due) if due > now else (Now.QUEUED, now)
    if member.schedule is None:
        return Now.OFF, None
    return Now.IDLE, member.schedule.next(member.name, now)
