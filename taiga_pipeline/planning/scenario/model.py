"""What if: changes to a situation that exist only in the plan. Pure; nothing real is touched."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Final

from taiga_pipeline.mapping.text import normalise
from taiga_pipeline.people.model import Person
from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.pipeline.notation import HOURS_IN_A_WEEK
from taiga_pipeline.planning.demand.deals import Fate, Situation
from taiga_pipeline.planning.weeks import parse_weeks
from taiga_pipeline.problems import did_you_mean

_DAY: Final = timedelta(days=1)
_HIRE: Final = re.compile(
    r"(?:(?P<count>\d{1,3})\s*x\s*)?(?P<role>[^:@]+?)\s*:\s*(?P<hours>[\d.,]+)\s*h"
    r"\s*(?:@\s*(?P<first>\S+))?"
)
_SIZE: Final = re.compile(r"(?P<number>\d{1,6}(?:[.,]\d{1,6})?)\s*%")
TODAY: Final = "today"
"""What the situation is called that scenarios are compared with."""
_LONGEST_DELAY: Final = 520
_LARGEST: Final = 100.0


@dataclass(frozen=True, slots=True)
class Hire:
    """People who join: how many, in which role, with how many hours a week, from which day on."""

    role: str
    hours_per_week: Decimal
    first: date | None = None
    count: int = 1


@dataclass(frozen=True, slots=True)
class Leave:
    """Someone who leaves. ``first`` is the first day on which they are gone; None: at once."""

    email: str
    first: date | None = None


@dataclass(frozen=True, slots=True)
class Scenario:
    """A set of changes under a name. Deals are named by key, people by e-mail."""

    name: str
    win: tuple[str, ...] = ()
    lose: tuple[str, ...] = ()
    delay: Mapping[str, int] = field(default_factory=dict)
    """Weeks by deal; negative: earlier."""
    resize: Mapping[str, float] = field(default_factory=dict)
    """Factors by deal: 1.5 is half as much again."""
    hire: tuple[Hire, ...] = ()
    leave: tuple[Leave, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether it changes nothing."""
        return self == Scenario(self.name)


def parse_hire(text: str) -> Hire:
    """Reads ``Back:40h``, ``Back:40h@2027-01-04`` or ``2x Back:40h@2027-01-04``.

    :raises InvalidValue: it is none of these.
    """
    found = _HIRE.fullmatch(text.strip())
    if not found:
        raise InvalidValue(f"{text!r} is not a hire; write Back:40h@2027-01-04, or 2x Back:40h")
    try:
        hours = Decimal(found["hours"].replace(",", "."))
    except InvalidOperation:
        raise InvalidValue(f"{text!r}: {found['hours']!r} is not a number of hours") from None
    if not 0 < hours <= HOURS_IN_A_WEEK:
        raise InvalidValue(
            f"{text!r}: {hours} hours a week; more than 0 and up to {HOURS_IN_A_WEEK} are allowed"
        )
    count = int(found["count"] or 1)
    if not count:
        raise InvalidValue(f"{text!r} hires no person")
    return Hire(found["role"], hours, _day(found["first"]), count)


def parse_leave(text: str) -> Leave:
    """Reads ``ana@example.org`` or ``ana@example.org=2027-02-01``.

    :raises InvalidValue: it is neither.
    """
    email, _, day = text.strip().partition("=")
    if "@" not in email:
        raise InvalidValue(f"{text!r} is not a leave; write ana@example.org=2027-02-01")
    return Leave(email.strip().lower(), _day(day.strip()))


def parse_delay(text: str) -> tuple[str, int]:
    """Reads ``D-2=4w``.

    :raises InvalidValue: it is not a deal with a number of weeks.
    """
    key, weeks = _pair(text, "D-2=4w")
    count = parse_weeks(weeks)
    if abs(count) > _LONGEST_DELAY:
        raise InvalidValue(f"{text!r}: up to {_LONGEST_DELAY} weeks are allowed")
    return key, count


def parse_resize(text: str) -> tuple[str, float]:
    """Reads ``D-3=150%``.

    :raises InvalidValue: it is not a deal with a percentage.
    """
    key, size = _pair(text, "D-3=150%")
    return key, parse_size(size)


def parse_size(text: str) -> float:
    """Reads a percentage as a factor.

    :raises InvalidValue: it is none, or a negative or huge one.
    """
    found = _SIZE.fullmatch(text.strip())
    factor = float(found["number"].replace(",", ".")) / 100 if found else -1
    if not 0 <= factor <= _LARGEST:
        raise InvalidValue(f"{text!r} is not a size; write 150% for one and a half times")
    return factor


def _pair(text: str, example: str) -> tuple[str, str]:
    key, sign, value = text.strip().rpartition("=")
    if not sign or not key.strip():
        raise InvalidValue(f"{text!r} names a deal without a value; write {example}")
    return key.strip(), value


def _day(text: str | None) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidValue(f"{text!r} is not a date; write 2027-01-04") from None


def written_hire(hire: Hire) -> str:
    """Writes what `parse_hire` reads."""
    count = f"{hire.count}x " if hire.count > 1 else ""
    day = f"@{hire.first}" if hire.first else ""
    return f"{count}{hire.role}:{hire.hours_per_week:f}h{day}"


def written_leave(leave: Leave) -> str:
    """Writes what `parse_leave` reads."""
    return f"{leave.email}={leave.first}" if leave.first else leave.email


def written_changes(scenario: Scenario) -> dict[str, str]:
    """Returns what a scenario supposes, as text by kind of change; nothing for what it does not."""
    texts = {
        "win": scenario.win,
        "lose": scenario.lose,
        "delay": [f"{key}={weeks}w" for key, weeks in scenario.delay.items()],
        "resize": [f"{key}={100 * size:g}%" for key, size in scenario.resize.items()],
        "hire": map(written_hire, scenario.hire),
        "leave": map(written_leave, scenario.leave),
    }
    return {name: text for name, each in texts.items() if (text := ", ".join(each))}


def check_scenario(scenario: Scenario) -> None:
    """Makes sure that a scenario makes sense by itself.

    :raises InvalidValue: all contradictions in it.
    """
    problems = [
        f"deal {key} cannot be both won and lost"
        for key in dict.fromkeys(scenario.win)
        if key in scenario.lose
    ]
    problems += [
        f"deal {key} is lost, so that it cannot be delayed or resized"
        for key in dict.fromkeys(scenario.lose)
        if key in scenario.delay or key in scenario.resize
    ]
    if problems:
        raise InvalidValue(*problems)


def apply_scenario(situation: Situation, scenario: Scenario) -> Situation:
    """Returns the situation as the scenario supposes it. The given one stays as it is.

    :raises InvalidValue: all deals and people that it names and that are not there, with the
        nearest names; and contradictions.
    """
    check_scenario(scenario)
    _check_names(situation, scenario)
    keys = dict.fromkeys((*scenario.win, *scenario.lose, *scenario.delay, *scenario.resize))
    fates = {
        key: Fate(
            won=key in scenario.win,
            lost=key in scenario.lose,
            delay_weeks=scenario.delay.get(key, 0),
            size=scenario.resize.get(key, 1.0),
        )
        for key in keys
    }
    gone = {each.email: each.first or situation.as_of for each in scenario.leave}
    people = [_without(person, gone.get(person.email)) for person in situation.people]
    new = _hired(situation, scenario)
    return replace(situation, people=(*people, *new), fates={**situation.fates, **fates})


def _without(person: Person, gone: date | None) -> Person:
    if gone is None or (person.ends and person.ends < gone):
        return person
    return replace(person, ends=gone - _DAY)


def _hired(situation: Situation, scenario: Scenario) -> Iterable[Person]:
    """Yields people who do not exist yet; a role is spelled as the roster spells it."""
    spelling = {normalise(person.role): person.role for person in situation.people}
    for number, hire in enumerate(scenario.hire, start=1):
        for each in range(1, hire.count + 1):
            yield Person(
                email=f"hire-{number}-{each}@scenario.invalid",
                name=f"{hire.role} (hire {number}.{each})",
                role=spelling.get(normalise(hire.role), hire.role),
                hours_per_week=hire.hours_per_week,
                starts=hire.first or situation.as_of,
            )


def _check_names(situation: Situation, scenario: Scenario) -> None:
    deals = {deal.key for deal in situation.deals}
    people = {person.email for person in situation.people}
    named = dict.fromkeys((*scenario.win, *scenario.lose, *scenario.delay, *scenario.resize))
    problems = [
        f"scenario {scenario.name}: there is no deal {key!r}{did_you_mean(key, deals)}"
        for key in named
        if key not in deals
    ]
    problems += [
        f"scenario {scenario.name}: no person has the address "
        f"{each.email!r}{did_you_mean(each.email, people)}"
        for each in scenario.leave
        if each.email not in people
    ]
    if problems:
        raise InvalidValue(*problems)
