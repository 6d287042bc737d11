"""What a pipeline's past says about selling: conversion, time in stage, win rates, slippage.

Pure functions over what is on record: the deals as they are, their moves from stage to stage, and
the changes of their fields. Days are calendar days in UTC.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from statistics import NormalDist, mean, median, quantiles
from typing import Final

from taiga_pipeline.pipeline.fields.field import held
from taiga_pipeline.pipeline.fields.table import BUILT_IN
from taiga_pipeline.pipeline.model import Category, Deal, FieldChange, StageMove

DIMENSIONS: Final = BUILT_IN.where(lambda field: field.is_grouped)
"""Fields of a deal that win rates are recognised by."""

NOT_SAID: Final = "(not said)"
"""Stands for the reason of a loss that nobody gave."""
_Z80 = NormalDist().inv_cdf(0.9)


@dataclass(frozen=True, slots=True)
class StageInfo:
    """A stage of the funnel, as a mapping has it. ``order`` counts from the funnel's beginning."""

    name: str
    category: Category
    order: int


SLIPPING: Final = ("expected_close",)
"""The fields whose changes are looked at."""


@dataclass(frozen=True, slots=True)
class Record:
    """A deal with its past. ``stages`` are those of its mapping, by name as moves have it."""

    deal: Deal
    stage: StageInfo
    moves: Sequence[StageMove]
    changes: Sequence[FieldChange] = ()
    stages: Mapping[str, StageInfo] | None = None

    @property
    def is_won(self) -> bool:
        """Whether the deal is won."""
        return self.stage.category is Category.WON

    @property
    def is_closed(self) -> bool:
        """Whether the deal is decided."""
        return self.stage.category.is_closed


@dataclass(frozen=True, slots=True)
class StageMetrics:
    """How deals fare at a stage.

    ``entered`` counts deals that were ever there, ``here`` those that still are. Of the others,
    ``forward`` went on towards a win, ``lost`` were lost, the rest went back. ``days`` is the
    median of the completed stays, ``slow_days`` what nine of ten stay below; None if unknown.
    """

    stage: str
    entered: int
    here: int
    forward: int
    lost: int
    days: float | None
    slow_days: float | None

    @property
    def conversion(self) -> float | None:
        """The share of the deals that left which went forward; None if none has left."""
        left = self.entered - self.here
        return self.forward / left if left else None


@dataclass(frozen=True, slots=True)
class WinRate:
    """Decided deals of one group. ``low`` and ``high`` are the 80 % Wilson interval of the rate."""

    group: str
    won: int
    lost: int
    low: float
    high: float

    @property
    def rate(self) -> float:
        """The share of decided deals that were won."""
        return self.won / (self.won + self.lost)


@dataclass(frozen=True, slots=True)
class Velocity:
    """Sales velocity in one currency: open deals x win rate x mean value / median cycle.

    ``per_week`` is money per week; ``cycle_days`` runs from the first day on record to the win.
    """

    currency: str
    open_deals: int
    mean_value: Decimal
    win_rate: float
    cycle_days: float
    per_week: Decimal


@dataclass(frozen=True, slots=True)
class Slippage:
    """How close dates move. ``days`` is the median from the first date stated to the win or loss
    (positive: later); None where no decided deal had stated one."""

    deals: int
    moved_later: int
    moved_earlier: int
    days: float | None


@dataclass(frozen=True, slots=True)
class SkippedGate:
    """A gate action that was skipped by force, how often, and how many of these deals were won."""

    stage: str
    action: str
    times: int
    won: int
    lost: int


@dataclass(frozen=True, slots=True)
class SalesMetrics:
    """All figures about selling."""

    deals: int
    won: int
    lost: int
    stages: tuple[StageMetrics, ...]
    win_rates: Mapping[str, tuple[WinRate, ...]]
    velocity: tuple[Velocity, ...]
    slippage: Slippage
    lost_reasons: tuple[tuple[str, int], ...]
    skipped_gates: tuple[SkippedGate, ...]


def sales_metrics(
    records: Sequence[Record], now: datetime, dimensions: Sequence[str] = DIMENSIONS
) -> SalesMetrics:
    """Returns all figures about selling; ``now`` is aware."""
    won = [record for record in records if record.is_won]
    lost = [record for record in records if record.is_closed and not record.is_won]
    return SalesMetrics(
        deals=len(records),
        won=len(won),
        lost=len(lost),
        stages=stage_metrics(records),
        win_rates={name: win_rates(records, name) for name in dimensions},
        velocity=velocity(records, now),
        slippage=slippage(records),
        lost_reasons=tuple(Counter(r.deal.lost_reason or NOT_SAID for r in lost).most_common()),
        skipped_gates=skipped_gates(records),
    )


def stage_metrics(records: Iterable[Record]) -> tuple[StageMetrics, ...]:
    """Returns how deals fare at each open stage, in the order of the funnel."""
    infos: dict[str, StageInfo] = {}
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    stays: dict[str, list[float]] = defaultdict(list)
    for record in records:
        for info in (record.stages or {}).values():
            infos.setdefault(info.name, info)
        for info, outcome, days in _stays(record):
            infos.setdefault(info.name, info)
            counts[info.name][outcome] += 1
            if days is not None:
                stays[info.name].append(days)
    ordered = sorted(infos.values(), key=lambda info: (info.order, info.name))
    return tuple(
        _stage(info.name, counts[info.name], stays[info.name])
        for info in ordered
        if not info.category.is_closed and counts[info.name]
    )


def _stays(record: Record) -> list[tuple[StageInfo, str, float | None]]:
    """Returns the stages that a deal was at: each once, what became of the last stay, its days."""
    path = path_of(record)
    last: dict[str, tuple[StageInfo, str, float | None]] = {}
    for (info, since), (after, left) in zip(path, [*path[1:], (None, None)], strict=True):
        if after is None or left is None:
            last[info.name] = (info, "here", None)
            continue
        days = (left - since).total_seconds() / 86400
        last[info.name] = (info, _direction(info, after), days)
    return list(last.values())


def path_of(record: Record) -> list[tuple[StageInfo, datetime]]:
    """Returns the stages that are on record with the times they were entered."""
    known = {**(record.stages or {}), record.deal.stage: record.stage}
    path = [
        (known[move.to_stage], move.at)
        for move in sorted(record.moves, key=lambda move: move.at)
        if move.to_stage in known
    ]
    if not path and record.deal.stage_since is not None:
        path = [(record.stage, record.deal.stage_since)]
    return path


def _direction(before: StageInfo, after: StageInfo) -> str:
    if after.category is Category.LOST:
        return "lost"
    return "forward" if after.order > before.order else "back"


def _stage(name: str, counts: Counter[str], days: Sequence[float]) -> StageMetrics:
    slow = quantiles(days, n=10)[-1] if len(days) > 1 else None
    return StageMetrics(
        stage=name,
        entered=counts.total(),
        here=counts["here"],
        forward=counts["forward"],
        lost=counts["lost"],
        days=median(days) if days else None,
        slow_days=slow,
    )


def win_rates(records: Iterable[Record], dimension: str) -> tuple[WinRate, ...]:
    """Returns the win rate of each value of a field, the most decided deals first."""
    groups: dict[str, Counter[bool]] = defaultdict(Counter)
    for record in records:
        if record.is_closed:
            groups[str(held(record.deal, dimension)) or "(none)"][record.is_won] += 1
    rates = [_rate(group, counts[True], counts[False]) for group, counts in groups.items()]
    return tuple(sorted(rates, key=lambda rate: (-(rate.won + rate.lost), rate.group)))


def _rate(group: str, won: int, lost: int) -> WinRate:
    """Returns a win rate with its Wilson interval (Wilson, JASA 22, 1927)."""
    total = won + lost
    share, z2 = won / total, _Z80**2
    centre = (share + z2 / (2 * total)) / (1 + z2 / total)
    spread = _Z80 * math.sqrt(share * (1 - share) / total + z2 / (4 * total**2)) / (1 + z2 / total)
    return WinRate(group, won, lost, max(0.0, centre - spread), min(1.0, centre + spread))


def _counts_in(record: Record, currency: str) -> bool:
    """Whether a deal is of a currency; open deals often state no value yet, and so none."""
    deal = record.deal
    return deal.currency == currency or (not deal.currency and deal.value is None)


def velocity(records: Sequence[Record], now: datetime) -> tuple[Velocity, ...]:
    """Returns the sales velocity of each currency in which deals were won; ``now`` is aware."""
    found = []
    for currency in sorted({record.deal.currency for record in records if record.is_won}):
        mine = [record for record in records if _counts_in(record, currency)]
        won = [record for record in mine if record.is_won]
        values = [record.deal.value for record in won if record.deal.value is not None]
        cycles = [days for record in won if (days := _cycle(record)) is not None]
        if not values or not cycles or median(cycles) <= 0:
            continue
        decided = sum(record.is_closed for record in mine)
        open_deals = len(mine) - decided
        rate, value = len(won) / decided, Decimal(mean(values))
        week = Decimal(open_deals * rate * 7 / median(cycles)) * value
        cents = Decimal("0.01")
        found.append(
            Velocity(
                currency,
                open_deals,
                value.quantize(cents),
                rate,
                median(cycles),
                week.quantize(cents),
            )
        )
    return tuple(found)


def _cycle(record: Record) -> float | None:
    """Returns the days from the first day on record to the decision, None if one is unknown."""
    closed = record.deal.closed_on
    first = min((move.at.date() for move in record.moves), default=None)
    begun = min((day for day in (first, record.deal.engaged_on) if day is not None), default=None)
    return float((closed - begun).days) if closed and begun and begun <= closed else None


def slippage(records: Iterable[Record]) -> Slippage:
    """Returns how expected close dates were moved, and how far off the first ones were."""
    deals = later = earlier = 0
    off: list[int] = []
    for record in records:
        dates = _close_dates(record)
        if not dates:
            continue
        deals += 1
        steps = list(pairwise(dates))
        later += sum(after > before for before, after in steps)
        earlier += sum(after < before for before, after in steps)
        if record.is_closed and record.deal.closed_on:
            off.append((record.deal.closed_on - dates[0]).days)
    return Slippage(deals, later, earlier, median(off) if off else None)


def _close_dates(record: Record) -> list[date]:
    """Returns the expected close dates that a deal has had, in their order."""
    texts: list[str] = []
    moved = [change for change in record.changes if change.field in SLIPPING]
    for change in sorted(moved, key=lambda change: change.at):
        texts = [*(texts or [change.before]), change.after]
    if texts:
        return [date.fromisoformat(text) for text in texts if text]
    return [record.deal.expected_close] if record.deal.expected_close else []


def skipped_gates(records: Iterable[Record]) -> tuple[SkippedGate, ...]:
    """Returns the gate actions that were skipped by force, the most frequent first."""
    found: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for record in records:
        fate = "won" if record.is_won else "lost" if record.is_closed else "open"
        for move in record.moves:
            for action in move.forced:
                found[move.from_stage, action][fate] += 1
    skipped = [
        SkippedGate(stage, action, fates.total(), fates["won"], fates["lost"])
        for (stage, action), fates in found.items()
    ]
    return tuple(sorted(skipped, key=lambda gate: (-gate.times, gate.stage, gate.action)))
