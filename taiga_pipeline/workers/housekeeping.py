"""What keeps a fleet going besides its runs: queue what is due, find what was left behind, heal
what a wrong clock did.

Each worker looks by its own stopwatch whether it is time; whose turn it is, the database decides,
by its clock alone. So it needs no job of its own, and no free place on a worker.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from procrastinate.jobs import Job, Status

from taiga_pipeline.workers import fairness
from taiga_pipeline.workers.decisions import Ending, wait
from taiga_pipeline.workers.fleet import Fleet, Member
from taiga_pipeline.workers.jobs import defer, make_job
from taiga_pipeline.workers.ledger import Ledger, Sight
from taiga_pipeline.workers.manager import Manager, QueueDatabase, is_outage, name_of
from taiga_pipeline.workers.overview import LOOK_AHEAD, was_lost
from taiga_pipeline.workers.queued import RUN

log = logging.getLogger(__name__)

_PERIOD: Final = LOOK_AHEAD
"""How often slots are looked at: as far apart as they are queued ahead of time."""


@dataclass(slots=True)
class Housekeeping:
    """One worker's share of it. ``fleet`` returns the fleet as it is now."""

    fleet: Callable[[], Fleet]
    ledger: Ledger
    random: Callable[[], float]
    manager: Manager
    database: QueueDatabase

    async def keep(self) -> None:
        """Does what is due, again and again, until it is cancelled."""
        while True:
            fleet = await asyncio.to_thread(self.fleet)
            often = recovery_period(fleet.workers.dead_after)
            await self._in_turn("recover", often, self.recover)
            await self._in_turn("queue due", _PERIOD, self.queue_due)
            await asyncio.sleep(min(often, _PERIOD).total_seconds() / 2)

    async def _in_turn(
        self, task: str, period: timedelta, do: Callable[[], Awaitable[None]]
    ) -> None:
        """Does a task if it is this worker's turn; what goes wrong is left to the next turn."""
        try:
            turn = 0.9 * period  # looks are never exactly that far apart
            if await self.database.ask_in_thread(self.ledger.take_turn, task, turn):
                await do()
        except Exception as error:
            if is_outage(error):
                self.database.report_outage(error)
            else:
                log.exception("the upkeep of the queue failed (%s)", task)

    # --- queue what is due

    async def queue_due(self) -> None:
        """Queues each pipeline whose slot has come, or comes within a minute, and each whose run
        was lost.
        """
        fleet = await asyncio.to_thread(self.fleet)
        await self._heal()
        sight = await self.database.ask_in_thread(self.ledger.look)
        slots = due_slots(fleet.members.values(), _slots(sight), sight.now)
        due = {**self._lost(fleet, sight), **slots.due}
        waiting = {job.name for job in sight.jobs if not job.is_running}
        for name in slots.wrong:
            log.warning("%s: the last recorded slot is in the future; it runs now", name)
        await defer(
            self.manager,
            [
                make_job(fleet.queue.name, fleet.members[name], at)
                for name, at in due.items()
                if name not in waiting
            ],
        )
        note = {**slots.seen, **slots.due}
        await self.database.ask_in_thread(self.ledger.note_slots, note)

    async def _heal(self) -> None:
        for name in await self.database.ask_in_thread(self.ledger.heal_jobs):
            log.warning("%s: waited for a time recorded by a wrong clock; it runs now", name)
        for host in await self.database.ask_in_thread(self.ledger.heal_hosts):
            log.warning("%s: was paused until a time recorded by a wrong clock", host)

    def _lost(self, fleet: Fleet, sight: Sight) -> dict[str, datetime]:
        """Returns the pipelines whose run or job is gone without having come to an end."""
        there = {job.name for job in sight.jobs}
        lost = {
            name: sight.now
            for name, run in sight.runs.items()
            if name in fleet.members and name not in there and was_lost(run, sight.now)
        }
        for name in lost:
            log.warning("%s: its run was lost with its job; it is run again", name)
        return lost

    # --- find what dead workers left behind

    async def recover(self) -> None:
        """Puts the jobs of workers that gave no sign of life back into the queue."""
        fleet = await asyncio.to_thread(self.fleet)
        silence = fleet.workers.dead_after.total_seconds()
        stalled = await self.database.ask(
            lambda: self.manager.get_stalled_jobs(seconds_since_heartbeat=silence)
        )
        for job in stalled:
            if job.queue == fleet.queue.name:
                await self._recover(job)

    async def _recover(self, job: Job) -> None:
        if job.task_name != RUN:
            await self.manager.finish_job(job, Status.FAILED, delete_job=True)
            return
        name, known = name_of(job), self.fleet().members
        noted, failures = None, 1
        if name in known:
            noted = await self.database.ask_in_thread(self.ledger.cut_off, name)
            failures = noted.failures
        pause = wait(Ending.CUT_OFF, failures, self.random)
        if pause is None:
            log.error("%r died with its worker %d times in a row", name, failures)
            await self.database.ask_in_thread(self.ledger.give_up, name)
            await self.manager.finish_job(job, Status.FAILED, delete_job=True)
            return
        now = noted.now if noted else await self.database.ask_in_thread(self.ledger.now)
        log.warning("%r: its worker died in mid-run; it is run again", name)
        await self.manager.retry_job(job, now + pause, fairness.priority(now + pause))


@dataclass(frozen=True, slots=True)
class Slots:
    """Slots to queue (``due``), and those that are only to be remembered (``seen``).

    ``wrong`` names pipelines of which a slot was noted that is still to come.
    """

    due: Mapping[str, datetime]
    seen: Mapping[str, datetime]
    wrong: tuple[str, ...] = ()


def due_slots(members: Iterable[Member], known: Mapping[str, datetime], now: datetime) -> Slots:
    """Compares the slots of pipelines with those that were noted last.

    A pipeline that is new waits for its next slot; else five hundred new ones would all start at
    once. Of slots that no one queued (no worker was there), only the last one is made up for. A
    slot that was noted and lies further ahead than anyone looks was noted by a clock that was
    wrong: who knows which slots passed meanwhile, so that the pipeline runs now.
    """
    due: dict[str, datetime] = {}
    seen: dict[str, datetime] = {}
    wrong = []
    for member in members:
        if member.schedule is None:
            continue
        if member.name not in known:
            seen[member.name] = member.schedule.latest(member.name, now)
            continue
        slot, noted = member.schedule.latest(member.name, now + LOOK_AHEAD), known[member.name]
        if noted > now + LOOK_AHEAD:
            wrong.append(member.name)
            due[member.name] = min(slot, now)
        elif slot > noted:
            due[member.name] = slot
    return Slots(due, seen, tuple(wrong))


def _slots(sight: Sight) -> dict[str, datetime]:
    return {name: run.slot for name, run in sight.runs.items() if run.slot is not None}


def recovery_period(dead_after: timedelta) -> timedelta:
    """Returns how often the dead are looked for: a few times within the time that makes one."""
    return min(timedelta(seconds=20), dead_after / 3)
