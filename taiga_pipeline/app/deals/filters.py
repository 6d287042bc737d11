"""A filter that matches nothing because of a name that nobody has is a mistake, and says so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.pipeline.text import folded, line
from taiga_pipeline.problems import ProblemsError, did_you_mean

if TYPE_CHECKING:
    from taiga_pipeline.pipeline.store import DealStore

_SHOWN: Final = 20
"""How many names a message lists."""


@dataclass(frozen=True, slots=True)
class UnknownFilter:
    """A name that was filtered by, and the ones that deals and mappings have for its field."""

    field: str
    name: str
    known: tuple[str, ...]

    def __str__(self) -> str:
        """Says so, with the nearest name and some others."""
        more = ", ..." if len(self.known) > _SHOWN else ""
        return (
            f"no deal has the {self.field} {self.name!r}{did_you_mean(self.name, self.known)} "
            f"({self.field}s: {', '.join(self.known[:_SHOWN]) or 'none'}{more})"
        )


class UnknownFilters(InvalidValue):
    """Names that were filtered by, and that nobody has."""

    def __init__(self, unknown: Sequence[UnknownFilter]) -> None:
        super().__init__(*map(str, unknown))
        self.unknown = tuple(unknown)


def stages_meant(workspace: Workspace, names: Iterable[str]) -> list[str]:
    """Returns the names of stages with all other names that mappings know for the same ones."""
    found = dict.fromkeys(names)
    for known in _stages(workspace):
        if {folded(name) for name in known} & {folded(line(name)) for name in names}:
            found |= dict.fromkeys(known)
    return list(found)


def refuse_unknown(
    workspace: Workspace, store: DealStore, stages: Iterable[str], team: str, owner: str
) -> None:
    """Returns if each name that was filtered by is one that deals or mappings have.

    :raises UnknownFilters: some are not; each with the nearest one.
    """
    known: Mapping[str, set[str]] = {"stage": set(), "team": set(), "owner": set()}
    for deal in store.deals():
        for field, names in known.items():
            names.add(getattr(deal, field))
    known["stage"].update(name for names in _stages(workspace) for name in names)
    asked = [*(("stage", stage) for stage in stages), ("team", team), ("owner", owner)]
    unknown = [
        UnknownFilter(field, name, tuple(sorted(known[field] - {""}, key=folded)))
        for field, name in asked
        if name and folded(line(name)) not in {folded(each) for each in known[field]}
    ]
    if unknown:
        raise UnknownFilters(unknown)


def _stages(workspace: Workspace) -> list[tuple[str, ...]]:
    """Returns the names of each stage of each mapping; none where mappings cannot be read."""
    try:
        rules = workspace.load_mappings().rules
    except ProblemsError:
        return []
    return [(stage.name, *stage.aliases) for each in rules for stage in each.stages]
