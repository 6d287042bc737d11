"""A filter that matches nothing because of a name that nobody has is a mistake, and says so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.pipeline.store import DealStore
from taiga_pipeline.pipeline.text import folded, line
from taiga_pipeline.problems import ProblemsError, did_you_mean

_SHOWN = 20
"""How many names a message lists."""


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

    :raises InvalidValue: some are not; each with the nearest one.
    """
    known: Mapping[str, set[str]] = {"stage": set(), "team": set(), "owner": set()}
    for deal in store.deals():
        for field, names in known.items():
            names.add(getattr(deal, field))
    known["stage"].update(name for names in _stages(workspace) for name in names)
    asked = [*(("stage", stage) for stage in stages), ("team", team), ("owner", owner)]
    problems = [
        _unknown(field, name, known[field] - {""})
        for field, name in asked
        if name and folded(line(name)) not in {folded(each) for each in known[field]}
    ]
    if problems:
        raise InvalidValue(*problems)


def _unknown(field: str, name: str, known: set[str]) -> str:
    listed = sorted(known, key=folded)
    more = ", ..." if len(listed) > _SHOWN else ""
    return (
        f"--{field}: no deal has the {field} {name!r}{did_you_mean(name, listed)} "
        f"({field}s: {', '.join(listed[:_SHOWN]) or 'none'}{more})"
    )


def _stages(workspace: Workspace) -> list[tuple[str, ...]]:
    """Returns the names of each stage of each mapping; none where mappings cannot be read."""
    try:
        rules = workspace.load_mappings().rules
    except ProblemsError:
        return []
    return [(stage.name, *stage.aliases) for each in rules for stage in each.stages]
