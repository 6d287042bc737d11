"""Odoo as a target: projects of its app Project, over JSON-RPC or JSON-2."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taiga_pipeline.targets.odoo.capabilities import CAPABILITIES, SETTINGS, WAYS_IN
from taiga_pipeline.targets.port import target_adapter

if TYPE_CHECKING:
    from sync.clock import Clock
    from taiga_pipeline.http.connection import Connection
    from taiga_pipeline.targets.odoo.adapter import OdooTarget


@target_adapter("Odoo", capabilities=CAPABILITIES, settings=SETTINGS, ways_in=WAYS_IN)
def create(connection: Connection, clock: Clock) -> OdooTarget:
    """Returns Odoo as a target, not connected yet; the HTTP library is imported only here.

    :raises Unreachable: the connection's address cannot be Odoo's.
    """
    from taiga_pipeline.odoo.client import OdooClient  # noqa: PLC0415
    from taiga_pipeline.targets.odoo.adapter import OdooTarget  # noqa: PLC0415

    database = str(connection.options.get("database", ""))
    return OdooTarget(OdooClient(connection, database, clock), connection, clock)
