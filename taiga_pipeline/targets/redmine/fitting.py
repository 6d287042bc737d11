"""Makes values fit what Redmine can hold, before they are compared, and says what it did.

Found out on a real server: a name and a subject have 255 characters, a version's name 60; a NUL is
stored by one database and answered with 500 by another. "@name" in an issue mails a person.
A field that Redmine has no place for is left out, so that a plan shows what will be written.
Descriptions are Textile or Markdown, as an administrator chose for all of Redmine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from sync.records.model import Desired
from taiga_pipeline.records import Kind, Milestone, Project, Story
from taiga_pipeline.targets.formatted_text import (
    Limits,
    facts,
    fit_fields,
    fit_text,
    line,
    unmentioned,
    words,
)
from taiga_pipeline.targets.redmine.capabilities import CAPABILITIES

LONGEST_NAME: Final = 255
_LONGEST_LABEL: Final = 50
_LONGEST_TITLE: Final = LONGEST_NAME - _LONGEST_LABEL - 1
_LONGEST_VERSION: Final = 60
_LONGEST_TEXT: Final = 40_000


def fit(desired: Desired) -> Desired:
    """Returns ``desired`` with each value as Redmine will be able to hold it. Pure."""
    kind = desired.key.kind
    nowhere = CAPABILITIES.lacks.get(kind, frozenset())
    fields, remarks = fit_fields(desired.fields, _LIMITS.get(kind, {}), nowhere)
    notes = [*desired.notes, *remarks]
    if Project.TITLE in fields and not fields[Project.TITLE]:
        fields[Project.TITLE] = fit_text(desired.key.group, line, _LONGEST_TITLE)[0]
        notes.append("title was empty: the deal's key is used")
    fitted = replace(desired, fields=fields, notes=tuple(notes))
    if kind == Kind.MILESTONE and fields.get(Milestone.NAME):
        return replace(fitted, identity=str(fields[Milestone.NAME]))
    return fitted


_LIMITS: Final[Mapping[str, Limits]] = {
    Kind.PROJECT: {
        Project.LABEL: (line, _LONGEST_LABEL),
        Project.TITLE: (line, _LONGEST_TITLE),
        Project.TEXT: (words, _LONGEST_TEXT),
        Project.DEAL_FACTS: (facts, _LONGEST_TEXT),
    },
    Kind.MILESTONE: {Milestone.NAME: (line, _LONGEST_VERSION)},
    Kind.STORY: {
        Story.SUBJECT: (line, LONGEST_NAME),
        Story.DESCRIPTION: (unmentioned, _LONGEST_TEXT),
    },
}
