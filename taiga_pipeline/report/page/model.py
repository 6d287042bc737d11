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
    """P10, P50 and P90; ``any`` is the chance of more than nothing."""

    low: float
    middle: float
    high: float
    any: float = 1.0

    def plus(self, sure: float) -> Range:
        """Returns the range with something sure added."""
        some = 1.0 if sure else self.any
        return Range(self.low + sure, self.middle + sure, self.high + sure, some)


@dataclass(frozen=True, slots=True)
class Period:
    """A month or quarter: what open deals bring, what deals that are not there yet bring, all.

    Of one that has begun this is its rest; ``done`` is what came so far, None of one that has not.
    """

    name: str
    open: Range
    coming: Range
    all: Range
    done: float | None = None

    @property
    def whole(self) -> Range:
        """What came so far, and what its rest brings."""
        return self.all.plus(self.done or 0)


@dataclass(frozen=True, slots=True)
class Series:
    """One figure over several periods ("Wins", "Won value, EUR")."""

    name: str
    periods: Sequence[Period]

    @property
    def has_begun(self) -> bool:
        """Whether a part of a period is over."""
        return any(period.done is not None for period in self.periods)


@dataclass(frozen=True, slots=True)
class ChanceGroup:
    """Chances of about one size: their mean, the share that came true, and their number."""

    said: float
    came: float
    number: int


@dataclass(frozen=True, slots=True)
class PastWindow:
    """What a past forecast expected of the days after its own, and what came."""

    made: str
    expected: Range
    came: int

    @property
    def held(self) -> bool:
        """Whether what came lies in the range."""
        return self.expected.low <= self.came <= self.expected.high


@dataclass(frozen=True, slots=True)
class Calibration:
    """Past forecasts beside what came: chances within ``days``, and wins in windows of time."""

    days: int
    groups: Sequence[ChanceGroup]
    windows: Sequence[PastWindow]


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
    """Rows by weeks. ``weeks`` are names such as ``2026-W49``.

    Below it, cells that have deals behind them are described in words; ``is_described_by_row``
    describes whole rows instead.
    """

    weeks: Sequence[str]
    rows: Sequence[HeatRow]
    explanation: str
    is_described_by_row: bool = False


@dataclass(frozen=True, slots=True)
class Bar:
    """A person's weeks for a deal: ``weeks`` of them from column ``first`` on, ``hours`` each.

    ``state`` says in words how sure that is.
    """

    deal: str
    name: str
    first: int
    weeks: int
    is_sure: bool
    state: str
    begins: str
    ends: str
    hours: str


@dataclass(frozen=True, slots=True)
class Track:
    """A person's bars in lanes, in which they follow each other; ``left_out`` found no place."""

    name: str
    note: str
    lanes: Sequence[Sequence[Bar]]
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Timeline:
    """People by weeks; ``left_out`` people are not shown."""

    weeks: Sequence[str]
    tracks: Sequence[Track]
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Comparison:
    """Scenarios side by side: one row per figure, one column per scenario."""

    names: Sequence[str]
    rows: Sequence[tuple[str, Sequence[str]]]


@dataclass(frozen=True, slots=True)
class Table:
    """Figures in rows, the first cell of each naming it; ``note`` says what they mean. Rows in
    ``warned`` (by number) need somebody's attention."""

    title: str
    note: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    warned: Sequence[int] = ()


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
    calibration: Calibration | None = None
    capacity: HeatMap | None = None
    without_roles: Sequence[tuple[str, str, str, str]] = ()
    """Deals that state no roles: service, number, value, what is usual."""
    people: HeatMap | None = None
    timeline: Timeline | None = None
    idle: HeatMap | None = None
    idle_people: HeatMap | None = None
    scenarios: Comparison | None = None
    money: Sequence[Table] = ()
    health: Health | None = None
    notices: Sequence[str] = ()
    missing: Sequence[tuple[str, str]] = field(default_factory=tuple)
