"""What adapters for sources and for targets have in common: how they are found, and set up.

An adapter is published as an entry point, and imported only when it is used.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Final

SEVERAL: Final = "several installed packages offer it ({places}); uninstall all but one"
_REMARKS_AT: Final = 39
"""The column at which remarks begin in a configuration."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A line of an adapter's section in ``config.toml``, as ``init`` writes it.

    ``example`` is its value there. An ``optional`` one is written as a comment. ``remark`` says in
    a few words what belongs there; ``own`` is on for a setting that is this adapter's alone, and
    that the program itself knows nothing of.
    """

    name: str
    example: str | int
    remark: str = ""
    optional: bool = False
    own: bool = False

    @property
    def leads_to_secret(self) -> bool:
        """Whether it names the environment variable that holds a secret."""
        return self.name.endswith("_env")

    def line(self) -> str:
        """Returns the line, with the remark beside it."""
        value = json.dumps(self.example, ensure_ascii=False)
        begin = f"{'# ' if self.optional else ''}{self.name} = {value}"
        return f"{begin} ".ljust(_REMARKS_AT) + f"# {self.remark}" if self.remark else begin

    def holding(self, value: str) -> Setting:
        """Returns the line with a value of someone's own in it; a number stays one."""
        is_number = isinstance(self.example, int) and value.lstrip("-").isdecimal()
        return replace(self, example=int(value) if is_number else value, optional=False)


def installed(group: str) -> dict[str, EntryPoint]:
    """Returns the adapters of a group by their kind, sorted, importing none."""
    return {point.name: point for point in sorted(_published(group, _places()))}


def rivals(group: str, kind: str) -> list[str]:
    """Returns what several installed packages offer under one name, [] where one or none does."""
    offered = _published(group, _places())
    values = sorted({point.value for point in offered if point.name == kind})
    return values if len(values) > 1 else []


def _places() -> tuple[tuple[str, int], ...]:
    """Returns where packages can be installed, and when something last was there."""
    return tuple((place, _changed_at(Path(place))) for place in sys.path)


def _changed_at(place: Path) -> int:
    """Returns when a folder or archive was last changed, in nanoseconds; 0 where there is none."""
    try:
        return place.stat().st_mtime_ns
    except OSError:
        return 0


@lru_cache(maxsize=16)
def _published(group: str, places: tuple[tuple[str, int], ...]) -> tuple[EntryPoint, ...]:
    """Returns what the packages in these places publish.

    Reading all their metadata is a quarter of a small run's work: it is done again only when
    ``places`` have changed, as they do when a package is installed.
    """
    return tuple(entry_points(group=group))


def lines(kind: str, remark: str, settings: Iterable[Setting]) -> str:
    """Returns the lines of an adapter's section, each with its end."""
    every: Sequence[Setting] = (Setting("kind", kind, remark), *settings)
    return "".join(f"{setting.line()}\n" for setting in every)
