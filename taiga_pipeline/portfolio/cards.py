"""Deals on cards that people work on: which fields a card has, and what an edit of one means. Pure.

A card shows a deal's fields as text in one normal form, so that what people type can be compared
with it: numbers without blanks and with a dot, chances in percent, days as ISO 8601.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from sync.records.model import Value
from taiga_pipeline.mapping.rules import Rules, StageRule
from taiga_pipeline.mapping.text import normalise, one_line
from taiga_pipeline.pipeline.columns import format_cell
from taiga_pipeline.pipeline.fields.field import DealField, FieldTable, Kind, held
from taiga_pipeline.pipeline.model import Deal
from taiga_pipeline.records import CardField, Story, task_name

OTHER_PLACES: Final[Mapping[str, str]] = {
    Story.SUBJECT: "name",
    Story.DUE_DATE: "expected_close",
    Story.ASSIGNED: "owner",
    Story.STATUS: "stage",
}
"""The deal's fields that a card shows in places of its own, by the card's field."""

_LONGEST_TITLE: Final = 64
_KINDS: Final = {
    Kind.NUMBER: "number",
    Kind.SHARE: "number",
    Kind.DATE: "date",
    Kind.YES_NO: "yes/no",
    Kind.CHOICE: "choice",
}
_BETWEEN: Final = ": "
_HUNDRED: Final = Decimal(100)


def fields_of(table: FieldTable) -> tuple[DealField, ...]:
    """Returns the deal's fields that are custom fields of its card."""
    return tuple(each for each in table if each.is_on_card or each.is_own)


def card_fields(table: FieldTable) -> tuple[CardField, ...]:
    """Returns the custom fields of cards, each with a title of its own."""
    found: dict[str, CardField] = {}
    for each in fields_of(table):
        title = _title(each, found)
        found[title] = CardField(each.name, title, _kind(each), each.choices)
    return tuple(found.values())


def _title(each: DealField, taken: Mapping[str, object]) -> str:
    title = " ".join(each.label.split())[:_LONGEST_TITLE]
    if title not in taken:
        return title
    return f"{title[: _LONGEST_TITLE - len(each.name) - 3]} ({each.name})"


def _kind(each: DealField) -> str:
    if each.kind is Kind.MONEY:
        return "text" if each.is_own else "number"
    return _KINDS.get(each.kind, "text")


def card_values(deal: Deal, table: FieldTable) -> dict[str, Value]:
    """Returns the custom fields of a deal's card."""
    return {Story.field(each.name): card_text(each, deal) for each in fields_of(table)}


def card_text(each: DealField, deal: Deal) -> str:
    """Returns a field as its card shows it, "" for one that is not known."""
    value = held(deal, each.name)
    if each.kind is Kind.SHARE and isinstance(value, Decimal):
        return _plain(value * _HUNDRED)
    if isinstance(value, Decimal):
        return _plain(value)
    if each.is_own and each.kind is Kind.NUMBER and value:
        return _plain(Decimal(value))
    return one_line(format_cell(each.name, value))


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}" if number.is_finite() else str(number)


def typed(each: DealField, text: str) -> str:
    """Returns what a card says of a field as people would type it elsewhere."""
    is_number = text.replace(".", "", 1).isdecimal()
    return f"{text}%" if each.kind is Kind.SHARE and is_number else text


def subject_of(deal: Deal) -> str:
    """Returns the subject of a deal's card: its customer and its name."""
    parts = map(one_line, (deal.customer, deal.name))
    return _BETWEEN.join(filter(None, parts)) or one_line(deal.key)


def named_in(subject: str, customer: str) -> dict[str, str]:
    """Returns the name, and another customer, that a subject says of a deal of ``customer``.

    A subject without a colon is a name: the customer stays.
    """
    text = " ".join(subject.split())
    first, colon, rest = text.partition(_BETWEEN)
    known = one_line(customer)
    if known and text.startswith(f"{known}{_BETWEEN}"):
        return {"name": text[len(known) + len(_BETWEEN) :]}
    if not colon or not rest.strip():
        return {"name": text}
    return {"customer": first.strip(), "name": rest.strip()}


def tasks_of(deal: Deal, rules: Rules, stage: StageRule) -> dict[str, tuple[str, bool]]:
    """Returns a deal's tasks, by name: each action's text, and whether it is checked off.

    They are the actions that its stage asks for, and those that were checked off before.
    """
    done = {normalise(action) for action in deal.done}
    wanted: Sequence[str] = () if stage.category.is_closed else stage.requires
    of_stages = [action for each in rules.stages for action in each.requires]
    found: dict[str, tuple[str, bool]] = {}
    for action in (*wanted, *of_stages):
        is_done = normalise(action) in done
        if is_done or action in wanted:
            found.setdefault(task_name(deal.key, action), (action, is_done))
    return found


def edit_of(record_field: str, value: Value, deal: Deal, table: FieldTable) -> dict[str, Any]:
    """Returns what an edit of a card's field asks for, as text, by the deal's field.

    Who a card is assigned to is an address here; of a column nothing is said.
    """
    text = str(value or "")
    if record_field == Story.SUBJECT:
        return dict(named_in(text, deal.customer))
    name = Story.of_deal(record_field) or OTHER_PLACES.get(record_field, "")
    if not name or name == "stage" or name not in table:
        return {}
    return {name: typed(table[name], text)}
