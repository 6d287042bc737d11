"""Tryton's opportunities as a source, over the REST API that Tryton has since 8.0."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sync.clock import Clock
    from taiga_pipeline.sources.tryton.source import TrytonSource


def create(settings: Mapping[str, object], clock: Clock) -> TrytonSource:
    """Makes the source from the config's ``[source]`` table; connects to nothing yet.

    :raises ProblemsError: keys that are missing, unknown or of the wrong type.
    """
    from taiga_pipeline.sources.tryton.make import make  # noqa: PLC0415

    return make(settings, clock)
