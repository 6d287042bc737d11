"""The plan as a page shows it: people and roles by week, and what it becomes under a what-if."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from taiga_pipeline.app.planning.inputs import deal_name
from taiga_pipeline.app.planning.standing import plan_standing
from taiga_pipeline.app.planning.what_if import open_questions
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.mapping.text import normalise
from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.pipeline.text import folded
from taiga_pipeline.planning.weeks import week_name

if TYPE_CHECKING:
    from taiga_pipeline.app.planning.what_if import Questions
    from taiga_pipeline.people.model import Person
    from taiga_pipeline.pipeline.model import Deal
    from taiga_pipeline.planning.capacity.result import (
        CapacityReport,
        Cell,
        Driver,
        PersonCapacity,
        PersonWeek,
        RoleCapacity,
    )
    from taiga_pipeline.planning.scenario.model import Scenario

MOST_SUPPOSED: Final = 100
"""Deals and people that may be supposed something of at once."""
MOST_OFFERED: Final = 12
"""Deals that can be switched without being looked for."""
MOST_PEOPLE: Final = 60
MOST_LACKING: Final = 15
_SHOWN: Final = 0.5
"""Hours below which nothing is said."""
_NOTHING: Final[Mapping[str, Sequence[str]]] = {}


@dataclass(frozen=True, slots=True)
class PlayedWeek:
    """Hours of a person in a week: there, confirmed, tentative and ``away``.

    ``chance`` is that of the tentative hours, None without any. ``away`` are time off, public
    holidays, and days before the first and after the last one. ``free`` is P50, ``was_free`` the
    same of today's plan. ``deals`` says what the hours are for.
    """

    week: PersonWeek
    away: float
    chance: float | None
    free: float
    was_free: float
    deals: tuple[tuple[str, float, bool], ...]


@dataclass(frozen=True, slots=True)
class PlayedPerson:
    """A person by weeks, and the hours that are free over all of them."""

    person: PersonCapacity
    weeks: tuple[PlayedWeek, ...]
    full: float
    free: float
    was_free: float


@dataclass(frozen=True, slots=True)
class PlayedRole:
    """A role by weeks: as it is, and as it would be (the same, if nothing is supposed)."""

    role: str
    people: int
    weeks: tuple[tuple[Cell, Cell], ...]
    total: tuple[Cell, Cell]


@dataclass(frozen=True, slots=True)
class Lacking:
    """Hours that a role lacks in a week today, and the deals behind them, with their names."""

    role: str
    week_name: str
    cell: Cell
    drivers: tuple[tuple[Driver, str], ...]


@dataclass(frozen=True, slots=True)
class Switch:
    """An open deal that can be supposed won, lost, later or of another size; and what is."""

    deal: Deal
    chance: float | None
    fate: str = ""
    weeks: int = 0
    size: float = 1.0


@dataclass(frozen=True, slots=True)
class Played:
    """A plan, and what it becomes. ``roles`` and ``teams`` are those there are to choose from.

    ``left_out`` people are not shown. ``lacking`` are the greatest of today's plan; of the one that
    is supposed, if ``is_behind`` says so.
    """

    before: CapacityReport
    after: CapacityReport
    weeks: tuple[str, ...]
    roles: tuple[PlayedRole, ...]
    people: tuple[PlayedPerson, ...]
    left_out: int
    lacking: tuple[Lacking, ...]
    is_behind: bool
    switches: tuple[Switch, ...]
    supposed: Scenario
    all_roles: tuple[str, ...]
    teams: tuple[str, ...]

    @property
    def is_supposed(self) -> bool:
        """Whether anything is supposed."""
        return not self.supposed.is_empty


@dataclass(frozen=True, slots=True)
class Wish:
    """What of a plan is to be shown. ``weeks`` None is the configuration's horizon.

    ``role`` are the only people shown, "" for all; ``find`` are words of deals to switch.
    ``behind`` asks for the deals behind missing hours of what is supposed, too: that takes as long
    as drawing a plan.
    """

    team: str = ""
    weeks: int | None = None
    role: str = ""
    find: str = ""
    everybody: bool = False
    behind: bool = False


def play(
    workspace: Workspace,
    wish: Wish,
    supposed: Mapping[str, Sequence[str]] = _NOTHING,
) -> Played:
    """Returns the plan, and what it becomes under what is supposed (see `save_scenario`).

    The plan is drawn once for as long as deals, people and rules are what they are; then each
    question takes a fraction of that.

    :raises InvalidValue: what is supposed contradicts itself, or is too much.
    :raises UnknownName: there is no such team.
    :raises ProblemsError: what is wrong with the configuration, the mappings or the packages.
    :raises Unreachable: the source does not answer.
    """
    _check_bounds(supposed)
    name = f"plan {wish.weeks} {folded(wish.team)}"
    kept = workspace.remembered(name, plan_standing(workspace), lambda: _open(workspace, wish))
    from taiga_pipeline.app.planning.what_if import SUPPOSED
    from taiga_pipeline.planning.scenario.file import scenario_of

    scenario = scenario_of(SUPPOSED, supposed)
    before = kept.explained
    after = before if scenario.is_empty else kept.questions.ask(supposed).after
    explained = before
    if wish.behind and not scenario.is_empty:
        mark = (kept, repr(scenario))
        explained = workspace.remembered(
            f"{name} supposed", mark, lambda: kept.questions.explained(scenario)
        )
    shown = _people_of(after, wish.role)
    most = len(shown) if wish.everybody else MOST_PEOPLE
    return Played(
        before=before,
        after=after,
        weeks=tuple(week_name(week) for week in before.weeks),
        roles=tuple(_roles(before, after)),
        people=tuple(_person(each, kept, before) for each in shown[:most]),
        left_out=max(len(shown) - most, 0),
        lacking=tuple(_lacking(explained, kept.names)),
        is_behind=explained is not before,
        switches=tuple(_switches(kept, before, scenario, wish.find)),
        supposed=scenario,
        all_roles=tuple(sorted({each.role for each in before.people if each.role}, key=folded)),
        teams=kept.teams,
    )


@dataclass(frozen=True, slots=True)
class _Kept:
    questions: Questions
    explained: CapacityReport
    people: Mapping[str, Person]
    deals: Mapping[str, Deal]
    names: Mapping[str, str]
    teams: tuple[str, ...]


def _open(workspace: Workspace, wish: Wish) -> _Kept:
    from taiga_pipeline.planning.capacity.find import DEFAULT_TRIALS

    questions = open_questions(
        workspace,
        team=wish.team,
        first=None,
        weeks=wish.weeks,
        quantile=None,
        trials=DEFAULT_TRIALS,
        seed=1,
    )
    situation = questions.given.situation
    teams = {each.team for each in situation.people} | {each.team for each in situation.deals}
    return _Kept(
        questions=questions,
        explained=questions.explained(),
        people={each.email: each for each in situation.people},
        deals={each.key: each for each in situation.deals},
        names={each.key: deal_name(each) for each in situation.deals},
        teams=tuple(sorted(filter(None, teams), key=folded)),
    )


def _check_bounds(supposed: Mapping[str, Sequence[str]]) -> None:
    number = sum(map(len, supposed.values()))
    if number > MOST_SUPPOSED:
        raise InvalidValue(f"{number} things are supposed; {MOST_SUPPOSED} are allowed at once")


def _people_of(report: CapacityReport, role: str) -> list[PersonCapacity]:
    wanted = normalise(role)
    found = [each for each in report.people if not wanted or normalise(each.role) == wanted]
    return sorted(found, key=lambda each: (folded(each.role), folded(each.name), each.email))


def _roles(before: CapacityReport, after: CapacityReport) -> Iterator[PlayedRole]:
    from taiga_pipeline.planning.capacity.result import NOTHING, RoleCapacity

    width = len(before.weeks)
    old, new = ({each.role: each for each in report.roles} for report in (before, after))
    for name in dict.fromkeys((*old, *new)):
        empty = RoleCapacity(name, 0, (NOTHING,) * width, NOTHING)
        was: RoleCapacity = old.get(name, empty)
        is_now: RoleCapacity = new.get(name, empty)
        yield PlayedRole(
            name,
            is_now.people,
            tuple(zip(was.weeks, is_now.weeks, strict=True)),
            (was.total, is_now.total),
        )


def _person(now: PersonCapacity, kept: _Kept, before: CapacityReport) -> PlayedPerson:
    was = next((each for each in before.people if each.email == now.email), None)
    known = kept.people.get(now.email)
    full = float(known.hours_per_week) if known else max(w.capacity for w in now.weeks)
    old = was.weeks if was else (None,) * len(now.weeks)
    weeks = tuple(
        _week(week, full, week.idle.middle if before_week is None else before_week.idle.middle)
        for week, before_week in zip(now.weeks, old, strict=True)
    )
    was_free = was.total.idle.middle if was else 0.0
    return PlayedPerson(now, weeks, full, now.total.idle.middle, was_free)


def _week(week: PersonWeek, full: float, was_free: float) -> PlayedWeek:
    chance = None
    if week.tentative > 0:
        chance = min(max((week.expected - week.confirmed) / week.tentative, 0.0), 1.0)
    deals = (
        *((key, hours, True) for key, hours in week.deals),
        *((key, hours, False) for key, hours in week.tentative_deals),
    )
    away = max(full - week.capacity, 0.0)
    return PlayedWeek(week, away, chance, week.idle.middle, was_free, deals)


def _lacking(report: CapacityReport, names: Mapping[str, str]) -> Iterator[Lacking]:
    cells = [
        (role.role, week_name(week), cell)
        for role in report.roles
        for week, cell in zip(report.weeks, role.weeks, strict=True)
        if cell.gap >= _SHOWN
    ]
    largest = sorted(cells, key=lambda each: -each[2].gap)[:MOST_LACKING]
    for role, week, cell in sorted(largest, key=lambda each: (each[1], folded(each[0]))):
        behind = (each for each in cell.drivers if each.added >= _SHOWN)
        drivers = tuple((each, names.get(each.deal_key, "")) for each in behind)
        yield Lacking(role, week, cell, drivers)


def _switches(
    kept: _Kept, report: CapacityReport, supposed: Scenario, find: str
) -> Iterator[Switch]:
    """Yields the deals that something is supposed of, those that were looked for, and those that
    matter most."""
    named = (*supposed.win, *supposed.lose, *supposed.delay, *supposed.resize)
    chances = kept.questions.given.outlooks.by_deal
    keys = [*named, *_found(kept, find), *_offered(kept, report)]
    for key in dict.fromkeys(keys):
        if key in kept.deals:
            outlook = chances.get(key)
            yield Switch(
                kept.deals[key],
                outlook.probability if outlook else None,
                "win" if key in supposed.win else "lose" if key in supposed.lose else "",
                supposed.delay.get(key, 0),
                supposed.resize.get(key, 1.0),
            )


def _found(kept: _Kept, find: str) -> list[str]:
    """Returns the open deals in which all words occur, at most `MOST_OFFERED`."""
    words = folded(find).split()
    if not words:
        return []
    chances = kept.questions.given.outlooks.by_deal
    found = (
        key
        for key, name in kept.names.items()
        if key in chances and all(word in folded(f"{key} {name}") for word in words)
    )
    return [key for key, _ in zip(found, range(MOST_OFFERED), strict=False)]


def _offered(kept: _Kept, report: CapacityReport) -> list[str]:
    """Returns the deals behind the greatest gaps, then the open ones that are worth most."""
    added: dict[str, float] = {}
    for role in report.roles:
        for each in (driver for driver in role.total.drivers if not driver.is_won):
            added[each.deal_key] = added.get(each.deal_key, 0.0) + each.added
    behind = sorted(added, key=lambda key: -added[key])
    open_deals = [key for key in kept.questions.given.outlooks.by_deal if key in kept.deals]
    worth = sorted(open_deals, key=lambda key: -(kept.deals[key].value or 0))
    return list(dict.fromkeys((*behind, *worth)))[:MOST_OFFERED]
