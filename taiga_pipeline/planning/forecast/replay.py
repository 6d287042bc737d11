"""Forecasts as they would have been made on past days, knowing only what was known then.

Each day's model is fitted to that day's record alone. Which parts of it are on (season, load) is
decided by what had won, up to that day, in forecasts made before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import product
from typing import Final

import numpy as np

from taiga_pipeline.planning.forecast.curves import Arrivals, Curves, arrivals, curves, new_deals
from taiga_pipeline.planning.forecast.hazards import Hazards, Variant, fit, gather
from taiga_pipeline.planning.forecast.record import NEVER, Floats, Record, make_record
from taiga_pipeline.planning.forecast.shock import Window
from taiga_pipeline.planning.history import History, PastDeal

SETTLING_DAYS: Final = 28
"""From the first decision to the first forecast that is replayed."""
FULL_QUARTER: Final = 91
"""Days of record before a season can be told from chance."""
TRIAL_DAYS: Final = 30
"""The horizon over which variants of the model compete."""
VARIANTS: Final = tuple(Variant(season, load) for load in (False, True) for season in (False, True))


@dataclass(frozen=True, slots=True)
class View:
    """A forecast's ground: what was known on a day, and the model that was chosen and fitted.

    ``deals`` are the open ones; the columns of ``open`` are theirs. ``coming`` is expected of deals
    that were not yet there.
    """

    day: date
    history: History
    hazards: Hazards
    deals: tuple[PastDeal, ...]
    open: Curves
    coming: Curves
    arrivals: Arrivals

    @property
    def record(self) -> Record:
        """What was known, as arrays."""
        return self.hazards.record


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What became of things after a day: decisions and wins on each day ahead (row 0: tomorrow)
    of the deals that were open then, and of those that came in later."""

    open: Curves
    coming: Curves


@dataclass(frozen=True, slots=True)
class Replayed:
    """A past view and what came after it, as far as it is known (``days`` ahead)."""

    view: View
    outcomes: Outcomes
    days: int

    def tally(self) -> Tally:
        """Returns the daily sums, which take little memory."""
        expected = {
            (part, measure): _daily(self.view, part, measure)
            for part, measure in product(("open", "coming"), ("won", "decided"))
        }
        actual = {key: _daily(self.outcomes, *key) for key in expected}
        return Tally(self.view.record.today, self.days, expected, actual)


def _daily(source: View | Outcomes, part: str, measure: str) -> Floats:
    table: Floats = getattr(getattr(source, part), measure)
    return np.asarray(table.sum(axis=1))


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


class Referee:
    """Keeps how variants did in the past, and says which may play on a day."""

    def __init__(self) -> None:
        self._trials: list[tuple[int, dict[Variant, float]]] = []

    def add(self, day: int, errors: dict[Variant, float]) -> None:
        """Records the squared errors of forecasts made on ``day`` for `TRIAL_DAYS` ahead."""
        self._trials.append((day, errors))

    def choose(self, today: int) -> Variant:
        """Returns the variant that had the least error in the trials completed by ``today``.

        Plain wins a tie, and where nothing was tried yet.
        """
        done = [errors for day, errors in self._trials if day + TRIAL_DAYS <= today]
        if not done:
            return VARIANTS[0]
        return min(VARIANTS, key=lambda variant: sum(errors[variant] for errors in done))


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


def look(history: History, day: date, variant: Variant, horizon: int) -> View:
    """Returns the forecast's ground on a day. ``history`` may hold more than was known then."""
    known = history.known_on(day)
    hazards = fit(gather(make_record(known, day)), history.chances, variant)
    return _view(known, day, hazards, horizon)


def _view(known: History, day: date, hazards: Hazards, horizon: int) -> View:
    coming = arrivals(hazards)
    return View(
        day=day,
        history=known,
        hazards=hazards,
        deals=known.open,
        open=_open_curves(hazards, horizon),
        coming=new_deals(hazards, coming, horizon),
        arrivals=coming,
    )


def _open_curves(hazards: Hazards, horizon: int) -> Curves:
    record = hazards.record
    is_open = record.is_open
    return curves(hazards, record.ages()[is_open], record.stage[is_open], horizon)


def replay(
    history: History, days: Iterable[date], end: date, horizon: int, referee: Referee
) -> Iterator[Replayed]:
    """Replays forecasts on days in order; what came after is known up to ``end``.

    The referee is told how the variants did.
    """
    for day in days:
        known = history.known_on(day)
        record = make_record(known, day)
        evidence = gather(record)
        fitted = {each: fit(evidence, history.chances, each) for each in _possible(record)}
        chosen = referee.choose(record.today)
        view = _view(known, day, fitted.get(chosen, fitted[VARIANTS[0]]), horizon)
        known_days = min(horizon, (end - day).days)
        outcomes = _outcomes(history, view, end, horizon)
        if known_days >= TRIAL_DAYS:
            referee.add(record.today, _errors(fitted, outcomes))
        yield Replayed(view, outcomes, known_days)


def _possible(record: Record) -> Iterable[Variant]:
    seasonal = record.today - record.start >= FULL_QUARTER
    return [variant for variant in VARIANTS if seasonal or not variant.season]


def _errors(fitted: dict[Variant, Hazards], outcomes: Outcomes) -> dict[Variant, float]:
    """Returns the sum of squared errors of every variant; one that was not possible does as badly
    as plain."""
    actual = outcomes.open.won[:TRIAL_DAYS].sum(axis=0)
    errors = {}
    for variant, hazards in fitted.items():
        expected = _open_curves(hazards, TRIAL_DAYS).won.sum(axis=0)
        errors[variant] = float(((expected - actual) ** 2).sum())
    return {
        each: errors.get(each, errors[Variant(season=False, load=each.load)]) for each in VARIANTS
    }


def _outcomes(history: History, view: View, end: date, horizon: int) -> Outcomes:
    """Returns what came in the days after a view, up to ``end``."""
    today, last = view.record.today, min(end.toordinal(), view.record.today + horizon)
    final = {deal.key: deal for deal in history.deals}
    open_won, open_decided = np.zeros((2, horizon, len(view.deals)))
    for place, deal in enumerate(view.deals):
        row = _row(final[deal.key], today, last)
        if row is not None:
            open_decided[row, place] = 1.0
            open_won[row, place] = float(bool(final[deal.key].won))
    new_won, new_decided = np.zeros((2, horizon, 1))
    for deal in history.deals:
        row = _row(deal, today, last) if deal.entered.toordinal() > today else None
        if row is not None:
            new_decided[row, 0] += 1.0
            new_won[row, 0] += float(bool(deal.won))
    return Outcomes(Curves(open_won, open_decided), Curves(new_won, new_decided))


def _row(deal: PastDeal, today: int, last: int) -> int | None:
    closed = deal.closed.toordinal() if deal.closed else NEVER
    return closed - today - 1 if today < closed <= last else None
