"""Makes values fit what Redmine can hold, before they are compared, and says what it did.

Found out on a real server: a name and a subject have 255 characters, a version's name 60; a NUL is
stored by one database and answered with 500 by another. "@name" in an issue mails a person.
A field that Redmine has no place for is left out, so that a plan shows what will be written.
Descriptions are Textile or Markdown, as an administrator chose for all of Redmine: in both,
``{{name}}`` runs a macro, and images are loaded from wherever a text says.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from sync.records.composite_text import plain_facts, plain_text
from sync.records.model import Desired, Value
from taiga_pipeline.records import Kind, Milestone, Project, Story
from taiga_pipeline.targets.marks import without_lines
from taiga_pipeline.targets.redmine.capabilities import CAPABILITIES

LONGEST_NAME: Final = 255
_LONGEST_LABEL: Final = 50
_LONGEST_TITLE: Final = LONGEST_NAME - _LONGEST_LABEL - 1
_LONGEST_VERSION: Final = 60
_LONGEST_TEXT: Final = 40_000

_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")
_MENTION: Final = re.compile(r"(?<!\w)@(?=[\w.-])")
_INERT_AT: Final = "＠"
_MACRO: Final = re.compile(r"\{{2,}")
_TAG: Final = re.compile(r"<(?=[A-Za-z/!?])")
_MARK: Final = re.compile(r"!(?=[\w<=>({\[/.?#])")
"""Begins an image. Textile writes an image ``!address!``, Markdown ``![words](address)``."""

_DOT: Final = re.compile(r" ·(?=\n|$)")
"""Keeps facts apart in a tool that shows no line ends; Redmine shows them."""

_Clean = Callable[[str], str]


def fit(desired: Desired) -> Desired:
    """Returns ``desired`` with each value as Redmine will be able to hold it. Pure."""
    limits = _LIMITS.get(desired.key.kind, {})
    nowhere = CAPABILITIES.lacks.get(desired.key.kind, frozenset())
    fields: dict[str, Value] = {
        name: value for name, value in desired.fields.items() if name not in nowhere
    }
    notes = list(desired.notes)
    for name, (clean, longest) in limits.items():
        value = fields.get(name)
        if not isinstance(value, str):
            continue
        fields[name], note = _fit(value, clean, longest)
        notes += [f"{name} {note}"] if note else []
    if Project.TITLE in fields and not fields[Project.TITLE]:
        fields[Project.TITLE] = _fit(desired.key.group, _line, _LONGEST_TITLE)[0]
        notes.append("title was empty: the deal's key is used")
    fitted = replace(desired, fields=fields, notes=tuple(notes))
    if desired.key.kind == Kind.MILESTONE and fields.get(Milestone.NAME):
        return replace(fitted, identity=str(fields[Milestone.NAME]))
    return fitted


def _fit(value: str, clean: _Clean, longest: int) -> tuple[str, str]:
    """Returns the value made to fit, and a remark, "" if there is nothing to say."""
    storable = _UNSTORABLE.sub("", value)
    cleaned = clean(storable)
    fitted = cleaned if len(cleaned) <= longest else cleaned[: longest - 1].rstrip() + "…"
    notes = []
    if storable != value:
        notes.append("had characters that cannot be stored; they were left out")
    if clean in _FORMATTED and _inert(storable) != storable:
        notes.append("holds macros, images or tags; written so that they are shown as text")
    if fitted != cleaned:
        notes.append(f"was cut to {len(fitted)} of {len(cleaned)} characters")
    return fitted, "; ".join(notes)


def _line(text: str) -> str:
    return " ".join(text.split())


def _text(text: str) -> str:
    return _inert(without_lines(plain_text(text)))


def _facts(text: str) -> str:
    return _inert(without_lines(_DOT.sub("", plain_facts(text))))


def _unmentioned(text: str) -> str:
    """The text, written so that it reads alike and sends no mail."""
    return _MENTION.sub(_INERT_AT, _text(text))


def _inert(text: str) -> str:
    """The text, written so that it reads alike, runs no macro and loads no image."""
    return _TAG.sub("＜", _MACRO.sub(lambda match: "｛" * len(match[0]), _MARK.sub("！", text)))


_FORMATTED: Final = (_text, _facts, _unmentioned)

_LIMITS: Final[Mapping[str, Mapping[str, tuple[_Clean, int]]]] = {
    Kind.PROJECT: {
        Project.LABEL: (_line, _LONGEST_LABEL),
        Project.TITLE: (_line, _LONGEST_TITLE),
        Project.TEXT: (_text, _LONGEST_TEXT),
        Project.DEAL_FACTS: (_facts, _LONGEST_TEXT),
    },
    Kind.MILESTONE: {Milestone.NAME: (_line, _LONGEST_VERSION)},
    Kind.STORY: {
        Story.SUBJECT: (_line, LONGEST_NAME),
        Story.DESCRIPTION: (_unmentioned, _LONGEST_TEXT),
    },
}
