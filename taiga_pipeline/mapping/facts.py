"""The facts of a deal that are in its project's description: lines of ``Name: value``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from taiga_pipeline.mapping.model import WordsTable
from taiga_pipeline.mapping.rules import Rules, StageRule
from taiga_pipeline.mapping.text import one_line
from taiga_pipeline.mapping.values import DealView, Values
from taiga_pipeline.pipeline.model import Category, Contact, ContactPart, Deal

BREAK: Final = " ·\n"
"""Between facts. Taiga shows a description without its line ends in lists and on a project's page;
the dot keeps the facts apart there."""


def deal_facts(view: DealView, values: Values, demand: str, rules: Rules) -> str:
    """Returns a line for each fact that is known, what a planner asks for first.

    Each value is on one line, whatever is in it.

    ``demand`` is the written demand for people.
    """
    given = {"roles": demand, "contacts": _contacts(view.deal.contacts, rules.words)}
    is_lost = view.category is Category.LOST
    facts = [
        (word, given[name] if name in given else values[name])
        for name, word in rules.facts
        if is_lost or name != "lost_reason"
    ]
    phase = (rules.words.phase, one_line(view.phase))
    return BREAK.join(f"{word}: {value}" for word, value in (phase, *facts) if value)


def own_facts(deal: Deal, rules: Rules, stage: StageRule) -> Iterator[str]:
    """Yields the facts of a deal in fields of the user's own: ``Region: North``."""
    if deal.own:
        view = DealView(deal, stage.name, stage.category, deal.start, deal.probability)
        values = Values(view, rules.placeholders)
        for name, word in rules.facts:
            if name in deal.own:
                yield f"{word}: {values[name]}"


def _contacts(contacts: Sequence[Contact], words: WordsTable) -> str:
    if not contacts:
        return ""
    parts = {
        ContactPart.DECISION_MAKER: words.decision_maker,
        ContactPart.INFLUENCER: words.influencer,
        ContactPart.USER: words.user,
    }
    named = [(one_line(contact.name), parts.get(contact.part)) for contact in contacts]
    return ", ".join(f"{name} ({part})" if part else name for name, part in named if name)
