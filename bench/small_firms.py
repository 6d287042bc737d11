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
from math import exp, factorial
from typing import Final

import numpy as np
import numpy.typing as npt

from taiga_pipeline.planning.history.model import History, PastDeal, StageSpell

TODAY: Final = date(2026, 3, 31)
STAGES: Final = ("Lead", "Qualified", "Needs", "Proposal", "Offer", "Contract")
TRUTH: Final = (0.20, 0.30, 0.45, 0.67)
TOO_LOW: Final = (0.05, 0.15, 0.30, 0.50)
TOO_HIGH: Final = (0.40, 0.50, 0.65, 0.85)
DAYS_AHEAD: Final = 90


@dataclass(frozen=True, slots=True)
class Shape:
    """What a firm's pipeline is like.

    ``a_year`` deals come in, over ``years`` that are on record; ``cycle`` days pass until a win.
    ``growth`` is the factor of a year, ``shock`` the deviation of a quarter's log-odds, ``season``
    how much more come in at the year's best time than on average. Stays vary as a gamma time of the
    shape ``gamma``. Losses that are not recorded leave the deal open, or ``removed``; they are
    recorded up to ``silent`` years ago. A chance of None is not in the mapping.
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

    @property
    def is_exact(self) -> bool:
        """Whether the truth within `DAYS_AHEAD` is that of this very firm."""
        return self.gamma == 1.0 and not self.month_ends

    @property
    def stages(self) -> tuple[str, ...]:
        """The names of the stages."""
        return STAGES[: len(self.truth)]


@dataclass(frozen=True, slots=True)
class Fate:
    """The true chances of an open deal, within `DAYS_AHEAD` and ever, and what came of it."""

    soon: float
    ever: float
    won_soon: bool
    won_ever: bool


@dataclass(frozen=True, slots=True)
class Case:
    """A history with what came of it: the fates of its open deals, in its order, and all wins
    within `DAYS_AHEAD`."""

    history: History
    open: tuple[Fate, ...]
    wins: int


def even(win_rate: float, stages: int = 4) -> tuple[float, ...]:
    """Returns the chances of a funnel that loses the same share in each stage."""
    each = win_rate ** (1 / stages)
    return tuple(each ** (stages - at) for at in range(stages))


def simulate(shape: Shape, seed: int) -> Case:
    """Returns a firm's history up to `TODAY` and what came after it."""
    random = np.random.default_rng(seed)
    today = TODAY.toordinal()
    shocks = random.normal(0.0, shape.shock, 400) if shape.shock else np.zeros(400)
    wins, deals, rows = 0, [], []
    for number, entered in enumerate(_arrivals(shape, random)):
        since, closed, won = _life(shape, entered, random, shocks)
        wins += won and today < closed <= today + DAYS_AHEAD
        if entered > today:
            continue
        hidden = not won and _is_silent(shape, closed - today)
        if hidden and shape.removed and closed <= today:
            continue
        is_open = closed > today or hidden
        stage = sum(day <= today for day in since) - 1
        deals.append(_deal(shape, number, since, None if is_open else closed, won, stage))
        if is_open:
            ever = 0.0 if closed <= today else shape.truth[stage]
            soon = ever * _erlang(len(shape.truth) - stage, shape.cycle / len(shape.truth))
            rows.append(Fate(soon, ever, won and closed <= today + DAYS_AHEAD, won))
    stated = zip(shape.stages, shape.mapping, strict=True)
    chances = {name: chance for name, chance in stated if chance is not None}
    return Case(History(tuple(deals), chances), tuple(rows), wins)


def _is_silent(shape: Shape, day: int) -> bool:
    """Tells if a loss on a day from today is not recorded."""
    if shape.silent is not None:
        return day > -365 * shape.silent
    return not shape.losses


def _arrivals(shape: Shape, random: np.random.Generator) -> list[int]:
    span = int(shape.years * 365)
    days = np.arange(-span, DAYS_AHEAD + 1)
    per_day = shape.a_year / 365 * shape.growth ** (days / 365)
    per_day = per_day * (1 + shape.season * np.sin(2 * np.pi * days / 365))
    return [int(day) for day in np.repeat(days, random.poisson(per_day)) + TODAY.toordinal()]


def _life(
    shape: Shape, entered: int, random: np.random.Generator, shocks: npt.NDArray[np.float64]
) -> tuple[list[int], int, bool]:
    """Returns the days on which a deal came into its stages, that of its end, and if it was won."""
    since, at = [entered], float(entered)
    for stage, chance in enumerate(shape.truth):
        stay = shape.cycle / len(shape.truth)
        if shape.gamma == 1.0:
            at += random.exponential(stay)
        else:
            at += random.gamma(shape.gamma, stay / shape.gamma)
        if shape.month_ends:
            at = float(_month_end(int(at)))
        after = shape.truth[stage + 1] if stage + 1 < len(shape.truth) else 1.0
        odds = chance / max(after - chance, 1e-9) * exp(shocks[int(at) // 91 % len(shocks)])
        if random.random() >= odds / (1 + odds):
            return since, int(at), False
        since.append(int(at))
    return since[:-1], since[-1], True


def _month_end(day: int) -> int:
    first = date.fromordinal(day).replace(day=28) + timedelta(days=4)
    return first.replace(day=1).toordinal() - 1


def _deal(
    shape: Shape, number: int, since: list[int], closed: int | None, won: bool, at: int
) -> PastDeal:
    if shape.stage_history:
        days = since[: at + 1]
        named = zip(days, shape.stages, strict=False)
        spells = tuple(StageSpell(date.fromordinal(day), stage) for day, stage in named)
    else:
        spells = (StageSpell(TODAY, shape.stages[at]),) if closed is None else ()
    return PastDeal(
        key=str(number),
        entered=date.fromordinal(since[0]),
        closed=None if closed is None else date.fromordinal(closed),
        won=None if closed is None else won,
        stages=spells,
    )


def _erlang(stages: int, stay: float) -> float:
    """Returns the chance that so many stages of so many days are passed within `DAYS_AHEAD`."""
    mean = DAYS_AHEAD / stay
    return 1.0 - sum(exp(-mean) * mean**k / factorial(k) for k in range(stages))
