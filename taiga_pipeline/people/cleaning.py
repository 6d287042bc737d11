"""What may be stored of people: normal forms, or the reasons why not."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Final

from taiga_pipeline.days import known_day
from taiga_pipeline.look_alikes import as_meant
from taiga_pipeline.people.countries import country_code
from taiga_pipeline.people.model import Allocation, Person, TimeOff
from taiga_pipeline.pipeline.cleaning import clean_line
from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.pipeline.notation import HOURS_IN_A_WEEK

_EMAIL = re.compile(r"[^\s@<>\"(),:;\\\[\]|]+@[^\s@<>\"(),:;\\\[\]|]+\.[^\s@<>\"(),:;\\\[\]|.]+")
_WITH_NAME = re.compile(r"([^<>]*)<([^<>]+)>[\s;,]*")
_MAILTO: Final = "mailto:"
_SHOWN: Final = 100
MAX_EMAIL: Final = 254
MAX_PLACES: Final = 6


def clean_email(text: str) -> str:
    """Returns an e-mail address in lower case.

    :raises InvalidValue: it has not the form of one, or there are several.
    """
    email = clean_line(text).lower()
    if len(email) > MAX_EMAIL or not _EMAIL.fullmatch(email):
        raise InvalidValue(f"{text[:_SHOWN]!r} is not an e-mail address; write name@example.org")
    return email


def bare_email(text: str) -> str:
    """Returns the address in ``Ana Example <ana@example.org>;`` or ``mailto:ana@example.org``.

    What is invisible in it is none of it: it would be another person's.
    """
    text = as_meant(text)
    named = _WITH_NAME.fullmatch(text)
    bare = (named[2] if named else text).strip().strip(";,<>").strip()
    return bare[len(_MAILTO) :] if bare.lower().startswith(_MAILTO) else bare


def name_beside_email(text: str) -> str:
    """Returns the name in ``Ana Example <ana@example.org>``, "" if there is none."""
    named = _WITH_NAME.fullmatch(clean_line(text))
    return named[1].strip().strip("\"'").strip() if named else ""


def clean_person(person: Person) -> Person:
    """Returns a person in normal form; without a name the address stands for it.

    :raises InvalidValue: e-mail, hours, country or dates that cannot be.
    """
    email = clean_email(person.email)
    person = with_known_days(person)
    _check_order(person.starts, person.ends)
    return replace(
        person,
        email=email,
        name=clean_line(person.name) or email,
        role=clean_line(person.role),
        skills=tuple(dict.fromkeys(skill for skill in map(clean_line, person.skills) if skill)),
        hours_per_week=clean_hours(person.hours_per_week, allow_none=True),
        team=clean_line(person.team),
        country=country_code(person.country),
    )


def with_known_days(person: Person) -> Person:
    """Returns a person whose employment has no end in the year 9999."""
    starts, ends = known_day(person.starts), known_day(person.ends)
    if (starts, ends) == (person.starts, person.ends):
        return person
    return replace(person, starts=starts, ends=ends)


def with_known_span(allocation: Allocation) -> Allocation:
    """Returns an allocation without days that mean "no date"."""
    start, end = known_day(allocation.start), known_day(allocation.end)
    if (start, end) == (allocation.start, allocation.end):
        return allocation
    return replace(allocation, start=start, end=end)


def clean_time_off(time_off: TimeOff) -> TimeOff:
    """Returns time off in normal form.

    :raises InvalidValue: the last day is before the first.
    """
    _check_order(time_off.first, time_off.last)
    return replace(time_off, email=clean_email(time_off.email), reason=clean_line(time_off.reason))


def clean_allocation(allocation: Allocation) -> Allocation:
    """Returns an allocation in normal form.

    :raises InvalidValue: no role, hours that cannot be, or dates the wrong way round.
    """
    role = clean_line(allocation.role)
    if not role:
        raise InvalidValue("an allocation needs a role")
    allocation = with_known_span(allocation)
    _check_order(allocation.start, allocation.end)
    return replace(
        allocation,
        deal_key=clean_line(allocation.deal_key),
        email=clean_email(allocation.email),
        role=role,
        hours_per_week=clean_hours(allocation.hours_per_week),
    )


def clean_hours(hours: Decimal, *, allow_none: bool = False) -> Decimal:
    """Returns hours per week of one person.

    :raises InvalidValue: negative, none (unless allowed), or more than a week has.
    """
    exponent = hours.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -MAX_PLACES:
        raise InvalidValue(f"{hours} is not a number of hours")
    if hours < 0 or hours > HOURS_IN_A_WEEK or (hours == 0 and not allow_none):
        least = "0" if allow_none else "more than 0"
        raise InvalidValue(
            f"{hours} hours per week; {least} and up to {HOURS_IN_A_WEEK} are allowed"
        )
    return abs(hours)


def _check_order(first: date | None, last: date | None) -> None:
    if first and last and last < first:
        raise InvalidValue(f"the last day {last} is before the first day {first}")
