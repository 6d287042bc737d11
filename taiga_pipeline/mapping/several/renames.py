"""Phases that another name makes new ones, where one mapping takes the place of another. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Final

from taiga_pipeline.mapping.mapping_set import MappingSet
from taiga_pipeline.mapping.model import Phase
from taiga_pipeline.mapping.rules import PhaseRule, Rules
from taiga_pipeline.problems import Problem

_LOOKS_RENAMED: Final = (
    'the phase "{name}" is new, and {left} is there no more: if it is the same under another name, '
    'give it id = "{old}", or else id = "{id}"'
)


def renamed_phases(old: MappingSet, new: MappingSet) -> Iterator[Problem]:
    """Yields the phases of ``new`` that look like others of ``old`` under another name.

    A phase that says itself by its id which one it is, is taken at its word.
    """
    before = {rules.name: rules for rules in old.rules}
    for rules in new.rules:
        if rules.name in before:
            yield from _renamed(before[rules.name], rules)


def _renamed(old: Rules, new: Rules) -> Iterator[Problem]:
    known = {phase.id for phase in old.phases}
    left = known - {phase.id for phase in new.phases}
    lost = {each.id: each.name for each in old.phases if each.id in left and not each.keeps_project}
    for phase in new.phases:
        if phase.id not in known:
            yield from _looks_renamed(phase, lost)


def renamed_since(mappings: MappingSet, followed: Collection[str]) -> Iterator[Problem]:
    """Yields the phases that look like others whose projects are ``followed``, by their ids.

    One that begins once a deal is won may have had no project yet: it is not in doubt.
    """
    phases = [phase for rules in mappings.rules for phase in rules.phases]
    left = sorted(set(followed) - {phase.id for phase in phases})
    for phase in phases:
        if phase.id not in followed and phase.when is Phase.TENTATIVE:
            yield from _looks_renamed(phase, {name: name for name in left})


def _looks_renamed(phase: PhaseRule, lost: Mapping[str, str]) -> Iterator[Problem]:
    """Yields that a new phase may be one of ``lost``, which are names by their ids."""
    if lost and not (phase.has_id or phase.keeps_project):
        names = " / ".join(f'"{name}"' for name in lost.values())
        text = _LOOKS_RENAMED.format(name=phase.name, left=names, old=next(iter(lost)), id=phase.id)
        yield Problem(text, phase.where.file, phase.where.line)
