"""Which server a state store was made with, and as whom: numbers mean nothing anywhere else.

What is known of a server is noted in the state. A run asks the target who it is before anything
else, by the request with which it logs in anyway:

===========================  ==================================================================
the server's own proof       outcome
===========================  ==================================================================
the same                     go on, also under a new address or a new name of the account
another one                  refuse: another server, or another account of the same one
none (nothing noted, or the  go on where bound roots prove by their markers that they are ours; a
target offers none)          limit holds the run back where none of them does (`UNPROVEN`)
===========================  ==================================================================

A state in which nothing is bound fits any server.
"""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass
from typing import Final, Protocol, runtime_checkable

from sync.errors import AnotherServer, SyncError
from sync.source import RemembersServer
from sync.state.store import StateStore
from sync.target import Target
from sync.ways_out import CorrectAddress, GrantAccess, MoveState, ServerIs, UseAccount

log = logging.getLogger(__name__)

_NOTE: Final = "server"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who answers, and as whom.

    ``proof`` is what no account of another server has, such as a random number that the server
    gave to this one; "" if the target offers nothing of the kind. ``account`` is the account's
    name, ``account_id`` its number on the server.
    """

    proof: str
    address: str
    account: str
    account_id: str = ""

    def __str__(self) -> str:
        return f"{self.address} (as {self.account})"


@runtime_checkable
class Identifies(Protocol):
    """A target that can tell what server it is."""

    def identity(self) -> Identity:
        """Returns who answers; makes no request once `sync.target.Target.connect` was called."""


def identity_of(target: Target) -> Identity | None:
    """Returns who answers, None for a target that cannot tell."""
    return target.identity() if isinstance(target, Identifies) else None


def noted(store: StateStore) -> Identity | None:
    """Returns the server that a state was made with, None if none was noted yet."""
    return _read(store.note_of(_NOTE))


def noted_by_source(store: StateStore, source: object) -> Identity | None:
    """Returns the server that a source of this pipeline is kept in step with, None if it tells
    none."""
    if not isinstance(source, RemembersServer):
        return None
    return _read(source.synced_with(store.pipeline))


def _read(text: str | None) -> Identity | None:
    return Identity(**json.loads(text)) if text else None


def note(store: StateStore, target: Target, source: object = None) -> None:
    """Notes the server that answers, in the state and in the source, if it is new there.

    A source that cannot be written to does without.
    """
    identity = identity_of(target)
    if identity is None or identity == noted(store):
        return
    text = json.dumps(asdict(identity), ensure_ascii=False)
    if isinstance(source, RemembersServer):
        try:
            source.note_synced_with(store.pipeline, text)
        except SyncError as error:
            log.warning("the source does not remember the server: %s", error)
    store.put_note(_NOTE, text)


def refuse_another(store: StateStore, target: Target, source: object = None) -> None:
    """Makes sure that a connected target is the one that the state was made with.

    A state in which nothing is noted or bound yet must not begin with another one than its source
    is kept in step with.

    :raises AnotherServer: it is another server, or another account.
    """
    before, now = noted(store), identity_of(target)
    is_bound = bool(store.index())
    whose = "the state was made"
    if before is None and not is_bound and now is not None:
        before, whose = noted_by_source(store, source), "another state keeps this source in step"
    elif not is_bound:
        return
    if before is not None and now is not None and _differ(before, now):
        raise _another(before, now, whose)


def _differ(before: Identity, now: Identity) -> bool:
    if before.proof and now.proof:
        return before.proof != now.proof
    return before.address == now.address and before.account != now.account


def is_proven(store: StateStore, target: Target) -> bool:
    """Whether the target itself shows that it is the one that the state was made with."""
    before, now = noted(store), identity_of(target)
    if before is None or now is None:
        return False
    return before == now or (bool(before.proof) and before.proof == now.proof)


def _another(before: Identity, now: Identity, whose: str) -> AnotherServer:
    if before.address == now.address and before.account != now.account:
        ways = (UseAccount(before.account), GrantAccess(now.account), MoveState(ServerIs.SAME))
        return AnotherServer(
            f"this is another account: {whose} as {before.account}, and {now} logs in. Two "
            "accounts on one pipeline do not see what the other makes, and make each thing "
            "twice. Nothing "
            "was read or written",
            ways_out=ways,
        )
    reset = " (it was set up again)" if before.address == now.address else ""
    return AnotherServer(
        f"this is another server: {whose} with {before}, and {now}{reset} is not it. Nothing was "
        "read or written",
        ways_out=WAYS,
    )


WAYS: Final = (CorrectAddress(), MoveState(ServerIs.SAME), MoveState(ServerIs.NEW))
"""What can be done where another server answers."""

UNPROVEN: Final = (
    "this is another server, it seems: nothing that the state knows is there with "
    "this pipeline's marker"
)
