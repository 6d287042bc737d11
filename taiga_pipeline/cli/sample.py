"""A small made-up pipeline to try things out with: deals in every stage, people, allocations.

Dates are relative to the day it is made, so that it never looks stale.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from taiga_pipeline.people.model import Allocation, Person
from taiga_pipeline.pipeline.model import Category, Contact, ContactPart, Deal, RoleDemand


@dataclass(frozen=True, slots=True)
class Sample:
    """Deals, people, and who works on which deal."""

    deals: tuple[Deal, ...]
    people: tuple[Person, ...]
    allocations: tuple[Allocation, ...]


@dataclass(frozen=True, slots=True)
class _Outline:
    """A deal, with days counted from today."""

    key: str
    customer: str
    name: str
    category: Category
    value: int
    close_in: int
    start_in: int | None
    owner: str
    service: str
    roles: tuple[RoleDemand, ...] = ()
    contacts: tuple[Contact, ...] = ()
    notes: str = ""
    lost_reason: str = ""


def _needs(role: str, hours: int, weeks: int, start_week: int = 0) -> RoleDemand:
    return RoleDemand(role, Decimal(hours), weeks, start_week)


_MAYA: Final = "Maya Lindqvist"
_TOM: Final = "Tom Okafor"

_OUTLINES: Final = (
    _Outline(
        "D-101", "Harbour Light", "Visitor app", Category.LEAD, 60_000, 120, None, _MAYA, "app"
    ),
    _Outline(
        "D-102", "Nordvik Bank", "Card portal", Category.LEAD, 240_000, 150, None, _TOM, "web"
    ),
    _Outline(
        "D-103",
        "Fjord Ferries",
        "Timetable service",
        Category.QUALIFIED,
        90_000,
        90,
        110,
        _TOM,
        "api",
    ),
    _Outline(
        "D-104",
        "City of Ekby",
        "Library search",
        Category.NEEDS,
        75_000,
        60,
        80,
        _MAYA,
        "web",
        contacts=(Contact("Ida Berg", "ida.berg@ekby.example", part=ContactPart.DECISION_MAKER),),
    ),
    _Outline(
        "D-105",
        "Alder & Finch",
        "Web shop",
        Category.PROPOSAL,
        120_000,
        21,
        35,
        _MAYA,
        "web",
        roles=(_needs("Back", 30, 10), _needs("Design", 16, 4), _needs("UX", 8, 3)),
        contacts=(
            Contact("Ruth Alder", "ruth@alder.example", part=ContactPart.DECISION_MAKER),
            Contact("Sam Finch", "sam@alder.example", part=ContactPart.INFLUENCER),
        ),
        notes="Launch must be before the summer sale. They run their own hosting.",
    ),
    _Outline(
        "D-106",
        "Solvang Energy",
        "Meter dashboard",
        Category.PROPOSAL,
        180_000,
        35,
        56,
        _TOM,
        "web",
        roles=(_needs("Back", 40, 12), _needs("Front", 30, 12)),
    ),
    _Outline(
        "D-107",
        "Brightwater Clinic",
        "Booking",
        Category.PROPOSAL,
        64_000,
        14,
        28,
        _MAYA,
        "app",
        roles=(_needs("Front", 30, 8), _needs("UX", 16, 3)),
        contacts=(Contact("Dr Noor Haddad", part=ContactPart.DECISION_MAKER),),
    ),
    _Outline(
        "D-108", "Müller Logistik", "Route planner", Category.PROPOSAL, 95_000, 45, 60, _TOM, "api"
    ),
    _Outline(
        "D-109",
        "Kestrel Insurance",
        "Claims intake",
        Category.WON,
        150_000,
        -10,
        7,
        _TOM,
        "web",
        roles=(_needs("Back", 30, 12), _needs("Design", 16, 4)),
        notes="Weekly demo on Thursdays was promised.",
    ),
    _Outline(
        "D-110",
        "Lumen Museum",
        "Ticketing",
        Category.WON,
        82_000,
        -25,
        -4,
        _MAYA,
        "app",
        roles=(_needs("Front", 30, 8), _needs("UX", 8, 3)),
    ),
    _Outline(
        "D-111",
        "Oak Street Media",
        "Archive",
        Category.LOST,
        40_000,
        -15,
        None,
        _TOM,
        "web",
        lost_reason="price",
    ),
    _Outline(
        "D-112", "Vela Travel", "Loyalty app", Category.QUALIFIED, 130_000, 75, 100, _MAYA, "app"
    ),
)

# The same people have accounts in the sandbox.
_PEOPLE: Final = (
    Person("ana@example.test", "Ana Müller", "Back", ("python", "sql")),
    Person("bob@example.test", "Bob Jones", "Front", ("typescript",)),
    Person("chen@example.test", "陈伟", "Design", ("figma",), Decimal(32)),
    Person("dora@example.test", "Dora O'Neil", "UX", ("research", "figma")),
    Person("emil@example.test", "Emil Åberg", "Back", ("python", "django")),
)

_ALLOCATIONS: Final = (
    Allocation("D-109", "ana@example.test", "Back", Decimal(30)),
    Allocation("D-109", "chen@example.test", "Design", Decimal(16)),
    Allocation("D-110", "bob@example.test", "Front", Decimal(30)),
    Allocation("D-105", "emil@example.test", "Back", Decimal(30), confirmed=False),
    Allocation("D-105", "dora@example.test", "UX", Decimal(8), confirmed=False),
)


def make_sample(today: date, stages: Mapping[Category, str], team: str = "") -> Sample:
    """Returns the sample pipeline as of ``today``.

    ``stages`` names a stage for each category (a category without one borrows its neighbour's);
    ``team`` is given to every deal, for a mapping that applies to one team only.
    """
    stage_of = _nearest(stages)
    deals = tuple(_deal(outline, today, stage_of(outline.category), team) for outline in _OUTLINES)
    return Sample(deals, _PEOPLE, _ALLOCATIONS)


def _nearest(stages: Mapping[Category, str]) -> Callable[[Category], str]:
    order = list(Category)

    def stage(category: Category) -> str:
        place = order.index(category)
        return stages[min(stages, key=lambda other: abs(order.index(other) - place))]

    return stage


def _deal(outline: _Outline, today: date, stage: str, team: str) -> Deal:
    closes = today + timedelta(days=outline.close_in)
    return Deal(
        key=outline.key,
        name=outline.name,
        customer=outline.customer,
        stage=stage,
        value=Decimal(outline.value),
        currency="EUR",
        expected_close=closes,
        start=None if outline.start_in is None else today + timedelta(days=outline.start_in),
        closed_on=closes if outline.category.is_closed else None,
        owner=outline.owner,
        team=team,
        service=outline.service,
        lost_reason=outline.lost_reason,
        notes=outline.notes,
        contacts=outline.contacts,
        roles=outline.roles,
    )
