"""Deals in one project, among all deals of a source."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final

from sync.source import Quarantined
from taiga_pipeline.pipeline.model import Deal, DeliveryFacts
from taiga_pipeline.pipeline.tables.joins import main_deals

WAITS: Final = "it is in one project with {keys}, and waits until that can be read"
NOT_HERE: Final = (
    "it states a deal whose project it is a part of (part_of), which only deals of the built-in "
    "store can do: leave the field empty, or import the deals into a store"
)
_CIRCLE: Final = (
    "deals that are part of each other have no project: {keys}. Take one out with: pipeline-sync "
    "join DEAL --undo"
)
_NO_MAIN: Final = (
    "it is part of the project of {main}, which is not in the pipeline. Let it stand for itself "
    "with: pipeline-sync join {word} --undo"
)


class Together:
    """The deals of a reading that are in one project with others.

    ``joins`` are deals that are part of another one's project, each with the key of that one.
    A deal may join one that is itself part of a project: all are in the first one's then.
    """

    def __init__(self, joins: Mapping[str, str]) -> None:
        self._joins = joins
        self.main_of = main_deals(joins)
        """The deals that are part of a project, with the key of its main deal."""
        self._mains = frozenset(self.main_of.values())
        self._found: dict[str, Deal] = {}

    def takes(self, deal: Deal) -> bool:
        """Keeps a deal that is in one project with others; says whether it is."""
        mine = deal.key in self._joins or deal.key in self._mains
        if mine:
            self._found[deal.key] = deal
        return mine

    def projects(self, quarantined: list[Quarantined]) -> Iterator[list[Deal]]:
        """Yields the deals of each project, the main one first.

        A project of which a deal was not read is left as it is, and so are its other deals: what
        that one asks for must not be taken for gone. It is said in ``quarantined``.
        """
        known = {each.key for each in quarantined}
        parts: dict[str, list[str]] = {}
        for key, main in self.main_of.items():
            parts.setdefault(main, []).append(key)
        for main, others in parts.items():
            keys = [main, *sorted(others)]
            missing = [key for key in keys if key not in self._found]
            if not missing:
                yield [self._found[key] for key in keys]
                continue
            gone = missing == [main] and main not in known
            for key in keys:
                if key in self._found:
                    reason = _NO_MAIN if gone else WAITS
                    word = shlex.quote(key)
                    text = reason.format(main=main, word=word, keys=", ".join(missing))
                    quarantined.append(Quarantined(key, f"deal {key}", text))
        for key in sorted(self._joins.keys() - self.main_of.keys()):
            text = _CIRCLE.format(keys=", ".join(_circle(key, self._joins)))
            quarantined.append(Quarantined(key, f"deal {key}", text))


def with_joined(
    delivered: Iterable[DeliveryFacts], main_of: Mapping[str, str]
) -> Iterator[DeliveryFacts]:
    """Yields what became of deals; of one with others in its project, for these too.

    What is counted (progress, milestones) is the project's as a whole.
    """
    parts: dict[str, list[str]] = {}
    for key, main in main_of.items():
        parts.setdefault(main, []).append(key)
    for each in delivered:
        if each.deal_key in main_of:
            continue
        yield each
        for key in parts.get(each.deal_key, ()):
            yield replace(each, deal_key=key)


def _circle(key: str, joins: Mapping[str, str]) -> list[str]:
    found: list[str] = []
    while key not in found and key in joins:
        found.append(key)
        key = joins[key]
    return sorted(found)
