"""People who are asked for more hours in a week than they have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from itertools import groupby

from taiga_pipeline.people.model import Person
from taiga_pipeline.planning.demand.deals import Booked, Demand
from taiga_pipeline.planning.weeks import week_name

_Weeks = dict[date, list[Booked]]


def overload_notices(people: Iterable[Person], demand: Demand) -> Iterator[str]:
    """Yields a warning for each time that a person is over their weekly hours.

    Sure hours count; what is reserved for open deals counts only if that alone makes too many,
    and is then said so.
    """
    sure = _by_person(demand.booked)
    maybe = _by_person((*demand.booked, *demand.reserved))
    for person in people:
        limit = float(person.hours_per_week)
        over = _over(sure.get(person.email, {}), limit)
        yield from _runs(person, over, "is booked")
        reserved = _over(maybe.get(person.email, {}), limit)
        only = {week: each for week, each in reserved.items() if week not in over}
        yield from _runs(person, only, "is booked, with reservations,")


def _by_person(booked: Iterable[Booked]) -> Mapping[str, _Weeks]:
    found: dict[str, _Weeks] = {}
    for each in booked:
        if each.email:
            found.setdefault(each.email, {}).setdefault(each.week, []).append(each)
    return found


def _over(weeks: _Weeks, limit: float) -> _Weeks:
    return {
        week: each
        for week, each in sorted(weeks.items())
        if sum(booked.hours for booked in each) > limit + 1e-6
    }


def _runs(person: Person, weeks: _Weeks, what: str) -> Iterator[str]:
    """Yields a warning for each row of weeks with the same deals and hours."""
    numbered = enumerate(weeks.items())
    for (_, deals), run in groupby(
        numbered, lambda item: (item[1][0].toordinal() // 7 - item[0], _deals(item[1][1]))
    ):
        dates = [week for _, (week, _) in run]
        span = week_name(dates[0])
        if len(dates) > 1:
            span = f"{span} to {week_name(dates[-1])}"
        hours = sum(each for _, each in deals)
        listed = ", ".join(f"{key} {each:g} h" for key, each in deals)
        yield (
            f"{person.email} {what} {hours:g} h a week of {float(person.hours_per_week):g} h in "
            f"{span} ({listed})"
        )


def _deals(booked: Iterable[Booked]) -> tuple[tuple[str, float], ...]:
    hours: dict[str, float] = {}
    for each in booked:
        hours[each.deal_key] = round(hours.get(each.deal_key, 0.0) + each.hours, 1)
    return tuple(sorted(hours.items()))
