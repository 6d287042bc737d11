"""The wiki page on which a project's people read what sales knows, as lines of Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from taiga_pipeline.mapping.model import WordsTable
from taiga_pipeline.mapping.rules import Rules
from taiga_pipeline.mapping.text import escape_markup, one_line
from taiga_pipeline.mapping.values import Values
from taiga_pipeline.pipeline.fields.table import BUILT_IN
from taiga_pipeline.pipeline.model import Contact, ContactPart, Deal

SLUG: Final = "from-sales"
"""The page's address within the wiki, in every language."""


def page_lines(deal: Deal, values: Values, rules: Rules) -> Iterator[str]:
    """Yields the page. What the deal brings in is shown as plain text, each value on one line.

    What is in the project's description anyway is not said again.
    """
    words = rules.words
    for name, word in rules.page_facts:
        if values[name]:
            yield f"- {escape_markup(word)}: {escape_markup(values[name])}"
    parts = {
        ContactPart.DECISION_MAKER: words.decision_maker,
        ContactPart.INFLUENCER: words.influencer,
        ContactPart.USER: words.user,
    }
    # Whoever decides is what a planner looks for first.
    order = list(parts)
    people = sorted(
        deal.contacts, key=lambda each: order.index(each.part) if each.part in order else 9
    )
    yield from _section(
        words.fact(BUILT_IN["contacts"]), [_contact(each, parts.get(each.part)) for each in people]
    )
    yield from _section(words.agreed, sorted(map(_plain, deal.done)))
    yield from _notes(deal.notes, words)


def _contact(contact: Contact, part: str | None) -> str:
    name = _plain(contact.name) + (f" ({escape_markup(part)})" if part else "")
    return ", ".join(each for each in (name, _plain(contact.email), _plain(contact.phone)) if each)


def _notes(notes: str, words: WordsTable) -> Iterator[str]:
    lines = [_plain(line) for line in notes.splitlines()]
    kept = [f"> {line}" for line in lines if line]
    if kept:
        yield f"### {escape_markup(words.notes)}"
        yield from kept


def _section(title: str, lines: list[str]) -> Iterator[str]:
    if lines:
        yield f"### {escape_markup(title)}"
        yield from (f"- {line}" for line in lines if line)


def _plain(text: str) -> str:
    return escape_markup(one_line(text))
