"""Kanboard as a target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taiga_pipeline.targets.kanboard.capabilities import CAPABILITIES, SETTINGS, WAYS_IN
from taiga_pipeline.targets.port import target_adapter

if TYPE_CHECKING:
    from sync.clock import Clock
    from taiga_pipeline.http.connection import Connection
    from taiga_pipeline.targets.kanboard.adapter import KanboardTarget


@target_adapter("Kanboard", capabilities=CAPABILITIES, settings=SETTINGS, ways_in=WAYS_IN)
def create(connection: Connection, clock: Clock) -> KanboardTarget:
    """Returns Kanboard as a target, not connected yet; the HTTP library is imported only here.

    :raises Unreachable: the connection's address cannot be Kanboard's.
    :raises Unauthorised: there is neither a token nor a password.
    """
    from taiga_pipeline.targets.kanboard.adapter import KanboardTarget  # noqa: PLC0415
    from taiga_pipeline.targets.kanboard.client import Client  # noqa: PLC0415

    return KanboardTarget(Client(connection, clock), connection, clock)
