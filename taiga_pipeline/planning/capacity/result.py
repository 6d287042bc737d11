"""What `capacity` finds: plain data for terminal, JSON, CSV, wiki and HTML. Hours throughout."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from taiga_pipeline.planning.demand.silent import Silent
from taiga_pipeline.planning.weeks import Weeks


@dataclass(frozen=True, slots=True)
class Driver:
    """A deal behind a gap: the hours that it adds to the expected gap.

    ``weighted`` are the hours that it asks for there, times its chance (1 if it ``is_won``).
    """

    deal_key: str
    added: float
    weighted: float
    probability: float
    expected_close: date | None
    is_won: bool = False


@dataclass(frozen=True, slots=True)
class Idle:
    """Hours that are still free.

    ``low``, ``middle`` and ``high`` are P20, P50 and P80 over the trials (so that ``low`` are free
    in 80 % of them), ``expected`` is their mean.
    """

    low: float
    middle: float
    high: float
    expected: float


NO_IDLE: Final = Idle(0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Cell:
    """Hours there are and hours asked for: of a role in a week, or of several together.

    ``confirmed``: won deals. ``weighted``: confirmed plus probability times hours of open deals.
    ``exposure``: every open deal won, at its start as entered. ``median``, ``quantile`` and
    ``high`` (95 %) are quantiles of all demand over the trials. ``gap`` is the chosen quantile of
    the hours that are missing (in one role and week: the quantile above capacity),
    ``expected_gap`` their mean, ``chance_short`` the share of trials in which hours are missing.
    ``idle`` are the hours that are left over.

    In a brief report the cells of single weeks have no drivers, and NaN for what was not worked
    out: ``median``, ``high`` and the quantiles of ``idle``; over all roles also ``quantile`` and
    ``gap``.
    """

    capacity: float
    confirmed: float
    weighted: float
    exposure: float
    median: float
    quantile: float
    high: float
    gap: float
    expected_gap: float
    chance_short: float
    drivers: tuple[Driver, ...] = ()
    idle: Idle = NO_IDLE

    @property
    def utilisation(self) -> float | None:
        """Confirmed hours per hour of capacity, None where there is none of it."""
        return self.confirmed / self.capacity if self.capacity else None

    @property
    def expected_utilisation(self) -> float | None:
        """The same with open deals, each with its chance."""
        return self.weighted / self.capacity if self.capacity else None

    @property
    def load(self) -> float | None:
        """The chosen quantile of demand per hour of capacity, None where there is none of it."""
        return self.quantile / self.capacity if self.capacity else None


NOTHING: Final = Cell(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class RoleCapacity:
    """A role, week by week; ``total`` is over all weeks, worked out from the trials."""

    role: str
    people: int
    weeks: tuple[Cell, ...]
    total: Cell


@dataclass(frozen=True, slots=True)
class PersonWeek:
    """A person's hours in a week, or in several together.

    ``tentative`` are those reserved for open deals, ``expected`` confirmed ones plus tentative ones
    times the chances of their deals. ``deals`` and ``tentative_deals`` say which, with their hours.
    """

    capacity: float
    confirmed: float
    tentative: float
    expected: float
    idle: Idle
    deals: tuple[tuple[str, float], ...] = ()
    tentative_deals: tuple[tuple[str, float], ...] = ()

    @property
    def utilisation(self) -> float | None:
        """Confirmed hours per hour of capacity, None where there is none of it."""
        return self.confirmed / self.capacity if self.capacity else None

    @property
    def expected_utilisation(self) -> float | None:
        """The same with reservations, each with the chance of its deal."""
        return self.expected / self.capacity if self.capacity else None


@dataclass(frozen=True, slots=True)
class PersonCapacity:
    """A person, week by week, and over all weeks."""

    email: str
    name: str
    role: str
    weeks: tuple[PersonWeek, ...]
    total: PersonWeek


@dataclass(frozen=True, slots=True)
class CapacityReport:
    """The whole answer. ``by_week`` and ``total`` are over all roles.

    In those, hours of one role do not make up for missing hours of another.
    """

    as_of: date
    weeks: Weeks
    quantile: float
    trials: int
    seed: int
    common_shock_sd: float
    open_deals: int
    notices: tuple[str, ...] = ()
    silent: tuple[Silent, ...] = ()
    """Deals that state no roles, by service: they are not counted."""
    roles: tuple[RoleCapacity, ...] = ()
    by_week: tuple[Cell, ...] = ()
    total: Cell = NOTHING
    people: tuple[PersonCapacity, ...] = ()
