"""What became of one deal: how it was sold, what was sold, and how delivery went. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import pairwise

from taiga_pipeline.pipeline.delivery import delivery_facts
from taiga_pipeline.pipeline.model import Category, Deal
from taiga_pipeline.pipeline.text import folded
from taiga_pipeline.planning.lessons.retrospective import (
    QUESTIONS,
    Answer,
    answers_in,
    said_to_have_ended,
    seems_ended,
)
from taiga_pipeline.planning.metrics.delivery import (
    Delivered,
    demand_hours,
    number_reported,
    staffed,
    start_slip,
)
from taiga_pipeline.planning.metrics.selling import Record, path_of


class Outcome(StrEnum):
    """What became of a deal; ``UNKNOWN``: no mapping knows its stage."""

    OPEN = "open"
    WON = "won"
    LOST = "lost"
    UNKNOWN = "unknown"


def outcome_of(category: Category | None) -> Outcome:
    """Returns what the category of a deal's stage says, None for a stage that is not known."""
    if category is None:
        return Outcome.UNKNOWN
    return {Category.WON: Outcome.WON, Category.LOST: Outcome.LOST}.get(category, Outcome.OPEN)


@dataclass(frozen=True, slots=True)
class Stay:
    """Days that a deal was in a stage, all its stays together; ``is_there``: it still is."""

    stage: str
    days: float
    is_there: bool = False


@dataclass(frozen=True, slots=True)
class RoleHours:
    """Hours of a role: as they were sold, and as people were put on them."""

    role: str
    sold: float
    staffed: float


@dataclass(frozen=True, slots=True)
class Experience:
    """A deal and what became of it. None, "" and () mean "not known".

    ``start`` is the planned first day, ``slip_days`` how many days later the first milestone begins
    as it now stands, and ``has_begun`` whether that day has come. ``sold_hours`` are what the deal
    asked for, or else its mapping; ``staffed_hours`` what people were allocated, ``spent_hours``
    what the project-management tool counted. ``progress`` is 0 to 1. ``people`` are those who were
    allocated and the project's members, by name. ``has_ended``: delivery reports that, or somebody
    said so.
    """

    deal: Deal
    outcome: Outcome
    stays: tuple[Stay, ...] = ()
    roles: tuple[RoleHours, ...] = ()
    start: date | None = None
    slip_days: int | None = None
    has_begun: bool = False
    sold_hours: float | None = None
    staffed_hours: float | None = None
    spent_hours: float | None = None
    progress: float | None = None
    people: tuple[str, ...] = ()
    url: str = ""
    has_ended: bool = False
    answers: tuple[Answer, ...] = ()

    @property
    def is_synced(self) -> bool:
        """Whether delivery ever reported anything of the deal's project."""
        return bool(self.url or self.progress is not None)


def experience_of(
    record: Record,
    delivered: Delivered | None,
    today: date,
    names: Mapping[str, str] | None = None,
    questions: Sequence[str] = QUESTIONS,
) -> Experience:
    """Returns what became of a deal.

    ``delivered`` is what is known of its delivery, None for a deal that has no project to speak of.
    ``names`` are people's, by lower-case address; ``questions`` those of retrospectives.
    """
    deal = record.deal
    answers = answers_in(deal.notes, questions)
    found = Experience(
        deal,
        outcome_of(record.stage.category),
        stays=tuple(_stays(record)),
        answers=answers,
        has_ended=said_to_have_ended(deal.notes, answers),
    )
    return found if delivered is None else _with_delivery(found, delivered, today, names or {})


def _with_delivery(
    found: Experience, delivered: Delivered, today: date, names: Mapping[str, str]
) -> Experience:
    facts = dict(delivered.facts or {})
    reported = delivery_facts(found.deal.key, facts, None, "")
    days = [finish for _, _, finish in reported.milestones if finish is not None]
    slip = start_slip(delivered) if found.outcome is Outcome.WON else None
    began = delivered.start + timedelta(days=slip) if delivered.start and slip is not None else None
    roles = tuple(_roles(delivered))
    is_staffed = bool(delivered.allocations)
    return Experience(
        found.deal,
        found.outcome,
        stays=found.stays,
        roles=roles,
        start=delivered.start,
        slip_days=slip,
        has_begun=began is not None and began <= today,
        sold_hours=float(demand_hours(delivered.demand)) if delivered.demand else None,
        staffed_hours=sum(staffed(delivered).values()) if is_staffed else None,
        spent_hours=number_reported(delivered, "spent_hours"),
        progress=number_reported(delivered, "progress"),
        people=_people(delivered, reported.team, names),
        url=reported.url,
        has_ended=found.has_ended or _ended(found.outcome, facts, max(days, default=None), today),
        answers=found.answers,
    )


def _ended(
    outcome: Outcome, facts: Mapping[str, object], last_day: date | None, today: date
) -> bool:
    return outcome is Outcome.WON and seems_ended(facts, last_day, today)


def _stays(record: Record) -> Iterator[Stay]:
    """Yields how long a deal was in each open stage, in the order in which it came there."""
    path = path_of(record)
    spent: dict[str, timedelta] = {}
    for (info, since), (_, until) in pairwise(path):
        if not info.category.is_closed:
            spent[info.name] = spent.get(info.name, timedelta()) + (until - since)
    here = path[-1][0].name if path and not record.is_closed else ""
    yield from (
        Stay(name, time.total_seconds() / 86400, name == here) for name, time in spent.items()
    )
    if here and here not in spent:
        yield Stay(here, 0.0, is_there=True)


def _roles(delivered: Delivered) -> Iterator[RoleHours]:
    """Yields the roles that were sold or staffed, those that were sold first."""
    names: dict[str, str] = {}
    sold: dict[str, float] = {}
    for each in delivered.demand:
        name = names.setdefault(folded(each.role), each.role)
        sold[name] = sold.get(name, 0.0) + float(each.hours_per_week * each.weeks)
    given: dict[str, float] = {}
    for role, hours in staffed(delivered).items():
        name = names.setdefault(folded(role), role)
        given[name] = given.get(name, 0.0) + hours
    yield from (RoleHours(n, sold.get(n, 0.0), given.get(n, 0.0)) for n in names.values())


def _people(delivered: Delivered, team: Sequence[str], names: Mapping[str, str]) -> tuple[str, ...]:
    """Returns who worked on a deal, each once; by name, or by address where none is known."""
    allocated = (names.get(each.email.lower()) or each.email for each in delivered.allocations)
    found: dict[str, str] = {}
    for each in (*allocated, *team):
        if each:
            found.setdefault(folded(each), each)
    return tuple(found.values())
