"""Past forecasts beside what came: whether chances and ranges can be believed, to look at.

Each past forecast is taken as it would have been shown on its day, with what forecasts before it
were off by.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from taiga_pipeline.planning.forecast.common_shock import CommonShock
from taiga_pipeline.planning.forecast.curves import Curves
from taiga_pipeline.planning.forecast.record import Floats
from taiga_pipeline.planning.forecast.replay import Replayed
from taiga_pipeline.planning.forecast.simulate import (
    Newcomers,
    Range,
    draw_factors,
    range_of,
    simulate_new,
    under_shock,
)

CHANCE_DAYS: Final = (90, 30)
"""Chances are compared over the longest of these times that enough of them have been seen for."""
WINDOW_DAYS: Final = 30
MOST_WINDOWS: Final = 12
ENOUGH_CHANCES: Final = 30
GROUPS: Final = 10
_TRIALS: Final = 500
_LIKE: Final = 20

Shock = Callable[[int, int, str], CommonShock]


@dataclass(frozen=True, slots=True)
class ChanceGroup:
    """Chances of about one size: their mean, the share of deals that were won, and their number.

    A deal counts once for each past forecast in which it was open.
    """

    said: float
    came: float
    number: int


@dataclass(frozen=True, slots=True)
class PastWindow:
    """The 80 % range of all wins in `WINDOW_DAYS` days after day ``made``, and how many came."""

    made: date
    expected: Range
    came: int

    @property
    def held(self) -> bool:
        """Whether what came lies in the range."""
        return self.expected.low <= self.came <= self.expected.high


@dataclass(frozen=True, slots=True)
class Calibration:
    """``groups`` are of chances to be won within ``days``; ``windows`` do not overlap."""

    days: int = CHANCE_DAYS[0]
    groups: tuple[ChanceGroup, ...] = ()
    windows: tuple[PastWindow, ...] = ()


NOTHING_YET: Final = Calibration()


class Calibrator:
    """Collects past forecasts, in the order of their days."""

    def __init__(self) -> None:
        self._chances = {days: np.zeros((3, GROUPS)) for days in CHANCE_DAYS}
        self._windows: list[PastWindow] = []

    def add(self, past: Replayed, shock: Shock) -> None:
        """Adds a forecast; ``shock`` is what was known on its day of how far off they are."""
        for days, table in self._chances.items():
            if past.days >= days:
                self._add_chances(table, past, days, shock(1, days, "open").mean)
        if past.days >= WINDOW_DAYS:
            window = _window(past, shock(1, WINDOW_DAYS, "all"))
            if window.expected.high or window.came:  # Else there was nothing to hold.
                self._windows.append(window)

    def _add_chances(self, table: Floats, past: Replayed, days: int, off: float) -> None:
        won, _ = past.view.open.within(1, days)
        chances = np.minimum(won * np.exp(off), 1.0)
        group = np.minimum((chances * GROUPS).astype(np.int64), GROUPS - 1)
        seen = (np.ones_like(chances), chances, past.open.within(days))
        table += [np.bincount(group, weights=each, minlength=GROUPS) for each in seen]

    def result(self) -> Calibration:
        """Returns what was collected."""
        enough = [days for days, seen in self._chances.items() if seen[0].sum() >= ENOUGH_CHANCES]
        days = enough[0] if enough else CHANCE_DAYS[-1]
        groups = tuple(
            ChanceGroup(said / number, came / number, round(number))
            for number, said, came in self._chances[days].T.tolist()
            if number and enough
        )
        return Calibration(days, groups, tuple(_apart(self._windows)))


def _apart(windows: list[PastWindow]) -> list[PastWindow]:
    """Returns the last windows that do not overlap, the first of them first."""
    found: list[PastWindow] = []
    for each in reversed(windows):
        if not found or (found[-1].made - each.made).days >= WINDOW_DAYS:
            found.append(each)
    return found[:MOST_WINDOWS][::-1]


def _window(past: Replayed, shock: CommonShock) -> PastWindow:
    view, random = past.view, np.random.default_rng(0)
    factor = draw_factors(shock, random, _TRIALS)
    won, decided = (float(each.sum()) for each in view.coming.within(1, WINDOW_DAYS))
    new = Newcomers(won, decided, view.arrivals.spread(decided), {})
    trials = _open_wins(view.open, shock, factor, random) + simulate_new(new, factor, random).won
    came = past.open.within(WINDOW_DAYS).sum() + past.coming.within(WINDOW_DAYS).sum()
    return PastWindow(view.day, range_of(trials), round(float(came)))


def _open_wins(
    curves: Curves, shock: CommonShock, factor: Floats, random: np.random.Generator
) -> Floats:
    """Returns trials of wins; deals of about the same chance are drawn at once."""
    won, _ = curves.within(1, WINDOW_DAYS)
    group = (won * _LIKE).astype(np.int64)
    number = np.bincount(group, minlength=1)
    mean = np.bincount(group, weights=won, minlength=1) / np.maximum(number, 1)
    chances = np.minimum(under_shock(mean, shock) * factor[:, None], 1.0)
    return np.asarray(random.binomial(number, chances).sum(axis=1), dtype=np.float64)
