"""Odoo's leads and opportunities as a source, over JSON-RPC (Odoo 14 to 21) or JSON-2 (19 on)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from taiga_pipeline.adapters import Setting
from taiga_pipeline.sources.port import SourceCapabilities, source_adapter

if TYPE_CHECKING:
    from sync.clock import Clock
    from taiga_pipeline.sources.odoo.source import OdooSource


@source_adapter(
    "Odoo",
    capabilities=SourceCapabilities(history=True, writes_back=True),
    settings=(
        Setting("url", "https://odoo.example.com", "where people open Odoo"),
        Setting("database", "odoo", "the database's name there"),
        Setting("username", "pipeline@example.com", "the login of the account that reads"),
        Setting("token_env", "ODOO_KEY", "the variable that holds the account's API key"),
        Setting("token_file", "token.txt", "  or a file of mode 0600 that holds it", optional=True),
    ),
)
def create(settings: Mapping[str, object], clock: Clock) -> OdooSource:
    """Makes the source from the config's ``[source]`` table; connects to nothing yet.

    :raises ProblemsError: keys that are missing, unknown or of the wrong type.
    """
    from taiga_pipeline.sources.odoo.make import make  # noqa: PLC0415

    return make(settings, clock)
