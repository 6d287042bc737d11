"""The whole table of surfaces: its parts, each with the world that it looks at."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.reliability.hostile.corpus import ALL_STORABLE
from tests.reliability.hostile.disputes import DISPUTES, disputed_world
from tests.reliability.hostile.files import BACKUP, FILES
from tests.reliability.hostile.kanboard import KANBOARD, kanboard_world
from tests.reliability.hostile.planning import PLANNING, planning_world
from tests.reliability.hostile.redmine import REDMINE, redmine_world
from tests.reliability.hostile.report import REPORT
from tests.reliability.hostile.surfaces import SYNC, Surfaces
from tests.reliability.hostile.taiga_pages import PORTFOLIO, portfolio_world
from tests.reliability.hostile.world import hostile_world

Surface = Callable[[Any, str, str], None]
"""Looks at one entry (its name and text) in what came out of a world."""


@dataclass(frozen=True, slots=True)
class Part:
    """Surfaces that are looked at in one world, which is made once."""

    world: Callable[[Path], AbstractContextManager[Any]]
    surfaces: Mapping[str, Surface]


@contextlib.contextmanager
def synced_world(folder: Path) -> Iterator[Surfaces]:
    """The pipeline full of hostile text, synced twice."""
    with hostile_world(folder) as world:
        yield Surfaces(world)


PARTS: Final[Mapping[str, Part]] = {
    "synced": Part(synced_world, SYNC),
    "portfolio": Part(portfolio_world, PORTFOLIO),
    "redmine": Part(redmine_world, REDMINE),
    "kanboard": Part(kanboard_world, KANBOARD),
    "disputed": Part(disputed_world, {**BACKUP, **DISPUTES}),
    "planned": Part(planning_world, {**PLANNING, **REPORT, **FILES}),
}

TABLE: Final[Mapping[str, tuple[str, Surface]]] = {
    name: (part, surface) for part, each in PARTS.items() for name, surface in each.surfaces.items()
}
"""Part and surface by name, in the order of the table in docs/reliability.md."""

CELLS: Final = [(surface, entry) for surface in TABLE for entry in ALL_STORABLE]
