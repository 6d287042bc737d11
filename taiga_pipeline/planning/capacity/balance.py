"""What is sure (capacity and confirmed hours), and open deals as rows to simulate, by number.

Needs numpy (the extra ``planning``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import groupby

import numpy as np

from taiga_pipeline.mapping.text import normalise
from taiga_pipeline.people.model import Person
from taiga_pipeline.planning.attendance import Attendance
from taiga_pipeline.planning.capacity.rows import (
    Floats,
    Integers,
    Row,
    Shape,
    Table,
    expected_hours,
)
from taiga_pipeline.planning.capacity.won_deals import Sure, by_role
from taiga_pipeline.planning.demand.deals import Booked, Demand, OpenDemand
from taiga_pipeline.planning.demand.milestones import Stretch
from taiga_pipeline.planning.weeks import WEEK, Weeks
from taiga_pipeline.problems import did_you_mean


class Roles:
    """The roles of people and deals by number, with the names that they go by."""

    def __init__(self, people: Iterable[Person], demand: Demand) -> None:
        roster = list(people)
        held = {normalise(person.role): person.role for person in roster if person.role}
        self._own = {person.email: person.role for person in roster}
        asked: dict[str, str] = {}
        self._askers: dict[str, str] = {}
        for role, email, key in _asked(demand):
            asked.setdefault(normalise(role), role)
            if email not in self._own:
                self._askers.setdefault(normalise(role), key)
        self._held = held
        names = asked | held
        self._order = {name: at for at, name in enumerate(sorted(names))}
        self._numbers: dict[str, int] = {}
        self.names = [names[name] or "(no role)" for name in self._order]

    def number(self, role: str) -> int:
        """Returns the number of a role that is known."""
        if role not in self._numbers:
            self._numbers[role] = self._order[normalise(role)]
        return self._numbers[role]

    def bearer(self, role: str, email: str) -> int | None:
        """Returns the role whose capacity bears hours in ``role``: that of whoever does them.

        It is None for people without a role, whose capacity is not counted either. Hours that
        no one on the roster is named for are the role's own.
        """
        if email not in self._own:
            return self.number(role)
        own = self._own[email]
        return self.number(own) if own else None

    def notices(self) -> Iterator[str]:
        """Yields a notice for each role that is asked for, but that no one has."""
        if not self._held:
            return
        for folded, key in self._askers.items():
            if folded not in self._held:
                name = self.names[self._order[folded]]
                near = did_you_mean(name, self._held.values())
                yield f"no person has the role {name!r} that {key} asks for{near}"


def _asked(demand: Demand) -> Iterator[tuple[str, str, str]]:
    """Yields the roles that are asked for, with who is named for the hours and the first deal."""
    seen: set[tuple[str, str]] = set()
    for open_ in demand.open:
        for stretch in open_.stretches:
            if (stretch.role, stretch.email) not in seen:
                seen.add((stretch.role, stretch.email))
                yield stretch.role, stretch.email, open_.deal_key
    for booked in demand.booked:
        if (booked.role, booked.email) not in seen:
            seen.add((booked.role, booked.email))
            yield booked.role, booked.email, booked.deal_key


@dataclass(frozen=True, slots=True)
class Staff:
    """People with their hours by week (by address), and when they are there."""

    people: Sequence[Person]
    hours: Mapping[str, Sequence[float]]
    attendance: Attendance


_ByRole = list[tuple[Integers, Floats]]
"""For each role the rows that ask for it, and hours by row and week."""


class Balance:
    """What is sure: capacity and confirmed hours; and open deals as rows to simulate.

    Hours that someone is named for are borne by that person's own role, whatever they do: capacity
    counts everyone there. ``parts`` are what public holidays leave of each role's weeks: open
    deals' hours are those of full weeks, times these.
    """

    def __init__(
        self,
        roles: Roles,
        window: Weeks,
        staff: Staff,
        demand: Demand,
        like: Balance | None = None,
    ) -> None:
        self.names = roles.names
        self.window = window
        size = len(roles.names), len(window)
        self.people = np.zeros(len(roles.names), dtype=np.intp)
        self.capacity = np.zeros(size)
        for person in staff.people:
            if person.role:
                number = roles.number(person.role)
                self.people[number] += 1
                self.capacity[number] += np.maximum(staff.hours[person.email], 0)
        self.parts = np.array(
            [[staff.attendance.role_part(name, week) for week in window] for name in roles.names]
        ).reshape(size)
        self.confirmed = np.zeros(size)
        self._booked: list[tuple[int, int, str, float]] = []
        for booked in demand.booked:
            self._book(roles, booked)
        if like is not None and (like.window, like.names) != (window, roles.names):
            like = None
        self._open = demand.open
        numbers = _Numbers(window)
        known = {} if like is None else like.known_rows
        make = _Rows(roles, numbers, staff.attendance)
        self.rows = [known.get(id(each)) or make.row(each) for each in demand.open]
        self._entered = [numbers[each.entered] for each in demand.open]
        self._shape = Shape(len(roles.names), len(window))
        changed = None if like is None else self._changed(like)
        if like is None or changed is None:
            self.table = Table.of(self.rows, len(window))
            self._expected, self._if_won = self._hours(self.table)
        else:
            self._take_over(like, changed)
        self.expected = self._in_parts(self._expected)
        self.weighted = self.confirmed + _summed(self.expected, self._shape)
        self.exposure = self.confirmed + _summed(self._in_parts(self._if_won), self._shape)

    @cached_property
    def sure(self) -> Sequence[Sure]:
        """What won deals ask for, by role, deal and week."""
        return by_role(self._booked, len(self.names), len(self.window))

    @cached_property
    def known_rows(self) -> dict[int, Row]:
        """The rows by what they were made of."""
        return {id(each): row for each, row in zip(self._open, self.rows, strict=True)}

    def _changed(self, like: Balance) -> list[int] | None:
        """Returns which rows are not those of ``like``, None if there are more or fewer."""
        if len(like.rows) != len(self.rows):
            return None
        pairs = zip(self.rows, like.rows, strict=True)
        return [
            number
            for number, (row, before) in enumerate(pairs)
            if row is not before and row != before
        ]

    def _hours(self, table: Table) -> tuple[_ByRole, _ByRole]:
        """Returns the hours that are expected, and those that are if every row that may be is won.
        They are those of full weeks."""
        entered = table.if_won_at(self._entered)
        return list(expected_hours(table, self._shape)), list(expected_hours(entered, self._shape))

    def _take_over(self, like: Balance, changed: Sequence[int]) -> None:
        """Works out again what is asked of the roles that changed rows concern, or did."""
        rows = [self.rows[number] for number in changed]
        self.table = like.table.replaced(changed, rows) if changed else like.table
        before = (like.rows[number] for number in changed)
        roles = {role for row in (*rows, *before) for role, _, _ in row.steps}
        expected, if_won = self._hours(self.table.of_roles(sorted(roles)))
        numbers = range(len(self.names))
        self._expected = [(expected if n in roles else like._expected)[n] for n in numbers]
        self._if_won = [(if_won if n in roles else like._if_won)[n] for n in numbers]

    def _in_parts(self, expected: _ByRole) -> _ByRole:
        if (self.parts == 1).all():
            return expected
        return [
            (rows, hours * part) for (rows, hours), part in zip(expected, self.parts, strict=True)
        ]

    def _book(self, roles: Roles, booked: Booked) -> None:
        week = self.window.index(booked.week)
        bearer = roles.bearer(booked.role, booked.email)
        if bearer is not None and 0 <= week < len(self.window):
            self.confirmed[bearer, week] += booked.hours
            self._booked.append((bearer, week, booked.deal_key, booked.hours))


def _summed(expected: Iterable[tuple[object, Floats]], shape: Shape) -> Floats:
    summed = [hours.sum(axis=0) for _, hours in expected]
    return np.array(summed).reshape(shape.roles, shape.weeks)


class _Numbers(dict[date, int]):
    """The numbers of weeks by their Mondays, worked out once: the same ones come again and again.

    Deals that share their starts share what is made of them.
    """

    def __init__(self, window: Weeks) -> None:
        super().__init__()
        self._window = window
        self._starts: dict[int, tuple[tuple[int, float], ...]] = {}

    def __missing__(self, week: date) -> int:
        self[week] = number = self._window.index(week)
        return number

    def starts(self, starts: tuple[tuple[date, float], ...]) -> tuple[tuple[int, float], ...]:
        """Returns starts with the numbers of their weeks."""
        found = self._starts.get(id(starts))
        if found is None:
            found = self._starts[id(starts)] = tuple((self[week], part) for week, part in starts)
        return found


@dataclass(frozen=True, slots=True)
class _Rows:
    """Makes rows of open deals."""

    roles: Roles
    numbers: _Numbers
    attendance: Attendance

    def row(self, open_: OpenDemand) -> Row:
        steps: dict[tuple[int, int], float] = {}
        for stretch in open_.stretches:
            role = self.roles.bearer(stretch.role, stretch.email)
            if role is None:
                continue
            for first, after, hours in self._by_holidays(stretch, role, open_.entered):
                steps[role, first] = steps.get((role, first), 0.0) + hours
                steps[role, after] = steps.get((role, after), 0.0) - hours
        kept = tuple([(role, week, steps[role, week]) for role, week in sorted(steps)])
        return Row(open_.probability, self.numbers.starts(open_.starts), kept)

    def _by_holidays(
        self, stretch: Stretch, role: int, entered: date
    ) -> Iterator[tuple[int, int, float]]:
        """Yields a stretch as first week, week after the last, and hours.

        Rows shrink with the holidays of their role. Hours of someone who has others are made up
        for it, as they lie where the project begins as entered.
        """
        if not (stretch.email and self.attendance.any_public):
            yield stretch.first, stretch.after, stretch.hours
            return
        name = self.roles.names[role]

        def left(at: int) -> float:
            week = entered + WEEK * at
            shared = self.attendance.role_part(name, week)
            return self.attendance.person_part(stretch.email, week) / shared if shared else 1.0

        first = stretch.first
        for part, weeks in groupby(range(stretch.first, stretch.after), left):
            after = first + len(list(weeks))
            yield first, after, stretch.hours * part
            first = after
