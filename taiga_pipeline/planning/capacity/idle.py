"""The other side of the scale: hours that are still free, of roles and of people.

In each future, free hours are capacity less demand, where that is above 0: hours that one role or
week lacks do not fill the free hours of another. Quantiles are of the free hours themselves: P20
are free with a chance of 80 %, P80 with one of 20 %. Needs numpy (the extra ``planning``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final

import numpy as np

from taiga_pipeline.people.model import Person
from taiga_pipeline.planning.capacity.exact import Distribution
from taiga_pipeline.planning.capacity.quantiles import at_places, place_of
from taiga_pipeline.planning.capacity.result import Idle, PersonCapacity, PersonWeek
from taiga_pipeline.planning.capacity.rows import Floats
from taiga_pipeline.planning.demand.deals import Booked, Demand
from taiga_pipeline.planning.shock import before_shock
from taiga_pipeline.planning.weeks import Weeks

SHARES: Final = (0.2, 0.5, 0.8)
_NODES: Final = 16
MOST_DEALS: Final = 10
"""Open deals that a person is reserved for and that may be won or not, each by itself; smaller ones
beyond that count in full."""


def sampled_idle(free: Floats) -> Idle:
    """Returns what is free, from the free hours of each trial."""
    low, middle, high = at_places(free, [place_of(len(free), share) for share in SHARES])
    return Idle(low, middle, high, float(free.mean()))


def exact_idle(asked: Distribution, room: float) -> Idle:
    """Returns what is free of ``room`` hours that what is sure leaves."""
    low, middle, high = (max(0.0, room - _at_least(asked, share)) for share in SHARES)
    expected = float(np.maximum(room - asked.hours, 0) @ asked.chances)
    return Idle(low, middle, high, expected)


def _at_least(asked: Distribution, share: float) -> float:
    """Returns the most hours that are asked for, or more, with a chance of ``share``."""
    from_here_on = np.cumsum(asked.chances[::-1])[::-1]
    place = int(np.flatnonzero(from_here_on >= share - 1e-9)[-1])
    return float(asked.hours[place])


@dataclass(frozen=True)
class Chances:
    """The chances of open deals, by key, and the common shock that hits all of them: its median and
    spread (logarithms)."""

    by_deal: Mapping[str, float]
    median: float
    sd: float

    def shaken(self, key: str) -> Floats:
        """Returns a deal's chance under each of `weights`; what is certain stays so."""
        before = before_shock(np.array([self.by_deal.get(key, 0.0)]), self.sd)
        return np.minimum(1.0, before * np.exp(self.median + self.sd * self._nodes[0]))

    @property
    def weights(self) -> Floats:
        """How much each factor of the shock counts; together 1."""
        return self._nodes[1]

    @cached_property
    def _nodes(self) -> tuple[Floats, Floats]:
        nodes, weights = np.polynomial.hermite_e.hermegauss(_NODES)
        return nodes, weights / weights.sum()


def people_capacity(
    people: Iterable[Person],
    hours: Mapping[str, Sequence[float]],
    demand: Demand,
    chances: Chances,
    weeks: Weeks,
) -> tuple[PersonCapacity, ...]:
    """Returns each person's hours: there, confirmed, reserved for open deals, and free.

    ``hours`` are by address, for each of ``weeks``. A reservation counts with its deal's chance
    in the weeks that it is for. Hours that nobody was named for yet are no
    one's here: `RoleCapacity` has those.
    """
    sure, maybe = _by_person(demand.booked, weeks), _by_person(demand.reserved, weeks)
    none: _Weeks = {}
    return tuple(
        _person(
            person,
            hours[person.email],
            sure.get(person.email, none),
            maybe.get(person.email, none),
            chances,
        )
        for person in people
    )


@lru_cache(maxsize=1_000)
def _unbooked(hours: float) -> PersonWeek:
    """Returns hours that nothing is planned for."""
    return PersonWeek(hours, 0.0, 0.0, 0.0, Idle(hours, hours, hours, hours))


@lru_cache(maxsize=1_000)  # many people are there at the same times
def _all_free(there: tuple[float, ...]) -> tuple[tuple[PersonWeek, ...], PersonWeek]:
    """Returns the weeks of someone for whom nothing is planned, and all of them together."""
    weeks = tuple(_unbooked(max(0.0, float(hours))) for hours in there)
    return weeks, _unbooked(sum(week.capacity for week in weeks))


_Weeks = Mapping[int, Mapping[str, float]]
"""Hours by week (its number) and deal."""


def _by_person(booked: Iterable[Booked], weeks: Weeks) -> Mapping[str, _Weeks]:
    found: dict[str, dict[int, dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
    for each in booked:
        at = weeks.index(each.week)
        if each.email and 0 <= at < len(weeks):
            deals = found[each.email][at]
            deals[each.deal_key] = deals.get(each.deal_key, 0.0) + each.hours
    return found


def _person(
    person: Person, there: Sequence[float], sure: _Weeks, maybe: _Weeks, chances: Chances
) -> PersonCapacity:
    if not (sure or maybe):
        return PersonCapacity(person.email, person.name, person.role, *_all_free(tuple(there)))
    capacity = np.maximum(np.array(there, dtype=np.float64), 0)
    confirmed = np.array([sum(sure.get(at, {}).values()) for at in range(len(there))])
    reserved, shares = _outcomes(maybe, len(there), chances)
    free = np.maximum(capacity - confirmed - reserved, 0)
    expected = shares @ reserved
    weeks = tuple(
        PersonWeek(
            capacity=float(capacity[at]),
            confirmed=float(confirmed[at]),
            tentative=sum(maybe.get(at, {}).values()),
            expected=float(confirmed[at] + expected[at]),
            idle=_weighed(free[:, at], shares),
            deals=tuple(sorted(sure.get(at, {}).items())),
            tentative_deals=tuple(sorted(maybe.get(at, {}).items())),
        )
        for at in range(len(there))
    )
    total = _total(weeks, _weighed(free.sum(axis=1), shares))
    return PersonCapacity(person.email, person.name, person.role, weeks, total)


def _outcomes(maybe: _Weeks, weeks: int, chances: Chances) -> tuple[Floats, Floats]:
    """Returns the hours (outcome x week) that a person's reservations may come to, and the chance
    of each outcome. The same deals decide in all weeks."""
    by_deal: dict[str, Floats] = defaultdict(lambda: np.zeros(weeks))
    for at, deals in maybe.items():
        for key, asked in deals.items():
            by_deal[key][at] += asked
    largest = sorted(by_deal, key=lambda key: (-by_deal[key].sum(), key))
    surplus: list[Floats] = [np.zeros(weeks), *(by_deal[key] for key in largest[MOST_DEALS:])]
    hours: Floats = np.sum(surplus, axis=0)[None, :]
    shares: Floats = np.ones((_NODES, 1))
    for key in largest[:MOST_DEALS]:
        won = chances.shaken(key)[:, None]
        hours = np.concatenate([hours, hours + by_deal[key]])
        shares = np.concatenate([shares * (1 - won), shares * won], axis=1)
    return hours, np.asarray(chances.weights @ shares, dtype=np.float64)


def _weighed(free: Floats, shares: Floats) -> Idle:
    if len(free) == 1:  # nothing is reserved, as for most people in most weeks
        sure = float(free[0])
        return Idle(sure, sure, sure, sure)
    order = np.argsort(free, kind="stable")
    reached = np.cumsum(shares[order])
    places = np.minimum(np.searchsorted(reached, np.array(SHARES) - 1e-9), len(free) - 1)
    low, middle, high = free[order][places].tolist()
    return Idle(low, middle, high, float(free @ shares))


def _total(weeks: Sequence[PersonWeek], idle: Idle) -> PersonWeek:
    sure: dict[str, float] = defaultdict(float)
    maybe: dict[str, float] = defaultdict(float)
    for week in weeks:
        for found, deals in ((sure, week.deals), (maybe, week.tentative_deals)):
            for key, hours in deals:
                found[key] += hours
    return PersonWeek(
        capacity=sum(week.capacity for week in weeks),
        confirmed=sum(week.confirmed for week in weeks),
        tentative=sum(week.tentative for week in weeks),
        expected=sum(week.expected for week in weeks),
        idle=idle,
        deals=tuple(sorted(sure.items())),
        tentative_deals=tuple(sorted(maybe.items())),
    )
