"""The task of the queue: run a pipeline, and try it again when that makes sense.

What is in the queue is not trusted: a job names a pipeline, and everything else (which file,
which program, which secrets) comes from the worker's own fleet. The worst that someone who can
write into the queue can do is to let a pipeline run, or not run.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from procrastinate import App
from procrastinate.exceptions import AlreadyEnqueued, TaskNotFound
from procrastinate.job_context import JobContext
from procrastinate.jobs import Job
from procrastinate.manager import JobManager
from procrastinate.retry import BaseRetryStrategy, RetryDecision

from sync.errors import Unreachable
from taiga_pipeline.workers import fairness
from taiga_pipeline.workers.decisions import Ended, Ending, wait
from taiga_pipeline.workers.fleet import Fleet, Member
from taiga_pipeline.workers.ledger import Ledger
from taiga_pipeline.workers.manager import QueueDatabase, make_app, name_of
from taiga_pipeline.workers.overview import LOOK_AHEAD
from taiga_pipeline.workers.queued import RUN

log = logging.getLogger(__name__)

_TRIES: Final = 10
"""How often a job is tried again for which this worker can do nothing: its pipeline is not in the
fleet, so that it is offered to others, or something unforeseen is wrong."""


class Again(Exception):
    """The job is to be run again at ``at`` (UTC, by the database's clock); None: a little later."""

    def __init__(self, reason: str, at: datetime | None) -> None:
        when = f"at {at:%Y-%m-%d %H:%M:%S} UTC" if at else "soon"
        super().__init__(f"{reason}; again {when}")
        self.at = at


class Strategy(BaseRetryStrategy):
    """Tries again what asks for it with `Again`, at the time that it asks for.

    Whatever else ends a job is the worker's own trouble: it is tried again a little later, as often
    as is sensible. A run that was given up with that is noticed as lost (see `housekeeping`).
    """

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        """Returns when to run the job again; None ends it."""
        if isinstance(exception, Again) and exception.at is not None:
            at = exception.at
            return RetryDecision(retry_at=at, priority=fairness.priority(at))
        if isinstance(exception, TaskNotFound) or job.attempts >= _TRIES:
            return None
        return RetryDecision()


class RunsPipelines(Protocol):
    """What runs a pipeline, and waits for its end."""

    async def run(self, member: Member, longest: timedelta) -> Ended:
        """Runs a pipeline; never raises for what goes wrong with the run itself."""


@dataclass(slots=True)
class WorkerTasks:
    """What a worker does. ``fleet`` returns the fleet as it is now.

    ``worker`` names this worker for people. ``ended`` counts the runs by how they ended.
    """

    fleet: Callable[[], Fleet]
    ledger: Ledger
    runs: RunsPipelines
    random: Callable[[], float]
    worker: str
    database: QueueDatabase
    ended: dict[Ending, int] = field(default_factory=dict)

    async def run(self, context: JobContext, /, **arguments: Any) -> None:
        """Runs the pipeline that the job names.

        :raises Again: it is to be run again, and when.
        """
        try:
            await self._run(context.job, arguments.get("pipeline"))
        except (Again, Unreachable):
            raise
        except Exception as error:
            name = name_of(context.job)
            log.exception("%s: the worker failed in its run; it is tried again", name)
            raise Again(f"{name}: {error}", None) from error

    async def _run(self, job: Job, name: object) -> None:
        fleet = await asyncio.to_thread(self.fleet)
        member = fleet.members.get(name) if isinstance(name, str) else None
        if member is None:
            return await self._unknown(name, job)
        ask = self.database.ask_in_thread
        held = (await ask(self.ledger.held_hosts)).get(member.host)
        if held is not None:
            raise Again(f"{member.name}: {member.host} does not answer", held)
        await ask(self.ledger.begin, member, self.worker)
        ended = await self._carry_out(member, fleet.workers.longest_run)
        noted = await ask(self.ledger.end, member, ended)
        self.ended[ended.ending] = self.ended.get(ended.ending, 0) + 1
        pause = wait(ended.ending, noted.failures, self.random)
        self._report(member, ended, pause)
        if pause is not None:
            raise Again(f"{member.name}: {ended.ending}", noted.now + pause)
        return None

    async def _carry_out(self, member: Member, longest: timedelta) -> Ended:
        """Runs a pipeline; what keeps a run from beginning at all ends it as a fault."""
        try:
            return await self.runs.run(member, longest)
        except Exception as error:
            log.exception("%s: its run could not be carried out", member.name)
            return Ended(Ending.UNEXPECTED, message=f"{type(error).__name__}: {error}")

    async def _unknown(self, name: object, job: Job) -> None:
        """Leaves a pipeline that is not in the fleet to a worker that knows it, for a while."""
        shown = repr(name)[:60]
        if isinstance(name, str) and job.attempts < _TRIES:
            now = await self.database.ask_in_thread(self.ledger.now)
            raise Again(f"{shown} is not in this worker's fleet", now + LOOK_AHEAD)
        log.warning(
            "a job asks for %s, which is not a pipeline of this fleet; it is dropped", shown
        )

    def _report(self, member: Member, ended: Ended, pause: timedelta | None) -> None:
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


async def hurry(url: str, ledger: Ledger, members: Sequence[Member]) -> int:
    """Queues pipelines ahead of others; returns how many did not stand there already.

    Those that wait for their time (another try) are brought forward where they stand, in one
    statement: at no moment is a pipeline out of the queue.
    """
    app, manager = make_app(url)
    async with app.open_async():
        forward = await asyncio.to_thread(ledger.hurry, [member.name for member in members])
        now = await asyncio.to_thread(ledger.now)
        rest = [member for member in members if member.name not in forward]
        jobs = [make_job(ledger.queue, member, now, overtakes=True) for member in rest]
        return len(forward) + await defer(manager, jobs)


def assign(app: App, tasks: WorkerTasks, fleet: Fleet) -> None:
    """Makes running a pipeline the task of a worker's queue."""
    app.task(name=RUN, queue=fleet.queue.name, pass_context=True, retry=Strategy())(tasks.run)
