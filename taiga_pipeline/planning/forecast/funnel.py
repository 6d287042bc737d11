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
  multiplied by a factor each, shrunk to 1 likewise.

Where the stages of decided deals are not on record, the whole funnel's outcomes stand for the
stages': wins and losses tell ``b``, the days of all deals tell ``r``.

Where losses are not recorded, or no longer (`unrecorded_losses`), wins tell the time, and a deal
that has stayed long may have been lost without anyone saying so:
``P(alive | stayed t) = S(t) / (S(t) + (1 - a) (1 - S(t)))`` with ``S(t) = exp(-r t)``. What then
tells ``a`` is in `hidden_losses`. Whether lost deals stay open or are taken out of the record
counts as likely as it makes what is there; in the second case chances are the mapping's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import factorial
from typing import Final

import numpy as np

from taiga_pipeline.planning.forecast.curves import Arrivals, Curves
from taiga_pipeline.planning.forecast.hazards import Variant, logit, stage_chances
from taiga_pipeline.planning.forecast.hidden_losses import HiddenLosses, unrecorded_losses
from taiga_pipeline.planning.forecast.moves import Moves, by_month, next_shares, order_of
from taiga_pipeline.planning.forecast.record import Days, Floats, Record
from taiga_pipeline.planning.forecast.regression import logistic

CYCLE_DAYS: Final = 90.0
"""From coming in to a win, before history says otherwise; each stage takes the same part of it."""
CYCLE_DEPARTURES: Final = 3.0
"""The prior of the cycle counts as so many departures from a stage."""
STAGE_DEPARTURES: Final = 6.0
"""The rate of all stages counts as so many departures from each."""
WIDTHS: Final = {(0.05, 0.05): 0.75, (0.3, 0.5): 0.2, (0.8, 1.0): 0.05}
"""How far off the mapping may be (log-odds, as a whole and in one stage), and how likely it is."""
SURELY: Final = 0.9
"""A mapping that says that more than this share moves on does not tell a stage from the next."""
UNTOLD_WIDTH: Final = 1.0
"""How far off it may then be in that stage, unless the mapping is right as a whole."""
OVERSTAYED: Final = (1.5, 3.0)
"""Ages of a stay, in mean stays, at which rates may change."""
AGE_DEPARTURES: Final = 20.0
"""That age does not matter counts as so many departures."""
FUNNEL: Final = Variant(kind="funnel")

_OFF: Final = np.linspace(-3.0, 3.0, 61)
_OFF_IN_STAGE: Final = np.linspace(-2.0, 2.0, 41)
_SELDOM: Final = 0.1
_TINY: Final = 1e-300
_NARROW: Final = 0.01
_NEVER: Final = 1e-6
_TODAY: Final = 0.01
_AS_MAPPED: Final = 0.05


@dataclass(frozen=True, slots=True)
class Funnel:
    """A fitted model; arrays are by stage of the record (0: not known).

    ``moves_on`` are the chances ``a``, ``leaves`` the rates a day, ``next`` the share of those who
    move on to each stage (the last column: to a win). ``older`` are the factors of age: moving on
    and lost, by age group. ``entry`` is the share of new deals that begin in each stage. ``silent``
    is the day from which on losses are not recorded, ``left_open`` the chance that lost deals then
    stay open, rather than being taken out of the record.
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
        since = record.stage_since if record.learns_stages else record.entered
        stayed = record.today - since[record.is_open]
        if not record.learns_stages and self.silent is None:
            return np.zeros_like(stayed)
        return np.minimum(stayed, int(OVERSTAYED[-1] / self.leaves.min()) * 4)

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
        width = int(stays.max(initial=0)) + 1
        kinds, place = np.unique(stages * width + stays, return_inverse=True)
        won, lost = np.zeros((2, horizon, len(kinds)))
        later = self._from_entry(horizon)
        stage, stay = np.divmod(kinds, width)
        for each in np.unique(stage).tolist():
            mine = stage == each
            soon, never = self._deals(each, stay[mine], *later)
            won[:, mine], lost[:, mine] = soon.T, never.T
        if self.silent is not None:
            lost[:] = 0.0
        return Curves(won, won + lost, place.ravel())

    def new_deals(self, coming: Arrivals, horizon: int) -> Curves:
        """Returns the expected wins and decisions of deals that will come in: one column."""
        won, lost = self._from_entry(horizon)
        if self.silent is not None:
            lost = np.zeros_like(lost)
        begun = coming.per_day * self.entry
        expected = np.cumsum(begun @ won)[:, None], np.cumsum(begun @ lost)[:, None]
        return Curves(expected[0], expected[0] + expected[1], np.zeros(1, dtype=np.int64))

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
        return _chances(self.moves_on, self.next, self.order)

    def _from_entry(self, horizon: int) -> tuple[Floats, Floats]:
        """Returns the chances of each day ahead (second axis) for deals that come into a stage."""
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
        if self.record.learns_stages:
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


def fit_funnel(record: Record, chances: Mapping[str, float]) -> Funnel:
    """Fits the model; ``chances`` are the mapping's, by stage."""
    return _Fitter(record, stage_chances(record, chances)).fit()


@dataclass(frozen=True, slots=True)
class _Chances:
    """Chances to be won of deals that have just come into each stage: mean and covariance."""

    mean: Floats
    covariance: Floats

    def relative(self) -> Floats:
        """Returns the covariance in parts of the means."""
        size = np.maximum(self.mean, _NEVER)
        return np.asarray(self.covariance / size / size[:, None])

    def mixed(self, other: _Chances, share: float) -> _Chances:
        """Returns the chances if these are the true ones with a chance ``share``, else others."""
        apart = self.mean - other.mean
        between = share * (1 - share) * np.outer(apart, apart)
        within = share * self.covariance + (1 - share) * other.covariance
        return _Chances(share * self.mean + (1 - share) * other.mean, within + between)


class _Fitter:
    """Fits a funnel. All arrays are by stage of the record."""

    def __init__(self, record: Record, believed: Floats) -> None:
        self._record = record
        self._believed = believed
        self._order = order_of(believed, record.stays)
        self._silent = unrecorded_losses(record)
        self._moves = Moves.of(record, self._order, self._silent)
        self._next = next_shares(self._moves.to, self._order)
        self._entry = _entry(record, self._moves, believed)

    def fit(self) -> Funnel:
        chances, left_open = self._learnt()
        moves_on = self._implied(chances.mean).clip(1e-4, 1 - 1e-4)
        leaves, departures = self._leaves(moves_on)
        older = np.ones((2, len(OVERSTAYED) + 1))
        if self._silent is None:
            older = _older(self._moves, leaves, moves_on)
        return Funnel(
            self._record, moves_on, leaves, self._next, older, self._entry, self._order,
            self._silent, chances.relative(), departures, left_open,
        )  # fmt: skip

    def _implied(self, chances: Floats) -> Floats:
        """Returns the chances of moving on that make these chances to be won."""
        return np.asarray(
            chances / np.maximum(self._next[:, :-1] @ chances + self._next[:, -1], 1e-9)
        )

    def _learnt(self) -> tuple[_Chances, float]:
        """Returns the chances to be won, given what is on record, and the chance that hidden losses
        are still open."""
        found, likely = self._posterior(None)
        hidden = self._hidden()
        if hidden is None:
            return found, 1.0
        stays_open, likelier = self._posterior(hidden)
        removed = likely + hidden.if_removed(self._by_group(self._prior(), self._believed))
        share = float(logistic(np.array(likelier - removed)))
        return stays_open.mixed(found, share), share

    def _prior(self) -> Floats:
        """Returns the chances of moving on that the mapping implies."""
        return self._implied(self._believed).clip(0.02, SURELY)

    def _by_group(self, moves_on: Floats, chances: Floats) -> Floats:
        """Returns what `HiddenLosses` counts: moves by stage, or wins of new deals as a whole."""
        return moves_on if self._record.learns_stages else (self._entry @ chances)[None]

    def _hidden(self) -> HiddenLosses | None:
        record = self._record
        if self._silent is None:
            return None
        leaves, _ = self._leaves(
            self._prior()
        )  # Without losses, what moves on tells nothing of it.
        if record.learns_stages:
            return HiddenLosses.of_stays(record, self._moves.on > 0, leaves, self._silent)
        return HiddenLosses.of_deals(record, float(leaves.mean()), self._stages, self._silent)

    @property
    def _stages(self) -> int:
        return max(len(self._record.stages) - 1, 1)

    def _posterior(self, hidden: HiddenLosses | None) -> tuple[_Chances, float]:
        """Returns the chances to be won, and the logarithm of how likely the record is: a sum over
        ``b`` and ``d`` on a grid, and over `WIDTHS`."""
        log_odds = logit(self._prior())[:, None, None] + _OFF[:, None] + _OFF_IN_STAGE
        chance = logistic(log_odds)
        seen = self._moves.likelihood(chance)
        if hidden is not None and self._record.learns_stages:
            seen = seen + hidden.if_open(chance)
        most = seen.max(axis=(1, 2), keepdims=True)
        fits, means, spreads = [], [], []
        for (as_whole, by_stage), likely in WIDTHS.items():
            width, in_stage = as_whole, by_stage
            if not self._record.learns_stages:
                # Whole deals tell one thing only, which both of them make up together.
                width, in_stage = float(np.hypot(as_whole, by_stage)), _NARROW
            joint = np.exp(seen - most) * self._off_in_stage(in_stage)
            total = np.maximum(joint.sum(axis=2), _TINY)
            moves_on = (joint * chance).sum(axis=2) / total
            each = _chances(moves_on, self._next, self._order)
            off = np.log(likely * _normal(_OFF, width) + _TINY)
            fits.append(np.log(total).sum(axis=0) + off + self._outcomes(each, hidden))
            means.append(each)
            square = (joint * chance**2).sum(axis=2) / total
            spreads.append(np.maximum(square / np.maximum(moves_on, _NEVER) ** 2 - 1.0, 0.0))
        weight = np.exp(np.array(fits) - np.max(fits))
        found = self._chances_of(weight / weight.sum(), np.array(means), np.array(spreads))
        return found, float(np.log(weight.sum()) + np.max(fits) + most.sum())

    def _chances_of(self, weight: Floats, means: Floats, spreads: Floats) -> _Chances:
        """Returns mean and covariance of chances to be won, from their means for each width and
        ``b``, and from how much moving on varies there (squared, in parts of its mean)."""
        mean = np.einsum("wb,wsb->s", weight, means)
        around = means - mean[:, None]
        shared = np.einsum("wb,wsb,wtb->st", weight, around, around)
        in_stage = np.einsum("wb,wsb->s", weight, spreads)
        through = _through(self._implied(mean), self._next, self._order) * mean
        return _Chances(mean, shared + (through * in_stage) @ through.T)

    def _off_in_stage(self, width: float) -> Floats:
        """Returns how likely it is that one stage is so far off (last axis), by stage.

        That as many are won of a stage as of the next says that the mapping does not tell the two
        apart, and little of how many move on.
        """
        widths = np.full(len(self._believed), width)
        if width > _AS_MAPPED and self._record.learns_stages:
            widths[self._prior() >= SURELY] = max(width, UNTOLD_WIDTH)
        return np.array([_normal(_OFF_IN_STAGE, each) for each in widths.tolist()])[:, None]

    def _outcomes(self, chances: Floats, hidden: HiddenLosses | None) -> Floats:
        """Returns the logarithm of how likely the outcomes of whole deals are, for each ``b``,
        where no stages tell."""
        record = self._record
        if record.learns_stages:
            return np.zeros(chances.shape[1])
        decided = record.closed <= (record.today if self._silent is None else self._silent)
        weight = by_month(np.minimum(record.closed, record.today), decided)
        new = (self._entry @ chances).clip(1e-9, 1 - 1e-9)
        won, lost = weight[record.won].sum(), weight[~record.won].sum()
        since = 0.0 if hidden is None else hidden.if_open(new[None])[0]
        return np.asarray(won * np.log(new) + lost * np.log1p(-new) + since)

    def _leaves(self, moves_on: Floats) -> tuple[Floats, float]:
        """Returns the rate, a day, at which deals leave each stage, and how many departures, the
        prior among them, tell it."""
        moves, stages = self._moves, self._stages
        left, days = np.zeros((2, len(moves_on)))
        if self._record.learns_stages:
            # Where losses are not recorded, only those who moved on tell how long a stay is.
            days = moves.sums(moves.days * (moves.on if self._silent is not None else 1.0))
            left = moves.sums(moves.on + moves.off)
            whole = float(left.sum()), float(days.sum())
        else:
            whole = self._whole(moves_on)
        usual_days = CYCLE_DEPARTURES * CYCLE_DAYS / stages
        number = whole[0] + CYCLE_DEPARTURES
        overall = number / (whole[1] + usual_days)
        return (left + STAGE_DEPARTURES) / (days + STAGE_DEPARTURES / overall), number

    def _whole(self, moves_on: Floats) -> tuple[float, float]:
        """Returns how many stays must have ended in the decided deals, and the days that deals were
        there: each deal passes as many stages as its chances of moving on imply."""
        record, reached = self._record, self._entry.copy()
        for stage in self._order.tolist():
            reached += reached[stage] * moves_on[stage] * self._next[stage, :-1]
        last = np.minimum(record.closed, record.today)
        days = np.maximum(last - np.maximum(record.entered, record.start), 0)
        if self._silent is None:
            return record.decided * float(reached.sum()), float(days.sum())
        # Those who won passed all stages, before the first decision as well.
        won = record.won & record.arrived
        lives = (record.closed - record.entered)[won]
        return len(lives) * float(self._stages), float(lives.sum())


def _entry(record: Record, moves: Moves, believed: Floats) -> Floats:
    """Returns the share of new deals that begin in each stage.

    Where stages are not on record, deals are taken to begin in the first stage that a good part of
    the open ones are in: of those whose coming in is dated, if there are any.
    """
    number = len(believed)
    if record.learns_stages and len(moves.first):
        return np.bincount(moves.first, minlength=number) / len(moves.first)
    dated = record.is_open & record.arrived
    current = record.stage[dated if dated.any() else record.is_open]
    shares = np.bincount(current, minlength=number) / max(len(current), 1)
    often = np.flatnonzero(shares >= _SELDOM)
    known = often[often > 0]
    first = known if len(known) else often if len(often) else np.arange(number)[-1:]
    return np.asarray(np.eye(number)[first[np.argmin(believed[first])]])


def _chances(moves_on: Floats, moves_to: Floats, order: Days) -> Floats:
    """Returns P of each stage (first axis; others are kept)."""
    chances = np.zeros_like(moves_on)
    for stage in reversed(order.tolist()):
        later = np.tensordot(moves_to[stage, :-1], chances, axes=1) + moves_to[stage, -1]
        chances[stage] = moves_on[stage] * later
    return chances


def _through(moves_on: Floats, moves_to: Floats, order: Days) -> Floats:
    """Returns how many of the deals in each stage (first axis) come into each stage."""
    through = np.eye(len(moves_on))
    for stage in reversed(order.tolist()):
        through[stage] += moves_on[stage] * (moves_to[stage, :-1] @ through)
    return through


def _normal(at: Floats, width: float) -> Floats:
    density = np.exp(-0.5 * (at / width) ** 2)
    return np.asarray(density / density.sum())


def _older(moves: Moves, leaves: Floats, moves_on: Floats) -> Floats:
    """Returns the factors of age: of moving on and of being lost (rows), by age group."""
    rate, chance = leaves[moves.stage], moves_on[moves.stage]
    edges = np.array([0.0, *OVERSTAYED, np.inf])
    age = moves.days * rate
    spent = np.clip(age[:, None] - edges[:-1], 0.0, np.diff(edges))
    group = np.eye(len(edges) - 1)[np.searchsorted(OVERSTAYED, age)]
    factors = []
    for happened, share in ((moves.on, chance), (moves.off, 1 - chance)):
        due = (share[:, None] * spent).sum(axis=0)
        factors.append((happened @ group + AGE_DEPARTURES) / (due + AGE_DEPARTURES))
    return np.array(factors)
