"""Any SQL database as a source, by a query of the administrator's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from taiga_pipeline.adapters import Setting
from taiga_pipeline.sources.port import SourceCapabilities, source_adapter

if TYPE_CHECKING:
    from sync.clock import Clock
    from taiga_pipeline.sources.sql.source import SqlSource


@source_adapter(
    "a SQL database",
    capabilities=SourceCapabilities(writes_back=True),
    settings=(
        Setting("url_env", "CRM_URL", "the variable that holds the database's URL"),
        Setting(
            "query", "SELECT * FROM deals", "the query that finds the deals; see docs/sources.md"
        ),
    ),
)
def create(settings: Mapping[str, object], clock: Clock) -> SqlSource:
    """Makes the source from the config's ``[source]`` table; connects to nothing yet.

    :raises ProblemsError: keys that are missing, unknown or of the wrong type; a query that writes.
    """
    from taiga_pipeline.sources.sql.source import make  # noqa: PLC0415

    return make(settings, clock)
