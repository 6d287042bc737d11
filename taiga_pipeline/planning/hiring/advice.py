"""What to do about hours that lack: hire, part-time, for some weeks, subcontract, train, move.

Each way is tried on the plan: the problem is changed as it would change it (not before the decision
can take effect), and solved again. What a way is worth is what the plan costs less, less what the
hours cost that the way pays for and nobody needs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from taiga_pipeline.planning.hiring.resolve import Resolve, with_person
from taiga_pipeline.planning.staffing.evaluate import Score, evaluate, taken
from taiga_pipeline.planning.staffing.explain import Lack, lacks, with_delay
from taiga_pipeline.planning.staffing.problem import SHIFTS, Candidate, Plan, Problem

ROLES: Final = 3
"""So many roles are looked at: those that lack most."""
TRAINED: Final = 2
"""So many people are tried for training, per role: those with most hours to spare."""
MOVED: Final = 3
"""So many projects are tried at a later start: those that lack most."""
IDLE_COST: Final = 5.0
"""The cost of an hour that is paid for and not worked, in the plan's own units, as of overtime."""
LITTLE: Final = 0.5
"""Hours below which a way does not help."""


class Way(StrEnum):
    """A way to get hours."""

    HIRE = "hire"
    PART_TIME = "part-time"
    TEMPORARY = "temporary"
    SUBCONTRACT = "subcontract"
    TRAIN = "train"
    LATER = "start later"


@dataclass(frozen=True, slots=True)
class Leads:
    """Weeks from the decision until a way takes effect.

    Where week 0 ``has_begun``, a decision of today takes effect within a week, and the first whole
    one is the next.
    """

    weeks: Mapping[Way, int] = field(default_factory=dict)
    has_begun: bool = False

    def of(self, way: Way) -> int:
        """Returns the weeks of a way; 0 if nothing is said of it."""
        return self.weeks.get(way, 0)

    def earliest(self, way: Way) -> int:
        """Returns the first week in which a way takes effect that is decided today."""
        weeks = self.of(way)
        return weeks + 1 if weeks and self.has_begun else weeks


@dataclass(frozen=True, slots=True)
class Option:
    """One way, and what it comes to.

    ``first`` to before ``after`` are the weeks that it spans; it has to be decided at the beginning
    of week ``decide`` (0: now). ``met`` are hours that are met because of it, ``idle`` hours that
    are paid for and nobody needs, the new person's or others'. ``saved`` is how much less the plan
    costs, ``worth`` that less the cost of idle hours. ``worker`` (who is trained) and ``project``
    (which is moved) are numbers. ``projects`` get the hours. ``paid`` and ``met_in`` are the hours
    that are paid and met by week, from ``first`` on; empty for a start that is moved.
    """

    way: Way
    role: str
    first: int
    after: int
    decide: int
    hours_per_week: float
    met: float
    idle: float
    saved: float
    worth: float
    projects: tuple[int, ...]
    worker: int | None = None
    project: int | None = None
    later_weeks: int = 0
    paid: tuple[float, ...] = ()
    met_in: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Movable:
    """The projects (numbers) that may begin later. ``problem`` is the one that they are of, with
    weeks enough for the latest of `SHIFTS`."""

    projects: Sequence[int]
    problem: Problem


def advise(
    problem: Problem, plan: Plan, movable: Movable, leads: Leads, resolve: Resolve
) -> list[Option]:
    """Returns the ways that help, the most worth first."""
    base = resolve(problem, plan)
    adviser = _Adviser(problem, base, leads, resolve)
    found = [*adviser.people(), *adviser.training(), *adviser.moves(movable)]
    useful = [each for each in found if each.met >= LITTLE and each.saved > 0]
    return sorted(useful, key=lambda each: (-each.worth, each.role, each.way))


class _Adviser:
    def __init__(self, problem: Problem, base: Plan, leads: Leads, resolve: Resolve) -> None:
        self._problem = problem
        self._base = base
        self._before = evaluate(problem, base)
        self._leads = leads
        self._resolve = resolve
        self._short = lacks(problem, base)
        self._usual = max((each.usual for each in problem.workers), default=0.0) or 40.0

    def people(self) -> Iterator[Option]:
        """Yields somebody more in each role: for good, part-time, for some weeks, from outside."""
        for role in self._roles():
            short = self._of(role)
            first, last = min(each.first for each in short), max(each.last for each in short)
            weeks = self._problem.weeks
            half = self._usual / 2
            for way, hours, after in (
                (Way.HIRE, self._usual, weeks),
                (Way.PART_TIME, half, weeks),
                (Way.TEMPORARY, self._usual, last + 1),
                (Way.SUBCONTRACT, self._usual, last + 1),
            ):
                begin = max(first, self._leads.earliest(way))
                if begin < after:
                    yield self._person(way, role, hours, begin, after)

    def _roles(self) -> list[str]:
        by_role: dict[str, float] = defaultdict(float)
        for lack in self._short:
            by_role[self._problem.requests[lack.request].role] += lack.cost
        return sorted(by_role, key=lambda role: (-by_role[role], role))[:ROLES]

    def _of(self, role: str) -> list[Lack]:
        requests = self._problem.requests
        return [lack for lack in self._short if requests[lack.request].role == role]

    def _person(self, way: Way, role: str, hours: float, first: int, after: int) -> Option:
        larger = with_person(self._problem, role, hours, first, after)
        plan = self._resolve(larger, self._base)
        option = Option(way, role, first, after, self._decide(way, first), hours, *_NOTHING)
        found = self._compared(option, larger, plan)
        # What the new person takes off others idles there: of all hours paid for, those that are
        # met because of it are needed. A subcontractor is asked for no more than those.
        paid = found.met if way is Way.SUBCONTRACT else sum(larger.workers[-1].hours)
        idle = max(0.0, paid - found.met)
        met_in = _in_all(found.met, taken(larger, plan)[-1][first:after])
        pays = met_in if way is Way.SUBCONTRACT else larger.workers[-1].hours[first:after]
        worth = found.saved - IDLE_COST * idle
        return replace(found, idle=idle, worth=worth, paid=tuple(pays), met_in=met_in)

    def _decide(self, way: Way, first: int) -> int:
        return max(0, first - self._leads.of(way))

    def training(self) -> Iterator[Option]:
        """Yields those with most hours to spare who would learn a role."""
        hours = taken(self._problem, self._base)
        for role in self._roles():
            short = self._of(role)
            first = max(min(each.first for each in short), self._leads.earliest(Way.TRAIN))
            able = {
                each.worker
                for lack in short
                for each in self._problem.requests[lack.request].candidates
            }
            spare = {
                number: sum(
                    max(0.0, free - gone)
                    for free, gone in zip(
                        self._problem.free[number][first:], hours[number][first:], strict=True
                    )
                )
                for number in range(len(self._problem.workers))
                if number not in able
            }
            for number in sorted(spare, key=lambda each: (-spare[each], each))[:TRAINED]:
                if spare[number] >= LITTLE:
                    yield self._trained(number, role, first, spare[number])

    def _trained(self, number: int, role: str, first: int, spare: float) -> Option:
        changed = with_training(self._problem, number, role, first)
        plan = self._resolve(changed, self._base)
        decide = self._decide(Way.TRAIN, first)
        weeks = self._problem.weeks
        hours = self._problem.workers[number].usual
        option = Option(Way.TRAIN, role, first, weeks, decide, hours, *_NOTHING, worker=number)
        # Whoever is trained is paid either way: what idles is no cost of the training.
        found = self._compared(option, changed, plan)
        worked = taken(changed, plan)[number][first:weeks]
        met_in = _in_all(found.met, worked)
        return replace(found, idle=max(0.0, spare - found.met), met_in=met_in)

    def moves(self, movable: Movable) -> Iterator[Option]:
        """Yields projects that begin later."""
        by_project: dict[int, float] = defaultdict(float)
        for lack in self._short:
            number = self._problem.requests[lack.request].project
            if number in movable.projects:
                by_project[number] += lack.cost
        for project in sorted(by_project, key=lambda each: (-by_project[each], each))[:MOVED]:
            tried = [self._moved(movable.problem, project, weeks) for weeks in SHIFTS]
            yield max(tried, key=lambda each: (each.worth, -each.later_weeks))

    def _moved(self, longer: Problem, project: int, weeks: int) -> Option:
        delay = self._base.delays[project] + weeks
        changed = with_delay(longer, project, delay)
        delays = list(self._base.delays)
        delays[project] = delay
        own = set(self._problem.requests_of[project])
        kept = tuple(each for each in self._base.assignments if each.request not in own)
        # Only what is fixed may be compared: the project begins then, and not when it suits.
        fixed = _held(changed, delays)
        plan = self._resolve(fixed, Plan((0,) * len(delays), kept))
        requests = [self._problem.requests[number] for number in own]
        first = min((each.first for each in requests), default=0) + self._base.delays[project]
        decide = self._decide(Way.LATER, first)
        option = Option(Way.LATER, "", first + weeks, first + weeks, decide, 0.0, *_NOTHING)
        # In the problem as it is then, no delay is charged: what they cost comes on top.
        extra = self._problem.projects[project].delay_cost * weeks + self._delays()
        found = self._compared(option, fixed, plan)
        found = replace(found, saved=found.saved - extra, worth=found.worth - extra)
        return replace(found, project=project, later_weeks=weeks)

    def _delays(self) -> float:
        """Returns what the delays cost that the base plan has already."""
        pairs = zip(self._problem.projects, self._base.delays, strict=True)
        return sum(project.delay_cost * weeks for project, weeks in pairs)

    def _compared(self, option: Option, problem: Problem, plan: Plan) -> Option:
        after = evaluate(problem, plan)
        saved = self._before.cost - after.cost
        return replace(
            option,
            met=sum(self._before.unmet) - sum(after.unmet),
            saved=saved,
            worth=saved,
            projects=_helped(problem, self._before, after),
        )


_NOTHING: Final = (0.0, 0.0, 0.0, 0.0, ())
"""What an option comes to before it was tried."""


def _in_all(hours: float, by_week: Sequence[float]) -> tuple[float, ...]:
    """Returns hours by week, as many in all as ``hours``, and spread as ``by_week``."""
    total = sum(by_week)
    return tuple(hours * each / total for each in by_week) if total else ()


def _helped(problem: Problem, before: Score, after: Score) -> tuple[int, ...]:
    """Returns the projects that get hours, those that get most first."""
    gains: dict[int, float] = defaultdict(float)
    for request, old, new in zip(problem.requests, before.unmet, after.unmet, strict=True):
        gains[request.project] += old - new
    return tuple(sorted((n for n in gains if gains[n] >= LITTLE), key=lambda n: -gains[n]))


def with_training(problem: Problem, worker: int, role: str, first: int) -> Problem:
    """Returns the problem in which a worker can also do what is asked for in a role, of requests
    that begin in week ``first`` or later."""
    new = Candidate(worker)
    requests = tuple(
        replace(each, candidates=(*each.candidates, new))
        if each.role == role
        and each.first >= first
        and all(other.worker != worker for other in each.candidates)
        else each
        for each in problem.requests
    )
    return replace(problem, requests=requests)


def _held(problem: Problem, delays: Sequence[int]) -> Problem:
    """Returns the problem in which every project begins so many weeks later, and no other time."""
    requests = tuple(
        replace(each, first=each.first + delays[each.project]) for each in problem.requests
    )
    projects = tuple(replace(each, max_delay=0) for each in problem.projects)
    return replace(problem, projects=projects, requests=requests)
