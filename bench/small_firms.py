"""Small firms' pipelines, simulated with known truth.

A funnel, of four stages unless named. A deal stays in a stage for an exponential time and then
moves on or is lost; how often it moves on follows from the stages' true chances:
``P(s) / P(s + 1)``. So a deal that has just reached a stage is won with that stage's chance, and so
is one that has been there for long: the truth of every open deal is known on every day. Where stays
are not exponential, or end with months, the truth within `DAYS_AHEAD` is that of the same funnel
without this.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from math import exp, factorial
from typing import Final

import numpy as np
import numpy.typing as npt

from taiga_pipeline.planning.history.model import (
    CloseSpell,
    History,
    PastDeal,
    StageSpell,
    ValueSpell,
)

TODAY: Final = date(2026, 3, 31)
BEFORE_SUMMER: Final = date(2026, 6, 15)
STAGES: Final = (
    *("Lead", "Qualified", "Needs", "Proposal"),
    *("Offer", "Contract", "Legal", "Signature"),
)
TRUTH: Final = (0.20, 0.30, 0.45, 0.67)
TOO_LOW: Final = (0.05, 0.15, 0.30, 0.50)
TOO_HIGH: Final = (0.40, 0.50, 0.65, 0.85)
DAYS_AHEAD: Final = 90
SUMMER: Final = (date(2000, 7, 1), date(2000, 8, 15))
"""The days of a year on which nothing comes in or is decided, in a firm that closes then."""
_DATE_OFF: Final = 14
_DRAWS: Final = 500
_PLANNED_DAYS: Final = (30, 150)

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of deals: its part of all, its true chances by stage, and the median of its values,
    which are log-normal with the standard deviation ``sigma`` of their logarithm."""

    share: float
    truth: tuple[float, ...]
    value: float
    sigma: float = 0.5
    service: str = ""


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

    @property
    def is_exact(self) -> bool:
        """Whether the truth within `DAYS_AHEAD` is that of this very firm."""
        return not (self.month_ends or self.shock) and self.gamma == 1.0

    @property
    def stages(self) -> tuple[str, ...]:
        """The names of the stages."""
        return STAGES[: len(self.truth)]

    @property
    def today(self) -> date:
        """The day of the forecast."""
        return BEFORE_SUMMER if self.summers else TODAY

    @property
    def all_kinds(self) -> tuple[Kind, ...]:
        """The kinds of deals, of which there is at least one."""
        return self.kinds or (Kind(1.0, self.truth, self.value, self.sigma),)


@dataclass(frozen=True, slots=True)
class Fate:
    """The true chances of an open deal, within `DAYS_AHEAD` and ever, and what came of it."""

    soon: float
    ever: float
    won_soon: bool
    won_ever: bool


@dataclass(frozen=True, slots=True)
class Case:
    """A history with what came of it: the fates of its open deals, in its order, number and value
    of all wins within `DAYS_AHEAD`, how many wins of new deals were to be expected, what open deals
    are ``worth``, and what new ones may be, with its weight."""

    history: History
    open: tuple[Fate, ...]
    wins: int
    value: float
    coming: float
    worth: tuple[float, ...]
    new: tuple[tuple[float, float], ...]

    def futures(self, number: int, seed: int) -> tuple[Floats, Floats]:
        """Returns what may come within `DAYS_AHEAD`, as likely as it truly is: wins, and value."""
        random = np.random.default_rng((seed, 2))
        soon, worth = (np.array(each) for each in ([f.soon for f in self.open], self.worth))
        won = random.random((number, len(soon))) < soon
        new = random.poisson(self.coming, number)
        values = np.array([value for value, _ in self.new]) if self.new else np.zeros(1)
        shares = np.array([share for _, share in self.new]) if self.new else np.ones(1)
        value = won @ worth
        for at, some in enumerate(new.tolist()):
            value[at] += random.choice(values, some, p=shares / shares.sum()).sum()
        return won.sum(axis=1) + new, value


@dataclass(frozen=True, slots=True)
class _Life:
    """A deal from beginning to end: the days on which it came into its stages, that of its end, and
    that on which it would be won if it is not lost before; as ordinals."""

    kind: Kind
    value: float
    since: list[int]
    closed: int
    won: bool
    win_day: int
    stated: int

    def stage_on(self, day: int) -> int:
        """Returns the place of the stage that the deal is in on a day."""
        return sum(each <= day for each in self.since) - 1


def even(win_rate: float, stages: int = 4) -> tuple[float, ...]:
    """Returns the chances of a funnel that loses the same share in each stage."""
    each = win_rate ** (1 / stages)
    return tuple(each ** (stages - at) for at in range(stages))


def simulate(shape: Shape, seed: int) -> Case:
    """Returns a firm's history up to its today and what came after it."""
    firm = _Firm(shape, seed)
    today = shape.today.toordinal()
    wins, value, deals, rows, worth = 0, 0.0, [], [], []
    for number, life in enumerate(firm.lives()):
        soon = life.won and today < life.closed <= today + DAYS_AHEAD
        wins, value = wins + soon, value + soon * life.value
        hidden = not life.won and _is_silent(shape, life.closed - today)
        if life.since[0] > today or (hidden and shape.removed and life.closed <= today):
            continue
        is_open = life.closed > today or hidden
        deals.append(_deal(shape, number, life, is_open=is_open))
        if is_open:
            rows.append(firm.fate(life))
            worth.append(life.value)
    stated = zip(shape.stages, shape.mapping, strict=True)
    chances = {name: chance for name, chance in stated if chance is not None}
    return Case(
        History(tuple(deals), chances),
        tuple(rows),
        wins,
        value,
        firm.coming(),
        tuple(worth),
        firm.worth_of_new(),
    )


def _is_silent(shape: Shape, day: int) -> bool:
    """Tells if a loss on a day from today is not recorded."""
    if shape.silent is not None:
        return day > -365 * shape.silent
    return not shape.losses


class _Firm:
    """Draws deals. What values and dates draw does not move what lives draw."""

    def __init__(self, shape: Shape, seed: int) -> None:
        self._shape = shape
        self._today = shape.today.toordinal()
        self._random = np.random.default_rng(seed)
        self._aside = np.random.default_rng((seed, 1))
        self._shocks = self._random.normal(0.0, shape.shock, 400) if shape.shock else np.zeros(400)
        self._clock = _Clock(self._today, closes=shape.summers)

    def lives(self) -> list[_Life]:
        """Returns all deals that come in up to `DAYS_AHEAD`, in order."""
        return [self._life(day) for day in self._arrivals()]

    def fate(self, life: _Life) -> Fate:
        """Returns the true chances of a deal that is open today, and what came of it."""
        shape, today = self._shape, self._today
        stage = life.stage_on(today)
        ever = 0.0 if life.closed <= today else life.kind.truth[stage]
        if shape.stated:
            first = max(life.stated - _DATE_OFF, today + 1)
            days = max(life.stated + _DATE_OFF - first + 1, 1)
            within = min(max((today + DAYS_AHEAD - first + 1) / days, 0.0), 1.0)
        else:
            left, stay = len(shape.truth) - stage, shape.cycle / len(shape.truth)
            within = _erlang(left, self._clock.open_days(today, DAYS_AHEAD) / stay)
        won_soon = life.won and life.closed <= today + DAYS_AHEAD
        return Fate(ever * within, ever, won_soon, life.won)

    def coming(self) -> float:
        """Returns how many wins of new deals are to be expected within `DAYS_AHEAD`."""
        shape, today = self._shape, self._today
        stages, stay = len(shape.truth), shape.cycle / len(shape.truth)
        days, per_day = self._per_day()
        share = sum(kind.share * kind.truth[0] for kind in shape.all_kinds)
        return share * sum(
            float(each)
            * _erlang(stages, self._clock.open_days(today + day, DAYS_AHEAD - day) / stay)
            for day, each in zip(days.tolist(), per_day.tolist(), strict=True)
            if day > 0 and self._clock.is_open(today + day)
        )

    def worth_of_new(self) -> tuple[tuple[float, float], ...]:
        """Returns values of new wins with their weights: as they are, of many draws."""
        random = np.random.default_rng(0)
        found = []
        for kind in self._shape.all_kinds:
            values = kind.value * np.exp(kind.sigma * random.standard_normal(_DRAWS))
            found += [(float(each), kind.share * kind.truth[0]) for each in values]
        return tuple(found)

    def _arrivals(self) -> list[int]:
        days, per_day = self._per_day()
        found = np.repeat(days, self._random.poisson(per_day)) + self._today
        return [int(day) for day in found if self._clock.is_open(int(day))]

    def _per_day(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        """Returns days from today and how many deals come in on them on average."""
        shape = self._shape
        days = np.arange(-int(shape.years * 365), DAYS_AHEAD + 1)
        per_day = shape.a_year / 365 * shape.growth ** (days / 365)
        return days, per_day * (1 + shape.season * np.sin(2 * np.pi * days / 365))

    def _life(self, entered: int) -> _Life:
        shape, random = self._shape, self._random
        kind, value = self._kind()
        since, at, lost = [entered], float(entered), 0
        for stage, chance in enumerate(kind.truth):
            at = self._clock.after(at, self._stay())
            if shape.month_ends:
                at = float(_month_end(int(at)))
            after = kind.truth[stage + 1] if stage + 1 < len(kind.truth) else 1.0
            odds = chance / max(after - chance, 1e-9)
            odds *= exp(self._shocks[int(at) // 91 % len(self._shocks)])
            if not lost and random.random() >= odds / (1 + odds):
                lost = int(at)
                if not shape.stated:
                    break
            if not lost:
                since.append(int(at))
        won, win_day = not lost, int(at)
        stays = since[:-1] if won else since
        return _Life(
            kind, value, stays, lost or win_day, won, win_day, self._date(entered, win_day)
        )

    def _kind(self) -> tuple[Kind, float]:
        kinds = self._shape.all_kinds
        at = self._aside.choice(len(kinds), p=[kind.share for kind in kinds])
        kind = kinds[int(at)]
        return kind, round(kind.value * exp(kind.sigma * self._aside.standard_normal()))

    def _stay(self) -> float:
        shape = self._shape
        stay = shape.cycle / len(shape.truth)
        if shape.gamma == 1.0:
            return float(self._random.exponential(stay))
        return float(self._random.gamma(shape.gamma, stay / shape.gamma))

    def _date(self, entered: int, win_day: int) -> int:
        """Returns the close date that sales state when the deal comes in."""
        if self._shape.stated:
            return win_day + int(self._aside.integers(-_DATE_OFF, _DATE_OFF + 1))
        return entered + int(self._aside.integers(*_PLANNED_DAYS))


class _Clock:
    """Days on which a firm works: all of them, or those outside `SUMMER`."""

    def __init__(self, today: int, *, closes: bool) -> None:
        self._first = today - 5 * 366
        days = self._first + np.arange(10 * 366)
        works = [not closes or not _is_summer(int(day)) for day in days]
        self._worked = np.cumsum(works)
        self._closes = closes

    def is_open(self, day: int) -> bool:
        """Tells if a day is worked."""
        return self.open_days(day - 1, 1) > 0

    def open_days(self, day: int, ahead: int) -> int:
        """Returns how many of the days ahead are worked."""
        at = day - self._first
        return int(self._worked[at + ahead] - self._worked[at])

    def after(self, at: float, days: float) -> float:
        """Returns the day so many worked days later."""
        if not self._closes:
            return at + days
        goal = self._worked[int(at) - self._first] + at % 1 + days
        place = min(int(np.searchsorted(self._worked, int(goal))), len(self._worked) - 1)
        return self._first + place + goal % 1


def _is_summer(day: int) -> bool:
    at = date.fromordinal(day)
    first, last = SUMMER
    return (first.month, first.day) <= (at.month, at.day) <= (last.month, last.day)


def _month_end(day: int) -> int:
    first = date.fromordinal(day).replace(day=28) + timedelta(days=4)
    return first.replace(day=1).toordinal() - 1


def _deal(shape: Shape, number: int, life: _Life, *, is_open: bool) -> PastDeal:
    today = shape.today.toordinal()
    imported = today - shape.imported if shape.imported else 0
    undated = is_open and life.since[0] < imported
    entered = date.fromordinal(imported if undated else life.since[0])
    stated = None if shape.stated is None else date.fromordinal(life.stated)
    value = Decimal(int(life.value)) if shape.priced or (life.won and not is_open) else None
    return PastDeal(
        key=str(number),
        entered=entered,
        closed=None if is_open else date.fromordinal(life.closed),
        won=None if is_open else life.won,
        service=life.kind.service,
        currency="EUR",
        stages=tuple(_spells(shape, life, today, imported, is_open=is_open)),
        values=(ValueSpell(entered, value),),
        expected_close=stated,
        stated=() if stated is None else (CloseSpell(entered, stated),),
        arrived=not undated,
    )


def _spells(
    shape: Shape, life: _Life, today: int, imported: int, *, is_open: bool
) -> list[StageSpell]:
    """Returns the stays in stages that are on record."""
    if not shape.stage_history:
        now = StageSpell(shape.today, shape.stages[life.stage_on(today)])
        return [now] if is_open else []
    begun = max(imported, today - shape.renamed if shape.renamed else 0)
    end = today if is_open else life.closed - 1
    found: list[StageSpell] = []
    days = life.since[: life.stage_on(today) + 1]
    for at, (day, stage) in enumerate(zip(days, shape.stages, strict=False)):
        last = days[at + 1] - 1 if at + 1 < len(days) else end
        if last >= begun or day >= begun:
            found.append(StageSpell(date.fromordinal(max(day, begun)), stage))
    return found


def _erlang(stages: int, mean: float) -> float:
    """Returns the chance that so many stages are passed in the time in which ``mean`` would be."""
    return 1.0 - sum(_poisson(k, mean) for k in range(stages))


def _poisson(number: int, mean: float) -> float:
    return exp(-mean) * mean**number / factorial(number)
