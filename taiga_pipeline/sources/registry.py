"""Finding a source by its kind. Adapters are entry points, imported only when used."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Final, cast

from sync.clock import Clock
from taiga_pipeline.problems import Problem, ProblemsError, did_you_mean
from taiga_pipeline.sources.port import DealSource

GROUP: Final = "taiga_pipeline.sources"


def kinds() -> dict[str, EntryPoint]:
    """Returns the installed adapters by kind, importing none."""
    return {point.name: point for point in sorted(entry_points(group=GROUP))}


def create(kind: str, settings: Mapping[str, object], clock: Clock) -> DealSource:
    """Makes the source of a kind from the config's ``[source]`` table.

    :raises ProblemsError: there is no such kind (names the nearest), its adapter cannot be
        imported, or the settings are wrong.
    """
    known = kinds()
    if kind not in known:
        raise ProblemsError(
            [
                Problem(
                    f"[source] kind = {kind!r}: no such source{did_you_mean(kind, known)} "
                    f"(installed: {', '.join(known) or 'none'})"
                )
            ]
        )
    try:
        factory = known[kind].load()
    except (ImportError, AttributeError) as error:
        raise ProblemsError(
            [Problem(f"[source] kind = {kind!r}: its adapter cannot be imported: {error}")]
        ) from error
    return cast(DealSource, factory(settings, clock))
