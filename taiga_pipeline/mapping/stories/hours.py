"""Planned hours of a story: a number, hours of a role, or a field of the deal. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final

from taiga_pipeline.mapping.text import normalise, plain_number
from taiga_pipeline.pipeline.model import RoleDemand

MOST_HOURS: Final = 100_000
"""What a story may take at most: fifty years of one person."""

HOURS_PATTERN: Final = (
    r"^\s*(?:(?P<share>\d{1,3}(?:\.\d{1,2})?)\s*%\s*of\s+)?"
    r"(?:role:\s*(?P<role>\S(?:.*\S)?)|\{(?P<field>\w+)\})\s*$"
)
EVERY_ROLE: Final = "*"
MUST_BE: Final = (
    'must be a number of hours, a role\'s hours such as "role:Back" or "25 % of role:Back", all '
    'hours ("role:*"), or a field of deals that is a number ("{planned_hours}")'
)
_HALF: Final = Decimal("0.5")
_CENT: Final = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class HoursRule:
    """How many hours a story is planned to take.

    ``fixed`` is a number that the mapping gives. Else they are ``share`` (1 for all) of the hours
    of ``role`` (normalised, `EVERY_ROLE` for all roles), or of what a deal's ``field`` holds.
    """

    fixed: Decimal | None = None
    share: Decimal = Decimal(1)
    role: str = ""
    field: str = ""

    def of(self, demand: Iterable[RoleDemand], own: Mapping[str, str]) -> Decimal | None:
        """Returns the hours, None where nothing is known or needed.

        ``demand`` is whom the project needs, ``own`` the deal's fields of the user's own. A part of
        them is rounded to half an hour, and never to nothing.
        """
        if self.fixed is not None:
            return self.fixed
        hours = _number(own.get(self.field, "")) if self.field else self._of_roles(demand)
        if hours is None or not 0 < hours <= MOST_HOURS:
            return None
        return hours if self.share == 1 else max(_HALF, _halves(hours * self.share))

    def _of_roles(self, demand: Iterable[RoleDemand]) -> Decimal:
        mine = (each for each in demand if self.role in (EVERY_ROLE, normalise(each.role)))
        return sum((each.hours_per_week * each.weeks for each in mine), Decimal(0))


def parse_hours(value: str | Decimal) -> HoursRule:
    """Reads what a mapping says of a story's hours.

    :raises ValueError: it is neither a number nor one of the forms of text.
    """
    if isinstance(value, Decimal):
        return HoursRule(fixed=value)
    match = re.fullmatch(HOURS_PATTERN, value)
    share = Decimal(match["share"] or 100) / 100 if match else Decimal(0)
    if match is None or not 0 < share <= 1:
        raise ValueError(MUST_BE)
    return HoursRule(None, share, normalise(match["role"] or ""), match["field"] or "")


def written_hours(hours: Decimal | None) -> str | None:
    """Returns hours as a record has them: "16", "1.5", None for none; cents of an hour at most."""
    if hours is None:
        return None
    return plain_number(hours.quantize(_CENT)) if hours > 0 else None


def read_hours(value: object) -> str | None:
    """Returns hours that a tool holds as a number or as text, as `written_hours` does.

    What is no number, or none that hours can be, is no estimate.
    """
    hours = None if isinstance(value, bool) else _number(str(value or ""))
    return written_hours(hours) if hours is not None and hours < 10 * MOST_HOURS else None


def _halves(hours: Decimal) -> Decimal:
    return (hours / _HALF).to_integral_value() * _HALF


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
