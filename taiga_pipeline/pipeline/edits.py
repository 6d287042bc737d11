"""An edit that was made from what somebody saw, merged with what others wrote since. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from taiga_pipeline.pipeline.cleaning import clean_deal
from taiga_pipeline.pipeline.columns import deal_cells
from taiga_pipeline.pipeline.errors import EditConflict, FieldConflict
from taiga_pipeline.pipeline.model import Deal, FieldChange
from taiga_pipeline.pipeline.versions import Version


def still_meant(
    deal: Deal,
    changes: Mapping[str, Any],
    seen: Version,
    past: Iterable[tuple[int, FieldChange]],
) -> dict[str, Any]:
    """Returns those of the changes that say something else than what was seen.

    So a form that holds all fields takes nothing back that others wrote meanwhile. ``past`` are the
    deal's recorded changes with their numbers, the oldest first. Where the deal never was in the
    version that was seen (another store, or a restored one), every change is a conflict.

    :raises EditConflict: a change is to a field that is something else by now.
    """
    now = deal_cells(deal)
    wanted = deal_cells(clean_deal(replace(deal, **changes)))
    base = seen.cells(deal, past)
    before = base or dict.fromkeys(now, "")
    edited = [name for name in changes if base is None or wanted[name] != base[name]]
    apart = [
        FieldConflict(name, before[name], now[name], wanted[name])
        for name in edited
        if now[name] != wanted[name] and (base is None or now[name] != base[name])
    ]
    if apart:
        raise EditConflict(deal.key, apart)
    return {name: changes[name] for name in edited}
