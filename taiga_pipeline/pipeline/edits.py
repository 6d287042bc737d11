"""An edit that was made from what someone saw, merged with what others wrote since. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from taiga_pipeline.pipeline.cleaning import clean_deal
from taiga_pipeline.pipeline.columns import deal_cells
from taiga_pipeline.pipeline.errors import EditConflict, FieldConflict
from taiga_pipeline.pipeline.fields.field import Kind, with_values
from taiga_pipeline.pipeline.fields.table import BUILT_IN
from taiga_pipeline.pipeline.model import Deal, FieldChange
from taiga_pipeline.pipeline.versions import Version

LOGS: Final = BUILT_IN.of_kinds(Kind.NOTES)
"""Fields that only grow: what another person added is kept, and does not count as a conflict."""


def still_meant(
    deal: Deal,
    changes: Mapping[str, Any],
    seen: Version,
    past: Iterable[tuple[int, FieldChange]],
    former_keys: Iterable[str] = (),
) -> dict[str, Any]:
    """Returns those of the changes that say something else than what was seen.

    So a form that holds all fields takes nothing back that others wrote meanwhile. ``past`` are the
    deal's recorded changes with their numbers, the oldest first; ``former_keys`` are those that it
    had before. Where the deal never was in the
    version that was seen (another store, or a restored one), every change is a conflict.

    :raises EditConflict: a change is to a field that is something else by now.
    """
    now = _cells(deal, changes)
    wanted = _cells(clean_deal(with_values(deal, changes)), changes)
    base = seen.cells(deal, past, former_keys)
    before = dict.fromkeys(now, "") | dict(base or {})
    logs = [name for name in changes if name in LOGS]
    edited = [
        name
        for name in changes
        if name not in LOGS and (base is None or wanted[name] != before[name])
    ]
    apart = [
        FieldConflict(name, before[name], now[name], wanted[name])
        for name in edited
        if now[name] != wanted[name] and (base is None or now[name] != before[name])
    ]
    if apart:
        raise EditConflict(deal.key, apart)
    return {name: changes[name] for name in (*edited, *logs)}


def _cells(deal: Deal, names: Iterable[str]) -> dict[str, str]:
    """Returns the cells of a deal, with one for each name: a field of the user's own may be new."""
    return dict.fromkeys(names, "") | deal_cells(deal)
