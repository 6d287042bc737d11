"""Redmine as a target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taiga_pipeline.targets.port import target_adapter
from taiga_pipeline.targets.redmine.capabilities import CAPABILITIES, SETTINGS, WAYS_IN

if TYPE_CHECKING:
    from sync.clock import Clock
    from taiga_pipeline.http.connection import Connection
    from taiga_pipeline.targets.redmine.adapter import RedmineTarget


@target_adapter("Redmine", capabilities=CAPABILITIES, settings=SETTINGS, ways_in=WAYS_IN)
def create(connection: Connection, clock: Clock) -> RedmineTarget:
    """Returns Redmine as a target, not connected yet; the HTTP library is imported only here.

    :raises Unreachable: the connection's address cannot be Redmine's.
    :raises Unauthorised: there is neither an API key nor a password.
    """
    from taiga_pipeline.targets.redmine.adapter import RedmineTarget  # noqa: PLC0415
    from taiga_pipeline.targets.redmine.client import Client  # noqa: PLC0415

    return RedmineTarget(Client(connection, clock), connection, clock)
