"""Makes values fit what Odoo can hold, before they are compared, and says what it did. Pure.

Names have no limit of Odoo's own; what is longer than a line of its lists helps nobody.
Descriptions are HTML, into which text is written as text: nothing in it has to be taken away.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Final

from sync.records.composite_text import plain_facts, plain_text
from sync.records.model import Desired, Value
from taiga_pipeline.records import Kind, Milestone, Project, Status, Story
from taiga_pipeline.targets.formatted_text import Clean, Limits, fit_fields, fit_text, line
from taiga_pipeline.targets.marks import without_lines

LONGEST_NAME: Final = 255
_LONGEST_LABEL: Final = 50
_LONGEST_TITLE: Final = LONGEST_NAME - _LONGEST_LABEL - 1
_LONGEST_TEXT: Final = 40_000
_LONGEST_TAG: Final = 64


def fit(desired: Desired, lacks: Mapping[str, Collection[str]]) -> Desired:
    """Returns ``desired`` with each value as Odoo will be able to hold it."""
    kind = desired.key.kind
    fields, remarks = fit_fields(desired.fields, _LIMITS.get(kind, {}), lacks.get(kind, ()))
    notes = [*desired.notes, *remarks]
    for name in (Project.TITLE, Story.SUBJECT):
        if name in fields and not fields[name]:
            fields[name] = fit_text(desired.key.group, line, _LONGEST_TITLE)[0]
            notes.append(f"{name} was empty: the deal's key is used")
    tags = fields.get(Project.TAGS)
    if isinstance(tags, frozenset):
        fields[Project.TAGS] = _fitting_tags(tags)
    fitted = replace(desired, fields=fields, notes=tuple(notes))
    known_by = fields.get(_NAMED[kind]) if kind in _NAMED else None
    return replace(fitted, identity=str(known_by)) if known_by else fitted


def _fitting_tags(tags: frozenset[str]) -> Value:
    fitted = (fit_text(str(tag), line, _LONGEST_TAG)[0] for tag in tags)
    return frozenset(filter(None, fitted))


def _words(text: str) -> str:
    """People's text, as HTML shows it: without lines that are the connector's."""
    lines = without_lines(plain_text(text)).split("\n")
    return "\n".join(each.rstrip() for each in lines).strip("\n")


def _facts(text: str) -> str:
    return "\n".join(each.strip() for each in without_lines(plain_facts(text)).split("\n"))


_NAME: Final[tuple[Clean, int]] = (line, LONGEST_NAME)
_NAMED: Final = {Kind.MILESTONE: Milestone.NAME}

_LIMITS: Final[Mapping[str, Limits]] = {
    Kind.PROJECT: {
        Project.LABEL: (line, _LONGEST_LABEL),
        Project.TITLE: (line, _LONGEST_TITLE),
        Project.TEXT: (_words, _LONGEST_TEXT),
        Project.DEAL_FACTS: (_facts, _LONGEST_TEXT),
    },
    Kind.MILESTONE: {Milestone.NAME: _NAME},
    Kind.STATUS: {Status.NAME: _NAME},
    Kind.STORY: {
        Story.SUBJECT: _NAME,
        Story.DESCRIPTION: (_words, _LONGEST_TEXT),
        Story.FACTS: (_facts, _LONGEST_TEXT),
        Story.STATUS: _NAME,
    },
}
