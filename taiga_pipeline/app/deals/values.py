"""What people type into the fields of a deal, read as the fields' values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from taiga_pipeline.pipeline.columns import parse_cell
from taiga_pipeline.pipeline.errors import InvalidFields, InvalidValue
from taiga_pipeline.pipeline.fields.field import DealField, FieldTable
from taiga_pipeline.pipeline.fields.table import BUILT_IN
from taiga_pipeline.pipeline.model import Contact, RoleDemand
from taiga_pipeline.pipeline.notation import (
    checked_role,
    parse_contacts,
    parse_part,
    parse_skills,
)
from taiga_pipeline.pipeline.text import line
from taiga_pipeline.pipeline.values.amounts import read_amount
from taiga_pipeline.pipeline.values.units import common

_SHOWN = 4


def read_fields(
    texts: Mapping[str, str | None], contacts: Sequence[str] = (), table: FieldTable = BUILT_IN
) -> dict[str, Any]:
    """Returns the values of the fields that were given, by field.

    A text of None is not given, "" says that the value is not known any more. ``contacts`` are
    written ``Name | e-mail | telephone | part``. A value may bring its currency (``1200 EUR``).

    :raises InvalidFields: all that cannot be read, by field.
    """
    values: dict[str, Any] = {}
    wrong: dict[str, list[str]] = {}
    for name, text in texts.items():
        if text is not None:
            _read(table[name], text, values, wrong)
    _take_currency(texts, values, wrong)
    if contacts:
        try:
            values["contacts"] = tuple(each for text in contacts for each in parse_contacts(text))
        except InvalidValue as error:
            wrong["contacts"] = [problem.message for problem in error.problems]
    if wrong:
        raise InvalidFields(wrong)
    return values


def _read(field: DealField, text: str, values: dict[str, Any], wrong: dict[str, list[str]]) -> None:
    try:
        values[field.name] = parse_cell(field, text)
    except InvalidValue as error:
        wrong[field.name] = [problem.message for problem in error.problems]


def _take_currency(
    texts: Mapping[str, str | None], values: dict[str, Any], wrong: dict[str, list[str]]
) -> None:
    """Takes the currency of ``1200 EUR``, unless it is given by itself."""
    amount = read_amount(texts.get("value") or "") if values.get("value") is not None else None
    if amount is None:
        return
    given = values.get("currency")
    if given is None and amount.currency:
        values["currency"] = amount.currency
    elif given is None and amount.currencies:
        codes = ", ".join(amount.currencies[:_SHOWN])
        wrong["value"] = [f"its sign may be {codes}; write the code behind the amount"]
    elif given:
        try:
            common(amount.currencies, (given,))
        except InvalidValue as error:
            wrong["value+currency"] = [str(error)]


def read_contacts(rows: Sequence[Sequence[str]]) -> tuple[Contact, ...]:
    """Returns contacts from rows of name, e-mail, telephone and part; empty rows are left out.

    :raises InvalidFields: a row without a name, or of an unknown part.
    """
    found: list[Contact] = []
    wrong: list[str] = []
    for name, email, phone, part in rows:
        called, *reached = [line(each) for each in (name, email, phone)]
        if not any((called, *reached)):
            continue
        if not called:
            wrong.append(f"a contact needs a name ({' '.join(filter(None, reached))})")
        try:
            found.append(Contact(called, reached[0], reached[1], parse_part(part)))
        except InvalidValue as error:
            wrong.append(str(error))
    if wrong:
        raise InvalidFields({"contacts": wrong})
    return tuple(found)


def read_roles(rows: Sequence[Sequence[str]]) -> tuple[RoleDemand, ...]:
    """Returns roles from rows of name, hours a week, weeks, first week and skills; rows without a
    name are left out.

    :raises InvalidFields: all that cannot be read.
    """
    found: list[RoleDemand] = []
    wrong: list[str] = []
    for name, *figures, skills in rows:
        if not line(name):
            continue
        try:
            hours, weeks, start = figures
            role = RoleDemand(
                line(name),
                parse_cell("value", hours) or Decimal(0),
                _weeks(weeks),
                _weeks(start or "0"),
                parse_skills(skills),
            )
            found.append(checked_role(role))
        except InvalidValue as error:
            wrong.append(f"{line(name)}: {error}")
    if wrong:
        raise InvalidFields({"roles": wrong})
    return tuple(found)


def _weeks(text: str) -> int:
    digits = text.strip()
    if not digits.isdecimal() or len(digits) > 6:
        raise InvalidValue(f"{digits[:40]!r} is not a number of weeks")
    return int(digits)
