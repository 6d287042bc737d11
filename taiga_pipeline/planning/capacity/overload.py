"""People who are asked for more hours in a week than they have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from taiga_pipeline.people.model import Person
from taiga_pipeline.planning.demand.deals import Booked, Demand
from taiga_pipeline.planning.weeks import week_name

_Weeks = dict[date, list[Booked]]

HoursThere = Mapping[str, Mapping[date, float]]
"""Hours that people have, by address and week (its Monday)."""


@dataclass(frozen=True, slots=True)
class Overload:
    """Weeks in a row in which a person is asked for the same, and for too much.

    ``first`` and ``last`` are Mondays. ``hours`` are asked for in a full week that has ``limit``,
    on ``deals`` (key and hours). ``tentative`` says that only reservations for open deals make
    them too many.
    """

    email: str
    first: date
    last: date
    hours: float
    limit: float
    deals: tuple[tuple[str, float], ...]
    tentative: bool = False

    def __str__(self) -> str:
        # Whole sentences, for other languages.
        first, last = week_name(self.first), week_name(self.last)
        listed = ", ".join(f"{key} {hours:g} h" for key, hours in self.deals)
        if self.tentative and first == last:
            return (
                f"{self.email} is booked, with reservations, {self.hours:g} h a week of "
                f"{self.limit:g} h in {first} ({listed})"
            )
        if self.tentative:
            return (
                f"{self.email} is booked, with reservations, {self.hours:g} h a week of "
                f"{self.limit:g} h in {first} to {last} ({listed})"
            )
        if first == last:
            return (
                f"{self.email} is booked {self.hours:g} h a week of {self.limit:g} h in {first} "
                f"({listed})"
            )
        return (
            f"{self.email} is booked {self.hours:g} h a week of {self.limit:g} h in {first} to "
            f"{last} ({listed})"
        )


def overload_notices(
    people: Iterable[Person], demand: Demand, there: HoursThere | None = None
) -> Iterator[str]:
    """Yields a warning for each time that a person is over their hours."""
    for each in overloads(people, demand, there):
        yield str(each)


def overloads(
    people: Iterable[Person], demand: Demand, there: HoursThere | None = None
) -> Iterator[Overload]:
    """Yields each time that a person is over their hours.

    Sure hours count; what is reserved for open deals counts only if that alone makes too many,
    and is then said so. Weeks that public holidays or time off shorten (``there``; None: none are)
    are measured as if they were full ones.
    """
    sure = _by_person(demand.booked)
    maybe = _by_person((*demand.booked, *demand.reserved))
    for person in people:
        limit = float(person.hours_per_week)
        short = (there or {}).get(person.email, {})
        over = _over(sure.get(person.email, {}), limit, short)
        yield from _runs(person, over, tentative=False)
        reserved = _over(maybe.get(person.email, {}), limit, short)
        only = {week: each for week, each in reserved.items() if week not in over}
        yield from _runs(person, only, tentative=True)


_Deals = tuple[tuple[str, float], ...]


def _by_person(booked: Iterable[Booked]) -> Mapping[str, _Weeks]:
    found: dict[str, _Weeks] = {}
    for each in booked:
        if each.email:
            found.setdefault(each.email, {}).setdefault(each.week, []).append(each)
    return found


def _over(weeks: _Weeks, limit: float, there: Mapping[date, float]) -> dict[date, _Deals]:
    """Returns what is asked for in the weeks with too much, in hours of a full week."""
    found: dict[date, _Deals] = {}
    for week, booked in sorted(weeks.items()):
        has = there.get(week, limit)
        if sum(each.hours for each in booked) > has + 1e-6:
            found[week] = _deals(booked, limit / has if has > 0 else 1.0)
    return found


def _runs(person: Person, weeks: Mapping[date, _Deals], *, tentative: bool) -> Iterator[Overload]:
    """Yields each row of weeks with the same deals and hours."""
    numbered = enumerate(weeks.items())
    for (_, deals), run in groupby(
        numbered, lambda item: (item[1][0].toordinal() // 7 - item[0], item[1][1])
    ):
        dates = [week for _, (week, _) in run]
        hours = round(sum(each for _, each in deals), 1)
        limit = float(person.hours_per_week)
        yield Overload(person.email, dates[0], dates[-1], hours, limit, deals, tentative)


def _deals(booked: Iterable[Booked], scale: float) -> _Deals:
    hours: dict[str, float] = {}
    for each in booked:
        hours[each.deal_key] = hours.get(each.deal_key, 0.0) + each.hours * scale
    return tuple(sorted((key, round(each, 1)) for key, each in hours.items()))
