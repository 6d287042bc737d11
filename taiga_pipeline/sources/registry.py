"""Finding a source by its kind. Adapters are entry points, imported only when used."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from importlib.metadata import EntryPoint
from typing import Any, Final

from sync.clock import Clock
from sync.errors import SyncError, in_words
from taiga_pipeline.adapters import SEVERAL, installed, rivals
from taiga_pipeline.installing import explain_missing
from taiga_pipeline.problems import Problem, ProblemsError, did_you_mean
from taiga_pipeline.sources.port import DealSource, SourceAdapter, SourceCapabilities

_LOG: Final = logging.getLogger(__name__)

GROUP: Final = "taiga_pipeline.sources"
"""The group of entry points that adapters are published in; each names a `SourceAdapter`, or a
function that makes a source."""


def kinds() -> dict[str, EntryPoint]:
    """Returns the installed adapters by kind, importing none."""
    return installed(GROUP)


def find(kind: str) -> SourceAdapter[DealSource]:
    """Returns the adapter for ``kind``.

    :raises ProblemsError: there is no such kind (names the nearest), or its adapter cannot be
        imported.
    """
    known = kinds()
    if kind not in known:
        raise _unusable(
            kind,
            f"no such source{did_you_mean(kind, known)} (installed: {', '.join(known) or 'none'})",
        )
    several = rivals(GROUP, kind)
    if several:
        raise _unusable(kind, SEVERAL.format(places=" and ".join(several)))
    try:
        found: Any = known[kind].load()
    except Exception as error:  # whatever another person's module does when it is imported
        raise _unusable(kind, f"its adapter cannot be imported: {error}") from error
    if isinstance(found, SourceAdapter):
        return found
    if not callable(found):
        raise _unusable(kind, "its entry point is not an adapter")
    return SourceAdapter(kind, found)


def capabilities_of(kind: str) -> SourceCapabilities:
    """Returns what a source of ``kind`` has; nothing where that is unknown, which is reported where
    it is used."""
    try:
        return find(kind).capabilities
    except ProblemsError:
        return SourceCapabilities()


def create(kind: str, settings: Mapping[str, object], clock: Clock) -> DealSource:
    """Makes the source of a kind from the config's ``[source]`` table.

    :raises ProblemsError: there is no such kind, or the settings are wrong.
    """
    return make(find(kind), settings, clock)


def make(
    adapter: SourceAdapter[DealSource], settings: Mapping[str, object], clock: Clock
) -> DealSource:
    """Returns what an adapter makes.

    :raises ProblemsError: the settings are wrong, or the adapter fails.
    :raises SyncError: it cannot be made.
    """
    try:
        return adapter(settings, clock)
    except (ProblemsError, SyncError):
        raise
    except Exception as error:  # whatever another person's program does
        if isinstance(error, ImportError) and explain_missing(error):
            raise
        _LOG.exception("the adapter for %s failed when it was made", adapter.title)
        message = f"source.kind: the adapter for {adapter.title} is at fault: it could not be made"
        raise ProblemsError([Problem(f"{message} ({in_words(error)})")]) from error


def _unusable(kind: str, why: str) -> ProblemsError:
    return ProblemsError([Problem(f"[source] kind = {kind!r}: {why}")])
