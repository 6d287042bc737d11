"""Tryton's opportunities as a source, over the REST API that Tryton has since 8.0."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from taiga_pipeline.adapters import Setting
from taiga_pipeline.sources.port import SourceCapabilities, source_adapter

if TYPE_CHECKING:
    from sync.clock import Clock
    from taiga_pipeline.sources.tryton.source import TrytonSource


@source_adapter(
    "Tryton",
    capabilities=SourceCapabilities(writes_back=True),
    settings=(
        Setting("url", "https://tryton.example.com", "where Tryton answers"),
        Setting("database", "tryton", "the database's name there"),
        Setting("token_env", "TRYTON_TOKEN", "the variable that holds the application key"),
        Setting("token_file", "token.txt", "  or a file of mode 0600 that holds it", optional=True),
    ),
)
def create(settings: Mapping[str, object], clock: Clock) -> TrytonSource:
    """Makes the source from the config's ``[source]`` table; connects to nothing yet.

    :raises ProblemsError: keys that are missing, unknown or of the wrong type.
    """
    from taiga_pipeline.sources.tryton.make import make  # noqa: PLC0415

    return make(settings, clock)
