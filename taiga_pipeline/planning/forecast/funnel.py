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
from typing import Final

import numpy as np

from taiga_pipeline.planning.forecast.curves import Arrivals, Curves
from taiga_pipeline.planning.forecast.hazards import Variant, logit, months_of, stage_chances
from taiga_pipeline.planning.forecast.hidden_losses import HiddenLosses, unrecorded_losses
from taiga_pipeline.planning.forecast.record import LOST, WON, Days, Flags, Floats, Record, Stays
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
MONTH_CORRELATION: Final = 0.01
"""How alike the outcomes of two departures of one month are."""
FUNNEL: Final = Variant(kind="funnel")

_OFF: Final = np.linspace(-3.0, 3.0, 61)
_OFF_IN_STAGE: Final = np.linspace(-2.0, 2.0, 41)
_NEXT_DEALS: Final = 2.0
_SELDOM: Final = 0.1
_TINY: Final = 1e-300
_NARROW: Final = 0.01
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
        silence = np.minimum(stays, self.record.today - self.silent)
        there = np.exp(-self.leaves[stage] * silence)
        alive = there / (there + (1 - self.moves_on[stage]) * (1 - there))
        return np.asarray(1.0 - self.left_open * (1.0 - alive))


def _convolved(first: Floats, second: Floats) -> Floats:
    if not second.any():
        return np.zeros_like(first)
    days = len(second)
    product = np.fft.rfft(first, 2 * days) * np.fft.rfft(second, 2 * days)
    return np.maximum(np.fft.irfft(product, 2 * days)[..., :days], 0.0)


def fit_funnel(record: Record, chances: Mapping[str, float]) -> Funnel:
    """Fits the model; ``chances`` are the mapping's, by stage."""
    return _Fitter(record, stage_chances(record, chances)).fit()


class _Fitter:
    """Fits a funnel. All arrays are by stage of the record."""

    def __init__(self, record: Record, believed: Floats) -> None:
        self._record = record
        self._believed = believed
        self._order = _order(believed, record.stays)
        self._silent = unrecorded_losses(record)
        self._moves = _Moves.of(record, self._order, self._silent)
        self._next = _next(self._moves.to, self._order)
        self._entry = _entry(record, self._moves, believed)

    def fit(self) -> Funnel:
        moves_on, left_open = self._moves_on()
        leaves = self._leaves(moves_on)
        older = np.ones((2, len(OVERSTAYED) + 1))
        if self._silent is None:
            older = _older(self._moves, leaves, moves_on)
        return Funnel(
            self._record, moves_on, leaves, self._next, older, self._entry, self._order,
            self._silent, left_open,
        )  # fmt: skip

    def _implied(self, chances: Floats) -> Floats:
        """Returns the chances of moving on that make these chances to be won."""
        return np.asarray(
            chances / np.maximum(self._next[:, :-1] @ chances + self._next[:, -1], 1e-9)
        )

    def _moves_on(self) -> tuple[Floats, float]:
        """Returns the chances of moving on that make the chances to be won the means of what may
        be, given what is on record, and the chance that hidden losses are still open."""
        mean, likely = self._posterior(None)
        share = 1.0
        hidden = self._hidden()
        if hidden is not None:
            stays_open, likelier = self._posterior(hidden)
            removed = likely + hidden.if_removed(self._by_group(self._prior(), self._believed))
            share = float(logistic(np.array(likelier - removed)))
            mean = share * stays_open + (1 - share) * mean
        return self._implied(mean).clip(1e-4, 1 - 1e-4), share

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
        leaves = self._leaves(self._prior())  # Without losses, what moves on tells nothing of it.
        if record.learns_stages:
            return HiddenLosses.of_stays(record, self._moves.on > 0, leaves, self._silent)
        return HiddenLosses.of_deals(record, float(leaves.mean()), self._stages, self._silent)

    @property
    def _stages(self) -> int:
        return max(len(self._record.stages) - 1, 1)

    def _posterior(self, hidden: HiddenLosses | None) -> tuple[Floats, float]:
        """Returns the mean chances to be won, and the logarithm of how likely the record is: a sum
        over ``b`` and ``d`` on a grid, and over `WIDTHS`."""
        log_odds = logit(self._prior())[:, None, None] + _OFF[:, None] + _OFF_IN_STAGE
        seen, chance = self._moves.likelihood(log_odds), logistic(log_odds)
        if hidden is not None and self._record.learns_stages:
            seen = seen + hidden.if_open(chance)
        most = seen.max(axis=(1, 2), keepdims=True)
        fits, means = [], []
        for (as_whole, by_stage), likely in WIDTHS.items():
            width, in_stage = as_whole, by_stage
            if not self._record.learns_stages:
                # Whole deals tell one thing only, which both of them make up together.
                width, in_stage = float(np.hypot(as_whole, by_stage)), _NARROW
            joint = np.exp(seen - most) * self._off_in_stage(in_stage)
            total = np.maximum(joint.sum(axis=2), _TINY)
            each = _chances((joint * chance).sum(axis=2) / total, self._next, self._order)
            off = np.log(likely * _normal(_OFF, width) + _TINY)
            fits.append(np.log(total).sum(axis=0) + off + self._outcomes(each, hidden))
            means.append(each)
        weight = np.exp(np.array(fits) - np.max(fits))
        mean = np.einsum("wb,wsb->s", weight / weight.sum(), np.array(means))
        return mean, float(np.log(weight.sum()) + np.max(fits) + most.sum())

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
        weight = _by_month(np.minimum(record.closed, record.today), decided)
        new = (self._entry @ chances).clip(1e-9, 1 - 1e-9)
        won, lost = weight[record.won].sum(), weight[~record.won].sum()
        since = 0.0 if hidden is None else hidden.if_open(new[None])[0]
        return np.asarray(won * np.log(new) + lost * np.log1p(-new) + since)

    def _leaves(self, moves_on: Floats) -> Floats:
        """Returns the rate, a day, at which deals leave each stage."""
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
        overall = (whole[0] + CYCLE_DEPARTURES) / (whole[1] + usual_days)
        return np.asarray((left + STAGE_DEPARTURES) / (days + STAGE_DEPARTURES / overall))

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
        # Those who won passed all stages.
        return record.decided * float(self._stages), float(days[~record.is_open].sum())


def _order(believed: Floats, stays: Stays) -> Days:
    """Returns the stages in the order of the funnel: as likely as the mapping says they win, those
    that it does not tell apart as late as deals come into them."""
    if len(believed) == 1:
        return np.zeros(1, dtype=np.int64)
    begins = np.searchsorted(stays.deal, stays.deal)
    before = np.bincount(stays.stage, np.arange(len(begins)) - begins, len(believed))
    number = np.bincount(stays.stage, minlength=len(believed))
    known = np.lexsort((before[1:] / np.maximum(number[1:], 1), believed[1:])) + 1
    return np.concatenate([[0], known])


@dataclass(frozen=True, slots=True)
class _Moves:
    """Stays in stages: arrays of stays, and how many went from each stage to each (last: won)."""

    stage: Days
    days: Floats
    on: Floats
    off: Floats
    weight: Floats
    to: Floats
    first: Days

    @classmethod
    def of(cls, record: Record, order: Days, silent: int | None) -> _Moves:
        """Reads the stays of a record. Of deals that moved back nothing but their days counts."""
        stays = record.stays
        number = len(record.stages)
        rank = np.argsort(order)
        won = stays.after == WON
        forward = won | ((stays.after > 0) & (rank[np.maximum(stays.after, 0)] > rank[stays.stage]))
        lost = stays.after == LOST
        days = np.maximum(stays.last - np.maximum(stays.first, record.start), 0)
        in_record = stays.last >= record.start
        to = np.zeros((number, number + 1))
        goal = np.where(won, number, np.maximum(stays.after, 0))
        np.add.at(to, (stays.stage[forward], goal[forward]), 1.0)
        usable = in_record if silent is None else in_record & (stays.last <= silent)
        weight = _by_month(stays.last, usable & (forward | lost))
        begins = np.unique(stays.deal, return_index=True)[1]
        return cls(
            stays.stage, days.astype(float), (forward & in_record).astype(float),
            (lost & in_record).astype(float), weight, to, stays.stage[begins],
        )  # fmt: skip

    def likelihood(self, log_odds: Floats) -> Floats:
        """Returns the logarithm of how likely the moves are, less its maximum over each stage."""
        on, off = (self.sums(self.weight * each)[:, None, None] for each in (self.on, self.off))
        seen = -on * np.logaddexp(0.0, -log_odds) - off * np.logaddexp(0.0, log_odds)
        return np.asarray(seen - seen.max(axis=(1, 2), keepdims=True))

    def sums(self, values: Floats) -> Floats:
        """Returns the sums of stays' values by stage."""
        return np.asarray(np.bincount(self.stage, weights=values, minlength=len(self.to)), float)


def _by_month(day: Days, counts: Flags) -> Floats:
    """Returns what each departure weighs: m of one month as m / (1 + (m - 1) rho) (Kish 1965)."""
    month = months_of(day) - months_of(day.min(initial=1)[None])
    number = np.bincount(month, weights=counts)[month]
    return np.asarray(counts / (1 + np.maximum(number - 1, 0) * MONTH_CORRELATION))


def _next(to: Floats, order: Days) -> Floats:
    """Returns the share of those who move on from each stage to each: the next, before it shows."""
    prior = np.zeros_like(to)
    for here, after in zip(order.tolist(), [*order[1:].tolist(), len(order)], strict=True):
        prior[here, after] = _NEXT_DEALS
    if len(order) > 1:  # A deal whose stage is not known is decided from there.
        prior[0] = 0.0
        prior[0, -1] = _NEXT_DEALS
    total = to + prior
    return np.asarray(total / total.sum(axis=1, keepdims=True))


def _entry(record: Record, moves: _Moves, believed: Floats) -> Floats:
    """Returns the share of new deals that begin in each stage.

    Where stages are not on record, deals are taken to begin in the first stage that a good part of
    the open ones, whose coming in is dated, are in.
    """
    number = len(believed)
    if record.learns_stages and len(moves.first):
        return np.bincount(moves.first, minlength=number) / len(moves.first)
    current = record.stage[record.is_open & record.arrived]
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


def _normal(at: Floats, width: float) -> Floats:
    density = np.exp(-0.5 * (at / width) ** 2)
    return np.asarray(density / density.sum())


def _older(moves: _Moves, leaves: Floats, moves_on: Floats) -> Floats:
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
