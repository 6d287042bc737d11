"""Who can do the work, and who is asked to: plain frozen data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Person:
    """Someone who can be staffed. ``email`` (lower case) is the identity."""

    email: str
    name: str
    role: str = ""
    skills: tuple[str, ...] = ()
    hours_per_week: Decimal = Decimal(40)
    team: str = ""
    country: str = ""
    starts: date | None = None
    ends: date | None = None


@dataclass(frozen=True, slots=True)
class TimeOff:
    """Days on which a person does not work, both ends included."""

    email: str
    first: date
    last: date
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Allocation:
    """A person's hours per week for a deal, in a role.

    ``start`` and ``end`` (both included) default to the deal's own when None. ``confirmed`` is
    False for a reservation that waits for the deal to be won.
    """

    deal_key: str
    email: str
    role: str
    hours_per_week: Decimal
    start: date | None = None
    end: date | None = None
    confirmed: bool = True
