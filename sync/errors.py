"""Errors, grouped by what the caller should do about them.

=================  ============================================================
`Unavailable`      try again later; nothing was decided
`Failing`          the other side fails on this very request: leave it, go on
`NotSent`          the request never left: even a create may be sent again
`Interrupted`      the run was asked to stop: wait no longer
`OutcomeUnknown`   a write may or may not have happened: ask, never repeat
`Rejected`         this record cannot be written as it is: leave it, go on
`Vanished`         the object is not there (any more): look again
`NotLinked`        there is no such object, because nothing is bound
`Stale`            someone changed the object just now: merge again
`Malformed`        what was answered is not what was asked for: leave it, go on
`Unauthorised`     stop: the account or its rights are wrong
`Unreachable`      stop: no server answers, or another person does
`DatabaseAway`     the same of a database of ours that may be back soon
`IncompleteRead`   stop: what was read is not the whole, conclude nothing
`Refused`          stop: a limit holds the plan back
`AnotherServer`    stop: the state was made with another server, or another account
`Locked`           stop: another run is at work
`StateUnusable`    stop: the state store cannot be used as it is
=================  ============================================================

Every message names the numbers, and never contains a secret. What a person can do about it is in
``ways_out`` where the engine knows it; an adapter says it in its own words.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:  # they cost more to load than all that shows a version
    from sync.way_out import WayOut


_LONGEST: Final = 200


class SyncError(Exception):
    """The root of all errors that the engine and its adapters raise on purpose.

    ``ways_out`` is what a person can do about it.
    """

    def __init__(self, *words: object, ways_out: Sequence[WayOut] = ()) -> None:
        super().__init__(*words)
        self.ways_out = tuple(ways_out)

    @property
    def message(self) -> str:
        """What is wrong, without the ways out."""
        return str(self)


class Unavailable(SyncError):
    """The other side cannot answer now.

    ``wait_seconds`` is how long it asked to be left alone, None if it did not say.
    """

    def __init__(self, message: str, wait_seconds: float | None = None) -> None:
        super().__init__(message)
        self.wait_seconds = wait_seconds


class Failing(Unavailable):
    """The other side answers, and fails on this request each time (500): others may succeed."""


class NotSent(Unavailable):
    """The request certainly had no effect (no connection, or turned away at the door)."""


class Interrupted(Unavailable):
    """The run was asked to stop while it waited."""


class OutcomeUnknown(SyncError):
    """A write was sent and no answer came: it may have happened or not.

    ``made`` is the id of what it certainly made and did not complete, "" if none is known.
    """

    def __init__(self, *words: object, made: str = "", ways_out: Sequence[WayOut] = ()) -> None:
        super().__init__(*words, ways_out=ways_out)
        self.made = made


class Rejected(SyncError):
    """The target refuses this record for good; other records are not concerned."""


class Vanished(Rejected):
    """The object that was to be read or written is not there."""


class NotLinked(Rejected):
    """Nothing in the target is kept in step with a group (``group`` is its key)."""

    def __init__(self, group: str) -> None:
        super().__init__(f"{group}: nothing in the target is kept in step with it")
        self.group = group


class Stale(SyncError):
    """The object changed between the read and the write; the next merge settles it."""


class Malformed(SyncError):
    """A reading brought something else than what was asked for.

    It has another shape, is not data at all, or exceeds a bound. Nothing is concluded from it. A
    *write* whose answer is like that is `OutcomeUnknown`.
    """


class Stop(SyncError):
    """An error after which a run cannot go on at all."""


class Unauthorised(Stop):
    """The credentials are wrong, or the account lacks a right that every run needs."""


class Unreachable(Stop):
    """No server answers at the address, or what answers is not what was expected."""


class DatabaseAway(Unreachable):
    """A database of ours does not answer now: it restarts, or the way to it is cut.

    It says nothing against source or target, and passes without anyone's help.
    """


class IncompleteRead(Stop):
    """A read did not bring the whole: nothing may be concluded from what is missing."""


class Refused(Stop):
    """The plan exceeds a limit; nothing was applied."""


class AnotherServer(Refused):
    """The target is not the server, or the account, that the state was made with."""


class Locked(Stop):
    """Another run holds the lock."""


class StateUnusable(Stop):
    """The state store is damaged, newer than this program, or another pipeline's."""


@contextmanager
def needed_by_every_run() -> Iterator[None]:
    """Turns the refusal of what no run can do without into the end of the run.

    :raises Unauthorised: instead of `Rejected`.
    """
    try:
        yield
    except Rejected as error:
        raise Unauthorised(
            f"{error}; every run needs this. Does the account still have its rights, and is there "
            "a firewall in front of the server?",
            ways_out=error.ways_out,
        ) from error


def in_words(error: BaseException) -> str:
    """Returns an error's kind and the beginning of its words, on one line."""
    words = " ".join(str(error).split())[:_LONGEST]
    name = type(error).__name__
    return f"{name}: {words}" if words else name
