"""Futures summed up: cells by role and week, and totals. Needs numpy (the extra ``planning``)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import nan
from typing import Final

import numpy as np

from taiga_pipeline.planning.capacity.balance import Balance
from taiga_pipeline.planning.capacity.drivers import (
    TOLERANCE,
    Added,
    Drawn,
    RoleDrivers,
    driver_candidates,
)
from taiga_pipeline.planning.capacity.exact import Distribution, ExactRole
from taiga_pipeline.planning.capacity.idle import SHARES, exact_idle, sampled_idle
from taiga_pipeline.planning.capacity.kept import KeptDraws
from taiga_pipeline.planning.capacity.quantiles import at_places, place_of
from taiga_pipeline.planning.capacity.result import Cell, Driver, Idle, RoleCapacity
from taiga_pipeline.planning.capacity.rows import Floats, Shape, Single
from taiga_pipeline.planning.capacity.simulation import Simulation
from taiga_pipeline.planning.capacity.won_deals import AddedByWon, WonDrivers
from taiga_pipeline.planning.demand.deals import Demand, OpenDemand

HIGH: Final = 0.95


@dataclass(frozen=True, slots=True)
class Draw:
    """How to draw: how many futures, from which seed, and which quantile to plan for."""

    trials: int
    seed: int
    quantile: float
    with_drivers: bool = True
    brief: bool = False
    kept: KeptDraws | None = None
    """Draws of a plan that differs little, taken where drivers are not asked for."""


@dataclass(frozen=True, slots=True)
class _Sums:
    """Hours of several roles or weeks together: asked for and missing by trial, and the capacity.

    An hour too many in one makes up for none in another.
    """

    asked: Floats
    missing: Floats
    capacity: float

    @property
    def free(self) -> Floats:
        """What is left over: what is missing less the balance of both."""
        return np.maximum(self.missing - (self.asked - self.capacity), 0)


@dataclass(frozen=True, slots=True)
class _Spread:
    """How demand spreads, and what is missing; the fields of `Cell` of the same names."""

    median: float
    quantile: float
    high: float
    gap: float
    expected_gap: float
    chance_short: float
    idle: Idle


_UNKNOWN: Final = _Spread(nan, nan, nan, nan, nan, nan, Idle(nan, nan, nan, nan))


class Summary:
    """Draws futures and sums them up, from the week number ``first`` on.

    Arrays have the axes role, week, trial.
    """

    def __init__(
        self,
        balance: Balance,
        demand: Demand,
        shape: Shape,
        draw: Draw,
        first: int,
    ) -> None:
        self._balance = balance
        self._demand = demand
        self._draw = draw
        self._weeks = range(first, shape.weeks)
        candidates = driver_candidates(balance.expected) if draw.with_drivers else ()
        # Deals that are not there yet have no names, and no one could do anything about them.
        watched = [row for row in candidates if demand.open[row].deal_key]
        if draw.kept is not None and not draw.with_drivers:
            futures = draw.kept.futures(balance, shape)
        else:
            simulation = Simulation(balance.rows, shape, balance.table)
            futures = simulation.run(draw.trials, draw.seed, watched)
        self._hours = futures.hours
        if (balance.parts != 1).any():
            self._hours *= balance.parts[:, :, None].astype(np.float32)
        self._hours += balance.confirmed[:, :, None].astype(np.float32)
        self._drawn = Drawn(balance.rows, balance.table, futures, balance.expected, shape)
        size = len(self._weeks), draw.trials
        self._asked, self._missing = np.zeros(size), np.zeros(size)
        self._counted: set[int] = set()

    def roles(self) -> tuple[RoleCapacity, ...]:
        """Returns each role, week by week and in total."""
        numbers, kept = range(len(self._balance.names)), self._draw.kept
        if kept is None:
            return tuple(map(self._role, numbers))
        roles = tuple(kept.role(number, self._balance) or self._role(number) for number in numbers)
        kept.keep(self._balance, roles)
        return roles

    def over_roles(self, roles: Sequence[RoleCapacity]) -> tuple[tuple[Cell, ...], Cell]:
        """Returns all ``roles`` together, by week and in total."""
        for number in range(len(self._balance.names)):
            if number not in self._counted:
                self._sums_of(number)
        capacity = self._balance.capacity[:, self._weeks.start :].sum(axis=0)
        every, first = slice(None), self._weeks.start
        by_week = tuple(
            self._total(
                (every, slice(week, week + 1)),
                self._of_week(_Sums(self._asked[at], self._missing[at], float(capacity[at]))),
                [role.weeks[at] for role in roles],
            )
            for at, week in enumerate(self._weeks)
        )
        together = self._asked.sum(axis=0), self._missing.sum(axis=0)
        sums = _Sums(*together, float(capacity.sum()))
        return by_week, self._total((every, slice(first, None)), self._sampled(sums), by_week)

    def _of_week(self, sums: _Sums) -> _Spread:
        """Sums up all roles in a week."""
        if not self._draw.brief:
            return self._sampled(sums)
        return replace(_UNKNOWN, chance_short=float((sums.missing > TOLERANCE).mean()))

    def _sums_of(self, number: int) -> _Sums:
        """Sums the weeks of a role up, and counts it among all roles."""
        first = self._weeks.start
        part, capacity = self._hours[number, first:], self._balance.capacity[number, first:]
        missing = part - capacity[:, None].astype(np.float32)
        np.maximum(missing, 0, out=missing)
        self._asked += part
        self._missing += missing
        self._counted.add(number)
        asked, lacking = (each.sum(axis=0, dtype=np.float64) for each in (part, missing))
        return _Sums(asked, lacking, float(capacity.sum()))

    def _role(self, number: int) -> RoleCapacity:
        balance, one = self._balance, slice(number, number + 1)
        parts = balance.parts[number]
        drivers = self._behind(number)
        exact = ExactRole(number, balance.rows, self._drawn.shape, balance.expected[number], parts)
        weeks = []
        for week in self._weeks:
            kept = self._draw.kept.cell(number, week, balance) if self._draw.kept else None
            if kept is not None:
                weeks.append(kept)
                continue
            spread = self._spread(number, week, exact.of_week(week))
            is_short = spread.expected_gap > TOLERANCE
            is_asked = is_short and not self._draw.brief
            behind = drivers.of_week(week, spread.expected_gap) if is_asked else ()
            weeks.append(self._with_sure_hours((number, week), spread, behind))
        sums = self._sampled(self._sums_of(number))
        total = self._total((one, slice(self._weeks.start, None)), sums, weeks)
        if self._draw.with_drivers and total.expected_gap > TOLERANCE:
            total = replace(total, drivers=drivers.of_all(self._weeks, total.expected_gap))
        return RoleCapacity(balance.names[number], int(balance.people[number]), tuple(weeks), total)

    def _spread(self, number: int, week: int, exact: Distribution | None) -> _Spread:
        """Sums up a role in a week, from the exact distribution where there is one."""
        capacity = float(self._balance.capacity[number, week])
        if exact is not None:
            return self._exact(exact, float(self._balance.confirmed[number, week]), capacity)
        if self._draw.brief:
            return self._of_brief_cell(self._hours[number, week], capacity)
        return self._of_cell(np.sort(self._hours[number, week]), capacity)

    def _total(self, place: tuple[slice, slice], spread: _Spread, parts: Iterable[Cell]) -> Cell:
        """Returns the cell of several roles or weeks, of which ``parts`` are the cells.

        The expected gap is the sum of those of the parts: means add up, quantiles do not.
        """
        total, parts = self._with_sure_hours(place, spread), tuple(parts)
        return replace(
            total,
            expected_gap=sum(each.expected_gap for each in parts),
            idle=replace(total.idle, expected=sum(each.idle.expected for each in parts)),
        )

    def _exact(self, exact: Distribution, confirmed: float, capacity: float) -> _Spread:
        room = capacity - confirmed
        quantile = exact.quantile(self._draw.quantile)
        return _Spread(
            median=confirmed + exact.quantile(0.5),
            quantile=confirmed + quantile,
            high=confirmed + exact.quantile(HIGH),
            gap=max(0.0, quantile - room),
            expected_gap=exact.expected_over(room),
            chance_short=exact.chance_over(room),
            idle=exact_idle(exact, room),
        )

    def _of_cell(self, asked: Single, capacity: float) -> _Spread:
        """Sums up a role in a week from the hours ``asked`` for in all trials, rising.

        More hours asked for are more that are missing, and fewer that are free: one order of
        trials tells all quantiles."""
        count = len(asked)
        median, quantile, high = (
            float(asked[place_of(count, share)]) for share in (0.5, self._draw.quantile, HIGH)
        )
        low, middle, most = (
            max(0.0, capacity - float(asked[count - 1 - place_of(count, share)]))
            for share in SHARES
        )
        over = asked[np.searchsorted(asked, capacity + TOLERANCE) :]
        missing = (float(over.sum(dtype=np.float64)) - len(over) * capacity) / count
        balance = float(asked.sum(dtype=np.float64)) / count - capacity
        return _Spread(
            median=median,
            quantile=quantile,
            high=high,
            gap=max(0.0, quantile - capacity),
            expected_gap=missing,
            chance_short=len(over) / count,
            idle=Idle(low, middle, most, max(0.0, missing - balance)),
        )

    def _of_brief_cell(self, asked: Single, capacity: float) -> _Spread:
        """Sums up what a brief report has of a role in a week."""
        count = len(asked)
        place = place_of(count, self._draw.quantile)
        quantile = float(np.partition(asked, place)[place])
        over = asked[asked >= np.float32(capacity + TOLERANCE)]
        missing = (float(over.sum(dtype=np.float64)) - len(over) * capacity) / count
        balance = float(asked.sum(dtype=np.float64)) / count - capacity
        return _Spread(
            median=nan,
            quantile=quantile,
            high=nan,
            gap=max(0.0, quantile - capacity),
            expected_gap=missing,
            chance_short=len(over) / count,
            idle=Idle(nan, nan, nan, max(0.0, missing - balance)),
        )

    def _sampled(self, sums: _Sums) -> _Spread:
        asked, missing = sums.asked, sums.missing
        chosen, count = self._draw.quantile, len(asked)
        places = [place_of(count, share) for share in (0.5, chosen, HIGH)]
        median, quantile, high = at_places(asked, places)
        return _Spread(
            median=median,
            quantile=quantile,
            high=high,
            gap=at_places(missing, [place_of(count, chosen)])[0],
            expected_gap=float(missing.mean()),
            chance_short=float((missing > TOLERANCE).mean()),
            idle=sampled_idle(sums.free),
        )

    def _with_sure_hours(
        self,
        place: tuple[slice, slice] | tuple[int, int],
        spread: _Spread,
        drivers: tuple[Driver, ...] = (),
    ) -> Cell:
        balance = self._balance
        return Cell(
            capacity=float(balance.capacity[place].sum()),
            confirmed=float(balance.confirmed[place].sum()),
            weighted=float(balance.weighted[place].sum()),
            exposure=float(balance.exposure[place].sum()),
            median=spread.median,
            quantile=spread.quantile,
            high=spread.high,
            gap=spread.gap,
            expected_gap=spread.expected_gap,
            chance_short=spread.chance_short,
            drivers=drivers,
            idle=spread.idle,
        )

    def _behind(self, number: int) -> _Behind:
        balance = self._balance
        capacity, parts = balance.capacity[number], balance.parts[number]
        sure = balance.sure[number] if self._draw.with_drivers else {}
        return _Behind(
            self._demand.open,
            RoleDrivers(number, self._drawn, capacity, parts),
            WonDrivers(sure, self._hours[number], capacity),
        )


@dataclass(frozen=True, slots=True)
class _Behind:
    """The deals behind the gaps of a role, those that add most first: open and won ones.

    No deal adds more than the whole ``gap``, which may be worked out exactly and not drawn.
    """

    deals: Sequence[OpenDemand]
    open: RoleDrivers
    won: WonDrivers

    def of_week(self, week: int, gap: float) -> tuple[Driver, ...]:
        return self._together(self.open.of_week(week), self.won.of_week(week), gap)

    def of_all(self, weeks: Sequence[int], gap: float) -> tuple[Driver, ...]:
        return self._together(self.open.of_all(weeks), self.won.of_all(weeks), gap)

    def _together(
        self, added: Iterable[Added], sure: Iterable[AddedByWon], gap: float
    ) -> tuple[Driver, ...]:
        won = (
            Driver(each.deal_key, min(each.hours, gap), each.asked, 1.0, None, True)
            for each in sure
        )
        return tuple(sorted((*map(self._driver, added), *won), key=lambda each: -each.added))

    def _driver(self, added: Added) -> Driver:
        deal = self.deals[added.row]
        return Driver(
            deal.deal_key, added.hours, added.weighted, deal.probability, deal.expected_close
        )
