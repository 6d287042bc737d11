"""The lives of a small firm's deals, from beginning to end, and what is true of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from math import exp, factorial
from typing import Final

import numpy as np
import numpy.typing as npt

from bench.small_firms_shape import DAYS_AHEAD, HAGGLED, SUMMER, Kind, Shape

NEVER: Final = 10_000_000
"""Stands for the day of a win that does not come."""
_DATE_OFF: Final = 14
_DRAWS: Final = 500
_PLANNED_DAYS: Final = (30, 150)
_AGAIN_DAYS: Final = 30
_QUARTER: Final = 91
_QUARTERS: Final = 40
"""So many quarters ahead are drawn anew: more than any deal takes."""
Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Fate:
    """The true chances of an open deal, within `DAYS_AHEAD` and ever, and what came of it."""

    soon: float
    ever: float
    won_soon: bool
    won_ever: bool


@dataclass(frozen=True, slots=True)
class Life:
    """A deal from beginning to end: the days on which it came into its stages (from the place
    ``begins`` on), that of its end, and that on which it would be won if it is not lost before; as
    ordinals. It is ``stated`` to be won on a day, and to be worth ``value``, and brings ``final``.
    It was ``reopened`` on a day (0: never), and may be ``unseen`` until it is won."""

    kind: Kind
    value: float
    final: float
    begins: int
    since: list[int]
    closed: int
    won: bool
    win_day: int
    stated: int
    reopened: int
    unseen: bool

    def stage_on(self, day: int) -> int:
        """Returns the place of the stage that the deal is in on a day."""
        return self.begins + sum(each <= day for each in self.since) - 1

    def as_lost_on(self, day: int) -> Life:
        """Returns the life as it looks on a day: lost, if it will be reopened."""
        lost = self.reopened - _AGAIN_DAYS
        if not lost <= day < self.reopened:
            return self
        return replace(self, closed=lost, won=False, reopened=0)


class Firm:
    """Draws deals. What values and dates draw does not move what lives draw."""

    def __init__(self, shape: Shape, seed: int) -> None:
        self._shape = shape
        self._today = shape.today.toordinal()
        self._random = np.random.default_rng(seed)
        self._aside = np.random.default_rng((seed, 1))
        self._shocks = self._random.normal(0.0, shape.shock, 400) if shape.shock else np.zeros(400)
        self._clock = Clock(self._today, closes=shape.summers)

    def lives(self) -> list[Life]:
        """Returns all deals that come in up to `DAYS_AHEAD`, in order."""
        return [self._life(day) for day in self._arrivals()]

    def fate(self, life: Life) -> Fate:
        """Returns the true chances of a deal that is open today, and what came of it."""
        shape, today = self._shape, self._today
        stage = life.stage_on(today)
        ever = 0.0 if not life.won and life.closed <= today else life.kind.truth[stage]
        if shape.stated:
            first = max(life.stated - _DATE_OFF, today + 1)
            days = max(life.stated + _DATE_OFF - first + 1, 1)
            within = min(max((today + DAYS_AHEAD - first + 1) / days, 0.0), 1.0)
        else:
            left, stay = len(shape.truth) - stage, shape.cycle / len(shape.truth)
            within = _erlang(left, self._clock.open_days(today, DAYS_AHEAD) / stay)
        won_soon = life.won and life.closed <= today + DAYS_AHEAD
        return Fate(ever * within, ever, won_soon, life.won)

    def futures(
        self, is_open: Sequence[Life], pending: Sequence[Life], number: int, seed: int
    ) -> tuple[Counts, Counts]:
        """Returns on which day ahead the open deals are won (`NEVER`: on none) in each of so many
        futures (first axis), and how many others are within `DAYS_AHEAD`: those that will be
        reopened, and new ones.

        They are drawn from what is true today: a stay goes on as stays do that lasted as long.
        """
        ahead = Firm(self._shape, seed)
        ahead._random, ahead._aside = (np.random.default_rng((seed, each)) for each in (3, 4))
        days = np.zeros((number, len(is_open)), dtype=np.int64)
        others = np.zeros(number, dtype=np.int64)
        per_day = self._per_day()[1][-DAYS_AHEAD:]
        for each in range(number):
            ahead._shocks = ahead._with_other_quarters_ahead(self._shocks)
            days[each] = [ahead._win_day(life) for life in is_open]
            new = np.repeat(np.arange(1, DAYS_AHEAD + 1), ahead._come(per_day)).tolist()
            found = [ahead._win_day(life) for life in pending]
            found += [ahead._win_day_of_new(self._today + day) for day in new]
            others[each] = sum(day <= DAYS_AHEAD for day in found)
        return days, others

    def _with_other_quarters_ahead(self, shocks: Floats) -> Floats:
        found = shocks.copy()
        ahead = (self._today // _QUARTER + np.arange(1, _QUARTERS)) % len(found)
        found[ahead] = self._random.normal(0.0, self._shape.shock, len(ahead))
        return found

    def _win_day(self, life: Life) -> int:
        if life.closed <= self._today:
            return NEVER
        stage = life.stage_on(self._today)
        again = bool(life.reopened) and life.reopened - _AGAIN_DAYS <= self._today
        since = float(max(life.since[stage - life.begins], life.reopened if again else 0))
        at = self._leaves(since)
        while int(at) <= self._today:
            at = self._leaves(since)
        return self._won_on(life.kind, stage, at, again=again)

    def _win_day_of_new(self, entered: int) -> int:
        if not self._clock.is_open(entered):
            return NEVER
        return self._won_on(self._kind()[0], self._begins(), self._leaves(entered), again=False)

    def _won_on(self, kind: Kind, stage: int, at: float, *, again: bool) -> int:
        """Returns the day ahead on which a deal is won that leaves its stage on a day."""
        while True:
            if self._moves_on(kind, stage, at):
                stage += 1
            elif again or not self._aside_is(self._shape.reopened):
                return NEVER
            else:
                again, at = True, float(int(at) + _AGAIN_DAYS)
            if stage == len(kind.truth):
                return int(at) - self._today
            at = self._leaves(at)

    def coming(self) -> tuple[tuple[float, float], ...]:
        """Returns deals that are not on record: how many come in at once on each day, and the
        chance of each to be won within `DAYS_AHEAD`."""
        found = list(self._begun(seen=True))
        return (*found, *self._begun(seen=False)) if self._shape.unseen else tuple(found)

    def _begun(self, *, seen: bool) -> Iterator[tuple[float, float]]:
        shape, today = self._shape, self._today
        part = 1.0 - shape.unseen if seen else shape.unseen
        days, per_day = self._per_day()
        for day, each in zip(days.tolist(), per_day.tolist(), strict=True):
            if (day > 0 or not seen) and self._clock.is_open(today + day):
                yield each * part, self._chance_of_new(day)

    def _chance_of_new(self, day: int) -> float:
        """Returns the chance of a deal that comes in on a day to be won within `DAYS_AHEAD`."""
        shape, stay = self._shape, self._shape.cycle / len(self._shape.truth)
        begun = self._today + day
        found = 0.0
        for place, share in shape.begins:
            left = len(shape.truth) - place
            within = _erlang(left, self._clock.open_days(begun, DAYS_AHEAD - day) / stay)
            if day < 0:
                within -= _erlang(left, self._clock.open_days(begun, -day) / stay)
            found += share * within * sum(k.share * k.truth[place] for k in shape.all_kinds)
        return found

    def worth_of_new(self) -> tuple[tuple[str, float, float], ...]:
        """Returns currencies and values of new wins with their weights: as they are, of many
        draws."""
        random = np.random.default_rng(0)
        found = []
        for kind in self._shape.all_kinds:
            sigma = np.hypot(kind.sigma, HAGGLED * (self._shape.haggled != 1.0))
            values = kind.value * np.exp(sigma * random.standard_normal(_DRAWS))
            weight = kind.share * sum(
                share * kind.truth[place] for place, share in self._shape.begins
            )
            found += [(kind.currency, float(each) * self._shape.haggled, weight) for each in values]
        return tuple(found)

    def _arrivals(self) -> list[int]:
        days, per_day = self._per_day()
        found = np.repeat(days, self._come(per_day)) + self._today
        return [int(day) for day in found if self._clock.is_open(int(day))]

    def _come(self, per_day: Floats) -> Counts:
        at_once = self._shape.at_once
        return np.asarray(self._random.poisson(per_day / at_once) * at_once)

    def _per_day(self) -> tuple[Counts, Floats]:
        """Returns days from today and how many deals come in on them on average."""
        shape = self._shape
        days = np.arange(-int(shape.years * 365), DAYS_AHEAD + 1)
        per_day = shape.a_year / 365 * shape.growth ** (days / 365)
        return days, per_day * (1 + shape.season * np.sin(2 * np.pi * days / 365))

    def _life(self, entered: int) -> Life:
        shape = self._shape
        kind, value, final = self._kind()
        begins = self._begins()
        since, at, lost, reopened = [entered], float(entered), 0, 0
        for stage in range(begins, len(kind.truth)):
            at = self._leaves(at)
            on = bool(lost) or self._moves_on(kind, stage, at)
            if not (on or reopened) and self._aside_is(shape.reopened):
                reopened = int(at) + _AGAIN_DAYS
                at = self._leaves(float(reopened))
                on = self._moves_on(kind, stage, at)
            if not on:
                lost = int(at)
                if not shape.stated:
                    break
            if not lost:
                since.append(int(at))
        won, win_day = not lost, int(at)
        stays = since[:-1] if won else since
        return Life(
            kind, value, final, begins, stays, lost or win_day, won, win_day,
            self._date(entered, win_day), reopened, self._aside_is(shape.unseen),
        )  # fmt: skip

    def _begins(self) -> int:
        """Returns the place of the stage that a new deal begins in."""
        return len(self._shape.truth) // 2 if self._aside_is(self._shape.skips) else 0

    def _aside_is(self, chance: float) -> bool:
        return bool(chance and self._aside.random() < chance)

    def _leaves(self, at: float) -> float:
        """Returns when a deal that comes into a stage leaves it."""
        shape = self._shape
        at = self._clock.after(at, self._stay())
        if shape.month_ends or shape.quarter_ends:
            at = float(_month_end(int(at), 3 if shape.quarter_ends else 1))
        return at

    def _moves_on(self, kind: Kind, stage: int, at: float) -> bool:
        """Tells whether a deal that leaves a stage moves on."""
        shape = self._shape
        after = kind.truth[stage + 1] if stage + 1 < len(kind.truth) else 1.0
        odds = kind.truth[stage] / max(after - kind.truth[stage], 1e-9)
        odds *= exp(self._shocks[int(at) // _QUARTER % len(self._shocks)])
        if at < self._today - shape.easier[0]:
            odds *= shape.easier[1]
        return bool(self._random.random() < odds / (1 + odds))

    def _kind(self) -> tuple[Kind, float, float]:
        """Returns the kind of a deal, its value as it is stated, and what it brings."""
        kinds, haggled = self._shape.all_kinds, self._shape.haggled
        at = self._aside.choice(len(kinds), p=[kind.share for kind in kinds])
        kind = kinds[int(at)]
        value = round(kind.value * exp(kind.sigma * self._aside.standard_normal()))
        if haggled == 1.0:
            return kind, value, value
        return kind, value, round(value * haggled * exp(HAGGLED * self._aside.standard_normal()))

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


class Clock:
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


def _month_end(day: int, months: int = 1) -> int:
    """Returns the last day of the month, or of the quarter."""
    at = date.fromordinal(day).replace(day=28)
    while at.month % months:
        at = (at + timedelta(days=4)).replace(day=28)
    return (at + timedelta(days=4)).replace(day=1).toordinal() - 1


def _erlang(stages: int, mean: float) -> float:
    """Returns the chance that so many stages are passed in the time in which ``mean`` would be."""
    return 1.0 - sum(_poisson(k, mean) for k in range(stages))


def _poisson(number: int, mean: float) -> float:
    return exp(-mean) * mean**number / factorial(number)
