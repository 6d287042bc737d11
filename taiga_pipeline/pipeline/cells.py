"""One value in one cell of text: amounts, dates, times, probabilities."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Final

from taiga_pipeline.pipeline.errors import InvalidValue

_SPACES = re.compile(r"[\s'’_]")
"""White space of every kind (``\\s`` knows the narrow no-break one) and Swiss apostrophes."""
_CURRENCY_SIGNS: Final = {"€": "EUR", "£": "GBP", "$": "", "¥": "", "kr": ""}
"""Dollars, yen and crowns exist in several currencies: the sign does not say which."""
_AMOUNT = re.compile(
    r"(?P<before>[^\W\d_]{1,3}|[€£$¥])?(?P<number>[+\-−]?[0-9.,]+)(?P<after>[^\W\d_]{1,3}\.?|[€£$¥]|:-)?"
)
_GUESSES: Final = ("%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%Y/%m/%d", "%Y%m%d")


_DATE_OPTION: Final = "--date-format"


@dataclass(frozen=True, slots=True)
class Dates:
    """How dates and times are written where nothing else is said.

    ``form`` is a strptime format, "" for ISO 8601 only; ``zone`` is that of times without one.
    ``option`` is what people call the setting of ``form``, for messages.
    """

    form: str = ""
    zone: tzinfo = UTC
    option: str = _DATE_OPTION


ISO_IN_UTC: Final = Dates()


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount as read. ``unsure`` says that ``1,234`` was taken for a thousand and more."""

    value: Decimal
    currency: str = ""
    unsure: bool = False


def parse_amount(text: str, decimal: str = "") -> Amount:
    """Reads an amount of money with thousands separators and a currency around it.

    ``decimal`` is the decimal separator, "" to tell from the text: the last of two different
    separators is the decimal one; a comma before exactly three digits separates thousands.

    :raises InvalidValue: it is no number.
    """
    match = _AMOUNT.fullmatch(_SPACES.sub("", text))
    if match is None:
        raise InvalidValue(f"{text!r} is no amount")
    digits, unsure = _plain_number(match["number"].replace("−", "-"), decimal)
    try:
        value = Decimal(digits)
    except InvalidOperation:
        raise InvalidValue(f"{text!r} is no amount") from None
    signs = [sign for sign in (match["before"], match["after"]) if sign]
    return Amount(value, _currency(signs), unsure)


def _plain_number(number: str, decimal: str) -> tuple[str, bool]:
    """Returns the number with a point as decimal separator only, and whether that was a guess."""
    separator, unsure = (decimal, False) if decimal else _decimal_separator(number)
    whole, point, fraction = number.rpartition(separator) if separator else (number, "", "")
    if separator and not point:
        whole, fraction = number, ""
    grouped = whole.replace(".", ",").split(",")
    if any(len(group) != 3 for group in grouped[1:]) or "," in fraction or "." in fraction:
        raise InvalidValue(f"{number!r} is no number: its separators do not fit")
    return "".join(grouped) + (f".{fraction}" if fraction else ""), unsure


def _decimal_separator(number: str) -> tuple[str, bool]:
    commas, points = number.count(","), number.count(".")
    if commas and points:
        last = "," if number.rfind(",") > number.rfind(".") else "."
        return last, False
    if commas + points != 1:
        return "", False
    if points:
        return ".", False
    is_group = len(number) - number.index(",") - 1 == 3 and number.index(",") <= 4
    return ("", True) if is_group else (",", False)


def _currency(signs: list[str]) -> str:
    for sign in signs:
        if sign.isascii() and len(sign) == 3 and sign.isalpha():
            return sign.upper()
        if _CURRENCY_SIGNS.get(sign):
            return _CURRENCY_SIGNS[sign]
    return ""


def parse_number(text: str) -> Decimal:
    """Reads a plain number with a decimal point or comma.

    :raises InvalidValue: it is no finite number.
    """
    try:
        value = Decimal(text.strip().replace(",", "."))
    except InvalidOperation:
        raise InvalidValue(f"{text!r} is no number") from None
    if not value.is_finite():
        raise InvalidValue(f"{text!r} is no finite number")
    return value


def parse_probability(text: str) -> Decimal:
    """Reads a probability: ``0.5``, ``50%``, or ``50`` (anything above 1 is per cent).

    :raises InvalidValue: it is no number. Whether it is up to 1 is checked with the deal.
    """
    stripped = text.strip()
    value = parse_number(stripped.removesuffix("%"))
    return value / 100 if stripped.endswith("%") else as_probability(value)


def as_probability(value: Decimal) -> Decimal:
    """Returns a number as a probability: anything above 1 is per cent."""
    return value / 100 if value > 1 else value


@lru_cache(maxsize=4096)
def parse_date(text: str, date_format: str = "", option: str = _DATE_OPTION) -> date:
    """Reads a date: by the given strptime format, else, or failing that, as ISO 8601.

    :raises InvalidValue: it is no date; names a format that would fit, and the ``option`` that
        sets it.
    """
    stripped = text.strip()
    found = _by_format(stripped, date_format) if date_format else None
    if found is None:
        found = _iso_date(stripped)
    if found is not None:
        return found
    wanted = f"of the form {date_format}" if date_format else "of the form YYYY-MM-DD"
    fitting = [guess for guess in _GUESSES if _by_format(stripped, guess)]
    hint = f"; try {option} {' or '.join(fitting)}" if fitting else ""
    raise InvalidValue(f"{text!r} is no date {wanted}{hint}")


def _by_format(text: str, date_format: str) -> date | None:
    try:
        return datetime.strptime(text, date_format).date()
    except ValueError:
        return None


def _iso_date(text: str) -> date | None:
    try:
        if len(text) > 10:
            return datetime.fromisoformat(text).date()
        return date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None


def parse_time(text: str, dates: Dates = ISO_IN_UTC) -> datetime:
    """Reads a moment in ISO 8601, or a date (its midnight), and returns it in UTC.

    :raises InvalidValue: it is neither.
    """
    try:
        return moment_in_utc(datetime.fromisoformat(text.strip()), dates.zone)
    except (ValueError, OverflowError):
        return midnight(parse_date(text, dates.form, dates.option), dates.zone)


def moment_in_utc(moment: datetime, zone: tzinfo = UTC) -> datetime:
    """Returns the moment in UTC; one without a time zone is taken to be in ``zone``.

    :raises OverflowError: it is too near the first or the last day that there is.
    """
    aware = moment.replace(tzinfo=zone) if moment.tzinfo is None else moment
    return aware.astimezone(UTC)


def midnight(day: date, zone: tzinfo = UTC) -> datetime:
    """Returns the moment in UTC at which a day begins in ``zone``."""
    return moment_in_utc(datetime(day.year, day.month, day.day), zone)


def format_time(moment: datetime) -> str:
    """Writes a moment in ISO 8601, in UTC."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
