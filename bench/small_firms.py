"""Small firms' pipelines, simulated with known truth.

A funnel, of four stages unless named. A deal stays in a stage for an exponential time and then
moves on or is lost; how often it moves on follows from the stages' true chances:
``P(s) / P(s + 1)``. So a deal that has just reached a stage is won with that stage's chance, and so
is one that has been there for long: the truth of every open deal is known on every day. Where stays
are not exponential, or end with months, where quarters differ or lost deals come again, the truth
is what comes in many drawn futures.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from bench.small_firms_lives import NEVER, Fate, Firm, Life
from bench.small_firms_records import deal_of
from bench.small_firms_shape import DAYS_AHEAD, HAGGLED, Shape
from taiga_pipeline.planning.history.model import History

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Case:
    """A history with what came of it: the fates of its open deals, in its order, how many new deals
    were to be expected on each day beside their chances, what open deals are ``worth``, and what
    new ones may be, with its weight. Values are by currency. Where the truth has no formula,
    ``drawn`` are the open deals that are won within `DAYS_AHEAD` in each of some futures, and how
    many others are."""

    history: History
    open: tuple[Fate, ...]
    shape: Shape
    coming: tuple[tuple[float, float], ...]
    worth: tuple[tuple[str, float], ...]
    new: tuple[tuple[str, float, float], ...]
    drawn: tuple[Flags, Counts] | None = None

    def futures(self, number: int, seed: int) -> tuple[Floats, dict[str, Floats]]:
        """Returns what may come within `DAYS_AHEAD`, as likely as it truly is: wins, and value by
        currency."""
        random = np.random.default_rng((seed, 2))
        won, new = self.drawn or self._drawn_apart(number, random)
        number = len(won)
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

    def _drawn_apart(self, number: int, random: np.random.Generator) -> tuple[Flags, Counts]:
        soon = np.array([fate.soon for fate in self.open])
        return random.random((number, len(soon))) < soon, self._new_wins(number, random)

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


def simulate(shape: Shape, seed: int, futures: int = 0) -> Case:
    """Returns a firm's history up to its today and what came after it.

    Where the truth has no formula, it is what comes in so many drawn ``futures``; with none, that
    of the same funnel with exponential times that end on any day.
    """
    firm = Firm(shape, seed)
    today = shape.today.toordinal()
    deals, worth = [], []
    lives: list[Life] = []
    pending: list[Life] = []
    for number, life in enumerate(firm.lives()):
        hidden = not life.won and _is_silent(shape, life.closed - today)
        if life.since[0] > today or (hidden and shape.removed and life.closed <= today):
            continue
        if life.unseen and (life.closed > today or not life.won):
            continue
        seen = life.as_lost_on(today)
        is_open = seen.closed > today or hidden
        deals.append(deal_of(shape, number, seen, is_open=is_open))
        if seen is not life:
            pending.append(life)
        if is_open:
            lives.append(life)
            worth.append((life.kind.currency, life.value))
    rows, drawn = [firm.fate(life) for life in lives], None
    if futures and not shape.is_exact:
        days, others = firm.futures(lives, pending, futures, seed)
        drawn = days <= DAYS_AHEAD, others
        pairs = zip(rows, drawn[0].mean(axis=0), (days < NEVER).mean(axis=0), strict=True)
        rows = [replace(fate, soon=float(soon), ever=float(ever)) for fate, soon, ever in pairs]
    stated = zip(shape.stages, shape.mapping, strict=True)
    chances = {name: chance for name, chance in stated if chance is not None}
    return Case(
        History(tuple(deals), chances),
        tuple(rows),
        shape,
        firm.coming(),
        tuple(worth),
        firm.worth_of_new(),
        drawn,
    )


def _is_silent(shape: Shape, day: int) -> bool:
    """Tells if a loss on a day from today is not recorded."""
    if shape.clean_up:
        return day > -(shape.today.toordinal() % shape.clean_up)
    if shape.silent is not None:
        return day > -365 * shape.silent
    return not shape.losses
