"""Makes values fit what Kanboard can hold, before they are compared, and says what it did.

Kanboard itself takes names of 65,535 characters; its databases do not all. A project without a
name is refused, and so is a task. Descriptions are Markdown: line ends are shown, tags are shown as
text unless an administrator allows them, and "@name" notifies a member.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from sync.records.model import Desired
from taiga_pipeline.records import Kind, Membership, Milestone, Project, Role, Status, Story
from taiga_pipeline.targets.formatted_text import (
    Clean,
    Limits,
    facts,
    fit_fields,
    fit_text,
    line,
    unmentioned,
    words,
)
from taiga_pipeline.targets.kanboard.capabilities import CAPABILITIES

LONGEST_NAME: Final = 255
_LONGEST_LABEL: Final = 50
_LONGEST_TITLE: Final = LONGEST_NAME - _LONGEST_LABEL - 1
_LONGEST_DISTINCT: Final = 190
_LONGEST_TEXT: Final = 40_000
_DIGEST: Final = 6


def fit(desired: Desired) -> Desired:
    """Returns ``desired`` with each value as Kanboard will be able to hold it. Pure."""
    kind = desired.key.kind
    nowhere = CAPABILITIES.lacks.get(kind, frozenset())
    fields, remarks = fit_fields(desired.fields, _LIMITS.get(kind, {}), nowhere)
    notes = [*desired.notes, *remarks]
    for at in (Project.TITLE, Story.SUBJECT):
        if at in fields and not fields[at]:
            fields[at] = fit_text(desired.key.group, line, _LONGEST_TITLE)[0]
            notes.append(f"{at} was empty: the deal's key is used")
    fitted = replace(desired, fields=fields, notes=tuple(notes))
    name = fields.get(_NAMED[kind]) if kind in _NAMED else None
    return replace(fitted, identity=str(name)) if name else fitted


def _distinct(text: str) -> str:
    """A name by which things are told apart: what is cut off is digested."""
    whole = line(text)
    if len(whole) <= _LONGEST_DISTINCT:
        return whole
    digest = hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST]
    return f"{whole[: _LONGEST_DISTINCT - _DIGEST - 2].rstrip()}… {digest}"


_NAME: Final[tuple[Clean, int]] = (_distinct, _LONGEST_DISTINCT)
_NAMED: Final = {Kind.MILESTONE: Milestone.NAME, Kind.ROLE: Role.NAME}
"""Kinds that are known by their names."""

_LIMITS: Final[Mapping[str, Limits]] = {
    Kind.PROJECT: {
        Project.LABEL: (line, _LONGEST_LABEL),
        Project.TITLE: (line, _LONGEST_TITLE),
        Project.TEXT: (words, _LONGEST_TEXT),
        Project.DEAL_FACTS: (facts, _LONGEST_TEXT),
    },
    Kind.ROLE: {Role.NAME: _NAME},
    Kind.MEMBERSHIP: {Membership.ROLE: _NAME},
    Kind.MILESTONE: {Milestone.NAME: _NAME},
    Kind.STATUS: {Status.NAME: _NAME},
    Kind.STORY: {
        Story.SUBJECT: (line, LONGEST_NAME),
        Story.DESCRIPTION: (unmentioned, _LONGEST_TEXT),
        Story.FACTS: (facts, _LONGEST_TEXT),
        Story.STATUS: _NAME,
    },
}
