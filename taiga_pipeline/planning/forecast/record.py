"""A history as arrays of days, and the person-days that a hazard model is fitted to.

Survival analysis in discrete time: a deal is at risk of a decision on each day from the day on
which it came in (not before the record begins: delayed entry) to the day of its decision or the
day of the forecast (censoring).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import numpy.typing as npt

from taiga_pipeline.planning.history import History, PastDeal

Days = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

NEVER: Final = 10_000_000
"""Stands for the day of a decision that was not taken yet; later than any date."""
OLDEST: Final = 1_095
"""Ages are counted up to three years; older deals count as this old."""
KNOWN_ALIKE: Final = 0.9
"""Stages are used if they are on record for decided deals nearly as often as for open ones."""


@dataclass(frozen=True, slots=True)
class Record:
    """What was known of all deals on the day ``today`` (an ordinal, as all days here).

    ``start`` is the day of the first decision: nothing is known of deals that were decided before
    the record began, so nobody is at risk before it. ``stages`` are the names that ``stage``
    indexes; 0 is "not known". ``learns_stages`` is false where stages are not on record alike for
    decided and for open deals. ``open_stages`` are the stages of open deals, where known.
    """

    today: int
    start: int
    entered: Days
    closed: Days
    won: Flags
    stages: tuple[str, ...]
    stage: Days
    segments: Segments
    learns_stages: bool
    open_stages: tuple[str, ...]

    @property
    def is_open(self) -> Flags:
        """Which deals are not decided."""
        return np.asarray(self.closed == NEVER)

    @property
    def decided(self) -> int:
        """How many deals were decided."""
        return int((~self.is_open).sum())

    def ages(self) -> Days:
        """Returns how many days ago each deal came in."""
        return np.minimum(self.today - self.entered, OLDEST)


@dataclass(frozen=True, slots=True)
class Segments:
    """The time of deals after they came into a stage: ``first`` to ``last`` day, both at risk.

    A segment ends with the deal, not with the stage: what is forecast for a deal in a stage is
    what became of deals that had been in it, whichever stages came after. Stage 0 stands for the
    deal's whole life. ``deal`` is the deal's place.
    """

    deal: Days
    stage: Days
    first: Days
    last: Days


def make_record(history: History, today: date) -> Record:
    """Returns the record of a history that holds nothing later than ``today``."""
    deals = history.deals
    entered = np.array([deal.entered.toordinal() for deal in deals], dtype=np.int64)
    closed = np.array(
        [deal.closed.toordinal() if deal.closed else NEVER for deal in deals], dtype=np.int64
    )
    learns = stages_are_comparable(deals)
    stages = ("", *sorted({spell.stage for deal in deals for spell in deal.stages}))
    in_order = learns or _all_known(deals)
    stage = np.array([stages.index(deal.stage) if in_order else 0 for deal in deals], np.int64)
    segments = _segments(deals, entered, closed, today.toordinal(), stages if learns else ("",))
    start = int(closed.min()) if len(deals) else NEVER
    return Record(
        today=today.toordinal(),
        start=min(start, today.toordinal()),
        entered=entered,
        closed=closed,
        won=np.array([bool(deal.won) for deal in deals], dtype=np.bool_),
        stages=stages,
        stage=stage,
        segments=segments,
        learns_stages=learns,
        open_stages=tuple(deal.stage for deal in deals if not deal.closed and deal.stages),
    )


def stages_are_comparable(deals: tuple[PastDeal, ...]) -> bool:
    """Tells whether *that* a stage is on record says nothing about the outcome.

    Deals that were imported when they had been decided have no stage before it, while open ones
    do; a model would take "no stage known" for a sign of a decision.
    """
    open_ones = [bool(deal.stages) for deal in deals if deal.closed is None]
    decided = [bool(deal.stages) for deal in deals if deal.closed is not None]
    if not decided or not any(decided):
        return False
    share = sum(open_ones) / len(open_ones) if open_ones else 1.0
    return sum(decided) / len(decided) >= KNOWN_ALIKE * share


def _all_known(deals: tuple[PastDeal, ...]) -> bool:
    return all(deal.stages for deal in deals if deal.closed is None)


def _segments(
    deals: tuple[PastDeal, ...], entered: Days, closed: Days, today: int, stages: tuple[str, ...]
) -> Segments:
    index = {name: place for place, name in enumerate(stages)}
    rows = [(place, 0, int(day)) for place, day in enumerate(entered)]
    if len(stages) > 1:
        rows += [
            (place, index[name], max(day.toordinal(), int(entered[place])))
            for place, deal in enumerate(deals)
            for name, day in _first_visits(deal).items()
        ]
    table = np.array(rows, dtype=np.int64).reshape(-1, 3)
    deal_of, stage, first = table.T
    return Segments(deal_of, stage, first, np.minimum(closed, today)[deal_of])


def _first_visits(deal: PastDeal) -> dict[str, date]:
    return {spell.stage: spell.since for spell in reversed(deal.stages)}


@dataclass(frozen=True, slots=True)
class PersonDays:
    """How many deals were at risk, decided and won: arrays of day x age group x stage.

    A deal counts at each stage that it has been in, and at stage 0. ``days`` are the ordinals of
    the first axis.
    """

    days: Days
    at_risk: Floats
    decided: Floats
    won: Floats


def count_person_days(record: Record, groups: Days) -> PersonDays:
    """Counts person-days of a record; ``groups`` gives the age group of each age from 0 on."""
    days = np.arange(record.start, record.today + 1, dtype=np.int64)
    stages = len(record.stages) if record.learns_stages else 1
    shape = (len(days), int(groups.max()) + 1, stages)
    at_risk = np.zeros(shape)
    for stage in range(stages):
        _count_at_risk(record, groups, stage, at_risk[:, :, stage])
    decided, won = np.zeros(shape), np.zeros(shape)
    ends = record.closed[record.segments.deal] != NEVER
    deal, stage_of = record.segments.deal[ends], record.segments.stage[ends]
    day = record.segments.last[ends]
    group = groups[np.minimum(day - record.entered[deal], OLDEST)]
    np.add.at(decided, (day - record.start, group, stage_of), 1.0)
    np.add.at(won, (day - record.start, group, stage_of), record.won[deal].astype(float))
    return PersonDays(days, at_risk, decided, won)


def _count_at_risk(record: Record, groups: Days, stage: int, out: Floats) -> None:
    """Fills ``out`` (day x age group). Deals age along a diagonal, one day at a time."""
    segments = record.segments
    first = np.maximum(segments.first, record.start)
    mine = (segments.stage == stage) & (segments.last >= first)
    entered = record.entered[segments.deal[mine]]
    length = out.shape[0]
    steps = np.zeros((length + 1, OLDEST + 1), dtype=np.int32)
    begin, after = first[mine], segments.last[mine] + 1
    np.add.at(steps, (begin - record.start, np.minimum(begin - entered, OLDEST)), 1)
    np.add.at(steps, (after - record.start, np.minimum(after - entered, OLDEST)), -1)
    present = np.zeros(OLDEST + 1, dtype=np.int64)
    starts = np.flatnonzero(np.diff(groups, prepend=-1))
    for day in range(length):
        oldest = present[-1]
        present[1:] = present[:-1]
        present[0] = 0
        present[-1] += oldest
        present += steps[day]
        out[day, groups[starts]] = np.add.reduceat(present, starts)
