"""How deals pass a funnel: a model for pipelines with few decisions, and for those with stages.

A deal stays in a stage until it moves on (to a later stage, or to a win) or is lost: a multi-state
model with a rate of leaving ``r`` and a chance ``a`` of moving on for each stage. The chance to be
won of a deal that has just come into a stage is ``P(s) = a(s) * mean of P(t)`` over the stages t
that deals go on to. Everything shrinks to what was believed before there was data:

- **moving on**: ``logit a(s) = logit a0(s) + b + d(s)``. ``a0`` is what the mapping's
  probabilities imply, ``P0(s) / P0(t)``; ``b`` says how far the mapping is off as a whole, ``d`` in
  one stage. Their priors are normal, of a width that is not known either: narrow (the mapping is
  right), middle or wide (`WIDTHS`). Summed on a grid, which is exact; a mapping that has held is
  soon believed, one that has not is soon left.
- **leaving**: ``r(s) = (departures + k) / (days + k / r)``, the mean of a gamma posterior (Gelman
  et al. 2013, ch. 2.6). ``r`` of all stages shrinks to `CYCLE_DAYS` for the whole funnel in the
  same way.
- **age**: what has stayed long (`OVERSTAYED` mean stays) moves on, and is lost, at rates that are
  multiplied by a factor each, shrunk to 1 likewise;
- **ends of months**: where stages are left on them, one at a time, days are gone through one by one
  (`steps`), and how long a stay has lasted says nothing more.

Where the stages of decided deals are not on record, or are so only since a day, the whole funnel's
outcomes before it stand for the stages' (`whole_deals`): wins and losses tell ``b``, the days of
all deals tell ``r``. Where more or fewer deals move on since some day, what is seen since counts
for more (`changes`).

Where losses are not recorded, or no longer (`unrecorded_losses`), wins tell the time, and a deal
that has stayed long may have been lost without anyone saying so:
``P(alive | stayed t) = S(t) / (S(t) + (1 - a) (1 - S(t)))`` with ``S(t) = exp(-r t)``. What then
tells ``a`` is in `hidden_losses`. Whether lost deals stay open or are taken out of the record
counts as likely as it makes what is there; in the second case chances lean on the mapping's and on
how many of the deals that came in are left (`LeftOver`).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import factorial
from typing import Final

import numpy as np

from taiga_pipeline.planning.forecast.curves import Arrivals, Curves
from taiga_pipeline.planning.forecast.funnel.moves import chances_of
from taiga_pipeline.planning.forecast.funnel.steps import Passage, Steps
from taiga_pipeline.planning.forecast.hazards import Variant
from taiga_pipeline.planning.forecast.record import Days, Floats, Record, distinct

OVERSTAYED: Final = (1.5, 3.0)
"""Ages of a stay, in mean stays, at which rates may change."""
FUNNEL: Final = Variant(kind="funnel")

_TINY: Final = 1e-300
_NEVER: Final = 1e-6
_TODAY: Final = 0.01


@dataclass(frozen=True, slots=True)
class Funnel:
    """A fitted model; arrays are by stage of the record (0: not known).

    ``moves_on`` are the chances ``a``, ``leaves`` the rates a day, ``next`` the share of those who
    move on to each stage (the last column: to a win). ``older`` are the factors of age: moving on
    and lost, by age group. ``entry`` is the share of new deals that begin in each stage. ``silent``
    is the day from which on losses are not recorded, ``left_open`` the chance that lost deals then
    stay open, rather than being taken out of the record. ``shift`` is by how much the log-odds of
    moving on are higher now than all the time on record tells. ``in_steps`` tells how stages are
    left at ends of months, None where they are left on any day.
    """

    record: Record
    moves_on: Floats
    leaves: Floats
    next: Floats
    older: Floats
    entry: Floats
    order: Days
    silent: int | None
    doubt: Floats
    departures: float
    left_open: float = 1.0
    shift: float = 0.0
    in_steps: Steps | None = None

    @property
    def variant(self) -> Variant:
        """Which model this is."""
        return FUNNEL

    @property
    def asleep(self) -> int:
        """How many open deals are expected never to close."""
        return 0

    def open_curves(self, horizon: int) -> Curves:
        """Returns the chances of the open deals."""
        return self.curves(self.record.stage[self.record.is_open], self.stays(), horizon)

    def stays(self) -> Days:
        """Returns for how many days each open deal has been in its stage, as far as is known."""
        record = self.record
        since = record.stage_since if record.has_stays else record.entered
        stayed = record.today - since[record.is_open]
        if not record.has_stays and self.silent is None:
            return np.zeros_like(stayed)
        # Whatever has stayed for longer is lost; where stays are not on record, in all stages.
        stages = 1 if record.has_stays else len(record.stages)
        return np.minimum(stayed, int(OVERSTAYED[-1] / self.leaves.min()) * 4 * stages)

    def off_by(self, open_wins: Floats, new_wins: float, pace: float) -> float:
        """Returns by which part of them expected wins may be off, since the model was learnt from
        few decisions: a standard deviation.

        ``open_wins`` are the chances of the open deals that these wins are the sum of, ``new_wins``
        is what is expected of new deals, and ``pace`` how many more there would be if all went
        faster, as a derivative by the logarithm of the pace.
        """
        stages = self.record.stage[self.record.is_open]
        wins = np.bincount(stages, open_wins, len(self.entry)) + new_wins * self.entry
        total = max(float(wins.sum()), _NEVER)
        share = wins / total
        square = float(share @ self.doubt @ share) + (pace / total) ** 2 / self.departures
        return float(np.sqrt(square))

    def curves(self, stages: Days, stays: Days, horizon: int) -> Curves:
        """Returns the chances of deals that have been in these stages for so many days."""
        if self.in_steps is not None:
            return self._in_steps(self.in_steps, stages, stays, horizon)
        width = int(stays.max(initial=0)) + 1
        kinds, place = np.unique(stages * width + stays, return_inverse=True)
        won, lost = np.zeros((2, horizon, len(kinds)))
        later = self._from_entry(horizon)
        stage, stay = np.divmod(kinds, width)
        for each in distinct(stage).tolist():
            mine = stage == each
            soon, never = self._deals(each, stay[mine], *later)
            won[:, mine], lost[:, mine] = soon.T, never.T
        if self.silent is not None:
            lost[:] = 0.0
        return Curves(won, won + lost, place.ravel())

    def new_deals(self, coming: Arrivals, horizon: int) -> Curves:
        """Returns the expected wins and decisions of deals that will come in: one column."""
        if self.in_steps is not None:
            passed = self._passed(self.in_steps, horizon)
            won, lost = (coming.per_day * each[:, -1:] for each in passed)
        else:
            begun = coming.per_day * self.entry
            won, lost = (np.cumsum(begun @ each)[:, None] for each in self._from_entry(horizon))
            if self.silent is not None:
                lost = np.zeros_like(lost)
        return Curves(won, won + lost, np.zeros(1, dtype=np.int64))

    def steps(self, place: int, horizon: int) -> tuple[float, float, float, float]:
        """Returns the chance to be won within the horizon of a new deal, of one that just came into
        the stage of an open deal, of one of its age, and of itself."""
        new = float(self.entry @ self._from_entry(horizon)[0].sum(axis=1))
        stage = self.record.stage[self.record.is_open][place : place + 1]
        staged, aged = (
            float(self.curves(stage, stays, horizon).won.sum())
            for stays in (np.zeros_like(stage), self.stays()[place : place + 1])
        )
        return new, staged, aged, aged

    def chances(self) -> Floats:
        """Returns the chance to be won of a deal that has just come into each stage."""
        return chances_of(self.moves_on, self.next, self.order)

    def _in_steps(self, steps: Steps, stages: Days, stays: Days, horizon: int) -> Curves:
        """Returns the chances of deals that leave stages at ends of months."""
        number, width = len(self.moves_on), int(stays.max(initial=0)) + 1
        group = stages + number * steps.is_fresh(stays)
        # How long a deal has been there says something only where it may be lost already.
        kinds, place = np.unique(
            group * width + stays * (self.silent is not None), return_inverse=True
        )
        won, lost = (each[:, kinds // width] for each in self._passed(steps, horizon))
        if self.silent is not None:
            stage, stay = kinds // width % number, kinds % width
            for each in distinct(stage).tolist():
                won[:, stage == each] *= self._alive(each, stay[stage == each])
        return Curves(won, won + lost, place.ravel())

    def _passed(self, steps: Steps, horizon: int) -> tuple[Floats, Floats]:
        """Returns what `Steps.pass_through` does of this funnel."""
        passage = Passage(self.leaves, self.moves_on[:, None] * self.next)
        won, lost = steps.pass_through(passage, self.entry, horizon)
        return won, np.zeros_like(lost) if self.silent is not None else lost

    def _from_entry(self, horizon: int) -> tuple[Floats, Floats]:
        """Returns the chances of each day ahead (second axis) for deals that come into a stage."""
        if self.in_steps is not None:
            won, lost = self._passed(self.in_steps, horizon)
            return won.T[: len(won.T) // 2], lost.T[: len(won.T) // 2]
        won, lost = np.zeros((2, len(self.moves_on), horizon))
        for stage in reversed(self.order.tolist()):
            begun = np.zeros(1, dtype=np.int64)
            won[stage], lost[stage] = (each[0] for each in self._deals(stage, begun, won, lost))
        return won, lost

    def _deals(self, stage: int, stays: Days, won: Floats, lost: Floats) -> tuple[Floats, Floats]:
        """Returns the chances of deals in a stage (first axis), from those of deals that come into
        later ones: ``won(u) = sum over v of moves on(v) * won there(u - v)``."""
        on, off = self._departures(stage, stays, won.shape[1])
        share = self.next[stage]
        soon = on * share[-1] + _convolved(on, share[:-1] @ won)
        return soon, off + _convolved(on, share[:-1] @ lost)

    def _departures(self, stage: int, stays: Days, horizon: int) -> tuple[Floats, Floats]:
        rate, chance = self.leaves[stage], self.moves_on[stage]
        ages = np.searchsorted(OVERSTAYED, (stays[:, None] + np.arange(horizon)) * rate)
        on, off = rate * chance * self.older[0, ages], rate * (1 - chance) * self.older[1, ages]
        there = np.exp(-np.cumsum(on + off, axis=1))
        left = -np.diff(there, axis=1, prepend=1.0) * self._alive(stage, stays)[:, None]
        return left * on / (on + off), left * off / (on + off)

    def _alive(self, stage: int, stays: Days) -> Floats:
        if self.silent is None:
            return np.ones(len(stays))
        there = self._there(stage, np.minimum(stays, self.record.today - self.silent))
        alive = there / (there + (1 - self.moves_on[stage]) * (1 - there))
        return np.asarray(1.0 - self.left_open * (1.0 - alive))

    def _there(self, stage: int, days: Days) -> Floats:
        """Returns how likely deals that came into a stage have not left it after so many days.

        Where it is not on record when a deal came into its stage, days are those of the deal, and
        it passed the stages before at the same rate:
        ``P(N = k) / P(N >= k)`` with k stages before, and N Poisson.
        """
        mean = self.leaves[stage] * np.maximum(days, _TODAY)
        if self.record.has_stays:
            return np.asarray(np.exp(-mean))
        place, begun = (
            int(np.flatnonzero(self.order == each)[0]) for each in (stage, self.entry.argmax())
        )
        before = max(place - begun, 0)
        exactly = [np.exp(-mean) * mean**k / factorial(k) for k in range(before + 1)]
        at_least = 1.0 - sum(exactly[:-1], np.zeros(len(mean)))
        return np.asarray(np.minimum(exactly[-1] / np.maximum(at_least, exactly[-1] + _TINY), 1.0))


def _convolved(first: Floats, second: Floats) -> Floats:
    if not second.any():
        return np.zeros_like(first)
    days = len(second)
    product = np.fft.rfft(first, 2 * days) * np.fft.rfft(second, 2 * days)
    return np.maximum(np.fft.irfft(product, 2 * days)[..., :days], 0.0)
