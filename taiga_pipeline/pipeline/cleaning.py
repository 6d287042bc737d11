"""What may be stored: a deal in its normal form, or the reasons why not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from taiga_pipeline.days import known_day
from taiga_pipeline.pipeline.errors import InvalidFields, InvalidValue
from taiga_pipeline.pipeline.fields.field import Kind
from taiga_pipeline.pipeline.fields.table import BUILT_IN
from taiga_pipeline.pipeline.model import Contact, Deal, Note, RoleDemand
from taiga_pipeline.pipeline.notation import checked_role
from taiga_pipeline.pipeline.text import block, line
from taiga_pipeline.pipeline.values.patterns import pattern

MAX_KEY: Final = 200
MAX_LINE: Final = 1_000
MAX_BLOCK: Final = 100_000
MAX_VALUE: Final = Decimal(10) ** 15
MAX_PLACES: Final = 30
_CURRENCY = pattern(r"[A-Z]{3}")


def clean_deal(deal: Deal) -> Deal:
    """Returns the deal in its normal form. A day that no pipeline reaches means "no date".

    :raises InvalidFields: everything that is wrong with it, by field.
    """
    wrong: dict[str, list[str]] = {}
    values: dict[str, Any] = {}
    for name, clean in _CLEANERS:
        try:
            values[name] = clean(getattr(deal, name))
        except InvalidValue as error:
            wrong[name] = [problem.message for problem in error.problems]
    own = _clean_own(deal.own, wrong) if deal.own else deal.own
    if wrong:
        raise InvalidFields(wrong)
    cleaned = replace(deal, **values, own=own)
    if missing := _missing(cleaned):
        raise InvalidFields(missing)
    return cleaned


def _clean_own(own: Mapping[str, str], wrong: dict[str, list[str]]) -> dict[str, str]:
    """Returns the fields of the user's own that hold something, each on one line."""
    cleaned: dict[str, str] = {}
    for name in sorted(own):
        try:
            cleaned[name] = clean_line(own[name])
        except InvalidValue as error:
            wrong[name] = [problem.message for problem in error.problems]
    return {name: text for name, text in cleaned.items() if text}


def _missing(deal: Deal) -> dict[str, list[str]]:
    wrong = {}
    if not deal.key:
        wrong["key"] = ["a deal needs a key"]
    elif len(deal.key) > MAX_KEY:
        wrong["key"] = [f"{len(deal.key)} characters; up to {MAX_KEY} can be kept"]
    if not deal.name:
        wrong["name"] = ["a deal needs a name"]
    return wrong


def clean_line(text: str) -> str:
    """Returns text of one line, in its normal form.

    :raises InvalidValue: too long, or characters that cannot be kept.
    """
    cleaned = line(text)
    if len(cleaned) > MAX_LINE:
        raise InvalidValue(f"{len(cleaned)} characters; up to {MAX_LINE} can be kept")
    return cleaned


def clean_block(text: str) -> str:
    """Returns text of several lines, in its normal form.

    :raises InvalidValue: too long, or characters that cannot be kept.
    """
    cleaned = block(text)
    if len(cleaned) > MAX_BLOCK:
        raise InvalidValue(f"{len(cleaned)} characters; up to {MAX_BLOCK} can be kept")
    return cleaned


def clean_value(value: Decimal | None) -> Decimal | None:
    """Returns an amount of money.

    :raises InvalidValue: it is negative, infinite, or beyond any deal.
    """
    if value is None:
        return None
    if not value.is_finite():
        raise InvalidValue(f"{value} is not an amount")
    if not 0 <= value < MAX_VALUE:
        raise InvalidValue(f"{value}: an amount is 0 or more, and less than {MAX_VALUE:,}")
    return abs(_of_bearable_length(value))  # -0 is 0


def clean_currency(text: str) -> str:
    """Returns a currency's code in capital letters, "" for none.

    :raises InvalidValue: it has not the form of an ISO 4217 code.
    """
    code = line(text).upper()
    if code and not _CURRENCY.fullmatch(code):
        raise InvalidValue(f"{text!r} is not a currency code; write three letters like EUR or SEK")
    return code


def clean_probability(value: Decimal | None) -> Decimal | None:
    """Returns a probability.

    :raises InvalidValue: it is not between 0 and 1.
    """
    if value is None:
        return None
    if not value.is_finite() or not 0 <= value <= 1:
        raise InvalidValue(f"{value} is not between 0 and 1 (0 % and 100 %)")
    return abs(_of_bearable_length(value))


def _of_bearable_length(value: Decimal) -> Decimal:
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -MAX_PLACES:
        raise InvalidValue(f"more than {MAX_PLACES} digits after the decimal point")
    return value


def in_utc(moment: datetime | None) -> datetime | None:
    """Returns the moment in UTC; one without a time zone is taken for UTC."""
    if moment is None:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _clean_contact(contact: Contact) -> Contact:
    cleaned = Contact(
        clean_line(contact.name), clean_line(contact.email), clean_line(contact.phone), contact.part
    )
    if not cleaned.name:
        raise InvalidValue("a contact without a name")
    return cleaned


def clean_note(note: Note) -> Note:
    """Returns a note in its normal form.

    :raises InvalidValue: it has no text, or more than can be kept.
    """
    text = clean_block(note.text)
    if not text:
        raise InvalidValue("a note without text")
    by, origin = clean_line(note.by), clean_line(note.origin)
    return Note(text, in_utc(note.at), by, origin)


def _clean_role(role: RoleDemand) -> RoleDemand:
    skills = tuple(skill for skill in map(clean_line, role.skills) if skill)
    return checked_role(replace(role, role=clean_line(role.role), skills=skills))


_BY_KIND: Final[Mapping[Kind, Callable[[Any], Any]]] = {
    Kind.TEXT: clean_line,
    Kind.MONEY: clean_value,
    Kind.CURRENCY: clean_currency,
    Kind.SHARE: clean_probability,
    Kind.DATE: known_day,
    Kind.MOMENT: in_utc,
    Kind.CONTACTS: lambda contacts: tuple(map(_clean_contact, contacts)),
    Kind.NOTES: lambda notes: tuple(map(clean_note, notes)),
    Kind.ROLES: lambda roles: tuple(map(_clean_role, roles)),
    Kind.ACTIONS: lambda actions: frozenset(map(clean_line, actions)) - {""},
}
_CLEANERS: Final = tuple((field.name, _BY_KIND[field.kind]) for field in BUILT_IN)
