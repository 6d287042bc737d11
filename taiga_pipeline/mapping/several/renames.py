"""Phases that another name makes new ones, where one mapping takes the place of another. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from taiga_pipeline.mapping.mapping_set import MappingSet
from taiga_pipeline.mapping.rules import Rules
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
    left = [each for each in old.phases if each.id not in {phase.id for phase in new.phases}]
    lost = [each for each in left if not each.keeps_project]
    for phase in new.phases if lost else ():
        if not (phase.has_id or phase.keeps_project or phase.id in known):
            names = " / ".join(f'"{each.name}"' for each in lost)
            text = _LOOKS_RENAMED.format(name=phase.name, left=names, old=lost[0].id, id=phase.id)
            yield Problem(text, phase.where.file, phase.where.line)
