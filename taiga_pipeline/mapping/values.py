"""The placeholders that texts of a mapping may hold, and their values for a deal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from taiga_pipeline.mapping.text import amount, iso, one_line, percent
from taiga_pipeline.pipeline.fields.field import DealField, FieldTable, Kind
from taiga_pipeline.pipeline.fields.own import money_of
from taiga_pipeline.pipeline.fields.table import BUILT_IN
from taiga_pipeline.pipeline.model import Category, ContactPart, Deal
from taiga_pipeline.pipeline.values.yes_no import NO, YES


@dataclass(frozen=True, slots=True)
class DealView:
    """A deal as its mapping sees it.

    ``stage`` is the mapping's name for the stage. ``start`` and ``probability`` are the deal's own
    or else worked out. ``phase`` is the name of the phase whose project it is about, "" for none;
    ``start`` is the phase's then.
    """

    deal: Deal
    stage: str
    category: Category
    start: date | None
    probability: Decimal | None
    phase: str = ""


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


_WORKED_OUT: Final[Mapping[str, Callable[[DealView], str]]] = {
    "stage": lambda view: view.stage,
    "probability": lambda view: percent(view.probability),
    "start": lambda view: iso(view.start),
}
"""What a mapping knows better than the deal itself."""


def placeholders(
    table: FieldTable = BUILT_IN, yes: str = YES, no: str = NO
) -> Mapping[str, Placeholder]:
    """Returns the placeholders that texts may hold, by name.

    ``yes`` and ``no`` are the words for those in fields of the user's own.
    """
    words = {YES: yes, NO: no}
    found = {
        field.name: Placeholder(field.placeholder, _value(field, words))
        for field in table
        if field.placeholder
    }
    contact = Placeholder("The decision maker, else the first contact.", _contact)
    phase = Placeholder("The phase of the project, of a deal with phases.", _phase)
    return {**found, "contact": contact, **({} if "phase" in found else {"phase": phase})}


def _phase(view: DealView) -> str:
    return one_line(view.phase)


def _value(field: DealField, words: Mapping[str, str]) -> Callable[[DealView], str]:
    """Returns how a field is shown in a text."""
    name = field.name
    if name in _WORKED_OUT:
        return _WORKED_OUT[name]
    if field.is_own:
        return _own(field, words)
    if field.kind is Kind.MONEY:
        return lambda view: amount(getattr(view.deal, name), view.deal.currency)
    if field.kind is Kind.NOTES:
        return _notes
    if field.kind is Kind.DATE:
        return lambda view: iso(getattr(view.deal, name))
    return lambda view: one_line(getattr(view.deal, name))


def _notes(view: DealView) -> str:
    return one_line("\n".join(note.text for note in view.deal.notes))


def _own(field: DealField, words: Mapping[str, str]) -> Callable[[DealView], str]:
    """Returns how a field of the user's own is shown; text that is not of its kind, as it is."""
    name = field.name

    def text(view: DealView) -> str:
        return one_line(view.deal.own.get(name, ""))

    def money(view: DealView) -> str:
        known = money_of(text(view), view.deal.currency)
        return amount(*known) if known else text(view)

    def yes_or_no(view: DealView) -> str:
        return words.get(text(view), text(view))

    return {Kind.MONEY: money, Kind.YES_NO: yes_or_no}.get(field.kind, text)


PLACEHOLDERS: Final = placeholders()
"""Those of the built-in fields."""


class Values(dict[str, str]):
    """The values of a deal's placeholders, worked out when they are first asked for."""

    def __init__(self, view: DealView, known: Mapping[str, Placeholder] = PLACEHOLDERS) -> None:
        super().__init__()
        self._view = view
        self._known = known

    def __missing__(self, name: str) -> str:
        value = self[name] = self._known[name].value(self._view)
        return value
