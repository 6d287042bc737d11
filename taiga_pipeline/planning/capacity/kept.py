"""Draws that are kept, so that a plan that differs in a few deals or people costs little.

The first plan is drawn in full. Another one meets the same chances (see `simulation`), so that only
the deals that differ have to be looked at again, and only the roles that they or the changed people
concern have to be summed up again. What comes out is what drawing everything anew gives.
Needs numpy (the extra ``planning``).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from taiga_pipeline.planning.capacity.rows import Flags, Row, Shape, Single
from taiga_pipeline.planning.capacity.simulation import Futures, Simulation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from taiga_pipeline.people.calendar import WorkingHours
    from taiga_pipeline.people.model import Person
    from taiga_pipeline.planning.attendance import Attendance
    from taiga_pipeline.planning.capacity.balance import Balance
    from taiga_pipeline.planning.capacity.result import Cell, RoleCapacity
    from taiga_pipeline.planning.demand.deals import Situation

    _Times = tuple[WorkingHours, Attendance]

MOST_CHANGED: Final = 300
"""Deals that differ beyond which drawing everything again is as fast."""
_ROUNDING: Final = 1e-9


class KeptDraws:
    """The hours of a first plan, and the first plan's roles.

    All plans have the same trials, seed and quantile.
    """

    def __init__(self, trials: int, seed: int) -> None:
        self._trials = trials
        self._seed = seed
        self._first: tuple[Simulation, Shape, tuple[str, ...]] | None = None
        self._drawn: Futures
        self._times: tuple[Sequence[Person], _Times] | None = None
        self.balance: Balance | None = None
        self._roles: tuple[RoleCapacity, ...] = ()
        self._touched: frozenset[int] | None = None
        self._moved: Flags | None = None

    def attendance(self, situation: Situation, make: Callable[[], _Times]) -> _Times:
        """Returns when everybody can work; it is worked out once for the same people."""
        people, times = self._times or (None, None)
        if times is not None and people == situation.people:
            return times
        times = make()
        if self._times is None:
            self._times = situation.people, times
        return times

    def futures(self, balance: Balance, shape: Shape) -> Futures:
        """Returns the hours that open deals ask for."""
        names = tuple(balance.names)
        if self._first is None:
            simulation = Simulation(balance.rows, shape, balance.table)
            self._first = simulation, shape, names
            self._drawn = simulation.run(self._trials, self._seed, keep=True)
            self._touched = None
            return self._with(self._drawn.hours.copy())
        self._moved = None
        simulation, first_shape, first_names = self._first
        same = (shape, names) == (first_shape, first_names)
        changed = simulation.changed(balance.rows) if same else None
        if changed is None or len(changed) > MOST_CHANGED:
            self._touched = None
            anew = Simulation(balance.rows, shape, balance.table)
            if changed is not None:
                anew = simulation.like(balance.rows)
            return anew.run(self._trials, self._seed)
        old, new = self._rows_of(changed), [balance.rows[number] for number in changed]
        self._touched = frozenset(_roles_of([*old, *new]))
        if not changed:
            return self._with(self._drawn.hours.copy())
        more = simulation.change(balance.rows, changed, self._trials, self._seed)
        self._moved = np.zeros(more.shape[:2], dtype=bool)
        for role in self._touched:
            self._moved[role] = more[role].any(axis=1)
        return self._with(self._drawn.hours + more)

    def _with(self, hours: Single) -> Futures:
        return replace(self._drawn, hours=hours)

    def _rows_of(self, numbers: Sequence[int]) -> list[Row]:
        assert self.balance is not None
        return [self.balance.rows[number] for number in numbers]

    def role(self, number: int, balance: Balance) -> RoleCapacity | None:
        """Returns a role as it was in the first plan, if nothing of it differs in this one."""
        first = self.balance
        if first is None or self._touched is None or number in self._touched:
            return None
        pairs = (
            (first.people, balance.people),
            (first.capacity, balance.capacity),
            (first.confirmed, balance.confirmed),
            (first.parts, balance.parts),
        )
        if all(np.array_equal(old[number], new[number]) for old, new in pairs):
            return self._roles[number]
        return None

    def cell(self, number: int, week: int, balance: Balance) -> Cell | None:
        """Returns a role's week as it was in the first plan, if nothing of it differs in this one.
        The week counts from the first that is looked at."""
        first = self.balance
        if first is None or self._moved is None or self._moved[number, week]:
            return None
        pairs = (
            (first.capacity, balance.capacity),
            (first.confirmed, balance.confirmed),
            (first.parts, balance.parts),
            (first.weighted, balance.weighted),
            (first.exposure, balance.exposure),
        )
        if any(abs(old[number, week] - new[number, week]) > _ROUNDING for old, new in pairs):
            return None
        weeks = self._roles[number].weeks
        return weeks[week - (len(balance.window) - len(weeks))]

    def keep(self, balance: Balance, roles: tuple[RoleCapacity, ...]) -> None:
        """Remembers the first plan."""
        if self.balance is None:
            self.balance, self._roles = balance, roles


def _roles_of(rows: Sequence[Row]) -> Iterator[int]:
    for row in rows:
        for role, _, _ in row.steps:
            yield role
