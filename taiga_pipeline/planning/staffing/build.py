"""From deals, people and allocations to a staffing problem, and which is which.

Demand of a role that is more than one person's week is shared out into equal requests. What
present allocations cover is no longer asked for. Hours count as they do for capacity
(`planning.attendance`): they are those of a full week; public holidays shrink what people have and
what is asked for alike, and what someone who is away does not do is asked for again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from math import ceil
from typing import Final

from taiga_pipeline.mapping.text import normalise
from taiga_pipeline.people.model import Allocation, Person
from taiga_pipeline.pipeline.errors import EmptyRoster
from taiga_pipeline.pipeline.model import RoleDemand
from taiga_pipeline.planning.attendance import Attendance
from taiga_pipeline.planning.demand.filling import Part, Taken, parts
from taiga_pipeline.planning.staffing.problem import (
    SHIFTS,
    TOLERANCE,
    Candidate,
    Problem,
    Project,
    Request,
    Terms,
    Worker,
)
from taiga_pipeline.planning.staffing.work import Work
from taiga_pipeline.planning.weeks import WEEK, Weeks, monday, week_name

CONFIRMED_WEIGHT: Final = 100.0
TENTATIVE_WEIGHT: Final = 30.0
"""The cost of an unmet hour: of a won deal, and (times its probability) of an open one."""
DELAY_COST: Final = 20.0
SECOND_BEST: Final = 10.0
"""What it costs that someone has a role as a skill only, or is of another team."""
MOVED: Final = 15.0
"""What it costs to give someone's reservation to another person."""
PREFERRED: Final = 10.0
"""What it costs that another person would rather do it."""
AVOIDED: Final = 25.0
"""What it costs that someone prefers not to."""
MAX_WEEKS: Final = 520
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Wish:
    """What someone (by address) likes to work on, or prefers not to.

    ``what`` is a deal (its key), a customer, or a service.
    """

    email: str
    what: str
    avoid: bool = False

    def concerns(self, work: Work) -> bool:
        """Whether a work is what the wish names."""
        return normalise(self.what) in {
            normalise(work.key),
            normalise(work.customer),
            normalise(work.service),
        }


@dataclass(frozen=True, slots=True)
class Rules:
    """What a plan has to keep to.

    ``max_delay`` is by how many weeks a project that has not begun may be postponed; ``move``
    whether reservations (tentative allocations) may be given to others. ``wishes`` are kept where
    that costs little.
    """

    first: date
    horizon: int = 26
    max_projects: int = 3
    overtime: float = 0.1
    max_delay: int = 0
    move: bool = False
    wishes: tuple[Wish, ...] = ()


@dataclass(frozen=True, slots=True)
class Staff:
    """The roster. ``hours`` are each person's per week, from the first week of the rules on, of as
    many weeks as `weeks_needed` says.

    ``attendance`` tells of time off and public holidays by the day; None: there are none.
    """

    people: tuple[Person, ...]
    hours: Mapping[str, Sequence[float]]
    attendance: Attendance | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """What a request is a part of: a deal and its role, as the deal spells it."""

    work: Work
    role: str


@dataclass(frozen=True, slots=True)
class Case:
    """A problem, and who and what its numbers stand for.

    ``longer`` is the same problem with weeks enough to try later starts (`SHIFTS`). ``fixed`` are
    the allocations that the plan leaves as they are, ``movable`` those that it may replace.
    """

    rules: Rules
    problem: Problem
    longer: Problem
    people: tuple[Person, ...]
    works: tuple[Work, ...]
    pieces: tuple[Piece, ...]
    fixed: tuple[Allocation, ...]
    movable: tuple[Allocation, ...]
    notes: tuple[str, ...] = field(default=())

    def week(self, number: int) -> date:
        """Returns the Monday of a week by its number."""
        return self.rules.first + WEEK * number


def weeks_needed(works: Iterable[Work], rules: Rules) -> int:
    """Returns of how many weeks a plan has to know who is there: those that it covers, and so many
    more that later starts can be tried."""
    return _covered_weeks(works, rules) + max(SHIFTS)


def _covered_weeks(works: Iterable[Work], rules: Rules) -> int:
    """Returns how many weeks a plan covers: each project that begins within the horizon, to its
    end, however late it begins."""
    ends = [_end(work, rules) + rules.max_delay for work in _within(works, rules)]
    return min(MAX_WEEKS, max([rules.horizon, *ends]))


def build(
    works: Sequence[Work], staff: Staff, allocations: Iterable[Allocation], rules: Rules
) -> Case:
    """Returns the problem of staffing ``works``.

    :raises EmptyRoster: nobody is on it.
    """
    if not staff.people:
        raise EmptyRoster
    return _Builder(works, staff, allocations, rules).build()


def _within(works: Iterable[Work], rules: Rules) -> list[Work]:
    """Returns those works that begin within the horizon and are not over yet."""
    return [
        work for work in works if _week(work.start, rules) < rules.horizon and _end(work, rules) > 0
    ]


def _week(day: date, rules: Rules) -> int:
    return (monday(day) - rules.first).days // 7


def _end(work: Work, rules: Rules) -> int:
    """Returns the week after the last of a work's roles."""
    begin = _week(work.start, rules)
    return begin + max((role.start_week + role.weeks for role in work.roles), default=0)


class _Builder:
    def __init__(
        self,
        works: Sequence[Work],
        staff: Staff,
        allocations: Iterable[Allocation],
        rules: Rules,
    ) -> None:
        self._rules = rules
        self._works = tuple(_within(works, rules))
        self._all_works = {work.key: work for work in works}
        self._staff = staff
        self._numbers = {person.email: at for at, person in enumerate(staff.people)}
        self._weeks = _covered_weeks(works, rules)
        self._known_weeks = weeks_needed(works, rules)
        self._notes: list[str] = []
        present = list(allocations)
        # A won deal makes its reservations real, so only those of open deals may be moved.
        open_ = {work.key for work in self._works if rules.move and not work.confirmed}
        self._movable = tuple(
            each for each in present if not each.confirmed and each.deal_key in open_
        )
        self._fixed = tuple(each for each in present if each not in self._movable)
        self._attendance = staff.attendance or Attendance(staff.people)

    def build(self) -> Case:
        projects, requests, pieces = [], [], []
        for number, work in enumerate(self._works):
            self._note_end(work)
            projects.append(self._project(work))
            for request, piece in self._requests(work, number):
                requests.append(request)
                pieces.append(piece)
        longer = Problem(
            weeks=self._known_weeks,
            workers=tuple(self._workers()),
            projects=tuple(projects),
            requests=tuple(requests),
            terms=Terms(overtime=self._rules.overtime),
            role_parts=self._role_parts(requests),
        )
        return Case(
            rules=self._rules,
            problem=_cut(longer, self._weeks),
            longer=longer,
            people=self._staff.people,
            works=self._works,
            pieces=tuple(pieces),
            fixed=self._fixed,
            movable=self._movable,
            notes=tuple(self._notes),
        )

    def _project(self, work: Work) -> Project:
        weight = CONFIRMED_WEIGHT if work.confirmed else TENTATIVE_WEIGHT * work.probability
        begun = any(each.deal_key == work.key for each in self._fixed)
        later = _week(work.start, self._rules) >= 0 and not begun and not work.tied
        room = max(0, self._weeks - _end(work, self._rules))
        return Project(
            key=work.key,
            weight=weight * work.priority,
            max_delay=min(self._rules.max_delay, room) if later else 0,
            delay_cost=DELAY_COST * work.probability,
            confirmed=work.confirmed,
        )

    def _workers(self) -> Iterator[Worker]:
        weeks = self._known_weeks
        fixed = [[0.0] * weeks for _ in self._staff.people]
        nominal = [[0.0] * weeks for _ in self._staff.people]
        places = [[set[str]() for _ in range(weeks)] for _ in self._staff.people]
        for each in self._fixed:
            if each.email not in self._numbers:
                continue
            number = self._numbers[each.email]
            for part in self._parts(each):
                week = _week(part.week, self._rules)
                nominal[number][week] += part.asked
                fixed[number][week] += part.hours
                places[number][week].add(each.deal_key)
        for number, person in enumerate(self._staff.people):
            self._note_overload(person, nominal[number][: self._weeks])
            yield Worker(
                key=person.email,
                hours=tuple(map(float, self._staff.hours[person.email][:weeks])),
                usual=float(person.hours_per_week),
                fixed=tuple(fixed[number]),
                elsewhere=tuple(map(frozenset, places[number])),
                max_projects=self._rules.max_projects,
                week_parts=tuple(
                    self._attendance.person_part(person.email, each) for each in self._mondays()
                ),
            )

    def _mondays(self) -> Iterator[date]:
        return iter(Weeks(self._rules.first, self._known_weeks))

    def _note_end(self, work: Work) -> None:
        end = _end(work, self._rules)
        if end > MAX_WEEKS:
            self._notes.append(
                f"{work.key} takes until week {end:,} from now: what is after week {MAX_WEEKS:,} "
                "is not planned"
            )

    def _note_overload(self, person: Person, hours: list[float]) -> None:
        most = float(person.hours_per_week) * (1 + self._rules.overtime)
        over = [week for week, given in enumerate(hours) if given > most + TOLERANCE]
        if over:
            worst = max(over, key=hours.__getitem__)
            name = week_name(self._rules.first + WEEK * worst)
            self._notes.append(
                f"{person.email} is over the limit in {len(over)} weeks: {hours[worst]:g} h of "
                f"{most:g} h in {name}; nothing more is planned for them then"
            )

    def _parts(self, allocation: Allocation) -> Iterator[Part]:
        """Yields the weeks of an allocation, from the first week of the plan on."""
        work = self._all_works.get(allocation.deal_key)
        begin = work.start if work else self._rules.first
        last = None
        if work:
            last = self._rules.first + WEEK * _end(work, self._rules) - _DAY
        first, last = allocation.start or begin, allocation.end or last
        taken = Taken(allocation, allocation.role, first, last, begin)
        return parts(taken, Weeks(self._rules.first, self._known_weeks), self._attendance)

    def _requests(self, work: Work, number: int) -> Iterator[tuple[Request, Piece]]:
        covered = self._covered(work)
        begin = _week(work.start, self._rules)
        for role in work.roles:
            candidates = tuple(self._candidates(work, role))
            asked = self._open(role, begin + role.start_week, covered)
            for first, hours in _blocks(asked):
                if not self._asks_for_any(role.role, first, len(hours)):
                    continue
                for need in self._shared_out(hours, candidates):
                    request = Request(number, role.role, first, need, candidates)
                    yield request, Piece(work, role.role)

    def _covered(self, work: Work) -> dict[tuple[str, int], float]:
        """Returns the hours of full weeks, by role and week, that allocations give to a deal."""
        covered: dict[tuple[str, int], float] = {}
        for each in self._fixed:
            for part in self._parts(each) if each.deal_key == work.key else ():
                place = normalise(part.role), _week(part.week, self._rules)
                covered[place] = covered.get(place, 0.0) + part.filled
        return covered

    def _open(
        self, role: RoleDemand, begin: int, covered: dict[tuple[str, int], float]
    ) -> list[float]:
        """Returns what a role still asks for in each week, in hours of full weeks; takes its part
        of what is covered."""
        need = [0.0] * self._weeks
        for week in range(max(0, begin), min(begin + role.weeks, self._weeks)):
            place, asked = (normalise(role.role), week), float(role.hours_per_week)
            used = min(asked, covered.get(place, 0.0))
            covered[place] = covered.get(place, 0.0) - used
            need[week] = asked - used
        return need

    def _asks_for_any(self, role: str, first: int, weeks: int) -> bool:
        """Whether public holidays leave any day, be it at a later start."""
        last = first + weeks + self._rules.max_delay
        return any(
            self._attendance.role_part(role, self._rules.first + WEEK * week)
            for week in range(first, last)
        )

    def _role_parts(self, requests: Iterable[Request]) -> dict[str, tuple[float, ...]]:
        """Returns what public holidays leave of the weeks, for the roles that have any."""
        found = {}
        for role in dict.fromkeys(each.role for each in requests):
            parts = tuple(self._attendance.role_part(role, each) for each in self._mondays())
            if min(parts) < 1:
                found[role] = parts
        return found

    def _shared_out(
        self, hours: tuple[float, ...], candidates: tuple[Candidate, ...]
    ) -> list[tuple[float, ...]]:
        """Returns equal parts of a demand, each no more than one person's week."""
        usual = [float(self._staff.people[each.worker].hours_per_week) for each in candidates]
        week = max(usual, default=0.0) or 40.0
        count = max(1, ceil(max(hours) / week - TOLERANCE))
        return [tuple(each / count for each in hours)] * count

    def _candidates(self, work: Work, role: RoleDemand) -> Iterator[Candidate]:
        holders = {
            each.email
            for each in self._movable
            if each.deal_key == work.key and normalise(each.role) == normalise(role.role)
        }
        wishes = [wish for wish in self._rules.wishes if wish.concerns(work)]
        for number, person in enumerate(self._staff.people):
            if suits(person, role):
                penalty = 0.0 if normalise(person.role) == normalise(role.role) else SECOND_BEST
                if work.team and person.team and normalise(work.team) != normalise(person.team):
                    penalty += SECOND_BEST
                if holders and person.email not in holders:
                    penalty += MOVED
                yield Candidate(number, penalty + unwished(wishes, person))


def unwished(wishes: Sequence[Wish], person: Person) -> float:
    """Returns what it costs to put a person on a work, in view of everyone's wishes for it."""
    fond = {wish.email for wish in wishes if not wish.avoid}
    cost = PREFERRED if fond and person.email not in fond else 0.0
    averse = any(wish.avoid and wish.email == person.email for wish in wishes)
    return cost + AVOIDED if averse else cost


def suits(person: Person, role: RoleDemand) -> bool:
    """Whether a person has a role, as theirs or as a skill, and the skills that are asked for."""
    able = {normalise(skill) for skill in (*person.skills, person.role)}
    return normalise(role.role) in able and {normalise(skill) for skill in role.skills} <= able


def _cut(problem: Problem, weeks: int) -> Problem:
    """Returns a problem without the weeks after the first so many."""
    workers = tuple(
        replace(
            each,
            hours=each.hours[:weeks],
            fixed=each.fixed[:weeks],
            elsewhere=each.elsewhere[:weeks],
            week_parts=each.week_parts[:weeks],
        )
        for each in problem.workers
    )
    parts = {role: each[:weeks] for role, each in problem.role_parts.items()}
    return replace(problem, weeks=weeks, workers=workers, role_parts=parts)


def _blocks(need: Sequence[float]) -> Iterator[tuple[int, tuple[float, ...]]]:
    """Yields the stretches of weeks that ask for anything: first week and hours."""
    first: int | None = None
    for week, hours in enumerate([*need, 0.0]):
        if hours > TOLERANCE and first is None:
            first = week
        if hours <= TOLERANCE and first is not None:
            yield first, tuple(need[first:week])
            first = None


def last_day(week: date) -> date:
    """Returns the Sunday of a week."""
    return week + timedelta(days=6)
