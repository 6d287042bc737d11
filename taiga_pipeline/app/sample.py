"""A made-up pipeline to try things out with: a firm of eight, a year of its deals, its plans.

Days are relative to the day it is made, so that it never looks stale. The deals are in
``data/sample_deals.csv``: the column of a category holds the day on which a deal came there,
counted from today.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from importlib.resources import files
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from taiga_pipeline.people.model import Allocation, Person, Rate, TimeOff
from taiga_pipeline.people.rates.store import Stamp
from taiga_pipeline.pipeline.model import Category, Contact, ContactPart, Deal
from taiga_pipeline.pipeline.notation import parse_roles
from taiga_pipeline.pipeline.notes import parse_notes

if TYPE_CHECKING:
    from taiga_pipeline.people.rates.store import RateStore
    from taiga_pipeline.people.store import PeopleStore
    from taiga_pipeline.pipeline.store import DealStore


SAMPLE: Final = "sample"
"""Who made what is in the sample."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Lives of deals (all that one was, in order), people, time off, who works on what, and what an
    hour costs."""

    lives: tuple[tuple[Deal, ...], ...]
    people: tuple[Person, ...]
    time_off: tuple[TimeOff, ...]
    allocations: tuple[Allocation, ...]
    rates: tuple[Rate, ...]

    @property
    def deals(self) -> tuple[Deal, ...]:
        """The deals as they are today."""
        return tuple(life[-1] for life in self.lives)

    def store(self, deals: DealStore, people: PeopleStore, rates: RateStore, at: datetime) -> None:
        """Fills empty stores: each step of a deal at its own time, the rates ``at`` one."""
        with deals.batch(by=SAMPLE) as batch:
            for before, after in self._steps():
                batch.now = _reached(after)
                batch.put(before, after)
        people.upsert(self.people)
        people.add_each_time_off(self.time_off)
        people.allocate_each(self.allocations)
        rates.set_each(self.rates, Stamp(at, SAMPLE))

    def _steps(self) -> list[tuple[Deal | None, Deal]]:
        steps = [step for life in self.lives for step in pairwise((None, *life))]
        return sorted(
            ((before, after) for before, after in steps if after),
            key=lambda step: _reached(step[1]),
        )


_DAY_BEGINS: Final = time(8, 30)

_CONTACTS: Final = {
    "D-104": (Contact("Ida Berg", "ida.berg@ekby.example", part=ContactPart.DECISION_MAKER),),
    "D-105": (
        Contact("Ruth Alder", "ruth@alder.example", part=ContactPart.DECISION_MAKER),
        Contact("Sam Finch", "sam@alder.example", part=ContactPart.INFLUENCER),
    ),
    "D-107": (Contact("Dr Noor Haddad", part=ContactPart.DECISION_MAKER),),
    "D-115": (Contact("Lena Kettle", "lena@kettle.example", part=ContactPart.DECISION_MAKER),),
}

_NOTES: Final = {
    "D-105": "Launch must be before the summer sale. They run their own hosting.",
    "D-109": "Weekly demo on Thursdays was promised.",
}

_NEXT_STEPS: Final = {
    "D-101": ("Call about the visitors' wishes", 9),
    "D-103": ("Send references of ferries", 6),
    "D-104": ("Workshop with the librarians", 4),
    "D-105": ("Talk about the price with Ruth Alder", 0),
    "D-106": ("Ask when the board decides", -4),
    "D-107": ("Show the booking of a week", 2),
    "D-108": ("Send the revised plan", 5),
    "D-112": ("Find out who decides", 12),
    "D-115": ("Write the proposal", 1),
    "D-116": ("Meet in the laboratory", 8),
}
"""What sales do next with open deals, and on which day, counted from today."""

# The same people have accounts in the sandbox.
_PEOPLE: Final = (
    Person("ana@example.test", "Ana Müller", "Back", ("python", "sql"), country="SE"),
    Person("bob@example.test", "Bob Jones", "Front", ("typescript", "react"), country="GB"),
    Person("chen@example.test", "陈伟", "Design", ("figma", "print"), Decimal(32), country="SE"),
    Person("dora@example.test", "Dora O'Neil", "UX", ("research", "figma"), country="IE"),
    Person("emil@example.test", "Emil Åberg", "Back", ("python", "django"), country="SE"),
    Person("fatima@example.test", "Fatima Noor", "Front", ("typescript",), country="SE"),
    Person("gita@example.test", "Gita Rao", "Back", ("go", "sql"), Decimal(32), country="DE"),
    Person("hugo@example.test", "Hugo Stein", "Lead", ("scrum",), Decimal(30), country="DE"),
)

_TIME_OFF: Final = (
    ("ana@example.test", 28, 38, "holiday"),
    ("bob@example.test", 10, 14, "course"),
    ("chen@example.test", 42, 59, "parental leave"),
    ("fatima@example.test", 21, 25, "holiday"),
    ("gita@example.test", 49, 60, "holiday"),
    ("hugo@example.test", -40, -30, "holiday"),
)
"""E-mail, the first and the last day, counted from today, and why."""

_ALLOCATIONS: Final = (
    Allocation("D-109", "ana@example.test", "Back", Decimal(30)),
    Allocation("D-109", "chen@example.test", "Design", Decimal(16)),
    Allocation("D-110", "bob@example.test", "Front", Decimal(30)),
    Allocation("D-033", "emil@example.test", "Back", Decimal(30)),
    Allocation("D-033", "fatima@example.test", "Front", Decimal(20)),
    Allocation("D-033", "hugo@example.test", "Lead", Decimal(6)),
    Allocation("D-105", "emil@example.test", "Back", Decimal(30), confirmed=False),
    Allocation("D-105", "dora@example.test", "UX", Decimal(8), confirmed=False),
)


_RATES: Final = (
    *(
        Rate("", role, None, Decimal(cost), Decimal(bill), "EUR")
        for role, cost, bill in (
            ("Back", 62, 118),
            ("Design", 56, 105),
            ("Front", 58, 110),
            ("Lead", 78, 145),
            ("UX", 60, 112),
        )
    ),
    Rate("ana@example.test", "", None, Decimal(71), Decimal(130), "EUR"),
)
"""What an hour costs, and is billed at."""


def make_sample(today: date, stages: Mapping[Category, str], team: str = "") -> Sample:
    """Returns the sample pipeline as of ``today``.

    ``stages`` names a stage for each category (a category without one borrows its neighbour's);
    ``team`` is given to every deal, for a mapping that applies to one team only.
    """
    stage_of = _nearest(stages)
    lives = tuple(
        _with_next_step(tuple(_life(row, today, stage_of, team)), today) for row in _rows()
    )
    time_off = tuple(
        TimeOff(email, today + timedelta(days=first), today + timedelta(days=last), reason)
        for email, first, last, reason in _TIME_OFF
    )
    allocations = (*_past_allocations(life[-1] for life in lives), *_ALLOCATIONS)
    return Sample(lives, _PEOPLE, time_off, allocations, _RATES)


def _with_next_step(life: tuple[Deal, ...], today: date) -> tuple[Deal, ...]:
    """Returns the life of a deal with what is to be done next, where it is known."""
    *before, last = life
    if last.key not in _NEXT_STEPS:
        return life
    text, days = _NEXT_STEPS[last.key]
    day = today + timedelta(days=days)
    return (*before, replace(last, next_step=text, next_step_on=day))


def _past_allocations(deals: Iterable[Deal]) -> Iterator[Allocation]:
    """Goes through who worked on what was won before: those of a role take turns."""
    current = {each.deal_key for each in _ALLOCATIONS}
    won = [deal for deal in deals if _is_won(deal) and deal.key not in current]
    for turn, deal in enumerate(won):
        for needed in deal.roles:
            able = [person for person in _PEOPLE if person.role == needed.role]
            email = able[turn % len(able)].email
            yield Allocation(deal.key, email, needed.role, needed.hours_per_week)


def _is_won(deal: Deal) -> bool:
    return deal.closed_on is not None and not deal.lost_reason


def _rows() -> Iterator[Mapping[str, str]]:
    text = (files("taiga_pipeline") / "data" / "sample_deals.csv").read_text(encoding="utf-8")
    return csv.DictReader(text.splitlines())


def _nearest(stages: Mapping[Category, str]) -> Callable[[Category], str]:
    order = list(Category)

    def stage(category: Category) -> str:
        place = order.index(category)
        return stages[min(stages, key=lambda other: abs(order.index(other) - place))]

    return stage


def _life(
    row: Mapping[str, str], today: date, stage_of: Callable[[Category], str], team: str
) -> Iterator[Deal]:
    """Goes through what a deal was, from its first stage to where it is today."""
    deal = replace(_first(row, today), team=team)
    for category in filter(row.get, Category):
        stage, day = stage_of(category), _working_day(row[category], today)
        if stage == deal.stage:
            continue
        at = datetime.combine(day, _DAY_BEGINS, UTC)
        deal = replace(deal, stage=stage, stage_since=at, updated_at=at)
        if category is Category.PROPOSAL or category.is_closed:
            closes = _working_day(row["close"], today)
            deal = replace(deal, value=Decimal(row["value"]), expected_close=closes)
        if category.is_closed:
            deal = replace(deal, closed_on=day, lost_reason=row["lost_reason"])
        yield deal


def _first(row: Mapping[str, str], today: date) -> Deal:
    """Returns a deal as it came in, without a stage."""
    key = row["key"]
    return Deal(
        key=key,
        name=row["name"],
        customer=row["customer"],
        value=Decimal(row["value_first"] or row["value"]),
        currency="EUR",
        expected_close=_working_day(row["close_first"] or row["close"], today),
        start=_monday(row["start"], today) if row["start"] else None,
        owner=row["owner"],
        service=row["service"],
        notes=parse_notes(_NOTES.get(key, "")),
        contacts=_CONTACTS.get(key, ()),
        roles=parse_roles(row["roles"]),
    )


def _working_day(days: str, today: date) -> date:
    """Returns the day that is so many days from today, or the Friday before its weekend."""
    day = today + timedelta(days=int(days))
    return day - timedelta(days=max(0, day.weekday() - 4))


def _monday(days: str, today: date) -> date:
    """Returns the Monday of the week that is so many days from today."""
    day = today + timedelta(days=int(days))
    return day - timedelta(days=day.weekday())


def _reached(deal: Deal) -> datetime:
    """Returns when a deal became as it is."""
    assert deal.updated_at
    return deal.updated_at
