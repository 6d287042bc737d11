"""What the report shows: plain data, ready to be written out. Hours and money are text already
where they are only shown; what decides about a colour or a length is a number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True, slots=True)
class Card:
    """A deal on the board. ``url`` is its project's, "" without one."""

    key: str
    title: str
    facts: Sequence[str]
    url: str = ""


@dataclass(frozen=True, slots=True)
class Stage:
    """A column of the board; ``total_value`` is the value of all its deals."""

    name: str
    total_value: str
    cards: Sequence[Card]


@dataclass(frozen=True, slots=True)
class Range:
    """P10, P50 and P90."""

    low: float
    middle: float
    high: float


@dataclass(frozen=True, slots=True)
class Period:
    """A month or quarter: what open deals bring, what deals that are not there yet bring, all."""

    name: str
    open: Range
    coming: Range
    all: Range


@dataclass(frozen=True, slots=True)
class Series:
    """One figure over several periods ("Wins", "Won value, EUR")."""

    name: str
    periods: Sequence[Period]


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a heat map.

    ``load`` is what is asked for per hour that there is (None: there is none), ``text`` what the
    cell says, ``hint`` the whole story in one line, ``drivers`` the deals behind it.
    """

    text: str
    load: float | None
    hint: str = ""
    drivers: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class HeatRow:
    """A row of a heat map: a role, or a person."""

    name: str
    note: str
    cells: Sequence[Cell]
    total: Cell


@dataclass(frozen=True, slots=True)
class HeatMap:
    """Rows by weeks. ``weeks`` are names such as ``2026-W49``."""

    weeks: Sequence[str]
    rows: Sequence[HeatRow]
    explanation: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Scenarios side by side: one row per figure, one column per scenario."""

    names: Sequence[str]
    rows: Sequence[tuple[str, Sequence[str]]]


@dataclass(frozen=True, slots=True)
class Health:
    """How the sync is: names and values, and what is open."""

    facts: Sequence[tuple[str, str]]
    issues: Sequence[str]
    is_well: bool


@dataclass(frozen=True, slots=True)
class Page:
    """The whole report. A section that could not be made is None, and ``missing`` says why."""

    pipeline: str
    as_of: date
    stages: Sequence[Stage] = ()
    forecast: Sequence[Series] = ()
    forecast_notes: Sequence[str] = ()
    capacity: HeatMap | None = None
    without_roles: Sequence[tuple[str, str, str, str]] = ()
    """Deals that state no roles: service, number, value, what is usual."""
    people: HeatMap | None = None
    idle: HeatMap | None = None
    idle_people: HeatMap | None = None
    scenarios: Comparison | None = None
    health: Health | None = None
    notices: Sequence[str] = ()
    missing: Sequence[tuple[str, str]] = field(default_factory=tuple)
