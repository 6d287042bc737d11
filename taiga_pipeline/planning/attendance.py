"""Who is at work on which day, and what public holidays leave of a week.

Hours per week are those of a full week. In a week with public holidays they shrink with its working
days, on both sides alike: what a person can work and what they are allocated to by the holidays of
that person, and what is asked of a role, without a name, by those of the people who have the role
(their mean, by weekly hours). So a holiday alone never makes anybody short. Time off is different:
work does not wait for it, so that the hours of someone who is away are not filled.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from taiga_pipeline.mapping.text import normalise
from taiga_pipeline.people.calendar import WORKING_DAYS, WorkingHours, days_off
from taiga_pipeline.people.model import Person, TimeOff

_DAY: Final = timedelta(days=1)
_NONE: Final[frozenset[date]] = frozenset()


@dataclass(frozen=True, slots=True)
class Days:
    """Days of one week, of Monday to Friday, that an allocation spans.

    ``asked`` of them are not public holidays of the person, and on ``there`` of those they work.
    """

    span: int
    asked: int
    there: int

    @property
    def worked(self) -> float:
        """The part of a full week that is worked."""
        return self.there / WORKING_DAYS

    @property
    def filled(self) -> float:
        """The part of a full week's demand that is filled: as if there were no public holidays."""
        return self.span / WORKING_DAYS * (self.there / self.asked if self.asked else 1.0)


class Attendance:
    """People, their time off and their public holidays, within some weeks.

    Without ``hours`` no public holidays are known. People who are not on the roster are always
    there.
    """

    def __init__(
        self,
        people: Sequence[Person] = (),
        time_off: Iterable[TimeOff] = (),
        mondays: Sequence[date] = (),
        hours: WorkingHours | None = None,
    ) -> None:
        self._people = {person.email: person for person in people}
        self._off = days_off(time_off, mondays)
        self._public: Mapping[str, Collection[date]] = hours.public if hours else {}
        self._usual: Collection[date] = hours.usual_public if hours else _NONE
        self.any_public = bool(self._usual) or any(self._public.values())
        self._roles: dict[str, list[Person]] = {}
        for person in people:
            for name in dict.fromkeys(map(normalise, (person.role, *person.skills))):
                own = name == normalise(person.role)
                self._roles.setdefault(name if own else f"skill {name}", []).append(person)
        self._known: dict[tuple[str, date], float] = {}

    def person_part(self, email: str, week: date) -> float:
        """Returns what public holidays leave of a person's week (its Monday): 0 to 1."""
        return self._left(self._public_of(email), week)

    def role_part(self, role: str, week: date) -> float:
        """Returns what public holidays leave of a week, for what is asked of a role: 0 to 1."""
        if not self.any_public:
            return 1.0
        place = normalise(role), week
        if place not in self._known:
            self._known[place] = self._mean(self._who(place[0]), week)
        return self._known[place]

    def days(self, email: str, week: date, first: date, last: date | None) -> Days:
        """Returns the days of a week from ``first`` to ``last`` (None: no end) for a person."""
        span = [
            day
            for day in (week + _DAY * number for number in range(WORKING_DAYS))
            if first <= day and (last is None or day <= last)
        ]
        public, off = self._public_of(email), self._off.get(email, _NONE)
        asked = [day for day in span if day not in public]
        there = sum(day not in off and self._is_employed(email, day) for day in asked)
        return Days(len(span), len(asked), there)

    def _public_of(self, email: str) -> Collection[date]:
        return self._public.get(email, self._usual)

    def _is_employed(self, email: str, day: date) -> bool:
        person = self._people.get(email)
        if person is None:
            return True
        begun = person.starts is None or person.starts <= day
        return begun and (person.ends is None or day <= person.ends)

    def _who(self, role: str) -> Sequence[Person]:
        """Returns those who have a role; if there is no one, those who have it as a skill; else
        everybody."""
        return (
            self._roles.get(role)
            or self._roles.get(f"skill {role}")
            or tuple(self._people.values())
        )

    def _mean(self, people: Sequence[Person], week: date) -> float:
        last = week + _DAY * (WORKING_DAYS - 1)
        there = [
            person
            for person in people
            if (person.starts is None or person.starts <= last)
            and (person.ends is None or week <= person.ends)
        ]
        hours = [max(0.0, float(person.hours_per_week)) for person in there]
        if not sum(hours):
            return self._left(self._usual, week) if not people else self._plain(people, week)
        parts = (self.person_part(person.email, week) for person in there)
        return sum(part * each for part, each in zip(parts, hours, strict=True)) / sum(hours)

    def _plain(self, people: Sequence[Person], week: date) -> float:
        return sum(self.person_part(person.email, week) for person in people) / len(people)

    def _left(self, public: Collection[date], week: date) -> float:
        if not public:
            return 1.0
        days = (week + _DAY * number for number in range(WORKING_DAYS))
        return sum(day not in public for day in days) / WORKING_DAYS
