"""Who is short, of which role, in which week, because of which deals.

Capacity is what people can work; demand is what won deals need for sure plus what open deals may
need, from simulated futures (`simulation`) or, where few deals ask for a role in a week,
from exact computation (`exact`). Quantiles do not add up over roles and
weeks: each total is worked out from the trials again. Needs numpy (the extra ``planning``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Final

from taiga_pipeline.mapping.mapping_set import MappingSet
from taiga_pipeline.mapping.text import normalise
from taiga_pipeline.people.calendar import HolidaysOf, WorkingHours, working_hours
from taiga_pipeline.people.model import Person
from taiga_pipeline.pipeline.errors import InvalidValue, UnknownName
from taiga_pipeline.planning.attendance import Attendance
from taiga_pipeline.planning.capacity.balance import Balance, Roles, Staff
from taiga_pipeline.planning.capacity.idle import Chances, people_capacity
from taiga_pipeline.planning.capacity.kept import KeptDraws
from taiga_pipeline.planning.capacity.overload import overload_notices
from taiga_pipeline.planning.capacity.result import CapacityReport
from taiga_pipeline.planning.capacity.rows import Shape
from taiga_pipeline.planning.capacity.summary import Draw, Summary
from taiga_pipeline.planning.demand.deals import (
    Demand,
    OpenDemand,
    Situation,
    find_demand,
    of_team,
)
from taiga_pipeline.planning.demand.silent import by_service
from taiga_pipeline.planning.outlook import Outlooks
from taiga_pipeline.planning.weeks import Weeks, monday
from taiga_pipeline.problems import did_you_mean

DEFAULT_QUANTILE: Final = 0.8
DEFAULT_TRIALS: Final = 10_000
MOST_TRIALS: Final = 100_000


@dataclass(frozen=True, slots=True)
class Options:
    """What is asked. ``weeks`` are those shown; ``team`` "" means everyone.

    ``default_country`` is that of people who have none, ``holidays_of`` tells its public holidays.
    ``kept`` are draws of a plan that differs in a few deals or people; they serve where drivers are
    not asked for. ``brief`` leaves out what only details of single weeks show, a fifth of the work:
    the deals behind a week, and those of its figures that are then NaN (see `Cell`). Totals have
    everything.
    """

    weeks: Weeks
    holidays_of: HolidaysOf
    quantile: float = DEFAULT_QUANTILE
    trials: int = DEFAULT_TRIALS
    seed: int = 1
    team: str = ""
    default_country: str = ""
    with_drivers: bool = True
    brief: bool = False
    kept: KeptDraws | None = None


def find_capacity(
    situation: Situation,
    mappings: MappingSet,
    outlooks: Outlooks,
    options: Options,
) -> CapacityReport:
    """Returns capacity and demand by role and week.

    :raises InvalidValue: a quantile or a number of trials that is invalid.
    :raises UnknownName: no one and no deal is of the team; names the nearest.
    """
    _check(options)
    demand = demand_for(situation, mappings, outlooks, options)
    return capacity_for(situation, demand, outlooks, options)


def demand_for(
    situation: Situation,
    mappings: MappingSet,
    outlooks: Outlooks,
    options: Options,
    only: Collection[str] | None = None,
) -> Demand:
    """Returns the demand of all teams, from now or the first week shown to the last.

    Projects that begin before the weeks shown reach into them. ``only`` are the keys of the deals
    to look at (None: all).
    """
    if only is not None:
        deals = tuple(each for each in situation.deals if each.key in only)
        situation = replace(situation, deals=deals)
    window = _window(situation.as_of, options.weeks)
    _, attendance = _attendance(situation, options)
    return find_demand(situation, mappings, outlooks, window, attendance)


def _attendance(situation: Situation, options: Options) -> tuple[WorkingHours, Attendance]:
    """Returns when everybody can work."""
    make = partial(_work_out_attendance, situation, options)
    return options.kept.attendance(situation, make) if options.kept else make()


def _work_out_attendance(situation: Situation, options: Options) -> tuple[WorkingHours, Attendance]:
    mondays = list(_window(situation.as_of, options.weeks))
    hours = working_hours(
        situation.people,
        situation.time_off,
        mondays,
        holidays_of=options.holidays_of,
        default_country=options.default_country,
    )
    return hours, Attendance(situation.people, situation.time_off, mondays, hours)


def capacity_for(
    situation: Situation,
    demand: Demand,
    outlooks: Outlooks,
    options: Options,
    unseen: Sequence[OpenDemand] = (),
) -> CapacityReport:
    """Returns `find_capacity` of a demand that was found for the same situation and options.

    ``unseen`` is what deals that the pipeline does not hold yet may ask for besides; it is not
    among the drivers, nor in the number of open deals.

    :raises InvalidValue: a quantile or a number of trials that is invalid.
    :raises UnknownName: no one and no deal is of the team; names the nearest.
    """
    _check(options)
    window = _window(situation.as_of, options.weeks)
    people = situation.people
    if options.team:
        people, demand = _of_team(situation, demand, options.team)
    open_deals = len(demand.open)
    demand = replace(demand, open=(*demand.open, *unseen))
    hours, attendance = _attendance(situation, options)
    roles = Roles(people, demand)
    like = options.kept.balance if options.kept else None
    balance = Balance(roles, window, Staff(people, hours.by_person, attendance), demand, like)
    shape = Shape(len(roles.names), len(window), outlooks.common_shock_sd, outlooks.median)
    summary = Summary(balance, demand, shape, _draw(options), window.index(options.weeks.first))
    too_much = overload_notices(people, demand, _booked_hours(demand, hours, window))
    about_people = (*_people_notices(people), *roles.notices(), *too_much)
    empty = CapacityReport(
        as_of=situation.as_of,
        weeks=options.weeks,
        quantile=options.quantile,
        trials=options.trials,
        seed=options.seed,
        common_shock_sd=outlooks.common_shock_sd,
        open_deals=open_deals,
        notices=(*demand.notices, *hours.notices, *about_people),
        silent=by_service(demand.silent_open, demand.silent_won, situation.deals),
    )
    by_deal = {each.deal_key: each.probability for each in demand.open}
    chances = Chances(by_deal, outlooks.median, outlooks.common_shock_sd)
    shown = slice(window.index(options.weeks.first), None)
    there = {email: each[shown] for email, each in hours.by_person.items()}
    by_person = people_capacity(people, there, demand, chances, options.weeks)
    return replace(_filled(empty, summary), people=by_person)


def _draw(options: Options) -> Draw:
    return Draw(
        options.trials,
        options.seed,
        options.quantile,
        options.with_drivers,
        options.brief,
        options.kept,
    )


def _booked_hours(
    demand: Demand, hours: WorkingHours, window: Weeks
) -> dict[str, dict[date, float]]:
    """Returns what those who are on deals can work: email -> Monday -> hours."""
    booked = {each.email for each in (*demand.booked, *demand.reserved)}
    return {
        email: dict(zip(window, each, strict=True))
        for email, each in hours.by_person.items()
        if email in booked
    }


def _filled(report: CapacityReport, summary: Summary) -> CapacityReport:
    roles = summary.roles()
    by_week, total = summary.over_roles(roles)
    return replace(report, roles=roles, by_week=by_week, total=total)


def _check(options: Options) -> None:
    if not 0 < options.quantile < 1:
        raise InvalidValue(f"the quantile {options.quantile:g} is not between 0 and 1; write 0.8")
    if not 1 <= options.trials <= MOST_TRIALS:
        raise InvalidValue(f"{options.trials:,} trials; 1 to {MOST_TRIALS:,} are allowed")
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
        yield ("the roster is empty, so all demand is a gap")
    without = sorted(person.email for person in people if not person.role)
    if without:
        yield f"without a role, and so not counted: {', '.join(without)}"
    for person in people:
        if person.hours_per_week < 0:
            yield f"{person.email} has {person.hours_per_week} hours per week; counted as 0"
