"""Deals that are part of another deal's project."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from taiga_pipeline.pipeline.model import Deal

_Item = TypeVar("_Item", bound=tuple[object, ...])

BESIDE = " · "
"""Between the name of something in a project and the joined deal that brings it."""


def main_deals(joins: Mapping[str, str]) -> dict[str, str]:
    """Returns for each joined deal the one whose project it ends up in.

    ``joins`` are the keys of joined deals, each with that of the deal that it joined, which may be
    a joined one itself. Deals that go round in a circle end up nowhere, and are left out.
    """
    return {key: main for key in joins if (main := _main(key, joins))}


def goes_into(key: str, joins: Mapping[str, str]) -> list[str]:
    """Returns the deals that a deal is part of, the nearest first, as far as they do not repeat."""
    found: list[str] = []
    while key in joins and joins[key] not in found:
        key = joins[key]
        found.append(key)
    return found


def joins_of(deals: Iterable[Deal]) -> dict[str, str]:
    """Returns the joined deals among some, each with the key of the deal that it joined."""
    return {deal.key: deal.part_of for deal in deals if deal.part_of}


def title_of(deal: Deal) -> str:
    """Names a joined deal in a project: ``Extension (D-2)``."""
    return f"{' '.join(deal.name.split())} ({deal.key})".lstrip()


def own_share(
    milestones: Iterable[_Item], key: str, joined: Iterable[str] = ()
) -> tuple[_Item, ...]:
    """Returns which milestones of a project are those of a deal, named as its mapping names them.

    Each begins with its name. ``joined`` are the keys of the deals that joined the project; ``key``
    is that of one of them, or of the main deal.
    """
    others = set(joined)
    found = []
    for item in milestones:
        name, _, title = str(item[0]).rpartition(BESIDE)
        ends = title.rpartition("(")[2].removesuffix(")")
        brought_by = ends if ends in others and name else ""
        if not brought_by and key not in others:
            found.append(item)
        elif brought_by == key:
            found.append((name, *item[1:]))  # type: ignore[arg-type]
    return tuple(found)


def _main(key: str, joins: Mapping[str, str]) -> str:
    """Returns where a deal ends up, "" if it goes round in a circle."""
    seen = {key}
    while key in joins:
        key = joins[key]
        if key in seen:
            return ""
        seen.add(key)
    return key
