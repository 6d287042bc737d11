"""How good past forecasts would have been, beside simpler ones: scores of replayed forecasts.

Brier score: mean squared error of a chance against what came (0 or 1). ECE: expected calibration
error, the mean distance of chances and frequencies over ten groups of equal width, weighted by size
(Naeini et al. 2015).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from taiga_pipeline.pipeline.fields.table import BUILT_IN
from taiga_pipeline.planning.forecast.common_shock import independent_windows
from taiga_pipeline.planning.forecast.forecast import (
    PARTS,
    Ground,
    ground_of,
    simulate_period,
)
from taiga_pipeline.planning.forecast.hazards import Variant, stage_chances
from taiga_pipeline.planning.forecast.record import NEVER, Floats, Record
from taiga_pipeline.planning.forecast.replay import Referee, Replayed, Tally, replay, replay_days
from taiga_pipeline.planning.forecast.simulate import range_of
from taiga_pipeline.planning.history.model import History, PastDeal

HORIZONS: Final = (30, 60, 90)
_BINS: Final = 10
_TRIALS: Final = 1_000
_TELLING: Final = 0.2
"""A field that is filled so much more often for decided deals than for open ones, or the other way
round, tells the outcome."""


@dataclass(frozen=True, slots=True)
class Score:
    """How good chances were: ``brier`` and ``ece``, both better the lower."""

    brier: float
    ece: float


@dataclass(frozen=True, slots=True)
class Coverage:
    """Of how many forecasts' 80 % ranges held what came (0 to 1), and expected / actual sum."""

    covered: float
    ratio: float | None
    width: float
    """Mean width of the ranges, in parts of the expected number."""


@dataclass(frozen=True, slots=True)
class Horizon:
    """Scores over ``days`` ahead. ``chances`` counts (deal, forecast) pairs.

    ``won`` is by part (open, coming, all), ``value`` by currency, of open deals and of all.
    """

    days: int
    chances: int
    independent: float
    model: Score
    base_rate: Score
    stages: Score
    won: dict[str, Coverage]
    value: dict[str, dict[str, Coverage]]


@dataclass(frozen=True, slots=True)
class RevealingField:
    """A field that tells the outcome: how often it is filled for decided and for open deals."""

    field: str
    decided: float
    open: float


@dataclass(frozen=True, slots=True)
class Backtest:
    """The scores of forecasts replayed on ``days``, with what was known up to ``end``."""

    days: tuple[date, ...]
    end: date
    horizons: tuple[Horizon, ...]
    seasonal: int
    loaded: int
    revealing: tuple[RevealingField, ...]


def backtest(history: History, end: date, *, seed: int = 0) -> Backtest | None:
    """Replays weekly forecasts of 30, 60 and 90 days that end by ``end``; None if none does."""
    days = replay_days(history, end, ahead=HORIZONS[-1])
    if not days:
        return None
    collected = {horizon: _Collector(horizon, history, seed) for horizon in HORIZONS}
    tallies: list[Tally] = []
    variants: list[Variant] = []
    for each in replay(history, days, end, HORIZONS[-1], Referee()):
        today = each.view.record.today
        past = tuple(tally.known_on(today) for tally in tallies)
        ground = ground_of(each.view, history.known_on(each.view.day), past)
        tally = each.tally()
        for collector in collected.values():
            collector.add(ground, each, tally)
        tallies.append(tally)
        variants.append(each.view.model.variant)
    return Backtest(
        tuple(days),
        end,
        tuple(collector.result(days) for collector in collected.values()),
        sum(variant.season for variant in variants),
        sum(variant.load for variant in variants),
        tuple(revealing_fields(history)),
    )


def last_decision(history: History) -> date | None:
    """Returns the day on which the record ends: that of the last decision."""
    return max((deal.closed for deal in history.decided if deal.closed), default=None)


class _Collector:
    """Collects forecasts of one horizon and what came."""

    def __init__(self, days: int, history: History, seed: int) -> None:
        self._days = days
        self._seed = seed
        self._won = _wins(history)
        self._chances: list[Floats] = []
        self._base: list[Floats] = []
        self._stage: list[Floats] = []
        self._outcomes: list[Floats] = []
        self._sums: dict[tuple[str, str], list[tuple[float, float, float, float]]] = {}

    def add(self, ground: Ground, replayed: Replayed, tally: Tally) -> None:
        view, days = ground.view, self._days
        factor = np.exp(ground.common_shock(1, days, "open").mean)
        won, _ = view.open.within(1, days)
        self._chances.append(np.minimum(won * factor, 1.0))
        self._outcomes.append(replayed.open.within(days))
        self._base.append(np.full(len(won), base_rate(view.record, days)))
        stages = stage_chances(view.record, ground.history.chances)
        self._stage.append(stages[view.record.stage[view.record.is_open]])
        sums = simulate_period(ground, 1, days, self._seed, _TRIALS)
        for part in PARTS:
            actual = tally.window(1, days, part).actual
            self._keep(part, "", sums[part].won, actual)
            for currency, trials in sums[part].value.items():
                self._keep(part, currency, trials, self._value(replayed, part, currency))

    def _keep(self, part: str, currency: str, trials: Floats, actual: float) -> None:
        found = range_of(trials)
        row = (found.low, float(trials.mean()), found.high, actual)
        self._sums.setdefault((part, currency), []).append(row)

    def _value(self, replayed: Replayed, part: str, currency: str) -> float:
        today = replayed.view.record.today
        entered, closed, value = self._won.get(currency, _NO_WINS)
        in_time = (today < closed) & (closed <= today + self._days)
        in_part = {"open": entered <= today, "coming": entered > today}.get(part, in_time)
        return float(value[in_time & in_part].sum())

    def result(self, days: Sequence[date]) -> Horizon:
        outcomes = np.concatenate(self._outcomes)
        scores = [
            _score(np.concatenate(chances), outcomes)
            for chances in (self._chances, self._base, self._stage)
        ]
        value: dict[str, dict[str, Coverage]] = {}
        for (part, currency), rows in self._sums.items():
            if currency:
                value.setdefault(currency, {})[part] = _coverage(rows)
        return Horizon(
            days=self._days,
            chances=len(outcomes),
            independent=independent_windows([day.toordinal() for day in days], self._days),
            model=scores[0],
            base_rate=scores[1],
            stages=scores[2],
            won={part: _coverage(self._sums[part, ""]) for part in PARTS},
            value=value,
        )


_NO_WINS: Final = np.zeros((3, 0))


def _wins(history: History) -> dict[str, Floats]:
    """Returns days of coming in, days of decision and values of wins, by currency."""
    rows: dict[str, list[tuple[float, float, float]]] = {}
    for deal in history.deals:
        if deal.won and deal.closed and deal.value is not None:
            days = (deal.entered.toordinal(), deal.closed.toordinal())
            rows.setdefault(deal.currency, []).append((*days, float(deal.value)))
    return {currency: np.array(each).T for currency, each in rows.items()}


def base_rate(record: Record, days: int) -> float:
    """Returns the chance to be won within so many days if all open deals were alike.

    The rates of wins and decisions per deal and day, as they were up to the record's day.
    """
    last = np.minimum(record.closed, record.today)
    at_risk = np.maximum(last - np.maximum(record.entered, record.start) + 1, 0).sum()
    if at_risk == 0:
        return 0.0
    decided = record.closed != NEVER
    rate = decided.sum() / at_risk
    share = record.won[decided].mean() if decided.any() else 0.0
    return float(share * (1.0 - (1.0 - rate) ** days))


def _score(chances: Floats, outcomes: Floats) -> Score:
    if not len(chances):
        return Score(float("nan"), float("nan"))
    group = np.minimum((chances * _BINS).astype(int), _BINS - 1)
    gaps = np.abs(np.bincount(group, chances - outcomes, _BINS))
    return Score(float(((chances - outcomes) ** 2).mean()), float(gaps.sum() / len(chances)))


def _coverage(rows: Sequence[tuple[float, float, float, float]]) -> Coverage:
    low, middle, high, actual = np.array(rows).T
    total = float(actual.sum())
    return Coverage(
        covered=float(((low <= actual) & (actual <= high)).mean()),
        ratio=float(middle.sum()) / total if total > 0 else None,
        width=float((high - low).sum() / middle.sum()) if middle.sum() > 0 else 0.0,
    )


def revealing_fields(history: History) -> Iterable[RevealingField]:
    """Yields the fields that are filled for decided deals and not for open ones, or the reverse.

    No model reads them; they are named because whoever looks at the data might.
    """
    decided, still_open = history.decided, history.open
    if not decided or not still_open:
        return
    names = {name for deal in history.deals for name in deal.filled} - _BY_NATURE
    for name in sorted(names):
        first, second = _filled(decided, name), _filled(still_open, name)
        if abs(first - second) > _TELLING:
            yield RevealingField(name, first, second)


_BY_NATURE: Final = frozenset(BUILT_IN.where(lambda field: field.is_of_stage))


def _filled(deals: Sequence[PastDeal], name: str) -> float:
    return sum(name in deal.filled for deal in deals) / len(deals)
