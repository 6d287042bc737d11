"""Who is needed when: sure hours of won deals, and the hours that open deals may bring.

A deal's weeks are counted from the ISO week of its start. What people are allocated to counts by
the day, Monday to Friday, as far as they are at work; what they do not fill stays open. Hours per
week are those of a week without public holidays (`planning.attendance`). Pure: everything comes in
as plain data.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cache
from typing import Final

from taiga_pipeline.mapping.errors import NotMapped
from taiga_pipeline.mapping.mapping_set import MappingSet
from taiga_pipeline.mapping.rules import Rules, StageRule
from taiga_pipeline.people.model import Allocation, Person, TimeOff
from taiga_pipeline.pipeline.model import Category, Deal, RoleDemand
from taiga_pipeline.planning.attendance import Attendance
from taiga_pipeline.planning.demand.filling import Part, Place, Taken, parts, unfilled
from taiga_pipeline.planning.demand.milestones import Milestones, Stretch, in_stretches, moved
from taiga_pipeline.planning.demand.phases import Stint, stints
from taiga_pipeline.planning.demand.starts import Beginning, beginning
from taiga_pipeline.planning.demand.value_notes import ValueNotes
from taiga_pipeline.planning.outlook import Outlook, Outlooks
from taiga_pipeline.planning.weeks import WEEK, Weeks, monday, working_day

_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Fate:
    """What is supposed of one deal in a scenario; as it stands, nothing."""

    won: bool = False
    lost: bool = False
    delay_weeks: int = 0
    size: float = 1.0


_AS_IT_STANDS: Final = Fate()


@dataclass(frozen=True, slots=True)
class _Plan:
    """When a deal's project begins and what it asks for, and what that was worked out from.

    ``stretches`` count from the start; None where something is wrong with them.
    """

    deal: Deal
    rules: Rules
    milestones: Mapping[str, Milestones]
    begins: Beginning
    stretches: tuple[Stretch, ...] | None


@dataclass(frozen=True, slots=True)
class Situation:
    """What planning starts from.

    ``milestones`` are those that delivery reported, ``fates`` what a scenario supposes, both by
    deal key. ``left`` are deal keys and addresses (in lower case) of those who left the deal's
    project: their hours are not filled. ``open_end`` is the last day of an allocation that has
    none, on a deal that asks for no roles; None for the end of the weeks that are looked at.
    ``plans`` keeps what was worked out of deals, by key, for this situation and for those that are
    made from it.
    """

    as_of: date
    deals: tuple[Deal, ...] = ()
    people: tuple[Person, ...] = ()
    time_off: tuple[TimeOff, ...] = ()
    allocations: tuple[Allocation, ...] = ()
    milestones: Mapping[str, Milestones] = field(default_factory=dict)
    left: Collection[tuple[str, str]] = ()
    fates: Mapping[str, Fate] = field(default_factory=dict)
    open_end: date | None = None
    plans: dict[str, _Plan] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class OpenDemand:
    """What an open deal asks for if it is won.

    ``starts`` are the weeks in which its project may begin, given that it is won; their chances
    sum to 1. ``entered`` is the week of the start as it is known, or the next possible one if that
    has passed. Hours are those of weeks without public holidays.
    """

    deal_key: str
    probability: float
    starts: tuple[tuple[date, float], ...]
    entered: date
    stretches: tuple[Stretch, ...]
    expected_close: date | None = None


@dataclass(frozen=True, slots=True)
class Booked:
    """Sure hours of one week: a person's, or ("" for ``email``) not filled yet."""

    deal_key: str
    role: str
    week: date
    hours: float
    email: str = ""


@dataclass(frozen=True, slots=True)
class Demand:
    """All demand within some weeks. ``reserved`` are people's hours for open deals.

    ``silent_open`` and ``silent_won`` are deals that state no roles, and ask for nothing here.
    """

    open: tuple[OpenDemand, ...]
    booked: tuple[Booked, ...]
    reserved: tuple[Booked, ...]
    notices: tuple[str, ...]
    silent_open: tuple[Deal, ...] = ()
    silent_won: tuple[Deal, ...] = ()


@dataclass(frozen=True, slots=True)
class _Case:
    """A deal with everything that its demand is made of; ``stretches`` count from its start."""

    deal: Deal
    rules: Rules
    stage: StageRule
    fate: Fate
    begins: Beginning
    stretches: tuple[Stretch, ...]
    allocations: tuple[Allocation, ...]

    @property
    def after(self) -> int | None:
        """The week after the last of the deal's roles, counted from its start; None without any."""
        return max((stretch.after for stretch in self.stretches), default=None)


def find_demand(
    situation: Situation,
    mappings: MappingSet,
    outlooks: Outlooks,
    weeks: Weeks,
    attendance: Attendance | None = None,
) -> Demand:
    """Returns what all deals ask for in ``weeks``.

    Deals that cannot be counted are left out, each with a notice. Open deals keep their places
    whatever their fate, so that simulations of different scenarios draw the same chances. Without
    ``attendance``, no public holidays are known.
    """
    return _Finder(situation, mappings, outlooks, weeks, attendance).find()


def find_stretches(
    key: str,
    situation: Situation,
    mappings: MappingSet,
    weeks: Weeks,
    attendance: Attendance | None = None,
) -> tuple[Stretch, ...]:
    """Returns what the deal ``key`` asks for, counted from the first week of its project: of the
    people who are allocated or reserved, of its roles, and as far apart as delivery moved it.

    Empty for a deal that asks for nobody, is lost, or is not mapped.
    """
    return _Finder(situation, mappings, Outlooks({}, 0.0), weeks, attendance).stretches_of(key)


class _Finder:
    def __init__(
        self,
        situation: Situation,
        mappings: MappingSet,
        outlooks: Outlooks,
        weeks: Weeks,
        attendance: Attendance | None,
    ) -> None:
        self._situation = situation
        self._mappings = mappings
        self._outlooks = outlooks
        self._weeks = weeks
        self._attendance = attendance or Attendance(
            situation.people, situation.time_off, list(weeks)
        )
        self._today = situation.as_of
        self._now = monday(situation.as_of)
        self._people = {person.email: person for person in situation.people}
        # Dates are slow to reckon with, and the same few come again and again.
        self._number, self._monday = cache(weeks.index), cache(weeks.at)
        self._known_stretches: dict[int, tuple[RoleDemand, Stretch]] = {}
        self._known_starts: dict[tuple[int, int, int, int], tuple[tuple[date, float], ...]] = {}
        self._notices: dict[str, dict[str, None]] = {}
        self._value_notes = ValueNotes()
        self._silent_open: list[Deal] = []
        self._silent_won: list[Deal] = []
        self._allocations = self._by_deal()

    def find(self) -> Demand:
        open_: list[OpenDemand] = []
        booked: list[Booked] = []
        reserved: list[Booked] = []
        for deal in self._situation.deals:
            case = self._case(deal)
            if case is None:
                continue
            category, fate = case.stage.category, case.fate
            self._look_at(case)
            if not category.is_closed:
                open_ += self._open(case)
                if not (fate.won or fate.lost):
                    reserved += self._worked(self._there(case, self._weeks))
            if fate.won or (category is Category.WON and not fate.lost):
                booked += self._won(case)
        return Demand(
            tuple(open_),
            tuple(booked),
            tuple(reserved),
            (*self._said(), *self._value_notes),
            tuple(self._silent_open),
            tuple(self._silent_won),
        )

    def stretches_of(self, key: str) -> tuple[Stretch, ...]:
        case = next(
            (
                case
                for deal in self._situation.deals
                if deal.key == key and (case := self._case(deal))
            ),
            None,
        )
        if case is None:
            return ()
        entered = monday(self._day(case) or self._now)
        return self._asked(case, entered, entered)

    def _said(self) -> Iterator[str]:
        for what, who in self._notices.items():
            yield f"{', '.join(who)}: {what}"

    def _look_at(self, case: _Case) -> None:
        """Notes what is to say of a deal whose project is still to come."""
        day = self._day(case)
        won = case.stage.category.is_closed or case.fate.won
        if case.fate.lost or (won and (day is None or monday(day) < self._now)):
            return
        self._value_notes.add(case.deal, case.rules)
        if not (case.stretches or case.allocations):
            (self._silent_won if won else self._silent_open).append(case.deal)

    def _note(self, who: str, what: str) -> None:
        self._notices.setdefault(what, {})[who] = None

    def _by_deal(self) -> dict[str, tuple[Allocation, ...]]:
        grouped: dict[str, list[Allocation]] = {}
        for each in self._situation.allocations:
            if each.hours_per_week < 0:
                problem = f"{each.hours_per_week} hours per week"
            elif each.start and each.end and each.end < each.start:
                problem = f"the last day {each.end} is before the first day {each.start}"
            else:
                grouped.setdefault(each.deal_key, []).append(each)
                continue
            self._note(f"{each.email} on {each.deal_key}", f"left out: {problem}")
        return {key: tuple(each) for key, each in grouped.items()}

    def _case(self, deal: Deal) -> _Case | None:
        try:
            rules, stage = self._mappings.stage_of(deal)
        except NotMapped as error:
            self._note(deal.key, f"left out: {error}")
            return None
        if stage.category is Category.LOST:
            return None
        fate = self._situation.fates.get(deal.key, _AS_IT_STANDS)
        plan = self._plan(deal, rules, stage)
        # An open deal of which nothing is left keeps its place: `_open` gives it no chance.
        size = fate.size if stage.category.is_closed or fate.won else fate.size or 1.0
        stretches = plan.stretches
        if stretches is None or size != 1:
            found = stints(deal, rules, stage, plan.begins, self._situation.milestones)
            resized = ((each, tuple(self._stretches(deal, each.demand, size))) for each in found)
            stretches = tuple(_in_time(resized))
        allocations = self._allocations.get(deal.key, ())
        return _Case(deal, rules, stage, fate, plan.begins, stretches, allocations)

    def _plan(self, deal: Deal, rules: Rules, stage: StageRule) -> _Plan:
        """Returns what a deal asks for as it stands; it is worked out once."""
        milestones, plans = self._situation.milestones, self._situation.plans
        known = plans.get(deal.key)
        if (
            known is None
            or known.deal is not deal
            or known.rules is not rules
            or known.milestones is not milestones
        ):
            begins = beginning(deal, rules, stage, milestones.get(deal.key, ()))
            found = tuple(stints(deal, rules, stage, begins, milestones))
            stretches = None
            if all(_is_plain(role) for stint in found for role in stint.demand):
                asked = [(each, tuple(map(self._as_planned, each.demand))) for each in found]
                stretches = tuple(_in_time(asked))
            known = plans[deal.key] = _Plan(deal, rules, milestones, begins, stretches)
        return known

    def _as_planned(self, role: RoleDemand) -> Stretch:
        """Returns what a role asks for that is neither resized nor wrong.

        The same demand is in many deals, which share it.
        """
        known = self._known_stretches.get(id(role))
        if known is None:
            hours = float(role.hours_per_week)
            known = role, Stretch(role.role, hours, role.start_week, role.weeks)
            self._known_stretches[id(role)] = known
        return known[1]

    def _stretches(
        self, deal: Deal, demand: Iterable[RoleDemand], size: float
    ) -> Iterator[Stretch]:
        for role in demand:
            hours = float(role.hours_per_week) * size
            if hours < 0 or role.weeks < 0:
                self._note(
                    deal.key,
                    f"left out: {role.role} with {role.hours_per_week} hours a week for "
                    f"{role.weeks} weeks",
                )
            elif hours and role.weeks:
                yield Stretch(role.role, hours, role.start_week, role.weeks)

    def _open(self, case: _Case) -> Iterator[OpenDemand]:
        deal = case.deal
        outlook = self._outlooks.by_deal.get(deal.key)
        if outlook is None or not outlook.closes:
            self._note(deal.key, "left out: neither a start nor an expected close is known")
            return
        starts = self._starts(case, outlook)
        entered = monday(self._day(case) or starts[0][0])
        stretches = self._asked(case, entered, starts[0][0])
        if not stretches:
            self._note(deal.key, f"states no roles, and {case.rules.file} has none for it")
            return
        decided = case.fate.won or case.fate.lost or not case.fate.size
        chance = 0.0 if decided else outlook.probability
        yield OpenDemand(deal.key, chance, starts, entered, stretches, deal.expected_close)

    def _asked(self, case: _Case, entered: date, first: date) -> tuple[Stretch, ...]:
        if not case.allocations:
            return case.stretches
        return tuple(self._reserved(case, entered, first))

    def _starts(self, case: _Case, outlook: Outlook) -> tuple[tuple[date, float], ...]:
        """Returns when a project may begin: as stated, or later if the deal is won later."""
        begins, weeks, now = case.begins, self._weeks, self._weeks.index(self._now)
        fixed = now
        if begins.first and begins.is_fixed:
            fixed = weeks.index(working_day(begins.first))
        rules = begins.lead_weeks, fixed, case.fate.delay_weeks
        # Deals of the same age and stage share their weeks, and there may be many of either.
        known = self._known_starts.get((id(outlook.closes), *rules))
        if known is None:
            known = self._moved_starts(outlook, now, *rules)
            self._known_starts[id(outlook.closes), *rules] = known
        return known

    def _moved_starts(
        self, outlook: Outlook, now: int, lead: int, fixed: int, delay: int
    ) -> tuple[tuple[date, float], ...]:
        most, number, at = self._weeks.count, self._number, self._monday
        chances: dict[int, float] = {}
        for closing, chance in outlook.closes:
            week = number(closing)
            start = (now if week < now else week) + lead
            start = (fixed if start < fixed else start) + delay
            start = now if start < now else most if start > most else start
            chances[start] = chances.get(start, 0.0) + chance
        return tuple([(at(start), chances[start]) for start in sorted(chances)])

    def _reserved(self, case: _Case, entered: date, first: date) -> Iterator[Stretch]:
        """Yields what an open deal asks for, of those reserved for it and of others.

        Reservations move with the project's start, which is in the week ``first`` at the earliest:
        then they come into sight from beyond the last week.
        """
        reach = self._weeks.index(entered) + (case.after or 0)
        sooner = max(0, (entered - first).days // 7)
        weeks = Weeks(self._weeks.first, max(self._weeks.count + sooner, reach))
        there = list(self._there(case, weeks))
        by_person: dict[tuple[str, str], dict[int, float]] = {}
        for part in there:
            self._add(by_person, (part.role, part.email), part.week, entered, part.filled)
        for (role, week), hours in unfilled(self._needed(case, weeks, entered), there).items():
            self._add(by_person, (role, ""), week, entered, hours)
        for (role, email), hours_of in by_person.items():
            yield from in_stretches(role, hours_of, email)

    @staticmethod
    def _add(
        found: dict[tuple[str, str], dict[int, float]],
        who: tuple[str, str],
        week: date,
        entered: date,
        hours: float,
    ) -> None:
        row, at = found.setdefault(who, {}), (week - entered).days // 7
        row[at] = row.get(at, 0.0) + hours

    def _won(self, case: _Case) -> Iterator[Booked]:
        """Yields the hours of a won deal: who is allocated, and what is not filled."""
        if case.begins.first is None and case.stretches:
            self._note(case.deal.key, "won, but start and close are unknown: counted from now on")
        there = list(self._there(case, self._weeks))
        yield from self._worked(there)
        needed = self._needed(case, self._weeks, monday(self._day(case) or self._now))
        for (role, week), hours in unfilled(needed, there).items():
            left = hours * self._attendance.role_part(role, week)
            if left > 1e-9:
                yield Booked(case.deal.key, role, week, left)

    def _worked(self, there: Iterable[Part]) -> Iterator[Booked]:
        for part in there:
            if part.hours:
                yield Booked(part.deal_key, part.role, part.week, part.hours, part.email)

    def _day(self, case: _Case) -> date | None:
        return case.begins.day(self._today, case.fate.delay_weeks)

    def _needed(self, case: _Case, weeks: Weeks, first: date) -> dict[Place, float]:
        needed: dict[Place, float] = {}
        for stretch in case.stretches:
            for number in range(stretch.first, stretch.after):
                week = first + WEEK * number
                if 0 <= weeks.index(week) < len(weeks):
                    place = stretch.role, week
                    needed[place] = needed.get(place, 0.0) + stretch.hours
        return needed

    def _there(self, case: _Case, weeks: Weeks) -> Iterator[Part]:
        """Yields the allocations of a deal, week by week."""
        if not case.allocations:
            return
        start = self._day(case) or self._now
        last = self._situation.open_end
        if case.after is not None:
            last = monday(start) + WEEK * case.after - _DAY
        delay = WEEK * case.fate.delay_weeks
        for each in case.allocations:
            left = (each.deal_key, each.email.casefold()) in self._situation.left
            if left:
                self._note(each.deal_key, f"{each.email} left its project: hours not filled")
            first_day = each.start + delay if each.start else start
            last_day = each.end + delay if each.end else last
            role, size = self._role(each), case.fate.size
            taken = Taken(each, role, first_day, last_day, start, size, left)
            yield from parts(taken, weeks, self._attendance)

    def _role(self, allocation: Allocation) -> str:
        person = self._people.get(allocation.email)
        return allocation.role or (person.role if person else "")


def of_team(demand: Demand, deal_keys: Iterable[str], emails: Iterable[str]) -> Demand:
    """Returns the demand that a team has to meet.

    That is what its own deals ask for, less what people of other teams do on them, and what its
    people do on the deals of others.
    """
    deals, people = set(deal_keys), set(emails)

    def concerns(booked: Booked) -> bool:
        return booked.email in people if booked.email else booked.deal_key in deals

    def asks(open_: OpenDemand) -> Iterator[OpenDemand]:
        own = open_.deal_key in deals
        stretches = tuple(
            each for each in open_.stretches if (each.email in people if each.email else own)
        )
        if stretches:
            yield replace(open_, stretches=stretches)

    return Demand(
        tuple(each for open_ in demand.open for each in asks(open_)),
        tuple(each for each in demand.booked if concerns(each)),
        tuple(each for each in demand.reserved if concerns(each)),
        demand.notices,
        tuple(each for each in demand.silent_open if each.key in deals),
        tuple(each for each in demand.silent_won if each.key in deals),
    )


def replaced(demand: Demand, found: Demand, keys: Collection[str]) -> Demand:
    """Returns ``demand`` with what ``found`` says of the deals ``keys``; notices stay as they are.

    Open deals keep their places.
    """
    new = {each.deal_key: each for each in found.open}
    return Demand(
        tuple(new.get(each.deal_key, each) for each in demand.open),
        (*(each for each in demand.booked if each.deal_key not in keys), *found.booked),
        (*(each for each in demand.reserved if each.deal_key not in keys), *found.reserved),
        demand.notices,
        (*(each for each in demand.silent_open if each.key not in keys), *found.silent_open),
        (*(each for each in demand.silent_won if each.key not in keys), *found.silent_won),
    )


def _in_time(asked: Iterable[tuple[Stint, tuple[Stretch, ...]]]) -> Iterator[Stretch]:
    """Yields what is asked for along several time lines, counted from the deal's start."""
    for stint, stretches in asked:
        for each in moved(stretches, stint.line) if stint.line else stretches:
            yield replace(each, first=each.first + stint.weeks) if stint.weeks else each


def _is_plain(role: RoleDemand) -> bool:
    return role.hours_per_week > 0 and role.weeks > 0
