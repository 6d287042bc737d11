"""The tasks of the queue: run a pipeline, queue what is due, find what dead workers left behind.

What stands in the queue is not trusted: a job names a pipeline, and everything else (which file,
which program, which secrets) comes from the worker's own fleet. The worst that somebody who can
write into the queue can do is to let a pipeline run, or not run.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException, UniqueViolation
from procrastinate.job_context import JobContext
from procrastinate.jobs import Job, Status
from procrastinate.manager import QUEUEING_LOCK_CONSTRAINT, JobManager
from procrastinate.retry import BaseRetryStrategy, RetryDecision
from psycopg import InterfaceError, OperationalError
from psycopg_pool import PoolTimeout
from sqlalchemy import make_url

from sync.clock import Clock
from taiga_pipeline.workers import fairness
from taiga_pipeline.workers.decisions import Ended, Ending, wait
from taiga_pipeline.workers.fleet import Fleet, Member
from taiga_pipeline.workers.ledger import RUN, Ledger

log = logging.getLogger(__name__)

QUEUE_DUE: Final = "pipeline-sync.queue-due"
RECOVER: Final = "pipeline-sync.recover"
LOOK_AHEAD: Final = timedelta(minutes=1)
"""How far ahead of time slots are queued: as often as that is looked."""
_UNKNOWN_TRIES: Final = 10
"""How often a pipeline that this worker's fleet does not know is offered to others."""
_PATIENCE: Final = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)
"""Waits, in seconds, until it is given up to note in the queue how a job ended."""


class Again(Exception):
    """The job is to be run again at ``at`` (UTC)."""

    def __init__(self, reason: str, at: datetime) -> None:
        super().__init__(f"{reason}; again at {at:%Y-%m-%d %H:%M:%S} UTC")
        self.at = at


class Strategy(BaseRetryStrategy):
    """Retries what asks for it with `Again`, at the time that it asks for, and nothing else."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        """Returns when to run the job again; None ends it."""
        if not isinstance(exception, Again):
            return None
        return RetryDecision(retry_at=exception.at, priority=fairness.priority(exception.at))


class Manager(JobManager):
    """Notes how jobs ended, whatever stands in the way of it.

    - A job cannot go back into the queue where another one of the same pipeline waits already.
      Then that one does its work, and it is over.
    - A database that is away for a moment is waited for. A job whose ending was never noted would
      count as under way for as long as its worker lives.
    """

    async def retry_job_by_id_async(self, job_id: int, *args: Any, **options: Any) -> None:
        """Puts a job back into the queue, or ends it where its place is taken."""
        again = super().retry_job_by_id_async
        try:
            await _patiently(lambda: again(job_id, *args, **options))
        except UniqueViolation as error:
            if error.constraint_name != QUEUEING_LOCK_CONSTRAINT:
                raise
            await self.finish_job_by_id_async(job_id, Status.FAILED, delete_job=True)

    async def finish_job_by_id_async(self, job_id: int, status: Status, delete_job: bool) -> None:
        """Ends a job."""
        end = super().finish_job_by_id_async
        await _patiently(lambda: end(job_id, status, delete_job))


async def _patiently(call: Callable[[], Awaitable[None]]) -> None:
    for seconds in _PATIENCE:
        try:
            return await call()
        except UniqueViolation:
            raise
        except ConnectorException as error:
            if not is_outage(error):
                raise
            log.warning("the queue's database is away, trying again in %.1f s", seconds)
            await asyncio.sleep(seconds)
    return await call()


def is_outage(error: ConnectorException) -> bool:
    """Tells whether the database could not be asked (and not: said no)."""
    return isinstance(error.__cause__, (OperationalError, InterfaceError, PoolTimeout))


class RunsPipelines(Protocol):
    """What runs a pipeline, and waits for its end."""

    async def run(self, member: Member, longest: timedelta) -> Ended:
        """Runs a pipeline; never raises for what goes wrong with the run itself."""


@dataclass(slots=True)
class Duties:
    """What a worker does. ``fleet`` returns the fleet as it is now.

    ``worker`` names this worker for people. ``ended`` counts the runs by how they ended.
    """

    fleet: Callable[[], Fleet]
    ledger: Ledger
    runs: RunsPipelines
    clock: Clock
    random: Callable[[], float]
    worker: str
    manager: JobManager
    ended: dict[Ending, int] = field(default_factory=dict)

    # --- run a pipeline

    async def run(self, context: JobContext, /, **arguments: Any) -> None:
        """Runs the pipeline that the job names.

        :raises Again: it is to be run again, and when.
        """
        fleet = await asyncio.to_thread(self.fleet)
        name = arguments.get("pipeline")
        member = fleet.members.get(name) if isinstance(name, str) else None
        if member is None:
            return self._unknown(name, context.job)
        held = await asyncio.to_thread(self.ledger.held_until, member.host)
        if held is not None and held > self.clock.now():
            raise Again(f"{member.name}: {member.host} does not answer", held)
        await asyncio.to_thread(self.ledger.begin, member, self.worker, self.clock.now())
        ended = await self.runs.run(member, fleet.workers.longest_run)
        failures = await asyncio.to_thread(self.ledger.end, member, ended, self.clock.now())
        self.ended[ended.ending] = self.ended.get(ended.ending, 0) + 1
        pause = wait(ended.ending, failures, self.random)
        self._tell(member, ended, pause)
        if pause is not None:
            raise Again(f"{member.name}: {ended.ending}", self.clock.now() + pause)
        return None

    def _unknown(self, name: object, job: Job) -> None:
        """Leaves a pipeline that is not in the fleet to a worker that knows it, for a while."""
        shown = repr(name)[:60]
        if isinstance(name, str) and job.attempts < _UNKNOWN_TRIES:
            raise Again(f"{shown} is not in this worker's fleet", self.clock.now() + LOOK_AHEAD)
        log.warning("a job asks for %s, which is no pipeline of this fleet; it is dropped", shown)

    def _tell(self, member: Member, ended: Ended, pause: timedelta | None) -> None:
        fine = ended.ending in (Ending.DONE, Ending.STOPPED, Ending.LOCKED)
        log.log(
            logging.INFO if fine else logging.WARNING,
            "%s: %s in %.1f s, %d changes, %d to look at%s%s",
            member.name,
            ended.ending.value,
            ended.seconds,
            ended.applied,
            ended.waiting,
            "" if pause is None else f"; again in {pause.total_seconds():.0f} s",
            f" ({ended.message})" if ended.message else "",
        )

    # --- queue what is due

    async def queue_due(self, timestamp: int = 0) -> None:
        """Queues each pipeline whose slot has come, or comes within a minute."""
        fleet = await asyncio.to_thread(self.fleet)
        known = await asyncio.to_thread(self.ledger.slots)
        due, seen = due_slots(fleet.members.values(), known, self.clock.now())
        if due:
            waiting = await asyncio.to_thread(self.ledger.jobs, RUN)
            queued = {job.name for job in waiting if not job.is_running}
            jobs = [
                make_job(fleet.queue.name, fleet.members[name], at)
                for name, at in due.items()
                if name not in queued
            ]
            await defer(self.manager, jobs)
        await asyncio.to_thread(self.ledger.note_slots, {**seen, **due})

    # --- find what dead workers left behind

    async def recover(self, timestamp: int = 0) -> None:
        """Puts the jobs of workers that gave no sign of life back into the queue."""
        fleet = await asyncio.to_thread(self.fleet)
        stalled = await self.manager.get_stalled_jobs(
            seconds_since_heartbeat=fleet.workers.dead_after.total_seconds()
        )
        for job in stalled:
            if job.queue in (fleet.queue.name, housekeeping(fleet.queue.name)):
                await self._recover(job)

    async def _recover(self, job: Job) -> None:
        try:
            if job.task_name == RUN:
                await self._run_again(job)
            else:
                await self._forget(job)
        except ConnectorException as error:
            if is_outage(error):
                raise
            log.debug("job %s: another worker was faster", job.id)

    async def _run_again(self, job: Job) -> None:
        name, known = job.task_kwargs.get("pipeline"), self.fleet().members
        failures = 1
        if isinstance(name, str) and name in known:
            failures = await asyncio.to_thread(self.ledger.cut_off, name)
        pause = wait(Ending.CUT_OFF, failures, self.random)
        if pause is None:
            log.error("%r died with its worker %d times in a row", name, failures)
            await self._forget(job)
            return
        at = self.clock.now() + pause
        log.warning("%r: its worker died in mid-run; it is run again", name)
        await self.manager.retry_job(job, retry_at=at, priority=fairness.priority(at))

    async def _forget(self, job: Job) -> None:
        assert job.id is not None
        await self.manager.finish_job_by_id_async(job.id, Status.FAILED, delete_job=True)


def due_slots(
    members: Iterable[Member], known: Mapping[str, datetime], now: datetime
) -> tuple[dict[str, datetime], dict[str, datetime]]:
    """Returns the slots to queue, and those that are only to be remembered.

    A pipeline that is new waits for its next slot; else five hundred new ones would all start at
    once. Of slots that nobody queued (no worker was there), only the last one is made up for.
    """
    due: dict[str, datetime] = {}
    seen: dict[str, datetime] = {}
    for member in members:
        if member.schedule is None:
            continue
        if member.name not in known:
            seen[member.name] = member.schedule.latest(member.name, now)
            continue
        slot = member.schedule.latest(member.name, now + LOOK_AHEAD)
        if slot > known[member.name]:
            due[member.name] = slot
    return due, seen


def housekeeping(queue: str) -> str:
    """Returns the name of the queue for what keeps the queue itself in order."""
    return f"{queue}#"


def make_job(queue: str, member: Member, due: datetime, *, overtakes: bool = False) -> Job:
    """Returns the job that runs a pipeline once ``due`` has come."""
    urgency = due - fairness.BY_HAND if overtakes else due
    return Job(
        id=None,
        queue=queue,
        lock=fairness.lock(queue, member.host, member.place),
        queueing_lock=fairness.queueing_lock(queue, member.name),
        task_name=RUN,
        task_kwargs={"pipeline": member.name},
        scheduled_at=due,
        priority=fairness.priority(urgency),
    )


async def defer(manager: JobManager, jobs: list[Job]) -> int:
    """Queues jobs; those of pipelines that wait already are left out. Returns how many are new."""
    if not jobs:
        return 0
    try:
        await manager.batch_defer_jobs_async(jobs)
    except AlreadyEnqueued:
        if len(jobs) == 1:
            return 0
        return sum([await defer(manager, [job]) for job in jobs])
    return len(jobs)


async def hurry(url: str, ledger: Ledger, members: Iterable[Member], now: datetime) -> int:
    """Queues pipelines ahead of others; returns how many did not stand there already.

    Those that wait for their time (another try) are queued anew.
    """
    app = make_app(url)
    async with app.open_async():
        waits = {job.name: job for job in ledger.jobs(RUN) if not job.is_running}
        wanted = []
        for member in members:
            job = waits.get(member.name)
            if job is not None and job.due is not None and job.due > now:
                await app.job_manager.cancel_job_by_id_async(job.id, delete_job=True)
            wanted.append(make_job(ledger.queue, member, now, overtakes=True))
        return await defer(app.job_manager, wanted)


def connector(url: str) -> PsycopgConnector:
    """Returns the library's way to the database at one of our URLs."""
    plain = make_url(url).set(drivername="postgresql")
    return PsycopgConnector(
        conninfo=plain.render_as_string(hide_password=False), min_size=1, max_size=4
    )


def make_app(url: str) -> App:
    """Returns the queue at a database, without any task yet."""
    app = App(connector=connector(url))
    app.job_manager = Manager(app.connector)
    return app


def assign(app: App, duties: Duties, fleet: Fleet) -> None:
    """Makes a worker's duties the tasks of its queue."""
    queue, own = fleet.queue.name, housekeeping(fleet.queue.name)
    app.task(name=RUN, queue=queue, pass_context=True, retry=Strategy())(duties.run)
    due = app.task(
        name=QUEUE_DUE,
        queue=own,
        priority=fairness.FIRST,
        queueing_lock=f"{own} due",
        lock=f"{own} due",
    )(duties.queue_due)
    # It has no lock: one that died while it looked for the dead would keep all others from looking.
    recover = app.task(
        name=RECOVER, queue=own, priority=fairness.FIRST, queueing_lock=f"{own} recover"
    )(duties.recover)
    seconds = recovery_seconds(fleet.workers.dead_after)
    app.periodic(cron="* * * * *", periodic_id=queue)(due)
    app.periodic(cron=f"* * * * * */{seconds}", periodic_id=queue)(recover)


def recovery_seconds(dead_after: timedelta) -> int:
    """Returns how often the dead are looked for: a few times within the time that makes one."""
    return max(1, min(20, int(dead_after.total_seconds() / 3)))
