"""Who can do the work, and who is asked to: plain frozen data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
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


@dataclass(frozen=True, slots=True)
class Rate:
    """What an hour costs, and what it is billed at, of a person (``email``) or of a role.

    It holds from the day ``since`` on (None: from ever), until a later one of the same person or
    role. None for an amount leaves the earlier one in force.
    """

    email: str = ""
    role: str = ""
    since: date | None = None
    cost: Decimal | None = None
    bill: Decimal | None = None
    currency: str = ""

    @property
    def whose(self) -> str:
        """The address, or the role."""
        return self.email or self.role


@dataclass(frozen=True, slots=True)
class RateChange:
    """A rate as it was set, or (without amounts) taken back: when, and by whom."""

    rate: Rate
    at: datetime
    by: str

    @property
    def is_removal(self) -> bool:
        """Whether the rate was taken back."""
        return self.rate.cost is None and self.rate.bill is None
