"""What a stated close date says: when a deal is won, if it is won.

A chance that is spread over the days by what was learnt is moved, by the weight `trust_in_dates`,
to the days around the stated one. The whole chance stays what it is: a date says when, not whether.
The weight is how often stated dates held in this pipeline, ``(held + k m) / (n + k)``, the mean of
a beta posterior (Gelman et al. 2013, ch. 2.4) with m = `DATES_HOLD` and k = `DATES`: until the
pipeline shows it, dates are trusted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from taiga_pipeline.planning.forecast.record import Days, Floats, Record

DATES_HOLD: Final = 0.8
"""How often stated dates hold, before a pipeline shows it."""
DATES: Final = 10.0
"""That counts as so many wins whose date had been stated."""
CLOSE_SPREAD: Final = 21
"""A date holds if the win comes at most so many days before or after it. One that passed in the
last so many days may hold yet: the win is due in the next twice as many. One that passed before did
not hold, and says nothing any more."""


def trust_in_dates(record: Record) -> float:
    """Returns the weight of a stated date: how often dates that stood four weeks before a win held.

    What is stated once the outcome is known, as many tools do when a deal is closed, is no forecast
    and does not count.
    """
    stated = record.won & (record.stated_before > 0)
    held = np.abs(record.closed - record.stated_before)[stated] <= CLOSE_SPREAD
    return float((held.sum() + DATES * DATES_HOLD) / (stated.sum() + DATES))


@dataclass(frozen=True, slots=True)
class Stated:
    """What stated dates say of some deals: the win comes on days ``first`` to ``last`` ahead (from
    1), as likely on each, with a part ``weight`` of ``ever``, the chance to be won at all."""

    weight: Floats
    ever: Floats
    first: Days
    last: Days

    def within(self, first: int, last: int) -> Floats:
        """Returns the part of the chances that falls into days ``first`` to ``last``."""
        days = np.minimum(self.last, last) - np.maximum(self.first, first) + 1
        share = np.maximum(days, 0) / (self.last - self.first + 1)
        return np.asarray(self.weight * self.ever * share)

    def days(self, horizon: int) -> Floats:
        """Returns what falls into each of the days ahead (first axis), for each deal."""
        ahead = np.arange(1, horizon + 1)[:, None]
        there = (self.first <= ahead) & (ahead <= self.last)
        return np.asarray(there * (self.weight * self.ever / (self.last - self.first + 1)))

    def daily(self, horizon: int) -> Floats:
        """Returns what falls into each of the days ahead, over all deals."""
        each = self.weight * self.ever / (self.last - self.first + 1)
        steps = np.zeros(horizon + 2)
        np.add.at(steps, np.minimum(self.first, horizon + 1), each)
        np.add.at(steps, np.minimum(self.last + 1, horizon + 1), -each)
        return np.asarray(np.cumsum(steps)[1 : horizon + 1])


def stated_of(record: Record, ever: Floats) -> Stated:
    """Returns what the dates of the open deals say; ``ever`` are their chances to be won at all."""
    ahead = record.stated[record.is_open] - record.today
    may_hold = (record.stated[record.is_open] > 0) & (ahead >= -CLOSE_SPREAD)
    first, last = span(ahead)
    weight = np.where(may_hold, trust_in_dates(record), 0.0)
    return Stated(weight, ever, np.where(may_hold, first, 1), np.where(may_hold, last, 1))


def span(ahead: Days) -> tuple[Days, Days]:
    """Returns the first and last day ahead on which deals are won whose dates are so far ahead."""
    passed = ahead < 1
    first = np.where(passed, 1, np.maximum(ahead - CLOSE_SPREAD, 1))
    return first, np.where(passed, 2 * CLOSE_SPREAD, ahead + CLOSE_SPREAD)
