"""Who is short, of which role, in which week, because of which deals.

Capacity is what people can work; demand is what won deals need for sure plus what open deals may
need, from simulated futures (`capacity_simulation`) or, where few deals ask for a role in a week,
from exact computation (`capacity_exact`). Quantiles do not add up over roles and
weeks: each total is worked out from the trials again. Needs numpy (the extra ``planning``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

import numpy as np

from taiga_pipeline.mapping.mapping_set import MappingSet
from taiga_pipeline.mapping.text import normalise
from taiga_pipeline.people.calendar import HolidaysOf, working_hours
from taiga_pipeline.people.model import Person
from taiga_pipeline.pipeline.errors import InvalidValue, UnknownName
from taiga_pipeline.planning.capacity_drivers import (
    TOLERANCE,
    Added,
    Drawn,
    RoleDrivers,
    worth_watching,
)
from taiga_pipeline.planning.capacity_exact import Distribution, ExactRole
from taiga_pipeline.planning.capacity_overload import overload_notices
from taiga_pipeline.planning.capacity_report import CapacityReport, Cell, Driver, RoleCapacity
from taiga_pipeline.planning.capacity_simulation import (
    Floats,
    Futures,
    Row,
    Shape,
    Simulation,
    Step,
    expected_hours,
)
from taiga_pipeline.planning.demand import (
    Booked,
    Demand,
    OpenDemand,
    Situation,
    find_demand,
    of_team,
)
from taiga_pipeline.planning.outlook import Outlooks
from taiga_pipeline.planning.weeks import Weeks, monday
from taiga_pipeline.problems import did_you_mean

DEFAULT_QUANTILE: Final = 0.8
DEFAULT_TRIALS: Final = 10_000
MOST_TRIALS: Final = 100_000
HIGH: Final = 0.95
STEPS: Final = "inverted_cdf"
"""A quantile is a number of hours that was drawn, never one in between."""


@dataclass(frozen=True, slots=True)
class Options:
    """What is asked. ``weeks`` are those shown; ``team`` "" means everybody.

    ``default_country`` is that of people who have none, ``holidays_of`` tells its public holidays.
    """

    weeks: Weeks
    holidays_of: HolidaysOf
    quantile: float = DEFAULT_QUANTILE
    trials: int = DEFAULT_TRIALS
    seed: int = 1
    team: str = ""
    default_country: str = ""
    with_drivers: bool = True


def find_capacity(
    situation: Situation,
    mappings: MappingSet,
    outlooks: Outlooks,
    options: Options,
) -> CapacityReport:
    """Returns capacity and demand by role and week.

    :raises InvalidValue: a quantile or a number of trials that makes no sense.
    :raises UnknownName: nobody and no deal is of the team; names the nearest.
    """
    _check(options)
    window = _window(situation.as_of, options.weeks)
    demand = find_demand(situation, mappings, outlooks, window)
    people = situation.people
    if options.team:
        people, demand = _of_team(situation, demand, options.team)
    hours = working_hours(
        people,
        situation.time_off,
        list(window),
        holidays_of=options.holidays_of,
        default_country=options.default_country,
    )
    roles = _Roles(people, demand)
    balance = _Balance(roles, window, people, hours.by_person, demand)
    shape = Shape(len(roles.names), len(window), outlooks.shock_sd, outlooks.bias)
    report = _Reporter(balance, demand, shape, options).report(situation.as_of)
    return replace(
        report,
        notices=(
            *demand.notices,
            *hours.notices,
            *_people_notices(people),
            *roles.notices(),
            *overload_notices(people, demand),
        ),
    )


def _check(options: Options) -> None:
    if not 0 < options.quantile < 1:
        raise InvalidValue(f"the quantile {options.quantile:g} is not between 0 and 1; write 0.8")
    if not 1 <= options.trials <= MOST_TRIALS:
        raise InvalidValue(f"{options.trials:,} trials; 1 to {MOST_TRIALS:,} make sense")
    if options.seed < 0:
        raise InvalidValue(f"the seed {options.seed} is negative")


def _window(as_of: date, shown: Weeks) -> Weeks:
    """Returns the weeks to look at: projects that begin before the weeks shown reach into them."""
    first = min(monday(as_of), shown.first)
    return Weeks(first, (shown.last - first).days // 7 + 1)


def _of_team(situation: Situation, demand: Demand, team: str) -> tuple[tuple[Person, ...], Demand]:
    wanted = normalise(team)
    people = tuple(each for each in situation.people if normalise(each.team) == wanted)
    deals = [deal.key for deal in situation.deals if normalise(deal.team) == wanted]
    if not people and not deals:
        known = {each.team for each in situation.people} | {each.team for each in situation.deals}
        known.discard("")
        listed = ", ".join(sorted(known)) or "none"
        raise UnknownName(
            f"no person and no deal is of the team {team!r}{did_you_mean(team, known)} "
            f"(teams: {listed})"
        )
    return people, of_team(demand, deals, (person.email for person in people))


def _people_notices(people: Collection[Person]) -> Iterator[str]:
    if not people:
        yield (
            "the roster is empty, so all demand is a gap; add people with: pipeline-sync people "
            "import FILE"
        )
    without = sorted(person.email for person in people if not person.role)
    if without:
        yield f"without a role, and so counted nowhere: {', '.join(without)}"
    for person in people:
        if person.hours_per_week < 0:
            yield f"{person.email} has {person.hours_per_week} hours per week; counted as 0"


class _Roles:
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
        """Yields a notice for each role that is asked for, but that nobody has."""
        if not self._held:
            return
        for folded, key in self._askers.items():
            if folded not in self._held:
                name = self.names[self._order[folded]]
                near = did_you_mean(name, self._held.values())
                yield f"nobody has the role {name!r} that {key} asks for{near}"


def _asked(demand: Demand) -> dict[str, str]:
    """Returns the roles that are asked for, each with the first deal that does."""
    found: dict[str, str] = {}
    for open_ in demand.open:
        for stretch in open_.stretches:
            found.setdefault(stretch.role, open_.deal_key)
    for booked in demand.booked:
        found.setdefault(booked.role, booked.deal_key)
    return found


class _Balance:
    """What is sure: capacity and confirmed hours; and open deals as rows to simulate."""

    def __init__(
        self,
        roles: _Roles,
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

    def _book(self, roles: _Roles, booked: Booked) -> None:
        week = self.window.index(booked.week)
        if 0 <= week < len(self.window):
            self.confirmed[roles.number(booked.role), week] += booked.hours


def _entered(open_: Iterable[OpenDemand], window: Weeks) -> Iterator[int]:
    return (window.index(each.entered) for each in open_)


def _summed(expected: Iterable[tuple[object, Floats]], shape: Shape) -> Floats:
    summed = [hours.sum(axis=0) for _, hours in expected]
    return np.array(summed).reshape(shape.roles, shape.weeks)


def _row(open_: OpenDemand, roles: _Roles, window: Weeks) -> Row:
    steps: dict[tuple[int, int], float] = {}
    for stretch in open_.stretches:
        role = roles.number(stretch.role)
        for week, hours in ((stretch.first, stretch.hours), (stretch.after, -stretch.hours)):
            steps[role, week] = steps.get((role, week), 0.0) + hours
    kept: tuple[Step, ...] = tuple((*place, steps[place]) for place in sorted(steps))
    starts = tuple((window.index(week), chance) for week, chance in open_.starts)
    return Row(open_.probability, starts, kept)


class _Reporter:
    """Draws futures and sums them up. Arrays have the axes role, week, trial."""

    def __init__(self, balance: _Balance, demand: Demand, shape: Shape, options: Options) -> None:
        self._balance = balance
        self._demand = demand
        self._shape = shape
        self._options = options
        self._skipped = balance.window.index(options.weeks.first)
        self._shown = range(self._skipped, len(balance.window))
        watched = worth_watching(balance.expected) if options.with_drivers else ()
        self._futures = Simulation(balance.rows, shape).run(options.trials, options.seed, watched)
        self._hours = self._futures.hours
        self._hours += balance.confirmed[:, :, None].astype(np.float32)

    def report(self, as_of: date) -> CapacityReport:
        roles = tuple(self._role(number) for number in range(self._shape.roles))
        every = np.s_[:]
        by_week = tuple(
            _adding_up(
                self._together(every, np.s_[week : week + 1]),
                [role.weeks[week - self._skipped] for role in roles],
            )
            for week in self._shown
        )
        return CapacityReport(
            as_of=as_of,
            weeks=self._options.weeks,
            quantile=self._options.quantile,
            trials=self._options.trials,
            seed=self._options.seed,
            shock_sd=self._shape.shock_sd,
            roles=roles,
            by_week=by_week,
            total=_adding_up(self._together(every, np.s_[self._skipped :]), by_week),
            open_deals=len(self._demand.open),
            notices=(),
        )

    def _role(self, number: int) -> RoleCapacity:
        one = np.s_[number : number + 1]
        drivers = _Drivers(self._balance, self._demand, self._futures, self._shape, number)
        exact = ExactRole(number, self._balance.rows, self._shape, self._balance.expected[number])
        weeks = tuple(
            self._exactly(
                self._together(one, np.s_[week : week + 1], drivers, [week]), exact.of_week(week)
            )
            for week in self._shown
        )
        total = _adding_up(self._together(one, np.s_[self._skipped :], drivers, self._shown), weeks)
        people = int(self._balance.people[number])
        return RoleCapacity(self._balance.names[number], people, weeks, total)

    def _exactly(self, cell: Cell, exact: Distribution | None) -> Cell:
        """Returns a cell with what is known exactly in the place of what was sampled."""
        if exact is None:
            return cell
        room = cell.capacity - cell.confirmed
        quantile = exact.quantile(self._options.quantile)
        return replace(
            cell,
            median=cell.confirmed + exact.quantile(0.5),
            quantile=cell.confirmed + quantile,
            high=cell.confirmed + exact.quantile(HIGH),
            gap=max(0.0, quantile - room),
            expected_gap=exact.expected_over(room),
            chance_short=exact.chance_over(room),
        )

    def _together(
        self,
        roles: slice,
        weeks: slice,
        drivers: _Drivers | None = None,
        of: Sequence[int] = (),
    ) -> Cell:
        """Sums up roles and weeks; an hour too many in one makes up for none in another."""
        balance, part = self._balance, self._hours[roles, weeks]
        capacity = balance.capacity[roles, weeks]
        over = part - capacity[:, :, None].astype(np.float32)
        missing = np.maximum(over, 0, out=over).sum(axis=(0, 1), dtype=np.float64)
        asked = part.sum(axis=(0, 1), dtype=np.float64)
        chosen = self._options.quantile
        median, quantile, high = np.quantile(asked, [0.5, chosen, HIGH], method=STEPS)
        expected_gap = float(missing.mean())
        return Cell(
            capacity=float(capacity.sum()),
            confirmed=float(balance.confirmed[roles, weeks].sum()),
            weighted=float(balance.weighted[roles, weeks].sum()),
            exposure=float(balance.exposure[roles, weeks].sum()),
            median=float(median),
            quantile=float(quantile),
            high=float(high),
            gap=float(np.quantile(missing, chosen, method=STEPS)),
            expected_gap=expected_gap,
            chance_short=float((missing > TOLERANCE).mean()),
            drivers=drivers.of(of) if drivers and expected_gap > TOLERANCE else (),
        )


def _adding_up(total: Cell, parts: Iterable[Cell]) -> Cell:
    """Returns a total whose expected gap is the sum of its parts'; means do add up."""
    return replace(total, expected_gap=sum(part.expected_gap for part in parts))


class _Drivers:
    """The deals behind one role's gaps."""

    def __init__(
        self, balance: _Balance, demand: Demand, futures: Futures, shape: Shape, number: int
    ) -> None:
        self._demand = demand
        drawn = Drawn(balance.rows, futures, balance.expected, shape)
        self._found = RoleDrivers(number, drawn, balance.capacity[number])

    def of(self, weeks: Sequence[int]) -> tuple[Driver, ...]:
        only_one = len(weeks) == 1
        added = self._found.of_week(weeks[0]) if only_one else self._found.of_all(weeks)
        return tuple(map(self._driver, added))

    def _driver(self, added: Added) -> Driver:
        deal = self._demand.open[added.row]
        return Driver(
            deal.deal_key, added.hours, added.weighted, deal.probability, deal.expected_close
        )
