"""Values of the user's own fields: text in a normal form, one for each kind.

What a deal holds is this text, whatever the configuration says of the field today: a field that is
taken away, or that gets another kind, loses nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final

from taiga_pipeline.pipeline.cleaning import MAX_VALUE, clean_line
from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.pipeline.fields.field import DealField, Kind
from taiga_pipeline.pipeline.text import folded, line
from taiga_pipeline.pipeline.values.amounts import Amount, AmountReading
from taiga_pipeline.pipeline.values.blank import is_blank, is_blank_text
from taiga_pipeline.pipeline.values.currencies import currencies_of
from taiga_pipeline.pipeline.values.dates import DateReading
from taiga_pipeline.pipeline.values.units import common
from taiga_pipeline.pipeline.values.yes_no import NO, YES, read_yes_no
from taiga_pipeline.problems import did_you_mean

_SHOWN: Final = 40
_NAMED: Final = 20
"""Choices that a message lists."""


def is_nothing(field: DealField, text: str) -> bool:
    """Tells whether a text says that there is no value."""
    if field.kind is Kind.TEXT:
        return is_blank_text(text)
    return is_blank(text) and folded(line(text)) not in map(folded, field.choices)


def read_choice(field: DealField, text: str) -> str:
    """Returns the choice that a text names, whatever its letter case.

    :raises InvalidValue: it is none of them; names them, and the nearest.
    """
    asked = folded(line(text))
    for choice in field.choices:
        if folded(choice) == asked:
            return choice
    listed = ", ".join(field.choices[:_NAMED])
    more = f" and {len(field.choices) - _NAMED} more" if len(field.choices) > _NAMED else ""
    raise InvalidValue(
        f"{text.strip()[:_SHOWN]!r} is not one of the choices{did_you_mean(text, field.choices)} "
        f"(choices: {listed}{more})"
    )


def read_own(field: DealField, text: str, currency: str = "") -> str:
    """Reads a value that stands alone, and returns its normal form; "" if it says nothing.

    ``currency`` is that of the deal, for a sign that several currencies share.

    :raises InvalidValue: it is not such a value, or it can be read in two ways.
    """
    if is_nothing(field, text):
        return ""
    return normal_form(field, _typed(field, text), currency)


def _typed(field: DealField, text: str) -> Any:
    match field.kind:
        case Kind.DATE:
            return DateReading(option="").day(text)
        case Kind.MONEY | Kind.NUMBER:
            return read_figure(field, AmountReading(option=""), text)
        case Kind.YES_NO:
            return read_yes_no(text)
        case Kind.CHOICE:
            return read_choice(field, text)
        case _:
            return text


def read_figure(field: DealField, reading: AmountReading, text: str) -> Amount | None:
    """Reads money or a number; None if the text stands for nothing.

    :raises InvalidValue: as `AmountReading.read`.
    """
    try:
        return reading.read(text)
    except InvalidValue as error:
        if field.kind is Kind.MONEY:
            raise
        reasons = (problem.message for problem in error.problems)
        raise InvalidValue(*(each.replace("an amount", "a number") for each in reasons)) from None


def normal_form(field: DealField, value: Any, currency: str = "") -> str:
    """Returns a value that was read as the text that a deal holds; "" for None.

    :raises InvalidValue: a number with a currency, or money whose currency is not clear.
    """
    if value is None or value == "":
        return ""
    if isinstance(value, Amount):
        return _amount_form(field, value, currency)
    if isinstance(value, bool):
        return YES if value else NO
    if isinstance(value, Decimal):
        return _plain(value)
    return value.isoformat() if isinstance(value, date) else clean_line(str(value))


def _amount_form(field: DealField, amount: Amount, currency: str) -> str:
    if not abs(amount.value) < MAX_VALUE:
        raise InvalidValue(f"{amount.value:,f} is too large; a figure is less than {MAX_VALUE:,}")
    if field.kind is Kind.NUMBER:
        if amount.currencies:
            raise InvalidValue(f"a number has no currency ({' or '.join(amount.currencies[:4])})")
        return _plain(amount.value)
    return f"{_plain(amount.value)} {_currency(field, amount.currencies, currency)}".rstrip()


def _currency(field: DealField, named: Sequence[str], currency: str) -> str:
    """Returns the currency of money: the field's, else the one that is named, "" for the deal's."""
    if field.currency:
        return common(tuple(named), (field.currency,))[0]
    if len(named) <= 1:
        return named[0] if named else ""
    shared = [code for code in named if code in currencies_of(currency)]
    if len(shared) == 1:
        return shared[0]
    raise InvalidValue(
        f"its sign may be {' or '.join(named[:4])}; write the code, or name the field's currency "
        f'in [[field]] "{field.name}"'
    )


def _plain(value: Decimal) -> str:
    text = format(value, "f")
    plain = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if plain in ("-0", "") else plain


def money_of(text: str, currency: str) -> tuple[Decimal, str] | None:
    """Returns amount and currency of money in its normal form; without one, the deal's counts.

    None if the text is not in this form.
    """
    number, _, code = text.partition(" ")
    try:
        return Decimal(number), code or currency
    except ArithmeticError:
        return None


def objection(field: DealField, text: str) -> str:
    """Says why a text that a deal holds is not a value of a field as it is now, "" if it is one."""
    try:
        return "" if read_own(field, text) == text else "it is not written as its kind is"
    except InvalidValue as error:
        return str(error)


def json_form(field: DealField, text: str) -> str | bool | None:
    """Returns a value for JSON: yes and no as true and false, nothing as null where it is not text.

    Figures and days are text in their normal form, as those of the built-in fields are.
    """
    if field.kind is Kind.YES_NO and text in (YES, NO):
        return text == YES
    return text if text or field.kind in (Kind.TEXT, Kind.CHOICE) else None
