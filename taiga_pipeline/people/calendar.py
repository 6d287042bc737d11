"""How many hours people can work in which week: contracts, time off, public holidays.

A week's hours are spread evenly over Monday to Friday. A day on which a person is not (or not
yet, or no longer) with the company, is off, or has a public holiday, takes a fifth away; several
reasons for the same day take it away once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from taiga_pipeline.people.model import Person, TimeOff

WORKING_DAYS: Final = 5
_DAY: Final = timedelta(days=1)

HolidaysOf = Callable[[str, Collection[int]], Collection[date]]
"""Returns the public holidays of a country (``SE``, ``DE-BY``) in some years.

It raises `UnknownCountry` for a country that it does not know.
"""


class UnknownCountry(Exception):
    """No public holidays are known for a country."""


@dataclass(frozen=True, slots=True)
class WorkingHours:
    """Hours by e-mail address, one number for each week asked for; and what was not clear.

    ``public`` are each person's public holidays, by address; ``usual_public`` those of people who
    have no country of their own.
    """

    by_person: Mapping[str, tuple[float, ...]]
    notices: tuple[str, ...] = ()
    public: Mapping[str, Collection[date]] = field(default_factory=dict)
    usual_public: Collection[date] = frozenset()


def working_hours(
    people: Iterable[Person],
    time_off: Iterable[TimeOff],
    mondays: Sequence[date],
    *,
    holidays_of: HolidaysOf,
    default_country: str = "",
) -> WorkingHours:
    """Returns how many hours each person can work in each of the weeks that begin on ``mondays``.

    ``default_country`` is for people without a country of their own; "" counts no holidays for
    them.
    """
    roster = list(people)
    off = days_off(time_off, mondays)
    years = {day.year for week in mondays for day in (week, week + _DAY * 4)}
    countries = {default_country, *(person.country or default_country for person in roster)}
    holidays, notices = _holidays(countries, years, holidays_of)
    by_person: dict[str, tuple[float, ...]] = {}
    for person in roster:
        free = off.get(person.email, set()) | holidays.get(person.country or default_country, set())
        full = float(person.hours_per_week)
        if not free and person.starts is None and person.ends is None:
            by_person[person.email] = (full,) * len(mondays)
            continue
        by_person[person.email] = tuple(
            full * _days_worked(person, week, free) / WORKING_DAYS for week in mondays
        )
    usual = holidays.get(default_country, set())
    public = {
        person.email: holidays.get(person.country, set()) if person.country else usual
        for person in roster
    }
    return WorkingHours(by_person, tuple(notices), public, usual)


def days_off(time_off: Iterable[TimeOff], mondays: Sequence[date]) -> dict[str, set[date]]:
    """Returns the days of the weeks from the first to the last Monday on which people are off.

    Days are by e-mail address. Time off from the year 1 to 9999 costs no more than the weeks.
    """
    days: dict[str, set[date]] = {}
    if not mondays:
        return days
    begin, end = min(mondays), max(mondays) + _DAY * (WORKING_DAYS - 1)
    for each in time_off:
        first, last = max(each.first, begin), min(each.last, end)
        length = (last - first).days + 1
        days.setdefault(each.email, set()).update(first + _DAY * n for n in range(length))
    return days


def _days_worked(person: Person, monday: date, free: Collection[date]) -> int:
    return sum(
        _is_employed(person, day) and day not in free
        for day in (monday + _DAY * number for number in range(WORKING_DAYS))
    )


def _is_employed(person: Person, day: date) -> bool:
    begun = person.starts is None or person.starts <= day
    return begun and (person.ends is None or day <= person.ends)


def _holidays(
    countries: Iterable[str], years: Collection[int], holidays_of: HolidaysOf
) -> tuple[dict[str, set[date]], list[str]]:
    """Returns holidays by country, and a notice for each country that they are not known of."""
    found: dict[str, set[date]] = {}
    notices: list[str] = []
    for country in sorted(filter(None, countries)):
        try:
            found[country] = set(holidays_of(country, years))
        except UnknownCountry as error:
            notices.append(str(error))
    return found, list(dict.fromkeys(notices))
