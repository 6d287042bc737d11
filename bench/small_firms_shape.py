"""What a small firm's pipeline may be like: see `bench.small_firms`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

TODAY: Final = date(2026, 3, 31)
BEFORE_SUMMER: Final = date(2026, 6, 15)
MID_QUARTER: Final = date(2026, 2, 16)
STAGES: Final = (
    *("Lead", "Qualified", "Needs", "Proposal"),
    *("Offer", "Contract", "Legal", "Signature"),
)
TRUTH: Final = (0.20, 0.30, 0.45, 0.67)
TOO_LOW: Final = (0.05, 0.15, 0.30, 0.50)
TOO_HIGH: Final = (0.40, 0.50, 0.65, 0.85)
DAYS_AHEAD: Final = 90
HAGGLED: Final = 0.2
SUMMER: Final = (date(2000, 7, 1), date(2000, 8, 15))
"""The days of a year on which nothing comes in or is decided, in a firm that closes then."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of deals: its part of all, its true chances by stage, and the median of its values,
    which are log-normal with the standard deviation ``sigma`` of their logarithm."""

    share: float
    truth: tuple[float, ...]
    value: float
    sigma: float = 0.5
    service: str = ""
    currency: str = "EUR"


@dataclass(frozen=True, slots=True)
class Shape:
    """What a firm's pipeline is like.

    ``a_year`` deals come in, over ``years`` that are on record; ``cycle`` days pass until a win.
    ``growth`` is the factor of a year, ``shock`` the deviation of a quarter's log-odds, ``season``
    how much more come in at the year's best time than on average. Stays vary as a gamma time of the
    shape ``gamma``. Losses that are not recorded leave the deal open, or ``removed``; they are
    recorded up to ``silent`` years ago. A chance of None is not in the mapping.

    Deals are of ``kinds``, else of one kind with ``value`` and ``sigma``; those that are ``priced``
    state their value while they are open. ``stated`` close dates hold within two weeks (True), or
    are a guess of the day on which the deal came in (False). Everything may have been ``imported``
    so many days ago, open deals without their dates and stages of past ones not at all; stages may
    have been ``renamed`` so many days ago: the mapping does not know the old names any more.
    With ``summers`` nothing happens during `SUMMER`.

    Of new deals a part ``skips`` the first half of the stages, and a part is ``unseen`` until it is
    won: it is entered on that day. They come in so many at once (``at_once``). What moves on was
    ``easier`` up to so many days ago: odds were as many times as high as now, ``(days, times)``.
    Lost deals stay open up to the next ``clean_up``, one in so many days. A part of the lost deals
    is ``reopened`` a month later. Up to so many days ago the two stages in the middle came the
    other way round (``reordered``). With ``quarter_ends`` decisions fall on those. Final values are
    stated ones times ``haggled``, up to a deviation of `HAGGLED`.
    """

    name: str
    a_year: float = 30.0
    years: float = 1.0
    truth: tuple[float, ...] = TRUTH
    mapping: tuple[float | None, ...] = TOO_LOW
    cycle: float = 90.0
    stage_history: bool = True
    month_ends: bool = False
    growth: float = 1.0
    shock: float = 0.0
    losses: bool = True
    removed: bool = False
    silent: float | None = None
    gamma: float = 1.0
    season: float = 0.0
    value: float = 20_000.0
    sigma: float = 0.6
    priced: bool = True
    kinds: tuple[Kind, ...] = ()
    stated: bool | None = None
    imported: int = 0
    renamed: int = 0
    summers: bool = False
    skips: float = 0.0
    unseen: float = 0.0
    at_once: int = 1
    easier: tuple[int, float] = (0, 1.0)
    clean_up: int = 0
    reopened: float = 0.0
    reordered: int = 0
    quarter_ends: bool = False
    haggled: float = 1.0

    @property
    def begins(self) -> tuple[tuple[int, float], ...]:
        """The places of the stages in which new deals begin, with their parts of all."""
        return (0, 1.0 - self.skips), (len(self.truth) // 2, self.skips)

    @property
    def is_exact(self) -> bool:
        """Whether there is a formula for the truth within `DAYS_AHEAD`."""
        ends = self.month_ends or self.quarter_ends
        return not (ends or self.shock or self.reopened) and self.gamma == 1.0

    @property
    def stages(self) -> tuple[str, ...]:
        """The names of the stages."""
        return STAGES[: len(self.truth)]

    @property
    def today(self) -> date:
        """The day of the forecast."""
        if self.quarter_ends:
            return MID_QUARTER
        return BEFORE_SUMMER if self.summers else TODAY

    @property
    def all_kinds(self) -> tuple[Kind, ...]:
        """The kinds of deals, of which there is at least one."""
        return self.kinds or (Kind(1.0, self.truth, self.value, self.sigma),)


def even(win_rate: float, stages: int = 4) -> tuple[float, ...]:
    """Returns the chances of a funnel that loses the same share in each stage."""
    each = win_rate ** (1 / stages)
    return tuple(each ** (stages - at) for at in range(stages))
