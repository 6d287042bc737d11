"""Small firms' pipelines, simulated with known truth.

A funnel, of four stages unless named. A deal stays in a stage for an exponential time and then
moves on or is lost; how often it moves on follows from the stages' true chances:
``P(s) / P(s + 1)``. So a deal that has just reached a stage is won with that stage's chance, and so
is one that has been there for long: the truth of every open deal is known on every day. Where stays
are not exponential, or end with months, the truth within `DAYS_AHEAD` is that of the same funnel
without this.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bench.small_firms_lives import Fate, Firm
from bench.small_firms_records import deal_of
from bench.small_firms_shape import DAYS_AHEAD, HAGGLED, Shape
from taiga_pipeline.planning.history.model import History

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Case:
    """A history with what came of it: the fates of its open deals, in its order, number and value
    of all wins within `DAYS_AHEAD`, how many new deals were to be expected on each day beside their
    chances, what open deals are ``worth``, and what new ones may be, with its weight. Values are by
    currency."""

    history: History
    open: tuple[Fate, ...]
    wins: int
    shape: Shape
    value: Mapping[str, float]
    coming: tuple[tuple[float, float], ...]
    worth: tuple[tuple[str, float], ...]
    new: tuple[tuple[str, float, float], ...]

    def futures(self, number: int, seed: int) -> tuple[Floats, dict[str, Floats]]:
        """Returns what may come within `DAYS_AHEAD`, as likely as it truly is: wins, and value by
        currency."""
        random = np.random.default_rng((seed, 2))
        soon = np.array([fate.soon for fate in self.open])
        won = random.random((number, len(soon))) < soon
        new = self._new_wins(number, random)
        worth = np.array([value for _, value in self.worth]) * self._final(won.shape, random)
        shares = np.array([share for _, _, share in self.new])
        drawn = random.choice(len(self.new), int(new.sum()), p=shares / shares.sum())
        future = np.repeat(np.arange(number), new)
        found = {}
        for currency in sorted({kind.currency for kind in self.shape.all_kinds}):
            mine = np.array([name == currency for name, _ in self.worth], dtype=bool)
            values = np.array([value * (name == currency) for name, value, _ in self.new])
            later = np.bincount(future, values[drawn], number)
            found[currency] = (won * worth)[:, mine].sum(axis=1) + later
        return won.sum(axis=1) + new, found

    def _new_wins(self, number: int, random: np.random.Generator) -> Counts:
        expected, chance = np.array(self.coming).T
        if self.shape.at_once == 1:
            return random.poisson(float(expected @ chance), number)
        groups = random.poisson(expected / self.shape.at_once, (number, len(expected)))
        return np.asarray(random.binomial(groups * self.shape.at_once, chance).sum(axis=1))

    def _final(self, size: tuple[int, ...], random: np.random.Generator) -> Floats:
        """Returns what wins bring in parts of what was stated."""
        if self.shape.haggled == 1.0:
            return np.ones(size)
        return self.shape.haggled * np.exp(HAGGLED * random.standard_normal(size))


def simulate(shape: Shape, seed: int) -> Case:
    """Returns a firm's history up to its today and what came after it."""
    firm = Firm(shape, seed)
    today = shape.today.toordinal()
    wins, value, deals, rows, worth = 0, Counter[str](), [], [], []
    for number, life in enumerate(firm.lives()):
        soon = life.won and today < life.closed <= today + DAYS_AHEAD
        wins += soon
        value[life.kind.currency] += soon * life.final
        hidden = not life.won and _is_silent(shape, life.closed - today)
        if life.since[0] > today or (hidden and shape.removed and life.closed <= today):
            continue
        if life.unseen and (life.closed > today or not life.won):
            continue
        seen = life.as_lost_on(today)
        is_open = seen.closed > today or hidden
        deals.append(deal_of(shape, number, seen, is_open=is_open))
        if is_open:
            rows.append(firm.fate(life))
            worth.append((life.kind.currency, life.value))
    stated = zip(shape.stages, shape.mapping, strict=True)
    chances = {name: chance for name, chance in stated if chance is not None}
    return Case(
        History(tuple(deals), chances),
        tuple(rows),
        wins,
        shape,
        value,
        firm.coming(),
        tuple(worth),
        firm.worth_of_new(),
    )


def _is_silent(shape: Shape, day: int) -> bool:
    """Tells if a loss on a day from today is not recorded."""
    if shape.clean_up:
        return day > -(shape.today.toordinal() % shape.clean_up)
    if shape.silent is not None:
        return day > -365 * shape.silent
    return not shape.losses
