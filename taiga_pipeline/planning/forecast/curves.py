"""From hazards to the chances of deals, day by day ahead.

``P(won on day u) = S(u-1) h(u) w(u)`` with ``S(u) = prod(1 - h)``: the discrete cumulative
incidence of two competing risks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from taiga_pipeline.planning.forecast.hazards import Hazards, phases_of
from taiga_pipeline.planning.forecast.record import OLDEST, Days, Floats, Record
from taiga_pipeline.planning.forecast.stated import Stated


@dataclass(frozen=True, slots=True)
class Curves:
    """Chances of each deal on each of the coming days (first axis; row 0 is tomorrow).

    Deals of the same age and stage have the same chances: ``place`` says which column of
    ``kinds_won`` and ``kinds_decided`` is a deal's. ``stated`` moves them to the dates that sales
    stated.
    """

    kinds_won: Floats
    kinds_decided: Floats
    place: Days
    stated: Stated | None = None

    @property
    def won(self) -> Floats:
        """The chances of each deal (second axis) to be won on each day."""
        learnt = self.kinds_won[:, self.place]
        if self.stated is None:
            return learnt
        return np.asarray((1 - self.stated.weight) * learnt + self.stated.days(self.days))

    @property
    def decided(self) -> Floats:
        """The chances of each deal (second axis) to be decided on each day."""
        if self.stated is None:
            return self.kinds_decided[:, self.place]
        return self.won + (self.kinds_decided - self.kinds_won)[:, self.place]

    @property
    def days(self) -> int:
        """How many days ahead the chances reach."""
        return len(self.kinds_won)

    def within(self, first: int, last: int) -> tuple[Floats, Floats]:
        """Returns each deal's chance to be won and to be decided on days ``first`` (from 1) to
        ``last`` ahead."""
        won, decided = (
            table[first - 1 : last].sum(axis=0)[self.place]
            for table in (self.kinds_won, self.kinds_decided)
        )
        if self.stated is None:
            return won, decided
        moved = (1 - self.stated.weight) * won + self.stated.within(first, last)
        return moved, decided - won + moved

    def daily(self) -> tuple[Floats, Floats]:
        """Returns the expected wins and decisions of each day, over all deals."""
        counts = np.bincount(self.place, minlength=self.kinds_won.shape[1])
        won, decided = self.kinds_won @ counts, self.kinds_decided @ counts
        if self.stated is None:
            return won, decided
        kept = np.bincount(
            self.place, weights=1 - self.stated.weight, minlength=self.kinds_won.shape[1]
        )
        moved = self.kinds_won @ kept + self.stated.daily(self.days)
        return moved, decided - won + moved


def curves(
    hazards: Hazards, ages: Days, stages: Days, horizon: int, *, season: bool = True
) -> Curves:
    """Returns the chances of deals of these ages (days) and stages for ``horizon`` days ahead.

    A deal keeps its stage; ages and calendar go on.
    """
    number = len(hazards.record.stages)
    kinds, place = np.unique(ages * number + stages, return_inverse=True)
    age, stage = np.divmod(kinds, number)
    ahead = np.arange(1, horizon + 1)[:, None]
    closing, winning = hazards.chances_by_phase(season=season)
    cells = (
        phases_of(hazards.record.today + ahead),
        hazards.groups[np.minimum(age + ahead, OLDEST)],
        stage,
    )
    decided = _first_decisions(closing[cells])
    return Curves(decided * winning[cells], decided, place.ravel())


def _first_decisions(closing: Floats) -> Floats:
    """Returns the chance to be decided on each day and on none before it.

    ``closing`` is the chance to be decided on a day if it was not before; days on the first axis.
    """
    alive = np.cumprod(1.0 - closing, axis=0)
    decided = closing.copy()
    decided[1:] *= alive[:-1]
    return decided


@dataclass(frozen=True, slots=True)
class Arrivals:
    """How deals come in: so many ``per_day``; weekly counts vary ``dispersion`` times as much as
    those of a Poisson process (1: as much). ``number`` came in during the ``weeks`` that tell."""

    per_day: float
    dispersion: float
    weeks: int
    number: int = 0

    def spread(self, expected: float) -> float:
        """Returns how much more than a Poisson number a number of coming deals varies: as their
        weeks do, and because the rate itself is only known from `number` deals."""
        return self.dispersion * (1.0 + expected / max(self.number, 1))

    def and_sudden(self, record: Record, new: Curves) -> Curves:
        """Returns what is expected of new deals together with the decisions that will come on
        deals that are never open: as many as in the weeks that tell how many come in."""
        days = max(self.weeks, min(RECENT_WEEKS, _weeks_on_record(record))) * 7
        late = record.sudden.day > record.today - days
        if not days or not late.any():
            return new
        won = float(record.sudden.won[late].sum()) / days
        decided = float(late.sum()) / days
        return Curves(new.kinds_won + won, new.kinds_decided + decided, new.place)


RECENT_WEEKS = 13
MOST_WEEKS = 52
TELLING_DEALS = 20


def arrivals(record: Record) -> Arrivals:
    """Returns the rate of the last quarter, or of as many whole weeks as `TELLING_DEALS` came in
    during, a year at most, as far as the first day on record.

    That day itself does not count: what is there when a record begins came in before it. Nor do
    deals without the day on which they came in.
    """
    entered = record.entered[record.arrived]
    on_record = _weeks_on_record(record)
    if not on_record:
        return Arrivals(0.0, 1.0, 0)
    weeks_ago = (record.today - entered) // 7
    counts = np.bincount(weeks_ago[weeks_ago < min(MOST_WEEKS, on_record)], minlength=RECENT_WEEKS)
    enough = int(np.searchsorted(np.cumsum(counts), TELLING_DEALS)) + 1
    weeks = min(max(enough, RECENT_WEEKS), MOST_WEEKS, on_record)
    counts = np.pad(counts, (0, MOST_WEEKS))[:weeks]
    mean = float(counts.mean())
    spread = float(counts.var(ddof=1)) / mean if weeks > 1 and mean > 0 else 1.0
    return Arrivals(mean / 7, max(1.0, spread), weeks, int(counts.sum()))


def _weeks_on_record(record: Record) -> int:
    return (record.today - int(record.entered[record.arrived].min(initial=record.today))) // 7


def new_deals(hazards: Hazards, coming: Arrivals, horizon: int) -> Curves:
    """Returns the expected wins and decisions of deals that will come in: one column.

    A deal that comes in on day v is decided on that day at the earliest.
    """
    days = np.arange(horizon)
    age = days[:, None] - days  # of a deal that comes in on the day of the column
    closing, winning = hazards.chances_by_phase()
    phases = phases_of(hazards.record.today + 1 + days)[:, None]
    cells = (phases, hazards.groups[np.clip(age, 0, OLDEST)], 0)
    decided = coming.per_day * _first_decisions(np.where(age < 0, 0.0, closing[cells]))
    won = decided * winning[cells]
    one = np.zeros(1, dtype=np.int64)
    return Curves(won.sum(axis=1, keepdims=True), decided.sum(axis=1, keepdims=True), one)
