"""Who is needed when: sure hours of won deals, and the hours that open deals may bring.

A deal's weeks are counted from the ISO week of its start. What people are allocated to counts by
the day, Monday to Friday. Pure: everything comes in as plain data.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from taiga_pipeline.mapping.dates import project_start
from taiga_pipeline.mapping.demand import deal_demand
from taiga_pipeline.mapping.errors import NotMapped
from taiga_pipeline.mapping.mapping_set import MappingSet
from taiga_pipeline.mapping.rules import Rules, StageRule
from taiga_pipeline.mapping.text import normalise
from taiga_pipeline.mapping.values import DealView, Values
from taiga_pipeline.people.calendar import WORKING_DAYS
from taiga_pipeline.people.model import Allocation, Person, TimeOff
from taiga_pipeline.pipeline.model import Category, Deal
from taiga_pipeline.planning.demand.milestones import Milestones, Stretch, moved, time_line
from taiga_pipeline.planning.outlook import Outlook, Outlooks
from taiga_pipeline.planning.weeks import WEEK, Weeks, monday

_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Fate:
    """What is supposed of one deal in a scenario; as it stands, nothing."""

    won: bool = False
    lost: bool = False
    delay_weeks: int = 0
    size: float = 1.0


@dataclass(frozen=True, slots=True)
class Situation:
    """What planning starts from.

    ``milestones`` are those that delivery reported, ``fates`` what a scenario supposes, both by
    deal key. ``left`` are deal keys and addresses (in lower case) of those who left the deal's
    project: their hours are not filled.
    """

    as_of: date
    deals: tuple[Deal, ...] = ()
    people: tuple[Person, ...] = ()
    time_off: tuple[TimeOff, ...] = ()
    allocations: tuple[Allocation, ...] = ()
    milestones: Mapping[str, Milestones] = field(default_factory=dict)
    left: Collection[tuple[str, str]] = ()
    fates: Mapping[str, Fate] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OpenDemand:
    """What an open deal asks for if it is won.

    ``starts`` are the weeks in which its project may begin, given that it is won; their chances
    sum to 1. ``entered`` is the week of the start as sales entered it, or now if that has passed.
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
    """All demand within some weeks. ``reserved`` are people's hours for open deals."""

    open: tuple[OpenDemand, ...]
    booked: tuple[Booked, ...]
    reserved: tuple[Booked, ...]
    notices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Case:
    """A deal with everything that its demand is made of."""

    deal: Deal
    rules: Rules
    stage: StageRule
    fate: Fate
    start: date | None
    stretches: tuple[Stretch, ...]
    allocations: tuple[Allocation, ...]


def find_demand(
    situation: Situation, mappings: MappingSet, outlooks: Outlooks, weeks: Weeks
) -> Demand:
    """Returns what all deals ask for in ``weeks``.

    Deals that cannot be counted are left out, each with a notice. Open deals keep their places
    whatever their fate, so that simulations of different scenarios draw the same chances.
    """
    return _Finder(situation, mappings, outlooks, weeks).find()


class _Finder:
    def __init__(
        self, situation: Situation, mappings: MappingSet, outlooks: Outlooks, weeks: Weeks
    ) -> None:
        self._situation = situation
        self._mappings = mappings
        self._outlooks = outlooks
        self._weeks = weeks
        self._now = monday(situation.as_of)
        self._people = {person.email: person for person in situation.people}
        self._notices: dict[str, list[str]] = {}
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
            if not category.is_closed:
                open_ += self._open(case)
                if not (fate.won or fate.lost):
                    reserved += self._allocated(case)
            if fate.won or (category is Category.WON and not fate.lost):
                booked += self._won(case)
        notices = (f"{', '.join(who)}: {what}" for what, who in self._notices.items())
        return Demand(tuple(open_), tuple(booked), tuple(reserved), tuple(notices))

    def _note(self, who: str, what: str) -> None:
        self._notices.setdefault(what, []).append(who)

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
        won = stage.category is Category.WON
        start = project_start(deal, won=won, lead_time_weeks=rules.lead_time_weeks)
        fate = self._situation.fates.get(deal.key, Fate())
        stretches = tuple(self._stretches(deal, rules, fate.size))
        if start is not None and deal.key in self._situation.milestones:
            chance = stage.chance(deal.probability)
            view = DealView(deal, stage.name, stage.category, start, chance)
            values = Values(view, rules.placeholders)
            line = time_line(rules, values, start, self._situation.milestones[deal.key])
            stretches = moved(stretches, line) if line else stretches
        allocations = self._allocations.get(deal.key, ())
        return _Case(deal, rules, stage, fate, start, stretches, allocations)

    def _stretches(self, deal: Deal, rules: Rules, size: float) -> Iterator[Stretch]:
        for role in deal_demand(deal, rules):
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
        stretches = case.stretches or tuple(self._from_allocations(case))
        if not stretches:
            self._note(deal.key, f"states no roles, and {case.rules.file} has none for it")
            return
        decided = case.fate.won or case.fate.lost
        starts = self._starts(case, outlook)
        entered = case.start or starts[0][0]
        yield OpenDemand(
            deal.key,
            0.0 if decided else outlook.probability,
            starts,
            max(monday(entered) + WEEK * case.fate.delay_weeks, self._now),
            stretches,
            deal.expected_close,
        )

    def _starts(self, case: _Case, outlook: Outlook) -> tuple[tuple[date, float], ...]:
        """Returns when a project may begin: as stated, or later if the deal is won later."""
        deal, lead = case.deal, case.rules.lead_time_weeks
        weeks, now = self._weeks, self._weeks.index(self._now)
        stated = now
        if deal.start is not None:
            stated = weeks.index(deal.start)
            close = stated if deal.expected_close is None else weeks.index(deal.expected_close)
            lead = min(lead, max(0, stated - close))
        # Numbers of weeks, as there may be many and dates are slow to reckon with.
        chances: dict[int, float] = {}
        for closing, chance in outlook.closes:
            start = max(max(weeks.index(closing), now) + lead, stated) + case.fate.delay_weeks
            start = min(max(start, now), weeks.count)
            chances[start] = chances.get(start, 0.0) + chance
        return tuple((weeks.first + WEEK * start, chances[start]) for start in sorted(chances))

    def _from_allocations(self, case: _Case) -> Iterator[Stretch]:
        """Yields reservations as demand, for deals whose roles are known from nothing else."""
        start = monday(case.start or self._now)
        for each in case.allocations:
            first = monday(each.start) if each.start else start
            last = monday(each.end) if each.end else self._weeks.last
            weeks = (last - first).days // 7 + 1
            hours = float(each.hours_per_week) * case.fate.size
            if weeks > 0 and hours:
                yield Stretch(self._role(each), hours, (first - start).days // 7, weeks)

    def _won(self, case: _Case) -> Iterator[Booked]:
        """Yields the hours of a won deal: who is allocated, and what is not filled."""
        if self._start(case) is None and case.stretches:
            self._note(case.deal.key, "won, but start and close are unknown: counted from now on")
        filled: dict[tuple[str, date], float] = {}
        for booked in self._allocated(case):
            place = normalise(booked.role), booked.week
            filled[place] = filled.get(place, 0.0) + booked.hours
            yield booked
        for (role, week), hours in self._needed(case).items():
            missing = hours - filled.get((normalise(role), week), 0.0)
            if missing > 1e-9:
                yield Booked(case.deal.key, role, week, missing)

    def _start(self, case: _Case) -> date | None:
        """Returns the first day of a deal's project; if it is still open, not before now."""
        start = case.start
        if start is not None and not case.stage.category.is_closed:
            lead = 0 if case.deal.start else case.rules.lead_time_weeks
            start = max(start, self._now + WEEK * lead)
        return None if start is None else start + WEEK * case.fate.delay_weeks

    def _needed(self, case: _Case) -> dict[tuple[str, date], float]:
        first = monday(self._start(case) or self._now)
        needed: dict[tuple[str, date], float] = {}
        for stretch in case.stretches:
            for number in range(stretch.first, stretch.after):
                week = first + WEEK * number
                if 0 <= self._weeks.index(week) < len(self._weeks):
                    place = stretch.role, week
                    needed[place] = needed.get(place, 0.0) + stretch.hours
        return needed

    def _allocated(self, case: _Case) -> Iterator[Booked]:
        start = self._start(case) or self._now
        ends = max((stretch.after for stretch in case.stretches), default=None)
        last = None if ends is None else monday(start) + WEEK * ends - _DAY
        delay = WEEK * case.fate.delay_weeks
        for each in case.allocations:
            first_day = each.start + delay if each.start else start
            last_day = each.end + delay if each.end else last
            yield from self._hours(each, first_day, last_day, case.fate.size)

    def _hours(
        self, allocation: Allocation, first: date, last: date | None, size: float
    ) -> Iterator[Booked]:
        """Yields a person's hours week by week; those after they have left are not filled."""
        person = self._people.get(allocation.email)
        role, full = self._role(allocation), float(allocation.hours_per_week) * size
        left = (allocation.deal_key, allocation.email.casefold()) in self._situation.left
        if left:
            self._note(
                allocation.deal_key, f"{allocation.email} left its project: hours not filled"
            )
        final = self._weeks.count - 1 if last is None else self._weeks.index(last)
        for number in range(max(0, self._weeks.index(first)), min(final + 1, self._weeks.count)):
            week = self._weeks.first + WEEK * number
            days = [week + _DAY * number for number in range(WORKING_DAYS)]
            asked = [day for day in days if first <= day and (last is None or day <= last)]
            there = [
                day for day in asked if not left and (person is None or _is_there(person, day))
            ]
            for email, count in ((allocation.email, len(there)), ("", len(asked) - len(there))):
                if count and full:
                    hours = full * count / WORKING_DAYS
                    yield Booked(allocation.deal_key, role, week, hours, email)

    def _role(self, allocation: Allocation) -> str:
        person = self._people.get(allocation.email)
        return allocation.role or (person.role if person else "")


def _is_there(person: Person, day: date) -> bool:
    begun = person.starts is None or person.starts <= day
    return begun and (person.ends is None or day <= person.ends)


def of_team(demand: Demand, deal_keys: Iterable[str], emails: Iterable[str]) -> Demand:
    """Returns the demand that a team has to meet.

    That is what its own deals ask for, less what people of other teams do on them, and what its
    people do on the deals of others.
    """
    deals, people = set(deal_keys), set(emails)

    def concerns(booked: Booked) -> bool:
        return booked.email in people if booked.email else booked.deal_key in deals

    return Demand(
        tuple(each for each in demand.open if each.deal_key in deals),
        tuple(each for each in demand.booked if concerns(each)),
        tuple(each for each in demand.reserved if concerns(each)),
        demand.notices,
    )
