"""At most one run per pipeline writes at a time, whatever machine it runs on.

The lock of `sync.run.lock` keeps out a second run on the same state store. Two machines with a
state store each share nothing but the target, so that the lease is kept there: in a list of
*turns* that are numbered 1, 2, 3 … The turn with the highest number counts. It is held until it is
released, or until it was not renewed for as long as it says, *by the target's own clock*: the
clocks of the machines are never compared.

A run takes its turn like this:

1. read all turns; if the last one is held by another person, go away;
2. add the turn with the next number; the target lets exactly one succeed;
3. read all turns again: a turn that is not the last one was added on outdated knowledge, and is
   given back;
4. remove the older turns.

Numbers only ever grow, because a turn is removed only while a higher one stands. So no two runs can
hold a turn at the same time: whoever added the higher one saw the lower one ended. A run that
stood still for too long (a suspended machine) finds by its own clock that its turn may be over, and
writes nothing more: it looks before each request that writes, for an action may take several.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, Protocol, runtime_checkable

from sync.clock import SKEW, Clock
from sync.errors import Locked, OutcomeUnknown, Stop, SyncError, Unreachable, Vanished
from sync.ways_out import Wait

log = logging.getLogger(__name__)

_RENEWED_AFTER: Final = 1 / 3
"""The part of its time after which a turn is renewed at the next action."""
_TRUSTED_FOR: Final = 0.8
"""The part of its time for which the holder counts on a turn; the rest is for answers that take
long, and for clocks that do not go equally fast."""


_SLACK: Final = SKEW.total_seconds()
_DAY: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class Terms:
    """Who holds a turn, and for how long without renewal.

    ``token`` names the state store (random, see `sync.state.store`), ``holder`` the machine and the
    place, for people and to tell a copied state store from its original.
    """

    token: str
    holder: str
    seconds: float
    released: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn as it is in the target.

    ``age_seconds`` is the time since it was last written, by the target's clock; None if the
    target does not tell.
    """

    number: int
    terms: Terms
    age_seconds: float | None

    @property
    def is_held(self) -> bool:
        """Whether its holder may still be at work."""
        expired = self.age_seconds is not None and self.age_seconds > self.terms.seconds
        return not (self.terms.released or expired)

    @property
    def is_doubtful(self) -> bool:
        """Whether its age may come from a clock that was set: it lies further in the future than it
        lasts, or long ago without having been released.
        """
        age = self.age_seconds
        return (
            not self.terms.released and age is not None and not -self.terms.seconds <= age <= _DAY
        )


class LeaseBoard(Protocol):
    """Where a target keeps turns. ``name`` is the pipeline's.

    Every method may raise what reads and writes of `sync.target.Target` raise.
    """

    def turns(self, name: str) -> Sequence[Turn]:
        """Returns all turns, by a complete read."""

    def add(self, name: str, number: int, terms: Terms) -> bool:
        """Adds a turn; False if there is one of this number. Of several at once, one succeeds.

        :raises OutcomeUnknown: no answer; it may have been added.
        """

    def put(self, name: str, number: int, terms: Terms) -> None:
        """Replaces the terms of a turn. Idempotent.

        :raises Vanished: there is no turn of this number.
        """

    def remove(self, name: str, number: int) -> None:
        """Removes a turn. One that is not there is fine."""


@runtime_checkable
class MayBeDenied(Protocol):
    """A board that not every account may write to."""

    def denied(self) -> str:
        """Returns what it would take for this account, "" if it may, or if only a write can tell.

        Only reads.
        """


@runtime_checkable
class OffersLeases(Protocol):
    """A target that can keep turns."""

    @property
    def leases(self) -> LeaseBoard:
        """Where they are kept."""

    def guard(self, check: Callable[[], None]) -> None:
        """Calls ``check`` right before each request that writes; it may raise a `Stop`."""


@dataclass(slots=True)
class Lease:
    """A turn that is held. May be used from several threads.

    ``others_were_here`` says that another person had the turn before: what was read of the target
    until now may be outdated.
    """

    board: LeaseBoard
    name: str
    number: int
    terms: Terms
    clock: Clock
    since: _Moment
    others_were_here: bool
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _is_lost: bool = False

    def keep(self) -> None:
        """Renews the turn if that is due. To be called before each action.

        :raises Locked: the turn is over, or may be; nothing more may be written.
        """
        with self._lock:
            if not self._is_lost and self.since.is_doubtful(self.clock, self._trusted):
                self._ask()
            self.check()
            if self.since.age(self.clock) >= self.terms.seconds * _RENEWED_AFTER:
                self._renew()

    def check(self) -> None:
        """Looks at the clock; makes no request. To be called before each request that writes.

        :raises Locked: the turn is over, or may be; nothing more may be written.
        """
        if self._is_lost or self.since.age(self.clock) >= self._trusted:
            self._lose()

    @property
    def _trusted(self) -> float:
        return self.terms.seconds * _TRUSTED_FOR

    def _ask(self) -> None:
        """Asks the target whether the turn is still held: this machine's clocks disagree.

        It was suspended, or its clock was set. What the target says counts, by its own clock.
        """
        began = _Moment.now(self.clock)
        try:
            last = _last(self.board.turns(self.name))
        except SyncError as error:
            log.info("the lease could not be read: %s", error)
            return
        is_ours = last is not None and last.number == self.number and _same(last.terms, self.terms)
        if last and is_ours and last.age_seconds is not None and last.age_seconds < self._trusted:
            log.warning("this machine's clock was set; its lease is held by the target's clock")
            self.since = began
            self._renew()

    def release(self) -> None:
        """Gives the turn back, so that the next one need not wait until it ends by itself."""
        if self._is_lost:
            return
        try:
            self.board.put(self.name, self.number, replace(self.terms, released=True))
        except SyncError as error:
            log.info("the lease was not released; it expires: %s", error)

    def _renew(self) -> None:
        began = _Moment.now(self.clock)
        try:
            self.board.put(self.name, self.number, self.terms)
        except Vanished:
            self._lose()
        except SyncError as error:
            log.info("the lease was not renewed, the next action tries again: %s", error)
        else:
            self.check()  # an answer that took too long may be about a turn that was over
            self.since = began

    def _lose(self) -> None:
        self._is_lost = True
        raise Locked(
            f"the lease of the pipeline '{self.name}' may have passed to another machine: it could "
            f"not be renewed within {self.terms.seconds:.0f} s. What was written is recorded; the "
            "next run does the rest"
        )


@dataclass(frozen=True, slots=True)
class _Moment:
    """A moment on both clocks: one of them may stand still while a machine is suspended, the
    other may be set back."""

    wall: datetime
    monotonic: float

    @classmethod
    def now(cls, clock: Clock) -> _Moment:
        return cls(clock.now(), clock.monotonic())

    def age(self, clock: Clock) -> float:
        """Returns the seconds since, by the clock that says more."""
        return max(self._by_wall(clock), clock.monotonic() - self.monotonic)

    def is_doubtful(self, clock: Clock, seconds: float) -> bool:
        """Whether so many seconds have passed by the wall clock alone."""
        return clock.monotonic() - self.monotonic < seconds <= self._by_wall(clock)

    def _by_wall(self, clock: Clock) -> float:
        return (clock.now() - self.wall).total_seconds()


def acquire(board: LeaseBoard, name: str, terms: Terms, clock: Clock) -> Lease:
    """Takes the next turn.

    A turn that is still held in the name of ``terms`` (same token, same holder) was left behind by
    a run that was cut off, because no two runs work on one state store: it is taken over at once.

    :raises Locked: another person holds the turn; says who, and until when.
    :raises Unreachable: the target does not take the turn, and no one else has it.
    """
    try:
        return _acquire(board, name, terms, clock)
    except OutcomeUnknown as error:
        raise _not_written(name, error) from error


def _acquire(board: LeaseBoard, name: str, terms: Terms, clock: Clock) -> Lease:
    before = _last(board.turns(name))
    ours = before is not None and _same(before.terms, terms)
    if before is not None and not ours and before.is_doubtful:
        before = _watched(board, name, before, clock)
    if before is not None and before.is_held and not ours:
        raise Locked(_who(name, before), ways_out=[Wait()])
    number = before.number + 1 if before else 1
    began = _Moment.now(clock)
    added, trouble = _add(board, name, number, terms)
    turns = board.turns(name)
    last = _last(turns)
    if last is None or last.number != number or not _same(last.terms, terms):
        if added:
            _tidy(board, name, number)
        if trouble is not None and (last is None or last.number < number):
            raise _not_written(name, trouble)
        raise Locked(_who(name, last), ways_out=[Wait()])
    for turn in turns:
        if turn.number < number:
            _tidy(board, name, turn.number)
    others = before is not None and not ours
    return Lease(board, name, number, terms, clock, began, others_were_here=others)


def _not_written(name: str, trouble: OutcomeUnknown) -> Unreachable:
    return Unreachable(
        f"the lease of the pipeline '{name}' could not be written, and nothing was applied here: "
        f"{trouble}"
    )


def _tidy(board: LeaseBoard, name: str, number: int) -> None:
    """Removes a turn that is over; one that stays is removed by whoever has the next turn."""
    try:
        board.remove(name, number)
    except Stop:
        raise
    except SyncError as error:
        log.info("a former lease was not removed; the next run does it: %s", error)


def _watched(board: LeaseBoard, name: str, turn: Turn, clock: Clock) -> Turn | None:
    """Looks at a turn for as long as it lasts, and returns it as released if no one renewed it.

    Its age cannot be believed, so that it is unknown whether its holder is at work.
    """
    log.warning(
        "the last lease of the pipeline '%s' (%s) is dated %.0f days %s by the server's own clock; "
        "watching for %.0f s whether it is renewed",
        *(name, turn.terms.holder, abs(turn.age_seconds or 0.0) / _DAY),
        *("ahead" if (turn.age_seconds or 0.0) < 0 else "ago", turn.terms.seconds),
    )
    clock.sleep(turn.terms.seconds)
    after = _last(board.turns(name))
    if after is None or after.number != turn.number or not _same(after.terms, turn.terms):
        return after
    passed = (after.age_seconds or 0.0) - (turn.age_seconds or 0.0)
    if not turn.terms.seconds * _TRUSTED_FOR <= passed <= turn.terms.seconds + _SLACK:
        return replace(after, age_seconds=0.0)  # it was renewed meanwhile
    return replace(after, terms=replace(after.terms, released=True))


def _add(
    board: LeaseBoard, name: str, number: int, terms: Terms
) -> tuple[bool, OutcomeUnknown | None]:
    """Adds a turn; an answer that was lost is settled by the next read.

    Returns whether it was added, and why that is not known.
    """
    try:
        return board.add(name, number, terms), None
    except OutcomeUnknown as error:
        log.info("no answer to the request for the lease, looking whether it is there: %s", error)
        return False, error


def _last(turns: Sequence[Turn]) -> Turn | None:
    return max(turns, key=lambda turn: turn.number, default=None)


def _same(one: Terms, other: Terms) -> bool:
    return (one.token, one.holder) == (other.token, other.holder)


def _who(name: str, turn: Turn | None) -> str:
    if turn is None:
        return f"the lease of the pipeline '{name}' could not be obtained; nothing was applied here"
    age = turn.age_seconds
    if age is None:
        until = (
            "the server does not send its time (no Date header), so it is unknown whether the "
            "lease ended: let a proxy in front of the server pass that header"
        )
    else:
        left = max(0.0, turn.terms.seconds - age)
        until = f"renewed {max(0.0, age):.0f} s ago; it ends by itself in {left:.0f} s at most"
    return (
        f"another machine's run is at work on the pipeline '{name}': {turn.terms.holder}, turn "
        f"{turn.number}, {until}. Nothing was applied here"
    )
