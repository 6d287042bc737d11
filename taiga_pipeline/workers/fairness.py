"""Which runs exclude each other, and in which order they are taken.

All of it is reported with two things that the queue knows already, so that its database enforces it
over all workers:

- a job's *lock*: of jobs with the same lock only one is under way at any time. The lock is a place
  at the pipeline's host. A host with two places is asked by two runs at most, and since a pipeline
  always has the same place, it never runs twice at once. A job that waits for its place takes up
  no worker.
- a job's *priority*: the more overdue, the sooner. No one is overtaken by those who came later,
  whichever host they are for. It has to be so for another reason, too: a job that waits for its
  time keeps jobs of the same lock and a lower priority waiting; with the time as its priority, it
  keeps waiting only those that are due even later.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

_BEGINNING: Final = datetime(2026, 1, 1, tzinfo=UTC)
_LARGEST: Final = 2**31 - 1
FIRST: Final = 2**30
"""The priority of the queue's own housekeeping: before any pipeline."""
MOST_PLACES: Final = 64
"""More runs than that never ask one host at a time."""
BY_HAND: Final = timedelta(days=1)
"""How much more overdue a run counts that a person asks for."""


def priority(due: datetime) -> int:
    """Returns the priority of a job that is due at ``due``, as the queue's 32 bits hold it."""
    seconds = (due - _BEGINNING) // timedelta(seconds=1)
    return max(-_LARGEST, min(FIRST - 1, -seconds))


def places(names: Iterable[str], per_host: int) -> Mapping[str, int]:
    """Deals the pipelines of one host to its places, evenly; the same way on every machine."""
    return {name: number % per_host for number, name in enumerate(sorted(names))}


def lock(queue: str, host: str, place: int) -> str:
    """Returns the lock of a place at a host."""
    return f"{queue} {host} {place}"


def all_locks(queue: str, host: str) -> list[str]:
    """Returns the locks of all places that a host may have."""
    return [lock(queue, host, place) for place in range(MOST_PLACES)]


def queueing_lock(queue: str, name: str) -> str:
    """Returns what keeps a pipeline from waiting in the queue more than once."""
    return f"{queue} {name}"
