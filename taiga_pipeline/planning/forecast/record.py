"""A history as arrays of days, and the person-days that a hazard model is fitted to.

Survival analysis in discrete time: a deal is at risk of a decision on each day from the day on
which it came in (not before the record begins: delayed entry) to the day of its decision or the
day of the forecast (censoring).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np
import numpy.typing as npt

from taiga_pipeline.planning.history.model import CloseSpell, History, PastDeal

Days = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

NEVER: Final = 10_000_000
"""Stands for the day of a decision that was not taken yet; later than any date."""
OLDEST: Final = 1_095
"""Ages are counted up to three years; older deals count as this old."""
WON: Final = -1
LOST: Final = -2
STAYS: Final = -3
"""What came after a stay in a stage, if not another stage: a decision, or nothing yet."""
AHEAD_DAYS: Final = 28
"""So long before a decision a stated close date is a forecast of it."""
KNOWN_ALIKE: Final = 0.9
"""Stages are used if they are on record for decided deals nearly as often as for open ones."""
MOST_SUDDEN: Final = 0.5
"""Of decided deals, at most this part was entered when they were decided."""
STAGED_DECISIONS: Final = 5
"""So many decisions with stages must have come since they are on record."""


@dataclass(frozen=True, slots=True)
class Record:
    """What was known of all deals on the day ``today`` (an ordinal, as all days here).

    ``start`` is the day of the first decision: nothing is known of deals that were decided before
    the record began, so no one is at risk before it. ``arrived`` tells which deals came in on the
    day ``entered``, and were not merely seen first then. ``stages`` are the names that ``stage``
    indexes; 0 is "not known". ``learns_stages`` is false where stages are not on record alike for
    decided and for open deals; they may be ``staged_since`` a day nevertheless (`NEVER`: they are
    not), as after an import of closed deals. ``open_stages`` are the stages of open deals, where
    known.
    ``stated`` are the close dates that sales stated, as they stood then (0: none), and
    ``stated_before`` those that stood `AHEAD_DAYS` before the decision, where that was known then.
    ``stage_since`` is the day from which on a deal is in its stage, as far as is known. ``sudden``
    are decisions on deals that were never open; all else is of other deals.
    """

    today: int
    start: int
    entered: Days
    arrived: Flags
    closed: Days
    won: Flags
    stages: tuple[str, ...]
    stage: Days
    stage_since: Days
    segments: Segments
    stays: Stays
    learns_stages: bool
    staged_since: int
    open_stages: tuple[str, ...]
    stated: Days
    stated_before: Days
    sudden: Sudden

    @property
    def has_stays(self) -> bool:
        """Whether stages are on record alike for all deals, at least since some day."""
        return self.staged_since != NEVER

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
class Sudden:
    """Decisions on deals that were entered when they were decided: the days, and which were won.

    They say nothing of the chances of open deals, and come beside what comes of those.
    """

    day: Days
    won: Flags

    def until(self, today: int) -> Sudden:
        """Returns those up to a day."""
        known = self.day <= today
        return Sudden(self.day[known], self.won[known])


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


@dataclass(frozen=True, slots=True)
class Stays:
    """Stays of deals in stages, ``first`` to ``last`` day, in each deal's order.

    ``after`` is the stage that the deal moved to then (from 1), `WON`, `LOST`, or `STAYS`. Empty
    where stages are not on record alike for all deals.
    """

    deal: Days
    stage: Days
    first: Days
    last: Days
    after: Days


@dataclass(frozen=True, slots=True)
class Ledger:
    """A whole history as arrays, from which the record of any day is cut.

    ``spell_*`` are the times in stages of all deals, each deal's in order: the deal's place, the
    place of the stage in ``names`` (sorted), and the day from which on it was there. ``stated_*``
    are the stated close dates (0: none) in the same way.
    """

    entered: Days
    arrived: Flags
    closed: Days
    won: Flags
    names: tuple[str, ...]
    spell_deal: Days
    spell_stage: Days
    spell_since: Days
    stated_deal: Days
    stated_since: Days
    stated_day: Days
    stated_before: Days
    sudden: Sudden

    def record_on(self, day: date) -> Record:
        """Returns what was known at the end of ``day``."""
        today = day.toordinal()
        there = self.entered <= today
        place = np.cumsum(there) - 1
        known = there[self.spell_deal] & (self.spell_since <= today)
        closed = np.where(self.closed <= today, self.closed, NEVER)[there]
        spells = _Spells(
            place[self.spell_deal[known]], self.spell_stage[known], self.spell_since[known]
        )
        is_decided = closed != NEVER
        lives = _Lives(
            self.entered[there],
            self.arrived[there],
            closed,
            self.won[there] & is_decided,
            self._stated_on(today)[there],
            np.where(is_decided, self.stated_before[there], 0),
        )
        return _record(today, lives, self.names, spells, self.sudden.until(today))

    def _stated_on(self, today: int) -> Days:
        known = self.stated_since <= today
        last = np.full(len(self.entered), -1, dtype=np.int64)
        np.maximum.at(last, self.stated_deal[known], np.flatnonzero(known))
        days = np.append(self.stated_day, 0)  # The last stands for "none is known".
        return np.asarray(days[last])


def read_ledger(history: History) -> Ledger:
    """Returns a history as arrays."""
    sudden = _sudden(history)
    left_out = {id(deal) for deal in sudden}
    deals = [deal for deal in history.deals if id(deal) not in left_out]
    spells = [(at, spell) for at, deal in enumerate(deals) for spell in deal.stages]
    names = sorted({spell.stage for _, spell in spells})
    index = {name: at for at, name in enumerate(names)}
    stated = [(at, spell) for at, deal in enumerate(deals) for spell in _stated(deal)]
    closed = [deal.closed.toordinal() if deal.closed else NEVER for deal in deals]
    return Ledger(
        entered=np.array([deal.entered.toordinal() for deal in deals], dtype=np.int64),
        arrived=np.array([deal.arrived for deal in deals], dtype=np.bool_),
        closed=np.array(closed, dtype=np.int64),
        won=np.array([bool(deal.won) for deal in deals], dtype=np.bool_),
        names=tuple(names),
        spell_deal=np.array([at for at, _ in spells], dtype=np.int64),
        spell_stage=np.array([index[spell.stage] for _, spell in spells], dtype=np.int64),
        spell_since=np.array([spell.since.toordinal() for _, spell in spells], dtype=np.int64),
        stated_deal=np.array([at for at, _ in stated], dtype=np.int64),
        stated_since=np.array([spell.since.toordinal() for _, spell in stated], dtype=np.int64),
        stated_day=np.array([_ordinal(spell.close) for _, spell in stated], dtype=np.int64),
        stated_before=np.array([_ordinal(_before(deal)) for deal in deals], dtype=np.int64),
        sudden=Sudden(
            np.array([_ordinal(deal.closed) for deal in sudden], dtype=np.int64),
            np.array([bool(deal.won) for deal in sudden], dtype=np.bool_),
        ),
    )


def _sudden(history: History) -> list[PastDeal]:
    """Returns the deals that were entered when they were decided, those among them of which it is
    not known when they came in. Where most are, as in many an import, that is how they are dated.
    """
    found = [deal for deal in history.deals if deal.closed == deal.entered and not deal.stages]
    if len(found) > MOST_SUDDEN * sum(deal.closed is not None for deal in history.deals):
        found = []
    return [*found, *(deal for deal in history.outcomes if deal.arrived)]


def _stated(deal: PastDeal) -> tuple[CloseSpell, ...]:
    return deal.stated or (CloseSpell(deal.entered, deal.expected_close),)


def _before(deal: PastDeal) -> date | None:
    """Returns the close date that was stated some time before a decision, if that is on record."""
    if deal.closed is None or not deal.stated:
        return None
    return deal.stated_on(deal.closed - timedelta(days=AHEAD_DAYS))


def _ordinal(day: date | None) -> int:
    return day.toordinal() if day else 0


def make_record(history: History, today: date) -> Record:
    """Returns what was known of a history at the end of ``today``."""
    return read_ledger(history).record_on(today)


@dataclass(frozen=True, slots=True)
class _Lives:
    entered: Days
    arrived: Flags
    closed: Days
    won: Flags
    stated: Days
    stated_before: Days


@dataclass(frozen=True, slots=True)
class _Spells:
    """Times in stages that are known; ``stage`` counts from 0 for the first name."""

    deal: Days
    stage: Days
    since: Days


def distinct(values: Days) -> Days:
    """Returns the values that there are, rising."""
    # Asked for nothing besides, numpy looks for masked arrays, and loads them for that.
    return np.unique(values, return_counts=True)[0]


def _record(
    today: int, lives: _Lives, names: tuple[str, ...], spells: _Spells, sudden: Sudden
) -> Record:
    is_open = lives.closed == NEVER
    last = np.full(len(lives.entered), -1, dtype=np.int64)
    np.maximum.at(last, spells.deal, np.arange(len(spells.deal)))
    staged = last >= 0
    seen = distinct(spells.stage)
    number = np.zeros(len(names) + 1, dtype=np.int64)
    number[seen] = np.arange(1, len(seen) + 1)
    current = np.zeros(len(last), dtype=np.int64)
    current[staged] = number[spells.stage[last[staged]]]
    start = min(int(lives.closed.min(initial=NEVER)), today)
    learns = _are_comparable(staged, is_open)
    since = start if learns else _staged_since(staged, lives, spells)
    in_order = since != NEVER or bool(staged[is_open].all())
    stages = ("", *(names[each] for each in seen.tolist()))
    return Record(
        today=today,
        start=start,
        entered=lives.entered,
        arrived=lives.arrived,
        closed=lives.closed,
        won=lives.won,
        stages=stages,
        stage=current if in_order else np.zeros_like(current),
        stage_since=_since(lives, spells, last),
        segments=_segments(today, lives, number, spells if learns else None),
        stays=_stays(today, lives, number, spells if since != NEVER else None),
        learns_stages=learns,
        staged_since=since,
        stated=lives.stated,
        stated_before=lives.stated_before,
        sudden=sudden,
        open_stages=tuple(stages[each] for each in current[is_open & staged].tolist()),
    )


def _are_comparable(staged: Flags, is_open: Flags) -> bool:
    """Tells whether *that* a stage is on record says nothing about the outcome.

    Deals that were imported when they had been decided have no stage before it, while open ones
    do; a model would take "no stage known" for a sign of a decision.
    """
    decided = staged[~is_open]
    if not decided.any():
        return False
    share = staged[is_open].mean() if is_open.any() else 1.0
    return bool(decided.mean() >= KNOWN_ALIKE * share)


def _staged_since(staged: Flags, lives: _Lives, spells: _Spells) -> int:
    """Returns the day from which on stages are on record for decided deals nearly as often as for
    open ones; `NEVER` if they are not, or for too few decisions."""
    is_open = lives.closed == NEVER
    if not is_open.any() or not len(spells.since):
        return NEVER
    in_order = np.argsort(lives.closed, kind="stable")[: int((~is_open).sum())]
    known = staged[in_order][::-1]
    share = np.cumsum(known) / np.arange(1, len(known) + 1)
    alike = np.flatnonzero(known & (share >= KNOWN_ALIKE * staged[is_open].mean())) + 1
    number = int(alike.max(initial=0))
    if known[:number].sum() < STAGED_DECISIONS:
        return NEVER
    before = lives.closed[in_order[-number - 1]] + 1 if number < len(known) else 0
    return max(int(before), int(spells.since.min()))


def _since(lives: _Lives, spells: _Spells, last: Days) -> Days:
    """Returns from which day on deals are in the last stage known; ``last`` are its spells."""
    since = lives.entered.copy()
    staged = last >= 0
    since[staged] = np.maximum(spells.since[last[staged]], since[staged])
    return since


def _stays(today: int, lives: _Lives, number: Days, spells: _Spells | None) -> Stays:
    if spells is None or not len(spells.deal):
        return Stays(*(np.zeros(0, dtype=np.int64) for _ in range(5)))
    deal = spells.deal
    goes_on = np.append(deal[1:] == deal[:-1], False)
    first = np.maximum(spells.since, lives.entered[deal])
    last = np.where(goes_on, np.append(first[1:], 0), np.minimum(lives.closed, today)[deal])
    end = np.where(lives.closed[deal] == NEVER, STAYS, np.where(lives.won[deal], WON, LOST))
    stage = number[spells.stage]
    after = np.where(goes_on, np.append(stage[1:], 0), end)
    return Stays(deal, stage, first, last, after)


def _segments(today: int, lives: _Lives, number: Days, spells: _Spells | None) -> Segments:
    whole = np.arange(len(lives.entered), dtype=np.int64)
    deal, stage, first = whole, np.zeros_like(whole), lives.entered
    if spells is not None:
        visits = spells.deal * len(number) + spells.stage
        firsts = np.unique(visits, return_index=True)[1]
        visitor = spells.deal[firsts]
        deal = np.append(deal, visitor)
        stage = np.append(stage, number[spells.stage[firsts]])
        first = np.append(first, np.maximum(spells.since[firsts], lives.entered[visitor]))
    return Segments(deal, stage, first, np.minimum(lives.closed, today)[deal])


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
    """Counts person-days of a record; ``groups`` gives the age group of each age from 0 on, which
    rises with it."""
    days = np.arange(record.start, record.today + 1, dtype=np.int64)
    stages = len(record.stages) if record.learns_stages else 1
    shape = (len(days), int(groups.max()) + 1, stages)
    segments = record.segments
    ends = record.closed[segments.deal] != NEVER
    deal, stage = segments.deal[ends], segments.stage[ends]
    day = segments.last[ends]
    group = groups[np.minimum(day - record.entered[deal], OLDEST)]
    at = np.ravel_multi_index((day - record.start, group, stage), shape)
    size = int(np.prod(shape))
    decided = np.bincount(at, minlength=size).astype(np.float64).reshape(shape)
    won = np.bincount(at[record.won[deal]], minlength=size).astype(np.float64).reshape(shape)
    return PersonDays(days, _at_risk(record, groups, shape), decided, won)


def _at_risk(record: Record, groups: Days, shape: tuple[int, int, int]) -> Floats:
    """Counts deals at risk. A deal is in an age group from one day to another: one comes, one goes,
    and the sum of that over the days is how many are there."""
    segments = record.segments
    entered = record.entered[segments.deal]
    begin = np.maximum(segments.first, record.start)
    youngest = np.searchsorted(groups, np.arange(shape[1]))
    steps = np.zeros((shape[0] + 1, *shape[1:]))
    for group, age in enumerate(youngest.tolist()):
        is_last = group == shape[1] - 1
        first = np.maximum(begin, entered + age)
        last = (
            segments.last
            if is_last
            else np.minimum(segments.last, entered + int(youngest[group + 1]) - 1)
        )
        there = first <= last
        for days, change in ((first[there], 1.0), (last[there] + 1, -1.0)):
            place = (days - record.start) * shape[2] + segments.stage[there]
            count = np.bincount(place, minlength=(shape[0] + 1) * shape[2])
            steps[:, group] += change * count.reshape(-1, shape[2])
    return np.asarray(np.cumsum(steps[:-1], axis=0))
