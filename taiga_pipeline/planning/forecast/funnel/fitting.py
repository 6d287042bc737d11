"""Fits the funnel to what is on record: see `model` for what is believed and how it moves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from taiga_pipeline.planning.forecast.funnel.changes import latest_change
from taiga_pipeline.planning.forecast.funnel.hidden_losses import (
    HiddenLosses,
    LeftOver,
    last_clean_up,
    unrecorded_losses,
)
from taiga_pipeline.planning.forecast.funnel.model import OVERSTAYED, Funnel
from taiga_pipeline.planning.forecast.funnel.moves import (
    Moves,
    chances_of,
    next_shares,
    order_of,
    through_of,
)
from taiga_pipeline.planning.forecast.funnel.steps import ROUNDS, Steps, on_last_day
from taiga_pipeline.planning.forecast.funnel.whole_deals import Path, WholeDeals
from taiga_pipeline.planning.forecast.hazards import logit, stage_chances
from taiga_pipeline.planning.forecast.record import Flags, Floats, Record
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
AGE_DEPARTURES: Final = 20.0
"""That age does not matter counts as so many departures."""

_OFF: Final = np.linspace(-3.0, 3.0, 61)
_OFF_IN_STAGE: Final = np.linspace(-2.0, 2.0, 41)
_SELDOM: Final = 0.1
_TINY: Final = 1e-300
_NARROW: Final = 0.01
_NEVER: Final = 1e-6
_SURELY_OPEN: Final = 0.999
_AS_MAPPED: Final = 0.05


def fit_funnel(record: Record, chances: Mapping[str, float]) -> Funnel:
    """Fits the model; ``chances`` are the mapping's, by stage."""
    record = _with_passed_stages(record, chances)
    return _Fitter(record, stage_chances(record, chances)).fit()


def _with_passed_stages(record: Record, chances: Mapping[str, float]) -> Record:
    """Returns a record with the mapping's later stages, too, in which no deal is today: where
    stages are not on record, deals pass them all the same."""
    here = [chances[name] for name in record.stages if name in chances]
    if record.has_stays or not here:
        return record
    later = (name for name, chance in chances.items() if chance > min(here))
    missing = [name for name in later if name not in record.stages]
    return replace(record, stages=(*record.stages, *missing))


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
        self._staged = min(record.staged_since, record.today + 1)
        self._steps = Steps.of(record)
        self._before = self._deals_before()

    def fit(self) -> Funnel:
        chances, left_open = self._learnt()
        moves_on = self._implied(chances.mean).clip(1e-4, 1 - 1e-4)
        moves_on, doubt, shift = self._as_of_late(moves_on, chances.relative())
        leaves, departures = self._leaves(moves_on)
        older = np.ones((2, len(OVERSTAYED) + 1))
        if self._silent is None and self._steps is None:
            older = _older(self._moves, leaves, moves_on)
        return Funnel(
            self._record, moves_on, leaves, self._next, older, self._entry, self._order,
            self._silent, doubt, departures, left_open, shift, self._steps,
        )  # fmt: skip

    def _as_of_late(self, moves_on: Floats, doubt: Floats) -> tuple[Floats, Floats, float]:
        """Returns the chances of moving on, and the covariance of chances to be won (in parts of
        them), as they are after the last change of them that shows, and that change."""
        moves = self._moves
        if self._silent is not None or not self._record.has_stays:
            return moves_on, doubt, 0.0
        on, off = (moves.weight * each for each in (moves.on, moves.off))
        shift, variance = latest_change(moves.last, on, off, moves_on[moves.stage])
        if not variance:
            return moves_on, doubt, 0.0
        now = logistic(logit(moves_on) + shift)
        chances = np.maximum(chances_of(now, self._next, self._order), _NEVER)
        steps = through_of(now, self._next, self._order) * chances / chances[:, None]
        moved = steps @ (1.0 - now)
        return now, doubt + variance * np.outer(moved, moved), shift

    def _implied(self, chances: Floats) -> Floats:
        """Returns the chances of moving on that make these chances to be won."""
        return np.asarray(
            chances / np.maximum(self._next[:, :-1] @ chances + self._next[:, -1], 1e-9)
        )

    def _learnt(self) -> tuple[_Chances, float]:
        """Returns the chances to be won, given what is on record, and the chance that hidden losses
        are still open."""
        hidden = self._hidden()
        if hidden is None:
            return self._posterior(None)[0], 1.0
        stays_open, likelier = self._posterior(hidden)
        if last_clean_up(self._record) is not None:
            return stays_open, 1.0  # What will be closed some day is still there.
        removed = hidden.if_removed(self._prior())
        removed += self._posterior(None)[1]
        share = float(logistic(np.array(likelier - removed)))
        if share > _SURELY_OPEN:
            return stays_open, share
        return stays_open.mixed(self._posterior(None, removed=True)[0], share), share

    def _prior(self) -> Floats:
        """Returns the chances of moving on that the mapping implies."""
        return self._implied(self._believed).clip(0.02, SURELY)

    def _hidden(self) -> HiddenLosses | None:
        record = self._record
        if self._silent is None:
            return None
        leaves, _ = self._leaves(
            self._prior()
        )  # Without losses, what moves on tells nothing of it.
        if record.has_stays:
            return HiddenLosses.of_stays(record, self._moves.on > 0, leaves, self._silent)
        begins = self._entry.argmax()
        rate = float(leaves.mean())
        if not begins:  # Today's stages are not known: a deal passes all of them unseen.
            path, steps = np.zeros(1, dtype=np.int64), self._stages
        else:
            path, steps = self._order[np.argsort(self._order)[begins] :], 1
        return HiddenLosses.of_deals(record, path, rate, self._silent, steps=steps)

    @property
    def _stages(self) -> int:
        return max(len(self._record.stages) - 1, 1)

    def _posterior(
        self, hidden: HiddenLosses | None, *, removed: bool = False
    ) -> tuple[_Chances, float]:
        """Returns the chances to be won, and the logarithm of how likely the record is: a sum over
        ``b`` and ``d`` on a grid, and over `WIDTHS`."""
        log_odds = logit(self._prior())[:, None, None] + _OFF[:, None] + _OFF_IN_STAGE
        chance = logistic(log_odds)
        seen = self._moves.likelihood(chance)
        arrived = self._arrived() if removed else None
        if hidden is not None:
            seen = seen + hidden.if_open(chance)
        most = seen.max(axis=(1, 2), keepdims=True)
        fits, means, spreads = [], [], []
        for (as_whole, by_stage), likely in WIDTHS.items():
            width, in_stage = as_whole, by_stage
            if not self._record.has_stays and hidden is None:
                # Whole deals tell one thing only, which both of them make up together.
                width, in_stage = float(np.hypot(as_whole, by_stage)), _NARROW
            joint = np.exp(seen - most) * self._off_in_stage(in_stage)
            total = np.maximum(joint.sum(axis=2), _TINY)
            moves_on = (joint * chance).sum(axis=2) / total
            each = chances_of(moves_on, self._next, self._order)
            off = np.log(likely * _normal(_OFF, width) + _TINY)
            fits.append(np.log(total).sum(axis=0) + off + self._outcomes(each))
            if arrived is not None:
                fits[-1] += arrived.likelihood((self._entry @ each).clip(1e-9, 1 - 1e-9))
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
        through = through_of(self._implied(mean), self._next, self._order) * mean
        return _Chances(mean, shared + (through * in_stage) @ through.T)

    def _off_in_stage(self, width: float) -> Floats:
        """Returns how likely it is that one stage is so far off (last axis), by stage.

        That as many are won of a stage as of the next says that the mapping does not tell the two
        apart, and little of how many move on.
        """
        widths = np.full(len(self._believed), width)
        if width > _AS_MAPPED and self._record.has_stays:
            widths[self._untold()] = max(width, UNTOLD_WIDTH)
        return np.array([_normal(_OFF_IN_STAGE, each) for each in widths.tolist()])[:, None]

    def _untold(self) -> Flags:
        """Returns which stages the mapping does not tell apart: the first of them, of which as many
        are won as of the next, and the next as well, since the same cannot be true of both."""
        untold = self._prior() >= SURELY
        goes_on = untold[self._order[:-1]] & (self._order[:-1] > 0)
        untold[self._order[1:][goes_on]] = True
        return np.asarray(untold)

    def _outcomes(self, chances: Floats) -> Floats:
        """Returns the logarithm of how likely the outcomes of whole deals are, for each ``b``,
        where no stages tell."""
        new = (self._entry @ chances).clip(1e-9, 1 - 1e-9)
        return np.zeros(len(new)) if self._before is None else self._before.likelihood(new)

    def _arrived(self) -> LeftOver:
        """Returns what is left of the deals that came in, where lost ones are taken out."""
        moves_on = self._prior()
        path = self._path(moves_on, float(self._leaves(moves_on)[0].mean()))
        return LeftOver.of(self._record, self._silent or 0, path.lost_by)

    def _deals_before(self) -> WholeDeals | None:
        """Returns the deals that were decided before stages were on record, None if there is
        none."""
        record, until = self._record, self._staged
        if self._silent is not None:
            until = min(until, self._silent + 1)
        which = record.closed < until
        if not which.any():
            return None
        moves_on = self._prior()
        rate = float(self._leaves(moves_on)[0].mean())
        return WholeDeals.of(record, which, until, self._path(moves_on, rate))

    def _path(self, moves_on: Floats, rate: float = 0.0) -> Path:
        """Returns how new deals pass the stages."""
        rank = np.argsort(self._order)
        begins = int(rank[self._entry.argmax()])
        lost = np.zeros(len(self._order) - begins)
        lost_at = self._reached(moves_on) * (1.0 - moves_on)
        np.add.at(lost, np.maximum(rank - begins, 0), lost_at)
        return Path(len(lost), lost, rate)

    def _reached(self, moves_on: Floats) -> Floats:
        """Returns the share of new deals that come into each stage."""
        reached = self._entry.copy()
        for stage in self._order.tolist():
            reached += reached[stage] * moves_on[stage] * self._next[stage, :-1]
        return reached

    def _leaves(self, moves_on: Floats) -> tuple[Floats, float]:
        """Returns the rate, a day, at which deals leave each stage, and how many departures, the
        prior among them, tell it."""
        moves, counts = self._moves, np.zeros(len(self._moves.stage))
        if self._record.has_stays:
            # Where losses are not recorded, only those who moved on tell how long a stay is.
            counts = moves.on if self._silent is not None else np.ones(len(counts))
        left = moves.sums(counts * (moves.on + moves.off))
        passed, lived = self._whole(moves_on)
        usual_days = CYCLE_DEPARTURES * CYCLE_DAYS / self._stages
        number = passed + float(left.sum()) + CYCLE_DEPARTURES

        def rates(at_risk: Floats) -> Floats:
            days = moves.sums(counts * at_risk)
            overall = number / (lived + float(days.sum()) + usual_days)
            return np.asarray((left + STAGE_DEPARTURES) / (days + STAGE_DEPARTURES / overall))

        found = rates(moves.days)
        if self._steps is not None:
            begin = min(self._record.staged_since, self._record.today)
            before, last = self._steps.at_risk(self._record.stays, moves, begin)
            for _ in range(ROUNDS):
                found = rates(before + on_last_day(last, found[moves.stage]))
        return found, number

    def _whole(self, moves_on: Floats) -> tuple[float, float]:
        """Returns how many stays must have ended before stages were on record, and the days that
        deals were there until then. Those who won passed all stages, those who lost as many as
        their chances of moving on imply, and others those before the stage that they were in."""
        record, until = self._record, self._staged
        won = record.won & record.arrived & (record.closed < until)
        if self._silent is not None:
            # Before the first decision as well: only wins tell how long a stay is.
            lives = (record.closed - record.entered)[won]
            return len(lives) * float(self._stages), float(lives.sum())
        if until <= record.start:
            return 0.0, 0.0
        path = self._path(moves_on)
        lost = ~record.won & (record.closed < until)
        passed = int(won.sum()) * path.length + int(lost.sum()) * path.passed_if_lost
        last = np.minimum(record.closed, until - 1)
        days = np.maximum(last - np.maximum(record.entered, record.start), 0)
        return passed + self._passed_by_open(until), float(days.sum())

    def _passed_by_open(self, until: int) -> float:
        """Returns how many stages were passed by deals that were open when stages began to be on
        record: those before the first one that is known."""
        record, moves = self._record, self._moves
        if record.has_stays:
            there, stage = moves.first_deal, moves.first
        else:
            there, stage = np.flatnonzero(record.is_open), record.stage[record.is_open]
        known = record.arrived[there] & (record.entered[there] < until) & (stage > 0)
        known &= record.closed[there] >= until
        if not record.has_stays:  # What is seen on its first day may have begun there.
            known &= record.stage_since[there] > record.entered[there]
        rank = np.argsort(self._order)
        begins = rank[self._entry.argmax()]
        return float(np.maximum(rank[stage[known]] - begins, 0).sum())


def _entry(record: Record, moves: Moves, believed: Floats) -> Floats:
    """Returns the share of new deals that begin in each stage.

    Where stages are not on record, deals are taken to begin in the first stage that a good part of
    the open ones are in: of those whose coming in is dated, if there are any.
    """
    number = len(believed)
    new = moves.first
    if not record.learns_stages:
        new = new[record.entered[moves.first_deal] >= record.staged_since]
    if record.has_stays and len(new):
        return np.bincount(new, minlength=number) / len(new)
    dated = record.is_open & record.arrived
    current = record.stage[dated if dated.any() else record.is_open]
    shares = np.bincount(current, minlength=number) / max(len(current), 1)
    often = np.flatnonzero(shares >= _SELDOM)
    known = often[often > 0]
    first = known if len(known) else often if len(often) else np.arange(number)[-1:]
    return np.asarray(np.eye(number)[first[np.argmin(believed[first])]])


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
