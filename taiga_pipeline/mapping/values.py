"""The placeholders that texts of a mapping may hold, and their values for a deal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from taiga_pipeline.mapping.text import amount, iso, one_line, percent
from taiga_pipeline.pipeline.model import Category, ContactPart, Deal


@dataclass(frozen=True, slots=True)
class DealView:
    """A deal as its mapping sees it.

    ``stage`` is the mapping's name for the stage. ``start`` and ``probability`` are the deal's own
    or else worked out.
    """

    deal: Deal
    stage: str
    category: Category
    start: date | None
    probability: Decimal | None


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A name, what it stands for, and how its value (one line, "" for empty) is found."""

    description: str
    value: Callable[[DealView], str]


def _contact(view: DealView) -> str:
    """Returns the decision maker, else the first contact."""
    contacts = view.deal.contacts
    deciding = [contact for contact in contacts if contact.part is ContactPart.DECISION_MAKER]
    return one_line((deciding or list(contacts))[0].name) if contacts else ""


PLACEHOLDERS: Final[Mapping[str, Placeholder]] = {
    "key": Placeholder("The deal's key.", lambda view: one_line(view.deal.key)),
    "name": Placeholder("The deal's name.", lambda view: one_line(view.deal.name)),
    "customer": Placeholder("The customer.", lambda view: one_line(view.deal.customer)),
    "stage": Placeholder("The stage, as the mapping names it.", lambda view: view.stage),
    "value": Placeholder(
        'The value with its currency: "120,000 EUR".',
        lambda view: amount(view.deal.value, view.deal.currency),
    ),
    "currency": Placeholder("The currency.", lambda view: one_line(view.deal.currency)),
    "probability": Placeholder(
        "The chance to win, the deal's own or else the stage's: \"50 %\"; of what is decided, "
        '"100 %" or "0 %".',
        lambda view: percent(view.probability),
    ),
    "expected_close": Placeholder(
        "The day it is expected to close, ISO 8601.", lambda view: iso(view.deal.expected_close)
    ),
    "start": Placeholder(
        "The project's first day, stated or worked out, ISO 8601.", lambda view: iso(view.start)
    ),
    "closed_on": Placeholder(
        "The day it was won or lost, ISO 8601.", lambda view: iso(view.deal.closed_on)
    ),
    "owner": Placeholder("Who sells it.", lambda view: one_line(view.deal.owner)),
    "team": Placeholder("The team.", lambda view: one_line(view.deal.team)),
    "service": Placeholder("What is sold.", lambda view: one_line(view.deal.service)),
    "lead_source": Placeholder(
        "Where the lead came from.", lambda view: one_line(view.deal.lead_source)
    ),
    "lost_reason": Placeholder("Why it was lost.", lambda view: one_line(view.deal.lost_reason)),
    "contact": Placeholder("The decision maker, else the first contact.", _contact),
    "notes": Placeholder("The deal's notes, on one line.", lambda view: one_line(view.deal.notes)),
}


class Values(dict[str, str]):
    """The values of a deal's placeholders, worked out when they are first asked for."""

    def __init__(self, view: DealView) -> None:
        super().__init__()
        self._view = view

    def __missing__(self, name: str) -> str:
        value = self[name] = PLACEHOLDERS[name].value(self._view)
        return value
