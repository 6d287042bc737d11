"""How all pipelines are doing: the fleet, its last runs and its queue, put side by side. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from taiga_pipeline.workers.decisions import Ending
from taiga_pipeline.workers.fleet import Fleet, Member
from taiga_pipeline.workers.ledger import LastRun, QueuedJob

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
    """It runs only when somebody asks for it."""


@dataclass(frozen=True, slots=True)
class Line:
    """One pipeline. ``next`` is when it runs next (UTC); None while it runs, or if it is off."""

    name: str
    host: str
    now: Now
    run: LastRun
    next: datetime | None

    @property
    def needs_person(self) -> bool:
        """Whether something waits that time alone does not mend."""
        return self.run.waiting > 0 or self.run.ending in _NEED_PERSON

    def age(self, now: datetime) -> timedelta | None:
        """Returns the time since its last success, None if there was none."""
        return now - self.run.succeeded_at if self.run.succeeded_at else None

    def is_stale(self, now: datetime, longest: timedelta) -> bool:
        """Whether its last success is too long ago. One that is off is not expected to run."""
        age = self.age(now)
        return self.now is not Now.OFF and (age is None or age > longest)


def overview(
    fleet: Fleet,
    runs: Mapping[str, LastRun],
    jobs: Iterable[QueuedJob],
    held: Mapping[str, datetime],
    now: datetime,
) -> list[Line]:
    """Returns one line for each pipeline of the fleet, by name."""
    by_name = {job.name: job for job in sorted(jobs, key=lambda job: job.is_running)}
    return [
        _line(
            member, runs.get(name) or LastRun(name), by_name.get(name), held.get(member.host), now
        )
        for name, member in fleet.members.items()
    ]


def _line(
    member: Member, run: LastRun, job: QueuedJob | None, held: datetime | None, now: datetime
) -> Line:
    state, following = _now(member, job, held, now)
    return Line(member.name, member.host, state, run, following)


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
