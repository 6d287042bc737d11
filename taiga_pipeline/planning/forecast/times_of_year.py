"""Times of the year in which more or less is decided: a summer in which a firm is closed.

Half months count, of years on record in which the same half month was like that. How much is
decided in one, in parts of the usual, is one of `LEVELS`; what is on record of it is taken for a
negative binomial number, as months have ups and downs of their own, so that one good month says
little and the same in three years a lot. Half months are like their neighbours more often than
not: a hidden Markov chain around the year (Rabiner 1989). Posterior means are weights of days, 1 on
average.
"""

from __future__ import annotations

from datetime import date
from typing import Final

import numpy as np

from taiga_pipeline.planning.forecast.funnel.hidden_losses import unrecorded_losses
from taiga_pipeline.planning.forecast.month_ends import Ends, ends_of
from taiga_pipeline.planning.forecast.record import NEVER, Days, Floats, Record

LEVELS: Final = {0.05: 0.04, 0.5: 0.08, 1.0: 0.8, 1.7: 0.08}
"""What a half month may be like, in parts of the usual, and how likely that is without data."""
ALIKE: Final = 0.6
"""How likely a half month is like the one before for that reason, and not by chance."""
ENOUGH_DAYS: Final = 640
"""Days on record before a time of the year can be told from luck: nearly two years."""
UPS_AND_DOWNS: Final = 0.3
"""How much a half month varies by itself (a standard deviation, in parts of its mean)."""
_HALVES: Final = 24
_NOTABLE: Final = 0.25
_QUIET: Final = 0.5
_YEAR: Final = 365
_TINY: Final = 1e-12


def year_weights(record: Record, days: int) -> Floats | None:
    """Returns what the days ahead weigh, None if no time of the year is unlike others."""
    levels = half_months_of(record, ends_of(record))
    return None if levels is None else weights_ahead(record.today, levels, days)


def weights_ahead(today: int, levels: Floats, days: int) -> Floats:
    """Returns what the days ahead weigh, by what half months do."""
    ahead, _ = _halves(np.arange(today + 1, today + days + 1))
    return np.asarray(levels[ahead])


def half_months_of(record: Record, ends: Ends | None) -> Floats | None:
    """Returns what the days of each half month weigh, None if none is unlike the others.

    What falls on the ``ends`` of months and quarters is due on them.
    Where losses are not on record it is not known how many deals were there to be decided.
    """
    if record.today - record.start < ENOUGH_DAYS or unrecorded_losses(record) is not None:
        return None
    past = np.arange(record.start, record.today + 1)
    half, year = _halves(past)
    due, came = _due(record, past), _decided(record, past)
    if ends is not None:
        due = due * ends.weights(past)
    cell = (year - year[0]) * _HALVES + half
    size = (int(year[-1] - year[0]) + 1) * _HALVES
    expected, seen = (
        np.bincount(cell, each, size).astype(np.float64).reshape(-1, _HALVES)
        for each in (due, came)
    )
    levels = _levels(expected, seen)
    levels *= expected.sum() / max(float(expected.sum(axis=0) @ levels), _TINY)
    if np.abs(levels - 1.0).max() < _NOTABLE:
        return None
    return levels


def next_quiet_time(record: Record) -> tuple[date, date] | None:
    """Returns the first and last day of the next time, within a year, in which less than half of
    the usual is expected to be decided; None if there is none."""
    weights = year_weights(record, _YEAR)
    if weights is None:
        return None
    quiet = np.flatnonzero(weights < _QUIET)
    if not len(quiet):
        return None
    goes_on = np.flatnonzero(np.diff(quiet) > 1)
    last = quiet[goes_on[0]] if len(goes_on) else quiet[-1]
    first, end = (date.fromordinal(record.today + 1 + int(each)) for each in (quiet[0], last))
    return first, end


def _levels(expected: Floats, seen: Floats) -> Floats:
    """Returns posterior means of what half months (second axis; years on the first) are like."""
    level, prior = (np.array(list(each)) for each in (LEVELS, LEVELS.values()))
    alike = 1.0 / UPS_AND_DOWNS**2
    mean = np.maximum(expected[:, :, None] * level, _TINY)
    likely = seen[:, :, None] * np.log(mean / (alike + mean)) - alike * np.log1p(mean / alike)
    total = likely.sum(axis=0)
    weight = _around_the_year(np.exp(total - total.max(axis=1, keepdims=True)), prior)
    return np.asarray(weight @ level)


def _around_the_year(likely: Floats, prior: Floats) -> Floats:
    """Returns the chances of each level (second axis) for each half month: what is likely of a walk
    around the year that ends where it began."""
    goes_on = ALIKE * np.eye(len(prior)) + (1 - ALIKE) * prior
    steps = likely[:, :, None] * goes_on
    walks = steps.copy()  # From each half month on (first axis), all at once.
    for ahead in range(1, len(steps)):
        walks = walks @ np.roll(steps, -ahead, axis=0)
        walks /= np.maximum(walks.max(axis=(1, 2), keepdims=True), _TINY)
    found = np.diagonal(walks, axis1=1, axis2=2)
    return np.asarray(found / np.maximum(found.sum(axis=1, keepdims=True), _TINY))


def _due(record: Record, days: Days) -> Floats:
    """Returns how many decisions were due on each day, if all days were alike."""
    first = np.maximum(record.entered, record.start) - record.start
    last = np.minimum(record.closed, record.today) - record.start
    there = last >= first
    steps = np.bincount(first[there], minlength=len(days) + 1).astype(np.float64)
    steps -= np.bincount(last[there] + 1, minlength=len(days) + 2)[: len(days) + 1]
    at_risk = np.cumsum(steps)[: len(days)]
    return np.asarray(at_risk * record.decided / max(float(at_risk.sum()), 1.0))


def _decided(record: Record, days: Days) -> Floats:
    closed = record.closed[record.closed != NEVER] - record.start
    return np.bincount(closed, minlength=len(days)).astype(np.float64)


def _halves(days: Days) -> tuple[Days, Days]:
    """Returns the half month of each day (0: the first of January) and its year."""
    at = (days - _EPOCH).astype("datetime64[D]")
    month = at.astype("datetime64[M]")
    year = at.astype("datetime64[Y]").astype(np.int64)
    in_year = month.astype(np.int64) - 12 * year
    day = (at - month).astype(np.int64)
    return np.asarray(2 * in_year + (day >= _MIDDLE)), year


_MIDDLE: Final = 15
_EPOCH: Final = date(1970, 1, 1).toordinal()
