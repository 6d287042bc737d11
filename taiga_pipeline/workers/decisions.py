"""What is done after a run: tried again when, or left to the schedule. Pure; see the table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from sync.run.retry import RetryPolicy


class Ending(StrEnum):
    """How a run ended, as far as it matters for what comes next."""

    DONE = "done"
    PARTIAL = "partial"
    """Some records wait for a person; all others were synced."""
    REFUSED = "refused"
    """A limit held it back."""
    USAGE = "misconfigured"
    """Configuration, mapping or state store have to be fixed."""
    LOCKED = "locked"
    """Another run of it was at work."""
    UNREACHABLE = "unreachable"
    """Source or target did not answer, or did not let the account in."""
    DATABASE_AWAY = "database away"
    """A database of its own (state, deals) did not answer, or was lost in mid-run."""
    UNEXPECTED = "failed"
    """A fault in the program or on the machine."""
    STOPPED = "stopped"
    """It was asked to stop, and left the rest for the next run."""
    CUT_OFF = "cut off"
    """Its process or its worker died."""
    TOO_LONG = "too long"
    """It was ended because it took longer than is allowed."""

    @property
    def is_success(self) -> bool:
        """Whether the run finished, whatever it left open."""
        return self in (Ending.DONE, Ending.PARTIAL)

    @property
    def needs_person(self) -> bool:
        """Whether time alone does not fix it."""
        return self in (Ending.PARTIAL, Ending.REFUSED, Ending.USAGE, Ending.UNEXPECTED)


LONGEST_MESSAGE: Final = 1_000
"""The characters that are kept of why a run went wrong."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A run that ended. ``waiting`` counts what waits for a person; ``seconds`` is how long it
    took. ``message`` says why it went wrong, if it did; no secret is in it.
    """

    ending: Ending
    code: int = 0
    message: str = ""
    waiting: int = 0
    applied: int = 0
    requests: int = 0
    seconds: float = 0.0


_ENDLESS: Final = 10**9
_POLICIES: Final = {
    # No server answers: growing waits, up to half an hour, until someone does.
    Ending.UNREACHABLE: RetryPolicy(_ENDLESS, 60, 1_800, _ENDLESS),
    # A restart takes seconds; no one is asked for more than one attempt every two minutes.
    Ending.DATABASE_AWAY: RetryPolicy(_ENDLESS, 5, 120, _ENDLESS),
    # Someone else does the work: soon again, to see that it was done to the end.
    Ending.LOCKED: RetryPolicy(_ENDLESS, 20, 120, _ENDLESS),
    # Perhaps this machine's trouble, perhaps this pipeline's: a few times, then by the schedule.
    Ending.UNEXPECTED: RetryPolicy(4, 120, 3_600, _ENDLESS),
    Ending.CUT_OFF: RetryPolicy(6, 4, 3_600, _ENDLESS),
    Ending.TOO_LONG: RetryPolicy(3, 600, 3_600, _ENDLESS),
}


def wait(ending: Ending, failures: int, random: Callable[[], float]) -> timedelta | None:
    """Returns how long to wait before the run is tried again; None leaves it to the schedule.

    What waits for a person (limits, configuration, conflicts) is not tried again sooner than it
    would run anyway. A run that was stopped goes on at once, on another worker if need be.

    :param failures: how many runs of it in a row ended badly, this one included.
    :param random: returns a number in [0, 1).
    """
    if ending is Ending.STOPPED:
        return timedelta()
    policy = _POLICIES.get(ending)
    seconds = policy.wait(max(1, failures), 0.0, None, random) if policy else None
    return None if seconds is None else timedelta(seconds=seconds)


LONGEST_WAIT: Final = timedelta(seconds=max(policy.cap_seconds for policy in _POLICIES.values()))
"""No run is postponed for longer: a job that waits longer was postponed by a clock that was
wrong."""


HOST_FAILURES: Final = 3
"""After so many runs in a row that reached nothing, their host counts as down."""
_HOST: Final = RetryPolicy(_ENDLESS, 30, 900, _ENDLESS, jitter=0.0)
LONGEST_HOLD: Final = timedelta(seconds=_HOST.cap_seconds)
"""No host is left alone for longer than that."""


def hold(failures: int) -> timedelta | None:
    """Returns how long a host is left alone after ``failures`` runs in a row reached nothing.

    None: not at all. Its pipelines then wait without taking up a worker for the length of a
    time-out each; after the wait a few of them see whether it is back.
    """
    if failures < HOST_FAILURES:
        return None
    seconds = _HOST.wait(failures - HOST_FAILURES + 1, 0.0, None, lambda: 0.0)
    return None if seconds is None else timedelta(seconds=seconds)
