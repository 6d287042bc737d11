"""What staffing starts from: the projects that need people, in words of deals and roles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from taiga_pipeline.mapping.demand import deal_demand
from taiga_pipeline.mapping.errors import NotMapped
from taiga_pipeline.mapping.mapping_set import MappingSet
from taiga_pipeline.mapping.rules import Rules, StageRule
from taiga_pipeline.pipeline.model import Category, Deal, RoleDemand
from taiga_pipeline.pipeline.text import folded
from taiga_pipeline.planning.demand.milestones import Milestones, Stretch, moved
from taiga_pipeline.planning.demand.phases import Stint, stints
from taiga_pipeline.planning.demand.starts import beginning
from taiga_pipeline.planning.demand.stated_outlook import probability_of
from taiga_pipeline.planning.demand.value_notes import ValueNotes
from taiga_pipeline.problems import did_you_mean
from taiga_pipeline.records import ProjectState


@dataclass(frozen=True, slots=True)
class Work:
    """A deal whose project needs people.

    ``start`` is its first day, ``stated`` what the deal itself states of it; ``priority``
    multiplies what its unmet hours count. A project is ``tied`` once delivery keeps its milestones:
    then they say when it begins, and nothing that sales writes moves it.
    """

    key: str
    name: str
    team: str
    confirmed: bool
    probability: float
    start: date
    roles: tuple[RoleDemand, ...]
    priority: float = 1.0
    customer: str = ""
    service: str = ""
    tied: bool = False
    stated: date | None = None


@dataclass(frozen=True, slots=True)
class Works:
    """What needs people; ``spared`` are the keys of lost deals, whose people are free again.
    ``notes`` say what was left out, and why."""

    works: tuple[Work, ...]
    spared: frozenset[str]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class About:
    """What is known of deals besides what they say themselves, by their keys.

    ``priorities`` multiply what their unmet hours count. Demand moves with the ``milestones`` that
    delivery reported, as it does for capacity. ``chances`` are those that history reports open
    deals; one that is not among them has what it states.
    """

    priorities: Mapping[str, float] = field(default_factory=dict)
    milestones: Mapping[str, Milestones] = field(default_factory=dict)
    chances: Mapping[str, float] = field(default_factory=dict)


def find_works(
    deals: Iterable[Deal], mappings: MappingSet, today: date, about: About | None = None
) -> Works:
    """Returns the deals with a tentative or a staffed project, by key.

    When a project begins is decided as for capacity (`planning.demand.starts`); one whose deal is
    open does not begin before ``today``.
    """
    return _Finder(mappings, today, about or About()).find(deals)


class _Finder:
    def __init__(self, mappings: MappingSet, today: date, about: About) -> None:
        self._mappings = mappings
        self._today = today
        self._about = about
        self._notes: list[str] = []
        self._value_notes = ValueNotes()
        self._spared: set[str] = set()

    def find(self, deals: Iterable[Deal]) -> Works:
        works = [work for deal in deals if (work := self._work(deal))]
        self._check_priorities({work.key for work in works})
        ordered = tuple(sorted(works, key=lambda work: work.key))
        notes = (*self._notes, *self._value_notes)
        return Works(ordered, frozenset(self._spared), notes)

    def _check_priorities(self, known: set[str]) -> None:
        for key in self._about.priorities.keys() - known:
            near = did_you_mean(key, known)
            self._notes.append(f"no deal {key!r} has a project that needs people{near}")

    def _work(self, deal: Deal) -> Work | None:
        try:
            rules, stage = self._mappings.stage_of(deal)
        except NotMapped as error:
            self._notes.append(f"{deal.key} is left out: {error}")
            return None
        if stage.category is Category.LOST:
            self._spared.add(deal.key)
        if stage.state not in (ProjectState.TENTATIVE, ProjectState.STAFFED):
            return None
        won = stage.category is Category.WON
        begins = beginning(deal, rules, stage, self._about.milestones.get(deal.key, ()))
        start = begins.day(self._today)
        if start is None and won:
            self._notes.append(f"{deal.key} is won without a start or a close: it starts now")
            start = self._today
        problem = _problem(deal, rules, start)
        if problem or start is None:
            self._notes.append(f"{deal.key} is left out: {problem}")
            return None
        if not won or start >= self._today:
            self._value_notes.add(deal, rules)
        return Work(
            key=deal.key,
            name=deal.name,
            team=deal.team,
            confirmed=won,
            probability=1.0 if won else self._chance(deal, stage),
            start=start,
            roles=tuple(
                role
                for stint in stints(deal, rules, stage, begins, self._about.milestones)
                for role in _roles(stint)
            ),
            priority=self._about.priorities.get(deal.key, 1.0),
            customer=deal.customer,
            service=deal.service,
            tied=bool(self._about.milestones.get(deal.key)),
            stated=deal.start,
        )

    def _chance(self, deal: Deal, stage: StageRule) -> float:
        known = self._about.chances.get(deal.key)
        return probability_of(deal, stage) if known is None else known


def _roles(stint: Stint) -> Iterator[RoleDemand]:
    """Yields whom a deal needs, by weeks from the start of its project."""
    for role in stint.demand:
        if stint.line is None:
            yield replace(role, start_week=role.start_week + stint.weeks)
            continue
        stretch = Stretch(role.role, float(role.hours_per_week), role.start_week, role.weeks)
        for each in moved([stretch], stint.line):
            hours, first = Decimal(str(each.hours)), each.first + stint.weeks
            yield replace(role, hours_per_week=hours, start_week=first, weeks=each.weeks)


def _problem(deal: Deal, rules: Rules, start: date | None) -> str:
    roles = deal_demand(deal, rules)
    if start is None:
        return "it has neither a start nor an expected close"
    if not roles:
        return f"it states no roles, and {rules.file} has none for it"
    wrong = [role for role in roles if role.hours_per_week < 0 or role.weeks < 0]
    if wrong:
        listed = ", ".join(f"{each.role}:{each.hours_per_week}h x{each.weeks}w" for each in wrong)
        return f"hours and weeks are numbers from 0 up, not {listed}"
    return ""


def unknown_wishes(
    works: Iterable[Work], emails: Iterable[str], wishes: Iterable[tuple[str, str]]
) -> Iterator[str]:
    """Yields a note for each wish (address, what) of an unknown person, or for unplanned work."""
    known = set(emails)
    names = {name for work in works for name in (work.key, work.customer, work.service) if name}
    spelled = {folded(name): name for name in names}
    for email, what in wishes:
        if email not in known:
            yield f"no person on the roster is {email}{did_you_mean(email, known)}"
        if folded(what) not in spelled:
            near = did_you_mean(what, names)
            yield f"no deal, customer or service {what!r} needs people{near}"


def unknown_roles(works: Iterable[Work], names: Iterable[str]) -> Iterator[str]:
    """Yields a note for each role that deals ask for and no one has; ``names`` are all that people
    have as a role or a skill."""
    known = {folded(name): name for name in names}
    asked: dict[str, tuple[str, list[str], Decimal]] = {}
    for work in works:
        for role in work.roles:
            if folded(role.role) in known:
                continue
            name, keys, hours = asked.setdefault(folded(role.role), (role.role, [], Decimal(0)))
            if work.key not in keys:
                keys.append(work.key)
            asked[folded(role.role)] = name, keys, hours + role.hours_per_week * role.weeks
    for name, keys, hours in asked.values():
        near = did_you_mean(name, known.values())
        listed = ", ".join(keys[:5]) + (" …" if len(keys) > 5 else "")
        yield f"no person has the role {name!r}{near}; {hours:,f} h stay unmet ({listed})"
