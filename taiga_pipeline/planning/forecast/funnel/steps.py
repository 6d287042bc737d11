"""Deals that leave their stages at ends of months, or of quarters.

A deal that comes into a stage at one end leaves it at the next one at the earliest: two stages
before the last, none is won at the next two ends. A rate a day does not know that. So days are gone
through one by one: of what is in a stage, the part ``1 - exp(-r v)`` leaves it on a day, with its
rate ``r`` and the weight ``v`` of the day (grouped survival times: Prentice and Gloeckler 1978).

Where only decisions wait for ends, and stages are left on any day, this is not used: a deal may
then come into its last stage and be decided in one month.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from taiga_pipeline.planning.forecast import times_of_year
from taiga_pipeline.planning.forecast.funnel.moves import Moves
from taiga_pipeline.planning.forecast.month_ends import Ends, end_of, ends_of, is_end
from taiga_pipeline.planning.forecast.record import STAYS, Days, Flags, Floats, Record, Stays

AT_ONCE: Final = 0.15
"""Where more than this part of the stays that begin at an end of a month end with it, deals pass
several stages at one end, and ends are no steps."""
ROUNDS: Final = 20
"""After so many rounds rates and times at risk agree."""
_SMALL: Final = 1e-4


@dataclass(frozen=True, slots=True)
class Passage:
    """How deals pass stages: the rate a day at which they leave each (``leaves``), and which parts
    of those that do go on ``to`` each stage (second axis; last: are won)."""

    leaves: Floats
    to: Floats


@dataclass(frozen=True, slots=True)
class Steps:
    """When deals leave their stages: by the ``ends`` of months, and by half months of the ``year``
    (None: they are alike)."""

    today: int
    ends: Ends
    year: Floats | None

    @classmethod
    def of(cls, record: Record) -> Steps | None:
        """Learns from a record. None unless stages are on record, decisions and moves between
        stages fall on ends of months, and deals do not pass several stages at one end."""
        decisions = ends_of(record)
        if decisions is None or not record.has_stays:
            return None
        stays = record.stays
        if Ends.of(stays.last[stays.after > 0]) is None or _at_once(stays) > AT_ONCE:
            return None
        ends = Ends.of(stays.last[stays.after != STAYS])
        if ends is None:
            return None
        return cls(record.today, ends, times_of_year.half_months_of(record, decisions))

    def at_risk(self, stays: Stays, moves: Moves, since: int) -> tuple[Floats, Floats]:
        """Returns for how long each stay was at risk after the day ``since``, in days as ends count
        them: before its last day, and on that day (0 where the deal is still there)."""
        first = end_of(np.maximum(stays.first, since))
        begin = int(first.min(initial=self.today))
        weights = self.ends.weights(np.arange(begin, self.today + 1))
        total = np.concatenate([[0.0], np.cumsum(weights)])
        last = np.maximum(np.minimum(stays.last, self.today) - begin, 0)
        until = last + (stays.after == STAYS)
        before = total[until] - total[np.minimum(first + 1 - begin, until)]
        return np.asarray(before), np.asarray(weights[last] * ((moves.on + moves.off) > 0))

    def is_fresh(self, stays: Days) -> Flags:
        """Tells which deals, in their stage for so many days, came into it at an end of a month
        that goes on: they leave it at the next one."""
        return np.asarray(end_of(self.today - stays) > self.today)

    def pass_through(
        self, passage: Passage, come_in: Floats, horizon: int
    ) -> tuple[Floats, Floats]:
        """Returns how many are won and lost on each day ahead (first axis): of deals in each stage,
        of those that are fresh in each, and last of new ones, of which so many ``come_in`` to each
        stage each day."""
        ahead = np.arange(self.today + 1, self.today + 1 + horizon)
        waits, weights = is_end(ahead).tolist(), self.ends.weights(ahead)
        if self.year is not None:
            weights = weights * times_of_year.weights_ahead(self.today, self.year, horizon)
        leaving = 1.0 - np.exp(-weights[:, None] * passage.leaves)
        number = len(passage.leaves)
        here, fresh = np.zeros((2, 2 * number + 1, number))
        here[:number], fresh[number:-1] = np.eye(number), np.eye(number)
        left = np.zeros((horizon, *here.shape))
        for day, goes_on in enumerate(waits):
            if not goes_on:
                here += fresh
                fresh[:] = 0.0
            here[-1] += come_in
            left[day] = here * leaving[day]
            here -= left[day]
            fresh += left[day] @ passage.to[:, :-1]
        lost = 1.0 - passage.to.sum(axis=1)
        return np.asarray(left @ passage.to[:, -1]), np.asarray(left @ lost)


def on_last_day(weight: Floats, rate: Floats) -> Floats:
    """Returns for how long deals that left on a day of this weight were at risk on it: the mean of
    an exponential time that ends within it, ``1 / r - v / (exp(r v) - 1)``."""
    passed = rate * weight
    some = np.maximum(passed, _SMALL)
    return np.where(passed > _SMALL, 1.0 / rate - weight / np.expm1(some), weight / 2)


def _at_once(stays: Stays) -> float:
    """Returns which part of the stays that began at an end of a month, after another stage, ended
    with it."""
    goes_on = np.append(False, stays.deal[1:] == stays.deal[:-1])
    began = goes_on & is_end(stays.first)
    ended = began & (stays.after != STAYS) & (end_of(stays.first) == end_of(stays.last))
    return float(ended.sum() / max(int(began.sum()), 1))
