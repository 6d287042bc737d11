"""The facts of a deal that stand in its project's description: lines of ``Name: value``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from taiga_pipeline.mapping.model import WordsTable
from taiga_pipeline.mapping.text import one_line
from taiga_pipeline.mapping.values import DealView, Values
from taiga_pipeline.pipeline.model import Category, Contact, ContactPart

BREAK: Final = " ·\n"
"""Between facts. Taiga shows a description without its line ends in lists and on a project's page;
the dot keeps the facts apart there."""


def deal_facts(view: DealView, values: Values, demand: str, words: WordsTable) -> str:
    """Returns a line for each fact that is known, what a planner asks for first.

    Each value is on one line, whatever is in it.

    ``demand`` is the written demand for people.
    """
    facts = [
        (words.stage, values["stage"]),
        (words.probability, values["probability"]),
        (words.expected_close, values["expected_close"]),
        (words.start, values["start"]),
        (words.roles, demand),
        (words.value, values["value"]),
        (words.customer, values["customer"]),
        (words.contacts, _contacts(view.deal.contacts, words)),
        (words.owner, values["owner"]),
        (words.team, values["team"]),
        (words.service, values["service"]),
    ]
    if view.category is Category.LOST:
        facts.append((words.lost_reason, values["lost_reason"]))
    return BREAK.join(f"{name}: {value}" for name, value in facts if value)


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
