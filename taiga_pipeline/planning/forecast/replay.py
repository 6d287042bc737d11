"""Forecasts as they would have been made on past days, knowing only what was known then.

Each day's model is fitted to that day's record alone. Which model it is, and which parts of it are
on (season, load), is decided by what had won, up to that day, in forecasts made before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

import numpy as np

from taiga_pipeline.planning.forecast.clock import Clock
from taiga_pipeline.planning.forecast.common_shock import Window, independent_windows
from taiga_pipeline.planning.forecast.curves import Arrivals, Curves, arrivals
from taiga_pipeline.planning.forecast.funnel.model import Funnel
from taiga_pipeline.planning.forecast.hazards import Variant
from taiga_pipeline.planning.forecast.model import (
    HAZARDS,
    PLAIN,
    Model,
    fit_models,
    possible_variants,
    usual_variant,
)
from taiga_pipeline.planning.forecast.record import (
    NEVER,
    Days,
    Flags,
    Floats,
    Ledger,
    Record,
    make_record,
    read_ledger,
)
from taiga_pipeline.planning.forecast.stated import stated_of
from taiga_pipeline.planning.history.model import History

EVER_DAYS: Final = 730
"""A deal that is not won within two years counts as never won."""
SETTLING_DAYS: Final = 28
"""From the first decision to the first forecast that is replayed."""
TRIAL_DAYS: Final = 30
"""The horizon over which variants of the model compete."""
SURE: Final = 2.0
"""By so many standard errors another kind of model must have been better before it is used."""
ENOUGH_TRIALS: Final = 6.0
"""So many trials that do not overlap are the least to tell one kind of model from another."""


@dataclass(frozen=True, slots=True)
class View:
    """A forecast's ground: what was known on a day, and the model that was chosen and fitted.

    The columns of ``open`` are the deals that were open, in the order of the history. ``coming`` is
    expected of deals that were not yet there.
    """

    day: date
    model: Model
    open: Curves
    coming: Curves
    arrivals: Arrivals

    @property
    def record(self) -> Record:
        """What was known, as arrays."""
        return self.model.record


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What became of some deals after a day.

    ``row`` is the day ahead on which each was decided (0: tomorrow; `NEVER`: not as far as is
    known), ``won`` whether it was won then.
    """

    row: Days
    won: Flags

    def within(self, days: int) -> Floats:
        """Returns 1 for each deal that was won within so many days, else 0."""
        return np.asarray((self.row < days) & self.won, dtype=np.float64)

    def daily(self, horizon: int) -> tuple[Floats, Floats]:
        """Returns how many were won and decided on each of the days ahead."""
        won, decided = (
            np.bincount(self.row[which & (self.row < horizon)], minlength=horizon)
            for which in (self.won, self.row != NEVER)
        )
        return won.astype(np.float64), decided.astype(np.float64)


@dataclass(frozen=True, slots=True)
class Replayed:
    """A past view and what came after it, as far as it is known (``days`` ahead): of the deals that
    were ``open`` then, and of those that came in later."""

    view: View
    open: Outcomes
    coming: Outcomes
    days: int

    def tally(self) -> Tally:
        """Returns the daily sums, which take little memory."""
        view, expected, actual = self.view, {}, {}
        for part, curves_of, outcomes in (
            ("open", view.open, self.open),
            ("coming", view.coming, self.coming),
        ):
            expected[part, "won"], expected[part, "decided"] = curves_of.daily()
            actual[part, "won"], actual[part, "decided"] = outcomes.daily(curves_of.days)
        return Tally(view.record.today, self.days, expected, actual)


@dataclass(frozen=True, slots=True)
class Tally:
    """What a past forecast expected of each day ahead, and what came on ``days`` of them.

    By part (open, coming) and measure (won, decided). The forecast was made on day ``made``.
    """

    made: int
    days: int
    expected: dict[tuple[str, str], Floats]
    actual: dict[tuple[str, str], Floats]

    def window(self, first: int, last: int, part: str, measure: str = "won") -> Window:
        """Returns expected and actual number in days ``first`` to ``last`` ahead (from 1).

        ``part`` is open, coming or all.
        """
        parts = ("open", "coming") if part == "all" else (part,)
        expected, actual = (
            sum(float(source[each, measure][first - 1 : last].sum()) for each in parts)
            for source in (self.expected, self.actual)
        )
        return Window(self.made, expected, actual)

    def known_on(self, today: int) -> Tally:
        """Returns the tally with what had come by ``today``."""
        return replace(self, days=min(self.days, today - self.made))


Trials = list[tuple[int, dict[Variant, float]]]


class Referee:
    """Keeps how variants did in the past, and says which may play on a day."""

    def __init__(self) -> None:
        self._trials: Trials = []

    def add(self, day: int, errors: dict[Variant, float]) -> None:
        """Records the squared errors of forecasts made on ``day`` for `TRIAL_DAYS` ahead."""
        self._trials.append((day, errors))

    def choose(self, record: Record) -> Variant:
        """Returns the model that did best in the trials completed by a record's day.

        Of the hazards it is the one of the least error; plain wins a tie. Another kind than the
        usual one must have been better by `SURE` standard errors.
        """
        trials = [each for each in self._trials if each[0] + TRIAL_DAYS <= record.today]
        usual = self._least(trials, usual_variant(record))
        best, least = usual, 0.0
        for rival in dict.fromkeys(self._least(trials, each) for each in possible_variants(record)):
            gain = _sure_gain(trials, usual, rival) if rival.kind != usual.kind else 0.0
            if gain > least:
                best, least = rival, gain
        return best

    def _least(self, trials: Trials, variant: Variant) -> Variant:
        if variant.kind != "hazards":
            return variant
        done = [errors for _, errors in trials if PLAIN in errors]

        def error(each: Variant) -> float:
            # A variant that was not possible does as badly as the same one without a season.
            plain = Variant(load=each.load)
            return sum(errors.get(each, errors[plain]) for errors in done)

        return min(HAZARDS, key=error) if done else PLAIN


def _sure_gain(trials: Trials, usual: Variant, rival: Variant) -> float:
    """Returns how much smaller the errors of another model were, less `SURE` standard errors."""
    both = [(day, errors) for day, errors in trials if usual in errors and rival in errors]
    windows = independent_windows([day for day, _ in both], TRIAL_DAYS)
    if windows < ENOUGH_TRIALS:
        return 0.0
    gains = np.array([errors[usual] - errors[rival] for _, errors in both])
    return float(gains.mean() - SURE * gains.std(ddof=1) / np.sqrt(windows))


def replay_days(history: History, today: date, *, step: int = 7, ahead: int = 0) -> list[date]:
    """Returns the Mondays on which forecasts are replayed, ``step`` days apart.

    The first is four weeks after the first decision; the last is ``ahead`` days before today.
    """
    decided = [deal.closed for deal in history.decided if deal.closed]
    if not decided:
        return []
    first = min(decided) + timedelta(days=SETTLING_DAYS)
    first += timedelta(days=-first.weekday() % 7)
    last = today - timedelta(days=ahead)
    return [first + timedelta(days=days) for days in range(0, (last - first).days + 1, step)]


def look(history: History, day: date, referee: Referee, horizon: int) -> View:
    """Returns the forecast's ground on a day. ``history`` may hold more than was known then."""
    record = make_record(history, day)
    chosen = referee.choose(record)
    return _view(day, fit_models(record, history.chances, (chosen,))[chosen], horizon)


def _clock_of(model: Model) -> Clock:
    """Returns the clock of a model's record: an even one where the model goes by ends of months
    itself."""
    if isinstance(model, Funnel) and model.in_steps is not None:
        return Clock(model.record.today, None, None)
    return Clock.of(model.record)


def open_curves(model: Model, horizon: int, clock: Clock | None = None) -> Curves:
    """Returns the chances of the open deals, moved to the days on which decisions fall (``clock``;
    None: that of the model's record), and to the dates that sales stated."""
    record = model.record
    clock = clock or _clock_of(model)
    if not record.stated[record.is_open].any():
        return clock.read(model.open_curves, horizon)
    ever = clock.read(model.open_curves, EVER_DAYS)
    stated = stated_of(record, ever.kinds_won.sum(axis=0)[ever.place])
    return Curves(ever.kinds_won[:horizon], ever.kinds_decided[:horizon], ever.place, stated)


def _view(day: date, model: Model, horizon: int) -> View:
    coming, clock = arrivals(model.record), _clock_of(model)
    return View(
        day=day,
        model=model,
        open=open_curves(model, horizon, clock),
        coming=clock.read(
            lambda days: coming.and_sudden(model.record, model.new_deals(coming, days)), horizon
        ),
        arrivals=coming,
    )


def replay(
    history: History, days: Iterable[date], end: date, horizon: int, referee: Referee
) -> Iterator[Replayed]:
    """Replays forecasts on days in order; what came after is known up to ``end``.

    The referee is told how the variants did.
    """
    ledger = read_ledger(history)
    for day in days:
        record = ledger.record_on(day)
        fitted = fit_models(record, history.chances, possible_variants(record))
        view = _view(day, fitted[referee.choose(record)], horizon)
        known_days = min(horizon, (end - day).days)
        still_open, coming = _outcomes(ledger, record.today, record.today + known_days)
        if known_days >= TRIAL_DAYS:
            referee.add(record.today, _errors(fitted, still_open.within(TRIAL_DAYS)))
        yield Replayed(view, still_open, coming, known_days)


def _errors(fitted: dict[Variant, Model], won: Floats) -> dict[Variant, float]:
    """Returns the sum of squared errors of every model."""
    errors = {}
    for variant, model in fitted.items():
        expected, _ = model.open_curves(TRIAL_DAYS).within(1, TRIAL_DAYS)
        errors[variant] = float(((expected - won) ** 2).sum())
    return errors


def _outcomes(ledger: Ledger, today: int, last: int) -> tuple[Outcomes, Outcomes]:
    """Returns what came after a day, up to ``last``: of deals then open, and of later ones."""
    there = ledger.entered <= today
    after = (ledger.closed > today) & (ledger.closed <= last)
    row = np.where(after, ledger.closed - today - 1, NEVER)
    won = ledger.won & after
    was_open = there & (ledger.closed > today)
    sudden = ledger.sudden.until(last)
    at = sudden.day - today - 1
    row_of_new = np.concatenate([row[~there], at[at >= 0]])
    new = Outcomes(row_of_new, np.concatenate([won[~there], sudden.won[at >= 0]]))
    return Outcomes(row[was_open], won[was_open]), new
