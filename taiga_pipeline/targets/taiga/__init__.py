"""Taiga as a target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taiga_pipeline.targets.port import target_adapter
from taiga_pipeline.targets.taiga.capabilities import CAPABILITIES, SETTINGS, WAYS_IN

if TYPE_CHECKING:
    from sync.clock import Clock
    from taiga_pipeline.http.connection import Connection
    from taiga_pipeline.targets.taiga.adapter import TaigaTarget


@target_adapter("Taiga", capabilities=CAPABILITIES, settings=SETTINGS, ways_in=WAYS_IN)
def create(connection: Connection, clock: Clock) -> TaigaTarget:
    """Returns Taiga as a target, not connected yet; the HTTP library is imported only here.

    :raises Unreachable: the connection's address cannot be Taiga's.
    """
    from taiga_pipeline.targets.taiga.adapter import TaigaTarget  # noqa: PLC0415
    from taiga_pipeline.targets.taiga.client import Client  # noqa: PLC0415

    return TaigaTarget(Client(connection, clock), connection)
