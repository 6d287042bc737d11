"""From hazards to the chances of deals, day by day ahead.

``P(won on day u) = S(u-1) h(u) w(u)`` with ``S(u) = prod(1 - h)``: the discrete cumulative
incidence of two competing risks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from taiga_pipeline.planning.forecast.hazards import Hazards
from taiga_pipeline.planning.forecast.record import OLDEST, Days, Floats


@dataclass(frozen=True, slots=True)
class Curves:
    """Chances of each deal (second axis) on each of the coming days (first axis).

    ``won`` and ``decided`` are per day; row 0 is tomorrow.
    """

    won: Floats
    decided: Floats


def curves(
    hazards: Hazards, ages: Days, stages: Days, horizon: int, *, season: bool = True
) -> Curves:
    """Returns the chances of deals of these ages (days) and stages for ``horizon`` days ahead.

    A deal keeps its stage; ages and calendar go on.
    """
    kinds, place = np.unique(np.stack([ages, stages]), axis=1, return_inverse=True)
    alive = np.ones(kinds.shape[1])
    won, decided = np.zeros((horizon, len(alive))), np.zeros((horizon, len(alive)))
    today = hazards.record.today
    for ahead in range(1, horizon + 1):
        closing, winning = hazards.chances(today + ahead, season=season)
        group = hazards.groups[np.minimum(kinds[0] + ahead, OLDEST)]
        decided[ahead - 1] = alive * closing[group, kinds[1]]
        won[ahead - 1] = decided[ahead - 1] * winning[group, kinds[1]]
        alive -= decided[ahead - 1]
    place = place.ravel()
    return Curves(won[:, place], decided[:, place])


@dataclass(frozen=True, slots=True)
class Arrivals:
    """How deals come in: so many ``per_day``; weekly counts vary ``dispersion`` times as much as
    those of a Poisson process (1: as much)."""

    per_day: float
    dispersion: float
    weeks: int


RECENT_WEEKS = 13


def arrivals(hazards: Hazards) -> Arrivals:
    """Returns the rate of the last quarter, or of the time since the first deal if that is less."""
    record = hazards.record
    if not len(record.entered):
        return Arrivals(0.0, 1.0, 0)
    weeks = min(RECENT_WEEKS, max(1, (record.today - int(record.entered.min()) + 1) // 7))
    recent = record.entered[record.entered > record.today - 7 * weeks]
    counts = np.bincount((record.today - recent) // 7, minlength=weeks)
    mean = float(counts.mean())
    spread = float(counts.var(ddof=1)) / mean if weeks > 1 and mean > 0 else 1.0
    return Arrivals(mean / 7, max(1.0, spread), weeks)


def new_deals(hazards: Hazards, coming: Arrivals, horizon: int) -> Curves:
    """Returns the expected wins and decisions of deals that will come in: one column.

    A deal that comes in on day v is decided on that day at the earliest.
    """
    won, decided = np.zeros((horizon, 1)), np.zeros((horizon, 1))
    alive = np.zeros(horizon)
    age = -np.arange(1, horizon + 1)
    today = hazards.record.today
    for ahead in range(1, horizon + 1):
        alive[ahead - 1] = coming.per_day
        there = slice(0, ahead)
        closing, winning = hazards.chances(today + ahead)
        group = hazards.groups[np.minimum(age[there] + ahead, OLDEST)]
        closed = alive[there] * closing[group, 0]
        decided[ahead - 1, 0] = closed.sum()
        won[ahead - 1, 0] = (closed * winning[group, 0]).sum()
        alive[there] -= closed
    return Curves(won, decided)
