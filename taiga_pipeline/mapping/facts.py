"""The facts of a deal that stand in its project's description: lines of ``Name: value``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from taiga_pipeline.mapping.demand import written_demand
from taiga_pipeline.mapping.model import WordsTable
from taiga_pipeline.mapping.text import one_line
from taiga_pipeline.mapping.values import DealView, Values
from taiga_pipeline.pipeline.model import Category, Contact, ContactPart, RoleDemand


def deal_facts(
    view: DealView, values: Values, demand: Sequence[RoleDemand], words: WordsTable
) -> str:
    """Returns a line for each fact that is known. Each value is on one line, whatever is in it."""
    facts = [
        (words.customer, values["customer"]),
        (words.stage, values["stage"]),
        (words.value, values["value"]),
        (words.probability, values["probability"]),
        (words.expected_close, values["expected_close"]),
        (words.start, values["start"]),
        (words.owner, values["owner"]),
        (words.team, values["team"]),
        (words.service, values["service"]),
        (words.contacts, ", ".join(_contacts(view.deal.contacts, words))),
        (words.roles, written_demand(demand, view.start, words)),
    ]
    if view.category is Category.LOST:
        facts.append((words.lost_reason, values["lost_reason"]))
    return "\n".join(f"{name}: {value}" for name, value in facts if value)


def _contacts(contacts: Sequence[Contact], words: WordsTable) -> Iterator[str]:
    parts = {
        ContactPart.DECISION_MAKER: words.decision_maker,
        ContactPart.INFLUENCER: words.influencer,
        ContactPart.USER: words.user,
    }
    for contact in contacts:
        part = parts.get(contact.part)
        name = one_line(contact.name)
        if name:
            yield f"{name} ({part})" if part else name
