"""The wiki page on which a project's people answer what it taught, once it has ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from sync.records.model import Desired, DesiredGroup, Owner, RecordKey
from taiga_pipeline.mapping.model import WordsTable
from taiga_pipeline.mapping.text import one_line
from taiga_pipeline.records import Kind, Wiki

SLUG: Final = "looking-back"
"""The page's address within the wiki, in every language."""


def with_questions(
    group: DesiredGroup, questions: Sequence[str], words: WordsTable
) -> DesiredGroup:
    """Returns the group of a deal whose project has ended, with a page that asks for answers.

    All of the page is people's from its first moment: it is written once, and read from then on.
    """
    if not questions or not group.follow_children:
        return group
    headings = [f"## {one_line(question)}\n" for question in questions]
    page = Desired(
        key=RecordKey(group.key, Kind.WIKI, SLUG),
        fields={
            Wiki.TITLE: words.looking_back,
            Wiki.TEXT: "\n".join((f"{words.looking_back_hint}\n", *headings)),
            Wiki.FACTS: "",
        },
        owners={Wiki.TITLE: Owner.DELIVERY, Wiki.TEXT: Owner.DELIVERY},
        reason="the project has ended, and what it taught is asked for",
    )
    return replace(group, children=(*group.children, page), feeds_back=True)


def is_looking_back(key: RecordKey) -> bool:
    """Whether a record is the page that asks what a project taught."""
    return (key.kind, key.name) == (Kind.WIKI, SLUG)
