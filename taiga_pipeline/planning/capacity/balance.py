"""What is sure (capacity and confirmed hours), and open deals as rows to simulate, by number.

Needs numpy (the extra ``planning``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from taiga_pipeline.mapping.text import normalise
from taiga_pipeline.people.model import Person
from taiga_pipeline.planning.capacity.simulation import Floats, Row, Shape, Step, expected_hours
from taiga_pipeline.planning.demand.deals import Booked, Demand, OpenDemand
from taiga_pipeline.planning.weeks import Weeks
from taiga_pipeline.problems import did_you_mean


class Roles:
    """The roles of people and deals by number, with the names that they go by."""

    def __init__(self, people: Iterable[Person], demand: Demand) -> None:
        held = {normalise(person.role): person.role for person in people if person.role}
        asked: dict[str, str] = {}
        self._askers: dict[str, str] = {}
        for role, key in _asked(demand).items():
            asked.setdefault(normalise(role), role)
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

    def notices(self) -> Iterator[str]:
        """Yields a notice for each role that is asked for, but that no one has."""
        if not self._held:
            return
        for folded, key in self._askers.items():
            if folded not in self._held:
                name = self.names[self._order[folded]]
                near = did_you_mean(name, self._held.values())
                yield f"no person has the role {name!r} that {key} asks for{near}"


def _asked(demand: Demand) -> dict[str, str]:
    """Returns the roles that are asked for, each with the first deal that does."""
    found: dict[str, str] = {}
    for open_ in demand.open:
        for stretch in open_.stretches:
            found.setdefault(stretch.role, open_.deal_key)
    for booked in demand.booked:
        found.setdefault(booked.role, booked.deal_key)
    return found


class Balance:
    """What is sure: capacity and confirmed hours; and open deals as rows to simulate."""

    def __init__(
        self,
        roles: Roles,
        window: Weeks,
        people: Sequence[Person],
        hours: Mapping[str, Sequence[float]],
        demand: Demand,
    ) -> None:
        self.names = roles.names
        self.window = window
        size = len(roles.names), len(window)
        self.people = np.zeros(len(roles.names), dtype=np.intp)
        self.capacity = np.zeros(size)
        for person in people:
            if person.role:
                number = roles.number(person.role)
                self.people[number] += 1
                self.capacity[number] += np.maximum(hours[person.email], 0)
        self.confirmed = np.zeros(size)
        for booked in demand.booked:
            self._book(roles, booked)
        self.rows = [_row(each, roles, window) for each in demand.open]
        entered = [
            replace(row, probability=float(row.probability > 0), starts=((begin, 1.0),))
            for row, begin in zip(self.rows, _entered(demand.open, window), strict=True)
        ]
        shape = Shape(len(roles.names), len(window))
        self.expected = list(expected_hours(self.rows, shape))
        self.weighted = self.confirmed + _summed(self.expected, shape)
        self.exposure = self.confirmed + _summed(expected_hours(entered, shape), shape)

    def _book(self, roles: Roles, booked: Booked) -> None:
        week = self.window.index(booked.week)
        if 0 <= week < len(self.window):
            self.confirmed[roles.number(booked.role), week] += booked.hours


def _entered(open_: Iterable[OpenDemand], window: Weeks) -> Iterator[int]:
    return (window.index(each.entered) for each in open_)


def _summed(expected: Iterable[tuple[object, Floats]], shape: Shape) -> Floats:
    summed = [hours.sum(axis=0) for _, hours in expected]
    return np.array(summed).reshape(shape.roles, shape.weeks)


def _row(open_: OpenDemand, roles: Roles, window: Weeks) -> Row:
    steps: dict[tuple[int, int], float] = {}
    for stretch in open_.stretches:
        role = roles.number(stretch.role)
        for week, hours in ((stretch.first, stretch.hours), (stretch.after, -stretch.hours)):
            steps[role, week] = steps.get((role, week), 0.0) + hours
    kept: tuple[Step, ...] = tuple((*place, steps[place]) for place in sorted(steps))
    starts = tuple((window.index(week), chance) for week, chance in open_.starts)
    return Row(open_.probability, starts, kept)
