"""One name and one description in the target, each with two writers: joined and distinguished.

A project's name holds a label (the connector's) and a title; its description holds people's text
and the facts of the deal. See `sync.records.composite_text` for the forms.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from sync.records.composite_text import join_block, join_label, split_block, split_label
from sync.records.model import Value
from taiga_pipeline.records import Project

NAME: Final = "name"
DESCRIPTION: Final = "description"
"""Raw fields of an observed project, as long as they are not distinguished."""


def split_composite(
    fields: Mapping[str, Value],
    hints: Sequence[Mapping[str, Value]],
    no_text: str = "",
    labels: Collection[str] = (),
) -> dict[str, Value]:
    """Returns the fields with label and title, people's text and deal facts distinguished.

    ``no_text`` is what stands in for an empty description where the tool demands one. ``labels``
    are all that this pipeline may have written: they tell where the state store knows nothing.
    """
    parts = {name: value for name, value in fields.items() if name not in (NAME, DESCRIPTION)}
    if NAME in fields:
        label, title = _split_name(str(fields[NAME]), hints, labels)
        parts |= {Project.LABEL: label, Project.TITLE: title}
    if DESCRIPTION in fields:
        text, facts = split_block(str(fields[DESCRIPTION]), _texts(hints, Project.DEAL_FACTS))
        parts |= {Project.TEXT: "" if text == no_text else text, Project.DEAL_FACTS: facts}
    return parts


def join_name(fields: Mapping[str, Value], longest: int) -> str:
    """Returns the name; a title that people made long gives way to the label."""
    name = join_label(str(fields.get(Project.LABEL, "")), str(fields.get(Project.TITLE, "")))
    return name if len(name) <= longest else name[: longest - 1].rstrip() + "…"


def join_description(fields: Mapping[str, Value]) -> str:
    """Returns the description, "" if there is nothing to say."""
    return join_block(str(fields.get(Project.TEXT, "")), str(fields.get(Project.DEAL_FACTS, "")))


def _split_name(
    name: str, hints: Sequence[Mapping[str, Value]], labels: Collection[str]
) -> tuple[str, str]:
    """A title may itself begin like a label: what was written before is recognised first."""
    for hint in hints:
        label, title = str(hint.get(Project.LABEL, "")), str(hint.get(Project.TITLE, ""))
        if title and join_label(label, title) == name:
            return label, title
    for title in _texts(hints, Project.TITLE):
        for label in ("", *labels):
            if join_label(label, title) == name:
                return label, title
    found = split_label(name, _texts(hints, Project.LABEL))
    if found[0] or sum(map(bool, hints)) > 1:  # the label that it had last is known
        return found
    return split_label(name, labels)


def _texts(hints: Iterable[Mapping[str, Value]], name: str) -> list[str]:
    return [str(hint[name]) for hint in hints if hint.get(name)]
